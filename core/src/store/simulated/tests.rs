//! Cuts at every operation of the disk: what was acknowledged is there, what was not is there whole or not at all.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;
use crate::store::Batch;
use crate::store::journal::Found;
use crate::store::journal::folder::Folder as _;
use crate::store::journal::frame::Mark;
use crate::store::journaled::home::Home as _;

/// Numbers out of a seed.
pub(in crate::store) fn seeded(seed: u64) -> Numbers {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Box::new(move || generator.next_u64())
}

/// So small that a run of a few commits has segments, checkpoints and removals in it.
const SMALL: SimulatedOptions = SimulatedOptions { checkpoint_bytes: 900, segment_bytes: 300, keep: Duration::ZERO };
/// Checkpoints come sooner, and what they make needless stays for the time of some ten commits.
const KEEPING: SimulatedOptions = SimulatedOptions { checkpoint_bytes: 300, segment_bytes: 300, keep: Duration::from_secs(60) };
const KEYS: u8 = 7;
const BATCHES: u8 = 14;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// Batch number so and so: two puts and a delete, over what earlier ones wrote.
fn batch(number: u8) -> Batch {
    let mut batch = Batch::new();
    batch.put(vec![number % KEYS], vec![number; 40]);
    batch.put(vec![KEYS + number % 3], vec![number; 3]);
    batch.delete(vec![number.wrapping_add(3) % KEYS]);
    batch
}

fn after(batches: u8) -> Map {
    let mut map = Map::new();
    for (key, value) in (0..batches).flat_map(batch) {
        match value {
            Some(value) => map.insert(key, value),
            None => map.remove(&key),
        };
    }
    map
}

fn contents(store: &SimulatedStore) -> Map {
    store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap().into_iter().collect()
}

/// Commits batches from `done` on until the power goes; says how many were answered.
fn commit_on(store: &SimulatedStore, done: u8) -> u8 {
    (done..BATCHES).take_while(|number| store.commit(batch(*number)).is_ok()).count() as u8 + done
}

/// The state is that after `answered` batches, or one more; says which.
fn is_whole(store: &SimulatedStore, answered: u8, what: &str) -> u8 {
    let found = contents(store);
    let next = (answered + 1).min(BATCHES);
    assert!(found == after(answered) || found == after(next), "{what}: {answered} were answered, and this is there: {found:?}");
    if found == after(answered) { answered } else { next }
}

#[test]
fn a_cut_in_any_operation_takes_nothing_that_was_acknowledged_and_leaves_no_half() {
    let losses = [
        None,
        Some(TreeLoss::Gone),
        Some(TreeLoss::Unreadable),
        Some(TreeLoss::UnreadableWithCheckpoint),
        Some(TreeLoss::SetBack(2)),
        Some(TreeLoss::SetBack(24)),
    ];
    let (mut openings, mut broken) = (BTreeMap::<&str, u32>::new(), 0);
    for seed in 0..12 {
        for first in 0.. {
            let store = SimulatedStore::new(if seed % 2 == 0 { SMALL } else { KEEPING }, seeded(seed)).unwrap();
            store.cut_power_in(first);
            let answered = commit_on(&store, 0);
            if !store.is_stopped() {
                break; // all is committed before so many operations
            }
            let loss = losses[(first as usize + seed as usize) % losses.len()];
            let opening = store.restart(loss).unwrap();
            *openings.entry(name_of(&opening)).or_default() += 1;
            broken += u32::from(store.disk.names().unwrap().iter().any(|name| name.ends_with(".damaged")));
            let what = format!("seed {seed}, cut in {first}, {loss:?}, {opening:?}");
            let done = is_whole(&store, answered, &what);
            // It goes on, and what it holds then survives as well.
            assert_eq!(commit_on(&store, done), BATCHES, "{what}");
            store.restart(None).unwrap();
            assert_eq!(contents(&store), after(BATCHES), "{what}");
        }
    }
    for opening in ["whole", "caught up", "rebuilt"] {
        assert!(openings.get(opening).is_some_and(|count| *count > 20), "{opening}: {openings:?}");
    }
    assert!(broken > 5, "{broken} went back to an earlier checkpoint");
}

#[test]
fn what_is_kept_behind_checkpoints_reaches_back_as_long_as_was_asked_for_and_no_further() {
    let store = SimulatedStore::new(KEEPING, seeded(1)).unwrap();
    let (mut most, mut removed) = (0, 0);
    for number in 0..200 {
        store.commit(batch(number)).unwrap();
        let found = Found::look(store.disk.journal()).unwrap();
        // From each checkpoint on everything is there.
        let checkpoints = checkpoint_files(&store);
        let mut from = found.segments.first().map(|first| first.after).into_iter().chain(found.checkpoints().map(|(at, _)| *at));
        assert!(from.all(|at| found.replay(at, &mut |_, _| Ok(())).unwrap().sequence == u64::from(number) + 1), "{number}");
        let Some(newest) = checkpoints.last() else { continue };
        let age = |written: &Duration| *newest - *written;
        // At the last removal the second was too young to be reached back to, or the first would have gone.
        assert!(checkpoints.get(1).is_none_or(|second| age(second) < KEEPING.keep), "{number}: {checkpoints:?}");
        let is_from_the_beginning = found.segments.first().is_some_and(|first| first.after == Mark::default());
        assert!(is_from_the_beginning || checkpoints.first().is_some_and(|first| age(first) >= KEEPING.keep), "{number}: {checkpoints:?}");
        most = most.max(checkpoints.len());
        removed += u32::from(!is_from_the_beginning);
    }
    assert!(most > 2 && removed > 100, "{most}, {removed}");
}

/// When the checkpoints on the disk were made, the oldest first.
fn checkpoint_files(store: &SimulatedStore) -> Vec<Duration> {
    let mut names = store.disk.names().unwrap();
    names.retain(|name| name.ends_with(".checkpoint"));
    names.sort();
    names.iter().map(|name| store.disk.written_at(name).unwrap()).collect()
}

const fn name_of(opening: &Opening) -> &'static str {
    match opening {
        Opening::New => "new",
        Opening::Whole => "whole",
        Opening::CaughtUp { .. } => "caught up",
        Opening::CheckpointReplaced => "checkpoint replaced",
        Opening::JournalReplaced => "journal replaced",
        Opening::Rebuilt { .. } => "rebuilt",
    }
}

#[test]
fn a_cut_while_a_store_is_being_mended_is_mended_by_the_next_opening() {
    for seed in 0..6 {
        let unreadable = [TreeLoss::Unreadable, TreeLoss::UnreadableWithCheckpoint];
        for loss in [None, Some(TreeLoss::Gone), Some(unreadable[0]), Some(unreadable[1]), Some(TreeLoss::SetBack(5))] {
            for again in 0..40 {
                let store = SimulatedStore::new(KEEPING, seeded(seed)).unwrap();
                commit_on(&store, 0);
                *lock_of(&store.process) = None;
                store.disk.cut(loss);
                store.cut_power_in(again);
                let opened = store.start();
                assert!(opened.is_ok() || opened == Err(StoreError::Stopped), "{opened:?}");
                store.restart(None).unwrap();
                assert_eq!(contents(&store), after(BATCHES), "seed {seed}, {loss:?}, cut in {again}");
            }
        }
    }
}

#[test]
fn a_stopped_store_answers_nothing_until_it_is_started_again() {
    let store = SimulatedStore::new(SMALL, seeded(1)).unwrap();
    store.commit(batch(0)).unwrap();
    store.cut_power_in(0);
    assert_eq!(store.commit(batch(1)), Err(StoreError::Stopped));
    assert!(store.is_stopped());
    assert_eq!(store.get(&[0]), Err(StoreError::Stopped));
    assert_eq!(store.barrier(), Err(StoreError::Stopped));
    store.restart(None).unwrap();
    assert!(store.get(&[0]).unwrap().is_some());
}

#[test]
fn a_copy_has_what_was_acknowledged_and_a_life_of_its_own() {
    let store = SimulatedStore::new(SMALL, seeded(1)).unwrap();
    commit_on(&store, 0);
    let copy = store.copy(seeded(2)).unwrap();
    assert_eq!(contents(&copy), after(BATCHES));
    let mut other = Batch::new();
    other.put(vec![99], vec![1]);
    copy.commit(other).unwrap();
    assert_eq!(store.get(&[99]), Ok(None));
}

#[test]
fn a_store_says_whether_it_was_mended() {
    let store = SimulatedStore::new(SMALL, seeded(1)).unwrap();
    commit_on(&store, 0);
    store.restart(None).unwrap();
    assert!(!store.is_mended());
    store.restart(Some(TreeLoss::Gone)).unwrap();
    assert!(store.is_mended());
}

#[cfg(feature = "seeded-bugs")]
#[test]
fn a_store_that_does_not_sync_and_one_that_takes_torn_frames_fail_the_same_cuts() {
    let plant: [fn(&SimulatedStore); 2] =
        [|store| store.set_bug_acknowledge_before_flush(true), |store| store.set_bug_takes_torn_frames(true)];
    for plant in plant {
        let fails = (0..12).flat_map(|seed| (0..60).map(move |first| (seed, first))).any(|(seed, first)| {
            let store = SimulatedStore::new(SMALL, seeded(seed)).unwrap();
            plant(&store);
            store.cut_power_in(first);
            let answered = commit_on(&store, 0);
            store.restart(None).is_err() || {
                let found = contents(&store);
                found != after(answered) && found != after((answered + 1).min(BATCHES))
            }
        });
        assert!(fails);
    }
}
