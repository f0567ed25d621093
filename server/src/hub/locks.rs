//! Locks on documents: two pushes that touch the same document are judged one after the other, all others beside each other.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use doorstep_core::model::DocId;

/// How many locks there are; documents share them by two bytes of their id. A push holds the locks of all its documents until it is durable, so
/// with few locks all wait in one long row: of 256, two pushes of twenty documents would share one in four of five cases, and a third
/// of the processor stood idle. Of these they do in one of 160. They take half a megabyte.
const STRIPES: usize = 1 << 16;

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

/// The last bytes of an id are random.
fn stripe(id: &DocId) -> usize {
    id.as_bytes().last_chunk().copied().map_or(0, u16::from_be_bytes).into()
}

#[cfg(test)]
mod tests {
    use doorstep_core::model::Millis;

    use super::*;
    use crate::system::SystemEntropy;

    /// With few locks everybody waits for everybody, and nothing but a processor that stands idle says so.
    #[test]
    fn pushes_of_other_documents_seldom_share_a_lock() {
        let documents: Vec<DocId> = (0..1_000).map(|_| DocId::make(Millis(0), &mut SystemEntropy)).collect();
        let stripes: BTreeSet<usize> = documents.iter().map(stripe).collect();
        // Some 8 of a thousand meet; of 256 locks 744 and more would.
        assert!(stripes.len() > 950, "{} locks for {} documents", stripes.len(), documents.len());
    }
}
