//! The phone's folder: opened, or made for an enrolment, and never taken for something that it is not. Beside it lies its mark, so that a folder
//! that is copied or put back begins a new life. With a key file its store is sealed: one folder and one key for each user of a shared machine.

use std::path::Path;
use std::sync::Arc;

use doorstep_core::field::{Engine, MarkFile};
use doorstep_core::store::sealed::is_sealed;
use doorstep_core::store::{SealedStore, SledOptions, SledStore, Store, StoreError};

use super::{PhoneError, key};
use crate::system::SystemEntropy;

/// The cache of a phone's store, in bytes: as in an app.
const CACHE_BYTES: u64 = 8 << 20;
/// What stands in a store's folder before there is a store.
const BEFORE: [&str; 2] = ["lock", "ballast"];

/// What the folder is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// It may be new.
    ToEnrol,
    /// It must be a phone's.
    Enrolled,
}

/// Opens the folder's store. Makes nothing unless it is to be enrolled, and writes nothing into a folder that holds something else.
///
/// With a key file the store is sealed, and the file made for a new store. A sealed store is not opened without it, nor one in clear with it.
pub(super) fn open(folder: &Path, key_file: Option<&Path>, opening: Opening) -> Result<Arc<dyn Store>, PhoneError> {
    let foreign = || PhoneError::ForeignFolder { folder: folder.to_owned() };
    let not_enrolled = || PhoneError::NotEnrolled { folder: folder.to_owned() };
    let has_store = SledStore::is_in(folder);
    if !has_store && holds_something(folder) {
        return Err(foreign());
    }
    if !has_store && opening == Opening::Enrolled {
        return Err(not_enrolled());
    }
    let key = key_file.map(|path| key::read_or_make(path, !has_store, &mut SystemEntropy)).transpose()?;
    let store = SledStore::open(folder, SledOptions { cache_bytes: CACHE_BYTES, ..SledOptions::default() })?;
    let store: Arc<dyn Store> = match (key, is_sealed(&store)?) {
        (None, true) => return Err(StoreError::KeyNeeded.into()),
        (Some(_), false) if opening == Opening::Enrolled && is_empty(&store)? => return Err(not_enrolled()),
        (None, false) => Arc::new(store),
        (Some(key), _) => Arc::new(SealedStore::open(store, &key, Box::new(SystemEntropy))?),
    };
    match (Engine::is_begun(&store)?, opening) {
        (true, _) => {}
        (false, _) if !is_empty(&store)? => return Err(foreign()),
        (false, Opening::ToEnrol) => {}
        (false, Opening::Enrolled) => return Err(not_enrolled()),
    }
    Ok(store)
}

/// The mark of an opened folder: `<folder>.life` beside it.
pub(super) fn mark(folder: &Path) -> Result<MarkFile, PhoneError> {
    // Also where the folder is named as `.`, or with a slash at its end.
    let folder = folder.canonicalize().map_err(|error| StoreError::Io { doing: "finding the folder", kind: error.kind() })?;
    let mut path = folder.into_os_string();
    path.push(".life");
    Ok(MarkFile::at(path))
}

/// Removes a phone's folder, its mark and its key: what was erased is in its files until then, and in copies of them for as long as there is the key.
pub(super) fn remove(folder: &Path, key_file: Option<&Path>) -> Result<(), PhoneError> {
    let failed = |error: std::io::Error| StoreError::Io { doing: "removing the folder", kind: error.kind() };
    if let Some(file) = key_file {
        key::destroy(file).map_err(failed)?;
    }
    let mut mark = folder.canonicalize().map_err(failed)?.into_os_string();
    mark.push(".life");
    std::fs::remove_dir_all(folder).map_err(failed)?;
    match std::fs::remove_file(mark) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error).into()),
        _ => Ok(()),
    }
}

/// Whether something is there that is no empty folder: files, or a file of that name.
fn holds_something(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.any(|entry| entry.is_ok_and(|entry| BEFORE.iter().all(|name| entry.file_name() != *name))),
        Err(_) => folder.exists(),
    }
}

fn is_empty(store: &dyn Store) -> Result<bool, PhoneError> {
    use std::ops::Bound::Unbounded;
    Ok(store.range(Unbounded, Unbounded, 1)?.is_empty())
}
