//! Rows that can be forgotten: small secrets that stand in a store like any other row, each sealed under one of the keys in the store's roots.
//!
//! A store keeps deleted values, in its journal, in checkpoints, in the engine's log. To forget a secret for good, the key above it is destroyed:
//! the secrets are dealt into buckets, each with a key of its own in the [`roots`](super::Store::roots). [`Vault::forget`] draws a new key for the
//! secret's bucket, seals the bucket's other rows under it, and writes the roots without the old key. What is left of the old rows, in whatever
//! file, opens with nothing from then on. All else is as with every row: atomic with the batch that it stands in, journalled, recovered, backed up.
//!
//! A backup holds the roots of its day, and with them what was forgotten since. Whoever restores one forgets again: see the server's list of erasures.

use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use super::{MOST_BATCH, Read, Store, StoreError, prefix_end};
use crate::cipher;
use crate::model::Entropy;

/// Into how many buckets the secrets are dealt. To forget one costs the rewriting of its bucket: of 100,000 secrets some 1,600 rows.
const BUCKETS: usize = 64;
/// Number and key of a bucket in the roots.
const BUCKET_BYTES: usize = 4 + cipher::KEY;
/// What the roots begin with: their format.
const FORMAT: u8 = 1;
/// The algorithm of a sealed row,
const SEALED: u8 = 2;
/// and that of before, which is read and not written any more.
const SEALED_FORMERLY: u8 = 1;
/// How many rows of a table are looked at in one go.
const ROWS_AT_ONCE: usize = 1_024;

/// The keys in a store's roots. A clone is the same vault.
#[derive(Clone)]
pub struct Vault(Arc<RwLock<Roots>>);

/// A key of a bucket. Its number is one more for each that came before it.
#[derive(Clone, Default, PartialEq)]
struct BucketKey {
    number: u32,
    key: Zeroizing<[u8; cipher::KEY]>,
}

/// The keys of all buckets.
#[derive(Clone)]
struct Roots {
    current: Vec<BucketKey>,
    /// A bucket that is being rewritten, and the key that goes when that is done.
    former: Option<(usize, BucketKey)>,
}

impl Vault {
    /// Takes a store's keys from its roots, or makes them for a store that has none. Costs a read of a small file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the roots are not ours, or when the store fails.
    pub fn open(store: &dyn Store, entropy: &mut dyn Entropy) -> Result<Self, StoreError> {
        // A store that was wiped has empty ones.
        let roots = match store.roots()?.filter(|bytes| !bytes.is_empty()).map(Zeroizing::new) {
            Some(bytes) => Roots::from_bytes(&bytes).ok_or(StoreError::Damaged { what: "the roots are not what was written" })?,
            None => {
                let roots = Roots { current: (0..BUCKETS).map(|_| BucketKey::make(0, entropy)).collect(), former: None };
                store.set_roots(&roots.to_bytes())?;
                roots
            }
        };
        Ok(Self(Arc::new(RwLock::new(roots))))
    }

    /// Seals a secret for the row of `key`.
    ///
    /// # Errors
    /// [`StoreError::TooBig`] where it is longer than any row.
    pub fn seal(&self, key: &[u8], secret: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.read().current.get(bucket_of(key)).and_then(|under| under.seal(key, secret)).ok_or(StoreError::TooBig {
            what: "secret",
            size: secret.len(),
            most: super::MOST_VALUE,
        })
    }

    /// Opens the row of `key`.
    ///
    /// # Errors
    /// [`StoreError::SealBroken`] where it is not what was sealed for it, or was forgotten.
    pub fn open_row(&self, key: &[u8], row: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.read().open(key, row).ok_or(StoreError::SealBroken { table: key.first().copied().unwrap_or_default() })
    }

    /// Puts `instead` in the place of a secret that stands in the table of this prefix, durably, and destroys all that could have opened what stood
    /// there before. May be repeated, and is after a cut. Costs the rewriting of a bucket: some 10 ms for 1,600 rows.
    ///
    /// # Errors
    /// When the store fails: the secret may then be there still.
    pub fn forget(&self, store: &dyn Store, table: &[u8], key: &[u8], instead: &[u8], entropy: &mut dyn Entropy) -> Result<(), StoreError> {
        let bucket = bucket_of(key);
        // Another bucket that a cut left half rewritten first: one former key is kept at a time.
        let left_over = self.read().former.as_ref().map(|(other, _)| *other);
        if let Some(other) = left_over {
            self.rewrite(store, table, other, None)?;
            self.settle(store)?;
        }
        self.renew(store, bucket, entropy)?;
        let (row, sealed) = (key.to_vec(), self.seal(key, instead)?);
        store.transact(Box::new(move |transaction| {
            transaction.put(row, sealed);
            Ok(())
        }))?;
        self.rewrite(store, table, bucket, Some(key))?;
        self.settle(store)
    }

    /// Draws a new key for a bucket, durably; the former one still opens.
    fn renew(&self, store: &dyn Store, bucket: usize, entropy: &mut dyn Entropy) -> Result<(), StoreError> {
        let mut roots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut renewed = roots.clone();
        let Some(current) = renewed.current.get_mut(bucket) else { return Ok(()) };
        let fresh = BucketKey::make(current.number.wrapping_add(1), entropy);
        renewed.former = Some((bucket, std::mem::replace(current, fresh)));
        store.set_roots(&renewed.to_bytes())?;
        *roots = renewed;
        Ok(())
    }

    /// Destroys the former key.
    fn settle(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut roots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let settled = Roots { former: None, ..roots.clone() };
        store.set_roots(&settled.to_bytes())?;
        *roots = settled;
        Ok(())
    }

    /// Seals a bucket's rows anew, all but the one that goes. Each row is read again in the order of commits, so that none that is
    /// written meanwhile is undone.
    fn rewrite(&self, store: &dyn Store, table: &[u8], bucket: usize, except: Option<&[u8]>) -> Result<(), StoreError> {
        let end = prefix_end(table);
        let mut start = Bound::Included(table.to_vec());
        loop {
            let page = store.range(start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice), ROWS_AT_ONCE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            start = Bound::Excluded(last.clone());
            let is_meant = |key: &Vec<u8>| bucket_of(key) == bucket && except != Some(key.as_slice());
            let keys: Vec<Vec<u8>> = page.into_iter().map(|(key, _)| key).filter(is_meant).collect();
            let vault = self.clone();
            if !keys.is_empty() {
                store.transact(Box::new(move |transaction| {
                    for key in keys {
                        // What does not open any more was forgotten, or is damaged: it stays what it is.
                        let secret = transaction.get(&key)?.and_then(|row| vault.read().open(&key, &row));
                        if let Some(secret) = secret {
                            let sealed = vault.seal(&key, &secret)?;
                            transaction.put(key, sealed);
                        }
                    }
                    Ok(())
                }))?;
            }
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Roots> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

const _: () = assert!(ROWS_AT_ONCE * 1_024 <= MOST_BATCH, "a page of rows of common length is one group");

/// The bucket of a row, by the last byte of its key: rows are keyed by ids, whose ends are random.
fn bucket_of(key: &[u8]) -> usize {
    usize::from(key.last().copied().unwrap_or_default()) % BUCKETS
}

impl BucketKey {
    fn make(number: u32, entropy: &mut dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; cipher::KEY]);
        entropy.fill(&mut *key);
        Self { number, key }
    }

    fn seal(&self, key: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
        let sealed = cipher::seal(&self.key, key, secret)?;
        Some([&[SEALED][..], &self.number.to_be_bytes(), &sealed].concat())
    }
}

impl Roots {
    fn open(&self, key: &[u8], row: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let bucket = bucket_of(key);
        let (algorithm, rest) = row.split_first()?;
        let open: fn(&[u8; cipher::KEY], &[u8], &[u8]) -> _ = match *algorithm {
            SEALED => cipher::open,
            SEALED_FORMERLY => cipher::former::open,
            _ => return None,
        };
        let (number, sealed) = rest.split_first_chunk::<4>()?;
        let number = u32::from_be_bytes(*number);
        let former = self.former.as_ref().filter(|(other, _)| *other == bucket).map(|(_, former)| former);
        let under = self.current.get(bucket).into_iter().chain(former).find(|under| under.number == number)?;
        open(&under.key, key, sealed)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + (self.current.len() + 2) * BUCKET_BYTES));
        bytes.push(FORMAT);
        let former = self.former.as_ref();
        let which = former.and_then(|(bucket, _)| u8::try_from(*bucket).ok()).unwrap_or(u8::MAX);
        for key in self.current.iter().chain(former.map(|(_, key)| key)) {
            bytes.extend_from_slice(&key.number.to_be_bytes());
            bytes.extend_from_slice(&*key.key);
        }
        bytes.push(which);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (keys, which) = bytes.strip_prefix(&[FORMAT])?.split_last_chunk::<1>()?;
        let mut current = Vec::new();
        let mut rest = keys;
        while let Some((number, behind)) = rest.split_first_chunk::<4>() {
            let (key, behind) = behind.split_first_chunk::<{ cipher::KEY }>()?;
            current.push(BucketKey { number: u32::from_be_bytes(*number), key: Zeroizing::new(*key) });
            rest = behind;
        }
        let former = match (which, current.len()) {
            ([u8::MAX], BUCKETS) => None,
            ([bucket], n) if n == BUCKETS + 1 && usize::from(*bucket) < BUCKETS => Some((usize::from(*bucket), current.pop()?)),
            _ => return None,
        };
        rest.is_empty().then_some(Self { current, former })
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(hidden)")
    }
}

#[cfg(test)]
mod tests;
