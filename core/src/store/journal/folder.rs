//! The folder that a journal lies in: what is asked of a file system, so that a simulation can stand in for one and cut its power.
//!
//! What a journal may count on is what POSIX systems keep: bytes are on the disk once their file was synced, a name once its folder was; until
//! then a cut may leave any part of them. A file is written at its end only, so a cut leaves a beginning of what was appended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// A folder of files without folders in it.
pub trait Folder: Send + Sync {
    /// Whether it is there.
    fn is_there(&self) -> bool;

    /// Makes it, if it is not there.
    ///
    /// # Errors
    /// When the disk refuses, as with all that follow.
    fn make(&self) -> io::Result<()>;

    /// The names of its files, in no order.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The length of a file in bytes.
    fn length(&self, name: &str) -> io::Result<u64>;

    /// When a file was last written to, by the folder's own clock, from some moment on that is the same for all its files.
    fn written_at(&self, name: &str) -> io::Result<Duration>;

    /// Opens a file to be read from its beginning.
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>>;

    /// Makes an empty file, also over one of this name, to be written at its end.
    fn create(&self, name: &str) -> io::Result<Box<dyn Appending>>;

    /// Gives a file another name, and that in one step, also where a file of that name was before.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes names durable: what was made, renamed and removed.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is written at its end.
pub trait Appending: Write + Send + Sync {
    /// Makes durable what was written.
    fn sync(&self) -> io::Result<()>;

    /// Cuts off what stands behind so many bytes; what is written next follows them.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Copies a file into another folder, on its disk when this returns, but for the name.
pub(super) fn copy(from: &dyn Folder, to: &dyn Folder, name: &str) -> io::Result<()> {
    const AT_ONCE: usize = 64 * 1024;
    let mut copy = to.create(name)?;
    io::copy(&mut io::BufReader::with_capacity(AT_ONCE, from.open(name)?), &mut copy)?;
    copy.sync()
}

/// A folder of the operating system.
#[derive(Debug, Clone)]
pub struct DiskFolder(PathBuf);

impl DiskFolder {
    /// The folder of this path, whether it is there or not.
    pub fn at(path: impl Into<PathBuf>) -> Arc<dyn Folder> {
        Arc::new(Self(path.into()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Folder for DiskFolder {
    fn is_there(&self) -> bool {
        self.0.exists()
    }

    fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)
    }

    /// A name that is no text is none of ours.
    fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        Ok(names.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name))?.len())
    }

    /// What a clock said that stood before 1970 counts as that moment.
    fn written_at(&self, name: &str) -> io::Result<Duration> {
        Ok(fs::metadata(self.path(name))?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(File::open(self.path(name))?))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Appending>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(self.path(name))?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync(&self) -> io::Result<()> {
        sync_folder(&self.0)
    }
}

/// Makes the names in a folder durable.
pub(in crate::store) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

impl Appending for File {
    /// The data, and of what is said of the file its length.
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }
}
