//! Cases of commits: positions, conditions, groups, claims, refusals, signatures.

use doorstep_core::docs::{DocKind, Keyring, RecordKey};
use doorstep_core::model::{ClaimKey, DocId, EventId, Grant, GrantId, Millis, Position, Role, Scope};
use doorstep_core::sync::{DeviceKey, Leaf};

use super::Subject;
use super::sample::{
    ALL, HERE, THERE, WORKER, accepted, commit_of, directory, doc, feed, grid, group_id, hash, put, refused, state, two_streets, waiting,
    write,
};
use crate::ledger::{ClaimWrite, Commit, DocumentWrite, FeedRow, Ledger, LedgerError, PushProof};

/// Commits, expects the conflict and that nothing was written.
fn refuses(ledger: &dyn Ledger, commit: Commit, what: &'static str) {
    let before = state(ledger);
    assert_eq!(ledger.commit(HERE, commit).unwrap_err(), LedgerError::Conflict { what });
    assert_eq!(state(ledger), before);
}

/// A commit that would write something of everything, in which a case breaks one condition.
fn of_everything() -> Commit {
    let mut document = write(doc(7), None, 1..=1, &[Scope::Street(HERE), grid(1)]);
    document.late.push(EventId::from_bytes([7; 16]));
    Commit {
        documents: vec![document],
        groups: vec![accepted(group_id(7))],
        claims: vec![free("claim-7", doc(7))],
        rulings_due: vec![doc(7)],
        rulings_given: Vec::new(),
        quarantine: vec![refused(group_id(8), 8)],
        inbox: vec![waiting(group_id(8), doc(8))],
        keys: Vec::new(),
        decided: Vec::new(),
        proof: None,
        grants: Vec::new(),
        device: None,
        directory_version: Some(1),
        directory: Some(directory(HERE, 2)),
    }
}

fn assert_nothing_of_everything(ledger: &dyn Ledger) {
    assert_eq!(ledger.document(HERE, doc(7)).unwrap(), None);
    assert_eq!(ledger.changes_after(HERE, doc(7), Position(0), ALL).unwrap(), Some(vec![]));
    assert_eq!(ledger.group(HERE, group_id(7)).unwrap(), None);
    assert_eq!(ledger.claim(HERE, &claim("claim-7")).unwrap(), None);
    assert_eq!(ledger.quarantined(HERE, group_id(8)).unwrap(), None);
    assert_eq!(ledger.quarantine(HERE, ALL).unwrap(), []);
    assert_eq!(ledger.inbox(HERE, ALL).unwrap(), []);
    assert_eq!(ledger.late_events(HERE, ALL).unwrap(), []);
    assert_eq!(ledger.rulings_due(HERE, ALL).unwrap(), []);
    assert_eq!(ledger.summaries(HERE, DocKind::Household, None, ALL).unwrap().iter().filter(|(id, _)| *id == doc(7)).count(), 0);
}

/// A claim of a key that must be free.
fn free(text: &str, case: DocId) -> ClaimWrite {
    ClaimWrite { key: claim(text), case, expected: None }
}

fn claim(text: &str) -> ClaimKey {
    text.parse().unwrap()
}

pub fn positions_have_no_gaps_and_run_in_the_order_of_commits(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let commit = Commit {
        documents: vec![write(doc(1), None, 1..=3, &[grid(1)]), write(doc(2), None, 1..=1, &[grid(1)])],
        directory: Some(directory(HERE, 2)),
        ..Commit::default()
    };
    assert_eq!(ledger.commit(HERE, commit).unwrap(), [Position(4), Position(5)]);
    assert_eq!(ledger.newest(HERE).unwrap(), Position(6));
    assert_eq!(put(&*ledger, write(doc(1), Some(Position(4)), 4..=4, &[grid(1)])), Position(7));
    let of = |number: u8| {
        ledger.changes_after(HERE, doc(number), Position(0), ALL).unwrap().unwrap().iter().map(|c| c.position.0).collect::<Vec<_>>()
    };
    assert_eq!((of(1), of(2)), (vec![2, 3, 4, 7], vec![5]));
    assert_eq!(ledger.newest(THERE).unwrap(), Position(1));
}

pub fn concurrent_commits_share_the_positions_without_a_gap(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let rounds = 12;
    let mut versions: Vec<Position> = std::thread::scope(|scope| {
        let work = |number: u8| {
            let ledger = &ledger;
            move || {
                let mut versions = Vec::new();
                for round in 1..=rounds {
                    versions.push(put(&**ledger, write(doc(number), versions.last().copied(), round..=round, &[Scope::Street(HERE)])));
                }
                versions
            }
        };
        let threads: Vec<_> = (1..=8u8).map(|number| scope.spawn(work(number))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    versions.sort();
    assert_eq!(versions, (2..2 + 8 * rounds).map(Position).collect::<Vec<_>>());
    assert_eq!(ledger.newest(HERE).unwrap(), Position(1 + 8 * rounds));
    assert_eq!(feed(&*ledger, Scope::Street(HERE)).len(), 9);
}

pub fn of_concurrent_commits_on_one_version_one_wins(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let version = put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| ledger.commit(HERE, commit_of(write(doc(1), Some(version), 2..=2, &[grid(1)]))))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(ledger.newest(HERE).unwrap(), Position(3));
    assert_eq!(ledger.changes_after(HERE, doc(1), Position(0), ALL).unwrap().unwrap().len(), 2);
}

pub fn a_document_at_another_version_writes_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let version = put(&*ledger, write(doc(1), None, 1..=2, &[grid(1)]));
    for expected in [None, Some(Position(0)), Some(Position(2)), Some(Position(version.0 + 1))] {
        let mut commit = of_everything();
        commit.documents.push(write(doc(1), expected, 3..=3, &[grid(1)]));
        refuses(&*ledger, commit, "document");
    }
    let mut commit = of_everything();
    commit.documents.push(write(doc(9), Some(Position(1)), 1..=1, &[grid(1)]));
    refuses(&*ledger, commit, "document");
    assert_nothing_of_everything(&*ledger);
    assert_eq!(ledger.document(HERE, doc(1)).unwrap().unwrap().log.len(), 2);
}

pub fn a_document_of_another_kind_is_a_conflict(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let version = put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    refuses(&*ledger, commit_of(DocumentWrite { kind: DocKind::Case, ..write(doc(1), Some(version), 2..=2, &[grid(1)]) }), "document");
}

pub fn a_document_that_stands_twice_in_a_commit_is_a_conflict(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let twice = || vec![write(doc(1), None, 1..=1, &[grid(1)]), write(doc(1), None, 2..=2, &[grid(1)])];
    refuses(&*ledger, Commit { documents: twice(), ..Commit::default() }, "document");
    assert_eq!(ledger.document(HERE, doc(1)).unwrap(), None);
}

pub fn a_known_group_writes_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.commit(HERE, Commit { groups: vec![accepted(group_id(1))], ..Commit::default() }).unwrap();
    let mut commit = of_everything();
    commit.groups.push(accepted(group_id(1)));
    refuses(&*ledger, commit, "group");
    refuses(&*ledger, Commit { groups: vec![accepted(group_id(7)), accepted(group_id(7))], ..Commit::default() }, "group");
    assert_nothing_of_everything(&*ledger);
}

pub fn a_taken_claim_writes_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.commit(HERE, Commit { claims: vec![free("pension/2026", doc(1))], ..Commit::default() }).unwrap();
    let mut commit = of_everything();
    commit.claims.push(free("pension/2026", doc(7)));
    refuses(&*ledger, commit, "claim");
    refuses(&*ledger, Commit { claims: vec![free("claim-7", doc(7)), free("claim-7", doc(8))], ..Commit::default() }, "claim");
    assert_nothing_of_everything(&*ledger);
    assert_eq!(ledger.claim(HERE, &claim("pension/2026")).unwrap(), Some(doc(1)));
    assert_eq!(ledger.claim(THERE, &claim("pension/2026")).unwrap(), None);
}

pub fn a_claim_goes_to_another_case_on_the_condition_of_who_has_it(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let commit =
        |expected: Option<DocId>, case| Commit { claims: vec![ClaimWrite { expected, ..free("pension", case) }], ..Commit::default() };
    ledger.commit(HERE, commit(None, doc(1))).unwrap();
    refuses(&*ledger, commit(Some(doc(2)), doc(3)), "claim");
    ledger.commit(HERE, commit(Some(doc(1)), doc(2))).unwrap();
    assert_eq!(ledger.claim(HERE, &claim("pension")).unwrap(), Some(doc(2)));
}

pub fn rulings_are_due_until_they_are_given(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.commit(HERE, Commit { rulings_due: vec![doc(2), doc(1), doc(1)], ..Commit::default() }).unwrap();
    assert_eq!(ledger.rulings_due(HERE, 1).unwrap(), [doc(1)]);
    assert_eq!(ledger.rulings_due(HERE, ALL).unwrap(), [doc(1), doc(2)]);
    assert_eq!(ledger.rulings_due(THERE, ALL).unwrap(), []);
    ledger.commit(HERE, Commit { rulings_given: vec![doc(1), doc(9)], ..Commit::default() }).unwrap();
    assert_eq!(ledger.rulings_due(HERE, ALL).unwrap(), [doc(2)]);
}

pub fn a_claim_is_free_for_another_text_however_alike(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let longest = "c".repeat(79);
    let texts = [longest.clone(), format!("{longest}a"), format!("{longest}b"), "c".repeat(78), "C".repeat(79)];
    for (number, text) in (1..).zip(&texts) {
        ledger.commit(HERE, Commit { claims: vec![free(text, doc(number))], ..Commit::default() }).unwrap();
    }
    for (number, text) in (1..).zip(&texts) {
        assert_eq!(ledger.claim(HERE, &claim(text)).unwrap(), Some(doc(number)));
        refuses(&*ledger, Commit { claims: vec![free(text, doc(9))], ..Commit::default() }, "claim");
    }
    assert_eq!(ledger.claim(HERE, &claim(&format!("{longest}c"))).unwrap(), None);
}

pub fn another_directory_version_writes_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.commit(HERE, Commit { directory: Some(directory(HERE, 2)), ..Commit::default() }).unwrap();
    refuses(&*ledger, of_everything(), "directory");
    refuses(&*ledger, Commit { directory: None, ..of_everything() }, "directory");
    refuses(&*ledger, Commit { directory_version: None, ..of_everything() }, "directory");
    assert_nothing_of_everything(&*ledger);
    ledger.commit(HERE, Commit { directory_version: Some(2), directory: Some(directory(HERE, 3)), ..of_everything() }).unwrap();
    assert_eq!(ledger.claim(HERE, &claim("claim-7")).unwrap(), Some(doc(7)));
}

pub fn a_grant_that_is_other_than_what_policy_read_writes_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let id = GrantId::from_bytes([1; 16]);
    let grant = Grant { id, person: WORKER, scope: grid(1), from: Millis(0), until: None, role: Role::GridWorker };
    refuses(&*ledger, Commit { grants: vec![grant.clone()], ..of_everything() }, "grant");
    ledger.add_grant(HERE, &grant).unwrap();
    refuses(&*ledger, Commit { grants: vec![Grant { role: Role::Auxiliary, ..grant.clone() }], ..of_everything() }, "grant");
    ledger.commit(HERE, Commit { grants: vec![grant.clone()], directory: None, ..of_everything() }).unwrap();
    ledger.end_grant(HERE, WORKER, id, Millis(9)).unwrap();
    refuses(&*ledger, Commit { grants: vec![grant], ..Commit::default() }, "grant");
}

pub fn late_work_waits_until_it_is_decided_about(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let many = crate::ledger::InboxEntry { group: group_id(1), documents: vec![(doc(1), vec![grid(1); 40]); 64] };
    let inbox = vec![waiting(group_id(2), doc(2)), many.clone()];
    ledger.commit(HERE, Commit { quarantine: vec![refused(group_id(2), 8)], inbox, ..Commit::default() }).unwrap();
    assert_eq!(ledger.inbox(HERE, ALL).unwrap(), [many.clone(), waiting(group_id(2), doc(2))]);
    assert_eq!(ledger.inbox(HERE, 1).unwrap(), [many]);
    assert_eq!(ledger.inbox(THERE, ALL).unwrap(), []);
    ledger.commit(HERE, Commit { decided: vec![group_id(1)], ..Commit::default() }).unwrap();
    // Of two who decide at once the second comes too late, and nothing of theirs counts.
    let second = Commit { decided: vec![group_id(1)], quarantine: vec![refused(group_id(2), 9)], ..Commit::default() };
    refuses(&*ledger, second, "inbox");
    assert_eq!(ledger.quarantined(HERE, group_id(2)).unwrap(), Some(refused(group_id(2), 8)));
    drop(ledger);
    assert_eq!(subject.open().inbox(HERE, ALL).unwrap(), [waiting(group_id(2), doc(2))]);
}

pub fn keys_of_records_are_kept_with_their_position_and_gone_once_forgotten(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let ring = |number: u8| Keyring::of(RecordKey::from_bytes(&[number; 32]).unwrap());
    assert_eq!(ledger.keys(HERE, doc(1)).unwrap(), (Keyring::default(), Position(0)));
    let keys = vec![(doc(1), ring(1)), (doc(2), ring(2))];
    let versions = ledger.commit(HERE, Commit { keys, ..commit_of(write(doc(1), None, 1..=3, &[grid(1)])) }).unwrap();
    let at = versions[0];
    assert_eq!(ledger.keys(HERE, doc(1)).unwrap(), (ring(1), at));
    assert_eq!(ledger.document(HERE, doc(1)).unwrap().map(|stored| (stored.keys, stored.keys_at)), Some((ring(1), at)));
    assert_eq!(ledger.keys(THERE, doc(1)).unwrap(), (Keyring::default(), Position(0)), "another street's record");
    ledger.cut_keys(HERE, doc(1), &Keyring::erased()).unwrap();
    assert!(ledger.keys(HERE, doc(1)).unwrap().0.is_erased());
    // What readers are to hear of takes a position, though nothing is written.
    let announced = DocumentWrite { changes: vec![], is_announced: true, ..write(doc(1), Some(at), 4..=4, &[grid(1)]) };
    let told = ledger.commit(HERE, Commit { keys: vec![(doc(1), Keyring::erased())], ..commit_of(announced) }).unwrap();
    assert!(told[0] > at);
    drop(ledger);
    let ledger = subject.open();
    assert_eq!(ledger.keys(HERE, doc(1)).unwrap(), (Keyring::erased(), told[0]));
    assert_eq!(ledger.keys(HERE, doc(2)).unwrap(), (ring(2), at));
}

pub fn a_groups_verdict_is_kept(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let mut large = accepted(group_id(2));
    large.duplicate_of = None;
    large.changes = (0..500).map(|number| (doc(1), hash(doc(1), number), number)).collect();
    ledger.commit(HERE, Commit { groups: vec![accepted(group_id(1)), large.clone()], ..Commit::default() }).unwrap();
    assert_eq!(ledger.group(HERE, group_id(1)).unwrap(), Some(accepted(group_id(1))));
    assert_eq!(ledger.group(HERE, group_id(2)).unwrap(), Some(large));
    assert_eq!(ledger.group(HERE, group_id(3)).unwrap(), None);
    assert_eq!(ledger.group(THERE, group_id(1)).unwrap(), None);
}

pub fn refused_groups_are_listed_the_latest_first_and_each_once(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let refuse = |groups: Vec<_>| ledger.commit(HERE, Commit { quarantine: groups, ..Commit::default() }).unwrap();
    refuse(vec![refused(group_id(1), 10), refused(group_id(2), 10)]);
    refuse(vec![refused(group_id(3), 20)]);
    assert_eq!(ledger.quarantine(HERE, ALL).unwrap(), [refused(group_id(3), 20), refused(group_id(2), 10), refused(group_id(1), 10)]);
    assert_eq!(ledger.quarantine(HERE, 2).unwrap().len(), 2);
    refuse(vec![refused(group_id(1), 30)]);
    assert_eq!(ledger.quarantine(HERE, ALL).unwrap(), [refused(group_id(1), 30), refused(group_id(3), 20), refused(group_id(2), 10)]);
    assert_eq!(ledger.quarantined(HERE, group_id(1)).unwrap(), Some(refused(group_id(1), 30)));
    assert_eq!(ledger.quarantined(HERE, group_id(9)).unwrap(), None);
    assert_eq!(ledger.quarantined(THERE, group_id(1)).unwrap(), None);
    assert_eq!(ledger.quarantine(THERE, ALL).unwrap(), []);
    assert_eq!(ledger.newest(HERE).unwrap(), Position(1));
}

pub fn late_events_are_listed_the_oldest_first(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let event = |number: u8| EventId::from_bytes([number; 16]);
    let late = |number: u8, events: &[u8]| DocumentWrite {
        late: events.iter().map(|number| event(*number)).collect(),
        ..write(doc(number), None, 1..=1, &[grid(1)])
    };
    let first = put(&*ledger, late(2, &[9]));
    let second = put(&*ledger, late(1, &[3, 4]));
    assert_eq!(ledger.late_events(HERE, ALL).unwrap(), [(doc(2), event(9), first), (doc(1), event(3), second), (doc(1), event(4), second)]);
    assert_eq!(ledger.late_events(HERE, 1).unwrap(), [(doc(2), event(9), first)]);
    assert_eq!(ledger.late_events(THERE, ALL).unwrap(), []);
}

pub fn a_change_leads_to_the_signed_push_that_it_came_in(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let proof = |number: u8, leaves: Vec<_>| {
        let signed: Vec<Leaf> = leaves.iter().map(|(doc, hash)| Leaf { doc: *doc, hash: *hash }).collect();
        let device = doorstep_core::model::DeviceId::from_bytes([number; 16]);
        PushProof { device, signature: DeviceKey::from_seed(&[number; 32]).sign_push(device, &signed), leaves }
    };
    let first = proof(1, vec![(doc(1), hash(doc(1), 1)), (doc(2), hash(doc(2), 1)), (doc(9), hash(doc(9), 1))]);
    // The second change of the second document is the server's own; the first is too large for a row.
    let mut documents = vec![write(doc(1), None, 1..=1, &[grid(1)]), write(doc(2), None, 1..=2, &[grid(1)])];
    documents[1].changes[0].2 = vec![1; 10_000];
    let versions = ledger.commit(HERE, Commit { documents, proof: Some(first.clone()), ..Commit::default() }).unwrap();
    assert_eq!(versions, [Position(2), Position(4)]);
    let second = proof(2, (2..200).map(|number| (doc(1), hash(doc(1), number))).collect());
    let documents = vec![write(doc(1), Some(Position(2)), 2..=3, &[grid(1)])];
    ledger.commit(HERE, Commit { documents, proof: Some(second.clone()), ..Commit::default() }).unwrap();
    put(&*ledger, write(doc(3), None, 1..=1, &[grid(1)]));

    let found = |number: u8, position: u64| ledger.proof(HERE, doc(number), Position(position)).unwrap();
    assert_eq!(found(1, 2), Some(first.clone()));
    assert_eq!(found(2, 3), Some(first));
    assert_eq!(found(2, 4), None);
    assert_eq!([found(1, 5), found(1, 6)], [Some(second.clone()), Some(second)]);
    assert_eq!([found(3, 7), found(1, 3), found(1, 99)], [None, None, None]);
    assert_eq!(ledger.proof(THERE, doc(1), Position(2)).unwrap(), None);
}

pub fn the_way_to_the_signed_push_outlives_the_bytes_of_a_change(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let leaves: Vec<_> = (1..=2).map(|number| (doc(1), hash(doc(1), number))).collect();
    let signed: Vec<Leaf> = leaves.iter().map(|(doc, hash)| Leaf { doc: *doc, hash: *hash }).collect();
    let device = doorstep_core::model::DeviceId::from_bytes([1; 16]);
    let proof = PushProof { device, signature: DeviceKey::from_seed(&[1; 32]).sign_push(device, &signed), leaves };
    // The third change is the server's own.
    let mut first = DocumentWrite { snapshot: Some(vec![1; 100]), ..write(doc(1), None, 1..=3, &[grid(1)]) };
    first.changes[1].2 = vec![1; 10_000];
    let commit = Commit { documents: vec![first], proof: Some(proof.clone()), ..Commit::default() };
    let version = ledger.commit(HERE, commit).unwrap()[0];
    put(&*ledger, DocumentWrite { snapshot: Some(vec![2; 100]), ..write(doc(1), Some(version), 4..=4, &[grid(1)]) });
    assert_eq!(ledger.changes_after(HERE, doc(1), Position(1), ALL).unwrap(), None);
    let found = |position| ledger.proof(HERE, doc(1), Position(position)).unwrap();
    assert_eq!([found(2), found(3), found(4)], [Some(proof.clone()), Some(proof), None]);
}

pub fn an_empty_commit_changes_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let before = state(&*ledger);
    assert_eq!(ledger.commit(HERE, Commit::default()).unwrap(), []);
    assert_eq!(ledger.commit(HERE, Commit { directory_version: Some(1), ..Commit::default() }).unwrap(), []);
    assert_eq!(state(&*ledger), before);
    assert!(before.1.iter().all(|row| matches!(row, FeedRow::Record { .. })));
}
