//! A segment: a header that says behind which batch it begins, then frames.

use std::io::{self, Read as _};

use super::folder::{Appending, Folder};
use super::frame::{self, Cut, Mark};
use super::{SEGMENT_BYTES, file_name, sequence_of};
use crate::store::StoreError;

const EXTENSION: &str = "segment";
/// Doorstep, journal, version 1.
const MAGIC: &[u8; 8] = b"DSTEPJ\x00\x01";
/// Magic bytes and the mark behind which it begins, with a check over both.
pub(super) const HEADER: usize = 8 + 12 + 4;
/// Stands for a check that is not known. Nothing fits it: neither the beginning of a journal, whose check is 0, nor, but by a chance in billions, a batch.
const NO_CHECK: u32 = u32::MAX;
/// The longest that a segment can be: it is closed at [`SEGMENT_BYTES`], after one frame more. A longer file is none of ours.
const MOST_BYTES: u64 = SEGMENT_BYTES + (frame::MOST_PAYLOAD + frame::HEAD + HEADER) as u64;

/// Is shown the frames of a segment, and may say that one is wrong.
pub type VisitFrame<'a> = dyn FnMut(Mark, &[u8]) -> Result<(), StoreError> + 'a;

/// A segment on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The batch behind which it begins.
    pub after: Mark,
    /// Its file's name.
    pub name: String,
}

impl Segment {
    /// Shows the frames that are whole, in order, and says which was the last. A torn end is left.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a frame is broken that others follow, what `visit` answers, or when the disk refuses.
    pub fn frames(&self, folder: &dyn Folder, visit: &mut VisitFrame<'_>) -> Result<Mark, StoreError> {
        let bytes = self.bytes(folder)?;
        whole_frames(&mut bytes.get(HEADER..).unwrap_or_default(), self.after, visit)
    }

    fn bytes(&self, folder: &dyn Folder) -> Result<Vec<u8>, StoreError> {
        let failed = |error: io::Error| StoreError::from_io("reading the journal", &error);
        if folder.length(&self.name).map_err(failed)? > MOST_BYTES {
            return Err(StoreError::Damaged { what: "a segment of the journal is too long" });
        }
        let mut bytes = Vec::new();
        folder.open(&self.name).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
        Ok(bytes)
    }

    /// [`Segment::frames`] that takes what is left of a frame that was cut for one, as far as there are whole rows in it.
    #[cfg(feature = "seeded-bugs")]
    pub(super) fn frames_with_bug(&self, folder: &dyn Folder, takes_torn: bool, visit: &mut VisitFrame<'_>) -> Result<Mark, StoreError> {
        let bytes = self.bytes(folder)?;
        let mut rest = bytes.get(HEADER..).unwrap_or_default();
        let last = whole_frames(&mut rest, self.after, visit)?;
        let Some(payload) = rest.get(frame::HEAD..).filter(|_| takes_torn) else { return Ok(last) };
        let whole =
            (1..=payload.len()).rev().find(|length| payload.get(..*length).is_some_and(|rows| frame::Payload::parse(rows).is_some()));
        let Some(rows) = whole.and_then(|length| payload.get(..length)) else { return Ok(last) };
        let mark = frame::append(&mut Vec::new(), last, rows);
        visit(mark, rows)?;
        Ok(mark)
    }
}

/// Shows the frames behind `last` that are whole, takes them off `rest`, and says which was the last.
fn whole_frames(rest: &mut &[u8], mut last: Mark, visit: &mut VisitFrame<'_>) -> Result<Mark, StoreError> {
    loop {
        match frame::take(rest, last) {
            Ok((mark, payload)) => {
                last = mark;
                visit(mark, payload)?;
            }
            Err(Cut::Torn) if frame::is_followed(rest, last) => {
                return Err(StoreError::Damaged { what: "a batch in the middle of a segment is broken" });
            }
            Err(Cut::End | Cut::Torn) => return Ok(last),
        }
    }
}

/// The header of what begins behind `after`.
pub(super) fn header(magic: &[u8; 8], after: Mark) -> Vec<u8> {
    let mut bytes = [&magic[..], &after.to_bytes()].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

/// Reads a header.
pub(super) fn read_header(magic: &[u8; 8], bytes: &[u8]) -> Option<Mark> {
    let (body, check) = bytes.get(..HEADER)?.split_at_checked(HEADER - 4)?;
    let after = Mark::from_bytes(body.strip_prefix(magic)?)?;
    (crc32fast::hash(body).to_be_bytes() == check).then_some(after)
}

/// Makes a segment behind `after`, on the disk with its name. One of this name holds nothing that counts and is written over. Gives the file,
/// to be appended to, and its length.
pub(super) fn create(folder: &dyn Folder, after: Mark) -> io::Result<(Box<dyn Appending>, u64)> {
    let mut file = folder.create(&file_name(after.sequence + 1, EXTENSION))?;
    file.write_all(&header(MAGIC, after))?;
    file.sync()?;
    folder.sync()?;
    Ok((file, HEADER as u64))
}

/// The segments of a folder, in order. One whose header never became whole was never written to, and is left out. One that was written to and
/// has a header no more is among them behind the batch that its name tells, with a check that fits none: reading finds out what is missing.
pub(super) fn list(folder: &dyn Folder) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for name in folder.names()? {
        let Some(first) = sequence_of(&name, EXTENSION) else { continue };
        let was_written_to = folder.length(&name)? > HEADER as u64;
        let nameless = was_written_to.then_some(Mark { sequence: first.saturating_sub(1), check: NO_CHECK });
        if let Some(after) = read_header(MAGIC, &beginning(folder, &name)?).or(nameless) {
            segments.push(Segment { after, name });
        }
    }
    segments.sort_by_key(|segment| segment.after.sequence);
    Ok(segments)
}

/// The first bytes of a file, as many as a header has.
pub(super) fn beginning(folder: &dyn Folder, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    folder.open(name)?.take(HEADER as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
