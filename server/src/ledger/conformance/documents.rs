//! Cases of documents: log, snapshot, summaries, isolation, durability.

use std::sync::atomic::{AtomicBool, Ordering};

use doorstep_core::docs::DocKind;
use doorstep_core::model::{ClaimKey, DocId, Grant, GrantId, Millis, Position, Role, Scope};

use super::Subject;
use super::sample::{
    ALL, HERE, THERE, WORKER, accepted, commit_of, device, directory, doc, feed, grid, group_id, hash, put, refused, state, two_streets,
    write,
};
use crate::ledger::{ClaimWrite, Commit, DocumentWrite, EnrolmentCode, Ledger};

fn numbers_of(ledger: &dyn Ledger, doc: DocId, after: u64, limit: usize) -> Vec<u64> {
    ledger.changes_after(HERE, doc, Position(after), limit).unwrap().unwrap().iter().map(|change| change.receipt.number).collect()
}

pub fn a_document_is_read_back_from_its_log(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    assert_eq!(ledger.document(HERE, doc(1)).unwrap(), None);
    let first = write(doc(1), None, 1..=2, &[Scope::Street(HERE), grid(1)]);
    let version = put(&*ledger, first.clone());
    let second = write(doc(1), Some(version), 3..=3, &[grid(2), Scope::Street(HERE), grid(2)]);
    let version = put(&*ledger, second.clone());
    let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
    assert_eq!((found.kind, found.version, found.snapshot), (DocKind::Household, version, None));
    assert_eq!(found.scopes, [grid(2), Scope::Street(HERE)]);
    assert_eq!((found.receipts, found.summary), (second.receipts, second.summary));
    let logged: Vec<_> = found.log.into_iter().map(|change| (change.hash, change.receipt, change.bytes)).collect();
    assert_eq!(logged, [first.changes, second.changes].concat());
}

pub fn a_document_is_read_back_from_its_snapshot_and_the_log_behind_it(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let first = DocumentWrite { snapshot: Some(vec![7; 20_000]), ..write(doc(1), None, 1..=300, &[grid(1)]) };
    let version = put(&*ledger, first);
    let second = write(doc(1), Some(version), 301..=302, &[grid(1)]);
    let version = put(&*ledger, second.clone());
    let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
    assert_eq!(found.snapshot, Some(vec![7; 20_000]));
    assert_eq!(found.log.iter().map(|change| change.receipt.number).collect::<Vec<_>>(), [301, 302]);
    assert_eq!(found.receipts, second.receipts);
    // A smaller snapshot takes the larger one's place.
    let third = DocumentWrite { snapshot: Some(vec![8; 10]), ..write(doc(1), Some(version), 303..=303, &[grid(1)]) };
    put(&*ledger, third.clone());
    let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
    assert_eq!((found.snapshot, found.log, found.receipts), (Some(vec![8; 10]), vec![], third.receipts));
    assert_eq!(numbers_of(&*ledger, doc(1), 301, ALL), [301, 302, 303]);
}

pub fn a_log_that_a_snapshot_took_the_place_of_is_said_to_be_gone(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let mut commit = DocumentWrite { snapshot: Some(vec![1; 9_000]), ..write(doc(1), None, 1..=3, &[grid(1)]) };
    commit.changes[1].2 = vec![7; 10_000];
    let version = put(&*ledger, commit);
    let behind = |after| ledger.changes_after(HERE, doc(1), Position(after), ALL).unwrap().map(|changes| changes.len());
    // The first snapshot takes nothing away: whoever was here a moment ago gets what is new.
    assert_eq!((behind(0), behind(2)), (Some(3), Some(2)));
    let version = put(&*ledger, write(doc(1), Some(version), 4..=5, &[grid(1)]));
    assert_eq!(behind(0), Some(5));
    // The second one takes what lies before the first.
    let version = put(&*ledger, DocumentWrite { snapshot: Some(vec![2; 10]), ..write(doc(1), Some(version), 6..=6, &[grid(1)]) });
    assert_eq!([behind(0), behind(3)], [None, None]);
    assert_eq!([behind(4), behind(5), behind(6), behind(7)], [Some(3), Some(2), Some(1), Some(0)]);
    let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
    assert_eq!((found.version, found.snapshot, found.log.len(), found.receipts.len()), (version, Some(vec![2; 10]), 0, 6));
    // One that changes nothing takes its place like any other, and so does the next.
    let alone = DocumentWrite { changes: vec![], snapshot: Some(vec![3; 10]), ..write(doc(1), Some(version), 6..=6, &[grid(1)]) };
    assert_eq!(put(&*ledger, alone), version);
    assert_eq!([behind(6), behind(7)], [None, Some(0)]);
    let version = put(&*ledger, write(doc(1), Some(version), 7..=7, &[grid(1)]));
    assert_eq!([behind(6), behind(7), behind(8)], [None, Some(1), Some(0)]);
    assert_eq!(ledger.document(HERE, doc(1)).unwrap().unwrap().log.len(), 1);
    assert_eq!(version, Position(8));
}

pub fn a_new_document_may_be_kept_as_its_snapshot_alone(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let written = DocumentWrite { snapshot: Some(vec![1; 5_000]), is_compact: true, ..write(doc(1), None, 1..=2, &[grid(1)]) };
    let version = put(&*ledger, written.clone());
    assert_eq!(version, Position(3));
    let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
    assert_eq!((found.snapshot, found.log, found.receipts), (Some(vec![1; 5_000]), vec![], written.receipts));
    let behind = |after| ledger.changes_after(HERE, doc(1), Position(after), ALL).unwrap().map(|changes| changes.len());
    assert_eq!([behind(0), behind(2), behind(3)], [None, None, Some(0)]);
    // Where it is there already, nothing that somebody may have read in part goes.
    let version = put(&*ledger, DocumentWrite { is_compact: true, ..write(doc(1), Some(version), 3..=3, &[grid(1)]) });
    assert_eq!([behind(3), behind(4)], [Some(1), Some(0)]);
    assert_eq!(ledger.document(HERE, doc(1)).unwrap().unwrap().log.len(), 1);
    assert_eq!(version, Position(4));
}

pub fn changes_are_read_whole_or_not_at_all_while_others_compact(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let mut version = put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut cursor = 0;
            while !done.load(Ordering::Relaxed) {
                match ledger.changes_after(HERE, doc(1), Position(cursor), ALL).unwrap() {
                    Some(changes) => {
                        let positions: Vec<u64> = changes.iter().map(|change| change.position.0).collect();
                        let first = cursor.max(1) + 1;
                        assert_eq!(positions, (first..first + positions.len() as u64).collect::<Vec<_>>());
                        cursor = positions.last().copied().map_or(cursor, |last| last.saturating_sub(5));
                    }
                    None => cursor = ledger.newest(HERE).unwrap().0,
                }
            }
        });
        for number in 2..=80u64 {
            let snapshot = number.is_multiple_of(3).then(|| vec![0; 100]);
            let mut commit = write(doc(1), Some(version), number..=number, &[grid(1)]);
            if number.is_multiple_of(4) {
                commit.changes[0].2 = vec![1; 5_000];
            }
            version = put(&*ledger, DocumentWrite { snapshot, ..commit });
        }
        done.store(true, Ordering::Relaxed);
    });
}

pub fn changes_of_every_size_come_back_as_they_were(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let mut commit = write(doc(1), None, 1..=9, &[grid(1)]);
    for ((_, _, bytes), length) in commit.changes.iter_mut().zip([0, 1, 3_967, 3_968, 3_969, 4_096, 4_097, 100_000, 1]) {
        *bytes = (0..length).map(|at: usize| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
    }
    put(&*ledger, commit.clone());
    let found: Vec<_> = ledger.changes_after(HERE, doc(1), Position(0), ALL).unwrap().unwrap();
    assert_eq!(found.into_iter().map(|change| (change.hash, change.receipt, change.bytes)).collect::<Vec<_>>(), commit.changes);
}

pub fn changes_are_read_behind_a_position(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let commit =
        Commit { documents: vec![write(doc(1), None, 1..=3, &[grid(1)]), write(doc(2), None, 1..=2, &[grid(1)])], ..Commit::default() };
    ledger.commit(HERE, commit).unwrap();
    put(&*ledger, write(doc(1), Some(Position(4)), 4..=5, &[grid(1)]));
    assert_eq!(numbers_of(&*ledger, doc(1), 0, ALL), [1, 2, 3, 4, 5]);
    assert_eq!(numbers_of(&*ledger, doc(1), 2, ALL), [2, 3, 4, 5]);
    assert_eq!(numbers_of(&*ledger, doc(1), 4, ALL), [4, 5]);
    assert_eq!(numbers_of(&*ledger, doc(1), 1, 2), [1, 2]);
    assert!(numbers_of(&*ledger, doc(1), 8, ALL).is_empty());
    assert!(numbers_of(&*ledger, doc(1), u64::MAX, ALL).is_empty());
    assert!(numbers_of(&*ledger, doc(3), 0, ALL).is_empty());
    let found = ledger.changes_after(HERE, doc(1), Position(4), 1).unwrap().unwrap();
    assert_eq!((found[0].position, found[0].hash), (Position(7), hash(doc(1), 4)));
}

pub fn a_new_snapshot_alone_takes_no_position(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let written = write(doc(1), None, 1..=4, &[grid(1)]);
    let version = put(&*ledger, written.clone());
    let before = state(&*ledger);
    let compacted = DocumentWrite { expected: Some(version), changes: vec![], snapshot: Some(vec![1, 2, 3]), ..written.clone() };
    assert_eq!(put(&*ledger, compacted), version);
    assert_eq!(state(&*ledger), before);
    let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
    assert_eq!((found.version, found.snapshot, found.log, found.receipts), (version, Some(vec![1, 2, 3]), vec![], written.receipts));
}

pub fn summaries_are_listed_by_kind_and_id(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    for number in [3, 1, 2] {
        put(&*ledger, write(doc(number), None, 1..=u64::from(number), &[grid(1)]));
    }
    put(&*ledger, DocumentWrite { kind: DocKind::Case, ..write(doc(4), None, 1..=1, &[grid(1)]) });
    let list = |kind, after, limit| ledger.summaries(HERE, kind, after, limit).unwrap();
    let row = |number: u8, last: u64| (doc(number), format!("summary after {last}").into_bytes());
    assert_eq!(list(DocKind::Household, None, ALL), [row(1, 1), row(2, 2), row(3, 3)]);
    assert_eq!(list(DocKind::Household, None, 1), [row(1, 1)]);
    assert_eq!(list(DocKind::Household, Some(doc(1)), ALL), [row(2, 2), row(3, 3)]);
    assert_eq!(list(DocKind::Household, Some(doc(3)), ALL), []);
    assert_eq!(list(DocKind::Case, None, ALL), [row(4, 1)]);
    assert_eq!(ledger.summaries(THERE, DocKind::Household, None, ALL).unwrap(), []);
    put(&*ledger, write(doc(1), Some(Position(5)), 2..=9, &[grid(1)]));
    assert_eq!(list(DocKind::Household, None, 1), [row(1, 9)]);
}

pub fn a_document_is_read_whole_while_others_write_it(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let mut version = put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
                let last = found.receipts.len();
                assert_eq!(found.summary, format!("summary after {last}").into_bytes());
                let in_snapshot = found.snapshot.map_or(0, |bytes| bytes.len());
                assert_eq!(in_snapshot + found.log.len(), last);
                assert_eq!(found.version, Position(1 + last as u64));
            }
        });
        for number in 2..=60usize {
            // A snapshot of so many changes has so many bytes.
            let snapshot = (number % 3 == 0).then(|| vec![0; number]);
            version = put(&*ledger, DocumentWrite { snapshot, ..write(doc(1), Some(version), number as u64..=number as u64, &[grid(1)]) });
        }
        done.store(true, Ordering::Relaxed);
    });
}

pub fn the_same_ids_in_two_streets_are_two_documents(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    put(&*ledger, write(doc(1), None, 1..=2, &[grid(1)]));
    ledger.commit(THERE, commit_of(write(doc(1), None, 1..=1, &[grid(1)]))).unwrap();
    put(&*ledger, write(doc(2), None, 1..=1, &[grid(1)]));
    let length = |street| ledger.document(street, doc(1)).unwrap().unwrap().log.len();
    assert_eq!((length(HERE), length(THERE)), (2, 1));
    assert_eq!(ledger.document(THERE, doc(2)).unwrap(), None);
    assert_eq!(ledger.feed(THERE, grid(1), Position(1), ALL).unwrap().len(), 1);
    assert_eq!(ledger.feed(HERE, grid(1), Position(1), ALL).unwrap().len(), 2);
    assert_eq!((ledger.newest(HERE).unwrap(), ledger.newest(THERE).unwrap()), (Position(4), Position(2)));
}

pub fn everything_is_there_after_reopening(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let claim: ClaimKey = "pension/2026".parse().unwrap();
    let mut written = write(doc(1), None, 1..=3, &[Scope::Street(HERE), grid(1)]);
    written.late.push(doorstep_core::model::EventId::from_bytes([4; 16]));
    let commit = Commit {
        documents: vec![DocumentWrite { snapshot: Some(vec![5; 9_000]), ..written }],
        groups: vec![accepted(group_id(1))],
        claims: vec![ClaimWrite { key: claim.clone(), case: doc(1), expected: None }],
        quarantine: vec![refused(group_id(2), 5)],
        directory: Some(directory(HERE, 2)),
        ..Commit::default()
    };
    ledger.commit(HERE, commit).unwrap();
    let grant =
        Grant { id: GrantId::from_bytes([1; 16]), person: WORKER, scope: grid(1), from: Millis(0), until: None, role: Role::GridWorker };
    ledger.add_grant(HERE, &grant).unwrap();
    ledger.add_code("CODE", &EnrolmentCode { street: HERE, person: WORKER, expires_at: Millis(9), used_by: None }).unwrap();
    ledger.enrol("CODE", &device([1; 16], HERE)).unwrap();
    put(&*ledger, write(doc(1), Some(Position(4)), 4..=4, &[Scope::Street(HERE), grid(2)]));
    let look = |ledger: &dyn Ledger| {
        let document = ledger.document(HERE, doc(1)).unwrap();
        assert!(document.is_some());
        let lists = (ledger.quarantine(HERE, ALL).unwrap(), ledger.late_events(HERE, ALL).unwrap(), ledger.grants(HERE, WORKER).unwrap());
        let single = (ledger.group(HERE, group_id(1)).unwrap(), ledger.claim(HERE, &claim).unwrap(), ledger.code("CODE").unwrap());
        (
            state(ledger),
            feed(ledger, grid(2)),
            document,
            lists,
            single,
            ledger.device(device([1; 16], HERE).id).unwrap(),
            ledger.streets().unwrap(),
        )
    };
    let before = look(&*ledger);
    drop(ledger);
    let ledger = subject.open();
    assert_eq!(look(&*ledger), before);
    assert_eq!(put(&*ledger, write(doc(2), None, 1..=1, &[grid(1)])), Position(before.0.0.0 + 1));
}

pub fn a_barrier_passes(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let size = ledger.size_on_disk().unwrap();
    ledger.barrier().unwrap();
    put(&*ledger, DocumentWrite { snapshot: Some(vec![1; 500_000]), ..write(doc(1), None, 1..=1, &[grid(1)]) });
    ledger.barrier().unwrap();
    assert!(ledger.size_on_disk().unwrap() >= size + 400_000);
}
