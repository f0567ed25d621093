//! Opening: tree and journal are held against each other, and what one lacks the other gives.
//!
//! | tree | journal | what is done |
//! |---|---|---|
//! | nothing | nothing | a new store |
//! | opens, at the journal's last batch | whole | nothing |
//! | opens, some batches behind | whole from there | these batches are applied: the power went between journal and tree |
//! | opens, and lacks rows or cannot be read ([`agreement`](super::agreement)) | whole | the tree is set aside and built anew |
//! | opens, whole | damaged, also where nothing needs it now | the journal is set aside and begun anew with a checkpoint |
//! | opens, ahead of the journal | lacks batches | the tree is synced, so it is believed; the journal is set aside and begun anew with a checkpoint |
//! | does not open, is gone, or is not of this journal | whole from a checkpoint or from its beginning | the tree is set aside and built anew |
//! | does not open | lacks batches | `Damaged` |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::agreement::agree;
use super::tree::Tree;
use super::{JOURNAL, MARK_KEY, SledOptions, TREE};
use crate::store::journal::frame::Mark;
use crate::store::journal::{Found, Rows, checkpoint};
use crate::store::{MOST_BATCH, StoreError};

/// The folder in which a tree is built anew; one that is found was not finished.
const UNFINISHED: &str = "tree.unfinished";

/// How a store was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// There was none.
    New,
    /// Whole.
    Whole,
    /// Whole but for the last batches, which the journal had.
    CaughtUp {
        /// How many there were.
        batches: u64,
    },
    /// The journal lacked what the tree had; it was begun anew.
    JournalReplaced,
    /// Damaged or gone, and built anew from the journal.
    Rebuilt {
        /// Where the damaged tree is now, if there was one.
        set_aside: Option<PathBuf>,
        /// How many batches were applied behind the checkpoint.
        batches: u64,
    },
}

/// How far a rebuilding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilding {
    /// Rows that were written so far.
    pub rows: u64,
}

/// A tree that has everything that its journal has.
pub(super) struct Recovered {
    pub tree: Tree,
    pub last: Mark,
    pub needs_checkpoint: bool,
    pub opening: Opening,
}

/// Opens the tree of a store's folder.
pub(super) fn open(path: &Path, options: SledOptions, progress: &mut dyn FnMut(Rebuilding)) -> Result<Recovered, StoreError> {
    let found = Found::look(&path.join(JOURNAL))?;
    let folder = path.join(TREE);
    if !folder.exists() && !found.is_empty() {
        return rebuild(path, options, &found, None, progress);
    }
    let is_new = !folder.exists();
    let opened = Tree::open(&folder, options.cache_bytes).and_then(|tree| {
        let mark = mark_of(&tree)?;
        Ok((tree, mark))
    });
    let (tree, mark) = match opened {
        Ok(opened) => opened,
        Err(StoreError::Damaged { .. }) if !found.is_empty() => return set_aside_and_rebuild(path, options, &found, progress),
        Err(error) => return Err(error),
    };
    let carries_all = || verify(&found).is_ok_and(|verified| verified.last.sequence >= mark.sequence);
    if tree.is_suspect() && carries_all() {
        drop(tree);
        return set_aside_and_rebuild(path, options, &found, progress);
    }
    // What is not there yet is in the journal, so they agree when the tree has caught up.
    let caught_up = catch_up(&tree, mark, &found).and_then(|caught_up| Ok((caught_up, is_new || agree(&tree, &found)?)));
    match caught_up {
        Ok((_, false)) => {
            drop(tree);
            set_aside_and_rebuild(path, options, &found, progress)
        }
        Ok(((last, batches), true)) => {
            let opening = match batches {
                _ if is_new => Opening::New,
                0 => Opening::Whole,
                batches => Opening::CaughtUp { batches },
            };
            Ok(Recovered { tree, last, needs_checkpoint: false, opening })
        }
        Err(StoreError::Damaged { .. }) => {
            if carries_all() {
                drop(tree);
                set_aside_and_rebuild(path, options, &found, progress)
            } else if mark.sequence > 0 {
                replace_journal(path)?;
                // Some batches behind it may have been applied.
                let (last, opening) = (mark_of(&tree)?, Opening::JournalReplaced);
                Ok(Recovered { tree, last, needs_checkpoint: true, opening })
            } else {
                Err(StoreError::Damaged { what: "neither the tree nor its journal is whole" })
            }
        }
        Err(error) => Err(error),
    }
}

fn mark_of(tree: &Tree) -> Result<Mark, StoreError> {
    let row = tree.get(&MARK_KEY)?;
    row.map_or(Ok(Mark::default()), |row| Mark::from_bytes(&row).ok_or(StoreError::Damaged { what: "the tree's mark does not decode" }))
}

/// Applies the batches that the tree lacks. `Damaged` when the journal does not hold all of them, or does not know the tree's last one.
fn catch_up(tree: &Tree, mark: Mark, found: &Found) -> Result<(Mark, u64), StoreError> {
    if found.is_empty() && mark == Mark::default() {
        return Ok((mark, 0));
    }
    let mut batches = 0;
    let last = found.replay(mark, &mut |mark, rows| {
        batches += 1;
        apply(tree, mark, rows)
    })?;
    if batches > 0 {
        tree.sync()?;
    }
    Ok((last, batches))
}

fn apply(tree: &Tree, mark: Mark, mut rows: Rows) -> Result<(), StoreError> {
    rows.insert(MARK_KEY.to_vec(), Some(mark.to_bytes().to_vec()));
    tree.apply(rows, &|| {})
}

fn set_aside_and_rebuild(
    path: &Path,
    options: SledOptions,
    found: &Found,
    progress: &mut dyn FnMut(Rebuilding),
) -> Result<Recovered, StoreError> {
    verify(found)?;
    let aside = set_aside(path, TREE)?;
    rebuild(path, options, found, Some(aside), progress)
}

/// Builds the tree from checkpoint and journal, aside, and puts it in its place when it is whole.
fn rebuild(
    path: &Path,
    options: SledOptions,
    found: &Found,
    set_aside: Option<PathBuf>,
    progress: &mut dyn FnMut(Rebuilding),
) -> Result<Recovered, StoreError> {
    let failed = |error: io::Error| StoreError::from_io("building the tree anew", &error);
    let unfinished = path.join(UNFINISHED);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    let mut builder =
        Builder { tree: Tree::open(&unfinished, options.cache_bytes)?, rows: Rows::new(), bytes: 0, done: Rebuilding::default(), progress };
    let mut after = Mark::default();
    if let Some((at, checkpoint)) = &found.checkpoint {
        after = *at;
        checkpoint::read(checkpoint, &mut |rows| builder.take(rows))?;
    }
    let mut batches = 0;
    let last = found.replay(after, &mut |_, rows| {
        batches += 1;
        builder.take(rows)
    })?;
    builder.finish(last)?;
    fs::rename(&unfinished, path.join(TREE)).and_then(|()| fs::File::open(path)?.sync_all()).map_err(failed)?;
    let tree = Tree::open(&path.join(TREE), options.cache_bytes)?;
    let opening = Opening::Rebuilt { set_aside, batches };
    Ok(Recovered { tree, last, needs_checkpoint: false, opening })
}

struct Builder<'a> {
    tree: Tree,
    rows: Rows,
    bytes: usize,
    done: Rebuilding,
    progress: &'a mut dyn FnMut(Rebuilding),
}

impl Builder<'_> {
    fn take(&mut self, rows: Rows) -> Result<(), StoreError> {
        for (key, value) in rows {
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            self.done.rows += 1;
            self.rows.insert(key, value);
        }
        if self.bytes >= MOST_BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        self.tree.apply(std::mem::take(&mut self.rows), &|| {})?;
        (self.progress)(self.done);
        Ok(())
    }

    fn finish(mut self, last: Mark) -> Result<(), StoreError> {
        self.rows.insert(MARK_KEY.to_vec(), Some(last.to_bytes().to_vec()));
        self.write()?;
        self.tree.sync()
    }
}

/// What a journal or a backup holds, when it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The last batch.
    pub last: Mark,
    /// Rows of the checkpoint.
    pub rows: u64,
    /// Batches behind it.
    pub batches: u64,
}

/// Reads everything that a journal holds.
pub(super) fn verify(found: &Found) -> Result<Verified, StoreError> {
    let (mut rows, mut batches, mut after) = (0, 0, Mark::default());
    if let Some((at, checkpoint)) = &found.checkpoint {
        after = *at;
        checkpoint::read(checkpoint, &mut |some| {
            rows += some.len() as u64;
            Ok(())
        })?;
    }
    let last = found.replay(after, &mut |_, _| {
        batches += 1;
        Ok(())
    })?;
    Ok(Verified { last, rows, batches })
}

/// Copies a backup into a folder as its journal, wholly or not at all.
pub(super) fn restore(backup: &Path, folder: &Path) -> Result<Verified, StoreError> {
    let failed = |error: io::Error| StoreError::from_io("restoring a backup", &error);
    let found = Found::look(backup)?;
    if found.is_empty() {
        return Err(StoreError::Damaged { what: "there is no backup in this folder" });
    }
    let verified = verify(&found)?;
    let unfinished = folder.join("journal.unfinished");
    let copy = || {
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir_all(&unfinished)?;
        if let Some((_, checkpoint)) = &found.checkpoint {
            let copy = unfinished.join(checkpoint.file_name().unwrap_or_default());
            fs::copy(checkpoint, &copy)?;
            fs::File::open(copy)?.sync_all()?;
        }
        found.copy_segments(&unfinished)?;
        fs::rename(&unfinished, folder.join(JOURNAL))?;
        fs::File::open(folder)?.sync_all()
    };
    copy().map_err(failed)?;
    Ok(verified)
}

fn replace_journal(path: &Path) -> Result<(), StoreError> {
    if path.join(JOURNAL).exists() { set_aside(path, JOURNAL).map(drop) } else { Ok(()) }
}

/// Moves a folder aside, under a name that says what it is.
fn set_aside(path: &Path, name: &str) -> Result<PathBuf, StoreError> {
    let failed = |error: io::Error| StoreError::from_io("setting a damaged folder aside", &error);
    let free = (1..).map(|number: u32| path.join(format!("{name}.damaged-{number}"))).find(|aside| !aside.exists());
    let aside = free.ok_or(StoreError::Damaged { what: "no name is left to set a damaged folder aside" })?;
    fs::rename(path.join(name), &aside).and_then(|()| fs::File::open(path)?.sync_all()).map_err(failed)?;
    Ok(aside)
}
