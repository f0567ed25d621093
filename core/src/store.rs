//! The key-value store under phone and server.
//!
//! Promise: what [`Store::transact`] answered with `Ok` is on the disk and stays there after a power cut; what it answered with an error
//! is wholly there or not at all. Commits have one order, plans run in it, and a reader sees each commit whole.
//!
//! How it is kept: in [`SledStore`] one committer thread takes plans one after the other, writes what they wrote into the [`journal`] as one
//! batch, applies it and makes it durable before it answers. A store that is found damaged is built anew from its journal. `SimulatedStore` runs the same
//! code over a disk in memory, whose power a simulation may cut in any write. [`MemoryStore`] keeps the promise in the plainest way, for tests. All run the same list of cases, `store_conformance!`.
//!
//! [`SealedStore`] lays a seal over any of them, so that a phone's disk tells nothing to who has not its key. A [`Vault`] keeps rows that can be
//! forgotten for good, which no ordinary row can.
//!
//! Keys and values are small, because sled stops being safe where they are not. What is larger goes through [`chunks`]; what a value
//! means begins in [`row`]. Left to others: the layout of tables (a first byte that each room gives its tables), and when to make a backup.

pub mod chunks;
pub mod row;
pub mod sealed;
pub mod vault;

mod batch;
mod error;
mod limits;
mod memory;
mod undo;

#[cfg(feature = "sled")]
mod committer;
#[cfg(feature = "sled")]
pub mod journal;
#[cfg(feature = "sled")]
mod journaled;
#[cfg(feature = "sled")]
mod roots;
#[cfg(all(feature = "sled", any(test, feature = "simulated")))]
mod simulated;
#[cfg(feature = "sled")]
mod sled;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(test)]
mod tests;

use std::ops::{Bound, ControlFlow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};

pub use batch::Batch;
pub use error::StoreError;
pub use limits::{MOST_BATCH, MOST_KEY, MOST_ROW, MOST_TRANSACTION, MOST_VALUE};
pub use memory::{CrashKind, MemoryStore};
pub use sealed::{SealedStore, StoreKey};
pub use vault::Vault;

#[cfg(feature = "sled")]
pub use self::journaled::recover::{Opening, Rebuilding, Verified};
#[cfg(all(feature = "sled", any(test, feature = "simulated")))]
pub use self::simulated::{Numbers, SimulatedOptions, SimulatedStore, TreeLoss};
#[cfg(feature = "sled")]
pub use self::sled::{SledOptions, SledStore};

/// A key and its value, as range reads give them.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Is shown keys and values, and may break off.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// How many entries [`Read::scan_prefix`] holds at a time: with the largest values a page is 1 MiB, with common rows some tens of kB.
const SCAN_PAGE: usize = 256;

/// Reads of a store, or of a transaction.
pub trait Read {
    /// The value of a key. One read of memory or disk; fails with what the disk says, or `Stopped`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The entries between two bounds in key order, at most `limit`: one consistent view, no commit is seen by half. Bounds that leave
    /// nothing between them give no entries. Holds up commits for as long as it reads, so ask for pages where there may be much.
    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Shows every entry whose key begins with `prefix`, in key order, until `visit` breaks. Reads in pages, so memory stays small; what is
    /// committed between two pages is seen or not.
    fn scan_prefix(&self, prefix: &[u8], visit: &mut Visit) -> Result<(), StoreError> {
        let end = prefix_end(prefix);
        let mut start = Bound::Included(prefix.to_vec());
        loop {
            let page = self.range(start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice), SCAN_PAGE)?;
            for (key, value) in &page {
                if visit(key, value).is_break() {
                    return Ok(());
                }
            }
            match page.into_iter().nth(SCAN_PAGE - 1) {
                Some((last, _)) => start = Bound::Excluded(last),
                None => return Ok(()),
            }
        }
    }
}

/// What a plan may do: read everything that was committed before it, also what is applied and not yet durable, and write.
///
/// Reads see the earlier writes of the same plan. A key or value over the limits makes the whole transaction fail with `TooBig`.
pub trait Transaction: Read {
    /// Writes a value, over the earlier one if there is one.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>);

    /// Removes a key. Removing what is not there is no error.
    fn delete(&mut self, key: Vec<u8>);

    /// Takes over all that a batch holds, in its order.
    fn write(&mut self, batch: Batch) {
        for (key, value) in batch {
            match value {
                Some(value) => self.put(key, value),
                None => self.delete(key),
            }
        }
    }
}

/// A step in the order of commits: it decides on what it reads there. See [`Store::transact`].
pub type Plan = Box<dyn FnOnce(&mut dyn Transaction) -> Result<(), StoreError> + Send>;

/// A durable, ordered key-value store.
pub trait Store: Read + Send + Sync {
    /// Runs `plan` in the order of commits, writes what it put, and returns when that is durable. Costs a sync of the disk, which is
    /// shared with others who wait at the same time.
    ///
    /// If the plan fails, nothing of it is written and its error is returned; other plans are not affected. A plan runs at most once: not
    /// at all where the store does not accept work. It runs on the committer's thread, so it must be short, and it must use nothing of the
    /// store but the transaction: another call of the store from inside a plan waits for ever.
    ///
    /// After any error but the plan's own the outcome is open: a store that is opened again may hold the commit. So commits are made to be
    /// repeated without harm.
    fn transact(&self, plan: Plan) -> Result<(), StoreError>;

    /// Writes a batch, whole or not at all, and returns when it is durable. Costs what [`Store::transact`] costs; an empty batch is free.
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.transact(Box::new(move |transaction| {
            transaction.write(batch);
            Ok(())
        }))
    }

    /// Returns when everything that a reader could have seen by now is durable. A reader sees a commit before it is durable; whoever
    /// publishes what it read calls this first. Free when nothing is under way, else waits for at most one sync. Fails when what was seen
    /// will not become durable.
    fn barrier(&self) -> Result<(), StoreError>;

    /// Bytes that the store takes on its disk.
    fn size_on_disk(&self) -> Result<u64, StoreError>;

    /// The store's roots, if any were set: a few bytes beside its rows, of which only the present ones exist. For the [`Vault`]. One read of a
    /// small file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where they cannot be read any more, or what the disk says.
    fn roots(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets the roots, durably; of those before nothing is left in the store's files when this returns. Some syncs of the disk.
    ///
    /// # Errors
    /// What the disk says: the roots are then the old ones or the new ones.
    fn set_roots(&self, roots: &[u8]) -> Result<(), StoreError>;

    /// Whether it was mended when it was opened: what it then held is right, but perhaps not the last that was ever seen of it.
    fn is_mended(&self) -> bool {
        false
    }
}

impl<S: Read + ?Sized> Read for &S {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        (**self).range(start, end, limit)
    }
}

impl<S: Read + ?Sized> Read for &mut S {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        (**self).range(start, end, limit)
    }
}

impl<S: Read + ?Sized> Read for Arc<S> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        (**self).range(start, end, limit)
    }
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        (**self).transact(plan)
    }

    fn barrier(&self) -> Result<(), StoreError> {
        (**self).barrier()
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        (**self).size_on_disk()
    }

    fn roots(&self) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).roots()
    }

    fn set_roots(&self, roots: &[u8]) -> Result<(), StoreError> {
        (**self).set_roots(roots)
    }

    fn is_mended(&self) -> bool {
        (**self).is_mended()
    }
}

/// [`Store::transact`] for a plan with a result and an error of its own.
///
/// `Ok(Ok(value))`: committed and durable. `Ok(Err(error))`: the plan refused, nothing is written. `Err(_)`: the store failed, and what
/// the plan answered is dropped with it.
pub fn transact_with<T, E>(
    store: &dyn Store,
    plan: impl FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
) -> Result<Result<T, E>, StoreError>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let (answer, outcome) = mpsc::sync_channel(1);
    let committed = store.transact(Box::new(move |transaction| {
        let result = plan(transaction);
        let end = if result.is_ok() { Ok(()) } else { Err(StoreError::Aborted) };
        // Nobody can have gone away: the caller waits for this plan.
        let _ = answer.send(result);
        end
    }));
    match committed {
        Ok(()) | Err(StoreError::Aborted) => outcome.try_recv().map_err(|_| StoreError::Aborted),
        Err(error) => Err(error),
    }
}

/// The bound right behind all keys that begin with `prefix`.
pub fn prefix_end(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

/// Runs a plan behind a fence: one that panics fails, and neither the committer nor the plans beside it go down with it.
fn run(plan: Plan, transaction: &mut dyn Transaction) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| plan(transaction))).unwrap_or(Err(StoreError::Panicked))
}
