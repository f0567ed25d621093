//! The keys of records on the phone: rows of the vault, so that what was erased is gone from all that the store's files still hold.
//!
//! Keys come with the parts of an answer, each as far as this person may read; a record that is begun here gets one at once, offline, which goes to the
//! server in the push that brings the record. A key that cannot be read is as good as none: what it sealed is shown as locked, and a
//! reading from the start brings it again.

use crate::docs::Keyring;
use crate::field::engine::State;
use crate::field::tables;
use crate::field::{Engine, FieldError};
use crate::model::DocId;
use crate::store::{Batch, Read, StoreError, Vault};
use crate::sync::client::SyncFailure;
use crate::sync::{MOST_WRAPPED_KEYS, WrappedKeys};

/// The keys of a record, as far as they are here. One read.
pub(super) fn keyring(read: &dyn Read, vault: &Vault, doc: DocId) -> Result<Keyring, FieldError> {
    let key = tables::keys(doc);
    let Some(row) = read.get(&key)? else { return Ok(Keyring::default()) };
    match vault.open_row(&key, &row) {
        Ok(opened) => tables::decode("keys", &opened),
        Err(StoreError::SealBroken { .. }) => Ok(Keyring::default()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the keys of a record.
pub(super) fn put_keyring(batch: &mut Batch, vault: &Vault, doc: DocId, keys: &Keyring) -> Result<(), FieldError> {
    let key = tables::keys(doc);
    let sealed = vault.seal(&key, &tables::encode(keys))?;
    batch.put(key, sealed);
    Ok(())
}

impl Engine {
    /// Destroys what a ring that came says is destroyed: the keys of a record that was erased, or those of a value that was redacted; and all that could open
    /// what is left of them. May be repeated.
    pub(super) fn cut_keys(&self, state: &mut State, doc: DocId, came: &Keyring) -> Result<(), FieldError> {
        let known = keyring(&self.store, &state.vault, doc)?;
        let cut = known.union(came);
        // Of what was never here nothing is to be destroyed: the ring is written with the entries.
        if cut == known || known == Keyring::default() {
            return Ok(());
        }
        Ok(state.vault.forget(&*self.store, &tables::all_keys(), &tables::keys(doc), &tables::encode(&cut), &mut *state.entropy)?)
    }

    /// The keys of records, encrypted to the server; none where there are none to send. Of a key that was cut also the parts: a server that was set up again
    /// from before the record came cut what it did not have, and nobody may hold the whole any more.
    pub(super) fn wrapped(&self, state: &mut State, docs: impl IntoIterator<Item = DocId>) -> Result<Option<WrappedKeys>, FieldError> {
        let given = state.given()?.clone();
        let mut keys: Vec<(DocId, Keyring)> = Vec::new();
        for doc in docs {
            let ring = keyring(&self.store, &state.vault, doc)?;
            if (ring.can_seal() || ring.is_redacted()) && keys.len() < MOST_WRAPPED_KEYS && !keys.iter().any(|(known, _)| *known == doc) {
                keys.push((doc, ring));
            }
        }
        let (Some(sealing), false) = (given.sealing, keys.is_empty()) else { return Ok(None) };
        let wrapped = sealing.wrap(given.device, keys, &mut *state.entropy);
        wrapped.map(Some).map_err(|_| SyncFailure::Unfit { what: "the server's key is none" }.into())
    }
}
