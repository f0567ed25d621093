//! What every durable store is made of: a [journal](super::journal) and a tree, held together.
//!
//! A group of commits is written to the journal and synced, applied to the tree, synced there, and then answered. So the journal is never behind
//! the tree: at each opening the two are held against each other, a tree that lacks the last batches gets them, and one that is damaged, gone,
//! or older than its journal reaches is set aside and built anew ([`recover`]).
//!
//! What the tree is and where both lie is said by a [`Home`]: sled in a folder of the disk, or memory that can lose power, over which a
//! simulation runs this same code. Left to others: threads and locks.

mod agreement;
pub(super) mod home;
pub(super) mod recover;

use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::committer::{Engine, Writes};
use super::journal::folder::Folder;
use super::journal::frame::Mark;
use super::journal::{self, Found, Journal, checkpoint};
use super::{Entry, MOST_KEY, Read, StoreError, roots};
use home::{Home, Tree};
use recover::{Opening, Rebuilding, Verified};

/// The row that holds the mark of the last batch of the journal that the tree has, written with that batch. Longer than any key may be, and
/// behind all of them: no commit reaches it, and no range read shows it.
const MARK_KEY: [u8; MOST_KEY + 1] = [0xff; MOST_KEY + 1];

/// When the journal's files are closed, and when they go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// After how many bytes of journal a checkpoint is due, or more where the last one was larger.
    pub checkpoint_bytes: u64,
    /// After how many bytes a segment is followed by the next.
    pub segment_bytes: u64,
    /// How long checkpoints and segments are kept behind the one that replaced them: see [`journal`](super::journal).
    pub keep: Duration,
}

/// Journal and tree, open.
pub(super) struct Journaled<H: Home> {
    // Before the home: a tree is closed before its folder is let go.
    pub(super) tree: H::Tree,
    journal: Mutex<Journal>,
    /// The last batch of the journal that the tree has.
    applied: Mutex<Mark>,
    /// Held while segments are read or removed: a backup and a checkpoint take turns.
    checkpoints: Mutex<()>,
    checkpoint_bytes: u64,
    keep: Duration,
    opening: Opening,
    #[cfg(feature = "seeded-bugs")]
    leaves_out_syncs: std::sync::atomic::AtomicBool,
    home: H,
}

/// What these locks guard is valid at every moment, so one that was poisoned is as good as any.
pub(super) fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<H: Home> Journaled<H> {
    /// Opens what is in a home, mends it where it must, and tells `progress` how far a rebuilding is.
    pub(super) fn open(home: H, sizes: Sizes, progress: &mut dyn FnMut(Rebuilding)) -> Result<Self, StoreError> {
        roots::heal(&*home.roots())?;
        let recovered = recover::open(&home, progress)?;
        let journal = Journal::begin(home.journal(), recovered.last, sizes.segment_bytes)?;
        let store = Self {
            tree: recovered.tree,
            journal: Mutex::new(journal),
            applied: Mutex::new(recovered.last),
            checkpoints: Mutex::new(()),
            checkpoint_bytes: sizes.checkpoint_bytes,
            keep: sizes.keep,
            opening: recovered.opening,
            #[cfg(feature = "seeded-bugs")]
            leaves_out_syncs: std::sync::atomic::AtomicBool::new(false),
            home,
        };
        if recovered.needs_checkpoint {
            store.checkpoint()?;
        }
        Ok(store)
    }

    /// How it was found.
    pub(super) const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Where it lies.
    pub(super) const fn home(&self) -> &H {
        &self.home
    }

    pub(super) fn is_checkpoint_due(&self) -> bool {
        lock_of(&self.journal).is_checkpoint_due(self.checkpoint_bytes)
    }

    /// Makes a checkpoint now. Costs a scan of the store; commits go on meanwhile.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let _turn = lock_of(&self.checkpoints);
        // One that ran the disk full would refuse commits for as long as it is there. It is shorter than the tree.
        let size = self.tree.size_on_disk()?;
        self.home.check_room(size).or_else(|error| self.make_room(error, size))?;
        let before = lock_of(&self.journal).since_checkpoint();
        let at = *lock_of(&self.applied);
        let name = checkpoint::write(&*self.home.journal(), self, at)?;
        let mut journal = lock_of(&self.journal);
        let behind = journal.since_checkpoint().saturating_sub(before);
        journal.checkpointed(&name, behind, self.keep)
    }

    /// After the answer that there is no room for so many bytes: gives up what is only kept, and asks again. To be called with the turn of
    /// checkpoints and backups.
    fn make_room(&self, error: StoreError, bytes: u64) -> Result<(), StoreError> {
        // What cannot be given up, because the disk refuses or the last checkpoint is broken, leaves the disk as full as it was.
        let is_freed = error == StoreError::Full && journal::free(&*self.home.journal()).unwrap_or(false);
        if is_freed { self.home.check_room(bytes) } else { Err(error) }
    }

    /// Writes a checkpoint and the segments behind it into an empty folder, and reads them again.
    pub(super) fn backup(&self, to: std::sync::Arc<dyn Folder>) -> Result<Verified, StoreError> {
        let failed = |error: std::io::Error| StoreError::from_io("writing a backup", &error);
        let _turn = lock_of(&self.checkpoints);
        let at = *lock_of(&self.applied);
        roots::copy(&*self.home.roots(), &*to)?;
        checkpoint::write(&*to, self, at)?;
        let until = *lock_of(&self.applied);
        Found::look(self.home.journal())?.copy_segments(&*to, at.sequence).map_err(failed)?;
        let written = recover::verify(&Found::look(to)?)?;
        if written.last.sequence < until.sequence {
            return Err(StoreError::Damaged { what: "the backup lacks what was committed while it was made" });
        }
        Ok(written)
    }

    /// The roots, if any were set.
    pub(super) fn roots(&self) -> Result<Option<Vec<u8>>, StoreError> {
        roots::read(&*self.home.roots())
    }

    /// Sets the roots. To be called by one at a time.
    pub(super) fn set_roots(&self, bytes: &[u8]) -> Result<(), StoreError> {
        roots::write(&*self.home.roots(), bytes)
    }

    /// Tree and journal, in bytes. Asks the file system, reads no data.
    pub(super) fn size_on_disk(&self) -> Result<u64, StoreError> {
        let journal = Journal::size_on_disk(&*self.home.journal());
        Ok(self.tree.size_on_disk()? + journal.map_err(|error| StoreError::from_io("measuring", &error))?)
    }

    /// The deliberate bug that the power cuts must find: journal and tree are written and not synced by us.
    #[cfg(feature = "seeded-bugs")]
    pub(super) fn set_bug_leaves_out_syncs(&self, on: bool) {
        self.leaves_out_syncs.store(on, std::sync::atomic::Ordering::SeqCst);
        lock_of(&self.journal).set_bug_leaves_out_syncs(on);
    }
}

impl<H: Home> Read for Journaled<H> {
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

impl<H: Home> Engine for Journaled<H> {
    fn log(&self, writes: &mut Writes) -> Result<(), StoreError> {
        if let Err(error) = self.home.check_room(0) {
            // While a checkpoint or a backup is made, what is kept is in use.
            let _turn = self.checkpoints.try_lock().map_err(|_| error.clone())?;
            self.make_room(error, 0)?;
        }
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
        if self.leaves_out_syncs.load(std::sync::atomic::Ordering::SeqCst) {
            return self.tree.flush();
        }
        self.tree.sync()
    }
}
