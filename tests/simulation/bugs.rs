//! The simulation can fail: each of three deliberate bugs is found, within as many seeds as every test run takes.

use doorstep_core::field::SeededBugs;

use crate::run::{report, run_with};
use crate::scenario::Off;
use crate::world::World;

/// As many as the test of all storms runs.
const SEEDS: u64 = 500;

/// Runs seeds with a bug until one of them fails; panics if none does.
fn is_found(bug: &'static str, plant: impl Fn(&mut World)) {
    let found = (1..=SEEDS).find_map(|seed| {
        let ended = run_with(seed, Off::default(), false, &plant);
        ended.violation.is_some().then(|| report(seed, &ended))
    });
    let found = found.unwrap_or_else(|| panic!("{bug}: not found within {SEEDS} seeds"));
    println!("{bug}: {found}");
}

#[test]
fn a_phone_that_acknowledges_before_it_flushed_is_found() {
    is_found("a phone acknowledges before it flushed", |world| {
        world.phones.iter().for_each(|phone| phone.store.set_bug_acknowledge_before_flush(true));
    });
}

#[test]
fn a_server_that_acknowledges_before_it_flushed_is_found() {
    is_found("the server acknowledges before it flushed", |world| world.server.store.set_bug_acknowledge_before_flush(true));
}

#[test]
fn a_skipped_position_of_the_feed_is_found() {
    is_found("a position of the feed is skipped", |world| {
        world.phones.iter_mut().for_each(|phone| phone.plant(SeededBugs { skips_positions: true, ..SeededBugs::default() }));
    });
}

#[test]
fn an_entry_of_the_outbox_that_is_dropped_unacknowledged_is_found() {
    is_found("an entry of the outbox is dropped", |world| {
        world.phones.iter_mut().for_each(|phone| phone.plant(SeededBugs { drops_entries: true, ..SeededBugs::default() }));
    });
}
