//! Accepted changes that this phone keeps though no base holds them: own work on documents that it dropped, until a backup of the server has it,
//! and what a server that was set up again did not take back.
//!
//! Nobody sees them; they are there for a server that lost what it had acknowledged.

use crate::docs::{DocKind, Document};
use crate::field::FieldError;
use crate::field::tables;
use crate::model::{ChangeHash, DocId, LedgerId, Position, Receipt, Receipts};
use crate::store::{Batch, Read, chunks};
use crate::sync::EntryChange;

/// A kept change as it is on disk; document and hash are in the key.
#[derive(Debug, Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Kept {
    #[n(0)]
    pub kind: DocKind,
    #[n(1)]
    pub change: EntryChange,
    /// The ledger that has it, and where it lies there at the latest; absent while none is known to.
    #[n(2)]
    pub held: Option<HeldBy>,
}

/// Which ledger holds a change, and up to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct HeldBy {
    #[n(0)]
    pub ledger: LedgerId,
    #[n(1)]
    pub by: Position,
}

impl Kept {
    pub(super) fn read(read: &dyn Read, doc: DocId, hash: &ChangeHash) -> Result<Self, FieldError> {
        tables::get_long(read, &tables::kept(doc, hash))?.ok_or(FieldError::Damaged { table: "kept" })
    }

    pub(super) fn write(&self, batch: &mut Batch, read: &dyn Read, doc: DocId, hash: &ChangeHash) -> Result<(), FieldError> {
        tables::put_long(batch, read, &tables::kept(doc, hash), self)
    }

    /// Whether anything is kept that no server is known to hold.
    pub(super) fn any_owed(read: &dyn Read) -> Result<bool, FieldError> {
        for (doc, hash) in tables::kept_changes(read)? {
            if Self::read(read, doc, &hash)?.held.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is kept of a document, in the order of the receipts.
    pub(super) fn of(read: &dyn Read, kept: &[(DocId, ChangeHash)], doc: DocId) -> Result<Vec<(ChangeHash, Self)>, FieldError> {
        let mut found = Vec::new();
        for (_, hash) in kept.iter().filter(|(other, _)| *other == doc) {
            found.push((*hash, Self::read(read, doc, hash)?));
        }
        found.sort_by_key(|(_, kept)| kept.change.number);
        Ok(found)
    }
}

/// The accepted changes of a document for which `wanted` says yes, as they came, each behind what it builds on.
pub(super) fn accepted_changes(
    document: &Document,
    receipts: &Receipts,
    known: &[ChangeHash],
    mut wanted: impl FnMut(&crate::docs::Change) -> bool,
) -> Result<Vec<(ChangeHash, EntryChange)>, FieldError> {
    let changes = document.changes_beyond(known)?;
    let accepted = changes.into_iter().filter_map(|change| {
        let receipt: Receipt = receipts.get(&change.hash())?;
        wanted(&change).then(|| (change.hash(), EntryChange::new(change.bytes().to_vec(), receipt)))
    });
    Ok(accepted.collect())
}

/// Lets go what a backup of the ledger is known to have.
pub(super) fn release(batch: &mut Batch, read: &dyn Read, ledger: LedgerId, backed_up_to: Position) -> Result<(), FieldError> {
    for (doc, hash) in tables::kept_changes(read)? {
        let held = Kept::read(read, doc, &hash)?.held;
        if held.is_some_and(|held| held.ledger == ledger && held.by <= backed_up_to) {
            chunks::delete_chunked_in(batch, read, &tables::kept(doc, &hash))?;
        }
    }
    Ok(())
}
