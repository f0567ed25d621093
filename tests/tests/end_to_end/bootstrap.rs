//! The first download of a phone, cut and gone on with; and a phone that comes back after more than a year.

use std::sync::atomic::{AtomicUsize, Ordering};

use doorstep_core::docs::DocKind;
use doorstep_core::field::{HttpTransport, Transport, TransportAnswer, TransportFault};
use doorstep_core::model::{CaseDetails, Category, VisitSubject};
use doorstep_core::sync::client::SyncFailure;
use doorstep_server::demo::Size;
use doorstep_tests::clocks::{DAY, HandClock};
use doorstep_tests::counting::Counting;
use doorstep_tests::phone::Phone;
use doorstep_tests::street::{SMALL, Street};

/// Two thousand documents: some megabytes, so several parts.
const LARGE: Size = Size { grids: 1, buildings: 20, doors: 100, organisations: 0 };

/// A line that breaks after so many answers: the next request arrives, its answer does not.
struct Breaking {
    below: HttpTransport,
    answers: AtomicUsize,
}

impl Breaking {
    fn after(answers: usize, below: HttpTransport) -> Self {
        Self { below, answers: AtomicUsize::new(answers) }
    }
}

impl Transport for Breaking {
    fn post(&self, path: &str, body: &[u8]) -> Result<TransportAnswer, TransportFault> {
        let answer = self.below.post(path, body)?;
        let left = self.answers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(|_| answer).map_err(|_| TransportFault::Unreachable)
    }
}

#[test]
fn a_first_download_that_is_cut_again_and_again_goes_on_where_it_was_and_can_be_worked_with_from_the_first_part() {
    let street = Street::build(LARGE);
    let server = street.serve();
    let worker = street.worker_phone(&server, "worker", 0);
    let cases: Vec<_> = (0..5)
        .map(|number| {
            let details = CaseDetails::issue(Category::Facilities, format!("路灯不亮 {number}"));
            worker.engine.report_issue(None, details).unwrap()
        })
        .collect();
    worker.sync(&server.transport());

    let folder = street.phone_folder("new");
    let phone = Phone::open_now(&folder);
    let (code, _) = server.hub.make_code(street.id(), street.worker(0)).unwrap();
    phone.engine.enrol(&server.transport(), "http://the-server", &code, "a phone").unwrap();
    assert!(!phone.engine.status().bootstrap.usable);
    drop(phone);

    let (mut received, mut last, mut cuts) = (0, 0, 0);
    loop {
        // Each time the app is started anew, gets one part, and loses the next.
        let phone = Phone::open_now(&folder);
        let transport = Breaking::after(1, server.transport());
        let outcome = phone.engine.sync(&transport);
        let status = phone.engine.status();
        received += status.exchanged.received;
        let bootstrap = status.bootstrap;
        assert_eq!(bootstrap.documents_total, 2_000 + 20 + 5 + 1);
        assert!(bootstrap.bytes <= bootstrap.bytes_total);
        if outcome.is_ok() {
            assert!(bootstrap.complete);
            assert_eq!(bootstrap.documents, bootstrap.documents_total);
            break;
        }
        assert!(bootstrap.usable && !bootstrap.complete && bootstrap.documents > last, "{bootstrap:?}");
        assert!(cases.iter().all(|case| phone.engine.case(*case).is_ok()), "open cases come first");
        assert!(phone.engine.directory().is_some());
        (last, cuts) = (bootstrap.documents, cuts + 1);
        drop(phone);
        let phone = Phone::open_now(&folder);
        assert_eq!(phone.engine.status().bootstrap, bootstrap, "it survives a restart");
    }
    assert!(cuts >= 2, "{cuts}");
    assert_eq!(received as u64, 2_000 + 20 + 5 + 1, "nothing comes twice");
    let phone = Phone::open_now(&folder);
    street.assert_same(&server.hub, Some(&[0]), &phone);
    assert_eq!(phone.sync(&server.transport()).exchanged.received, 0);
}

#[test]
fn what_a_second_first_download_does_not_name_is_swept_and_unsent_work_on_it_is_not() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let centre = street.centre_phone(&server, "centre");
    let doors = phone.households();
    phone.engine.read_everything_again().unwrap();
    for door in &doors[..2] {
        centre.engine.move_household(*door, street.grid(1)).unwrap();
    }
    centre.sync(&server.transport());
    let visit = phone.visit(doors[1], "离线走访");
    phone.fail_to_sync(&HttpTransport::new("http://127.0.0.1:9").unwrap());
    assert_eq!(phone.households().len(), doors.len());
    let report = phone.engine.sync(&server.transport()).unwrap();
    assert_eq!(report.pending, 0);
    assert_eq!(phone.households().len(), doors.len() - 2);
    let document = server.hub.document(street.id(), doors[1].into()).unwrap().0;
    let arrived = document.visits().iter().any(|other| other.id == visit);
    assert!(arrived || report.refused == 1, "unsent work reaches the server or its author");
    street.assert_same(&server.hub, Some(&[0]), &phone);
}

#[test]
fn after_four_hundred_days_offline_a_phone_catches_up_in_one_round_trip_and_its_work_is_accepted() {
    let clock = HandClock::at_time(9, 0);
    let street = Street::build_at(SMALL, clock.clone());
    let server = street.serve();
    let away = street.phone_of(&server, "away", street.worker(0), clock.clone());
    let colleague = street.phone_of(&server, "colleague", street.worker(0), clock.clone());
    let doors = away.households();
    let before = server.hub.ledger().newest(street.id()).unwrap();

    // What it recorded before it was put into a drawer.
    let own: Vec<_> = doors.iter().take(6).map(|door| (*door, away.visit(*door, "离线走访,家里有人"))).collect();
    let case = away.engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();

    // A year and more of everybody else's work: some doors often, some once.
    for week in 0..57 {
        clock.advance(7 * DAY);
        for door in doors.iter().take(3).chain([&doors[10 + week % 8]]) {
            colleague.visit(*door, &format!("第{week}周走访"));
        }
        colleague.sync(&server.transport());
    }
    clock.advance(DAY);
    let log = |door: usize| server.hub.ledger().changes_after(street.id(), doors[door].into(), before, usize::MAX).unwrap();
    assert!(log(0).is_none(), "the log of what was visited often does not reach back so far");
    assert!(log(12).is_some(), "that of what was hardly visited does");

    let transport = Counting::over(server.transport());
    let report = away.sync(&transport);
    assert_eq!((report.round_trips, report.exchanged.accepted), (1, 7));
    for (door, visit) in own {
        assert!(away.has_visit(door, visit));
        assert!(server.hub.document(street.id(), door.into()).unwrap().0.visits().iter().any(|other| other.id == visit));
    }
    assert_eq!(away.engine.visits(VisitSubject::Household(doors[0])).unwrap().len(), 58);
    assert!(server.hub.document(street.id(), case.into()).is_ok());
    street.assert_same(&server.hub, Some(&[0]), &away);
    let exchanges = transport.take();
    println!("400 days away: {} bytes there, {} back", exchanges[0].sent, exchanges[0].received);
    colleague.sync(&server.transport());
    street.assert_same(&server.hub, Some(&[0]), &colleague);
    assert_eq!(colleague.engine.documents(DocKind::Case).unwrap().len(), 1);
}

#[test]
fn a_phone_without_grants_is_told_so_and_waits_for_nothing() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    server.hub.revoke(street.id(), street.worker(0), doorstep_core::model::Scope::Grid(street.grid(0))).unwrap();
    phone.sync(&server.transport());
    let bootstrap = phone.engine.status().bootstrap;
    assert_eq!((bootstrap.documents_total, bootstrap.complete), (0, true));
    assert_eq!(phone.fail_to_sync(&HttpTransport::new("http://127.0.0.1:9").unwrap()), SyncFailure::Unreachable);
}
