//! What is kept of a journal that its last checkpoint has made needless, and what is removed.
//!
//! To open a store its last checkpoint and the segments behind it are enough. What lies before them is kept for a time, for two uses: an
//! opening that finds the last checkpoint broken goes back to the one before, and builds from there what it would have held
//! (`journaled::recover`); and whoever needs the store as it was at some moment finds a checkpoint from before it and the segments up to it,
//! which are a backup.
//!
//! So it is checkpoints that have an age, and what is kept reaches back to the last one that was already old enough: from there on every moment
//! of the time that was asked for can be had, and every checkpoint that is there has all segments behind it. Files are removed in such an order
//! that a cut leaves it like that.

use std::io;
use std::time::Duration;

use super::checkpoint::{self, Checkpoint};
use super::folder::Folder;
use super::segment::{self, Segment};

/// Removes what nothing needs any more when a checkpoint was just made and earlier ones stay for so long, and what never became a
/// checkpoint.
pub(super) fn remove_old(folder: &dyn Folder, keep: Duration) -> io::Result<()> {
    let checkpoints = checkpoint::list(folder)?;
    if let Some(base) = base(folder, &checkpoints, keep)? {
        remove_before(folder, &checkpoints, base)?;
    }
    checkpoint::remove_unfinished(folder)?;
    folder.sync()
}

/// The checkpoint from which everything is kept: the last one that was made so long before the newest. None where all are younger. The newest
/// was just made, so that its time stands for now, by the same clock.
fn base<'a>(folder: &dyn Folder, checkpoints: &'a [Checkpoint], keep: Duration) -> io::Result<Option<&'a Checkpoint>> {
    let Some(newest) = checkpoints.last() else { return Ok(None) };
    let now = folder.written_at(&newest.name)?;
    for checkpoint in checkpoints.iter().rev() {
        if now.saturating_sub(folder.written_at(&checkpoint.name)?) >= keep {
            return Ok(Some(checkpoint));
        }
    }
    Ok(None)
}

/// Checkpoints before their segments, and the oldest first: one that is left after a cut still has everything behind it.
fn remove_before(folder: &dyn Folder, checkpoints: &[Checkpoint], base: &Checkpoint) -> io::Result<()> {
    for checkpoint in checkpoints.iter().take_while(|checkpoint| checkpoint.sequence < base.sequence) {
        folder.remove(&checkpoint.name)?;
    }
    let (before, _) = split(segment::list(folder)?, base.sequence);
    before.iter().try_for_each(|segment| folder.remove(&segment.name))
}

/// Segments whose last batch is not behind that of this number, and the others.
pub(super) fn split(mut segments: Vec<Segment>, sequence: u64) -> (Vec<Segment>, Vec<Segment>) {
    let ends_before = segments.windows(2).take_while(|pair| pair.get(1).is_some_and(|next| next.after.sequence <= sequence)).count();
    let behind = segments.split_off(ends_before);
    (segments, behind)
}
