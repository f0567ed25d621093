//! Cases of the feed: what stands where, and what a reader learns of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use doorstep_core::model::{Day, DocId, Position, Scope};
use doorstep_core::sync::RecordKind;

use super::Subject;
use super::sample::{ALL, HERE, THERE, commit_of, directory, doc, documents, feed, grid, left, put, standing, two_streets, write};
use crate::ledger::{Commit, FeedRow, Precedence};

pub fn a_document_stands_once_in_a_scope_at_its_newest_position(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let scopes = [Scope::Street(HERE), grid(1), Scope::Assigned(super::sample::WORKER)];
    let first = put(&*ledger, write(doc(1), None, 1..=2, &scopes));
    put(&*ledger, write(doc(2), None, 1..=1, &scopes));
    put(&*ledger, write(doc(1), Some(first), 3..=4, &scopes));
    for scope in scopes {
        assert_eq!(documents(&*ledger, scope), [standing(4, doc(2), 4), standing(6, doc(1), 3)]);
    }
    assert_eq!(documents(&*ledger, grid(2)), []);
}

pub fn a_document_keeps_where_it_entered_while_it_stays(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let version = put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    let version = put(&*ledger, write(doc(1), Some(version), 2..=2, &[grid(1), grid(2)]));
    put(&*ledger, write(doc(1), Some(version), 3..=3, &[grid(2), grid(1)]));
    assert_eq!(documents(&*ledger, grid(1)), [standing(4, doc(1), 2)]);
    assert_eq!(documents(&*ledger, grid(2)), [standing(4, doc(1), 3)]);
}

pub fn a_document_that_leaves_a_scope_stands_there_once_as_left(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let version = put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    let version = put(&*ledger, write(doc(1), Some(version), 2..=3, &[grid(2)]));
    assert_eq!(documents(&*ledger, grid(1)), [left(4, doc(1))]);
    assert_eq!(documents(&*ledger, grid(2)), [standing(4, doc(1), 4)]);
    put(&*ledger, write(doc(1), Some(version), 4..=4, &[grid(2)]));
    assert_eq!(documents(&*ledger, grid(1)), [left(4, doc(1))]);
    assert_eq!(ledger.document(HERE, doc(1)).unwrap().unwrap().scopes, [grid(2)]);
}

pub fn a_document_that_comes_back_is_not_left_any_more(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let mut version = put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    for (number, scope) in (2..).zip([2, 1, 2, 1]) {
        version = put(&*ledger, write(doc(1), Some(version), number..=number, &[grid(scope)]));
    }
    assert_eq!(documents(&*ledger, grid(1)), [standing(6, doc(1), 6)]);
    assert_eq!(documents(&*ledger, grid(2)), [left(6, doc(1))]);
}

pub fn a_change_of_scopes_alone_takes_a_position(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let written = write(doc(1), None, 1..=1, &[grid(1)]);
    let version = put(&*ledger, written.clone());
    let moved = crate::ledger::DocumentWrite { expected: Some(version), changes: vec![], scopes: vec![grid(2)], ..written.clone() };
    assert_eq!(put(&*ledger, moved), Position(3));
    assert_eq!(documents(&*ledger, grid(1)), [left(3, doc(1))]);
    assert_eq!(documents(&*ledger, grid(2)), [standing(3, doc(1), 3)]);
    let found = ledger.document(HERE, doc(1)).unwrap().unwrap();
    assert_eq!((found.version, found.log.len()), (Position(3), 1));
    // Nowhere is a place to go, too.
    let nowhere = crate::ledger::DocumentWrite { expected: Some(Position(3)), changes: vec![], scopes: vec![], ..written };
    assert_eq!(put(&*ledger, nowhere), Position(4));
    assert_eq!(documents(&*ledger, grid(2)), [left(4, doc(1))]);
}

pub fn the_scopes_of_a_document_are_known_without_it(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    assert_eq!(ledger.scopes(HERE, doc(1)).unwrap(), None);
    let written = write(doc(1), None, 1..=1, &[grid(1), grid(2)]);
    put(&*ledger, written.clone());
    assert_eq!(ledger.scopes(HERE, doc(1)).unwrap(), Some((written.kind, vec![grid(1), grid(2)])));
    assert_eq!(ledger.scopes(crate::ledger::conformance::sample::THERE, doc(1)).unwrap(), None);
}

pub fn size_and_precedence_stand_with_the_position(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let all = [Precedence::Open { rank: 2 }, Precedence::Due { day: Day(-3) }, Precedence::Later];
    let mut version = None;
    for (number, precedence) in (1..).zip(all) {
        let written = write(doc(1), version, number..=number, &[grid(1), grid(2)]);
        version = Some(put(&*ledger, crate::ledger::DocumentWrite { bytes: 70_000, precedence, ..written }));
        for scope in [grid(1), grid(2)] {
            let [FeedRow::Document { bytes, precedence: found, .. }] = documents(&*ledger, scope)[..] else { panic!("one document") };
            assert_eq!((bytes, found), (70_000, precedence));
        }
    }
}

pub fn records_stand_in_every_scope_of_their_street(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    put(&*ledger, write(doc(1), None, 1..=1, &[grid(1)]));
    let record = |position| FeedRow::Record { position: Position(position), id: DocId::from(HERE), kind: RecordKind::Directory };
    assert_eq!(feed(&*ledger, grid(1)), [record(1), standing(2, doc(1), 2)]);
    ledger.commit(HERE, Commit { directory: Some(directory(HERE, 2)), ..Commit::default() }).unwrap();
    put(&*ledger, write(doc(2), None, 1..=1, &[grid(1)]));
    assert_eq!(feed(&*ledger, grid(1)), [standing(2, doc(1), 2), record(3), standing(4, doc(2), 4)]);
    for scope in [Scope::Street(HERE), grid(9), Scope::Assigned(super::sample::WORKER)] {
        assert_eq!(feed(&*ledger, scope), [record(3)]);
    }
    let there = FeedRow::Record { position: Position(1), id: DocId::from(THERE), kind: RecordKind::Directory };
    assert_eq!(ledger.feed(THERE, grid(1), Position(0), ALL).unwrap(), [there]);
}

pub fn the_feed_is_read_in_pages(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    for number in 1..=9 {
        put(&*ledger, write(doc(number), None, 1..=1, &[grid(1)]));
        if number % 4 == 0 {
            let version = ledger.directory(HERE).unwrap().version + 1;
            ledger.commit(HERE, Commit { directory: Some(directory(HERE, version)), ..Commit::default() }).unwrap();
        }
    }
    let whole = feed(&*ledger, grid(1));
    assert_eq!(whole.len(), 10);
    for limit in 1..=11 {
        let mut paged: Vec<FeedRow> = Vec::new();
        loop {
            let after = paged.last().map_or(Position(0), FeedRow::position);
            let page = ledger.feed(HERE, grid(1), after, limit).unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, whole);
    }
    assert_eq!(ledger.feed(HERE, grid(1), Position(u64::MAX), ALL).unwrap(), []);
    assert_eq!(ledger.feed(HERE, grid(1), Position(0), 0).unwrap(), []);
}

/// Writers move documents and replace the directory; a reader that follows with a cursor must in the end have seen the last of each.
pub fn a_reader_beside_writers_misses_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let done = AtomicBool::new(false);
    let mut seen = BTreeSet::new();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut cursor, mut seen) = (Position(0), BTreeSet::new());
            loop {
                let is_last = done.load(Ordering::Acquire);
                loop {
                    // As the hub does: records and documents are read one after the other, and what came in between lies behind this.
                    let newest = ledger.newest(HERE).unwrap();
                    let page = ledger.feed(HERE, grid(1), cursor, 3).unwrap();
                    assert!(page.is_sorted_by_key(FeedRow::position));
                    seen.extend(page.iter().map(|row| row.position().0));
                    match page.last() {
                        Some(row) => cursor = row.position().min(newest),
                        None => break,
                    }
                }
                if is_last {
                    return seen;
                }
            }
        });
        let write_documents = |number: u8| {
            let ledger = &ledger;
            move || {
                let mut version = None;
                for round in 1..=25 {
                    let commit = commit_of(write(doc(number), version, round..=round, &[grid(1)]));
                    version = ledger.commit(HERE, commit).unwrap().first().copied();
                }
            }
        };
        let mut writers: Vec<_> = (1..=3).map(|number| scope.spawn(write_documents(number))).collect();
        writers.push(scope.spawn(|| {
            for version in 2..=25 {
                ledger.commit(HERE, Commit { directory: Some(directory(HERE, version)), ..Commit::default() }).unwrap();
            }
        }));
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Release);
        seen = reader.join().unwrap();
    });
    let last: BTreeSet<u64> = feed(&*ledger, grid(1)).iter().map(|row| row.position().0).collect();
    assert_eq!(last.len(), 4);
    assert!(last.is_subset(&seen), "{last:?} is not within {seen:?}");
}
