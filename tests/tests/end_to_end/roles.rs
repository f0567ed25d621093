//! Who may do what, over real servers and phones: what the phone refuses at once, what the hub refuses, and what is not sent at all.

use doorstep_core::docs::{DocKind, Lock};
use doorstep_core::field::FieldError;
use doorstep_core::model::{CaseDetails, Category, EventKind, PartyDetails, PersonId, Personal, Reporter, Right, Role, Scope};
use doorstep_core::policy::Denied;
use doorstep_server::hub::{NewPerson, Term};
use doorstep_server::system::SystemClock;
use doorstep_tests::phone::Phone;
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street, worker_of};

fn add(server: &Server, street: &Street, name: &str, role: Role, grid: Option<usize>) -> PersonId {
    let grids = grid.map(|grid| street.grid(grid)).into_iter().collect();
    server.hub.add_person(street.id(), &NewPerson { name: name.into(), role, grids }).unwrap()
}

fn phone_of(server: &Server, street: &Street, name: &str, person: PersonId) -> Phone {
    let phone = street.phone_of(server, name, person, SystemClock);
    phone.sync(&server.transport());
    phone
}

fn held(phone: &Phone, kind: DocKind) -> usize {
    phone.engine.documents(kind).unwrap().len()
}

#[test]
fn an_auxiliary_of_a_grid_gets_its_places_and_cases_and_the_doors_without_who_lives_there() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let worker = street.worker_phone(&server, "worker", 0);
    worker.engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();
    worker.sync(&server.transport());
    let person = add(&server, &street, "协管员", Role::Auxiliary, Some(0));
    let phone = phone_of(&server, &street, "auxiliary", person);
    assert_eq!(held(&phone, DocKind::Place), held(&worker, DocKind::Place));
    assert_eq!((held(&phone, DocKind::Case), held(&phone, DocKind::Resident)), (1, 0));
    // The doors are there, and who lives behind them is locked, also what is found out later.
    let door = worker.households()[0];
    worker.visit(door, "走访");
    worker.sync(&server.transport());
    phone.sync(&server.transport());
    let (seen, there) = (phone.engine.household(door).unwrap(), worker.engine.household(door).unwrap());
    assert_eq!((&seen.details.door, seen.details.contact.as_ref(), seen.lock), (&there.details.door, None, Lock::Locked));
    assert_eq!((seen.visits.len(), seen.visits[0].findings.reveal().as_str()), (there.visits.len(), ""));
    assert!(phone.engine.households(None).unwrap().iter().all(|listed| listed.row.contact.is_none()));
    let status = phone.engine.status().bootstrap;
    assert_eq!(status.documents, status.documents_total, "what is not sent is not counted");
}

#[test]
fn only_the_centre_registers_and_only_who_captured_a_case_settles_it_on_the_spot() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let (worker, centre) = (street.worker_phone(&server, "worker", 0), street.centre_phone(&server, "centre"));
    let deputy = add(&server, &street, "代班小林", Role::Deputy, Some(0));
    let deputy = phone_of(&server, &street, "deputy", deputy);
    let case = worker.engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();
    assert!(matches!(worker.engine.add_event(case, EventKind::Registered, None), Err(FieldError::Denied(Denied::NotForRole { .. }))));
    worker.sync(&server.transport());
    deputy.sync(&server.transport());
    assert!(matches!(deputy.engine.add_event(case, EventKind::Closed, None), Err(FieldError::Denied(Denied::NotOwn { .. }))));
    worker.engine.add_event(case, EventKind::Closed, None).unwrap();
    worker.sync(&server.transport());
    let other = worker.engine.report_issue(None, CaseDetails::issue(Category::Noise, "又施工了")).unwrap();
    worker.sync(&server.transport());
    centre.sync(&server.transport());
    centre.engine.add_event(other, EventKind::Registered, None).unwrap();
    centre.engine.add_event(other, EventKind::Closed, None).unwrap();
    centre.sync(&server.transport());
    assert!(server.hub.quarantine(street.id()).unwrap().is_empty());
}

#[test]
fn a_neighbour_who_is_granted_one_case_gets_it_with_its_place_and_nothing_else_of_the_grid() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let (worker, neighbour) = (street.worker_phone(&server, "worker", 0), street.worker_phone(&server, "neighbour", 1));
    let place = *worker.engine.documents(DocKind::Place).unwrap().iter().next().unwrap();
    let mut details = CaseDetails::issue(Category::Noise, "夜里施工");
    details.place = Some(place.into());
    let case = worker.engine.report_issue(None, details).unwrap();
    worker.sync(&server.transport());
    let before = (held(&neighbour, DocKind::Place), held(&neighbour, DocKind::Household));
    let right = Right { role: Role::GridWorker, scope: Scope::Case(case) };
    server.hub.grant(street.id(), street.worker(1), &right, Term::OPEN).unwrap();
    neighbour.sync(&server.transport());
    assert_eq!((held(&neighbour, DocKind::Place), held(&neighbour, DocKind::Household)), (before.0 + 1, before.1));
    neighbour.engine.note_case(case, "邻格协助").unwrap();
    neighbour.engine.add_note(DocKind::Place, place, "从东门进").unwrap();
    neighbour.sync(&server.transport());
    worker.sync(&server.transport());
    assert_eq!(worker.engine.case(case).unwrap().timeline.len(), 2);
    // A change of its own keeps it there; the end of the right takes it away.
    worker.engine.note_case(case, "已联系").unwrap();
    worker.sync(&server.transport());
    neighbour.sync(&server.transport());
    assert_eq!(neighbour.engine.case(case).unwrap().timeline.len(), 3);
    server.hub.revoke(street.id(), street.worker(1), right.scope).unwrap();
    neighbour.sync(&server.transport());
    assert!(neighbour.engine.case(case).is_err());
    assert_eq!(held(&neighbour, DocKind::Place), before.0);
}

#[test]
fn a_crew_is_not_sent_who_reported_a_case_and_may_write_nothing_but_what_happens_in_it() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let worker = street.worker_phone(&server, "worker", 0);
    let called = PartyDetails { name: Some(Personal::new("报修人".into())), ..PartyDetails::default() };
    let party = worker.engine.add_party(None, called).unwrap();
    let mut details = CaseDetails::issue(Category::Facilities, "水管爆裂");
    details.reporter = Some(Reporter::Party(party));
    let case = worker.engine.report_issue(None, details).unwrap();
    worker.sync(&server.transport());
    assert_eq!(worker.engine.case(case).unwrap().case.details.reporter, Some(Reporter::Party(party)));
    let person = add(&server, &street, "施工队", Role::Crew, None);
    server.hub.grant(street.id(), person, &Right { role: Role::Crew, scope: Scope::Case(case) }, Term::OPEN).unwrap();
    let phone = phone_of(&server, &street, "crew", person);
    let seen = phone.engine.case(case).unwrap().case;
    assert_eq!((seen.details.description.reveal().as_str(), seen.details.reporter, seen.lock), ("水管爆裂", None, Lock::Locked));
    assert_eq!(held(&phone, DocKind::Party), 0);
    // What happens in the case can be said, and is read by whoever may.
    phone.engine.add_event(case, EventKind::Noted, Some("阀门已关")).unwrap();
    phone.sync(&server.transport());
    worker.sync(&server.transport());
    assert!(worker.engine.case(case).unwrap().case.events.iter().any(|event| event.value.text == Some(Personal::new("阀门已关".into()))));
    assert!(server.hub.quarantine(street.id()).unwrap().is_empty());
}

#[test]
fn a_right_begins_and_ends_with_its_term() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 1);
    let now = server.hub.clock_now();
    let term = |from: i64, until: i64| Term { from: Some(now.plus(from)), until: Some(now.plus(until)) };
    let worker = worker_of(street.grid(0));
    assert!(server.hub.grant(street.id(), street.worker(1), &worker, term(-2_000, -1_000)).is_err());
    assert!(server.hub.grant(street.id(), street.worker(1), &worker, term(5_000, 4_000)).is_err());
    server.hub.grant(street.id(), street.worker(1), &worker, term(3_600_000, 7_200_000)).unwrap();
    let before = phone.households().len();
    phone.sync(&server.transport());
    assert_eq!(phone.households().len(), before, "it has not begun");
    server.hub.grant(street.id(), street.worker(1), &worker, term(-1_000, 7_200_000)).unwrap();
    phone.sync(&server.transport());
    assert!(phone.households().len() > before);
}

#[test]
fn boundaries_move_with_who_lives_there_and_what_is_open() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let (from, to) = (street.worker_phone(&server, "from", 0), street.worker_phone(&server, "to", 1));
    let door = from.engine.household(from.households()[0]).unwrap();
    let place = door.details.place.unwrap();
    let mut details = CaseDetails::issue(Category::Noise, "夜里施工");
    details.place = Some(place);
    let case = from.engine.report_issue(None, details).unwrap();
    from.sync(&server.transport());
    let (mine, theirs) = (from.households().len(), to.households().len());
    let moved = server.hub.move_places(street.id(), &[place], street.grid(1)).unwrap();
    assert!(moved > 2);
    assert_eq!(server.hub.move_places(street.id(), &[place], street.grid(1)).unwrap(), 0, "once more changes nothing");
    from.sync(&server.transport());
    to.sync(&server.transport());
    assert!(from.households().len() < mine && to.households().len() > theirs);
    assert_eq!(from.households().len() + to.households().len(), mine + theirs);
    assert!(to.engine.case(case).is_ok() && from.engine.case(case).is_err());
    street.assert_same(&server.hub, Some(&[0]), &from);
    street.assert_same(&server.hub, Some(&[1]), &to);
}
