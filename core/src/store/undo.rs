//! A sorted map that can take back its latest changes: how a failed plan, and a power cut in memory, leave no trace.

use std::collections::BTreeMap;
use std::ops::Bound;

/// A sorted map with the list of what undoes its changes, the latest last.
#[derive(Clone)]
pub(super) struct UndoMap<V> {
    rows: BTreeMap<Vec<u8>, V>,
    undo: Vec<(Vec<u8>, Option<V>)>,
}

/// A moment in the life of an [`UndoMap`], to go back to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(usize);

impl<V> UndoMap<V> {
    pub(super) fn new() -> Self {
        Self { rows: BTreeMap::new(), undo: Vec::new() }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&V> {
        self.rows.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, &V)> {
        self.rows.iter()
    }

    /// The entries between two bounds, none where the bounds cross (`BTreeMap::range` panics there).
    pub(super) fn range<'a>(&'a self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> impl Iterator<Item = (&'a Vec<u8>, &'a V)> {
        let crossed = match (start, end) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
            _ => false,
        };
        (!crossed).then(|| self.rows.range::<[u8], _>((start, end))).into_iter().flatten()
    }

    /// Sets or removes a row and notes how to undo it. Removing what is not there is no change.
    pub(super) fn set(&mut self, key: Vec<u8>, value: Option<V>) {
        let before = match value {
            Some(value) => self.rows.insert(key.clone(), value),
            None => match self.rows.remove(&key) {
                None => return,
                before => before,
            },
        };
        self.undo.push((key, before));
    }

    /// This moment.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.undo.len())
    }

    /// Takes back every change after `mark`, or since the last [`UndoMap::settle`] if that came later.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        while self.undo.len() > mark.0 {
            match self.undo.pop() {
                Some((key, Some(before))) => drop(self.rows.insert(key, before)),
                Some((key, None)) => drop(self.rows.remove(&key)),
                None => return,
            }
        }
    }

    /// Takes back every change since the last [`UndoMap::settle`].
    pub(super) fn roll_back_all(&mut self) {
        self.roll_back(Mark(0));
    }

    /// Makes all changes so far final.
    pub(super) fn settle(&mut self) {
        self.undo.clear();
    }

    /// The rows, without a way back.
    #[cfg(feature = "sled")]
    pub(super) fn into_rows(self) -> BTreeMap<Vec<u8>, V> {
        self.rows
    }
}
