//! The chain: pure functions over lines of text.
//!
//! A walk through a file stops at the first thing that is wrong with it; the next file says in its head where it goes on.

use std::io::{BufRead, Read as _};

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::AuditError;
use super::files::FileName;
use super::mark::Mark;
use super::record::Record;

/// What begins every file.
const MAGIC: &str = "doorstep-audit 1";
/// The longest line in bytes: a record holds some ids, and a file of another kind must not fill the memory.
const MOST_LINE: u64 = 4_096;

/// A record's place in the chain: its number and its hash, which hangs on all before it. Number 0 stands before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Link {
    /// The number.
    #[n(0)]
    pub number: u64,
    /// The hash.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

impl Link {
    /// The link of the record behind this one.
    fn next(&self, json: &str) -> Self {
        let hash = Sha256::new().chain_update(self.hash).chain_update(json).finalize().into();
        Self { number: self.number + 1, hash }
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The line of a record behind `before`, and its link.
pub(super) fn line(before: Link, record: &Record) -> Result<(String, Link), AuditError> {
    let json = serde_json::to_string(record).map_err(|_| AuditError::Damaged)?;
    let link = before.next(&json);
    let line = format!("{} {json}\n", hex(&link.hash));
    if line.len() as u64 > MOST_LINE { Err(AuditError::Damaged) } else { Ok((line, link)) }
}

/// The first line of a file that goes on behind `before`.
pub(super) fn header(before: Link) -> String {
    format!("{MAGIC} {} {}\n", before.number + 1, hex(&before.hash))
}

/// Reads a line without its end; none at the end of the file, half a line as an error.
fn next_line(file: &mut dyn BufRead, length: &mut u64) -> Result<Option<Result<String, &'static str>>, AuditError> {
    let mut bytes = Vec::new();
    file.take(MOST_LINE).read_until(b'\n', &mut bytes).map_err(|error| AuditError::io("reading a file", &error))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.pop() != Some(b'\n') {
        return Ok(Some(Err(if bytes.len() as u64 + 1 >= MOST_LINE { NO_RECORD } else { HALF })));
    }
    *length += bytes.len() as u64 + 1;
    Ok(Some(String::from_utf8(bytes).map_err(|_| NO_RECORD)))
}

/// What can be wrong, as codes that are promises to scripts.
const HEAD: &str = "file-head";
const NO_RECORD: &str = "no-record";
const HALF: &str = "half-record";
const NUMBER: &str = "wrong-number";
const HASH: &str = "wrong-hash";
const GAP: &str = "missing-records";
const BEGINNING: &str = "missing-beginning";
const END: &str = "missing-end";
const MARK: &str = "other-than-marked";

/// The link before the first record of a file; none where that cannot be read.
pub(super) fn read_header(file: &mut dyn BufRead) -> Result<Option<Link>, AuditError> {
    let Some(Ok(line)) = next_line(file, &mut 0)? else { return Ok(None) };
    let fields = line.strip_prefix(MAGIC).and_then(|rest| rest.trim_start().split_once(' '));
    let Some((first, hash)) = fields else { return Ok(None) };
    let number = first.parse::<u64>().ok().and_then(|first| first.checked_sub(1));
    let link = number.zip(unhex(hash)).map(|(number, hash)| Link { number, hash });
    // In no other spelling than ours.
    Ok(link.filter(|link| header(*link).trim_end() == line))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    // Small digits only: one hash has one text.
    if text.len() != 64 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// What a walk through a file found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Walked {
    /// The last record that is right.
    pub end: Link,
    /// Where the file says that it goes on.
    pub before: Option<Link>,
    /// How many records are right.
    pub records: u64,
    /// Length of what is right, in bytes.
    pub length: u64,
    /// Whether the record of the mark is the one that was marked; none where the file does not have it.
    pub marked: Option<bool>,
    /// The line (from 1) and what is wrong with it. Half a record at the end is none: a crash leaves one.
    pub broken: Option<(u64, &'static str)>,
    /// Whether the file ends in half a record.
    pub is_torn: bool,
}

/// Walks through a file and compares the record of `mark` when it comes by. `visit` is shown each right record's text and may break off.
pub(super) fn walk(
    file: &mut dyn BufRead,
    mark: Option<Link>,
    mut visit: Option<&mut dyn FnMut(&str) -> bool>,
) -> Result<Walked, AuditError> {
    let mut walked = Walked::default();
    let Some(before) = read_header(file)? else {
        return Ok(Walked { broken: Some((1, HEAD)), ..walked });
    };
    (walked.end, walked.before, walked.length) = (before, Some(before), header(before).len() as u64);
    for number in 2.. {
        if mark.is_some_and(|mark| mark.number == walked.end.number) {
            walked.marked = Some(mark == Some(walked.end));
        }
        let line = match next_line(file, &mut walked.length)? {
            None => break,
            Some(Err(HALF)) => {
                walked.is_torn = true;
                break;
            }
            Some(Err(what)) => return Ok(Walked { broken: Some((number, what)), ..walked }),
            Some(Ok(line)) => line,
        };
        match check(walked.end, &line) {
            Ok((link, json)) => {
                (walked.end, walked.records) = (link, walked.records + 1);
                if visit.as_mut().is_some_and(|visit| !visit(json)) {
                    break;
                }
            }
            Err(what) => {
                walked.length -= line.len() as u64 + 1;
                return Ok(Walked { broken: Some((number, what)), ..walked });
            }
        }
    }
    Ok(walked)
}

/// A line as the record behind `before`.
fn check(before: Link, line: &str) -> Result<(Link, &str), &'static str> {
    let (hash, json) = line.split_once(' ').ok_or(NO_RECORD)?;
    let hash = unhex(hash).ok_or(NO_RECORD)?;
    let record: Record = serde_json::from_str(json).map_err(|_| NO_RECORD)?;
    let link = before.next(json);
    if record.number != link.number {
        return Err(NUMBER);
    }
    if link.hash == hash { Ok((link, json)) } else { Err(HASH) }
}

/// Shows every right record of a file, until `visit` has enough.
pub(super) fn each_record(mut file: impl BufRead, visit: &mut dyn FnMut(Record) -> bool) -> Result<(), AuditError> {
    let mut shown = |json: &str| serde_json::from_str(json).is_ok_and(&mut *visit);
    walk(&mut file, None, Some(&mut shown)).map(drop)
}

/// What reading a whole log found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Records that are right.
    pub records: u64,
    /// Files.
    pub files: usize,
    /// Number of the last record that is right.
    pub last: u64,
    /// Whether the end was held against the mark in the store.
    pub is_marked: bool,
    /// What is wrong, in the order of the chain.
    pub broken: Vec<Break>,
}

/// A place where the log is not whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Break {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong: a code.
    pub what: &'static str,
    /// The last record that is right before it.
    pub after: u64,
}

/// Opens a file of the log.
pub(super) type Opener<'a> = dyn FnMut(&FileName) -> Result<Box<dyn BufRead>, AuditError> + 'a;

/// Walks through all files in their order.
pub(super) fn verify(names: &[FileName], mark: Option<Mark>, open: &mut Opener) -> Result<Verified, AuditError> {
    let mut verified = Verified { records: 0, files: names.len(), last: 0, is_marked: mark.is_some(), broken: Vec::new() };
    let mut end = mark.map(|mark| mark.base);
    let mut marked = None;
    for name in names {
        let walked = walk(&mut *open(name)?, mark.map(|mark| mark.head), None)?;
        let mut note = |line, what, after| verified.broken.push(Break { file: name.to_string(), line, what, after });
        let reached = end.map_or(0, |end| end.number);
        match (end, walked.before) {
            // Files from before the mark of the beginning are about to be removed.
            (Some(end), Some(before)) if before != end && (verified.records > 0 || before.number >= end.number) => {
                note(1, if verified.records > 0 { GAP } else { BEGINNING }, reached);
            }
            _ => {}
        }
        if let Some((line, what)) = walked.broken {
            note(line, what, walked.end.number);
        }
        verified.records += walked.records;
        marked = walked.marked.or(marked);
        end = Some(walked.end);
    }
    verified.last = end.map_or(0, |end| end.number);
    let file = names.last().map(ToString::to_string).unwrap_or_default();
    match (mark, marked) {
        (Some(mark), None) if mark.head.number > 0 => {
            verified.broken.push(Break { file, line: 0, what: END, after: verified.last });
        }
        (_, Some(false)) => verified.broken.push(Break { file, line: 0, what: MARK, after: verified.last }),
        _ => {}
    }
    Ok(verified)
}
