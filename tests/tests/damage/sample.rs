//! A store with a history, copies of it to be damaged, and what a copy comes to.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use doorstep_core::store::{Batch, Entry, Opening, Read as _, SledOptions, SledStore, Store as _, StoreError};
use doorstep_tests::torture::Torture;
use tempfile::TempDir;

use super::file::copy_folder;

/// Rows of the sample, written over and over by its batches.
const KEYS: usize = 3_000;
const BATCHES: usize = 1_000;

/// The store, closed, and what it holds.
pub struct Sample {
    folder: TempDir,
    rows: Vec<Entry>,
    /// What it held before its last batch.
    before: Vec<Entry>,
}

/// What became of a damaged store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It opened as it was, and every row was there.
    Untouched,
    /// The journal gave back what was missing.
    Mended,
    /// It did not open, with an error that says so.
    Refused,
    /// It opened without the last batch, whose end was broken: as after a power cut in the middle of a batch.
    WithoutTheLast,
    /// It opened, and some of it could not be read, with an error that says so; opened again, the journal had given it back.
    MendedLater,
}

/// How often each came.
pub type Fates = BTreeMap<String, usize>;

pub fn options(checkpoint_bytes: u64) -> SledOptions {
    SledOptions { cache_bytes: 1 << 20, checkpoint_bytes, floor_bytes: 0, ..SledOptions::default() }
}

impl Sample {
    /// Fills a store with batches that write, write over and delete, in several lives, with a checkpoint after so many bytes.
    pub fn filled(checkpoint_bytes: u64, torture: &mut Torture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut rows, mut before) = (BTreeMap::new(), BTreeMap::new());
        let mut store = SledStore::open(folder.path(), options(checkpoint_bytes)).unwrap();
        for number in 0..BATCHES {
            let mut batch = Batch::new();
            if number + 1 == BATCHES {
                before.clone_from(&rows);
            }
            for _ in 0..1 + torture.below(8) {
                let key = [&[9u8][..], &(torture.below(KEYS) as u32).to_be_bytes()].concat();
                if torture.one_in(6) {
                    rows.remove(&key);
                    batch.delete(key);
                } else {
                    let value = vec![torture.below(256) as u8; torture.below(2_000)];
                    rows.insert(key.clone(), value.clone());
                    batch.put(key, value);
                }
            }
            store.commit(batch).unwrap();
            if number % 150 == 149 {
                drop(store); // sled writes its snapshot when it opens
                store = SledStore::open(folder.path(), options(checkpoint_bytes)).unwrap();
            }
        }
        drop(store);
        Self { folder, rows: rows.into_iter().collect(), before: before.into_iter().collect() }
    }

    /// A copy of its own folder.
    pub fn copy(&self) -> Copy {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), folder.path());
        Copy { folder }
    }

    /// Opens a copy and reads all of it. Panics where it holds other rows than the sample did.
    pub fn fate_of(&self, copy: &Copy, checkpoint_bytes: u64) -> Fate {
        let store = match SledStore::open(copy.path(), options(checkpoint_bytes)) {
            Ok(store) => store,
            Err(StoreError::Damaged { .. }) => return Fate::Refused,
            Err(other) => panic!("an error that does not say that the store is damaged: {other}"),
        };
        let fate = match store.opening() {
            Opening::Whole => Fate::Untouched,
            Opening::New => panic!("a damaged store was taken for a new one"),
            _ => Fate::Mended,
        };
        match self.compare(&store) {
            Ok(true) => fate,
            Ok(false) => Fate::WithoutTheLast,
            Err(StoreError::Damaged { .. }) => {
                drop(store);
                let store = SledStore::open(copy.path(), options(checkpoint_bytes)).unwrap();
                assert_eq!(self.compare(&store), Ok(true), "what could not be read was not given back");
                Fate::MendedLater
            }
            Err(other) => panic!("an error that does not say that the store is damaged: {other}"),
        }
    }

    /// Reads all rows in their order and one by one. Whether the last batch is there; everything else must be.
    fn compare(&self, store: &SledStore) -> Result<bool, StoreError> {
        let all = store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX)?;
        // The last batch may have changed nothing: to delete a row that is not there is no change.
        if all == self.before && all != self.rows {
            return Ok(false);
        }
        assert!(all == self.rows, "{} rows instead of {}: {:?}", all.len(), self.rows.len(), store.opening());
        for (key, value) in &self.rows {
            assert_eq!(store.get(key)?.as_ref(), Some(value), "a row has another value than was written");
        }
        Ok(true)
    }
}

/// A copy that may be damaged.
pub struct Copy {
    folder: TempDir,
}

impl Copy {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn tree(&self) -> PathBuf {
        self.path().join("tree")
    }

    pub fn journal(&self) -> PathBuf {
        self.path().join("journal")
    }
}
