//! The durable store of phone and server: a [journal](super::journal) and one tree of sled 0.34.7 behind a [`Committer`].
//!
//! ```text
//! <folder>/lock        held while the store is open
//! <folder>/journal/    what was committed, in order: see `store::journal`
//! <folder>/tree/       sled
//! <folder>/roots/      the keys above what can be forgotten: see `store::vault`
//! <folder>/ballast     room that can be given away when the disk is full
//! <folder>/tree.damaged-1 …    what did not open or was behind its journal, set aside for who wants to look; never deleted by us
//! ```
//!
//! How the two are held together is said in [`journaled`](super::journaled); the folder is locked while it is open. A full disk is found before
//! anything is written ([`space`]): commits are refused until there is room, and nothing has to be opened again.

mod home;
mod lock;
mod space;
mod tree;

use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::committer::Committer;
use super::journal::folder::DiskFolder;
use super::journal::{Found, SEGMENT_BYTES};
use super::journaled::recover::{self, Opening, Rebuilding, Verified};
use super::journaled::{Journaled, Sizes, lock_of};
use super::{Entry, Plan, Read, Store, StoreError};
use home::{JOURNAL, SledHome, TREE};
use space::Space;

/// How a [`SledStore`] is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SledOptions {
    /// sled's cache in bytes. The process takes about 2.7 times this (measured). 8 MB on a phone, 64 to 256 MB on a server.
    pub cache_bytes: u64,
    /// After how many bytes of journal a checkpoint is made, or more where the last one was larger; beside the work that goes on.
    pub checkpoint_bytes: u64,
    /// How long checkpoints and segments of the journal are kept behind the checkpoint that replaced them, by the times of their files; while
    /// the disk is full they are given up first. Nothing is kept if zero.
    pub keep: Duration,
    /// With less room than this on the disk nothing is written any more.
    pub floor_bytes: u64,
}

impl Default for SledOptions {
    /// For a phone: 8 MB of cache, a checkpoint every 4 MB and nothing behind it, 8 MB of room for sled to clean up in.
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, checkpoint_bytes: 4 << 20, keep: Duration::ZERO, floor_bytes: 8 << 20 }
    }
}

/// A store in a folder. Dropping it finishes what waits and closes the folder, so that it can be moved or opened again.
pub struct SledStore {
    // Before the engine: its thread must have ended when sled is closed.
    committer: Committer,
    checkpointing: Mutex<Option<JoinHandle<()>>>,
    is_checkpointing: Arc<AtomicBool>,
    engine: Arc<Journaled<SledHome>>,
}

impl SledStore {
    /// Opens the store in a folder, or makes one; builds it anew from its journal where it must. `InUse` where another handle has it,
    /// `Damaged` where neither tree nor journal can be read; it never panics.
    pub fn open(path: &Path, options: SledOptions) -> Result<Self, StoreError> {
        Self::open_with(path, options, &mut |_| {})
    }

    /// [`SledStore::open`] that tells `progress` how far a rebuilding is, if there must be one.
    pub fn open_with(path: &Path, options: SledOptions, progress: &mut dyn FnMut(Rebuilding)) -> Result<Self, StoreError> {
        lock::make_folder(path).map_err(|error| StoreError::from_io("making the folder", &error))?;
        let lock = lock::take_lock(path)?;
        let space = Space::new(path, options.floor_bytes);
        space.make_room_to_open()?;
        let home = SledHome { path: path.to_owned(), cache_bytes: options.cache_bytes, space, _lock: lock };
        let sizes = Sizes { checkpoint_bytes: options.checkpoint_bytes, segment_bytes: SEGMENT_BYTES, keep: options.keep };
        let engine = Arc::new(Journaled::open(home, sizes, progress)?);
        let committer = Committer::start(Arc::clone(&engine))?;
        Ok(Self { committer, checkpointing: Mutex::default(), is_checkpointing: Arc::default(), engine })
    }

    /// Whether a folder holds a store, or what is left of one.
    pub fn is_in(folder: &Path) -> bool {
        [TREE, JOURNAL].iter().any(|name| folder.join(name).is_dir())
    }

    /// Looks whether the journal in a store's folder, or a backup, is whole, and what it holds. Reads all of it; changes nothing, and needs
    /// no lock.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is not, or when the disk refuses.
    pub fn verify(folder: &Path) -> Result<Verified, StoreError> {
        let journal = folder.join(JOURNAL);
        let found = Found::look(DiskFolder::at(if journal.is_dir() { &journal } else { folder }))?;
        if found.broken.is_empty() { recover::verify(&found) } else { Err(StoreError::Damaged { what: "a checkpoint is not whole" }) }
    }

    /// Puts a backup into a new store's folder: opening it then builds the tree. What is put there is whole, or the error says why not.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where there is a store already, [`StoreError::Damaged`] when the backup is not whole, or when the disk refuses.
    pub fn restore(backup: &Path, folder: &Path) -> Result<Verified, StoreError> {
        if Self::is_in(folder) {
            return Err(StoreError::InUse);
        }
        home::restore(backup, folder)
    }

    /// How the store was found when it was opened.
    pub fn opening(&self) -> &Opening {
        self.engine.opening()
    }

    /// Whether commits are taken: the error that they would be answered with.
    ///
    /// # Errors
    /// [`StoreError::Full`] while there is too little room, what stopped the store if something did.
    pub fn health(&self) -> Result<(), StoreError> {
        self.committer.health()?;
        self.engine.home().space.check()
    }

    /// Makes a checkpoint now. Costs a scan of the store; commits go on meanwhile.
    ///
    /// # Errors
    /// When store or disk fail.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.engine.checkpoint()
    }

    /// Writes a backup into an empty folder: a checkpoint, and the segments of the journal behind it up to now. Read again and checked before
    /// this returns. Commits go on meanwhile.
    ///
    /// # Errors
    /// When store or disk fail, or what was written is not whole.
    pub fn backup(&self, folder: &Path) -> Result<Verified, StoreError> {
        self.engine.backup(DiskFolder::at(folder))
    }

    /// The deliberate bug that the power cuts must find: journal and tree are written and not synced by us.
    #[cfg(feature = "seeded-bugs")]
    pub fn set_bug_leaves_out_syncs(&self, on: bool) {
        self.engine.set_bug_leaves_out_syncs(on);
    }

    /// Begins a checkpoint when it is time for one, on a thread of its own. One that fails is tried again after the next commit.
    fn checkpoint_if_due(&self) {
        if !self.engine.is_checkpoint_due() || self.is_checkpointing.swap(true, Ordering::SeqCst) {
            return;
        }
        let (engine, is_checkpointing) = (Arc::clone(&self.engine), Arc::clone(&self.is_checkpointing));
        let thread = std::thread::Builder::new().name("store-checkpoint".to_owned()).spawn(move || {
            let _ = engine.checkpoint();
            is_checkpointing.store(false, Ordering::SeqCst);
        });
        match thread {
            Ok(thread) => *lock_of(&self.checkpointing) = Some(thread),
            Err(_) => self.is_checkpointing.store(false, Ordering::SeqCst),
        }
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        if let Some(thread) = lock_of(&self.checkpointing).take() {
            // Whatever it came to, the next opening finds what there is.
            let _ = thread.join();
        }
    }
}

impl Read for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.get(key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.engine.range(start, end, limit)
    }
}

impl Store for SledStore {
    fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        self.committer.transact(plan)?;
        self.checkpoint_if_due();
        Ok(())
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.committer.barrier()
    }

    /// Tree and journal. Asks the file system, reads no data.
    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.engine.size_on_disk()
    }

    fn roots(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.roots()
    }

    fn set_roots(&self, roots: &[u8]) -> Result<(), StoreError> {
        self.engine.set_roots(roots)
    }

    fn is_mended(&self) -> bool {
        self.engine.opening().is_mended()
    }
}

#[cfg(test)]
mod tests;
