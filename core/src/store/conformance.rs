//! One list of cases that every store passes: what is promised by [`Store`], tried from outside.
//!
//! A case is added in one place, here and in the list of `store_conformance!`. A case fails by panicking,
//! and its name says what it shows.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, Mutex, mpsc};

use super::chunks::{MOST_CHUNKED, delete_chunked, get_chunked, put_chunked, put_chunked_in};
use super::{Batch, Entry, MOST_KEY, MOST_ROW, MOST_TRANSACTION, MOST_VALUE, Read, Store, StoreError, transact_with};

/// A place where a store lives.
pub trait Subject {
    /// Opens the store as a process does that starts: whatever was not durable is gone. Earlier handles have been dropped.
    fn open(&self) -> Arc<dyn Store>;
}

/// Runs all cases as tests of the module it stands in; each gets a new [`Subject`](crate::store::conformance::Subject) from the expression.
#[macro_export]
macro_rules! store_conformance {
    ($subject:expr) => {
        $crate::store_conformance!(@ $subject;
            a_new_store_is_empty,
            a_batch_is_written_in_order_and_its_last_write_of_a_key_wins,
            a_batch_is_all_or_nothing,
            an_empty_batch_is_no_error,
            deleting_what_is_not_there_is_no_error,
            what_was_acknowledged_is_there_after_reopening,
            a_delete_stays_deleted_after_reopening,
            a_failed_plan_writes_nothing_and_gives_its_error,
            a_plan_that_panics_writes_nothing_and_the_store_goes_on,
            a_plan_sees_its_own_writes,
            a_plan_sees_earlier_plans,
            a_plan_runs_once,
            the_result_and_the_refusal_of_a_plan_reach_the_caller,
            a_range_is_ordered_and_keeps_to_its_bounds_and_limit,
            a_range_with_crossed_bounds_is_empty,
            a_scan_shows_a_prefix_over_many_pages_and_stops_when_told,
            keys_and_values_at_their_limits_are_kept_as_they_are,
            a_key_or_value_over_its_limit_is_refused_with_all_beside_it,
            a_transaction_over_its_limit_is_refused,
            chunked_values_come_back_whole_at_every_length,
            a_shorter_value_leaves_no_surplus_chunks,
            concurrent_commits_are_all_there_and_in_one_order,
            a_reader_sees_each_commit_whole,
            a_chunked_value_is_read_whole_while_it_is_rewritten,
            a_barrier_passes_when_nothing_is_under_way,
            what_was_seen_before_a_barrier_is_durable,
            a_store_that_grows_says_so
        );
    };
    (@ $subject:expr; $($case:ident),+) => { $( #[test] fn $case() { $crate::store::conformance::$case(&$subject) } )+ };
}

fn put(store: &dyn Store, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put(key.to_vec(), value.to_vec());
    store.commit(batch)
}

fn everything(store: &dyn Read) -> Vec<Entry> {
    store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap()
}

fn keys(entries: &[Entry]) -> Vec<&[u8]> {
    entries.iter().map(|(key, _)| key.as_slice()).collect()
}

/// A value in which every stretch differs from the others, so that a swapped chunk shows.
fn patterned(length: usize) -> Vec<u8> {
    (0..length).map(|at| ((at >> 8) ^ at).to_le_bytes()[0]).collect()
}

pub fn a_new_store_is_empty(subject: &dyn Subject) {
    let store = subject.open();
    assert_eq!(everything(&store), []);
    assert_eq!(store.get(b"k").unwrap(), None);
}

pub fn a_batch_is_written_in_order_and_its_last_write_of_a_key_wins(subject: &dyn Subject) {
    let store = subject.open();
    let mut batch = Batch::new();
    batch.put(b"a".to_vec(), b"1".to_vec());
    batch.put(b"b".to_vec(), b"1".to_vec());
    batch.put(b"a".to_vec(), b"2".to_vec());
    let mut rest = Batch::new();
    rest.delete(b"b".to_vec());
    rest.put(b"c".to_vec(), vec![]);
    batch.append(rest);
    assert_eq!((batch.len(), batch.bytes()), (5, 8));
    store.commit(batch).unwrap();
    assert_eq!(everything(&store), [(b"a".to_vec(), b"2".to_vec()), (b"c".to_vec(), vec![])]);
}

pub fn a_batch_is_all_or_nothing(subject: &dyn Subject) {
    let store = subject.open();
    put(&store, b"kept", b"old").unwrap();
    let mut batch = Batch::new();
    batch.put(b"kept".to_vec(), b"new".to_vec());
    batch.put(b"fine".to_vec(), b"v".to_vec());
    batch.put(b"wrong".to_vec(), vec![0; MOST_ROW + 1]);
    store.commit(batch).unwrap_err();
    assert_eq!(everything(&store), [(b"kept".to_vec(), b"old".to_vec())]);
}

pub fn an_empty_batch_is_no_error(subject: &dyn Subject) {
    subject.open().commit(Batch::new()).unwrap();
}

pub fn deleting_what_is_not_there_is_no_error(subject: &dyn Subject) {
    let store = subject.open();
    put(&store, b"a", b"1").unwrap();
    let mut batch = Batch::new();
    batch.delete(b"absent".to_vec());
    store.commit(batch).unwrap();
    assert_eq!(keys(&everything(&store)), [b"a"]);
}

pub fn what_was_acknowledged_is_there_after_reopening(subject: &dyn Subject) {
    for round in 0..3u8 {
        let store = subject.open();
        assert_eq!(everything(&store).len(), usize::from(round) * 50);
        for number in 0..50u8 {
            put(&store, &[round, number], &patterned(usize::from(number) * 80)).unwrap();
        }
    }
    let store = subject.open();
    for (key, value) in everything(&store) {
        assert_eq!(value, patterned(usize::from(key[1]) * 80));
    }
}

pub fn a_delete_stays_deleted_after_reopening(subject: &dyn Subject) {
    let store = subject.open();
    put(&store, b"a", b"1").unwrap();
    put(&store, b"b", b"1").unwrap();
    let mut batch = Batch::new();
    batch.delete(b"a".to_vec());
    store.commit(batch).unwrap();
    assert_eq!(store.get(b"a").unwrap(), None);
    drop(store);
    assert_eq!(keys(&everything(&subject.open())), [b"b"]);
}

pub fn a_failed_plan_writes_nothing_and_gives_its_error(subject: &dyn Subject) {
    let store = subject.open();
    put(&store, b"a", b"old").unwrap();
    let failed = store.transact(Box::new(|tx| {
        tx.put(b"a".to_vec(), b"new".to_vec());
        tx.put(b"b".to_vec(), b"new".to_vec());
        tx.delete(b"a".to_vec());
        Err(StoreError::Damaged { what: "as the plan says" })
    }));
    assert_eq!(failed, Err(StoreError::Damaged { what: "as the plan says" }));
    assert_eq!(everything(&store), [(b"a".to_vec(), b"old".to_vec())]);
    drop(store);
    assert_eq!(everything(&subject.open()), [(b"a".to_vec(), b"old".to_vec())]);
}

pub fn a_plan_that_panics_writes_nothing_and_the_store_goes_on(subject: &dyn Subject) {
    let store = subject.open();
    let failed = store.transact(Box::new(|tx| {
        tx.put(b"a".to_vec(), b"1".to_vec());
        panic!("as the case wants it");
    }));
    assert_eq!(failed, Err(StoreError::Panicked));
    put(&store, b"b", b"1").unwrap();
    assert_eq!(keys(&everything(&store)), [b"b"]);
}

pub fn a_plan_sees_its_own_writes(subject: &dyn Subject) {
    let store = subject.open();
    for key in [b"a", b"b", b"c", b"d"] {
        put(&store, key, b"old").unwrap();
    }
    let seen = transact_with(&store, |tx| -> Result<_, StoreError> {
        tx.delete(b"a".to_vec());
        tx.put(b"b".to_vec(), b"new".to_vec());
        tx.put(b"bb".to_vec(), b"new".to_vec());
        tx.delete(b"c".to_vec());
        assert_eq!(tx.get(b"a")?, None);
        assert_eq!(tx.get(b"b")?.as_deref(), Some(&b"new"[..]));
        assert_eq!(tx.get(b"d")?.as_deref(), Some(&b"old"[..]));
        let first = tx.range(Bound::Unbounded, Bound::Unbounded, 1)?;
        Ok((first, tx.range(Bound::Excluded(b"b"), Bound::Included(b"d"), 9)?))
    });
    let (first, rest) = seen.unwrap().unwrap();
    assert_eq!(first, [(b"b".to_vec(), b"new".to_vec())]);
    assert_eq!(rest, [(b"bb".to_vec(), b"new".to_vec()), (b"d".to_vec(), b"old".to_vec())]);
    assert_eq!(keys(&everything(&store)), [&b"b"[..], b"bb", b"d"]);
}

pub fn a_plan_sees_earlier_plans(subject: &dyn Subject) {
    let store = subject.open();
    for expected in 0..20u64 {
        let found = transact_with(&store, |tx| count_up(tx, b"counter")).unwrap().unwrap();
        assert_eq!(found, expected);
    }
}

/// Reads a counter, raises it, and gives what it read.
fn count_up(tx: &mut dyn super::Transaction, key: &[u8]) -> Result<u64, StoreError> {
    let found = tx.get(key)?.map_or(0, |value| u64::from_be_bytes(value.try_into().unwrap()));
    tx.put(key.to_vec(), (found + 1).to_be_bytes().to_vec());
    Ok(found)
}

pub fn a_plan_runs_once(subject: &dyn Subject) {
    let store = subject.open();
    let (ran, runs) = mpsc::channel();
    store
        .transact(Box::new(move |tx| {
            tx.put(b"a".to_vec(), b"1".to_vec());
            ran.send(()).unwrap();
            Ok(())
        }))
        .unwrap();
    assert_eq!(runs.iter().count(), 1);
}

pub fn the_result_and_the_refusal_of_a_plan_reach_the_caller(subject: &dyn Subject) {
    let store = subject.open();
    let kept: Result<u8, &str> = transact_with(&store, |tx| {
        tx.put(b"a".to_vec(), b"1".to_vec());
        Ok(7)
    })
    .unwrap();
    assert_eq!(kept, Ok(7));
    let refused: Result<u8, &str> = transact_with(&store, |tx| {
        tx.put(b"b".to_vec(), b"1".to_vec());
        Err("not today")
    })
    .unwrap();
    assert_eq!(refused, Err("not today"));
    let failed: Result<Result<u8, &str>, StoreError> = transact_with(&store, |tx| {
        tx.put(vec![0; MOST_KEY + 1], vec![]);
        Ok(7)
    });
    assert_eq!(failed.unwrap_err().code(), "store.too_big");
    assert_eq!(keys(&everything(&store)), [b"a"]);
}

pub fn a_range_is_ordered_and_keeps_to_its_bounds_and_limit(subject: &dyn Subject) {
    use Bound::{Excluded, Included, Unbounded};
    let store = subject.open();
    for key in [&b"b"[..], b"a", b"\xFF", b"ab", b"\x00", b"c", b"\xFF\xFF"] {
        put(&store, key, b"v").unwrap();
    }
    let read = |start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize| -> Vec<Vec<u8>> {
        store.range(start, end, limit).unwrap().into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(read(Unbounded, Unbounded, 99), [&b"\x00"[..], b"a", b"ab", b"b", b"c", b"\xFF", b"\xFF\xFF"]);
    assert_eq!(read(Included(b"a"), Included(b"b"), 99), [&b"a"[..], b"ab", b"b"]);
    assert_eq!(read(Excluded(b"a"), Excluded(b"b"), 99), [&b"ab"[..]]);
    assert_eq!(read(Included(b"aa"), Unbounded, 2), [&b"ab"[..], b"b"]);
    assert_eq!(read(Excluded(b"\xFF"), Unbounded, 99), [&b"\xFF\xFF"[..]]);
    assert_eq!(read(Unbounded, Excluded(b"a"), 99), [&b"\x00"[..]]);
    assert_eq!(read(Unbounded, Unbounded, 0), Vec::<Vec<u8>>::new());
}

pub fn a_range_with_crossed_bounds_is_empty(subject: &dyn Subject) {
    use Bound::{Excluded, Included};
    let store = subject.open();
    for key in [b"a", b"b", b"c"] {
        put(&store, key, b"v").unwrap();
    }
    let check = |read: &dyn Read| {
        for (start, end) in [
            (Included(&b"c"[..]), Included(&b"a"[..])),
            (Excluded(b"b"), Excluded(b"b")),
            (Included(b"b"), Excluded(b"b")),
            (Excluded(b"b"), Included(b"b")),
            (Excluded(b"c"), Excluded(b"a")),
        ] {
            assert_eq!(read.range(start, end, 9).unwrap(), [], "{start:?} to {end:?}");
        }
    };
    check(&store);
    transact_with(&store, move |tx| -> Result<(), StoreError> {
        tx.put(b"b".to_vec(), b"w".to_vec());
        check(&*tx);
        Ok(())
    })
    .unwrap()
    .unwrap();
}

pub fn a_scan_shows_a_prefix_over_many_pages_and_stops_when_told(subject: &dyn Subject) {
    let store = subject.open();
    let mut batch = Batch::new();
    for number in 0..1_024u16 {
        batch.put([&b"t\xFF"[..], &number.to_be_bytes()].concat(), number.to_be_bytes().to_vec());
    }
    for neighbour in [&b"t"[..], b"t\xFE\xFF", b"u", b"u\x00"] {
        batch.put(neighbour.to_vec(), vec![]);
    }
    store.commit(batch).unwrap();
    for most in [1, 255, 256, 257, 1_024, 2_000] {
        let mut seen = Vec::new();
        store
            .scan_prefix(b"t\xFF", &mut |key, value| {
                assert_eq!(key[2..], *value);
                seen.push(u16::from_be_bytes(value.try_into().unwrap()));
                if seen.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        assert_eq!(seen, (0..1_024).take(most).collect::<Vec<u16>>());
    }
}

pub fn keys_and_values_at_their_limits_are_kept_as_they_are(subject: &dyn Subject) {
    let store = subject.open();
    // More than sixteen neighbours, so that pages of the largest entries are split and merged.
    for number in 0..40u8 {
        put(&store, &[vec![7; MOST_KEY - 1], vec![number]].concat(), &vec![number; MOST_VALUE]).unwrap();
    }
    put(&store, b"", b"of the empty key").unwrap();
    put(&store, b"empty", b"").unwrap();
    drop(store);
    let entries = everything(&subject.open());
    assert_eq!(entries.len(), 42);
    assert_eq!(entries[0], (vec![], b"of the empty key".to_vec()));
    assert_eq!(entries[41], (b"empty".to_vec(), vec![]));
    for (number, (key, value)) in (0u8..).zip(&entries[1..41]) {
        assert_eq!((key.len(), key[MOST_KEY - 1]), (MOST_KEY, number));
        assert_eq!(*value, vec![number; MOST_VALUE]);
    }
}

pub fn a_key_or_value_over_its_limit_is_refused_with_all_beside_it(subject: &dyn Subject) {
    let store = subject.open();
    let refused = put(&store, &[1; MOST_KEY + 1], b"").unwrap_err();
    assert_eq!(refused, StoreError::TooBig { what: "key", size: MOST_KEY + 1, most: MOST_KEY });
    let refused = put(&store, b"k", &[1; MOST_ROW + 1]).unwrap_err();
    assert!(
        matches!(refused, StoreError::TooBig { what: "value", size, most } if size == MOST_ROW + 1 && (most == MOST_ROW || most == MOST_VALUE))
    );
    let refused = store.transact(Box::new(|tx| {
        tx.put(b"before".to_vec(), vec![]);
        tx.delete(vec![1; MOST_KEY + 1]);
        tx.put(b"after".to_vec(), vec![]);
        Ok(())
    }));
    assert_eq!(refused.unwrap_err().code(), "store.too_big");
    assert_eq!(everything(&store), []);
}

pub fn a_transaction_over_its_limit_is_refused(subject: &dyn Subject) {
    let store = subject.open();
    let mut batch = Batch::new();
    for number in 0..u32::try_from(MOST_TRANSACTION / MOST_VALUE).unwrap() {
        batch.put(number.to_be_bytes().to_vec(), vec![0; MOST_VALUE]);
    }
    assert!(batch.bytes() > MOST_TRANSACTION);
    assert!(matches!(store.commit(batch), Err(StoreError::TooBig { what: "transaction", most: MOST_TRANSACTION, .. })));
    assert_eq!(everything(&store), []);
}

pub fn chunked_values_come_back_whole_at_every_length(subject: &dyn Subject) {
    let store = subject.open();
    let lengths = [0, 1, 4_089, 4_090, 4_091, 4_096, 4_097, 8_186, 8_187, 100_000, 1 << 20, MOST_CHUNKED];
    for (number, length) in (0u8..).zip(lengths) {
        transact_with(&store, move |tx| put_chunked(tx, &[b'D', number], &patterned(length))).unwrap().unwrap();
    }
    drop(store);
    let store = subject.open();
    for (number, length) in (0u8..).zip(lengths) {
        assert!(get_chunked(&store, &[b'D', number]).unwrap() == Some(patterned(length)), "length {length}");
    }
    assert_eq!(get_chunked(&store, b"Dx").unwrap(), None);
}

pub fn a_shorter_value_leaves_no_surplus_chunks(subject: &dyn Subject) {
    let store = subject.open();
    for (length, rows) in [(50_000, 13), (20_000, 5), (10, 1), (30_000, 8)] {
        let mut batch = Batch::new();
        put_chunked_in(&mut batch, &store, b"Da", &patterned(length)).unwrap();
        store.commit(batch).unwrap();
        assert_eq!(everything(&store).len(), rows);
        assert_eq!(get_chunked(&store, b"Da").unwrap(), Some(patterned(length)));
    }
    transact_with(&store, |tx| {
        put_chunked(tx, b"Da", &patterned(90_000))?;
        delete_chunked(tx, b"Da")
    })
    .unwrap()
    .unwrap();
    assert_eq!(everything(&store), []);
}

pub fn concurrent_commits_are_all_there_and_in_one_order(subject: &dyn Subject) {
    const THREADS: u64 = 8;
    const EACH: u64 = 40;
    let store = subject.open();
    let given = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, given) = (&store, &given);
            scope.spawn(move || {
                let mut last = None;
                for own in 0..EACH {
                    let number = transact_with(store, move |tx| -> Result<u64, StoreError> {
                        let number = count_up(tx, b"counter")?;
                        tx.put([&b"n"[..], &number.to_be_bytes()].concat(), (thread * EACH + own).to_be_bytes().to_vec());
                        Ok(number)
                    });
                    let number = number.unwrap().unwrap();
                    assert!(Some(number) > last, "a later commit of a thread got an earlier number");
                    last = Some(number);
                    assert!(given.lock().unwrap().insert(number), "{number} was given twice");
                }
            });
        }
    });
    assert_eq!(given.into_inner().unwrap(), (0..THREADS * EACH).collect());
    drop(store);
    let store = subject.open();
    assert_eq!(store.get(b"counter").unwrap(), Some((THREADS * EACH).to_be_bytes().to_vec()));
    let mut rows = BTreeSet::new();
    store
        .scan_prefix(b"n", &mut |_, value| {
            rows.insert(u64::from_be_bytes(value.try_into().unwrap()));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(rows, (0..THREADS * EACH).collect());
}

pub fn a_reader_sees_each_commit_whole(subject: &dyn Subject) {
    let store = subject.open();
    let write = |round: u8| {
        let mut batch = Batch::new();
        for number in 0..200u8 {
            batch.put(vec![number], vec![round]);
        }
        store.commit(batch).unwrap();
    };
    write(0);
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let reader = &store;
        scope.spawn(move || {
            while is_done.try_recv() == Err(mpsc::TryRecvError::Empty) {
                let rounds: BTreeSet<Vec<u8>> = everything(reader).into_iter().map(|(_, value)| value).collect();
                assert_eq!(rounds.len(), 1, "a read saw two commits mixed");
            }
        });
        (1..60).for_each(write);
        drop(done);
    });
}

pub fn a_chunked_value_is_read_whole_while_it_is_rewritten(subject: &dyn Subject) {
    let store = subject.open();
    let write = |round: u8| transact_with(&store, move |tx| put_chunked(tx, b"Da", &vec![round; 30_000])).unwrap().unwrap();
    write(0);
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let reader = &store;
        scope.spawn(move || {
            while is_done.try_recv() == Err(mpsc::TryRecvError::Empty) {
                let value = get_chunked(reader, b"Da").unwrap().unwrap();
                assert_eq!((value.len(), value.iter().filter(|byte| **byte != value[0]).count()), (30_000, 0));
            }
        });
        (1..60).for_each(write);
        drop(done);
    });
}

pub fn a_barrier_passes_when_nothing_is_under_way(subject: &dyn Subject) {
    let store = subject.open();
    store.barrier().unwrap();
    put(&store, b"a", b"1").unwrap();
    store.barrier().unwrap();
    store.transact(Box::new(|_| Err(StoreError::Aborted))).unwrap_err();
    store.barrier().unwrap();
}

pub fn what_was_seen_before_a_barrier_is_durable(subject: &dyn Subject) {
    let store = subject.open();
    let seen = std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..50u8).try_for_each(|number| put(&store, &[number], b"v")));
        let mut seen = 0;
        while !writer.is_finished() {
            seen = everything(&store).len();
            store.barrier().unwrap();
        }
        writer.join().unwrap().unwrap();
        seen
    });
    drop(store);
    assert!(everything(&subject.open()).len() >= seen);
}

pub fn a_store_that_grows_says_so(subject: &dyn Subject) {
    let store = subject.open();
    let before = store.size_on_disk().unwrap();
    let mut batch = Batch::new();
    for number in 0..1_000u32 {
        batch.put(number.to_be_bytes().to_vec(), vec![1; 1_000]);
    }
    store.commit(batch).unwrap();
    assert!(store.size_on_disk().unwrap() >= before + 1_000_000);
}
