//! The phone's rows: which key holds what. Each table has keys of one length, so that chunks of long values can be told apart.
//!
//! | byte | key | value |
//! |---|---|---|
//! | 1 | a byte: which setting | identity, last hybrid time, incarnation, ledger, clock offset, status, directory (chunked), mark of the opening, reconciliation, position, inbox and decisions (chunked), leaving, nonce, lease |
//! | 2 | document | its base: kind, saved bytes, receipts (chunked) |
//! | 3 | kind, document | its summary, of base and outbox together |
//! | 4 | number | a group of the outbox: command and changes (chunked) |
//! | 5 | group | a refused group: command, changes, reason (chunked) |
//! | 6 | grant | the grant and its cursor |
//! | 7 | grant, document | the generation of the reading that named it: the document is in this grant's scope |
//! | 8 | document, change | an accepted change that no base holds and no backup of the server is known to have (chunked) |
//! | 9 | document | the keys of the record, or that it was erased, sealed in the vault |

use std::ops::{Bound, ControlFlow};

use crate::docs::{DocKind, Keyring};
use crate::field::FieldError;
use crate::model::{ChangeHash, DocId, GrantId, GroupId};
use crate::store::{Batch, Read, chunks, row};
use crate::summary::{SealedSummary, Summary};

const SETTING: u8 = 1;
const BASE: u8 = 2;
const SUMMARY: u8 = 3;
const OUTBOX: u8 = 4;
const REFUSED: u8 = 5;
const GRANT: u8 = 6;
const MEMBER: u8 = 7;
const KEPT: u8 = 8;
const KEYS: u8 = 9;

/// The settings.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Setting {
    Identity = 1,
    LastHlc = 2,
    Incarnation = 3,
    Ledger = 4,
    ClockOffset = 5,
    Status = 6,
    Directory = 7,
    LifeMark = 8,
    Reconciliation = 9,
    AcceptedBy = 10,
    Inbox = 11,
    Decisions = 12,
    Leaving = 13,
    Freshness = 14,
    Lease = 15,
}

pub(super) fn setting(which: Setting) -> Vec<u8> {
    vec![SETTING, which as u8]
}

pub(super) fn base(doc: DocId) -> Vec<u8> {
    keyed(BASE, &[doc.as_bytes()])
}

pub(super) fn summary(kind: DocKind, doc: DocId) -> Vec<u8> {
    keyed(SUMMARY, &[&[kind.number()], doc.as_bytes()])
}

/// What is done with a document and its summary's row.
type VisitSummary<'a> = dyn FnMut(DocId, &[u8]) -> Result<(), FieldError> + 'a;

/// Calls `visit` with each document of a kind and its summary's row.
pub(super) fn each_summary(read: &dyn Read, kind: DocKind, visit: &mut VisitSummary<'_>) -> Result<(), FieldError> {
    let prefix = [SUMMARY, kind.number()];
    each(read, &prefix, &mut |key, row| {
        let doc = key.get(prefix.len()..).and_then(|id| DocId::try_from(id).ok()).ok_or(FieldError::Damaged { table: "summary" })?;
        visit(doc, row)
    })
}

pub(super) fn outbox(number: u64) -> Vec<u8> {
    keyed(OUTBOX, &[&number.to_be_bytes()])
}

pub(super) fn refused(group: GroupId) -> Vec<u8> {
    keyed(REFUSED, &[group.as_bytes()])
}

pub(super) fn grant(id: GrantId) -> Vec<u8> {
    keyed(GRANT, &[id.as_bytes()])
}

pub(super) fn member(grant: GrantId, doc: DocId) -> Vec<u8> {
    keyed(MEMBER, &[grant.as_bytes(), doc.as_bytes()])
}

pub(super) fn kept(doc: DocId, change: &ChangeHash) -> Vec<u8> {
    keyed(KEPT, &[doc.as_bytes(), &change.0])
}

pub(super) fn keys(doc: DocId) -> Vec<u8> {
    keyed(KEYS, &[doc.as_bytes()])
}

/// What the keys of all records begin with.
pub(super) fn all_keys() -> Vec<u8> {
    vec![KEYS]
}

fn keyed(table: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![table];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// Puts a value that always fits a row.
pub(super) fn put<T: minicbor::Encode<()>>(batch: &mut Batch, key: Vec<u8>, value: &T) {
    batch.put(key, row::seal(&encode(value)));
}

/// Puts a value of any length.
pub(super) fn put_long<T: minicbor::Encode<()>>(batch: &mut Batch, read: &dyn Read, key: &[u8], value: &T) -> Result<(), FieldError> {
    Ok(chunks::put_chunked_in(batch, read, key, &row::seal(&encode(value)))?)
}

/// Reads a value that fits a row.
pub(super) fn get<T: for<'b> minicbor::Decode<'b, ()>>(read: &dyn Read, key: &[u8]) -> Result<Option<T>, FieldError> {
    read.get(key)?.map(|bytes| decode(table_of(key), row::open(&bytes)?)).transpose()
}

/// Reads a value of any length.
pub(super) fn get_long<T: for<'b> minicbor::Decode<'b, ()>>(read: &dyn Read, key: &[u8]) -> Result<Option<T>, FieldError> {
    chunks::get_chunked(read, key)?.map(|bytes| decode(table_of(key), row::open(&bytes)?)).transpose()
}

/// Puts a summary, what is personal in it sealed.
pub(super) fn put_summary(batch: &mut Batch, summary: &Summary, keys: &Keyring) {
    batch.put(self::summary(summary.kind(), summary.id()), row::seal(&summary.to_row(keys)));
}

/// Reads a summary's row as far as these keys open it.
pub(super) fn summary_of(bytes: &[u8], keys: &Keyring) -> Result<Summary, FieldError> {
    Ok(sealed_summary(bytes)?.open(keys))
}

/// Reads a summary's row without opening it.
pub(super) fn sealed_summary(bytes: &[u8]) -> Result<SealedSummary, FieldError> {
    SealedSummary::from_row(bytes).map_err(|_| FieldError::Damaged { table: "summary" })
}

/// The document of each member row of a grant.
pub(super) fn members_of(read: &dyn Read, grant: GrantId) -> Result<Vec<DocId>, FieldError> {
    let prefix = keyed(MEMBER, &[grant.as_bytes()]);
    let mut members = Vec::new();
    read.scan_prefix(&prefix, &mut |key, _| {
        members.extend(key.get(prefix.len()..).and_then(|id| DocId::try_from(id).ok()));
        ControlFlow::Continue(())
    })?;
    Ok(members)
}

/// The documents of a grant that no reading of this generation has named.
pub(super) fn members_before(read: &dyn Read, grant: GrantId, generation: u32) -> Result<Vec<DocId>, FieldError> {
    let prefix = keyed(MEMBER, &[grant.as_bytes()]);
    let mut members = Vec::new();
    each(read, &prefix, &mut |key, bytes| {
        // Rows of before there were generations are empty.
        let payload = row::open(bytes)?;
        let named: u32 = if payload.is_empty() { 0 } else { decode("member", payload)? };
        if named != generation {
            members.extend(key.get(prefix.len()..).and_then(|id| DocId::try_from(id).ok()));
        }
        Ok(())
    })?;
    Ok(members)
}

/// The grants kept here, each with its row.
pub(super) fn grants<T: for<'b> minicbor::Decode<'b, ()>>(read: &dyn Read) -> Result<Vec<T>, FieldError> {
    let mut rows = Vec::new();
    each(read, &[GRANT], &mut |_, bytes| {
        rows.push(decode("grant", row::open(bytes)?)?);
        Ok(())
    })?;
    Ok(rows)
}

/// The numbers of the outbox, in order.
pub(super) fn outbox_numbers(read: &dyn Read) -> Result<Vec<u64>, FieldError> {
    let mut numbers = Vec::new();
    heads(read, OUTBOX, 1 + 8, &mut |key| numbers.extend(key.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))))?;
    Ok(numbers)
}

/// The groups that were refused.
pub(super) fn refused_groups(read: &dyn Read) -> Result<Vec<GroupId>, FieldError> {
    let mut groups = Vec::new();
    heads(read, REFUSED, 1 + 16, &mut |key| groups.extend(GroupId::try_from(key).ok()))?;
    Ok(groups)
}

/// The documents that have a base, behind `after` and by id, at most `limit`.
pub(super) fn based_documents(read: &dyn Read, after: Option<DocId>, limit: usize) -> Result<Vec<DocId>, FieldError> {
    /// How many rows are read at a time: a base of years has some chunks.
    const ROWS_AT_ONCE: usize = 256;
    let end = [BASE + 1];
    // The chunks of a base stand between its key and this.
    let mut start = after.map_or_else(|| vec![BASE], |doc| [base(doc).as_slice(), &[u8::MAX; 3]].concat());
    let mut documents = Vec::new();
    loop {
        let rows = read.range(Bound::Excluded(&start), Bound::Excluded(&end), ROWS_AT_ONCE)?;
        let Some((last, _)) = rows.last() else { return Ok(documents) };
        start.clone_from(last);
        for (key, _) in &rows {
            documents.extend(key.get(1..).and_then(|id| DocId::try_from(id).ok()));
            if documents.len() == limit {
                return Ok(documents);
            }
        }
    }
}

/// The kept changes: of which document, and which.
pub(super) fn kept_changes(read: &dyn Read) -> Result<Vec<(DocId, ChangeHash)>, FieldError> {
    let mut kept = Vec::new();
    heads(read, KEPT, 1 + 16 + 32, &mut |key| {
        if let Some((doc, hash)) = key.split_first_chunk::<16>()
            && let Ok(hash) = hash.try_into()
        {
            kept.push((DocId::from_bytes(*doc), ChangeHash(hash)));
        }
    })?;
    Ok(kept)
}

fn heads(read: &dyn Read, table: u8, key_length: usize, visit: &mut dyn FnMut(&[u8])) -> Result<(), FieldError> {
    Ok(chunks::scan_heads(read, &[table], key_length, &mut |key, _| {
        if let [_, rest @ ..] = key {
            visit(rest);
        }
        ControlFlow::Continue(())
    })?)
}

/// What is done with a key and its value.
type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), FieldError> + 'a;

/// Calls `visit` with each row of a prefix until it fails.
pub(super) fn each(read: &dyn Read, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), FieldError> {
    let mut outcome = Ok(());
    read.scan_prefix(prefix, &mut |key, value| match visit(key, value) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            outcome = Err(error);
            ControlFlow::Break(())
        }
    })?;
    outcome
}

/// Encoding into memory cannot fail: its error type has no values.
pub(super) fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}

pub(super) fn decode<T: for<'b> minicbor::Decode<'b, ()>>(table: &'static str, bytes: &[u8]) -> Result<T, FieldError> {
    minicbor::decode(bytes).map_err(|_| FieldError::Damaged { table })
}

fn table_of(key: &[u8]) -> &'static str {
    match key.first() {
        Some(&SETTING) => "setting",
        Some(&BASE) => "base",
        Some(&SUMMARY) => "summary",
        Some(&OUTBOX) => "outbox",
        Some(&REFUSED) => "refused",
        Some(&GRANT) => "grant",
        Some(&KEPT) => "kept",
        Some(&KEYS) => "keys",
        _ => "member",
    }
}
