//! Random work on a store and on a plain map, with reopening in between: both must always hold and answer the same.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use crate::store::conformance::Subject;
use crate::store::{Batch, Entry, Read, StoreError, Transaction, transact_with};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;
type Write = (Vec<u8>, Option<Vec<u8>>);

#[derive(Debug, Clone)]
enum Work {
    Commit(Vec<Write>),
    /// Writes, a range read inside, and whether it is then given up.
    Plan(Vec<Write>, Bound<Vec<u8>>, Bound<Vec<u8>>, usize, bool),
    Get(Vec<u8>),
    Range(Bound<Vec<u8>>, Bound<Vec<u8>>, usize),
    Reopen,
}

/// Few and similar keys, so that work meets itself; lengths that differ, so that one key is the prefix of another.
fn key() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFE), Just(0xFF)], 0..5)
}

fn write() -> impl Strategy<Value = Write> {
    let value = prop_oneof![
        4 => (any::<u8>(), 0..40usize).prop_map(|(fill, length)| vec![fill; length]),
        1 => any::<u8>().prop_map(|fill| vec![fill; 4_096]),
    ];
    (key(), proptest::option::weighted(0.7, value))
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![key().prop_map(Bound::Included), key().prop_map(Bound::Excluded), Just(Bound::Unbounded)]
}

fn work() -> impl Strategy<Value = Work> {
    let writes = || proptest::collection::vec(write(), 1..12);
    prop_oneof![
        6 => writes().prop_map(Work::Commit),
        4 => (writes(), bound(), bound(), 0..20usize, any::<bool>()).prop_map(|(w, s, e, l, g)| Work::Plan(w, s, e, l, g)),
        2 => key().prop_map(Work::Get),
        2 => (bound(), bound(), 0..20usize).prop_map(|(s, e, l)| Work::Range(s, e, l)),
        1 => Just(Work::Reopen),
    ]
}

fn slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// The range of the model, found by looking at every entry.
fn expected(model: &Model, start: &Bound<Vec<u8>>, end: &Bound<Vec<u8>>, limit: usize) -> Vec<Entry> {
    let inside = |key: &Vec<u8>| {
        let after = match start {
            Bound::Included(low) => key >= low,
            Bound::Excluded(low) => key > low,
            Bound::Unbounded => true,
        };
        let before = match end {
            Bound::Included(high) => key <= high,
            Bound::Excluded(high) => key < high,
            Bound::Unbounded => true,
        };
        after && before
    };
    model.iter().filter(|(key, _)| inside(key)).take(limit).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn write_model(model: &mut Model, writes: &[Write]) {
    for (key, value) in writes {
        match value {
            Some(value) => drop(model.insert(key.clone(), value.clone())),
            None => drop(model.remove(key)),
        }
    }
}

fn batch(writes: Vec<Write>) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in writes {
        match value {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        }
    }
    batch
}

fn plan(
    tx: &mut dyn Transaction,
    writes: Vec<Write>,
    (start, end, limit): (Bound<Vec<u8>>, Bound<Vec<u8>>, usize),
    gives_up: bool,
) -> Result<Vec<Entry>, Result<Vec<Entry>, StoreError>> {
    tx.write(batch(writes));
    let seen = tx.range(slice(&start), slice(&end), limit).map_err(Err)?;
    if gives_up { Err(Ok(seen)) } else { Ok(seen) }
}

/// Does the work on both and compares every answer and, at the end and at each reopening, everything.
fn compare(subject: &dyn Subject, all: Vec<Work>) -> Result<(), TestCaseError> {
    let mut model = Model::new();
    let mut store = subject.open();
    for work in all.into_iter().chain([Work::Reopen]) {
        match work {
            Work::Commit(writes) => {
                write_model(&mut model, &writes);
                store.commit(batch(writes)).unwrap();
            }
            Work::Plan(writes, start, end, limit, gives_up) => {
                let mut after = model.clone();
                write_model(&mut after, &writes);
                let should_see = expected(&after, &start, &end, limit);
                let seen = transact_with(&store, move |tx| plan(tx, writes, (start, end, limit), gives_up)).unwrap();
                prop_assert_eq!(seen.is_err(), gives_up);
                prop_assert_eq!(seen.unwrap_or_else(Result::unwrap), should_see);
                if !gives_up {
                    model = after;
                }
            }
            Work::Get(key) => prop_assert_eq!(store.get(&key).unwrap(), model.get(&key).cloned()),
            Work::Range(start, end, limit) => {
                prop_assert_eq!(store.range(slice(&start), slice(&end), limit).unwrap(), expected(&model, &start, &end, limit));
            }
            Work::Reopen => {
                drop(store);
                store = subject.open();
                let all = store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap();
                prop_assert_eq!(all, model.clone().into_iter().collect::<Vec<_>>());
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn memory_does_what_a_plain_map_does(all in proptest::collection::vec(work(), 1..60)) {
        compare(&super::memory::Memory::default(), all)?;
    }
}

#[cfg(feature = "sled")]
proptest! {
    // Each case syncs a disk some dozens of times.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn sled_does_what_a_plain_map_does(all in proptest::collection::vec(work(), 1..60)) {
        compare(&super::sled::Folder::new(), all)?;
    }

    #[test]
    fn sled_under_a_seal_does_what_a_plain_map_does(all in proptest::collection::vec(work(), 1..60)) {
        compare(&super::sealed::Sealed::new(super::sled::Folder::new()), all)?;
    }
}
