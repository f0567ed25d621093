//! Legal holds: records that nobody may erase, and why.

use doorstep_core::model::{DocId, Millis, StreetId};
use doorstep_core::store::{Read, Store, transact_with};
use minicbor::{Decode, Encode};

use super::keys;
use super::rows::{self, Counters};
use crate::ledger::{Hold, LedgerError};

/// What stands in a row, until the hold ends. When it began and ended stands in the audit log.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct HoldRow {
    #[n(0)]
    reason: String,
    #[n(1)]
    since: Millis,
}

/// Begins or ends a hold.
pub(super) fn write(store: &dyn Store, street: StreetId, doc: DocId, hold: Option<Hold>) -> Result<(), LedgerError> {
    let key = keys::of_document(keys::HOLD, street, doc);
    transact_with(store, move |transaction| {
        Counters::read(&*transaction, street)?;
        match hold {
            Some(Hold { reason, since }) => rows::put(transaction, keys::HOLD, key, &HoldRow { reason, since }),
            None => {
                transaction.delete(key);
                Ok(())
            }
        }
    })?
}

/// All of a street, by document.
pub(super) fn read(read: &dyn Read, street: StreetId) -> Result<Vec<(DocId, Hold)>, LedgerError> {
    let prefix = keys::of_street(keys::HOLD, street);
    let mut entries = Vec::new();
    read.scan_prefix(&prefix, &mut |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        std::ops::ControlFlow::Continue(())
    })?;
    let held = rows::each::<HoldRow>(keys::HOLD, entries).map(|entry| {
        let (key, HoldRow { reason, since }) = entry?;
        let doc = keys::last_id(&key).map(DocId::from_bytes).ok_or(rows::damaged(keys::HOLD))?;
        Ok((doc, Hold { reason, since }))
    });
    held.collect()
}
