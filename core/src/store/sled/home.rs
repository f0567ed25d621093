//! A store's folder on the disk: sled's tree and the journal in it, and how a backup is put there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::space::Space;
use super::tree::SledTree;
use crate::store::StoreError;
use crate::store::journal::Found;
use crate::store::journal::folder::{DiskFolder, Folder, sync_folder};
use crate::store::journaled::home::Home;
use crate::store::journaled::recover::{Verified, verify};
use crate::store::roots;

/// The folders in a store's folder.
pub(super) const TREE: &str = "tree";
pub(super) const JOURNAL: &str = "journal";
/// The folder of the roots: apart from the journal, which is set aside where it is damaged.
const ROOTS: &str = "roots";
/// The folder in which a tree is built anew; one that is found was not finished.
const UNFINISHED: &str = "tree.unfinished";

/// A store's folder, locked.
pub(super) struct SledHome {
    pub path: PathBuf,
    pub cache_bytes: u64,
    pub space: Space,
    /// Held for as long as this is.
    pub _lock: File,
}

impl Home for SledHome {
    type Tree = SledTree;

    fn journal(&self) -> Arc<dyn Folder> {
        DiskFolder::at(self.path.join(JOURNAL))
    }

    fn roots(&self) -> Arc<dyn Folder> {
        DiskFolder::at(self.path.join(ROOTS))
    }

    fn has_tree(&self) -> bool {
        self.path.join(TREE).exists()
    }

    fn open_tree(&self) -> Result<SledTree, StoreError> {
        SledTree::open(&self.path.join(TREE), self.cache_bytes)
    }

    fn begin_tree(&self) -> Result<SledTree, StoreError> {
        let unfinished = self.path.join(UNFINISHED);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(|error| StoreError::from_io("building the tree anew", &error))?;
        }
        SledTree::open(&unfinished, self.cache_bytes)
    }

    fn place_tree(&self, begun: SledTree) -> Result<SledTree, StoreError> {
        drop(begun);
        let placed = fs::rename(self.path.join(UNFINISHED), self.path.join(TREE)).and_then(|()| sync_folder(&self.path));
        placed.map_err(|error| StoreError::from_io("building the tree anew", &error))?;
        self.open_tree()
    }

    fn set_tree_aside(&self) -> Result<PathBuf, StoreError> {
        set_aside(&self.path, TREE)
    }

    fn set_journal_aside(&self) -> Result<(), StoreError> {
        if self.path.join(JOURNAL).exists() { set_aside(&self.path, JOURNAL).map(drop) } else { Ok(()) }
    }

    fn check_room(&self, bytes: u64) -> Result<(), StoreError> {
        self.space.check_for(bytes)
    }
}

/// Moves a folder aside, under a name that says what it is.
fn set_aside(path: &Path, name: &str) -> Result<PathBuf, StoreError> {
    let failed = |error: io::Error| StoreError::from_io("setting a damaged folder aside", &error);
    let free = (1..).map(|number: u32| path.join(format!("{name}.damaged-{number}"))).find(|aside| !aside.exists());
    let aside = free.ok_or(StoreError::Damaged { what: "no name is left to set a damaged folder aside" })?;
    fs::rename(path.join(name), &aside).and_then(|()| sync_folder(path)).map_err(failed)?;
    Ok(aside)
}

/// Copies a backup into a folder as its journal, wholly or not at all.
pub(super) fn restore(backup: &Path, folder: &Path) -> Result<Verified, StoreError> {
    let failed = |error: io::Error| StoreError::from_io("restoring a backup", &error);
    let found = Found::look(DiskFolder::at(backup))?;
    if found.is_empty() {
        return Err(StoreError::Damaged { what: "there is no backup in this folder" });
    }
    let verified = verify(&found)?;
    roots::copy(&*DiskFolder::at(backup), &*DiskFolder::at(folder.join(ROOTS)))?;
    let unfinished = folder.join("journal.unfinished");
    let copy = || {
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir_all(&unfinished)?;
        found.copy_all(&*DiskFolder::at(&unfinished))?;
        fs::rename(&unfinished, folder.join(JOURNAL))?;
        sync_folder(folder)
    };
    copy().map_err(failed)?;
    Ok(verified)
}
