//! Opening: tree and journal are held against each other, and what one lacks the other gives.
//!
//! | tree | journal | what is done |
//! |---|---|---|
//! | nothing | nothing | a new store |
//! | opens, at the journal's last batch | whole | nothing |
//! | opens, some batches behind | whole from there | these batches are applied: the power went between journal and tree |
//! | opens, and lacks rows or cannot be read ([`agreement`](super::agreement)) | whole | the tree is set aside and built anew |
//! | whatever | its last checkpoint is broken, and one before it is kept | that one is taken; the broken one is set aside, and made anew |
//! | opens, whole | damaged, also where nothing needs it now | the journal is set aside and begun anew with a checkpoint |
//! | opens, ahead of the journal | lacks batches | the tree is synced, so it is believed; the journal is set aside and begun anew with a checkpoint |
//! | does not open, is gone, or is not of this journal | whole from a checkpoint or from its beginning | the tree is set aside and built anew |
//! | does not open, or cannot be read | lacks batches | `Damaged`, and both stay as they are |

use std::path::PathBuf;

use super::MARK_KEY;
use super::agreement::{Expected, Walk, beside};
use super::home::{Home, Tree};
use crate::store::journal::frame::{Mark, Payload};
use crate::store::journal::{Found, Rows};
use crate::store::{MOST_BATCH, StoreError};

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
    /// Whole, and so was its journal but for the last checkpoint, which was made anew.
    CheckpointReplaced,
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

impl Opening {
    /// Whether anything had to be put right.
    pub const fn is_mended(&self) -> bool {
        match self {
            Self::New | Self::Whole => false,
            Self::CaughtUp { .. } | Self::CheckpointReplaced | Self::JournalReplaced | Self::Rebuilt { .. } => true,
        }
    }
}

/// How far a rebuilding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilding {
    /// Rows that were written so far.
    pub rows: u64,
}

/// A tree that has everything that its journal has.
pub(in crate::store) struct Recovered<T> {
    pub tree: T,
    pub last: Mark,
    pub needs_checkpoint: bool,
    pub opening: Opening,
}

/// Opens the tree of a home.
pub(in crate::store) fn open<H: Home>(home: &H, progress: &mut dyn FnMut(Rebuilding)) -> Result<Recovered<H::Tree>, StoreError> {
    let mut found = look(home)?;
    found.leave_out_broken_checkpoints()?;
    let recovered = open_with(home, &found, progress)?;
    if found.broken.is_empty() || recovered.opening == Opening::JournalReplaced {
        return Ok(recovered);
    }
    found.set_broken_aside()?;
    let opening = match recovered.opening {
        Opening::Whole | Opening::CaughtUp { .. } => Opening::CheckpointReplaced,
        other => other,
    };
    Ok(Recovered { needs_checkpoint: true, opening, ..recovered })
}

fn open_with<H: Home>(home: &H, found: &Found, progress: &mut dyn FnMut(Rebuilding)) -> Result<Recovered<H::Tree>, StoreError> {
    let is_new = !home.has_tree();
    if is_new && !found.is_empty() {
        return rebuild(home, found, None, progress);
    }
    // The engine takes its time to open, and so does the journal to be read.
    let (expected, opened) = beside(
        || Expected::read(found),
        || {
            home.open_tree().and_then(|tree| {
                let mark = mark_of(&tree)?;
                Ok((tree, mark))
            })
        },
    );
    let (tree, mark) = match opened {
        Ok(opened) => opened,
        Err(StoreError::Damaged { .. }) if !found.is_empty() => return set_aside_and_rebuild(home, found, progress),
        Err(error) => return Err(error),
    };
    let carries_all = || verify(found).is_ok_and(|verified| verified.last.sequence >= mark.sequence);
    if tree.is_suspect() && carries_all() {
        drop(tree);
        return set_aside_and_rebuild(home, found, progress);
    }
    // What is not there yet is in the journal, so they agree when the tree has caught up.
    let caught_up = catch_up(&tree, mark, found).and_then(|caught_up| Ok((caught_up, is_new || expected?.is_held_by(&tree)?)));
    match caught_up {
        Ok((_, false)) => {
            drop(tree);
            set_aside_and_rebuild(home, found, progress)
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
                set_aside_and_rebuild(home, found, progress)
            } else if mark.sequence > 0 && is_readable(&tree)? {
                home.set_journal_aside()?;
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

/// Whether every row can be read. Without a journal to hold it against, that is all that can be known of a tree.
fn is_readable(tree: &impl Tree) -> Result<bool, StoreError> {
    let mut walk = Walk::over_all(tree);
    loop {
        match walk.next() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(true),
            Err(StoreError::Damaged { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

fn look<H: Home>(home: &H) -> Result<Found, StoreError> {
    let found = Found::look(home.journal());
    #[cfg(feature = "seeded-bugs")]
    let found = found.map(|mut found| {
        found.set_bug_takes_torn_frames(home.takes_torn_frames());
        found
    });
    found
}

fn mark_of(tree: &impl Tree) -> Result<Mark, StoreError> {
    let row = tree.get(&MARK_KEY)?;
    row.map_or(Ok(Mark::default()), |row| Mark::from_bytes(&row).ok_or(StoreError::Damaged { what: "the tree's mark does not decode" }))
}

/// Applies the batches that the tree lacks. `Damaged` when the journal does not hold all of them, or does not know the tree's last one.
fn catch_up(tree: &impl Tree, mark: Mark, found: &Found) -> Result<(Mark, u64), StoreError> {
    if found.is_empty() && mark == Mark::default() {
        return Ok((mark, 0));
    }
    let mut batches = 0;
    let last = found.replay(mark, &mut |mark, rows| {
        batches += 1;
        apply(tree, mark, rows.to_rows())
    })?;
    if batches > 0 {
        tree.sync()?;
    }
    Ok((last, batches))
}

fn apply(tree: &impl Tree, mark: Mark, mut rows: Rows) -> Result<(), StoreError> {
    rows.insert(MARK_KEY.to_vec(), Some(mark.to_bytes().to_vec()));
    tree.apply(rows, &|| {})
}

fn set_aside_and_rebuild<H: Home>(home: &H, found: &Found, progress: &mut dyn FnMut(Rebuilding)) -> Result<Recovered<H::Tree>, StoreError> {
    verify(found)?;
    let aside = home.set_tree_aside()?;
    rebuild(home, found, Some(aside), progress)
}

/// Builds the tree from checkpoint and journal, aside, and puts it in its place when it is whole.
fn rebuild<H: Home>(
    home: &H,
    found: &Found,
    set_aside: Option<PathBuf>,
    progress: &mut dyn FnMut(Rebuilding),
) -> Result<Recovered<H::Tree>, StoreError> {
    let mut builder = Builder { tree: home.begin_tree()?, rows: Rows::new(), bytes: 0, done: Rebuilding::default(), progress };
    let after = found.read_checkpoint(&mut |rows| builder.take(rows))?;
    let mut batches = 0;
    let last = found.replay(after, &mut |_, rows| {
        batches += 1;
        builder.take(rows)
    })?;
    let tree = home.place_tree(builder.finish(last)?)?;
    let opening = Opening::Rebuilt { set_aside, batches };
    Ok(Recovered { tree, last, needs_checkpoint: false, opening })
}

struct Builder<'a, T> {
    tree: T,
    rows: Rows,
    bytes: usize,
    done: Rebuilding,
    progress: &'a mut dyn FnMut(Rebuilding),
}

impl<T: Tree> Builder<'_, T> {
    fn take(&mut self, rows: Payload<'_>) -> Result<(), StoreError> {
        for (key, value) in rows.rows() {
            self.bytes += key.len() + value.map_or(0, <[u8]>::len);
            self.done.rows += 1;
            self.rows.insert(key.to_vec(), value.map(<[u8]>::to_vec));
        }
        if self.bytes >= MOST_BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        self.tree.apply(std::mem::take(&mut self.rows), &|| {})?;
        (self.progress)(self.done);
        Ok(())
    }

    fn finish(mut self, last: Mark) -> Result<T, StoreError> {
        self.rows.insert(MARK_KEY.to_vec(), Some(last.to_bytes().to_vec()));
        self.write()?;
        self.tree.sync()?;
        Ok(self.tree)
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
pub(in crate::store) fn verify(found: &Found) -> Result<Verified, StoreError> {
    let (mut rows, mut batches) = (0, 0);
    let after = found.read_checkpoint(&mut |some| {
        rows += some.rows().count() as u64;
        Ok(())
    })?;
    let last = found.replay(after, &mut |_, _| {
        batches += 1;
        Ok(())
    })?;
    Ok(Verified { last, rows, batches })
}
