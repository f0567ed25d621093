//! Locks on documents: two pushes that touch the same document are judged one after the other, all others beside each other.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use doorstep_core::model::DocId;

/// How many locks there are; documents share them by a byte of their id. Enough that forty phones seldom wait for each other by chance.
const STRIPES: usize = 256;

/// The locks.
pub struct DocumentLocks(Vec<Mutex<()>>);

impl Default for DocumentLocks {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Mutex::new(())).collect())
    }
}

impl DocumentLocks {
    /// Locks all of these documents until the guards are dropped. Always in the same order, so that nobody waits in a circle.
    pub fn lock(&self, documents: impl IntoIterator<Item = DocId>) -> Vec<MutexGuard<'_, ()>> {
        let stripes: BTreeSet<usize> = documents.into_iter().map(|id| stripe(&id)).collect();
        stripes.into_iter().filter_map(|stripe| self.0.get(stripe)).map(super::lock).collect()
    }
}

/// The last byte of an id is random.
fn stripe(id: &DocId) -> usize {
    id.as_bytes().last().copied().map_or(0, usize::from) % STRIPES
}
