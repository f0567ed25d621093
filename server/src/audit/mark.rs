//! The mark: where the chain begins and ends, kept in the store and not beside the files, so that files which are gone are missed.

use doorstep_core::store::{Batch, Store, row};

use super::AuditError;
use super::chain::Link;

/// The key of the only row of the table `0xE4`; see the tables of `accounts` and of the ledger.
const KEY: [u8; 1] = [0xE4];

/// Beginning and end of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
pub struct Mark {
    /// The newest record that was noted and answered. The files may be one ahead of it.
    #[n(0)]
    pub(super) head: Link,
    /// The record before the oldest that is kept.
    #[n(1)]
    pub(super) base: Link,
}

impl Mark {
    /// The mark in a store; none before the first record.
    ///
    /// # Errors
    /// When the store fails or the row does not decode.
    pub fn read(store: &dyn Store) -> Result<Option<Self>, AuditError> {
        let Some(bytes) = store.get(&KEY)? else { return Ok(None) };
        minicbor::decode(row::open(&bytes)?).map(Some).map_err(|_| AuditError::Damaged)
    }

    pub(super) fn write(&self, store: &dyn Store) -> Result<(), AuditError> {
        let bytes = minicbor::to_vec(self).map_err(|_| AuditError::Damaged)?;
        let mut batch = Batch::new();
        batch.put(KEY.to_vec(), row::seal(&bytes));
        Ok(store.commit(batch)?)
    }
}
