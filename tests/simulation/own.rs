//! The simulator is tested itself: what it says it did, it did, and nothing else.

use doorstep_core::docs::DocKind;
use doorstep_core::field::FieldError;
use doorstep_core::model::{HouseholdDetails, HouseholdId};
use doorstep_core::store::StoreError;
use doorstep_core::sync::client::Input;

use crate::actions::Action;
use crate::net::{Net, Passage, Way};
use crate::run::{run, run_with};
use crate::scenario::Off;
use crate::world::World;

const ALL_OFF: Off = Off { net: true, crashes: true, clocks: true, grants: true, lives: true };

/// A quiet world of which a test does all that happens.
fn quiet(seed: u64) -> World {
    let mut world = World::new(seed, ALL_OFF, false);
    world.calm = true;
    world.net.calm();
    world.end_lines().unwrap();
    world
}

/// Lets a phone sync until it rests.
fn sync(world: &mut World, phone: usize) {
    world.drive(phone, Input::Start).unwrap();
    world.rest().unwrap();
}

fn add_household(world: &mut World, phone: usize) -> Result<HouseholdId, FieldError> {
    let grid = world.some_grid(phone)?;
    let details = HouseholdDetails { door: Some("1单元101".to_owned()), ..Default::default() };
    world.engine(phone)?.add_household(grid, details, Vec::new())
}

fn last_success(world: &World, phone: usize) -> bool {
    world.phones[phone].engine().is_some_and(|engine| engine.status().last_success.is_some())
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 2, 3, 10, 17, 30] {
        let (one, two) = (run(seed), run(seed));
        assert_eq!((one.digest, one.steps, &one.counts), (two.digest, two.steps, &two.counts), "seed {seed}");
    }
}

#[test]
fn different_seeds_give_different_traces() {
    let digests: std::collections::BTreeSet<u64> = (1..=20).map(|seed| run(seed).digest).collect();
    assert_eq!(digests.len(), 20);
}

#[test]
fn keeping_lines_changes_nothing_in_a_run() {
    assert_eq!(run(7).digest, run_with(7, Off::default(), true, |_| {}).digest);
}

#[test]
fn a_partition_cuts_off_only_who_was_named() {
    let mut world = quiet(3);
    world.net.cut_off(0);
    for phone in 0..world.phones.len() {
        world.drive(phone, Input::Start).unwrap();
    }
    for _ in 0..200 {
        if !world.step().unwrap() {
            break;
        }
    }
    assert!(!last_success(&world, 0));
    assert!((1..world.phones.len()).all(|phone| last_success(&world, phone)));
    world.net.reconnect(0);
    sync(&mut world, 0);
    assert!(last_success(&world, 0));
}

#[test]
fn a_rule_of_a_test_comes_before_the_weather() {
    let mut world = quiet(3);
    world.net = Net::default();
    world.net.rules.push(Box::new(|phone, way| match (phone, way) {
        (0, Way::ToServer) => Passage::Dropped,
        (1, _) => Passage::After(5),
        _ => Passage::Unsaid,
    }));
    let begin = world.time.now();
    world.drive(1, Input::Start).unwrap();
    while !last_success(&world, 1) {
        assert!(world.step().unwrap());
    }
    // Each round trip takes twice five milliseconds.
    assert_eq!((world.time.now() - begin) % 10, 0);
    world.drive(0, Input::Start).unwrap();
    for _ in 0..50 {
        world.step().unwrap();
    }
    assert!(!last_success(&world, 0));
}

#[test]
fn a_crash_loses_what_was_not_synced_and_nothing_else() {
    let mut outcomes = std::collections::BTreeSet::new();
    for (seed, operation) in (1..=12).flat_map(|seed| (0..4).map(move |operation| (seed * 8 + 1, operation))) {
        let mut world = quiet(seed);
        sync(&mut world, 0);
        let before = add_household(&mut world, 0).unwrap();
        let many = world.engine(0).unwrap().documents(DocKind::Household).unwrap().len();
        world.phones[0].store.cut_power_in(operation);
        let failed = add_household(&mut world, 0);
        assert_eq!(failed, Err(FieldError::Store(StoreError::Stopped)));
        world.look_after(0);
        assert!(world.phones[0].engine().is_none(), "a phone without power runs nothing");
        while world.phones[0].engine().is_none() {
            assert!(world.step().unwrap());
        }
        let households = world.engine(0).unwrap().documents(DocKind::Household).unwrap();
        assert!(households.contains(&before.into()));
        let survives = households.len() > many;
        assert!(households.len() <= many + 1, "seed {seed}, operation {operation}");
        outcomes.insert((operation, survives));
    }
    // Written to the journal, synced, applied to the tree, synced; a new segment may come before.
    let expected = [(0, false), (1, false), (1, true), (2, true), (3, true)];
    assert!(expected.iter().all(|outcome| outcomes.contains(outcome)), "{outcomes:?}");
}

#[test]
fn a_server_without_power_answers_nothing_and_is_back_later() {
    let mut world = quiet(3);
    sync(&mut world, 0);
    world.stop_server();
    assert!(world.server.hub().is_none());
    while world.server.hub().is_none() {
        assert!(world.step().unwrap());
    }
    sync(&mut world, 0);
    assert!(last_success(&world, 0));
}

#[test]
fn storms_do_what_they_are_for() {
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for seed in 1..=60 {
        run(seed).counts.into_iter().for_each(|(what, count)| *counts.entry(what).or_default() += count);
    }
    let fewest = [
        ("commands", 1_500),
        ("accepted", 1_000),
        ("phone crashes", 30),
        ("server crashes", 20),
        ("refused", 10),
        ("mended", 10),
        ("resumed parts", 200),
        ("bootstraps that others wrote into", 20),
        ("servers restored", 30),
        ("stores caught up", 10),
        ("stores built anew", 5),
        ("stores set back", 10),
        ("phones cloned", 10),
        ("forks that the server found", 1),
        ("live connections", 20),
        ("live pushes", 50),
        ("snapshots behind a cursor", 20),
        ("phones that erased themselves", 5),
        ("redactions", 5),
        ("challenges", 20),
    ];
    for (what, fewest) in fewest {
        assert!(counts.get(what).is_some_and(|count| *count >= fewest), "{what}: {counts:?}");
    }
    // Honest work that is refused is handed over; there is something to send again only where a restored server has lost a grant.
    // A conflict about a door comes to the one who would settle it in one storm of eighty.
    let is_rare = |action: &Action| matches!(action, Action::Resend | Action::Settle);
    let missing: Vec<_> = Action::ALL.iter().filter(|action| !counts.contains_key(action.name()) && !is_rare(action)).collect();
    assert!(missing.is_empty(), "never done: {missing:?} of {counts:?}");
}
