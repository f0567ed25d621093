//! A store under a seal: what a phone keeps is of no use to who has its disk and not its key.
//!
//! Promise: no byte of a value reaches the store below, and so its journal, its checkpoints and its files, but sealed with XChaCha20-Poly1305.
//! A value that was changed, or moved to another row, is a typed error. A wrong key is a typed error and writes nothing. The app hands over its
//! [`StoreKey`] when it opens the store; the values are sealed with a key of the store's own, which the app's key wraps, so that the
//! app may change its key ([`SealedStore::rekey`]).
//!
//! Several users of one phone have a store each, in folders of their own, each under a key of its own. To switch is to drop one and to open the other.
//!
//! What the seal does not hide: the keys of the rows, how many and how long the values are, and when they were written. Keys hold ids, numbers and
//! hashes only (see the tables of [`field`](crate::field)), so nothing personal stands there; an id tells when its record was made. What it does not
//! find: an old value put back at its own key. A store that is copied to another device is useless without the app's key: where that key is bound to its
//! device, keep the folder out of the phone's backups, which could never be opened.
//!
//! **Wiping.** [`SealedStore::wipe`] replaces the wrapped key durably: from then on nobody opens the store through this code. The wrapped key of before may
//! stand in old segments of the journal and in sled's log until the folder is removed, and it opens with the app's key. So who wipes a phone destroys
//! the app's key as well, in the Keystore or Keychain, and then removes the folder; after a crash between the two, `Wiped` says what is left to do.
//! The same holds for a key that was changed: who has the old one and an old copy of the folder opens that copy.

mod envelope;
mod key;
mod key_row;

#[cfg(test)]
#[cfg(feature = "sled")]
pub(super) mod tests;

use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::XChaCha20Poly1305;

use super::{Entry, MOST_VALUE, Plan, Read, Store, StoreError, Transaction};
use crate::model::Entropy;
use envelope::NONCE;
pub use envelope::SEAL_OVERHEAD;
pub use key::StoreKey;
use key_row::KEY_ROW;

/// A store whose values are sealed in the store below it. Dropping it forgets the key.
pub struct SealedStore<S> {
    below: S,
    seal: Arc<Seal>,
}

/// What plans on the committer's thread need.
struct Seal {
    cipher: XChaCha20Poly1305,
    entropy: Mutex<Box<dyn Entropy>>,
    is_wiped: AtomicBool,
}

impl<S: Store> SealedStore<S> {
    /// Opens a sealed store, or seals a new one, which holds nothing yet. Reads one row, and writes nothing but the row of a new store.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`]; [`StoreError::NotSealed`] where there are rows in clear; [`StoreError::Wiped`]; [`StoreError::Damaged`] where
    /// the store's own key is damaged or gone; or when the store below fails.
    pub fn open(below: S, key: &StoreKey, mut entropy: Box<dyn Entropy>) -> Result<Self, StoreError> {
        let own = match below.get(KEY_ROW)? {
            Some(row) => key_row::unwrap(key, &row)?,
            None => make(&below, key, &mut *entropy)?,
        };
        let seal = Seal { cipher: own.cipher(), entropy: Mutex::new(entropy), is_wiped: AtomicBool::new(false) };
        Ok(Self { below, seal: Arc::new(seal) })
    }

    /// Puts the store under another key of the app. Costs one commit: after a power cut the store opens with the old key or with the new one.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] where `from` is not its key: nothing is written then; or when the store below fails.
    pub fn rekey(&self, from: &StoreKey, to: &StoreKey) -> Result<(), StoreError> {
        let (from, to, seal) = (from.clone(), to.clone(), Arc::clone(&self.seal));
        self.below.transact(Box::new(move |transaction| {
            let row = transaction.get(KEY_ROW)?.ok_or(KEY_IS_GONE)?;
            let own = key_row::unwrap(&from, &row)?;
            transaction.put(KEY_ROW.to_vec(), key_row::wrap(&to, seal.nonce(), &own)?);
            Ok(())
        }))
    }

    /// Destroys the store's key. When this returns, nothing can be read any more, here or after the next start, and the folder may be removed;
    /// see the page of this module for what else a wipe takes. May be repeated.
    ///
    /// # Errors
    /// When the store below fails: a full disk takes no commit. Nothing is read or written through this handle then either.
    pub fn wipe(&self) -> Result<(), StoreError> {
        self.seal.is_wiped.store(true, Ordering::SeqCst);
        self.below.transact(Box::new(|transaction| {
            transaction.put(KEY_ROW.to_vec(), key_row::wiped());
            Ok(())
        }))
    }
}

/// What the seal of the roots says in the place of a row's key. Longer than any key, so no row opens as roots.
const ROOTS: &[u8] = &[0xfe; super::MOST_KEY + 1];

const KEY_IS_GONE: StoreError = StoreError::Damaged { what: "the row of the store's key is gone" };

/// Whether a store is sealed, or was until it was wiped: it opens with [`SealedStore::open`] only. One read.
pub fn is_sealed(read: &dyn Read) -> Result<bool, StoreError> {
    Ok(read.get(KEY_ROW)?.is_some())
}

/// Draws the key of a new store and writes it wrapped. In the order of commits, so that no row comes in between.
fn make(below: &dyn Store, key: &StoreKey, entropy: &mut dyn Entropy) -> Result<StoreKey, StoreError> {
    let own = StoreKey::make(entropy);
    let row = key_row::wrap(key, draw(entropy), &own)?;
    below.transact(Box::new(move |transaction| {
        let first = transaction.range(Bound::Unbounded, Bound::Unbounded, 1)?;
        match first.first() {
            None => transaction.put(KEY_ROW.to_vec(), row),
            Some((_, value)) if envelope::is_sealed(value) => return Err(KEY_IS_GONE),
            Some(_) => return Err(StoreError::NotSealed),
        }
        Ok(())
    }))?;
    Ok(own)
}

fn draw(entropy: &mut dyn Entropy) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    entropy.fill(&mut nonce);
    nonce
}

impl Seal {
    fn nonce(&self) -> [u8; NONCE] {
        draw(&mut **self.entropy.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_whole(&self) -> Result<(), StoreError> {
        if self.is_wiped.load(Ordering::SeqCst) { Err(StoreError::Wiped) } else { Ok(()) }
    }

    fn get(&self, below: &dyn Read, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.is_whole()?;
        if key == KEY_ROW {
            return Ok(None);
        }
        below.get(key)?.map(|sealed| envelope::open(&self.cipher, key, sealed)).transpose()
    }

    fn range(&self, below: &dyn Read, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.is_whole()?;
        // One more, in the place of the store's own row.
        let rows = below.range(start, end, limit.saturating_add(1))?;
        let open = |(key, sealed): Entry| envelope::open(&self.cipher, &key, sealed).map(|value| (key, value));
        rows.into_iter().filter(|(key, _)| key != KEY_ROW).take(limit).map(open).collect()
    }
}

impl<S: Store> Read for SealedStore<S> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.seal.get(&self.below, key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.seal.range(&self.below, start, end, limit)
    }
}

impl<S: Store> Store for SealedStore<S> {
    fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        let seal = Arc::clone(&self.seal);
        self.below.transact(Box::new(move |below| {
            seal.is_whole()?;
            let mut transaction = SealedTransaction { below, seal: &seal, refused: None };
            plan(&mut transaction)?;
            transaction.refused.map_or(Ok(()), Err)
        }))
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.below.barrier()
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.below.size_on_disk()
    }

    fn roots(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.seal.is_whole()?;
        self.below.roots()?.map(|sealed| envelope::open(&self.seal.cipher, ROOTS, sealed)).transpose()
    }

    fn set_roots(&self, roots: &[u8]) -> Result<(), StoreError> {
        self.seal.is_whole()?;
        self.below.set_roots(&envelope::seal(&self.seal.cipher, self.seal.nonce(), ROOTS, roots)?)
    }

    fn is_mended(&self) -> bool {
        self.below.is_mended()
    }
}

/// A transaction of the store below, sealed.
struct SealedTransaction<'a> {
    below: &'a mut dyn Transaction,
    seal: &'a Seal,
    /// The first write that was refused here: the transaction fails with it.
    refused: Option<StoreError>,
}

impl SealedTransaction<'_> {
    fn sealed(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        if key == KEY_ROW {
            return Err(StoreError::Reserved);
        }
        if value.len() > MOST_VALUE {
            return Err(StoreError::TooBig { what: "value", size: value.len(), most: MOST_VALUE });
        }
        envelope::seal(&self.seal.cipher, self.seal.nonce(), key, value)
    }
}

impl Read for SealedTransaction<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.seal.get(&*self.below, key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.seal.range(&*self.below, start, end, limit)
    }
}

impl Transaction for SealedTransaction<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        match self.sealed(&key, &value) {
            Ok(sealed) => self.below.put(key, sealed),
            Err(error) => drop(self.refused.get_or_insert(error)),
        }
    }

    fn delete(&mut self, key: Vec<u8>) {
        if key == KEY_ROW {
            self.refused.get_or_insert(StoreError::Reserved);
        } else {
            self.below.delete(key);
        }
    }
}
