//! How the rows of the ledger are written: format and algorithm byte, then CBOR arrays of fields in the order of their numbers.
//!
//! A later version adds fields behind the last, as options; this one skips what it does not know. What stands in the key is not written
//! again. Rows are small because sled's cost is bytes: a feed row has about 28, a change 70 and its own bytes.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{
    ChangeHash, ClaimKey, Day, DeviceId, DocId, Era, GroupId, LedgerId, Millis, PersonId, Position, Receipt, Receipts, Scope, Seal,
    StreetId,
};
use doorstep_core::store::chunks;
use doorstep_core::store::{Entry, MOST_VALUE, Read, Transaction, row};
use doorstep_core::sync::{PublicKey, RecordKind, Signature};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::keys::{self, Table};
use crate::ledger::{
    AcceptedGroup, Device, Ended, Ending, EnrolmentCode, InboxEntry, LedgerError, PushProof, QuarantinedGroup, SealKey, Street,
};

/// The longest change that stands in its row of the log; what else is in the row has at most 90 bytes.
pub(super) const MOST_INLINE: usize = MOST_VALUE - 128;

/// A row's bytes.
pub(super) fn sealed<T: Encode<()>>(table: Table, value: &T) -> Result<Vec<u8>, LedgerError> {
    minicbor::to_vec(value).map(|payload| row::seal(&payload)).map_err(|_| damaged(table))
}

/// A row read from its bytes.
pub(super) fn opened<T: for<'b> Decode<'b, ()>>(table: Table, bytes: &[u8]) -> Result<T, LedgerError> {
    minicbor::decode(row::open(bytes)?).map_err(|_| damaged(table))
}

/// The row of a key.
pub(super) fn get<T: for<'b> Decode<'b, ()>>(read: &dyn Read, table: Table, key: &[u8]) -> Result<Option<T>, LedgerError> {
    read.get(key)?.map(|bytes| opened(table, &bytes)).transpose()
}

/// The row of a key in a table of chunked values.
pub(super) fn get_chunked<T: for<'b> Decode<'b, ()>>(read: &dyn Read, table: Table, key: &[u8]) -> Result<Option<T>, LedgerError> {
    chunks::get_chunked(read, key)?.map(|bytes| opened(table, &bytes)).transpose()
}

/// Writes a row.
pub(super) fn put<T: Encode<()>>(transaction: &mut dyn Transaction, table: Table, key: Vec<u8>, value: &T) -> Result<(), LedgerError> {
    transaction.put(key, sealed(table, value)?);
    Ok(())
}

/// What a row that makes no sense is called.
pub(super) const fn damaged(table: Table) -> LedgerError {
    LedgerError::Damaged { table: table.name }
}

/// Key and decoded row of the entries of a range.
pub(super) fn each<T: for<'b> Decode<'b, ()>>(
    table: Table,
    entries: Vec<Entry>,
) -> impl Iterator<Item = Result<(Vec<u8>, T), LedgerError>> {
    entries.into_iter().map(move |(key, bytes)| Ok((key, opened(table, &bytes)?)))
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct StreetRow {
    #[n(0)]
    pub(super) name: String,
    #[n(1)]
    pub(super) ledger: LedgerId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) seal_key: [u8; 32],
    #[n(3)]
    pub(super) era: Era,
    #[n(4)]
    pub(super) is_reconciling: bool,
    #[n(5)]
    pub(super) backed_up_to: Option<Position>,
}

impl StreetRow {
    pub(super) fn of(street: &Street) -> Self {
        Self {
            name: street.name.clone(),
            ledger: street.ledger,
            seal_key: street.seal_key.0,
            era: street.era,
            is_reconciling: street.is_reconciling,
            backed_up_to: street.backed_up_to,
        }
    }

    pub(super) fn into_street(self, id: StreetId) -> Street {
        Street {
            id,
            name: self.name,
            ledger: self.ledger,
            seal_key: SealKey(self.seal_key),
            era: self.era,
            is_reconciling: self.is_reconciling,
            backed_up_to: self.backed_up_to,
        }
    }
}

/// The one row of a street that every commit goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Counters {
    /// The position that was given last.
    #[n(0)]
    pub(super) newest: Position,
    #[n(1)]
    pub(super) directory_version: u64,
    /// Where the directory stands in the feed.
    #[n(2)]
    pub(super) directory_at: Position,
}

impl Counters {
    pub(super) fn read(read: &dyn Read, street: StreetId) -> Result<Self, LedgerError> {
        get(read, keys::COUNTERS, &keys::of_street(keys::COUNTERS, street))?.ok_or(LedgerError::NoStreet { street })
    }

    pub(super) fn write(&self, transaction: &mut dyn Transaction, street: StreetId) -> Result<(), LedgerError> {
        put(transaction, keys::COUNTERS, keys::of_street(keys::COUNTERS, street), self)
    }

    /// Takes the next positions; the last of them.
    pub(super) fn take(&mut self, count: usize) -> Position {
        self.newest = Position(self.newest.0.saturating_add(count as u64));
        self.newest
    }
}

/// Where a record stands in the feed; the position is in the key.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct RecordFeedRow {
    #[n(0)]
    pub(super) id: DocId,
    #[n(1)]
    pub(super) kind: RecordKind,
}

/// A scope that a document is in. Its row in the feed stands at the document's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Standing {
    #[n(0)]
    pub(super) scope: Scope,
    #[n(1)]
    pub(super) entered: Position,
}

/// A scope that a document was in, and where the row stands that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Departure {
    #[n(0)]
    pub(super) scope: Scope,
    #[n(1)]
    pub(super) at: Position,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Head {
    #[n(0)]
    pub(super) kind: DocKind,
    #[n(1)]
    pub(super) version: Position,
    /// The snapshot holds everything up to here.
    #[n(2)]
    pub(super) snapshot_at: Option<Position>,
    #[n(3)]
    pub(super) scopes: Vec<Standing>,
    #[n(4)]
    pub(super) left: Vec<Departure>,
    /// The log holds what came behind this; all of it where absent.
    #[n(5)]
    pub(super) log_from: Option<Position>,
}

impl Head {
    pub(super) fn read(read: &dyn Read, street: StreetId, doc: DocId) -> Result<Option<Self>, LedgerError> {
        get(read, keys::HEAD, &keys::of_document(keys::HEAD, street, doc))
    }

    /// Where the document came into a scope that it is in.
    pub(super) fn entered(&self, scope: Scope) -> Option<Position> {
        self.scopes.iter().find(|standing| standing.scope == scope).map(|standing| standing.entered)
    }
}

/// A snapshot with the receipts of what is in it; those of later changes are in the log.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct SnapshotRow {
    #[n(0)]
    pub(super) receipts: Receipts,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) bytes: Vec<u8>,
}

/// An accepted change; document and position are in the key.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct ChangeRow {
    #[n(0)]
    pub(super) hash: ChangeHash,
    #[n(1)]
    pub(super) number: u64,
    #[n(2)]
    pub(super) at: Millis,
    /// Absent where they are in a row of their own.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) bytes: Option<Vec<u8>>,
    /// How many positions before this one the proof of its push stands; absent for what came with none.
    #[n(4)]
    pub(super) proof: Option<u64>,
    /// Set where a snapshot took the place of the bytes, and only the way to the proof stayed.
    #[n(5)]
    pub(super) is_compacted: Option<bool>,
    #[n(6)]
    pub(super) seal: Seal,
}

impl ChangeRow {
    pub(super) const fn receipt(&self) -> Receipt {
        Receipt { number: self.number, at: self.at, seal: self.seal }
    }
}

/// What stands in a scope; the position is in the key. Where the document left, kind and entering are absent.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct FeedRowValue {
    #[n(0)]
    pub(super) doc: DocId,
    #[n(1)]
    pub(super) kind: Option<DocKind>,
    #[n(2)]
    pub(super) entered: Option<Position>,
    /// About how many bytes all of it takes.
    #[n(3)]
    pub(super) bytes: Option<u32>,
    /// Of an open case: its rank.
    #[n(4)]
    pub(super) open: Option<u8>,
    /// The day to come again.
    #[n(5)]
    pub(super) due: Option<Day>,
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct GroupRow {
    #[n(0)]
    at: Millis,
    #[n(1)]
    changes: Vec<(DocId, ChangeHash, u64)>,
    #[n(2)]
    duplicate_of: Option<DocId>,
    #[n(3)]
    adopted_by: Option<PersonId>,
}

impl GroupRow {
    pub(super) fn of(group: AcceptedGroup) -> Self {
        Self { at: group.at, changes: group.changes, duplicate_of: group.duplicate_of, adopted_by: group.adopted_by }
    }

    pub(super) fn into_group(self, id: GroupId) -> AcceptedGroup {
        AcceptedGroup { id, at: self.at, changes: self.changes, duplicate_of: self.duplicate_of, adopted_by: self.adopted_by }
    }
}

/// The claims whose texts begin alike for as long as a key can hold: nearly always one, never more than there are last characters.
#[derive(Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct ClaimRow {
    #[n(0)]
    cases: Vec<(String, DocId)>,
}

impl ClaimRow {
    pub(super) fn read(read: &dyn Read, street: StreetId, key: &ClaimKey) -> Result<Self, LedgerError> {
        Ok(get(read, keys::CLAIM, &keys::claim(street, key).0)?.unwrap_or_default())
    }

    /// The case that claims a key of this row.
    pub(super) fn case(&self, key: &ClaimKey) -> Option<DocId> {
        let rest = key.as_str().get(keys::MOST_CLAIM_TEXT..).unwrap_or_default();
        self.cases.iter().find(|(other, _)| other == rest).map(|(_, case)| *case)
    }

    /// Gives a key of this row to a case, whoever had it.
    pub(super) fn put(&mut self, rest: &str, case: DocId) {
        self.cases.retain(|(other, _)| other != rest);
        self.cases.push((rest.to_owned(), case));
    }
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct QuarantineRow {
    #[n(0)]
    pub(super) at: Millis,
    #[n(1)]
    device: DeviceId,
    #[n(2)]
    person: PersonId,
    #[n(3)]
    code: String,
    #[n(4)]
    offset_ms: Option<i64>,
    #[n(5)]
    because_of: Option<GroupId>,
    #[n(6)]
    changes: Vec<(DocId, DocKind, ByteVec)>,
    #[n(7)]
    proof: Option<ProofRow>,
}

impl QuarantineRow {
    pub(super) fn of(group: QuarantinedGroup) -> Self {
        Self {
            at: group.at,
            device: group.device,
            person: group.person,
            code: group.code,
            offset_ms: group.offset_ms,
            because_of: group.because_of,
            changes: group.changes.into_iter().map(|(doc, kind, bytes)| (doc, kind, bytes.into())).collect(),
            proof: group.proof.map(ProofRow::of),
        }
    }

    pub(super) fn into_group(self, id: GroupId) -> QuarantinedGroup {
        QuarantinedGroup {
            id,
            at: self.at,
            device: self.device,
            person: self.person,
            code: self.code,
            offset_ms: self.offset_ms,
            because_of: self.because_of,
            changes: self.changes.into_iter().map(|(doc, kind, bytes)| (doc, kind, bytes.into())).collect(),
            proof: self.proof.map(ProofRow::into_proof),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct InboxRow {
    #[n(0)]
    documents: Vec<(DocId, Vec<Scope>)>,
}

impl InboxRow {
    pub(super) fn of(entry: InboxEntry) -> Self {
        Self { documents: entry.documents }
    }

    pub(super) fn into_entry(self, group: GroupId) -> InboxEntry {
        InboxEntry { group, documents: self.documents }
    }
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct ProofRow {
    #[n(0)]
    device: DeviceId,
    #[n(1)]
    signature: Signature,
    #[n(2)]
    leaves: Vec<(DocId, ChangeHash)>,
}

impl ProofRow {
    pub(super) fn of(proof: PushProof) -> Self {
        Self { device: proof.device, signature: proof.signature, leaves: proof.leaves }
    }

    pub(super) fn into_proof(self) -> PushProof {
        PushProof { device: self.device, signature: self.signature, leaves: self.leaves }
    }
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct DeviceRow {
    #[n(0)]
    street: StreetId,
    #[n(1)]
    person: PersonId,
    #[n(2)]
    key: PublicKey,
    #[n(3)]
    label: String,
    #[n(4)]
    enrolled_at: Millis,
    #[n(5)]
    last_contact: Option<Millis>,
    /// When it ended, and the code of why.
    #[n(6)]
    ended: Option<(Millis, String)>,
    #[n(7)]
    read_to: Option<Position>,
}

impl DeviceRow {
    pub(super) fn of(device: Device) -> Self {
        Self {
            street: device.street,
            person: device.person,
            key: device.key,
            label: device.label,
            enrolled_at: device.enrolled_at,
            last_contact: device.last_contact,
            ended: device.ended.map(|ended| (ended.at, ended.why.code().to_owned())),
            read_to: device.read_to,
        }
    }

    pub(super) fn into_device(self, id: DeviceId) -> Device {
        // A reason of a later version is an end all the same.
        let why = |code: String| Ending::ALL.into_iter().find(|why| why.code() == code).unwrap_or(Ending::Revoked);
        Device {
            id,
            street: self.street,
            person: self.person,
            key: self.key,
            label: self.label,
            enrolled_at: self.enrolled_at,
            last_contact: self.last_contact,
            read_to: self.read_to,
            ended: self.ended.map(|(at, code)| Ended { at, why: why(code) }),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct CodeRow {
    #[n(0)]
    street: StreetId,
    #[n(1)]
    person: PersonId,
    #[n(2)]
    expires_at: Millis,
    #[n(3)]
    used_by: Option<DeviceId>,
}

impl CodeRow {
    pub(super) fn of(code: EnrolmentCode) -> Self {
        Self { street: code.street, person: code.person, expires_at: code.expires_at, used_by: code.used_by }
    }

    pub(super) fn into_code(self) -> EnrolmentCode {
        EnrolmentCode { street: self.street, person: self.person, expires_at: self.expires_at, used_by: self.used_by }
    }
}

#[cfg(test)]
mod tests;
