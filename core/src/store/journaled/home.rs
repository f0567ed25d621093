//! Where a store lives: what [`Journaled`](super::Journaled) asks of a place for a journal and a tree.

use std::ops::{Bound, ControlFlow};
use std::path::PathBuf;
use std::sync::Arc;

use crate::store::journal::Rows;
use crate::store::journal::folder::Folder;
use crate::store::{Entry, StoreError, Visit};

/// An ordered map that keeps what it was told to sync.
pub(in crate::store) trait Tree: Send + Sync + 'static {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Shows the rows between two bounds in order, of one consistent view, until `visit` breaks. Batches wait meanwhile.
    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The first of them, at most `limit`.
    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        if limit > 0 {
            self.scan(start, end, &mut |key, value| {
                entries.push((key.to_vec(), value.to_vec()));
                if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(entries)
    }

    /// Whether something in it could not be read, now or when it was open before.
    fn is_suspect(&self) -> bool {
        false
    }

    /// Makes a batch visible, for a reader all at once. Calls `visible` before any reader can see the first of it.
    fn apply(&self, rows: Rows, visible: &dyn Fn()) -> Result<(), StoreError>;

    /// Makes everything durable that was applied.
    fn sync(&self) -> Result<(), StoreError>;

    /// What an engine calls a sync and is none: for the deliberate bug.
    #[cfg(feature = "seeded-bugs")]
    fn flush(&self) -> Result<(), StoreError>;

    fn size_on_disk(&self) -> Result<u64, StoreError>;
}

/// A place with a journal and a tree in it, or with what is left of them.
pub(in crate::store) trait Home: Send + Sync + 'static {
    type Tree: Tree;

    /// The journal's folder, whether it is there or not.
    fn journal(&self) -> Arc<dyn Folder>;

    /// The folder of the roots, whether it is there or not.
    fn roots(&self) -> Arc<dyn Folder>;

    /// Whether there is a tree, in whatever state.
    fn has_tree(&self) -> bool;

    /// Opens the tree, or makes one. `Damaged` where it does not open.
    fn open_tree(&self) -> Result<Self::Tree, StoreError>;

    /// Begins a tree in another place than its own; one that was begun there before was not finished, and goes.
    fn begin_tree(&self) -> Result<Self::Tree, StoreError>;

    /// Puts a tree that was begun, and synced, in its place, in one step.
    fn place_tree(&self, begun: Self::Tree) -> Result<Self::Tree, StoreError>;

    /// Moves the tree aside, and says where it is then.
    fn set_tree_aside(&self) -> Result<PathBuf, StoreError>;

    /// Moves the journal aside, if there is one.
    fn set_journal_aside(&self) -> Result<(), StoreError>;

    /// Whether there is room to write so many bytes and to go on writing then: `Full` if not.
    fn check_room(&self, bytes: u64) -> Result<(), StoreError>;

    /// Whether frames that were cut are taken for whole: a deliberate bug.
    #[cfg(feature = "seeded-bugs")]
    fn takes_torn_frames(&self) -> bool {
        false
    }
}
