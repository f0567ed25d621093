//! The list of what was erased and redacted, as a file in the data folder: outside of the store, and of every backup.
//!
//! A backup holds keys that were destroyed since. Whoever restores one brings this file along, and the server erases again at its start what stands in
//! it. It holds ids, places and times, nothing of people; a line each, appended and synced before anything is destroyed:
//!
//! ```text
//! <street> <record> <when, in milliseconds> <CRC-32 of what stands before it, in hex>
//! <street> <record> <when, in milliseconds> <place of a value> <its field> <id of the key> <CRC-32 of what stands before it, in hex>
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use doorstep_core::docs::KeyId;
use doorstep_core::docs::layout::Path;
use doorstep_core::model::{DocId, Millis, StreetId};

use crate::hub::{Erasure, ErasureList, Redaction};

/// The name of the file in a data folder.
pub const ERASURES_FILE: &str = "erasures";

/// The list in a file.
pub struct Erasures {
    path: PathBuf,
    known: Mutex<Vec<Erasure>>,
}

impl Erasures {
    /// Reads the list of a data folder; there is none before the first erasure. What a cut left of a line that was never answered is cut off.
    ///
    /// # Errors
    /// When the disk refuses, or a line that is not the last is none of ours: what was erased must not come back because a list cannot be read.
    pub fn open(path: &std::path::Path) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let mut known = Vec::new();
        let mut whole = 0;
        for line in text.split_inclusive('\n') {
            match line.strip_suffix('\n').and_then(read) {
                Some(erasure) => known.push(erasure),
                None if whole + line.len() == text.len() => break,
                None => return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the list of erasures is damaged")),
            }
            whole += line.len();
        }
        if whole < text.len() {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        Ok(Self { path: path.to_owned(), known: Mutex::new(known) })
    }
}

impl ErasureList for Erasures {
    fn note(&self, erasure: Erasure) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !self.path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(line(&erasure).as_bytes())?;
        file.sync_all()?;
        if is_new && let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        known.push(erasure);
        Ok(())
    }

    fn all(&self) -> Vec<Erasure> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn of(&self, street: StreetId, doc: DocId) -> Vec<Erasure> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().filter(|erasure| erasure.is_of(street, doc)).cloned().collect()
    }
}

fn line(erasure: &Erasure) -> String {
    let mut text = format!("{} {} {}", erasure.street, erasure.doc, erasure.at.0);
    if let Some(Redaction { path, field, key }) = &erasure.part {
        text += &format!(" {path} {field} {:016x}", u64::from_be_bytes(key.0));
    }
    format!("{text} {:08x}\n", crc32fast::hash(text.as_bytes()))
}

fn read(line: &str) -> Option<Erasure> {
    let (text, check) = line.rsplit_once(' ')?;
    if u32::from_str_radix(check, 16).ok()? != crc32fast::hash(text.as_bytes()) {
        return None;
    }
    let mut words = text.split(' ');
    let (street, doc, at) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, Millis(words.next()?.parse().ok()?));
    let part = match words.next() {
        None => None,
        Some(path) => {
            let (path, field) = (Path::of_value(path)?, words.next()?.to_owned());
            Some(Redaction { path, field, key: KeyId(u64::from_str_radix(words.next()?, 16).ok()?.to_be_bytes()) })
        }
    };
    words.next().is_none().then_some(Erasure { street, doc, at, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erasure(number: u8) -> Erasure {
        let redaction = Redaction {
            path: Path::of_value("visits/0193a3c2-0000-7000-8000-000000000000/findings").unwrap(),
            field: "visits.findings".to_owned(),
            key: KeyId([0, 1, 2, 3, 4, 5, 6, number]),
        };
        Erasure {
            street: StreetId::from_bytes([1; 16]),
            doc: DocId::from_bytes([number; 16]),
            at: Millis(1_795_449_600_000),
            part: (number == 3).then_some(redaction),
        }
    }

    #[test]
    fn what_was_noted_is_there_after_a_start_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ERASURES_FILE);
        let list = Erasures::open(&path).unwrap();
        assert_eq!(list.all(), []);
        list.note(erasure(1)).unwrap();
        list.note(erasure(2)).unwrap();
        assert_eq!(Erasures::open(&path).unwrap().all(), [erasure(1), erasure(2)]);
        let whole = std::fs::read(&path).unwrap();
        for length in whole.len() / 2..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let list = Erasures::open(&path).unwrap();
            assert_eq!(list.all(), [erasure(1)]);
            list.note(erasure(3)).unwrap();
            assert_eq!(Erasures::open(&path).unwrap().all(), [erasure(1), erasure(3)]);
        }
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error_and_no_shorter_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ERASURES_FILE);
        let list = Erasures::open(&path).unwrap();
        (1..4).for_each(|number| list.note(erasure(number)).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[3] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(Erasures::open(&path).is_err());
    }
}
