//! What is recorded offline by somebody who loses the right to it meanwhile: none of it is lost, and whoever answers for the grid then finds it.

use doorstep_core::docs::DocKind;
use doorstep_core::field::{FieldError, LateRecord};
use doorstep_core::model::{CaseDetails, Category, GroupId, PersonId, Position, VisitSubject};
use doorstep_server::hub::{Hub, Term};
use doorstep_server::ledger::PushProof;
use doorstep_tests::phone::{Phone, remark};
use doorstep_tests::street::{SMALL, Street, TINY, worker_of};

fn proof_of(hub: &Hub, street: &Street, late: &LateRecord) -> PushProof {
    let accepted = hub.ledger().group(street.id(), late.group).unwrap().unwrap();
    let (doc, hash, _) = accepted.changes[0];
    let newest = hub.ledger().newest(street.id()).unwrap();
    let proofs = (1..=newest.0).filter_map(|position| hub.ledger().proof(street.id(), doc, Position(position)).unwrap());
    proofs.into_iter().find(|proof| proof.leaves.contains(&(doc, hash))).expect("a signature over the change")
}

fn adopted_by(hub: &Hub, street: &Street, group: GroupId) -> Option<PersonId> {
    hub.ledger().group(street.id(), group).unwrap().and_then(|group| group.adopted_by)
}

#[test]
fn a_worker_is_moved_while_offline_with_thirty_records_and_the_new_owner_finds_them_all() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let old = street.worker_phone(&server, "old", 0);
    let new = street.worker_phone(&server, "new", 1);
    let centre = street.centre_phone(&server, "centre");
    let doors = old.households();
    // Thirty records offline: visits of some doors twice, what was noted, a case with what came after it.
    for number in 0..24 {
        old.visit(doors[number % 16], &format!("离线走访第{number}次"));
    }
    for door in &doors[16..20] {
        old.engine.change_household(*door, remark("门前有台阶"), Vec::new()).unwrap();
    }
    let case = old.engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();
    old.engine.note_case(case, "已劝说一次").unwrap();
    assert_eq!(old.engine.status().pending, 30);
    server.hub.reassign_grid(street.id(), street.grid(0), street.worker(1)).unwrap();

    old.engine.sync(&server.transport()).unwrap();
    let status = old.engine.status();
    assert_eq!((status.pending, status.refused), (0, 30));
    assert!(old.households().is_empty() && old.engine.my_grids().is_empty());
    // What the author keeps is that there was such work, and where it went: nothing of what it says of people.
    let refused = old.engine.refused().unwrap();
    assert!(refused.iter().all(|record| record.code == "sync.grant_ended" && !record.is_here));
    assert!(matches!(old.engine.resend(refused[0].group), Err(FieldError::HandedOver)));
    for text in ["离线走访第3次", "门前有台阶", "夜里施工", "已劝说一次"] {
        assert!(!old.holds(text), "{text} is still on the old phone");
    }

    new.sync(&server.transport());
    let inbox = new.engine.inbox().unwrap();
    assert_eq!((inbox.len(), new.engine.status().inbox), (30, 30));
    assert!(inbox.iter().all(|late| late.author == street.worker(0) && late.author_name.is_some()));
    let words: Vec<&str> = inbox.iter().flat_map(|late| &late.lines).map(|(_, text)| text.reveal().as_str()).collect();
    for text in ["离线走访第0次", "离线走访第23次", "门前有台阶", "夜里施工", "已劝说一次"] {
        assert!(words.contains(&text), "{text} is not shown");
    }
    // It survives a restart, and is not sent again.
    let folder = new.folder.clone();
    drop(new);
    let new = Phone::open_now(&folder);
    assert_eq!(new.engine.inbox().unwrap(), inbox);
    inbox.iter().for_each(|late| new.engine.decide(late.group, true).unwrap());
    assert_eq!(new.engine.status().inbox, 0);
    assert!(matches!(new.engine.decide(inbox[0].group, false), Err(FieldError::NotFound { .. })));
    new.sync(&server.transport());
    new.sync(&server.transport());
    let visits = |door| new.engine.visits(VisitSubject::Household(door)).unwrap();
    let found: Vec<_> = doors.iter().flat_map(|door| visits(*door)).filter(|visit| visit.by == street.worker(0)).collect();
    assert_eq!(found.iter().filter(|visit| visit.findings.reveal().starts_with("离线走访")).count(), 24);
    let shown = new.engine.case(case).unwrap();
    assert_eq!((shown.case.details.description.reveal().as_str(), shown.timeline.len()), ("夜里施工", 2));
    // In its author's name, under its author's signature, by whom it was adopted.
    let proof = proof_of(&server.hub, &street, &inbox[0]);
    assert_eq!(server.hub.ledger().device(proof.device).unwrap().unwrap().person, street.worker(0));
    assert!(inbox.iter().all(|late| adopted_by(&server.hub, &street, late.group) == Some(street.worker(1))));
    centre.sync(&server.transport());
    assert!(centre.engine.inbox().unwrap().is_empty(), "what was decided is nobody's to decide any more");
    street.assert_same(&server.hub, Some(&[0, 1]), &new);

    // The grid is granted again: everything comes back, the adopted work with it.
    server.hub.reassign_grid(street.id(), street.grid(0), street.worker(0)).unwrap();
    old.sync(&server.transport());
    assert_eq!(old.households(), doors);
    let back: usize = doors.iter().map(|door| old.engine.visits(VisitSubject::Household(*door)).unwrap().len()).sum();
    assert!(back >= 24);
    street.assert_same(&server.hub, Some(&[0]), &old);
}

#[test]
fn what_nobody_adopts_stays_in_quarantine_and_is_asked_about_no_more() {
    let street = Street::build(TINY);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let centre = street.centre_phone(&server, "centre");
    let door = phone.households()[0];
    phone.visit(door, "离线走访");
    server.hub.revoke(street.id(), street.worker(0), worker_of(street.grid(0)).scope).unwrap();
    phone.engine.sync(&server.transport()).unwrap();
    centre.sync(&server.transport());
    let late = centre.engine.inbox().unwrap();
    assert_eq!((late.len(), late[0].docs.as_slice()), (1, &[(DocKind::Household, door.into())][..]));
    centre.engine.decide(late[0].group, false).unwrap();
    centre.sync(&server.transport());
    centre.sync(&server.transport());
    assert!(centre.engine.inbox().unwrap().is_empty());
    assert!(server.hub.ledger().inbox(street.id(), 10).unwrap().is_empty());
    let kept = server.hub.quarantine(street.id()).unwrap();
    assert_eq!((kept.len(), kept[0].code.as_str(), kept[0].person), (1, "inbox.turned_down", street.worker(0)));
    assert_eq!(server.hub.document(street.id(), door.into()).unwrap().0.visits().len(), centre.visits_of(door));
}

#[test]
fn of_two_who_decide_the_first_decides() {
    let street = Street::build(TINY);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let (one, other) = (street.centre_phone(&server, "one"), street.centre_phone(&server, "other"));
    phone.visit(phone.households()[0], "离线走访");
    server.hub.revoke(street.id(), street.worker(0), worker_of(street.grid(0)).scope).unwrap();
    phone.engine.sync(&server.transport()).unwrap();
    for centre in [&one, &other] {
        centre.sync(&server.transport());
    }
    let group = one.engine.inbox().unwrap()[0].group;
    one.engine.decide(group, true).unwrap();
    other.engine.decide(group, false).unwrap();
    for centre in [&one, &other] {
        centre.sync(&server.transport());
    }
    assert_eq!(adopted_by(&server.hub, &street, group), Some(street.built.centre));
    assert_eq!(server.hub.quarantine(street.id()).unwrap()[0].code, "inbox.adopted");
    assert!(other.engine.inbox().unwrap().is_empty());
}

#[test]
fn somebody_who_only_helps_in_a_grid_is_sent_no_late_work_and_cannot_adopt_any() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let helper = street.worker_phone(&server, "helper", 1);
    let right = doorstep_core::model::Right { role: doorstep_core::model::Role::Auxiliary, ..worker_of(street.grid(0)) };
    server.hub.grant(street.id(), street.worker(1), &right, Term::OPEN).unwrap();
    phone.visit(phone.households()[0], "离线走访");
    server.hub.revoke(street.id(), street.worker(0), worker_of(street.grid(0)).scope).unwrap();
    phone.engine.sync(&server.transport()).unwrap();
    helper.sync(&server.transport());
    assert!(helper.engine.inbox().unwrap().is_empty());
    assert_eq!(server.hub.ledger().inbox(street.id(), 10).unwrap().len(), 1);
}
