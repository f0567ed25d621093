//! Lives of a store: an opening finds out whether the store is the one that this phone wrote last, and begins a new incarnation where it is not.
//!
//! Promise: a store that was restored from a backup, cloned, moved to another phone or mended by its own engine does not write under the
//! actor of the store that it comes from, so no sequence number is used twice.
//!
//! How it is kept: a *mark*, 16 random bytes, stands in the store and in a small place outside of what is backed up and moved
//! ([`LifeMark`]). Each opening takes a new one and writes it outside first, then into the store. An older copy of the store bears an older
//! mark, a copy on another phone finds none: the two differ, and the store begins a new life. Where the power goes between the two writes they differ
//! as well. So a difference is never overlooked for being taken for something else, and a needless new life costs one more actor in the
//! documents that are written to afterwards: 17 bytes each.
//!
//! Outside first: once the new mark is there, no copy that was made before this opening bears it. The other way round, a power cut in between would
//! leave an outside mark that older copies still match.
//!
//! What a mark cannot see is a clone that took the mark along, and a copy that was made since the last opening and put back before the next.
//! There two lives write under one actor; the server answers the second of two changes that bear the same number with `sync.actor_forked`, or an
//! answer brings the first of them, and the engine runs its own commands again under a new incarnation (`mend`, `fork`).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::field::FieldError;
use crate::field::tables::{self, Setting};
use crate::model::{Entropy, Incarnation};
use crate::store::{Batch, Store, StoreError};

/// A mark: what is equal inside and outside of a store for as long as it lives one life.
pub type Mark = [u8; 16];

/// The place outside of the store that its mark is held against. It must not be backed up, restored, cloned or moved with the store.
pub trait LifeMark: Send + Sync {
    /// The mark that was written last. `None` where there is none, or where it cannot be read: that is a new life, and no error.
    fn read(&self) -> Option<Mark>;

    /// Writes a mark over the one before. It stays, also through a power cut, when this returns.
    ///
    /// # Errors
    /// When it could not be written. The store is opened all the same, in a new life.
    fn write(&self, mark: &Mark) -> io::Result<()>;
}

/// For an app that has no such place: every opening begins a new life. That is safe, and costs an actor more for each opening in which a
/// document is written to; over a year a much visited household grows by a kilobyte or two.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMark;

impl LifeMark for NoMark {
    fn read(&self) -> Option<Mark> {
        None
    }

    fn write(&self, _: &Mark) -> io::Result<()> {
        Ok(())
    }
}

/// A mark in a file: in Android's `noBackupFilesDir`, on iOS in a folder that is excluded from backups, elsewhere beside the store's folder.
#[derive(Debug, Clone)]
pub struct MarkFile(PathBuf);

impl MarkFile {
    /// The file of this path, whether it is there or not. The folder that it lies in is made when it is first written.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder that it lies in.
    fn folder(&self) -> &Path {
        self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

impl LifeMark for MarkFile {
    fn read(&self) -> Option<Mark> {
        fs::read(&self.0).ok()?.try_into().ok()
    }

    /// Written aside and renamed, so that a cut leaves the old one or the new one. Two syncs of the disk.
    fn write(&self, mark: &Mark) -> io::Result<()> {
        fs::create_dir_all(self.folder())?;
        let mut aside = self.0.clone().into_os_string();
        aside.push(".new");
        let mut file = File::create(&aside)?;
        file.write_all(mark)?;
        file.sync_all()?;
        fs::rename(&aside, &self.0)?;
        File::open(self.folder())?.sync_all()
    }
}

/// A mark in memory, for tests and simulations: it outlives the engines that are opened with it, and may be copied or lost.
#[derive(Debug, Default)]
pub struct MemoryMark(Mutex<Option<Mark>>);

impl MemoryMark {
    /// What stands there now, for a copy.
    pub fn copy(&self) -> Self {
        Self(Mutex::new(self.read()))
    }
}

impl LifeMark for MemoryMark {
    fn read(&self) -> Option<Mark> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mark: &Mark) -> io::Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(*mark);
        Ok(())
    }
}

/// Begins an opening of the store: its life goes on or a new one begins, and mark and incarnation are on both disks when this returns.
///
/// On a full disk the store can be read but not written, so nothing of this can be kept. What is recorded once there is room again, before the
/// next opening, then belongs to a life of its own, which ends with this opening.
pub(super) fn begin(store: &dyn Store, outside: &dyn LifeMark, entropy: &mut dyn Entropy) -> Result<Incarnation, FieldError> {
    let before: Option<Incarnation> = tables::get(&store, &tables::setting(Setting::Incarnation))?;
    let inside: Option<Mark> = tables::get::<minicbor::bytes::ByteArray<16>>(&store, &tables::setting(Setting::LifeMark))?.map(Into::into);
    let is_the_same = inside.is_some() && inside == outside.read() && !store.is_mended();
    let mut mark = Mark::default();
    entropy.fill(&mut mark);
    let is_marked = outside.write(&mark).is_ok();
    let incarnation = match before.filter(|_| is_the_same && is_marked) {
        Some(incarnation) => incarnation,
        None => Incarnation::make(entropy),
    };
    let mut batch = Batch::new();
    tables::put(&mut batch, tables::setting(Setting::Incarnation), &incarnation);
    tables::put(&mut batch, tables::setting(Setting::LifeMark), &minicbor::bytes::ByteArray::from(mark));
    match store.commit(batch) {
        Ok(()) => Ok(incarnation),
        Err(StoreError::Full) if before.is_some() => Ok(Incarnation::make(entropy)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
