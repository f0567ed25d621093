//! The audit log: who did what to this server, kept so that nobody can change it unseen.
//!
//! Promise: what was noted is on the disk before the act is answered; a record that is changed, taken out, moved or cut off is found by
//! [`Audit::verify`]. Each record carries the SHA-256 of the one before and itself (`record`), the newest is marked in the store as well,
//! so that a missing end is found (`mark`), and files go only whole, by age, with a mark of where the chain then begins.
//!
//! A record holds ids, never names, numbers or texts of people. The files are lines of text that need no tool of ours to be checked:
//!
//! ```text
//! doorstep-audit 1 <number of the first record> <hash of the record before it>
//! <hash> {"n":1,"at":1790000000000,"who":"account:0193…","from":"10.0.0.7","what":"login","on":[],"outcome":"ok"}
//! ```
//!
//! where hash = SHA-256(hash of the record before ++ the JSON text), 32 zero bytes before the first record of all. A file is begun every
//! month of the district, and after whatever was found broken: a server goes on behind a gap, and the gap stays to be seen.

mod chain;
mod error;
mod files;
mod mark;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use doorstep_core::model::{Clock, Millis};
use doorstep_core::store::Store;

pub use chain::{Break, Verified};
pub use error::AuditError;
pub use mark::Mark;
pub use record::{Entry, Outcome, Record, Subject, What, Who};

use chain::Link;
use files::{FileName, Month};

/// The folder of the audit log in a data folder, and in a backup.
pub const AUDIT_FOLDER: &str = "audit";

/// The audit log of a server. Calls block on the disk: not for an async thread.
pub struct Audit {
    folder: PathBuf,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// For how many months files are kept behind the present one.
    months: u32,
    writer: Mutex<Writer>,
}

/// The end of the chain, and the file that it is in.
struct Writer {
    mark: Mark,
    end: Link,
    open: Option<Open>,
}

/// The file that is written to.
struct Open {
    name: FileName,
    file: File,
    /// Its length as of the last whole record.
    length: u64,
    /// A write failed: what stands behind `length` is nothing.
    is_torn: bool,
}

impl Audit {
    /// Opens the log in a folder, making it if it is new, and reads its last file. What a crash left of a record that was never answered is
    /// cut off; whatever else is not whole is left as it is and noted as a gap.
    ///
    /// # Errors
    /// When folder or store fail.
    pub fn open(folder: &Path, store: Arc<dyn Store>, clock: Arc<dyn Clock>, months: u32) -> Result<Self, AuditError> {
        fs::create_dir_all(folder).map_err(|error| AuditError::io("making the folder", &error))?;
        let mark = Mark::read(&*store)?.unwrap_or_default();
        files::remove_before(folder, mark.base)?;
        let (writer, is_whole) = Writer::find(folder, mark)?;
        let audit = Self { folder: folder.to_owned(), store, clock, months, writer: Mutex::new(writer) };
        if !is_whole {
            tracing::error!("the audit log is not whole; `doorstep admin audit verify` says where");
            audit.note(Entry::by(Who::Server, What::GapFound))?;
        }
        Ok(audit)
    }

    /// Notes what was done. It is on the disk when this returns; its number.
    ///
    /// # Errors
    /// When folder or store fail; whether the record is there is open then.
    pub fn note(&self, entry: Entry) -> Result<u64, AuditError> {
        let now = self.clock.now();
        let mut writer = self.writer();
        let record = Record { number: writer.end.number + 1, at: now, entry };
        let end = self.append(&mut writer, &record)?;
        writer.end = end;
        let mark = Mark { head: end, ..writer.mark };
        mark.write(&*self.store)?;
        writer.mark = mark;
        Ok(end.number)
    }

    fn append(&self, writer: &mut Writer, record: &Record) -> Result<Link, AuditError> {
        let month = Month::of(record.at);
        // A clock that was set back begins no file of an earlier month.
        if writer.open.as_ref().is_none_or(|open| open.name.month < month) {
            self.begin_file(writer, month)?;
        }
        let (line, link) = chain::line(writer.end, record)?;
        let open = writer.open.as_mut().ok_or(AuditError::Damaged)?;
        open.append(line.as_bytes()).map_err(|error| AuditError::io("writing a record", &error))?;
        Ok(link)
    }

    /// Begins the next file, and lets those go that are old enough.
    fn begin_file(&self, writer: &mut Writer, month: Month) -> Result<(), AuditError> {
        let name = FileName { month, first: writer.end.number + 1 };
        let open = Open::create(&self.folder, name, writer.end).map_err(|error| AuditError::io("beginning a file", &error))?;
        writer.open = Some(open);
        if let Some(base) = files::base_after(&self.folder, month.minus(self.months))?.filter(|base| base.number > writer.mark.base.number)
        {
            let mark = Mark { base, ..writer.mark };
            mark.write(&*self.store)?;
            writer.mark = mark;
            files::remove_before(&self.folder, base)?;
        }
        Ok(())
    }

    /// Records behind a number and from a time on, in order, at most `limit`. Reads the files of those months.
    ///
    /// # Errors
    /// When a file cannot be read. What is no record is left out: [`Audit::verify`] tells of it.
    pub fn records(&self, after: u64, since: Millis, limit: usize) -> Result<Vec<Record>, AuditError> {
        let since_month = Month::of(since);
        let mut found = Vec::new();
        for name in files::all(&self.folder)?.into_iter().filter(|name| name.month >= since_month) {
            let file = File::open(self.folder.join(name.to_string())).map_err(|error| AuditError::io("reading a file", &error))?;
            chain::each_record(BufReader::new(file), &mut |record| {
                if record.number > after && record.at >= since {
                    found.push(record);
                }
                found.len() < limit
            })?;
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// Reads the whole chain and says whether it is whole. Holds up whoever notes meanwhile.
    ///
    /// # Errors
    /// When a file cannot be read. What is broken is no error but in what this gives.
    pub fn verify(&self) -> Result<Verified, AuditError> {
        let writer = self.writer();
        verify(&self.folder, Some(writer.mark))
    }

    /// Copies the log into another folder, for a backup; on its disk when this returns.
    ///
    /// # Errors
    /// When a folder fails.
    pub fn copy_to(&self, folder: &Path) -> Result<(), AuditError> {
        let _writer = self.writer();
        copy(&self.folder, folder)
    }

    /// A poisoned lock means that a thread panicked; what a torn write left is cut off before the next.
    fn writer(&self) -> std::sync::MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a whole log, also that of a stopped server or of a backup; without a mark a missing end is not seen.
///
/// # Errors
/// When a file cannot be read.
pub fn verify(folder: &Path, mark: Option<Mark>) -> Result<Verified, AuditError> {
    let names = files::all(folder)?;
    chain::verify(&names, mark, &mut |name| {
        let file = File::open(folder.join(name.to_string())).map_err(|error| AuditError::io("reading a file", &error))?;
        Ok(Box::new(BufReader::new(file)))
    })
}

/// Copies all files of a log into a folder that is made for it.
///
/// # Errors
/// When a folder fails.
pub fn copy(from: &Path, to: &Path) -> Result<(), AuditError> {
    let failed = |error: io::Error| AuditError::io("copying the log", &error);
    fs::create_dir_all(to).map_err(failed)?;
    for name in files::all(from)? {
        let name = name.to_string();
        fs::copy(from.join(&name), to.join(&name)).and_then(|_| File::open(to.join(&name))?.sync_all()).map_err(failed)?;
    }
    files::sync(to).map_err(failed)
}

impl Writer {
    /// Where the chain ends, and whether what is there is whole as far as the last file and the mark tell.
    fn find(folder: &Path, mark: Mark) -> Result<(Self, bool), AuditError> {
        let Some(name) = files::all(folder)?.pop() else {
            return Ok((Self { mark, end: mark.head, open: None }, mark.head == Link::default()));
        };
        let path = folder.join(name.to_string());
        let failed = |error: io::Error| AuditError::io("reading the last file", &error);
        let walked = chain::walk(&mut BufReader::new(File::open(&path).map_err(failed)?), Some(mark.head), None)?;
        let reached_mark = walked.end.number >= mark.head.number && walked.marked.is_none_or(|same| same);
        if walked.broken.is_some() || !reached_mark {
            // The greater number: none is given twice.
            let end = if walked.end.number > mark.head.number { walked.end } else { mark.head };
            return Ok((Self { mark, end, open: None }, false));
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        file.set_len(walked.length).and_then(|()| file.sync_all()).map_err(failed)?;
        let open = Open { name, file, length: walked.length, is_torn: false };
        Ok((Self { mark, end: walked.end, open: Some(open) }, true))
    }
}

impl Open {
    fn create(folder: &Path, name: FileName, before: Link) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = folder.join(name.to_string());
        // Renamed when its head is whole. A file that has this name already holds no whole record, or the number would not be free.
        let draft = path.with_extension("new");
        let mut open = Self { name, file: options.open(&draft)?, length: 0, is_torn: false };
        open.append(chain::header(before).as_bytes())?;
        fs::rename(&draft, &path)?;
        files::sync(folder)?;
        Ok(open)
    }

    /// Writes behind what is whole, and waits for the disk.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        use std::io::{Seek as _, SeekFrom};
        if std::mem::replace(&mut self.is_torn, true) {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        self.length += bytes.len() as u64;
        self.is_torn = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
