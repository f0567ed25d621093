//! A store whose disk is in memory and may lose power in the middle of any write: what the simulation runs on.
//!
//! Journal, replay, checkpoints, recovery and the committer's groups are those of [`SledStore`](super::SledStore); only [`disk`] stands in for
//! the file system and [`tree`] for sled. What a cut does to what was not synced is drawn from the numbers that the disk was made with, so a run
//! with the same calls ends the same. Nothing here waits, reads a clock or begins a thread.

mod disk;
mod tree;

use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::committer::Inline;
use super::journaled::recover::Opening;
use super::journaled::{Journaled, Sizes, lock_of};
use super::{Entry, Plan, Read, Store, StoreError};
use disk::Disk;
pub use disk::TreeLoss;

/// Where a disk draws from: numbers out of a seed.
pub type Numbers = Box<dyn FnMut() -> u64 + Send>;

/// How a simulated store closes its files: smaller than on a disk, so that a run sees many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatedOptions {
    /// After how many bytes of journal a checkpoint is made, or more where the last one was larger.
    pub checkpoint_bytes: u64,
    /// After how many bytes a segment of the journal is followed by the next.
    pub segment_bytes: u64,
    /// How long checkpoints and segments are kept behind the checkpoint that replaced them. The disk's clock goes on by a second with each
    /// operation.
    pub keep: Duration,
}

impl Default for SimulatedOptions {
    fn default() -> Self {
        Self { checkpoint_bytes: 64 << 10, segment_bytes: 16 << 10, keep: Duration::ZERO }
    }
}

/// A store over a disk in memory. Share it with an `Arc`: it stays the same store through power cuts.
pub struct SimulatedStore {
    disk: Disk,
    options: SimulatedOptions,
    process: Mutex<Option<Process>>,
    #[cfg(feature = "seeded-bugs")]
    acknowledges_before_flush: std::sync::atomic::AtomicBool,
}

/// What is gone when the power goes.
struct Process {
    engine: Arc<Journaled<Disk>>,
    committer: Inline<Journaled<Disk>>,
}

impl SimulatedStore {
    /// An empty disk with a store on it.
    ///
    /// # Errors
    /// When the store does not open, which on an empty disk it does.
    pub fn new(options: SimulatedOptions, numbers: Numbers) -> Result<Self, StoreError> {
        Self::over(Disk::new(numbers), options)
    }

    fn over(disk: Disk, options: SimulatedOptions) -> Result<Self, StoreError> {
        let store = Self {
            disk,
            options,
            process: Mutex::new(None),
            #[cfg(feature = "seeded-bugs")]
            acknowledges_before_flush: std::sync::atomic::AtomicBool::new(false),
        };
        store.start()?;
        Ok(store)
    }

    /// Arms a power cut in the operation of the disk after the next so many: a write, a sync, a new name. What was asked of it is done in part, or
    /// wholly and not answered. From then on everything answers `Stopped`, until [`SimulatedStore::restart`]. Arming again replaces what
    /// was armed.
    pub fn cut_power_in(&self, operations: u64) {
        self.disk.arm(Some(operations));
    }

    /// Disarms what was armed.
    pub fn disarm(&self) {
        self.disk.arm(None);
    }

    /// Starts again after a power cut, or cuts the power now and starts again. What was not synced is gone, or a part of it; `loss` is what
    /// befell the tree besides. The store is opened as at every start, and mended where it must. A cut that is armed while it starts goes off in it.
    ///
    /// # Errors
    /// As [`SledStore::open`](super::SledStore::open); [`StoreError::Stopped`] where the power went again.
    pub fn restart(&self, loss: Option<TreeLoss>) -> Result<Opening, StoreError> {
        *lock_of(&self.process) = None;
        self.disk.cut(loss);
        self.start()
    }

    fn start(&self) -> Result<Opening, StoreError> {
        let sizes =
            Sizes { checkpoint_bytes: self.options.checkpoint_bytes, segment_bytes: self.options.segment_bytes, keep: self.options.keep };
        let opened = Journaled::open(self.disk.clone(), sizes, &mut |_| {});
        let engine = Arc::new(opened.map_err(|error| if self.disk.is_off() { StoreError::Stopped } else { error })?);
        #[cfg(feature = "seeded-bugs")]
        engine.set_bug_leaves_out_syncs(self.acknowledges_before_flush.load(std::sync::atomic::Ordering::SeqCst));
        let opening = engine.opening().clone();
        *lock_of(&self.process) = Some(Process { committer: Inline::new(Arc::clone(&engine)), engine });
        Ok(opening)
    }

    /// Whether the power went and [`SimulatedStore::restart`] is due.
    pub fn is_stopped(&self) -> bool {
        self.disk.is_off()
    }

    /// A store of its own on a copy of this one's disk, as a cut at this moment would leave it: a backup, a clone. `numbers` are the copy's.
    ///
    /// # Errors
    /// When the copy does not open.
    pub fn copy(&self, numbers: Numbers) -> Result<Self, StoreError> {
        Self::over(self.disk.copy(numbers), self.options)
    }

    /// The deliberate bug that the simulation must find: commits are answered without a sync of journal and tree.
    #[cfg(feature = "seeded-bugs")]
    pub fn set_bug_acknowledge_before_flush(&self, on: bool) {
        self.acknowledges_before_flush.store(on, std::sync::atomic::Ordering::SeqCst);
        if let Some(process) = &*lock_of(&self.process) {
            process.engine.set_bug_leaves_out_syncs(on);
        }
    }

    /// The deliberate bug that the simulation must find: what a cut left of a frame of the journal is taken for a batch.
    #[cfg(feature = "seeded-bugs")]
    pub fn set_bug_takes_torn_frames(&self, on: bool) {
        self.disk.set_bug_takes_torn_frames(on);
    }

    /// Asks the process, while it runs: with the power all answers end.
    fn ask<T>(&self, question: impl FnOnce(&Process) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let process = lock_of(&self.process);
        let answer = process.as_ref().ok_or(StoreError::Stopped).and_then(question);
        if self.disk.is_off() { Err(StoreError::Stopped) } else { answer }
    }
}

impl Read for SimulatedStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|process| process.engine.get(key))
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.ask(|process| process.engine.range(start, end, limit))
    }
}

impl Store for SimulatedStore {
    fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        self.ask(|process| {
            process.committer.transact(plan)?;
            if process.engine.is_checkpoint_due() {
                // As in a folder: one that fails is tried again after the next commit.
                let _ = process.engine.checkpoint();
            }
            Ok(())
        })
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.ask(|_| Ok(()))
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.ask(|process| process.engine.size_on_disk())
    }

    fn roots(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|process| process.engine.roots())
    }

    fn set_roots(&self, roots: &[u8]) -> Result<(), StoreError> {
        self.ask(|process| process.engine.set_roots(roots))
    }

    fn is_mended(&self) -> bool {
        lock_of(&self.process).as_ref().is_some_and(|process| process.engine.opening().is_mended())
    }
}

#[cfg(test)]
pub(super) mod tests;
