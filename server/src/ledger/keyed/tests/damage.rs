//! The power goes in a commit; a row rots.

use std::sync::Arc;

use doorstep_core::docs::DocKind;
use doorstep_core::model::{ChangeHash, Directory, Millis, Receipt};
use doorstep_core::model::{DocId, GridId, LedgerId, Position, Receipts, Scope, Seal, StreetId};
use doorstep_core::store::{Batch, CrashKind, MemoryStore, Read, Store, StoreError};

use crate::ledger::keyed::keys;
use crate::ledger::{Commit, DocumentWrite, KeyedLedger, Ledger, LedgerError, Precedence, SealKey, Street};

const HERE: StreetId = StreetId::from_bytes([1; 16]);
const DOC: DocId = DocId::from_bytes([2; 16]);
const GRID: Scope = Scope::Grid(GridId::from_bytes([3; 16]));

fn directory(version: u64) -> Directory {
    Directory { schema: 1, version, street: HERE, name: String::new(), centres: vec![], grids: vec![], staff: vec![] }
}

/// The first write of a document: three changes, one of them larger than a row, and a snapshot.
fn commit() -> Commit {
    let change = |number: u8, length| {
        (ChangeHash([number; 32]), Receipt { number: number.into(), at: Millis(5), seal: Seal([7; 8]) }, vec![number; length])
    };
    let changes = vec![change(1, 100), change(2, 9_000), change(3, 100)];
    let write = DocumentWrite {
        doc: DOC,
        kind: DocKind::Case,
        expected: None,
        receipts: changes.iter().map(|(hash, receipt, _)| (*hash, *receipt)).collect::<Receipts>(),
        changes,
        snapshot: Some(vec![9; 20_000]),
        scopes: vec![Scope::Street(HERE), GRID],
        summary: vec![1],
        is_announced: false,
        late: vec![],
        bytes: 100,
        precedence: Precedence::Later,
        is_compact: false,
    };
    Commit { documents: vec![write], directory: Some(directory(2)), ..Commit::default() }
}

fn with_a_street() -> (Arc<MemoryStore>, KeyedLedger) {
    let store = Arc::new(MemoryStore::new());
    let ledger = KeyedLedger::open(store.clone(), Box::new(crate::system::SystemEntropy)).unwrap();
    let street = Street::new(HERE, "street".to_owned(), LedgerId::from_bytes([4; 16]), SealKey([5; 32]));
    ledger.add_street(&street, &directory(1)).unwrap();
    (store, ledger)
}

#[test]
fn a_commit_that_the_power_cut_is_there_as_a_whole_or_not_at_all_and_may_be_repeated() {
    for (kind, is_there) in [(CrashKind::BeforeApply, false), (CrashKind::AppliedNotFlushed, false), (CrashKind::FlushedNotAnswered, true)]
    {
        let (store, ledger) = with_a_street();
        store.crash_at(0, kind);
        assert_eq!(ledger.commit(HERE, commit()), Err(LedgerError::Store(StoreError::Stopped)));
        assert_eq!(ledger.document(HERE, DOC), Err(LedgerError::Store(StoreError::Stopped)));
        store.restart();
        assert_eq!(ledger.document(HERE, DOC).unwrap().is_some(), is_there);
        assert_eq!(ledger.newest(HERE).unwrap(), Position(if is_there { 5 } else { 1 }));
        assert_eq!(ledger.feed(HERE, GRID, Position(1), 10).unwrap().len(), if is_there { 2 } else { 0 });
        let repeated = ledger.commit(HERE, commit());
        assert_eq!(repeated, if is_there { Err(LedgerError::Conflict { what: "document" }) } else { Ok(vec![Position(4)]) });
        assert_eq!(ledger.document(HERE, DOC).unwrap().unwrap().receipts.len(), 3);
        assert_eq!(ledger.changes_after(HERE, DOC, Position(0), 10).unwrap().unwrap().len(), 3);
    }
}

#[test]
fn a_row_that_does_not_decode_is_named_by_its_table() {
    let rot = [
        (keys::of_document(keys::HEAD, HERE, DOC), "head"),
        (keys::summary(HERE, DocKind::Case, DOC), "summary"),
        (keys::of_document(keys::SNAPSHOT, HERE, DOC), "snapshot"),
    ];
    for (key, table) in rot {
        let (store, ledger) = with_a_street();
        ledger.commit(HERE, commit()).unwrap();
        assert!(store.get(&key).unwrap().is_some());
        let mut batch = Batch::new();
        match table {
            "head" => batch.put(key, vec![1, 0, 0xFF]),
            _ => batch.delete(key),
        }
        store.commit(batch).unwrap();
        assert_eq!(ledger.document(HERE, DOC), Err(LedgerError::Damaged { table }));
    }
}

#[test]
fn a_row_of_a_later_format_is_refused_and_left_alone() {
    let (store, ledger) = with_a_street();
    let key = keys::of_street(keys::COUNTERS, HERE);
    let mut batch = Batch::new();
    batch.put(key.clone(), vec![2, 0, 0x80]);
    store.commit(batch).unwrap();
    assert_eq!(ledger.commit(HERE, commit()).unwrap_err().code(), "store.unknown_format");
    assert_eq!(store.get(&key).unwrap(), Some(vec![2, 0, 0x80]));
}
