//! The lock of a store's folder, so that two handles never write to it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::store::StoreError;

/// Our own lock in the folder. sled locks `db` only on desktop systems, and says so in words; it lets go of it late.
pub(super) const LOCK: &str = "lock";

/// How often, and how long apart, a lock is tried that may be about to be let go: half a second in all. sled's last background work after a
/// close takes some milliseconds; a child process holds a copied descriptor between fork and exec.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Makes the folder if it is not there, and makes its entry in the folder above durable.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    fs::create_dir_all(path)?;
    for made in missing.into_iter().chain([path]) {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match File::open(above).and_then(|folder| folder.sync_all()) {
            // A folder that we may not open is older than ours, and its system's business.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

pub(super) fn take_lock(path: &Path) -> Result<File, StoreError> {
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.join(LOCK));
    let lock = lock.map_err(|error| StoreError::from_io("opening the lock", &error))?;
    match try_for_a_while(&lock) {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        // A system without such locks: there, an app's own folder has one process.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(lock),
        Err(TryLockError::Error(error)) => Err(StoreError::from_io("locking", &error)),
    }
}

pub(super) fn try_for_a_while(file: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            other => return other,
        }
    }
    file.try_lock()
}
