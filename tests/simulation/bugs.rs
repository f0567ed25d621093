//! The simulation can fail: each of these deliberate bugs is found, within as many seeds as every test run takes.

use doorstep_core::field::SeededBugs;
use doorstep_server::hub::SeededBugs as HubBugs;

use crate::disk::StoreBugs;
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

fn plant(world: &mut World, bugs: SeededBugs) {
    world.phones.iter_mut().for_each(|phone| phone.plant(bugs));
}

#[test]
fn a_phone_that_acknowledges_before_it_flushed_is_found() {
    is_found("a phone acknowledges before it flushed", |world| {
        let bugs = StoreBugs { acknowledges_before_flush: true, ..StoreBugs::default() };
        world.phones.iter_mut().for_each(|phone| phone.plant_in_store(bugs));
    });
}

#[test]
fn a_server_that_acknowledges_before_it_flushed_is_found() {
    is_found("the server acknowledges before it flushed", |world| world.server.store.set_bug_acknowledge_before_flush(true));
}

#[test]
fn a_skipped_position_of_the_feed_is_found() {
    is_found("a position of the feed is skipped", |world| {
        plant(world, SeededBugs { skips_positions: true, ..SeededBugs::default() });
    });
}

#[test]
fn an_entry_of_the_outbox_that_is_dropped_unacknowledged_is_found() {
    is_found("an entry of the outbox is dropped", |world| {
        plant(world, SeededBugs { drops_entries: true, ..SeededBugs::default() });
    });
}

#[test]
fn a_dependency_that_is_forgotten_is_found() {
    is_found("a change forgets a dependency", |world| plant(world, SeededBugs { forgets_dependency: true, ..SeededBugs::default() }));
}

#[test]
fn an_actor_that_is_used_again_after_a_restore_is_found() {
    is_found("an actor is used again", |world| plant(world, SeededBugs { reuses_actor: true, ..SeededBugs::default() }));
}

#[test]
fn a_snapshot_without_the_changes_behind_it_is_found() {
    is_found("a snapshot lacks the log behind it", |world| world.server.plant(HubBugs { snapshots_lack_log: true, ..HubBugs::default() }));
}

#[test]
fn a_cursor_that_moves_before_its_entries_are_applied_is_found() {
    is_found("a cursor moves first", |world| plant(world, SeededBugs { moves_cursor_first: true, ..SeededBugs::default() }));
}

#[test]
fn a_torn_frame_that_is_taken_for_whole_is_found() {
    is_found("a torn frame is taken for whole", |world| {
        let bugs = StoreBugs { takes_torn_frames: true, ..StoreBugs::default() };
        world.phones.iter_mut().for_each(|phone| phone.plant_in_store(bugs));
        bugs.plant_in(&world.server.store);
    });
}

#[test]
fn policy_that_is_not_asked_for_one_kind_of_operation_is_found() {
    is_found("policy is not asked for visits", |world| {
        world.server.plant(HubBugs { skips_policy_for_visits: true, ..HubBugs::default() });
    });
}

#[test]
fn an_erased_person_who_is_resurrected_by_a_late_edit_is_found() {
    is_found("an erased person comes back", |world| {
        world.server.plant(HubBugs { takes_edits_of_erased: true, ..HubBugs::default() });
    });
}

#[test]
fn a_dropped_scope_that_takes_unsent_work_along_is_found() {
    is_found("a dropped scope takes unsent work along", |world| {
        plant(world, SeededBugs { drops_unsent_work: true, ..SeededBugs::default() });
    });
}
