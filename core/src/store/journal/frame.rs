//! Frames: pure functions over the bytes of segments and checkpoints.
//!
//! ```text
//! frame     length of the payload (u32 be) ++ check (u32 be) ++ sequence (u64 be) ++ payload
//! check     CRC-32 over the check of the frame before, length, sequence, payload: a frame of another journal does not fit
//! payload   rows, one after the other: length of the key (u8) ++ length of the value (u16 be, 65,535 for a delete) ++ key ++ value
//! ```

use super::Rows;
use crate::store::{MOST_KEY, MOST_ROW, MOST_TRANSACTION};

/// Bytes before a frame's payload.
pub const HEAD: usize = 16;

/// The longest payload: the largest transaction, and what stands around its rows, which are not shorter than that.
pub const MOST_PAYLOAD: usize = 2 * MOST_TRANSACTION;

/// The value's length that says that there is none.
const DELETED: u16 = u16::MAX;
const _: () = assert!(MOST_ROW < DELETED as usize && MOST_KEY <= u8::MAX as usize);

/// A batch's place in the journal: its number, and the check of its frame, which hangs on all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// From 1, without gaps; 0 is before everything.
    pub sequence: u64,
    /// The check of the frame.
    pub check: u32,
}

impl Mark {
    /// As bytes: in the store's own row, and in headers.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (sequence, check) = bytes.split_at_mut(8);
        sequence.copy_from_slice(&self.sequence.to_be_bytes());
        check.copy_from_slice(&self.check.to_be_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) gave.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (sequence, check) = bytes.split_first_chunk::<8>()?;
        Some(Self { sequence: u64::from_be_bytes(*sequence), check: u32::from_be_bytes(check.try_into().ok()?) })
    }
}

/// Why no further frame is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The bytes end here.
    End,
    /// What follows is no whole frame behind the one before.
    Torn,
}

/// Appends the frame of a payload behind the frame `last`, and says its mark.
pub fn append(out: &mut Vec<u8>, last: Mark, payload: &[u8]) -> Mark {
    let sequence = last.sequence + 1;
    let mark = Mark { sequence, check: check(last, payload, sequence) };
    out.extend(length_of(payload).to_be_bytes());
    out.extend(mark.check.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend(payload);
    mark
}

/// Takes the next frame behind the frame `last` off the front of `bytes`. Never panics, whatever the bytes are.
///
/// # Errors
/// Where there is none.
pub fn take<'a>(bytes: &mut &'a [u8], last: Mark) -> Result<(Mark, &'a [u8]), Cut> {
    if bytes.is_empty() {
        return Err(Cut::End);
    }
    let torn = Cut::Torn;
    let (mark, length) = head(bytes).filter(|(_, length)| *length <= MOST_PAYLOAD).ok_or(torn)?;
    let (payload, rest) = bytes.get(HEAD..).and_then(|rest| rest.split_at_checked(length)).ok_or(torn)?;
    let follows = last.sequence.checked_add(1) == Some(mark.sequence);
    if !follows || check(last, payload, mark.sequence) != mark.check {
        return Err(torn);
    }
    *bytes = rest;
    Ok((mark, payload))
}

/// Whether frames follow the broken one that [`take`] did not take behind the frame `last`. Then it is no torn end, behind which there is nothing:
/// what is broken was damaged. One that follows shows by the check of the broken frame, or by the one behind it.
pub fn is_followed(bytes: &[u8], last: Mark) -> bool {
    /// More batches than a segment can hold.
    const MOST: u64 = 1 << 20;
    let broken = |check| Mark { sequence: last.sequence.wrapping_add(1), check };
    // Either the check is broken, or it is right and something else is.
    let is_check_broken = head(bytes).and_then(|(mark, length)| {
        let payload = bytes.get(HEAD..)?.get(..length)?;
        let mut behind = bytes.get(HEAD + length..)?;
        take(&mut behind, broken(check(last, payload, mark.sequence))).ok()
    });
    let claimed = head(bytes).map(|(mark, _)| broken(mark.check));
    let is_frame = |mut rest: &[u8]| {
        let Some((mark, length)) = head(rest) else { return false };
        if !(2..MOST).contains(&mark.sequence.wrapping_sub(last.sequence)) {
            return false;
        }
        let behind = rest.get(HEAD.saturating_add(length)..);
        behind.is_some_and(|mut behind| take(&mut behind, mark).is_ok()) || claimed.is_some_and(|broken| take(&mut rest, broken).is_ok())
    };
    is_check_broken.is_some() || (1..bytes.len()).any(|at| bytes.get(at..).is_some_and(is_frame))
}

/// What a frame's head claims: its mark, and how long its payload is.
fn head(bytes: &[u8]) -> Option<(Mark, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (check, rest) = rest.split_first_chunk::<4>()?;
    let (sequence, _) = rest.split_first_chunk::<8>()?;
    let mark = Mark { sequence: u64::from_be_bytes(*sequence), check: u32::from_be_bytes(*check) };
    Some((mark, u32::from_be_bytes(*length) as usize))
}

fn length_of(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}

fn check(last: Mark, payload: &[u8], sequence: u64) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in [&last.check.to_be_bytes()[..], &length_of(payload).to_be_bytes(), &sequence.to_be_bytes(), payload] {
        hasher.update(part);
    }
    hasher.finalize()
}

/// Rows as a payload. They are within the limits of a transaction, so that their lengths fit.
pub fn encode(rows: &Rows) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in rows {
        encode_row(&mut out, key, value.as_deref());
    }
    out
}

/// Appends one row to a payload.
pub fn encode_row(out: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    out.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
    let length = value.map_or(DELETED, |value| u16::try_from(value.len()).unwrap_or(DELETED));
    out.extend(length.to_be_bytes());
    out.extend(key);
    out.extend(value.unwrap_or_default());
}

/// The rows of a payload, where they stand. Of a payload that is wholly rows within their limits, so reading them ends at its end.
#[derive(Clone, Copy)]
pub struct Payload<'a>(&'a [u8]);

/// A row of a payload: key and new value, `None` where it was deleted.
pub type Row<'a> = (&'a [u8], Option<&'a [u8]>);

impl<'a> Payload<'a> {
    /// None if the bytes are not wholly rows within their limits. Reads the lengths of all rows; never panics and never allocates.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, rest) = split_row(rest)?;
        }
        Some(Self(bytes))
    }

    /// The rows, in the order in which they stand.
    pub fn rows(self) -> impl Iterator<Item = Row<'a>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let row;
            (row, rest) = split_row(rest)?;
            Some(row)
        })
    }

    /// The rows as a map of their own.
    pub fn to_rows(self) -> Rows {
        self.rows().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect()
    }
}

/// The first row, and what stands behind it.
fn split_row(bytes: &[u8]) -> Option<(Row<'_>, &[u8])> {
    let (key_length, rest) = bytes.split_first()?;
    let (value_length, rest) = rest.split_first_chunk::<2>()?;
    let (key, rest) = rest.split_at_checked(usize::from(*key_length))?;
    let (value, rest) = match u16::from_be_bytes(*value_length) {
        DELETED => (None, rest),
        length => rest.split_at_checked(usize::from(length)).map(|(value, rest)| (Some(value), rest))?,
    };
    let is_within = key.len() <= MOST_KEY && value.is_none_or(|value| value.len() <= MOST_ROW);
    is_within.then_some(((key, value), rest))
}
