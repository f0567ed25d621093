//! Full disks: a store on a small file system is filled up to its last byte, and from everywhere around it.
//!
//! Needs root and `mount`; where one is missing this says so in a line and tries nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use doorstep_core::store::{SledOptions, SledStore, Store as _, StoreError};
use doorstep_tests::batches::{batch, holds};
use doorstep_tests::disk::{Disk, is_root};

const DISK_BYTES: u64 = 32 << 20;
const VALUE_BYTES: usize = 3_000;
/// A checkpoint now and then, so that the disk also runs full in the middle of one.
const OPTIONS: fn() -> SledOptions =
    || SledOptions { cache_bytes: 1 << 20, checkpoint_bytes: 1 << 20, keep: Duration::ZERO, floor_bytes: 4 << 20 };

fn disk(folder: &Path) -> Option<Disk> {
    let disk = is_root().then(|| Disk::in_memory(DISK_BYTES, &folder.join("disk"))).flatten();
    if disk.is_none() {
        println!("no disk was filled: this needs root and mount");
    }
    disk
}

/// Writes batches from `first` on until one is refused for good, a checkpoint included that lets old segments go; the number of that one, and
/// why.
fn fill(store: &SledStore, first: u32) -> (u32, StoreError) {
    let mut last_refused = None;
    let mut number = first;
    loop {
        match store.commit(batch(number, VALUE_BYTES)) {
            Ok(()) => number += 1,
            Err(error) if error != StoreError::Full || last_refused == Some(number) => return (number, error),
            Err(_) => {
                last_refused = Some(number);
                let _ = store.checkpoint(); // there may be no room for one
            }
        }
    }
}

fn assert_held(store: &SledStore, numbers: impl IntoIterator<Item = u32>) {
    numbers.into_iter().for_each(|number| assert_eq!(holds(store, number, VALUE_BYTES), Ok(true), "{number}"));
}

/// Takes all but so many bytes of a disk.
fn take_all_but(disk: &Disk, bytes: u64) -> PathBuf {
    let taken = disk.mounted_at.join("taken");
    let mut size = DISK_BYTES;
    while size > 0 {
        let block = vec![1; 64 << 10];
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&taken).unwrap();
        if std::io::Write::write_all(&mut file, &block).is_err() {
            break;
        }
        size -= 64 << 10;
    }
    let length = fs::metadata(&taken).unwrap().len();
    fs::OpenOptions::new().write(true).open(&taken).unwrap().set_len(length.saturating_sub(bytes)).unwrap();
    taken
}

#[test]
fn a_store_that_fills_its_disk_refuses_keeps_what_it_has_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = disk(folder.path()) else { return };
    let path = disk.mounted_at.join("store");
    let store = SledStore::open(&path, OPTIONS()).unwrap();
    let taken = disk.mounted_at.join("somebody else's");
    fs::write(&taken, vec![0; 4 << 20]).unwrap();
    let (first, error) = fill(&store, 0);
    assert_eq!(error, StoreError::Full);
    assert!(first > 50, "{first}");
    assert_held(&store, 0..first);
    assert_eq!(holds(&store, first, VALUE_BYTES), Ok(false));

    // It stays readable through a restart, and goes on once somebody else made room, without being opened again.
    drop(store);
    let store = SledStore::open(&path, OPTIONS()).unwrap();
    assert_held(&store, 0..first);
    // sled tidied up when it opened; that room is used up as well.
    let (first, error) = fill(&store, first);
    assert_eq!(error, StoreError::Full);
    fs::remove_file(taken).unwrap();
    let (second, error) = fill(&store, first);
    assert_eq!(error, StoreError::Full);
    assert!(second > first);
    drop(store);
    assert_held(&SledStore::open(&path, OPTIONS()).unwrap(), 0..second);
}

#[test]
fn a_disk_that_others_fill_to_the_last_byte_never_costs_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = disk(folder.path()) else { return };
    let path = disk.mounted_at.join("store");
    let mut acknowledged: Vec<u32> = Vec::new();
    let mut next = 0;
    for left in [0, 4_096, 70_000, 300_000, 600_000, 1_200_000] {
        // Without a floor, so that the write itself meets the end of the disk, in journal, tree or checkpoint.
        let store = SledStore::open(&path, SledOptions { floor_bytes: 0, ..OPTIONS() }).unwrap();
        for number in next..next + 20 {
            store.commit(batch(number, VALUE_BYTES)).unwrap();
        }
        let taken = take_all_but(&disk, left);
        let (refused, error) = fill(&store, next + 20);
        assert!([StoreError::Full, StoreError::Stopped].contains(&error), "{left}: {error}");
        acknowledged.extend(next..refused);
        assert_held(&store_again(&path, store, &taken), acknowledged.iter().copied());
        next = refused + 1; // the refused one may be there or not
    }
}

/// Opens the store again after somebody made room.
fn store_again(path: &Path, store: SledStore, taken: &Path) -> SledStore {
    drop(store);
    fs::remove_file(taken).unwrap();
    SledStore::open(path, SledOptions { floor_bytes: 0, ..OPTIONS() }).unwrap()
}

#[test]
fn the_ballast_lets_a_store_open_on_a_full_disk_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = disk(folder.path()) else { return };
    let path = disk.mounted_at.join("store");
    let store = SledStore::open(&path, OPTIONS()).unwrap();
    (0..40).for_each(|number| store.commit(batch(number, VALUE_BYTES)).unwrap());
    drop(store);
    assert!(path.join("ballast").exists());
    let taken = take_all_but(&disk, 0);
    let store = SledStore::open(&path, OPTIONS()).unwrap();
    assert!(!path.join("ballast").exists());
    assert_held(&store, 0..40);
    assert_eq!((store.commit(batch(40, VALUE_BYTES)), store.health()), (Err(StoreError::Full), Err(StoreError::Full)));
    fs::remove_file(taken).unwrap();
    assert_eq!((store.commit(batch(40, VALUE_BYTES)), store.health()), (Ok(()), Ok(())));
    drop(store);
    drop(SledStore::open(&path, OPTIONS()).unwrap());
    assert!(path.join("ballast").exists(), "the ballast is put back when there is room");
}

/// The journal's checkpoints.
fn checkpoints(store: &Path) -> usize {
    let names = fs::read_dir(store.join("journal")).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".checkpoint")).count()
}

#[test]
fn what_a_store_only_keeps_of_its_journal_is_given_up_before_it_refuses_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = disk(folder.path()) else { return };
    let path = disk.mounted_at.join("store");
    let keeping = SledOptions { keep: Duration::from_secs(86_400), ..OPTIONS() };
    let store = SledStore::open(&path, keeping).unwrap();
    let (mut most, mut number, mut refused) = (0, 0, 0);
    // The same few batches, so that rows take no more room: only what is kept does.
    while number < 4_000 {
        match store.commit(batch(number % 50, VALUE_BYTES)) {
            Ok(()) => (number, refused) = (number + 1, 0),
            // While a checkpoint is made, what is kept is in use. That takes a moment, on a busy machine a longer one.
            Err(error) => {
                refused += 1;
                assert!(error == StoreError::Full && refused < 10_000, "{error}, after {number}");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        most = most.max(checkpoints(&path));
    }
    assert!(most > 2, "{most}");
    assert_held(&store, 0..50);
    drop(store);
    assert_held(&SledStore::open(&path, keeping).unwrap(), 0..50);
}
