//! The durable store of phone and server: a [journal](super::journal) and one tree of sled 0.34.7 behind a [`Committer`].
//!
//! ```text
//! <folder>/lock        held while the store is open
//! <folder>/journal/    what was committed, in order: see `store::journal`
//! <folder>/tree/       sled
//! <folder>/ballast     room that can be given away when the disk is full
//! <folder>/tree.damaged-1 …    what did not open or was behind its journal, set aside for who wants to look; never deleted by us
//! ```
//!
//! A group of commits is written to the journal and synced, applied to the tree, synced there, and then answered. So the journal is never behind
//! the tree: at each opening the two are held against each other, a tree that lacks the last batches gets them, and one that is damaged, gone,
//! or older than its journal reaches is set aside and built anew ([`recover`]). A full disk is found before anything is written
//! ([`space`]): commits are refused until there is room, and nothing has to be opened again.

mod agreement;
mod lock;
mod recover;
mod space;
mod tree;

use std::fs::File;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::committer::{Committer, Engine, Writes};
use super::journal::frame::Mark;
use super::journal::{Found, Journal, checkpoint};
use super::{Entry, MOST_KEY, Plan, Read, Store, StoreError};
pub use recover::{Opening, Rebuilding, Verified};
use space::Space;
use tree::Tree;

/// The folders in a store's folder.
const TREE: &str = "tree";
const JOURNAL: &str = "journal";

/// The row that holds the mark of the last batch of the journal that the tree has, written with that batch. Longer than any key may be, and
/// behind all of them: no commit reaches it, and no range read shows it.
const MARK_KEY: [u8; MOST_KEY + 1] = [0xff; MOST_KEY + 1];

/// How a [`SledStore`] is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SledOptions {
    /// sled's cache in bytes. The process takes about 2.7 times this (measured). 8 MB on a phone, 64 to 256 MB on a server.
    pub cache_bytes: u64,
    /// After how many bytes of journal a checkpoint is made, or more where the last one was larger; beside the work that goes on.
    pub checkpoint_bytes: u64,
    /// With less room than this on the disk nothing is written any more.
    pub floor_bytes: u64,
}

impl Default for SledOptions {
    /// For a phone: 8 MB of cache, a checkpoint every 4 MB, 8 MB of room for sled to clean up in.
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, checkpoint_bytes: 4 << 20, floor_bytes: 8 << 20 }
    }
}

/// A store in a folder. Dropping it finishes what waits and closes the folder, so that it can be moved or opened again.
pub struct SledStore {
    // Before the engine: its thread must have ended when sled is closed.
    committer: Committer,
    checkpointing: Mutex<Option<JoinHandle<()>>>,
    engine: Arc<SledEngine>,
    opening: Opening,
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
        let recovered = recover::open(path, options, progress)?;
        let journal = Journal::begin(&path.join(JOURNAL), recovered.last)?;
        let engine = Arc::new(SledEngine {
            tree: recovered.tree,
            journal: Mutex::new(journal),
            applied: Mutex::new(recovered.last),
            checkpoints: Mutex::new(()),
            is_checkpointing: AtomicBool::new(false),
            options,
            space,
            path: path.to_owned(),
            #[cfg(feature = "seeded-bugs")]
            leaves_out_syncs: AtomicBool::new(false),
            _lock: lock,
        });
        if recovered.needs_checkpoint {
            engine.checkpoint()?;
        }
        let committer = Committer::start(Arc::clone(&engine))?;
        Ok(Self { committer, checkpointing: Mutex::default(), engine, opening: recovered.opening })
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
        recover::verify(&Found::look(if journal.is_dir() { &journal } else { folder })?)
    }

    /// Puts a backup into a new store's folder: opening it then builds the tree. What is put there is whole, or the error says why not.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where there is a store already, [`StoreError::Damaged`] when the backup is not whole, or when the disk refuses.
    pub fn restore(backup: &Path, folder: &Path) -> Result<Verified, StoreError> {
        if Self::is_in(folder) {
            return Err(StoreError::InUse);
        }
        recover::restore(backup, folder)
    }

    /// How the store was found when it was opened.
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Whether commits are taken: the error that they would be answered with.
    ///
    /// # Errors
    /// [`StoreError::Full`] while there is too little room, what stopped the store if something did.
    pub fn health(&self) -> Result<(), StoreError> {
        self.committer.health()?;
        self.engine.space.check()
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
        self.engine.backup(folder)
    }

    /// The deliberate bug that the power cuts must find: journal and tree are written and not synced by us.
    #[cfg(feature = "seeded-bugs")]
    pub fn set_bug_leaves_out_syncs(&self, on: bool) {
        self.engine.leaves_out_syncs.store(on, Ordering::SeqCst);
        lock_of(&self.engine.journal).set_bug_leaves_out_syncs(on);
    }

    /// Begins a checkpoint when it is time for one, on a thread of its own. One that fails is tried again after the next commit.
    fn checkpoint_if_due(&self) {
        if !self.engine.is_checkpoint_due() || self.engine.is_checkpointing.swap(true, Ordering::SeqCst) {
            return;
        }
        let engine = Arc::clone(&self.engine);
        let thread = std::thread::Builder::new().name("store-checkpoint".to_owned()).spawn(move || {
            let _ = engine.checkpoint();
            engine.is_checkpointing.store(false, Ordering::SeqCst);
        });
        match thread {
            Ok(thread) => *lock_of(&self.checkpointing) = Some(thread),
            Err(_) => self.engine.is_checkpointing.store(false, Ordering::SeqCst),
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
        let journal = Journal::size_on_disk(&self.engine.path.join(JOURNAL));
        Ok(self.engine.tree.size_on_disk()? + journal.map_err(|error| StoreError::from_io("measuring", &error))?)
    }
}

struct SledEngine {
    tree: Tree,
    journal: Mutex<Journal>,
    /// The last batch of the journal that the tree has.
    applied: Mutex<Mark>,
    /// Held while segments are read or removed: a backup and a checkpoint take turns.
    checkpoints: Mutex<()>,
    is_checkpointing: AtomicBool,
    options: SledOptions,
    space: Space,
    path: PathBuf,
    #[cfg(feature = "seeded-bugs")]
    leaves_out_syncs: AtomicBool,
    _lock: File,
}

/// What these locks guard is valid at every moment, so one that was poisoned is as good as any.
fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SledEngine {
    fn is_checkpoint_due(&self) -> bool {
        lock_of(&self.journal).is_checkpoint_due(self.options.checkpoint_bytes)
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        let _turn = lock_of(&self.checkpoints);
        // One that ran the disk full would refuse commits for as long as it is there. It is shorter than the tree.
        self.space.check_for(self.tree.size_on_disk()?)?;
        let before = lock_of(&self.journal).since_checkpoint();
        let at = *lock_of(&self.applied);
        let path = checkpoint::write(&self.path.join(JOURNAL), self, at)?;
        let mut journal = lock_of(&self.journal);
        let behind = journal.since_checkpoint().saturating_sub(before);
        journal.checkpointed(at, &path, behind)
    }

    fn backup(&self, folder: &Path) -> Result<Verified, StoreError> {
        let failed = |error: std::io::Error| StoreError::from_io("writing a backup", &error);
        let _turn = lock_of(&self.checkpoints);
        let at = *lock_of(&self.applied);
        checkpoint::write(folder, self, at)?;
        let until = *lock_of(&self.applied);
        Found::look(&self.path.join(JOURNAL))?.copy_segments(folder).map_err(failed)?;
        let written = recover::verify(&Found::look(folder)?)?;
        if written.last.sequence < until.sequence {
            return Err(StoreError::Damaged { what: "the backup lacks what was committed while it was made" });
        }
        Ok(written)
    }
}

impl Read for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.tree.get(key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let reaches_mark = match end {
            Bound::Unbounded => true,
            Bound::Included(key) | Bound::Excluded(key) => key > &MARK_KEY[..],
        };
        self.tree.range(start, if reaches_mark { Bound::Excluded(&MARK_KEY) } else { end }, limit)
    }
}

impl Engine for SledEngine {
    fn log(&self, writes: &mut Writes) -> Result<(), StoreError> {
        self.space.check()?;
        let mark = lock_of(&self.journal).append(writes)?;
        writes.insert(MARK_KEY.to_vec(), Some(mark.to_bytes().to_vec()));
        Ok(())
    }

    fn apply(&self, writes: Writes, visible: &dyn Fn()) -> Result<(), StoreError> {
        let mark = writes.get(&MARK_KEY[..]).and_then(|value| Mark::from_bytes(value.as_deref()?));
        self.tree.apply(writes, visible)?;
        if let Some(mark) = mark {
            *lock_of(&self.applied) = mark;
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        #[cfg(feature = "seeded-bugs")]
        if self.leaves_out_syncs.load(Ordering::SeqCst) {
            return self.tree.flush();
        }
        self.tree.sync()
    }
}

#[cfg(test)]
mod tests;
