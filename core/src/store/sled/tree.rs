//! sled 0.34.7 in a folder: opening, reading, applying a batch, making it durable. Everything that sled must not be trusted with is here.
//!
//! Its `flush` writes and does not sync on Linux, so [`SledTree::sync`] is `flush` **and** a sync of `<folder>/db`, sled's one file of data, through
//! a descriptor of our own (a sync is per file, not per descriptor). Power cuts were tried against this on a block device: 180 of 180 kept all
//! that was acknowledged, without it most lost something or did not open. The rest is kept from it: values above 4 kB (never synced), its
//! compression (slow opening), its flusher thread (swallows errors), a cache of its own choice (1 GB), half-written snapshots (taken for
//! real), and a panic that nobody catches.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use super::lock::try_for_a_while;
use crate::store::journal::Rows;
use crate::store::journaled::home::Tree;
use crate::store::{StoreError, Visit};

/// sled's file of data in its folder.
pub(super) const DATA: &str = "db";
/// An empty file beside it: a page could not be read. It is set aside with the tree.
const SUSPECT: &str = "suspect";

/// Whether readers may look. After an apply that failed in the middle the tree may hold half a batch, and nobody may see that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readable {
    Whole,
    Torn,
}

/// sled's one tree.
pub(in crate::store) struct SledTree {
    /// Empty only while it is being dropped.
    db: Option<sled::Db>,
    /// Our own descriptor of sled's file of data.
    data: File,
    folder: PathBuf,
    /// sled applies a batch row by row before the eyes of a range read; this makes it one step.
    pub(super) view: RwLock<Readable>,
}

impl SledTree {
    /// Opens the tree in a folder, or makes one. Reads sled's snapshot and the tail of its log: some milliseconds for a phone's store, a quarter
    /// of a second for 200 MB. Never panics.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|error| StoreError::from_io("making the folder", &error))?;
        remove_half_written_snapshots(path).map_err(|error| StoreError::from_io("reading the folder", &error))?;
        let db = open_sled(path, cache_bytes)?;
        let data = sync_folder(path).map_err(|error| StoreError::from_io("syncing the folder", &error))?;
        Ok(Self { db: Some(db), data, folder: path.to_owned(), view: RwLock::new(Readable::Whole) })
    }

    fn db(&self) -> Result<&sled::Db, StoreError> {
        self.db.as_ref().ok_or(StoreError::Stopped)
    }

    /// Reads while no batch is being applied.
    fn read<T>(&self, read: impl FnOnce(&sled::Db) -> Result<T, sled::Error>) -> Result<T, StoreError> {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        if *view == Readable::Torn {
            return Err(StoreError::Stopped);
        }
        let db = self.db()?;
        fenced(|| read(db).map_err(|error| from_sled("reading", &error))).inspect_err(|error| self.note(error))
    }

    /// Notes that a page could not be read, for the next opening: the pages of a whole tree are not read when it is opened.
    fn note(&self, error: &StoreError) {
        if matches!(error, StoreError::Damaged { .. }) {
            // Where it cannot be written, whoever reads that page next tries again.
            let _ = File::create(self.folder.join(SUSPECT)).and_then(|file| file.sync_all());
        }
    }

    /// What sled itself calls durable, and is not on Linux.
    fn flush_log(&self) -> Result<(), StoreError> {
        let db = self.db()?;
        fenced(|| db.flush().map(drop).map_err(|error| from_sled("flushing", &error)))
    }
}

impl Tree for SledTree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|db| Ok(db.get(key)?.map(|value| value.to_vec())))
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.read(|db| {
            for entry in db.range::<&[u8], _>((start, end)) {
                let (key, value) = entry?;
                if visit(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The pages of a whole tree are not read when it is opened, so what was found is written down.
    fn is_suspect(&self) -> bool {
        self.folder.join(SUSPECT).exists()
    }

    /// Makes a batch visible, for a reader all at once. Calls `visible` before any reader can see the first of it.
    fn apply(&self, rows: Rows, visible: &dyn Fn()) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let db = self.db()?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        visible();
        *view = Readable::Torn;
        fenced(|| db.apply_batch(batch).map_err(|error| from_sled("writing", &error))).inspect_err(|error| self.note(error))?;
        *view = Readable::Whole;
        Ok(())
    }

    /// Makes everything durable that was applied.
    fn sync(&self) -> Result<(), StoreError> {
        self.flush_log()?;
        self.data.sync_all().map_err(|error| StoreError::from_io("syncing", &error))
    }

    #[cfg(feature = "seeded-bugs")]
    fn flush(&self) -> Result<(), StoreError> {
        self.flush_log()
    }

    /// sled's file and whatever stands beside it. Asks the file system, reads no data.
    fn size_on_disk(&self) -> Result<u64, StoreError> {
        let db = self.db()?;
        fenced(|| db.size_on_disk().map_err(|error| from_sled("measuring", &error)))
    }
}

impl Drop for SledTree {
    /// Closes sled and waits until its background work has let go of the file: it has no call that says so, but its lock does.
    fn drop(&mut self) {
        let db = self.db.take();
        // A panic of sled on the way out has nobody to go to, and everything acknowledged is synced.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
        let _ = try_for_a_while(&self.data);
    }
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
fn open_sled(path: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None).use_compression(false);
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
pub(super) fn fenced<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(StoreError::Damaged { what: "the engine panicked" }))
}

/// What an error of sled means, without its words: they hold paths.
pub(super) fn from_sled(doing: &'static str, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => StoreError::InUse,
        sled::Error::Io(error) => StoreError::from_io(doing, error),
        sled::Error::Corruption { .. } => StoreError::Damaged { what: "a page is corrupt" },
        sled::Error::Unsupported(_) => StoreError::Damaged { what: "the folder is of another version or setting of the engine" },
        sled::Error::CollectionNotFound(_) => StoreError::Damaged { what: "the tree is gone" },
        sled::Error::ReportableBug(_) => StoreError::Damaged { what: "the engine found a bug of its own" },
    }
}
