//! Reading documents: whole, by their changes, by their summaries.

use std::ops::Bound;

use doorstep_core::docs::{DocKind, Keyring};
use doorstep_core::model::{DocId, EventId, Position, Receipts, Scope, StreetId};
use doorstep_core::store::chunks::get_chunked;
use doorstep_core::store::{Read, prefix_end, row};

use super::keys;
use super::rows::{self, ChangeRow, Head, ProofRow, SnapshotRow};
use crate::ledger::{LedgerError, LoggedChange, PushProof, StoredDocument};

/// How many changes are read at a time when a whole log is wanted.
const CHANGES_AT_ONCE: usize = 256;

/// A document with everything that belongs to it. It stands in several rows, so the head is read before and after them: where it moved, a
/// commit came in between, and the next try sees that commit whole. A round is lost only to somebody else's that went through.
pub(super) fn read(read: &dyn Read, street: StreetId, doc: DocId) -> Result<Option<StoredDocument>, LedgerError> {
    let mut head = Head::read(read, street, doc)?;
    while let Some(before) = head {
        let document = assemble(read, street, doc, &before);
        let after = Head::read(read, street, doc)?;
        if after.as_ref() == Some(&before) {
            return document.map(Some);
        }
        head = after;
    }
    Ok(None)
}

/// The document as its head says it is, if the head has not moved meanwhile.
fn assemble(read: &dyn Read, street: StreetId, doc: DocId, head: &Head) -> Result<StoredDocument, LedgerError> {
    let (snapshot, mut receipts) = match head.snapshot_at {
        None => (None, Receipts::default()),
        Some(_) => {
            let key = keys::of_document(keys::SNAPSHOT, street, doc);
            let row: SnapshotRow = rows::get_chunked(read, keys::SNAPSHOT, &key)?.ok_or(rows::damaged(keys::SNAPSHOT))?;
            (Some(row.bytes), row.receipts)
        }
    };
    let mut log = Vec::new();
    let mut after = head.snapshot_at.unwrap_or_default();
    loop {
        let page = logged(read, street, doc, after, CHANGES_AT_ONCE)?;
        let last = page.last().map(|change| change.position);
        let is_full = page.len() == CHANGES_AT_ONCE;
        log.extend(page);
        match last {
            Some(last) if is_full => after = last,
            _ => break,
        }
    }
    for change in &log {
        receipts.insert(change.hash, change.receipt);
    }
    let summary = read.get(&keys::summary(street, head.kind, doc))?.ok_or(rows::damaged(keys::SUMMARY))?;
    Ok(StoredDocument {
        kind: head.kind,
        version: head.version,
        snapshot,
        log,
        receipts,
        scopes: head.scopes.iter().map(|standing| standing.scope).collect(),
        left: head.left.iter().map(|departure| departure.scope).collect(),
        summary: row::open(&summary)?.to_vec(),
        keys: Keyring::default(),
        keys_at: Position(0),
    })
}

/// See [`Ledger::scopes`](crate::ledger::Ledger::scopes).
pub(super) fn scopes(read: &dyn Read, street: StreetId, doc: DocId) -> Result<Option<(DocKind, Vec<Scope>)>, LedgerError> {
    let head = Head::read(read, street, doc)?;
    Ok(head.map(|head| (head.kind, head.scopes.iter().map(|standing| standing.scope).collect())))
}

/// The changes of a document behind a position, at most `limit`, or `None` where the log begins later. The head is read last: where it says
/// that the log still reaches back so far, nothing was missing from it before.
pub(super) fn changes(
    read: &dyn Read,
    street: StreetId,
    doc: DocId,
    after: Position,
    limit: usize,
) -> Result<Option<Vec<LoggedChange>>, LedgerError> {
    let changes = logged(read, street, doc, after, limit);
    let begins = Head::read(read, street, doc)?.and_then(|head| head.log_from);
    if begins.is_some_and(|begins| begins > after) { Ok(None) } else { changes.map(Some) }
}

/// The rows of the log behind a position, at most `limit`. A row that stays never changes, so one range read is enough.
fn logged(read: &dyn Read, street: StreetId, doc: DocId, after: Position, limit: usize) -> Result<Vec<LoggedChange>, LedgerError> {
    let start = keys::change(keys::LOG, street, doc, after);
    let end = prefix_end(&keys::of_document(keys::LOG, street, doc));
    let entries = read.range(Bound::Excluded(&start), end.as_ref().map(Vec::as_slice), limit)?;
    rows::each::<ChangeRow>(keys::LOG, entries)
        .map(|entry| {
            let (key, row) = entry?;
            let position = keys::position(&key).ok_or(rows::damaged(keys::LOG))?;
            let receipt = row.receipt();
            let bytes = match row.bytes {
                Some(bytes) => bytes,
                None => large_change(read, street, doc, position)?,
            };
            Ok(LoggedChange { position, hash: row.hash, receipt, bytes })
        })
        .collect()
}

fn large_change(read: &dyn Read, street: StreetId, doc: DocId, position: Position) -> Result<Vec<u8>, LedgerError> {
    let bytes = get_chunked(read, &keys::change(keys::LARGE_CHANGE, street, doc, position))?;
    let bytes = bytes.ok_or(rows::damaged(keys::LARGE_CHANGE))?;
    Ok(row::open(&bytes)?.to_vec())
}

/// The signed push that a change came in.
pub(super) fn proof(read: &dyn Read, street: StreetId, doc: DocId, position: Position) -> Result<Option<PushProof>, LedgerError> {
    let change: Option<ChangeRow> = rows::get(read, keys::LOG, &keys::change(keys::LOG, street, doc, position))?;
    let Some(before) = change.and_then(|change| change.proof) else { return Ok(None) };
    let at = Position(position.0.checked_sub(before).ok_or(rows::damaged(keys::LOG))?);
    let row: ProofRow =
        rows::get_chunked(read, keys::PROOF, &keys::at_position(keys::PROOF, street, at))?.ok_or(rows::damaged(keys::PROOF))?;
    Ok(Some(row.into_proof()))
}

pub(super) fn summaries(
    read: &dyn Read,
    street: StreetId,
    kind: DocKind,
    after: Option<DocId>,
    limit: usize,
) -> Result<Vec<(DocId, Vec<u8>)>, LedgerError> {
    let prefix = keys::summaries(street, kind);
    let after = after.map(|doc| keys::summary(street, kind, doc));
    let start = after.as_ref().map_or(Bound::Included(&prefix), Bound::Excluded);
    let entries = read.range(start.map(Vec::as_slice), prefix_end(&prefix).as_ref().map(Vec::as_slice), limit)?;
    entries
        .into_iter()
        .map(|(key, summary)| {
            let id = keys::last_id(&key).ok_or(rows::damaged(keys::SUMMARY))?;
            Ok((DocId::from_bytes(id), row::open(&summary)?.to_vec()))
        })
        .collect()
}

/// The list of events that came too late, the oldest first.
pub(super) fn late_events(read: &dyn Read, street: StreetId, limit: usize) -> Result<Vec<(DocId, EventId, Position)>, LedgerError> {
    let prefix = keys::of_street(keys::LATE, street);
    let entries = read.range(Bound::Included(&prefix), prefix_end(&prefix).as_ref().map(Vec::as_slice), limit)?;
    rows::each::<DocId>(keys::LATE, entries)
        .map(|entry| {
            let (key, doc) = entry?;
            let (position, event) = keys::late_event(&key).ok_or(rows::damaged(keys::LATE))?;
            Ok((doc, event, position))
        })
        .collect()
}
