//! A tree in memory: a sorted map that can take back what was not synced, and stand where it stood some syncs ago.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use super::disk::Disk;
use crate::store::journal::Rows as Writes;
use crate::store::journaled::home::Tree;
use crate::store::{StoreError, Visit};

/// How many syncs a tree can be set back.
const MOST_BACK: usize = 24;

/// Where a tree stands on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Placed,
    Begun,
}

/// What undoes some writes, the latest last.
type Undo = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The rows of a tree with what undoes the latest writes.
#[derive(Clone, Default)]
pub(super) struct Rows {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    unsynced: Undo,
    synced: VecDeque<Undo>,
}

impl Rows {
    fn apply(&mut self, writes: Writes) {
        for (key, value) in writes {
            let before = match value {
                Some(value) => self.rows.insert(key.clone(), value),
                None => self.rows.remove(&key),
            };
            self.unsynced.push((key, before));
        }
    }

    /// All that was applied is synced.
    pub(super) fn settle(&mut self) {
        if !self.unsynced.is_empty() {
            self.synced.push_back(std::mem::take(&mut self.unsynced));
        }
        if self.synced.len() > MOST_BACK {
            self.synced.pop_front();
        }
    }

    /// What was not synced is gone.
    pub(super) fn roll_back(&mut self) {
        let undo = std::mem::take(&mut self.unsynced);
        self.undo(undo);
    }

    /// The last syncs are gone as well.
    pub(super) fn set_back(&mut self, syncs: usize) {
        for _ in 0..syncs {
            let Some(undo) = self.synced.pop_back() else { return };
            self.undo(undo);
        }
    }

    fn undo(&mut self, undo: Undo) {
        for (key, before) in undo.into_iter().rev() {
            match before {
                Some(before) => self.rows.insert(key, before),
                None => self.rows.remove(&key),
            };
        }
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, visit: &mut Visit<'_>) {
        let crossed = match (start, end) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
            _ => false,
        };
        // `BTreeMap::range` panics where bounds cross.
        let range = (!crossed).then(|| self.rows.range::<[u8], _>((start, end)));
        let _ = range.into_iter().flatten().try_for_each(|(key, value)| visit(key, value));
    }
}

/// A tree that is open.
pub(super) struct MemoryTree {
    pub disk: Disk,
    pub slot: Slot,
}

impl MemoryTree {
    fn read<T>(&self, read: impl FnOnce(&Rows) -> T) -> Result<T, StoreError> {
        self.disk.state().contents.trees.get(&self.slot).map(read).ok_or(StoreError::Stopped)
    }

    fn step(&self, doing: &'static str, perform: impl FnOnce(&mut Rows)) -> Result<(), StoreError> {
        let done = self.disk.state().step(|contents| {
            if let Some(rows) = contents.trees.get_mut(&self.slot) {
                perform(rows);
            }
        });
        done.map_err(|error| StoreError::from_io(doing, &error))
    }
}

impl Tree for MemoryTree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|rows| rows.rows.get(key).cloned())
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.read(|rows| rows.scan(start, end, visit))
    }

    fn apply(&self, writes: Writes, visible: &dyn Fn()) -> Result<(), StoreError> {
        visible();
        self.step("writing", |rows| rows.apply(writes))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.step("syncing", Rows::settle)
    }

    #[cfg(feature = "seeded-bugs")]
    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.read(|rows| rows.rows.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum())
    }
}
