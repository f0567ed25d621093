//! The durable store of phone and server: one tree of sled 0.34.7 behind a [`Committer`].
//!
//! sled alone does not keep its word on Linux: its `flush` writes and does not sync. So a commit is answered after `flush` **and** a sync
//! of `<folder>/db`, sled's one file of data, through a descriptor of our own (a sync is per file, not per descriptor). Power cuts were tried
//! against this on a block device: 180 of 180 kept all that was acknowledged, without it most lost something or did not open. The rest of
//! what sled must not be trusted with is kept from it: values above 4 kB (never synced), its compression (slow opening), its
//! flusher thread (swallows errors), a cache of its own choice (1 GB), a folder that two processes open, and a panic that nobody catches.
//!
//! Left to others: the mark outside of sled that tells an emptied store from a new one, the room kept free for a full disk, and setting a
//! damaged folder aside.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::committer::{Committer, Engine, Writes};
use super::{Entry, Plan, Read, Store, StoreError};

/// sled's file of data in its folder.
const DATA: &str = "db";

/// Our own lock in the folder. sled locks `db` only on desktop systems, and says so in words; it lets go of it late.
const LOCK: &str = "lock";

/// How often, and how long apart, a lock is tried that may be about to be let go: half a second in all. sled's last background work after a
/// close takes some milliseconds; a child process holds a copied descriptor between fork and exec.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// How a [`SledStore`] is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SledOptions {
    /// sled's cache in bytes. The process takes about 2.7 times this (measured). 8 MB on a phone, 64 to 256 MB on a server.
    pub cache_bytes: u64,
}

impl Default for SledOptions {
    /// For a phone.
    fn default() -> Self {
        Self { cache_bytes: 8 << 20 }
    }
}

/// A store in a folder. Dropping it finishes what waits and closes the folder, so that it can be moved or opened again.
pub struct SledStore {
    // Before the engine: its thread must have ended when sled is closed.
    committer: Committer,
    engine: Arc<SledEngine>,
}

impl SledStore {
    /// Opens the store in a folder, or makes one. Reads sled's snapshot and the tail of its log: some milliseconds for a phone's store, a
    /// quarter of a second for 200 MB. `InUse` where another handle has it, `Damaged` where sled cannot read it; it never panics.
    pub fn open(path: &Path, options: SledOptions) -> Result<Self, StoreError> {
        make_folder(path).map_err(|error| StoreError::from_io("making the folder", &error))?;
        let lock = take_lock(path)?;
        remove_half_written_snapshots(path).map_err(|error| StoreError::from_io("reading the folder", &error))?;
        let db = open_sled(path, options)?;
        let data = sync_folder(path).map_err(|error| StoreError::from_io("syncing the folder", &error))?;
        let engine = Arc::new(SledEngine { tree: Some(db), data, view: RwLock::new(Readable::Whole), _lock: lock });
        Ok(Self { committer: Committer::start(Arc::clone(&engine))?, engine })
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
        self.committer.transact(plan)
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.committer.barrier()
    }

    /// sled's file and whatever stands beside it. Asks the file system, reads no data.
    fn size_on_disk(&self) -> Result<u64, StoreError> {
        let db = self.engine.db()?;
        fenced(|| db.size_on_disk().map_err(|error| from_sled("measuring", &error)))
    }
}

/// Whether readers may look. After an apply that failed in the middle the tree may hold half a batch, and nobody may see that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readable {
    Whole,
    Torn,
}

struct SledEngine {
    /// Empty only while it is being dropped.
    tree: Option<sled::Db>,
    /// Our own descriptor of sled's file of data.
    data: File,
    /// sled applies a batch row by row before the eyes of a range read; this makes it one step.
    view: RwLock<Readable>,
    _lock: File,
}

impl SledEngine {
    fn db(&self) -> Result<&sled::Db, StoreError> {
        self.tree.as_ref().ok_or(StoreError::Stopped)
    }

    /// Reads while no batch is being applied.
    fn read<T>(&self, read: impl FnOnce(&sled::Db) -> Result<T, sled::Error>) -> Result<T, StoreError> {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        if *view == Readable::Torn {
            return Err(StoreError::Stopped);
        }
        let db = self.db()?;
        fenced(|| read(db).map_err(|error| from_sled("reading", &error)))
    }
}

impl Read for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|db| Ok(db.get(key)?.map(|value| value.to_vec())))
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(|db| {
            let entries = db.range::<&[u8], _>((start, end)).take(limit);
            entries.map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
        })
    }
}

impl Engine for SledEngine {
    fn apply(&self, writes: Writes, visible: &dyn Fn()) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let db = self.db()?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        visible();
        *view = Readable::Torn;
        fenced(|| db.apply_batch(batch).map_err(|error| from_sled("writing", &error)))?;
        *view = Readable::Whole;
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let db = self.db()?;
        fenced(|| db.flush().map_err(|error| from_sled("flushing", &error)))?;
        self.data.sync_all().map_err(|error| StoreError::from_io("syncing", &error))
    }
}

impl Drop for SledEngine {
    /// Closes sled and waits until its background work has let go of the file: it has no call that says so, but its lock does.
    fn drop(&mut self) {
        let db = self.tree.take();
        // A panic of sled on the way out has nobody to go to, and everything acknowledged is synced.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
        let _ = try_for_a_while(&self.data);
    }
}

/// Makes the folder if it is not there, and makes its entry in the folder above durable.
fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    fs::create_dir_all(path)?;
    for made in missing.into_iter().chain([path]) {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match File::open(above).and_then(|folder| folder.sync_all()) {
            // A folder that we may not open is older than ours, and its system's business.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

fn take_lock(path: &Path) -> Result<File, StoreError> {
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.join(LOCK));
    let lock = lock.map_err(|error| StoreError::from_io("opening the lock", &error))?;
    match try_for_a_while(&lock) {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        // A system without such locks: there, an app's own folder has one process.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(lock),
        Err(TryLockError::Error(error)) => Err(StoreError::from_io("locking", &error)),
    }
}

fn try_for_a_while(file: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            other => return other,
        }
    }
    file.try_lock()
}

/// sled writes a snapshot as `snap.<lsn>.generating` and then renames it, but takes a half-written one for real when it opens, and fails
/// for ever. One that bears this name was never finished.
fn remove_half_written_snapshots(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Opens sled on a thread of its own: on a damaged file it may panic, and then only that thread ends.
fn open_sled(path: &Path, options: SledOptions) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new().path(path).cache_capacity(options.cache_bytes).flush_every_ms(None).use_compression(false);
    let opening = std::thread::Builder::new()
        .name("store-open".to_owned())
        .spawn(move || fenced(|| config.open().map_err(|error| from_sled("opening", &error))))
        .map_err(|error| StoreError::from_io("starting to open", &error))?;
    opening.join().unwrap_or(Err(StoreError::Damaged { what: "the engine panicked while it opened" }))
}

/// Makes durable that the folder and its files exist, and gives the descriptor that commits are synced through. At each opening: a
/// creation may have been cut off before it came here.
fn sync_folder(path: &Path) -> io::Result<File> {
    let data = OpenOptions::new().read(true).write(true).open(path.join(DATA))?;
    data.sync_all()?;
    File::open(path.join("conf"))?.sync_all()?;
    for folder in [&path.join("blobs"), path] {
        File::open(folder)?.sync_all()?;
    }
    Ok(data)
}

/// sled asserts where it finds what it did not expect; none of that may pass through to who called.
fn fenced<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(StoreError::Damaged { what: "the engine panicked" }))
}

/// What an error of sled means, without its words: they hold paths.
fn from_sled(doing: &'static str, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => StoreError::InUse,
        sled::Error::Io(error) => StoreError::from_io(doing, error),
        sled::Error::Corruption { .. } => StoreError::Damaged { what: "a page is corrupt" },
        sled::Error::Unsupported(_) => StoreError::Damaged { what: "the folder is of another version or setting of the engine" },
        sled::Error::CollectionNotFound(_) => StoreError::Damaged { what: "the tree is gone" },
        sled::Error::ReportableBug(_) => StoreError::Damaged { what: "the engine found a bug of its own" },
    }
}

#[cfg(test)]
mod tests;
