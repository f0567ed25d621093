//! The keys of records: rows of the store's vault, so that those of an erased record are gone from everything the store keeps.

use std::sync::{Mutex, PoisonError};

use doorstep_core::docs::Keyring;
use doorstep_core::model::{DocId, Entropy, Position, StreetId};
use doorstep_core::store::{Read, Store, Transaction, Vault};

use super::keys;
use super::rows;
use crate::ledger::LedgerError;

/// The vault of a ledger, with what new keys of its own are drawn from.
pub(super) struct KeyVault {
    vault: Vault,
    entropy: Mutex<Box<dyn Entropy>>,
}

/// What stands in a row: the keys, and the position at which they came to be these.
type Row = (Keyring, Position);

impl KeyVault {
    pub(super) fn open(store: &dyn Store, mut entropy: Box<dyn Entropy>) -> Result<Self, LedgerError> {
        let vault = Vault::open(store, &mut *entropy)?;
        Ok(Self { vault, entropy: Mutex::new(entropy) })
    }

    /// The keys that seal and open rows, for a plan.
    pub(super) fn vault(&self) -> Vault {
        self.vault.clone()
    }

    /// The keys of a record; an empty ring where there are none.
    pub(super) fn read(&self, read: &dyn Read, street: StreetId, doc: DocId) -> Result<Row, LedgerError> {
        let key = keys::of_document(keys::KEYS, street, doc);
        let Some(row) = read.get(&key)? else { return Ok(Row::default()) };
        let opened = self.vault.open_row(&key, &row)?;
        minicbor::decode(&opened).map_err(|_| rows::damaged(keys::KEYS))
    }

    /// See [`Ledger::cut_keys`](crate::ledger::Ledger::cut_keys).
    pub(super) fn cut(&self, store: &dyn Store, street: StreetId, doc: DocId, left: &Keyring) -> Result<(), LedgerError> {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        // Of no position until the feed says so.
        let row = encoded(left, Position(0));
        let key = keys::of_document(keys::KEYS, street, doc);
        Ok(self.vault.forget(store, &keys::table(keys::KEYS), &key, &row, &mut **entropy)?)
    }
}

/// Writes the keys of a record.
pub(super) fn write(
    transaction: &mut dyn Transaction,
    vault: &Vault,
    street: StreetId,
    doc: DocId,
    keys: &Keyring,
    at: Position,
) -> Result<(), LedgerError> {
    let key = keys::of_document(keys::KEYS, street, doc);
    let kept = match transaction.get(&key)? {
        Some(row) => minicbor::decode::<Row>(&vault.open_row(&key, &row)?).map_err(|_| rows::damaged(keys::KEYS))?.0,
        None => Keyring::default(),
    };
    // Whatever comes later, and from whomever: what was erased or cut stays so.
    let row = if kept.is_cut() { encoded(&kept.union(keys), at) } else { encoded(keys, at) };
    transaction.put(key.clone(), vault.seal(&key, &row)?);
    Ok(())
}

fn encoded(keys: &Keyring, at: Position) -> Vec<u8> {
    minicbor::to_vec((keys, at)).unwrap_or_default()
}
