//! The committer over an engine that waits and fails when it is told to.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;

/// An engine in memory. Each sync says that it began, and ends as it is told: no time passes here that a test does not hold in its hand.
struct Told {
    rows: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    applied: Mutex<Vec<Writes>>,
    fails_to_log: Mutex<Option<StoreError>>,
    fails_to_apply: Mutex<Option<StoreError>>,
    began: SyncSender<()>,
    ends: Mutex<Receiver<Result<(), StoreError>>>,
}

impl Read for Told {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.lock().unwrap().get(key).cloned())
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let rows = self.rows.lock().unwrap();
        Ok(rows.range::<[u8], _>((start, end)).take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

impl Engine for Told {
    fn log(&self, _: &mut Writes) -> Result<(), StoreError> {
        self.fails_to_log.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn apply(&self, writes: Writes, visible: &dyn Fn()) -> Result<(), StoreError> {
        visible();
        if let Some(error) = self.fails_to_apply.lock().unwrap().clone() {
            return Err(error);
        }
        for (key, value) in &writes {
            match value {
                Some(value) => drop(self.rows.lock().unwrap().insert(key.clone(), value.clone())),
                None => drop(self.rows.lock().unwrap().remove(key)),
            }
        }
        self.applied.lock().unwrap().push(writes);
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.began.send(()).unwrap();
        self.ends.lock().unwrap().recv().unwrap()
    }
}

/// A committer, its engine, and both ends of its syncs.
struct Scene {
    committer: Committer,
    engine: Arc<Told>,
    began: Receiver<()>,
    end: SyncSender<Result<(), StoreError>>,
}

fn scene() -> Scene {
    let (began, is_begun) = sync_channel(1_000);
    let (end, ends) = sync_channel(1_000);
    let engine = Arc::new(Told {
        rows: Mutex::default(),
        applied: Mutex::default(),
        fails_to_log: Mutex::default(),
        fails_to_apply: Mutex::default(),
        began,
        ends: Mutex::new(ends),
    });
    let committer = Committer::start(Arc::clone(&engine)).unwrap();
    Scene { committer, engine, began: is_begun, end }
}

fn put(key: &'static [u8]) -> Plan {
    Box::new(move |tx| {
        tx.put(key.to_vec(), vec![0; 4_000]);
        Ok(())
    })
}

impl Scene {
    /// Queues a plan as a caller on another thread does, and gives where its answer will come.
    fn queue(&self, plan: Plan) -> Receiver<Result<(), StoreError>> {
        let (answer, outcome) = sync_channel(1);
        self.committer.queue.as_ref().unwrap().send(Waiting { plan, answer }).unwrap();
        outcome
    }

    /// Begins a group that stays in its sync, so that whatever is queued next waits for the one after.
    fn hold(&self) -> Receiver<Result<(), StoreError>> {
        let held = self.queue(put(b"held"));
        self.began.recv().unwrap();
        held
    }

    fn groups(&self) -> Vec<usize> {
        self.engine.applied.lock().unwrap().iter().map(BTreeMap::len).collect()
    }
}

#[test]
fn nobody_is_answered_before_the_sync_ended() {
    let scene = scene();
    let held = scene.hold();
    assert!(scene.engine.get(b"held").unwrap().is_some(), "readers see it already");
    assert!(held.try_recv().is_err());
    scene.end.send(Ok(())).unwrap();
    assert_eq!(held.recv().unwrap(), Ok(()));
}

#[test]
fn those_who_wait_share_one_sync() {
    let scene = scene();
    let held = scene.hold();
    let waiting: Vec<_> = [&b"a"[..], b"b", b"c"].map(|key| scene.queue(put(key))).into();
    scene.end.send(Ok(())).unwrap();
    scene.end.send(Ok(())).unwrap();
    for answer in waiting {
        assert_eq!(answer.recv().unwrap(), Ok(()));
    }
    assert_eq!(held.recv().unwrap(), Ok(()));
    assert_eq!(scene.groups(), [1, 3]);
    assert_eq!(scene.began.try_iter().count(), 1, "one sync beside the one that was held");
}

#[test]
fn a_group_is_closed_by_its_number_of_transactions() {
    let scene = scene();
    let _held = scene.hold();
    let waiting: Vec<_> = (0..MOST_GROUP + 10)
        .map(|number| {
            scene.queue(Box::new(move |tx| {
                tx.put(number.to_be_bytes().to_vec(), vec![]);
                Ok(())
            }))
        })
        .collect();
    (0..3).for_each(|_| scene.end.send(Ok(())).unwrap());
    assert!(waiting.iter().all(|answer| answer.recv().unwrap().is_ok()));
    assert_eq!(scene.groups(), [1, MOST_GROUP, 10]);
}

#[test]
fn a_group_is_closed_by_its_bytes() {
    let scene = scene();
    let _held = scene.hold();
    let half = || -> Plan {
        Box::new(|tx| {
            for _ in 0..MOST_BATCH / 2 / 4_000 + 1 {
                tx.put(b"again".to_vec(), vec![0; 4_000]);
            }
            Ok(())
        })
    };
    let waiting: Vec<_> = [half(), half(), put(b"next")].map(|plan| scene.queue(plan)).into();
    (0..3).for_each(|_| scene.end.send(Ok(())).unwrap());
    assert!(waiting.iter().all(|answer| answer.recv().unwrap().is_ok()));
    let applied = scene.engine.applied.lock().unwrap();
    assert_eq!(applied.iter().map(|writes| writes.contains_key(&b"next"[..])).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn plans_of_a_group_see_those_before_them_and_nothing_of_those_that_failed() {
    let scene = scene();
    let _held = scene.hold();
    let earlier = scene.queue(put(b"a"));
    let failed = scene.queue(Box::new(|tx| {
        tx.delete(b"a".to_vec());
        tx.put(b"b".to_vec(), vec![]);
        Err(StoreError::Aborted)
    }));
    let (report, seen) = sync_channel(1);
    let later = scene.queue(Box::new(move |tx| {
        tx.delete(b"held".to_vec());
        let keys = tx.range(Bound::Unbounded, Bound::Unbounded, 9)?.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        report.send((keys, tx.get(b"a")?.is_some(), tx.get(b"b")?.is_some(), tx.get(b"held")?.is_some())).unwrap();
        Ok(())
    }));
    (0..2).for_each(|_| scene.end.send(Ok(())).unwrap());
    assert_eq!([earlier, failed, later].map(|answer| answer.recv().unwrap()), [Ok(()), Err(StoreError::Aborted), Ok(())]);
    assert_eq!(seen.recv().unwrap(), (vec![b"a".to_vec()], true, false, false));
    assert_eq!(scene.groups(), [1, 2], "a, and the delete of held");
}

#[test]
fn a_refusal_waits_until_what_it_saw_is_durable() {
    let scene = scene();
    let _held = scene.hold();
    let first = scene.queue(put(b"a"));
    let refused = scene.queue(Box::new(|tx| if tx.get(b"a")?.is_some() { Err(StoreError::Aborted) } else { Ok(()) }));
    scene.end.send(Ok(())).unwrap();
    scene.began.recv().unwrap();
    assert!(refused.try_recv().is_err(), "a is visible to it and not durable");
    scene.end.send(Err(StoreError::Full)).unwrap();
    assert_eq!(first.recv().unwrap(), Err(StoreError::Full));
    assert_eq!(refused.recv().unwrap(), Err(StoreError::Full), "what it refused for never came to be");
}

#[test]
fn a_plan_that_writes_nothing_needs_no_sync() {
    let scene = scene();
    assert_eq!(scene.committer.transact(Box::new(|_| Ok(()))), Ok(()));
    assert_eq!(scene.committer.transact(Box::new(|_| Err(StoreError::Aborted))), Err(StoreError::Aborted));
    assert!(scene.began.try_recv().is_err());
}

#[test]
fn after_a_failed_sync_nothing_is_accepted() {
    let scene = scene();
    let held = scene.hold();
    let failed = StoreError::Io { doing: "syncing", kind: std::io::ErrorKind::Other };
    scene.end.send(Err(failed.clone())).unwrap();
    assert_eq!(held.recv().unwrap(), Err(failed));
    assert_eq!(scene.committer.transact(put(b"a")), Err(StoreError::Stopped));
    assert_eq!(scene.committer.transact(Box::new(|_| panic!("a plan ran on a store that has stopped"))), Err(StoreError::Stopped));
    assert_eq!(scene.committer.barrier(), Err(StoreError::Stopped));
    assert_eq!(scene.groups(), [1]);
}

#[test]
fn a_full_disk_stays_the_reason() {
    let scene = scene();
    *scene.engine.fails_to_apply.lock().unwrap() = Some(StoreError::Full);
    assert_eq!(scene.committer.transact(put(b"a")), Err(StoreError::Full));
    *scene.engine.fails_to_apply.lock().unwrap() = None;
    assert_eq!(scene.committer.transact(put(b"a")), Err(StoreError::Full));
    assert_eq!(scene.committer.barrier(), Err(StoreError::Full));
    assert!(scene.groups().is_empty());
}

#[test]
fn a_barrier_waits_for_what_a_reader_could_see() {
    let scene = scene();
    scene.committer.barrier().unwrap();
    let _held = scene.hold();
    let (passed, has_passed) = sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(|| passed.send(scene.committer.barrier()).unwrap());
        assert!(has_passed.try_recv().is_err());
        scene.end.send(Ok(())).unwrap();
        assert_eq!(has_passed.recv().unwrap(), Ok(()));
    });
}

#[test]
fn a_barrier_fails_with_the_sync_that_it_waits_for() {
    let scene = scene();
    let _held = scene.hold();
    let (passed, has_passed) = sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(|| passed.send(scene.committer.barrier()).unwrap());
        scene.end.send(Err(StoreError::Full)).unwrap();
        assert_eq!(has_passed.recv().unwrap(), Err(StoreError::Full));
    });
}

#[test]
fn dropping_the_handle_finishes_what_waits() {
    let Scene { committer, engine, began, end } = scene();
    (0..2).for_each(|_| end.send(Ok(())).unwrap());
    let (answer, outcome) = sync_channel(1);
    committer.queue.as_ref().unwrap().send(Waiting { plan: put(b"a"), answer }).unwrap();
    drop(committer);
    assert_eq!(outcome.try_recv().unwrap(), Ok(()));
    assert_eq!(began.try_iter().count(), 1);
    assert!(engine.get(b"a").unwrap().is_some());
}

#[test]
fn a_full_disk_that_is_found_before_anything_is_written_refuses_and_the_store_goes_on() {
    let scene = scene();
    *scene.engine.fails_to_log.lock().unwrap() = Some(StoreError::Full);
    assert_eq!(scene.committer.transact(put(b"a")), Err(StoreError::Full));
    assert_eq!((scene.engine.get(b"a"), scene.committer.health()), (Ok(None), Ok(())));
    *scene.engine.fails_to_log.lock().unwrap() = None;
    scene.end.send(Ok(())).unwrap();
    assert_eq!(scene.committer.transact(put(b"a")), Ok(()));
}

#[test]
fn a_journal_that_fails_stops_the_store() {
    let scene = scene();
    *scene.engine.fails_to_log.lock().unwrap() = Some(StoreError::Io { doing: "writing the journal", kind: std::io::ErrorKind::Other });
    assert_eq!(scene.committer.transact(put(b"a")).unwrap_err().code(), "store.io");
    *scene.engine.fails_to_log.lock().unwrap() = None;
    assert_eq!(scene.committer.transact(put(b"a")), Err(StoreError::Stopped));
    assert_eq!(scene.committer.health(), Err(StoreError::Stopped));
}
