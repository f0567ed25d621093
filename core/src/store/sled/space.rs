//! Room on the disk. sled does not come back from a full disk without being opened again, and does not open on one, since it writes when it
//! opens. So commits stop while there is still some room, and a file of ballast can be given away to open.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The ballast, in bytes. 256 kB were too little for sled to open, 1 MB was enough (measured on 8 MB of tmpfs); a journal's segment beside it.
const BALLAST_BYTES: usize = 4 << 20;

/// Watches the room on a folder's disk.
pub(super) struct Space {
    folder: PathBuf,
    floor_bytes: u64,
}

impl Space {
    pub(super) fn new(folder: &Path, floor_bytes: u64) -> Self {
        Self { folder: folder.to_owned(), floor_bytes }
    }

    /// Whether there is room to write. One question to the file system.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.check_for(0)
    }

    /// Whether there is room to write so many bytes and to go on writing then.
    pub(super) fn check_for(&self, bytes: u64) -> Result<(), StoreError> {
        if self.floor_bytes == 0 || self.free()? >= self.floor_bytes.saturating_add(bytes) { Ok(()) } else { Err(StoreError::Full) }
    }

    /// Before the store is opened: on a disk without room the ballast is given away; where there is room again, it is put back.
    pub(super) fn make_room_to_open(&self) -> Result<(), StoreError> {
        if self.floor_bytes == 0 {
            return Ok(());
        }
        let ballast = self.folder.join("ballast");
        let failed = |error: io::Error| StoreError::from_io("keeping room on the disk", &error);
        let free = self.free()?;
        if ballast.exists() {
            return if free < BALLAST_BYTES as u64 { fs::remove_file(&ballast).map_err(failed) } else { Ok(()) };
        }
        if free < self.floor_bytes + 2 * BALLAST_BYTES as u64 {
            return Ok(()); // there is none to keep
        }
        // Not sparse, or there would be nothing to give away.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&ballast).map_err(failed)?;
        file.write_all(&vec![0x5a; BALLAST_BYTES]).and_then(|()| file.sync_all()).map_err(failed)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    fn free(&self) -> Result<u64, StoreError> {
        fs4::available_space(&self.folder).map_err(|error| StoreError::from_io("asking for the room on the disk", &error))
    }
}
