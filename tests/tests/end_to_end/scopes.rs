//! Who sees and writes what: two streets on one server, and a grid that is taken away and given back.

use doorstep_core::docs::{DocKind, Document, Write};
use doorstep_core::field::SyncState;
use doorstep_core::model::{CaseDetails, Category, DocId, GridId, PersonId, Position, Role, Scope, StreetId};
use doorstep_core::sync::{Entry, List, Reading};
use doorstep_server::hub::{NewPerson, Term};
use doorstep_tests::handmade::{Handmade, fresh_doc, group, group_of, pushed};
use doorstep_tests::phone::{Phone, remark};
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street, worker_of};

/// Another street on the same server, with a grid, its worker and somebody of its centre.
struct Neighbour {
    id: StreetId,
    grid: GridId,
    worker: PersonId,
    centre: PersonId,
}

fn neighbour(server: &Server) -> Neighbour {
    let hub = &server.hub;
    let id = hub.add_street("古渡街道", &["综合协调中心"]).unwrap().id;
    let grid = hub.add_grids(id, &[("第1网格".to_owned(), String::new())]).unwrap()[0];
    let add = |role, grids| hub.add_person(id, &NewPerson { name: "周敏".into(), role, grids }).unwrap();
    Neighbour { id, grid, worker: add(Role::GridWorker, vec![grid]), centre: add(Role::CentreStaff, Vec::new()) }
}

#[test]
fn a_phone_of_one_street_sees_nothing_of_another() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let there = neighbour(&server);
    let phones = [("worker", there.worker), ("centre", there.centre)].map(|(name, person)| {
        let phone = Phone::open_now(&street.phone_folder(name));
        phone.enrol(&server.hub, there.id, person, &server.transport());
        phone
    });
    let case = phones[0].engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();
    for phone in [&phones[0], &phones[1]] {
        phone.sync(&server.transport());
        let seen: Vec<DocId> = DocKind::ALL.into_iter().flat_map(|kind| phone.engine.documents(kind).unwrap()).collect();
        assert_eq!(seen, [DocId::from(case)]);
        let directory = phone.engine.directory().unwrap();
        assert_eq!((directory.street, directory.grids.len(), directory.staff.len()), (there.id, 1, 2));
    }
    let here = street.centre_phone(&server, "here");
    assert!(!here.engine.documents(DocKind::Case).unwrap().contains(&case.into()));
    street.assert_same(&server.hub, None, &here);
}

#[test]
fn a_device_of_one_street_cannot_read_or_write_in_another_whatever_it_names() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let there = neighbour(&server);
    let (code, _) = server.hub.make_code(there.id, there.worker).unwrap();
    let stranger = Handmade::enrol(&server.url(), &code);
    let (code, _) = server.hub.make_code(street.id(), street.worker(0)).unwrap();
    let local = Handmade::enrol(&server.url(), &code);

    // What is here, and the grant and a group of somebody who belongs here.
    let own = local.ask(&local.request(None));
    let grant = own.entered.unwrap().0[0].grant.id;
    let documents: Vec<Document> = own.parts.unwrap().0.into_iter().flat_map(|part| part.entries.0).filter_map(household).collect();
    let (mut target, other) = (documents[0].clone(), documents[1].clone());
    let change = local.edit(&mut target, &[Write::set("remark", "有两只狗")]);
    let local_group = group_of(&target, &change);
    assert_eq!(local.verdicts(vec![local_group.clone()]), ["accepted"]);
    let before = server.hub.document(street.id(), target.id()).unwrap().0.digest();

    // Reading by that grant: it counts as lost, and nothing of here comes.
    let mut request = stranger.request(None);
    request.cursors = List(vec![Reading::at(grant, Position(0))]);
    let answer = stranger.ask(&request);
    assert_eq!(answer.left.unwrap().0, [grant]);
    let parts = answer.parts.map(|parts| parts.0).unwrap_or_default();
    assert!(parts.iter().all(|part| part.grant != grant));
    assert!(parts.iter().flat_map(|part| &part.entries.0).all(|entry| matches!(entry, Entry::Record { .. })), "{parts:?}");

    // Writing: into a document of here, a new one in a grid of here, one with the id of one of here.
    let mut copy = target.clone();
    let change = stranger.edit(&mut copy, &[Write::set("remark", "taken over")]);
    let on_foreign = group_of(&copy, &change);
    let mut new = Document::new(DocKind::Household, fresh_doc()).unwrap();
    let change = stranger.edit(&mut new, &[Write::set("grid", street.grid(0).as_bytes()), Write::set("door", "1")]);
    let in_foreign_grid = group_of(&new, &change);
    let mut double = Document::new(DocKind::Household, other.id()).unwrap();
    let change = stranger.edit(&mut double, &[Write::set("grid", there.grid.as_bytes()), Write::set("door", "1")]);
    let with_foreign_id = group_of(&double, &change);
    let verdicts = stranger.verdicts(vec![on_foreign, in_foreign_grid, with_foreign_id]);
    assert_eq!(verdicts[..2], ["sync.depends_on_refused", "policy.not_in_scope"]);

    // The group of somebody here tells a stranger nothing: neither that it was accepted nor its receipt.
    let mut repeated = group([pushed(new.id(), DocKind::Household, &[1])]);
    repeated.id = local_group.id;
    assert_eq!(stranger.verdicts(vec![repeated]), ["change.unparsable"]);

    assert_eq!(server.hub.document(street.id(), target.id()).unwrap().0.digest(), before);
    assert_eq!(server.hub.document(street.id(), other.id()).unwrap().0.digest(), other.digest());
    assert!(server.hub.quarantine(street.id()).unwrap().is_empty(), "what a stranger sent stands in his street's quarantine");
    assert_eq!(local.verdicts(vec![local_group]), ["accepted"]);
    let here = street.centre_phone(&server, "here");
    street.assert_same(&server.hub, None, &here);
}

fn household(entry: Entry) -> Option<Document> {
    match entry {
        Entry::Snapshot { doc, kind: DocKind::Household, bytes, .. } => Document::load(DocKind::Household, doc, &bytes).ok(),
        _ => None,
    }
}

#[test]
fn unsent_work_of_a_lost_grid_is_refused_with_its_reason_and_adopted_by_its_author_when_the_grid_is_given_back() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let doors = phone.households();
    let arrived = phone.visit(doors[0], "在失去网格之前已送达");
    phone.sync(&server.transport());
    let scope = Scope::Grid(street.grid(0));
    server.hub.revoke(street.id(), street.worker(0), scope).unwrap();
    phone.visit(doors[0], "离线记录,尚未送出");
    phone.engine.change_household(doors[1], remark("有两只狗"), Vec::new()).unwrap();
    let case = phone.engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();

    let report = phone.engine.sync(&server.transport()).unwrap();
    assert_eq!((report.pending, report.refused, report.exchanged.refused), (0, 3, 3));
    let refused = phone.engine.refused().unwrap();
    let said: Vec<(&str, &str)> = refused.iter().map(|record| (record.what, record.code.as_str())).collect();
    assert_eq!(said, [("visit", "sync.grant_ended"), ("save", "sync.grant_ended"), ("issue", "sync.grant_ended")]);
    assert!(phone.households().is_empty(), "what the phone may not see any more is gone from it");
    assert!(phone.engine.case(case).is_err());
    assert_eq!(phone.engine.sync_state(doors[0]), SyncState::Refused { code: "sync.grant_ended".into() });
    let quarantined = server.hub.quarantine(street.id()).unwrap();
    assert_eq!(quarantined.len(), 3);
    assert!(quarantined.iter().all(|group| group.code == "sync.grant_ended" && group.person == street.worker(0)));

    // It survives a restart, and another sync changes nothing.
    let folder = phone.folder.clone();
    drop(phone);
    let phone = Phone::open_now(&folder);
    phone.sync(&server.transport());
    assert_eq!(phone.engine.refused().unwrap(), refused);

    // The grid is given back: its documents come again, and the author is asked about the work that came late.
    server.hub.grant(street.id(), street.worker(0), &worker_of(street.grid(0)), Term::OPEN).unwrap();
    phone.sync(&server.transport());
    assert_eq!(phone.households(), doors);
    assert!(phone.has_visit(doors[0], arrived));
    for late in phone.engine.inbox().unwrap() {
        phone.engine.decide(late.group, true).unwrap();
    }
    phone.sync(&server.transport());
    phone.sync(&server.transport());
    assert!(phone.engine.refused().unwrap().is_empty());
    assert_eq!(phone.engine.household(doors[0]).unwrap().visits.len(), 2);
    assert_eq!(phone.engine.household(doors[1]).unwrap().details.remark.unwrap().into_inner(), "有两只狗");
    assert!(phone.engine.case(case).is_ok());
    street.assert_same(&server.hub, Some(&[0]), &phone);
}

#[test]
fn a_household_that_is_moved_leaves_one_phone_and_enters_the_other() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phones = [0, 1].map(|grid| street.worker_phone(&server, &format!("worker-{grid}"), grid));
    let deputy = NewPerson { name: "代班小林".into(), role: Role::GridWorker, grids: vec![street.grid(0), street.grid(1)] };
    let deputy = server.hub.add_person(street.id(), &deputy).unwrap();
    let deputy = street.phone_of(&server, "deputy", deputy, doorstep_server::system::SystemClock);
    let door = phones[0].households()[0];
    let seen = phones[0].visit(door, "搬走之前");
    phones[0].sync(&server.transport());
    deputy.sync(&server.transport());

    deputy.engine.move_household(door, street.grid(1)).unwrap();
    deputy.sync(&server.transport());
    for phone in &phones {
        phone.sync(&server.transport());
    }
    assert!(!phones[0].households().contains(&door));
    assert!(phones[1].has_visit(door, seen), "the other worker gets all of it");
    assert!(deputy.has_visit(door, seen), "who has both grids keeps it");
    for (number, phone) in phones.iter().enumerate() {
        street.assert_same(&server.hub, Some(&[number]), phone);
    }

    // Back again, while there is unsent work of the other worker on it: that comes back with its reason.
    deputy.engine.move_household(door, street.grid(0)).unwrap();
    deputy.sync(&server.transport());
    phones[1].visit(door, "离线记录");
    let report = phones[1].engine.sync(&server.transport()).unwrap();
    assert_eq!((report.pending, report.refused), (0, 1));
    let refused = &phones[1].engine.refused().unwrap()[0];
    assert_eq!((refused.what, refused.code.as_str()), ("visit", "sync.grant_ended"));
    phones[0].sync(&server.transport());
    assert!(phones[0].has_visit(door, seen));
    assert!(!phones[1].households().contains(&door));
    street.assert_same(&server.hub, Some(&[0]), &phones[0]);
    street.assert_same(&server.hub, Some(&[0, 1]), &deputy);
}
