//! A store in memory that can lose power: what the simulation runs on.
//!
//! It keeps the promise of every store, and does what a power cut does: at [`MemoryStore::restart`] all that was not flushed is gone. Where
//! the cut comes is armed beforehand, so a run with the same calls ends the same. Nothing here waits or reads a clock.

use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::limits::Scale;
use super::undo::UndoMap;
use super::{Entry, Plan, Read, Store, StoreError, Transaction, run};

/// Where in a commit the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// The plan ran, nothing was applied.
    BeforeApply,
    /// It was applied, and is lost with all that was not flushed.
    AppliedNotFlushed,
    /// It was flushed and will be there, and the caller never learns it.
    FlushedNotAnswered,
}

/// A store in memory. Share it with an `Arc`; a copy of its contents is [`MemoryStore::copy`].
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

/// The rows as a reader sees them; what their map can undo is the part that is not flushed.
struct State {
    rows: UndoMap<Vec<u8>>,
    roots: Option<Vec<u8>>,
    armed: Option<(u64, CrashKind)>,
    stopped: bool,
    #[cfg(feature = "seeded-bugs")]
    acknowledges_before_flush: bool,
}

impl Default for State {
    fn default() -> Self {
        Self::with_rows(UndoMap::new())
    }
}

impl State {
    fn with_rows(rows: UndoMap<Vec<u8>>) -> Self {
        Self {
            rows,
            roots: None,
            armed: None,
            stopped: false,
            #[cfg(feature = "seeded-bugs")]
            acknowledges_before_flush: false,
        }
    }

    fn running(&self) -> Result<(), StoreError> {
        if self.stopped { Err(StoreError::Stopped) } else { Ok(()) }
    }

    /// Counts a commit that writes something, and says whether the power goes in it.
    fn crash_due(&mut self) -> Option<CrashKind> {
        let (left, kind) = self.armed.take()?;
        if left == 0 {
            return Some(kind);
        }
        self.armed = Some((left - 1, kind));
        None
    }

    fn flush_commit(&mut self) {
        #[cfg(feature = "seeded-bugs")]
        if self.acknowledges_before_flush {
            return;
        }
        self.rows.settle();
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Arms a power cut in the commit after the next `commits_from_now` ones (0: in the next). Only commits that change something are
    /// counted. From then on everything answers `Stopped`, until [`MemoryStore::restart`]. Arming again replaces what was armed.
    pub fn crash_at(&self, commits_from_now: u64, kind: CrashKind) {
        self.lock().armed = Some((commits_from_now, kind));
    }

    /// Starts again after a power cut, or cuts the power now and starts again: what was not flushed is gone, what was armed is disarmed.
    pub fn restart(&self) {
        let mut state = self.lock();
        state.rows.roll_back_all();
        state.armed = None;
        state.stopped = false;
    }

    /// Whether the power went and [`MemoryStore::restart`] is due.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Makes everything durable that was applied. Nothing to do but where commits are answered early (`seeded-bugs`).
    pub fn flush(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.running()?;
        state.rows.settle();
        Ok(())
    }

    /// A store of its own with the durable rows of this one, also of a stopped one: a backup that is restored, a phone that is cloned.
    /// Costs a copy of all rows.
    pub fn copy(&self) -> Self {
        let state = self.lock();
        let mut rows = state.rows.clone();
        rows.roll_back_all();
        Self { state: Mutex::new(State { roots: state.roots.clone(), ..State::with_rows(rows) }) }
    }

    /// The deliberate bug that the simulation must find: commits (and barriers) are answered without a flush, and lost at the next restart
    /// unless [`MemoryStore::flush`] came before.
    #[cfg(feature = "seeded-bugs")]
    pub fn set_bug_acknowledge_before_flush(&self, on: bool) {
        self.lock().acknowledges_before_flush = on;
    }

    /// Every change is undone or complete when a lock is let go, so one that was poisoned is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.lock();
        state.running()?;
        Ok(state.rows.get(key).cloned())
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let state = self.lock();
        state.running()?;
        Ok(entries(&state.rows, start, end, limit))
    }
}

impl Store for MemoryStore {
    fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.running()?;
        let before = state.rows.mark();
        let mut transaction = MemoryTransaction { rows: &mut state.rows, scale: Scale::default() };
        let outcome = run(plan, &mut transaction);
        let weighed = transaction.scale.weigh();
        if let Err(error) = outcome.and(weighed) {
            state.rows.roll_back(before);
            return Err(error);
        }
        if state.rows.mark() == before {
            return Ok(());
        }
        let crash = state.crash_due();
        match crash {
            Some(CrashKind::BeforeApply) => state.rows.roll_back(before),
            Some(CrashKind::AppliedNotFlushed) => {}
            Some(CrashKind::FlushedNotAnswered) | None => state.flush_commit(),
        }
        state.stopped = crash.is_some();
        state.running()
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.lock().running()
    }

    /// Bytes of all keys and values. Goes through all of them.
    fn size_on_disk(&self) -> Result<u64, StoreError> {
        let state = self.lock();
        state.running()?;
        let bytes: usize = state.rows.iter().map(|(key, value)| key.len() + value.len()).sum();
        Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    fn roots(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.lock();
        state.running()?;
        Ok(state.roots.clone())
    }

    fn set_roots(&self, roots: &[u8]) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.running()?;
        state.roots = Some(roots.to_vec());
        Ok(())
    }
}

fn entries(rows: &UndoMap<Vec<u8>>, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Vec<Entry> {
    rows.range(start, end).take(limit).map(|(key, value)| (key.clone(), value.clone())).collect()
}

struct MemoryTransaction<'a> {
    rows: &'a mut UndoMap<Vec<u8>>,
    scale: Scale,
}

impl Read for MemoryTransaction<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(entries(self.rows, start, end, limit))
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        if self.scale.admits(&key, &value) {
            self.rows.set(key, Some(value));
        }
    }

    fn delete(&mut self, key: Vec<u8>) {
        if self.scale.admits(&key, &[]) {
            self.rows.set(key, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Batch;

    fn put(store: &MemoryStore, key: &[u8]) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.put(key.to_vec(), b"value".to_vec());
        store.commit(batch)
    }

    fn holds(store: &MemoryStore, key: &[u8]) -> bool {
        store.get(key).unwrap().is_some()
    }

    #[test]
    fn a_crash_comes_in_the_commit_that_was_armed_and_stops_everything() {
        let store = MemoryStore::new();
        store.crash_at(2, CrashKind::BeforeApply);
        put(&store, b"a").unwrap();
        store.commit(Batch::new()).unwrap(); // writes nothing, so it is not counted
        store.transact(Box::new(|_| Err(StoreError::Aborted))).unwrap_err(); // neither is this
        put(&store, b"b").unwrap();
        assert_eq!(put(&store, b"c"), Err(StoreError::Stopped));
        assert!(store.is_stopped());
        assert_eq!(store.get(b"a"), Err(StoreError::Stopped));
        assert_eq!(store.barrier(), Err(StoreError::Stopped));
        assert_eq!(put(&store, b"d"), Err(StoreError::Stopped));
        store.restart();
        assert_eq!([b"a", b"b", b"c", b"d"].map(|key| holds(&store, key)), [true, true, false, false]);
        put(&store, b"c").unwrap();
    }

    #[test]
    fn what_was_not_flushed_at_a_crash_is_gone_and_what_was_is_there() {
        for (kind, survives) in
            [(CrashKind::BeforeApply, false), (CrashKind::AppliedNotFlushed, false), (CrashKind::FlushedNotAnswered, true)]
        {
            let store = MemoryStore::new();
            put(&store, b"earlier").unwrap();
            store.crash_at(0, kind);
            assert_eq!(put(&store, b"k"), Err(StoreError::Stopped), "{kind:?}");
            store.restart();
            assert!(holds(&store, b"earlier"));
            assert_eq!(holds(&store, b"k"), survives, "{kind:?}");
        }
    }

    #[test]
    fn a_restart_disarms() {
        let store = MemoryStore::new();
        store.crash_at(0, CrashKind::BeforeApply);
        store.restart();
        put(&store, b"a").unwrap();
    }

    #[test]
    fn a_copy_has_the_durable_rows_and_a_life_of_its_own() {
        let store = MemoryStore::new();
        put(&store, b"a").unwrap();
        store.crash_at(0, CrashKind::AppliedNotFlushed);
        put(&store, b"b").unwrap_err();
        let copy = store.copy();
        assert_eq!([b"a", b"b"].map(|key| holds(&copy, key)), [true, false]);
        put(&copy, b"c").unwrap();
        store.restart();
        assert!(!holds(&store, b"c"));
    }

    #[cfg(feature = "seeded-bugs")]
    #[test]
    fn the_seeded_bug_loses_what_was_acknowledged_unless_it_was_flushed_later() {
        let store = MemoryStore::new();
        store.set_bug_acknowledge_before_flush(true);
        put(&store, b"a").unwrap();
        store.flush().unwrap();
        put(&store, b"b").unwrap();
        store.barrier().unwrap();
        assert!(holds(&store, b"b"));
        assert!(!holds(&store.copy(), b"b"));
        store.restart();
        assert_eq!([b"a", b"b"].map(|key| holds(&store, key)), [true, false]);
    }
}
