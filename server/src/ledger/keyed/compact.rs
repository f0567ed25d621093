//! Compaction of a document's log: what a snapshot took the place of goes, and the way to the signature stays.
//!
//! A change takes 110 bytes in the log at the least and 2 to 17 in a snapshot. Dropped is what lies behind the snapshot before the last, so
//! that whoever comes by often still gets changes; where the log begins is said in the head, in the same commit.

use std::ops::Bound;

use doorstep_core::model::{DocId, Position, StreetId};
use doorstep_core::store::Transaction;
use doorstep_core::store::chunks::delete_chunked;

use super::keys;
use super::rows::{self, ChangeRow, Head};
use crate::ledger::LedgerError;

/// Drops the log up to the snapshot that a new one follows. Returns where the log begins from now on.
pub(super) fn drop_log(
    transaction: &mut dyn Transaction,
    street: StreetId,
    doc: DocId,
    head: &Head,
) -> Result<Option<Position>, LedgerError> {
    let Some(last) = head.snapshot_at else { return Ok(None) };
    let first = head.log_from.unwrap_or_default();
    if last <= first {
        return Ok(head.log_from);
    }
    let key = |position| keys::change(keys::LOG, street, doc, position);
    let entries = transaction.range(Bound::Excluded(&key(first)), Bound::Included(&key(last)), usize::MAX)?;
    for entry in rows::each::<ChangeRow>(keys::LOG, entries) {
        let (key, row) = entry?;
        let position = keys::position(&key).ok_or(rows::damaged(keys::LOG))?;
        if row.bytes.is_none() {
            delete_chunked(transaction, &keys::change(keys::LARGE_CHANGE, street, doc, position))?;
        }
        if row.proof.is_some() {
            rows::put(transaction, keys::LOG, key, &ChangeRow { bytes: None, is_compacted: Some(true), ..row })?;
        } else {
            transaction.delete(key);
        }
    }
    Ok(Some(last))
}
