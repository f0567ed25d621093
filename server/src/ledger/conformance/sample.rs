//! Made-up streets, documents and commits for the cases.

use std::sync::Arc;

use doorstep_core::docs::DocKind;
use doorstep_core::model::{
    Centre, CentreId, ChangeHash, DeviceId, Directory, DocId, Grid, GridId, GroupId, LedgerId, Millis, PersonId, Position, Receipt,
    Receipts, Role, Scope, Seal, Staff, StreetId,
};
use doorstep_core::sync::{DeviceKey, PublicKey};

use super::Subject;
use crate::ledger::{
    AcceptedGroup, Commit, Device, DocumentWrite, FeedRow, InboxEntry, Ledger, Precedence, PushProof, QuarantinedGroup, SealKey, Street,
};

pub(super) const HERE: StreetId = StreetId::from_bytes([1; 16]);
pub(super) const THERE: StreetId = StreetId::from_bytes([2; 16]);
pub(super) const NOWHERE: StreetId = StreetId::from_bytes([3; 16]);
pub(super) const WORKER: PersonId = PersonId::from_bytes([20; 16]);
pub(super) const ALL: usize = usize::MAX;

pub(super) const fn doc(number: u8) -> DocId {
    DocId::from_bytes([number; 16])
}

pub(super) const fn grid(number: u8) -> Scope {
    Scope::Grid(GridId::from_bytes([number; 16]))
}

pub(super) const fn group_id(number: u8) -> GroupId {
    GroupId::from_bytes([number; 16])
}

/// A hash that says whose it is and which one.
pub(super) fn hash(doc: DocId, number: u64) -> ChangeHash {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(doc.as_bytes());
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    ChangeHash(bytes)
}

pub(super) fn street(id: StreetId) -> Street {
    let first = id.as_bytes()[0];
    Street::new(id, format!("street {first}"), LedgerId::from_bytes([first + 100; 16]), SealKey([first; 32]))
}

pub(super) fn directory(street: StreetId, version: u64) -> Directory {
    let staff = Staff { id: WORKER, name: "worker".to_owned(), role: Role::GridWorker, grids: Vec::new(), devices: Vec::new() };
    Directory {
        schema: Directory::SCHEMA,
        version,
        street,
        name: format!("version {version}"),
        centres: vec![Centre { id: CentreId::from_bytes([5; 16]), name: "centre".to_owned() }],
        grids: vec![Grid { id: GridId::from_bytes([6; 16]), name: "grid".to_owned(), community: "community".to_owned() }],
        staff: vec![staff],
    }
}

/// A ledger with the streets `HERE` and `THERE`, each with its directory at position 1.
pub(super) fn two_streets(subject: &dyn Subject) -> Arc<dyn Ledger> {
    let ledger = subject.open();
    for id in [HERE, THERE] {
        ledger.add_street(&street(id), &directory(id, 1)).unwrap();
    }
    ledger
}

/// A household in the scopes with changes of these numbers, on top of a version.
pub(super) fn write(doc: DocId, expected: Option<Position>, numbers: std::ops::RangeInclusive<u64>, scopes: &[Scope]) -> DocumentWrite {
    let receipt = |number| Receipt { number, at: Millis(1_000 + i64::try_from(number).unwrap()), seal: Seal([7; 8]) };
    let last = *numbers.end();
    DocumentWrite {
        doc,
        kind: DocKind::Household,
        expected,
        changes: numbers.map(|number| (hash(doc, number), receipt(number), format!("change {number}").into_bytes())).collect(),
        snapshot: None,
        receipts: (1..=last).map(|number| (hash(doc, number), receipt(number))).collect::<Receipts>(),
        scopes: scopes.to_vec(),
        summary: format!("summary after {last}").into_bytes(),
        is_announced: false,
        late: Vec::new(),
        bytes: 100,
        precedence: Precedence::Later,
        is_compact: false,
    }
}

pub(super) fn commit_of(write: DocumentWrite) -> Commit {
    Commit { documents: vec![write], ..Commit::default() }
}

/// Commits one document and gives its new version.
pub(super) fn put(ledger: &dyn Ledger, write: DocumentWrite) -> Position {
    let versions = ledger.commit(HERE, commit_of(write)).unwrap();
    assert_eq!(versions.len(), 1);
    versions[0]
}

pub(super) fn accepted(id: GroupId) -> AcceptedGroup {
    AcceptedGroup {
        id,
        at: Millis(77),
        changes: vec![(doc(1), hash(doc(1), 1), 1), (doc(2), hash(doc(2), 1), 1)],
        duplicate_of: Some(doc(3)),
        adopted_by: Some(WORKER),
    }
}

pub(super) fn refused(id: GroupId, at: i64) -> QuarantinedGroup {
    QuarantinedGroup {
        id,
        at: Millis(at),
        device: DeviceId::from_bytes([30; 16]),
        person: WORKER,
        code: "sync.clock_ahead".to_owned(),
        offset_ms: Some(-5),
        because_of: Some(group_id(99)),
        changes: vec![(doc(1), DocKind::Case, vec![at.to_le_bytes()[0]; 5_000])],
        proof: Some(PushProof {
            device: DeviceId::from_bytes([30; 16]),
            signature: DeviceKey::from_seed(&[3; 32]).sign_push(DeviceId::from_bytes([30; 16]), &[]),
            leaves: vec![(doc(1), hash(doc(1), 1))],
        }),
    }
}

pub(super) fn waiting(group: GroupId, doc: DocId) -> InboxEntry {
    InboxEntry { group, documents: vec![(doc, vec![Scope::Street(HERE), grid(1)])] }
}

pub(super) fn key(number: u8) -> PublicKey {
    DeviceKey::from_seed(&[number; 32]).public()
}

pub(super) fn device(id: [u8; 16], street: StreetId) -> Device {
    Device {
        id: DeviceId::from_bytes(id),
        street,
        person: WORKER,
        key: key(id[0]),
        label: "a phone".to_owned(),
        enrolled_at: Millis(88),
        last_contact: None,
        read_to: None,
        ended: None,
    }
}

/// The whole feed of a scope of `HERE`.
pub(super) fn feed(ledger: &dyn Ledger, scope: Scope) -> Vec<FeedRow> {
    ledger.feed(HERE, scope, Position(0), ALL).unwrap()
}

/// The feed of a scope of `HERE` without its records.
pub(super) fn documents(ledger: &dyn Ledger, scope: Scope) -> Vec<FeedRow> {
    feed(ledger, scope).into_iter().filter(|row| !matches!(row, FeedRow::Record { .. })).collect()
}

pub(super) fn standing(position: u64, doc: DocId, entered: u64) -> FeedRow {
    FeedRow::Document {
        position: Position(position),
        doc,
        kind: DocKind::Household,
        entered: Position(entered),
        bytes: 100,
        precedence: Precedence::Later,
    }
}

pub(super) fn left(position: u64, doc: DocId) -> FeedRow {
    FeedRow::Left { position: Position(position), doc }
}

/// What tells whether anything was written at all: newest position, feed, directory.
pub(super) fn state(ledger: &dyn Ledger) -> (Position, Vec<FeedRow>, Vec<FeedRow>, Directory) {
    (ledger.newest(HERE).unwrap(), feed(ledger, Scope::Street(HERE)), feed(ledger, grid(1)), ledger.directory(HERE).unwrap())
}
