//! The journal: what was committed, in order, in files of its own. From it a store whose engine lost its data is built anew.
//!
//! Promise: a batch that [`Journal::append`] took is on the disk when it returns, and is read back whole and in its order, or the reading says
//! that the journal is damaged. It is appended and synced before the engine is touched, so the journal is never behind the store.
//!
//! How it is kept: a folder of segments, each a header and [frames](frame) with a checksum. Only the last segment is written to. What a cut left
//! half-written at its end was never acknowledged and is cut off at the next opening. A [checkpoint] holds all rows as they were at a sequence
//! number; segments that end before it can go, and do after a time (`retention`). Rows of a checkpoint may be newer than its number says, since
//! it is made while commits go on: the frames behind it are replayed over it and put that right.
//!
//! ```text
//! <sequence>.segment       header, then frames from that sequence on
//! <sequence>.checkpoint    header, then frames of rows, then an end frame; written aside and renamed, so it is whole or not there
//! ```
//!
//! Both ends use this, and both write every batch into it. On a phone the unsent work alone would do, since the server could give back the rest;
//! but then each reader of the phone's rows would have to do without what its outbox builds on. Left to others: which store to trust when it is opened (`journaled::recover`), when to make a checkpoint, backups.

pub mod checkpoint;
pub mod folder;
pub mod frame;
mod retention;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::StoreError;
use checkpoint::Checkpoint;
use folder::{Appending, Folder};
use frame::{Mark, Payload};
pub use segment::{Segment, VisitFrame};

/// New values of keys, as a commit writes them; `None` is a delete.
pub type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A segment that holds so many bytes is followed by the next one: small enough to be read whole, large enough that their files are few. A
/// journal may be given less.
pub const SEGMENT_BYTES: u64 = 4 << 20;

/// A journal that is written to.
pub struct Journal {
    folder: Arc<dyn Folder>,
    segment: Box<dyn Appending>,
    segment_bytes: u64,
    /// The bytes of the segment that are known to be whole frames.
    length: u64,
    last: Mark,
    /// Bytes of frames since the last checkpoint.
    since_checkpoint: u64,
    /// Bytes of the last checkpoint.
    checkpoint: u64,
    #[cfg(feature = "seeded-bugs")]
    leaves_out_syncs: bool,
}

impl Journal {
    /// Begins a journal, or goes on with what [`Found::replay`] found, behind `last`: in a new segment, so that nothing old is written to. A
    /// segment that holds `segment_bytes` is followed by the next.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn begin(folder: Arc<dyn Folder>, last: Mark, segment_bytes: u64) -> Result<Self, StoreError> {
        let begun = || {
            folder.make()?;
            let newest = checkpoint::list(&*folder)?.pop();
            let (_, behind) = retention::split(segment::list(&*folder)?, newest.as_ref().map_or(0, |newest| newest.sequence));
            let since_checkpoint = behind.iter().map(|segment| folder.length(&segment.name)).sum::<io::Result<u64>>()?;
            let checkpoint = newest.map_or(Ok(0), |newest| folder.length(&newest.name))?;
            let (segment, length) = segment::create(&*folder, last)?;
            Ok((segment, length, since_checkpoint, checkpoint))
        };
        let (segment, length, since_checkpoint, checkpoint) =
            begun().map_err(|error| StoreError::from_io("beginning a segment of the journal", &error))?;
        Ok(Self {
            folder,
            segment,
            segment_bytes: segment_bytes.min(SEGMENT_BYTES),
            length,
            last,
            since_checkpoint,
            checkpoint,
            #[cfg(feature = "seeded-bugs")]
            leaves_out_syncs: false,
        })
    }

    /// The last batch that is in it.
    pub const fn last(&self) -> Mark {
        self.last
    }

    /// How many bytes were appended since the last checkpoint; at its beginning about.
    pub const fn since_checkpoint(&self) -> u64 {
        self.since_checkpoint
    }

    /// Whether it is time for a checkpoint: the batches behind the last one take `least` bytes, and as much as it does itself, so that
    /// checkpoints never cost more than the journal.
    pub fn is_checkpoint_due(&self, least: u64) -> bool {
        self.since_checkpoint >= least.max(self.checkpoint)
    }

    /// Appends a batch; it is on the disk when this returns. Costs a write and a sync. After an error nothing of it is there.
    ///
    /// # Errors
    /// [`StoreError::Full`], after which it may be tried again; any other means that the journal must not be written to any more.
    pub fn append(&mut self, rows: &Rows) -> Result<Mark, StoreError> {
        if self.length >= self.segment_bytes {
            let next = segment::create(&*self.folder, self.last);
            (self.segment, self.length) = next.map_err(|error| StoreError::from_io("beginning a segment of the journal", &error))?;
        }
        let mut bytes = Vec::new();
        let mark = frame::append(&mut bytes, self.last, &frame::encode(rows));
        let written = self.segment.write_all(&bytes).and_then(|()| self.sync());
        if let Err(error) = written {
            let error = StoreError::from_io("writing the journal", &error);
            self.take_back()?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        self.since_checkpoint += bytes.len() as u64;
        self.last = mark;
        Ok(mark)
    }

    fn sync(&self) -> io::Result<()> {
        #[cfg(feature = "seeded-bugs")]
        if self.leaves_out_syncs {
            return Ok(());
        }
        self.segment.sync()
    }

    /// The deliberate bug that the power cuts must find.
    #[cfg(feature = "seeded-bugs")]
    pub fn set_bug_leaves_out_syncs(&mut self, on: bool) {
        self.leaves_out_syncs = on;
    }

    /// Cuts off what a failed write left behind the last whole frame.
    fn take_back(&mut self) -> Result<(), StoreError> {
        self.segment.cut(self.length).map_err(|error| StoreError::from_io("cutting the journal", &error))
    }

    /// Notes a checkpoint that is on the disk, with the bytes that came behind it meanwhile, and removes the segments and checkpoints that are
    /// not needed with it, and that were not for so long.
    ///
    /// # Errors
    /// When the disk refuses; what could not be removed is only in the way.
    pub fn checkpointed(&mut self, name: &str, bytes_behind: u64, keep: Duration) -> Result<(), StoreError> {
        let failed = |error| StoreError::from_io("removing old segments", &error);
        self.checkpoint = self.folder.length(name).map_err(failed)?;
        self.since_checkpoint = bytes_behind;
        retention::remove_old(&*self.folder, keep).map_err(failed)
    }

    /// Bytes of all its files.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn size_on_disk(folder: &dyn Folder) -> io::Result<u64> {
        folder.names()?.iter().map(|name| folder.length(name)).sum()
    }
}

/// What is in a journal's folder.
pub struct Found {
    /// The folder.
    pub folder: Arc<dyn Folder>,
    /// The newest checkpoint that was not found broken, by its name.
    pub checkpoint: Option<(Mark, String)>,
    /// Those before it, the oldest first.
    earlier: Vec<(Mark, String)>,
    /// Checkpoints that are not whole, as far as that was found out.
    pub broken: Vec<String>,
    /// The segments, in order.
    pub segments: Vec<Segment>,
    #[cfg(feature = "seeded-bugs")]
    takes_torn_frames: bool,
}

impl Found {
    /// Looks at the files of a folder; reads no frames. A folder that is not there holds nothing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn look(folder: Arc<dyn Folder>) -> Result<Self, StoreError> {
        let failed = |error: io::Error| StoreError::from_io("reading the journal", &error);
        let (checkpoints, segments) = match folder.is_there() {
            true => (checkpoint::list(&*folder).map_err(failed)?, segment::list(&*folder).map_err(failed)?),
            false => (Vec::new(), Vec::new()),
        };
        let (mut earlier, mut broken) = (Vec::new(), Vec::new());
        for Checkpoint { at, name, .. } in checkpoints {
            match at {
                Some(at) => earlier.push((at, name)),
                None => broken.push(name),
            }
        }
        Ok(Self {
            folder,
            checkpoint: earlier.pop(),
            earlier,
            broken,
            segments,
            #[cfg(feature = "seeded-bugs")]
            takes_torn_frames: false,
        })
    }

    /// The deliberate bug that the simulation must find: of a frame that was cut, what rows there are count.
    #[cfg(feature = "seeded-bugs")]
    pub fn set_bug_takes_torn_frames(&mut self, on: bool) {
        self.takes_torn_frames = on;
    }

    /// The checkpoints that were not found broken, the oldest first.
    #[cfg(test)]
    pub fn checkpoints(&self) -> impl Iterator<Item = &(Mark, String)> {
        self.earlier.iter().chain(&self.checkpoint)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.checkpoint.is_none() && self.broken.is_empty() && self.segments.is_empty()
    }

    /// Leaves out the newest checkpoint while it is not whole and there is one before it. Reads checkpoints only where there are several.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn leave_out_broken_checkpoints(&mut self) -> Result<(), StoreError> {
        while let Some((_, name)) = self.checkpoint.clone().filter(|_| !self.earlier.is_empty()) {
            match checkpoint::read(&*self.folder, &name, &mut |_| Ok(())) {
                Err(StoreError::Damaged { .. }) => {
                    self.broken.push(name);
                    self.checkpoint = self.earlier.pop();
                }
                read => return read,
            }
        }
        Ok(())
    }

    /// Sets the checkpoints aside that are not whole.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_broken_aside(&self) -> Result<(), StoreError> {
        let set_aside = self.broken.iter().try_for_each(|name| checkpoint::set_aside(&*self.folder, name));
        set_aside.and_then(|()| self.folder.sync()).map_err(|error| StoreError::from_io("setting a broken checkpoint aside", &error))
    }

    /// Copies the segments into another folder that have batches behind that of this number, on its disk when this returns.
    ///
    /// # Errors
    /// When a disk refuses.
    pub fn copy_segments(&self, to: &dyn Folder, after: u64) -> io::Result<()> {
        let (_, behind) = retention::split(self.segments.clone(), after);
        behind.iter().try_for_each(|segment| folder::copy(&*self.folder, to, &segment.name))?;
        to.sync()
    }

    /// Copies the checkpoint and the segments behind it into another folder, on its disk when this returns.
    ///
    /// # Errors
    /// When a disk refuses.
    pub fn copy_all(&self, to: &dyn Folder) -> io::Result<()> {
        if let Some((_, name)) = &self.checkpoint {
            folder::copy(&*self.folder, to, name)?;
        }
        self.copy_segments(to, self.checkpoint.as_ref().map_or(0, |(at, _)| at.sequence))
    }

    /// Shows all rows of the checkpoint, some at a time, and says which batch it was made at; shows nothing where there is none.
    ///
    /// # Errors
    /// As [`checkpoint::read`].
    pub fn read_checkpoint(&self, visit: &mut dyn FnMut(Payload<'_>) -> Result<(), StoreError>) -> Result<Mark, StoreError> {
        let Some((at, name)) = &self.checkpoint else { return Ok(Mark::default()) };
        checkpoint::read(&*self.folder, name, visit)?;
        Ok(*at)
    }

    /// Shows every batch behind `after`, in order, and says which was the last; that is `after` itself when there is none. A torn end of the last
    /// segment is the end.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a batch is missing or broken before the end, what `visit` answers, or when the disk refuses.
    pub fn replay(&self, after: Mark, visit: &mut dyn FnMut(Mark, Payload<'_>) -> Result<(), StoreError>) -> Result<Mark, StoreError> {
        let mut last = after;
        // Where there is anything, it must reach back to `after`, also to the beginning: an emptied tree is not to be taken for an up-to-date one.
        let mut seen_after = after.sequence == 0 && self.is_empty();
        for (index, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(index + 1).map(|next| next.after);
            if next.is_some_and(|next| next.sequence <= after.sequence) {
                continue; // all of it lies before what is asked for
            }
            seen_after |= segment.after == after;
            let mut take = |mark: Mark, payload: &[u8]| {
                if mark.sequence <= after.sequence {
                    seen_after |= mark == after;
                    return Ok(());
                }
                if !seen_after || mark.sequence != last.sequence + 1 {
                    return Err(StoreError::Damaged { what: "the journal lacks a batch" });
                }
                let rows = Payload::parse(payload).ok_or(StoreError::Damaged { what: "a batch of the journal does not decode" })?;
                last = mark;
                visit(mark, rows)
            };
            #[cfg(feature = "seeded-bugs")]
            let end = segment.frames_with_bug(&*self.folder, self.takes_torn_frames, &mut take)?;
            #[cfg(not(feature = "seeded-bugs"))]
            let end = segment.frames(&*self.folder, &mut take)?;
            // A segment is begun behind the last whole frame of the one before: if they do not meet, something is gone.
            if next.is_some_and(|next| next != end) {
                return Err(StoreError::Damaged { what: "a segment of the journal breaks off" });
            }
        }
        if seen_after { Ok(last) } else { Err(StoreError::Damaged { what: "the journal does not reach back" }) }
    }
}

/// Removes everything that an opening does not need, whatever its age. Says whether there was anything to remove. The last checkpoint is read
/// before, so that nothing goes that it could be built anew from.
///
/// # Errors
/// [`StoreError::Damaged`] where the last checkpoint is not whole, or when the disk refuses.
pub fn free(folder: &dyn Folder) -> Result<bool, StoreError> {
    let failed = |error| StoreError::from_io("removing old segments", &error);
    let checkpoints = checkpoint::list(folder).map_err(failed)?;
    let Some((newest, earlier)) = checkpoints.split_last() else { return Ok(false) };
    let (before, _) = retention::split(segment::list(folder).map_err(failed)?, newest.sequence);
    if earlier.is_empty() && before.is_empty() {
        return Ok(false);
    }
    checkpoint::read(folder, &newest.name, &mut |_| Ok(()))?;
    retention::remove_old(folder, Duration::ZERO).map_err(failed)?;
    Ok(true)
}

/// The sequence number in a file's name.
fn sequence_of(name: &str, extension: &str) -> Option<u64> {
    let (sequence, its) = name.rsplit_once('.')?;
    (its == extension).then(|| sequence.parse().ok()).flatten()
}

fn file_name(sequence: u64, extension: &str) -> String {
    format!("{sequence:020}.{extension}")
}
