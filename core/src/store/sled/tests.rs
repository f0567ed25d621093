//! What is particular to a folder on a disk.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::PathBuf;

use super::lock::LOCK;
use super::tree::{DATA, Readable, fenced, from_sled};
use super::*;
use crate::store::Batch;

mod recovery;

fn open(path: &Path) -> Result<SledStore, StoreError> {
    SledStore::open(path, SledOptions { cache_bytes: 1 << 20, ..SledOptions::default() })
}

fn put(store: &SledStore, key: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put(key.to_vec(), vec![7; 100]);
    store.commit(batch)
}

#[test]
fn a_folder_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    assert_eq!(open(folder.path()).err(), Some(StoreError::InUse));
    put(&store, b"a").unwrap();
    drop(store);
    open(folder.path()).unwrap();
}

#[test]
fn a_folder_that_sled_itself_has_open_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _other = ::sled::open(folder.path().join(TREE)).unwrap();
    assert_eq!(open(folder.path()).err(), Some(StoreError::InUse));
}

#[test]
fn folders_above_are_made_and_the_data_is_where_commits_are_synced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a").join("b");
    drop(open(&path).unwrap());
    for name in [LOCK, "tree/db", "tree/conf"] {
        assert!(path.join(name).is_file(), "{name}");
    }
    assert!(path.join("tree/blobs").is_dir());
}

#[test]
fn where_no_folder_can_be_the_error_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"no folder").unwrap();
    for path in [file.clone(), file.join("below")] {
        assert_eq!(open(&path).err().unwrap().code(), "store.io");
    }
}

#[test]
fn a_half_written_snapshot_does_not_keep_a_store_from_opening() {
    let folder = tempfile::tempdir().unwrap();
    put(&open(folder.path()).unwrap(), b"a").unwrap();
    for lsn in ["00", "FFFF"] {
        fs::write(folder.path().join(TREE).join(format!("snap.{lsn}.generating")), b"half").unwrap();
    }
    assert!(open(folder.path()).unwrap().get(b"a").unwrap().is_some());
}

#[test]
fn errors_of_the_engine_are_told_without_their_words() {
    let full = ::sled::Error::Io(io::Error::new(io::ErrorKind::StorageFull, "/home/somebody/store/db"));
    assert_eq!(from_sled("writing", &full), StoreError::Full);
    let other = ::sled::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, "/home/somebody/store/db"));
    assert_eq!(from_sled("writing", &other).to_string(), "writing failed: permission denied");
    let bug = ::sled::Error::ReportableBug("in /home/somebody".to_owned());
    assert!(!from_sled("writing", &bug).to_string().contains("somebody"));
}

#[test]
fn a_batch_that_broke_in_the_middle_is_seen_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    put(&store, b"a").unwrap();
    *store.engine.tree.view.write().unwrap() = Readable::Torn;
    assert_eq!(store.get(b"a"), Err(StoreError::Stopped));
    assert_eq!(store.range(Bound::Unbounded, Bound::Unbounded, 1), Err(StoreError::Stopped));
}

#[test]
fn a_panic_of_the_engine_becomes_an_error() {
    assert_eq!(fenced::<()>(|| panic!("as sled does")).unwrap_err().code(), "store.damaged");
}
