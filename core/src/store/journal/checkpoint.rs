//! A checkpoint: all rows, as frames in one file, as they were at a batch of the journal or later.

use std::io::{self, BufReader, Read as _};
use std::ops::ControlFlow;

use super::folder::{Appending, Folder};
use super::frame::{self, Mark, Payload};
use super::segment::{HEADER, beginning, header, read_header};
use super::{file_name, sequence_of};
use crate::store::{Read, StoreError};

const EXTENSION: &str = "checkpoint";
/// What is not finished yet bears this name.
const UNFINISHED: &str = "unfinished";
/// Doorstep, checkpoint, version 1.
const MAGIC: &[u8; 8] = b"DSTEPC\x00\x01";
/// How many bytes of rows stand in a frame.
const FRAME_BYTES: usize = 64 * 1024;

/// Writes a checkpoint of what `store` holds into `folder` and says its name; everything up to `at` is in it, and perhaps something of what came
/// later. Costs a scan of the store, in pages, while commits go on. On the disk when this returns.
///
/// # Errors
/// When store or disk fail; nothing bears the checkpoint's name then.
pub fn write(folder: &dyn Folder, store: &dyn Read, at: Mark) -> Result<String, StoreError> {
    let unfinished = file_name(at.sequence, UNFINISHED);
    let name = file_name(at.sequence, EXTENSION);
    let written = write_aside(folder, &unfinished, store, at).and_then(|()| {
        let renamed = folder.rename(&unfinished, &name).and_then(|()| folder.sync());
        renamed.map_err(|error| StoreError::from_io("writing a checkpoint", &error))
    });
    if written.is_err() {
        // On a full disk what is unfinished takes the room that would be needed; if it stays, the next checkpoint removes it.
        let _ = folder.remove(&unfinished);
    }
    written.map(|()| name)
}

fn write_aside(folder: &dyn Folder, unfinished: &str, store: &dyn Read, at: Mark) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::from_io("writing a checkpoint", &error);
    let file = folder.create(unfinished).map_err(failed)?;
    let mut writer = Writer { file, last: Mark::default(), payload: Vec::new(), result: Ok(()) };
    writer.file.write_all(&header(MAGIC, at)).map_err(failed)?;
    store.scan_prefix(&[], &mut |key, value| {
        writer.row(key, value);
        if writer.result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    writer.finish().map_err(failed)
}

struct Writer {
    file: Box<dyn Appending>,
    last: Mark,
    payload: Vec<u8>,
    result: io::Result<()>,
}

impl Writer {
    fn row(&mut self, key: &[u8], value: &[u8]) {
        frame::encode_row(&mut self.payload, key, Some(value));
        if self.payload.len() >= FRAME_BYTES {
            self.frame();
        }
    }

    fn frame(&mut self) {
        let mut bytes = Vec::new();
        self.last = frame::append(&mut bytes, self.last, &std::mem::take(&mut self.payload));
        if self.result.is_ok() {
            self.result = self.file.write_all(&bytes);
        }
    }

    /// The rows that are left, and the end: an empty frame, without which a file is not whole.
    fn finish(mut self) -> io::Result<()> {
        if !self.payload.is_empty() {
            self.frame();
        }
        self.frame();
        self.result?;
        self.file.sync()
    }
}

/// Shows all rows of a checkpoint, some at a time.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not whole, what `visit` answers, or when the disk refuses.
pub fn read(folder: &dyn Folder, name: &str, visit: &mut dyn FnMut(Payload<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::from_io("reading a checkpoint", &error);
    let broken = StoreError::Damaged { what: "a checkpoint is not whole" };
    let mut file = BufReader::new(folder.open(name).map_err(failed)?);
    let mut head = [0; HEADER];
    file.read_exact(&mut head).map_err(|_| broken.clone())?;
    read_header(MAGIC, &head).ok_or(broken.clone())?;
    let (mut last, mut bytes) = (Mark::default(), Vec::new());
    loop {
        if !next_frame(&mut file, &mut bytes).map_err(failed)? {
            return Err(broken);
        }
        let (mark, payload) = frame::take(&mut bytes.as_slice(), last).map_err(|_| broken.clone())?;
        if payload.is_empty() {
            return Ok(());
        }
        last = mark;
        visit(Payload::parse(payload).ok_or(broken.clone())?)?;
    }
}

/// Puts the bytes of the next frame in the place of what `bytes` held. Not where the file ends or a frame claims more than one of ours has.
fn next_frame(file: &mut impl io::Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    /// A frame is closed as soon as it has [`FRAME_BYTES`]; a row has less than this.
    const MOST: usize = FRAME_BYTES + 8 * 1024;
    bytes.clear();
    file.by_ref().take(frame::HEAD as u64).read_to_end(bytes)?;
    let Some(length) = bytes.first_chunk::<4>().filter(|_| bytes.len() == frame::HEAD) else { return Ok(false) };
    let length = u32::from_be_bytes(*length);
    if length as usize > MOST {
        return Ok(false);
    }
    file.take(u64::from(length)).read_to_end(bytes)?;
    Ok(true)
}

/// A file that bears a checkpoint's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The batch that it was made at, by its name.
    pub sequence: u64,
    /// The mark of that batch, by its header; none where that is broken.
    pub at: Option<Mark>,
    /// Its file's name.
    pub name: String,
}

/// The checkpoints of a folder, the oldest first.
pub(super) fn list(folder: &dyn Folder) -> io::Result<Vec<Checkpoint>> {
    let mut found = Vec::new();
    for name in folder.names()? {
        let Some(sequence) = sequence_of(&name, EXTENSION) else { continue };
        let at = read_header(MAGIC, &beginning(folder, &name)?).filter(|at| at.sequence == sequence);
        found.push(Checkpoint { sequence, at, name });
    }
    found.sort_by_key(|checkpoint| checkpoint.sequence);
    Ok(found)
}

/// Gives a checkpoint that is not whole a name under which it is none, for who wants to look at it.
pub(super) fn set_aside(folder: &dyn Folder, name: &str) -> io::Result<()> {
    folder.rename(name, &format!("{name}.damaged"))
}

/// Removes what never became a checkpoint.
pub(super) fn remove_unfinished(folder: &dyn Folder) -> io::Result<()> {
    let names = folder.names()?;
    names.iter().filter(|name| sequence_of(name, UNFINISHED).is_some()).try_for_each(|name| folder.remove(name))
}
