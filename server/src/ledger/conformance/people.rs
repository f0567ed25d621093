//! Cases of streets, directories, codes, devices and grants.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{DeviceTag, DocId, Era, Grant, GrantId, LedgerId, Millis, PersonId, Position, Role, Scope};
use doorstep_core::sync::RecordKind;

use super::Subject;
use super::sample::{ALL, HERE, NOWHERE, THERE, WORKER, device, directory, doc, feed, grid, group_id, key, street, two_streets};
use crate::ledger::{Commit, Device, EnrolmentCode, FeedRow, Ledger, LedgerError, Street};

fn conflict<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> &'static str {
    match result {
        Err(LedgerError::Conflict { what }) => what,
        other => panic!("expected a conflict, found {other:?}"),
    }
}

fn code_for(street: doorstep_core::model::StreetId) -> EnrolmentCode {
    EnrolmentCode { street, person: WORKER, expires_at: Millis(5), used_by: None }
}

fn replace(ledger: &dyn Ledger, read: Option<u64>, version: u64) -> Result<Vec<Position>, LedgerError> {
    ledger.commit(HERE, Commit { directory_version: read, directory: Some(directory(HERE, version)), ..Commit::default() })
}

pub fn a_new_ledger_has_no_streets(subject: &dyn Subject) {
    assert_eq!(subject.open().streets().unwrap(), []);
}

pub fn a_street_is_added_once(subject: &dyn Subject) {
    let ledger = subject.open();
    ledger.add_street(&street(HERE), &directory(HERE, 1)).unwrap();
    assert_eq!(ledger.newest(HERE).unwrap(), Position(1));
    assert_eq!(conflict(ledger.add_street(&street(HERE), &directory(HERE, 1))), "street");
    assert_eq!(ledger.directory(HERE).unwrap(), directory(HERE, 1));
    assert_eq!(ledger.newest(HERE).unwrap(), Position(1));
}

pub fn streets_are_listed_by_id(subject: &dyn Subject) {
    let ledger = subject.open();
    ledger.add_street(&street(THERE), &directory(THERE, 1)).unwrap();
    ledger.add_street(&street(HERE), &directory(HERE, 1)).unwrap();
    assert_eq!(ledger.streets().unwrap(), [street(HERE), street(THERE)]);
}

pub fn a_street_that_is_not_there_has_nothing(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let no_street = LedgerError::NoStreet { street: NOWHERE };
    assert_eq!(ledger.directory(NOWHERE).unwrap_err(), no_street);
    assert_eq!(ledger.newest(NOWHERE).unwrap_err(), no_street);
    assert_eq!(ledger.feed(NOWHERE, Scope::Street(NOWHERE), Position(0), ALL).unwrap_err(), no_street);
    assert_eq!(ledger.commit(NOWHERE, Commit::default()).unwrap_err(), no_street);
    assert_eq!(ledger.add_code("K7QD2M9XTA", &code_for(NOWHERE)).unwrap_err(), no_street);
    assert_eq!(ledger.document(NOWHERE, doc(1)).unwrap(), None);
    assert_eq!(ledger.summaries(NOWHERE, DocKind::Household, None, ALL).unwrap(), []);
    assert_eq!(ledger.quarantined(NOWHERE, group_id(1)).unwrap(), None);
    assert_eq!(ledger.streets().unwrap().len(), 2);
}

pub fn a_renewed_ledger_has_another_id_and_all_that_it_had(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let before = (ledger.newest(HERE).unwrap(), ledger.directory(HERE).unwrap());
    let id = LedgerId::from_bytes([0x77; 16]);
    ledger.renew(HERE, id, Era(9)).unwrap();
    assert_eq!(ledger.renew(NOWHERE, id, Era(9)).unwrap_err(), LedgerError::NoStreet { street: NOWHERE });
    drop(ledger);
    let ledger = subject.open();
    let renewed = Street { ledger: id, era: Era(9), is_reconciling: true, backed_up_to: Some(before.0), ..street(HERE) };
    assert_eq!(ledger.streets().unwrap(), [renewed.clone(), street(THERE)]);
    assert_eq!((ledger.newest(HERE).unwrap(), ledger.directory(HERE).unwrap()), before);
    ledger.end_reconciliation(HERE).unwrap();
    assert_eq!(ledger.streets().unwrap(), [Street { is_reconciling: false, ..renewed }, street(THERE)]);
}

pub fn devices_are_reconciled_with_one_life_of_the_ledger(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let (first, second) = (DeviceTag([1; 8]), DeviceTag([2; 8]));
    [second, first, first].into_iter().for_each(|device| ledger.note_reconciled(HERE, device).unwrap());
    assert_eq!(ledger.reconciled(HERE).unwrap(), [first, second]);
    assert_eq!(ledger.reconciled(THERE).unwrap(), []);
    ledger.renew(HERE, LedgerId::from_bytes([0x77; 16]), Era(9)).unwrap();
    assert_eq!(ledger.reconciled(HERE).unwrap(), []);
}

pub fn a_backup_is_noted_and_never_goes_back(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    for (noted, then) in [(5, 5), (9, 9), (7, 9)] {
        ledger.note_backup(HERE, Position(noted)).unwrap();
        assert_eq!(ledger.streets().unwrap()[0].backed_up_to, Some(Position(then)));
    }
    assert_eq!(ledger.streets().unwrap()[1].backed_up_to, None);
}

pub fn the_directory_is_replaced_on_the_condition_of_its_version(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    replace(&*ledger, Some(1), 2).unwrap();
    assert_eq!(ledger.directory(HERE).unwrap(), directory(HERE, 2));
    for (read, version) in [(Some(1), 3), (Some(2), 2), (Some(2), 4), (None, 2), (None, 4)] {
        assert_eq!(conflict(replace(&*ledger, read, version)), "directory");
    }
    assert_eq!(ledger.directory(HERE).unwrap(), directory(HERE, 2));
    assert_eq!(ledger.newest(HERE).unwrap(), Position(2));
    assert_eq!(ledger.directory(THERE).unwrap(), directory(THERE, 1));
}

pub fn the_directory_of_another_street_is_refused(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let commit = Commit { directory: Some(directory(THERE, 2)), ..Commit::default() };
    assert_eq!(conflict(ledger.commit(HERE, commit)), "directory");
    assert_eq!(ledger.directory(HERE).unwrap(), directory(HERE, 1));
}

pub fn a_code_is_used_once(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    assert_eq!(ledger.code("K7QD2M9XTA").unwrap(), None);
    assert_eq!(conflict(ledger.enrol("K7QD2M9XTA", &device([1; 16], HERE))), "code");
    ledger.add_code("K7QD2M9XTA", &code_for(HERE)).unwrap();
    assert_eq!(ledger.code("K7QD2M9XTA").unwrap(), Some(code_for(HERE)));
    assert_eq!(conflict(ledger.add_code("K7QD2M9XTA", &code_for(HERE))), "code");
    ledger.enrol("K7QD2M9XTA", &device([1; 16], HERE)).unwrap();
    let used = EnrolmentCode { used_by: Some(device([1; 16], HERE).id), ..code_for(HERE) };
    assert_eq!(ledger.code("K7QD2M9XTA").unwrap(), Some(used));
    assert_eq!(conflict(ledger.enrol("K7QD2M9XTA", &device([2; 16], HERE))), "code");
    assert_eq!(ledger.device(device([2; 16], HERE).id).unwrap(), None);
}

pub fn a_code_is_used_once_also_in_parallel(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.add_code("CODE", &code_for(HERE)).unwrap();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8u8)
            .map(|number| {
                scope.spawn({
                    let ledger = &ledger;
                    move || ledger.enrol("CODE", &device([number; 16], HERE))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.into_iter().filter(Result::is_err).all(|outcome| conflict(outcome) == "code"));
    let staff = ledger.directory(HERE).unwrap().staff;
    assert_eq!(staff[0].devices.len(), 1);
    assert_eq!(Some(staff[0].devices[0]), ledger.code("CODE").unwrap().unwrap().used_by.map(|device| device.tag()));
}

pub fn a_code_makes_a_device_of_its_own_person_only(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.add_code("CODE", &code_for(HERE)).unwrap();
    let stranger = Device { person: PersonId::from_bytes([21; 16]), ..device([1; 16], HERE) };
    assert_eq!(conflict(ledger.enrol("CODE", &stranger)), "code");
    assert_eq!(conflict(ledger.enrol("CODE", &device([1; 16], THERE))), "code");
    let unknown = EnrolmentCode { person: stranger.person, ..code_for(HERE) };
    ledger.add_code("UNKNOWN", &unknown).unwrap();
    assert_eq!(conflict(ledger.enrol("UNKNOWN", &stranger)), "directory");
    assert_eq!(ledger.code("UNKNOWN").unwrap(), Some(unknown));
    assert_eq!(ledger.device(stranger.id).unwrap(), None);
}

pub fn the_tag_of_a_device_is_given_once_among_all_streets(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.add_code("FIRST", &code_for(HERE)).unwrap();
    ledger.add_code("SECOND", &code_for(THERE)).unwrap();
    ledger.enrol("FIRST", &device([1; 16], HERE)).unwrap();
    // Another time in the id's first half, the same random half.
    let mut id = [1; 16];
    id[..8].copy_from_slice(&[2; 8]);
    assert_eq!(conflict(ledger.enrol("SECOND", &device(id, THERE))), "device");
    assert_eq!(ledger.code("SECOND").unwrap(), Some(code_for(THERE)));
    assert_eq!(ledger.directory(THERE).unwrap(), directory(THERE, 1));
    ledger.enrol("SECOND", &device([3; 16], THERE)).unwrap();
}

pub fn an_enrolled_device_stands_in_the_directory_and_in_the_feed(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    ledger.add_code("CODE", &code_for(HERE)).unwrap();
    let phone = device([1; 16], HERE);
    ledger.enrol("CODE", &phone).unwrap();
    let found = ledger.device(phone.id).unwrap().unwrap();
    assert_eq!((&found, found.key), (&phone, key(1)));
    let directory = ledger.directory(HERE).unwrap();
    assert_eq!((directory.version, directory.person_of(phone.id.tag()).unwrap().id), (2, WORKER));
    let record = FeedRow::Record { position: Position(2), id: DocId::from(HERE), kind: RecordKind::Directory };
    assert_eq!(feed(&*ledger, grid(1)), [record]);
}

pub fn grants_are_listed_by_person_and_end_when_told(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let grant = |number: u8, scope| Grant {
        id: GrantId::from_bytes([number; 16]),
        person: WORKER,
        scope,
        from: Millis(3),
        until: None,
        role: Role::GridWorker,
    };
    let (second, first) = (grant(2, Scope::Street(HERE)), grant(1, grid(1)));
    let other = Grant { person: PersonId::from_bytes([21; 16]), ..grant(3, grid(1)) };
    for grant in [&second, &first, &other, &first] {
        ledger.add_grant(HERE, grant).unwrap();
    }
    assert_eq!(conflict(ledger.add_grant(HERE, &Grant { scope: grid(9), ..first.clone() })), "grant");
    assert_eq!(ledger.add_grant(NOWHERE, &first).unwrap_err(), LedgerError::NoStreet { street: NOWHERE });
    assert_eq!(ledger.grants(HERE, WORKER).unwrap(), [first.clone(), second.clone()]);
    assert_eq!(ledger.grants(THERE, WORKER).unwrap(), []);

    ledger.end_grant(HERE, WORKER, first.id, Millis(50)).unwrap();
    ledger.end_grant(HERE, WORKER, first.id, Millis(60)).unwrap();
    let ended = Grant { until: Some(Millis(50)), ..first };
    assert_eq!(ledger.grants(HERE, WORKER).unwrap(), [ended, second]);
    ledger.end_grant(HERE, WORKER, first.id, Millis(40)).unwrap();
    assert_eq!(ledger.grants(HERE, WORKER).unwrap()[0].until, Some(Millis(40)));
    for (street, person, id) in [(THERE, WORKER, first.id), (HERE, other.person, first.id), (HERE, WORKER, other.id)] {
        assert_eq!(conflict(ledger.end_grant(street, person, id, Millis(50))), "grant");
    }
}
