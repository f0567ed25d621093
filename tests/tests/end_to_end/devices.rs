//! The end of a device: revoked, lost or given up. What it still sends is taken and kept apart, it is sent nothing, and it erases itself.

use std::sync::Arc;

use doorstep_core::docs::DocKind;
use doorstep_core::field::{FieldError, Watched};
use doorstep_core::model::{DeviceId, Right};
use doorstep_server::hub::Hub;
use doorstep_server::ledger::Ending;
use doorstep_tests::handmade::{Handmade, word};
use doorstep_tests::phone::Phone;
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street, worker_of};
use doorstep_tests::watcher::Watcher;

fn device(phone: &Phone) -> DeviceId {
    phone.engine.identity().unwrap().device
}

fn ended(hub: &Hub, street: &Street, device: DeviceId) -> Option<Ending> {
    hub.devices(street.id()).unwrap().into_iter().find(|other| other.id == device).unwrap().ended.map(|ended| ended.why)
}

/// Syncs once more than everything needs: an erased phone has no identity to sync with.
fn assert_erased(server: &Server, phone: &Phone) {
    assert!(phone.engine.is_wiped());
    assert!(matches!(phone.engine.sync(&server.transport()), Err(FieldError::Wiped)));
    assert!(phone.engine.identity().is_none() && phone.engine.households(None).unwrap().is_empty());
    // That it was erased, and once it is opened again its life and the mark of it.
    assert!(phone.row_count() <= 3 && !phone.holds("走访"));
}

#[test]
fn what_a_revoked_phone_still_sends_is_kept_apart_and_then_it_erases_itself() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let other = street.worker_phone(&server, "other", 0);
    let door = phone.households()[0];
    let id = device(&phone);
    for number in 0..3 {
        phone.visit(door, &format!("离线走访第{number}次"));
    }
    server.hub.end_device(street.id(), id, Ending::Revoked).unwrap();
    phone.engine.sync(&server.transport()).unwrap();
    assert_erased(&server, &phone);
    let kept = server.hub.quarantine(street.id()).unwrap();
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|group| group.code == "sync.revoked" && group.device == id && !group.changes.is_empty()));
    assert_eq!(ended(&server.hub, &street, id), Some(Ending::Revoked));

    // It stays erased over a restart; a colleague's phone of the same person notices nothing.
    let folder = phone.folder.clone();
    drop(phone);
    assert_erased(&server, &Phone::open_now(&folder));
    other.visit(door, "照常走访");
    other.sync(&server.transport());
    assert_eq!(ended(&server.hub, &street, device(&other)), None);
}

#[test]
fn revocation_takes_effect_at_once_on_a_live_connection() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = Arc::new(street.worker_phone(&server, "phone", 0));
    let watcher = Watcher::start_up_to_date(&phone, server.live_transport());
    server.hub.end_device(street.id(), device(&phone), Ending::Revoked).unwrap();
    watcher.until("the order", |watched| matches!(watched, Watched::Pushed { .. }));
    assert_erased(&server, &phone);
}

#[test]
fn a_revoked_device_gets_verdicts_and_the_order_and_nothing_else() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let (code, _) = server.hub.make_code(street.id(), street.worker(0)).unwrap();
    let hostile = Handmade::enrol(&server.url(), &code);
    assert!(hostile.read_everything() > 0);
    server.hub.end_device(street.id(), hostile.device, Ending::Lost).unwrap();
    let answer = hostile.ask(&hostile.request(None));
    assert_eq!((answer.wipe, answer.verdicts), (Some(true), None));
    assert!(answer.parts.is_none() && answer.entered.is_none() && answer.left.is_none() && answer.inbox.is_none());
    let mut document = doorstep_core::docs::Document::new(DocKind::Party, doorstep_tests::handmade::fresh_doc()).unwrap();
    let change = hostile.edit(&mut document, &[doorstep_core::docs::Write::set("grid", street.grid(0).as_bytes())]);
    let push = hostile.push(vec![doorstep_tests::handmade::group_of(&document, &change)]);
    let answer = hostile.ask(&hostile.request(Some(push)));
    assert_eq!(answer.verdicts.unwrap().0.iter().map(word).collect::<Vec<_>>(), ["sync.revoked"]);
    assert!(answer.parts.is_none());
    assert!(server.hub.document(street.id(), document.id()).is_err());
}

#[test]
fn a_phone_that_is_given_up_sends_what_waits_first() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let door = phone.households()[0];
    let (id, visit) = (device(&phone), phone.visit(door, "最后一次走访"));
    phone.engine.sign_out().unwrap();
    assert!(phone.has_visit(door, visit), "until then it goes on");
    // Not even a restart makes it forget.
    let folder = phone.folder.clone();
    drop(phone);
    let phone = Phone::open_now(&folder);
    phone.engine.sync(&server.transport()).unwrap();
    assert_erased(&server, &phone);
    assert_eq!(ended(&server.hub, &street, id), Some(Ending::SignedOut));
    assert!(server.hub.quarantine(street.id()).unwrap().is_empty());
    assert!(server.hub.document(street.id(), door.into()).unwrap().0.visits().iter().any(|other| other.id == visit));
}

#[test]
fn what_is_on_a_lost_phone_is_known() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let report = server.hub.lost_report(street.id(), device(&phone)).unwrap();
    assert_eq!(report.rights, [Right { ..worker_of(street.grid(0)) }]);
    for (kind, count) in report.documents {
        assert_eq!(count, phone.engine.documents(kind).unwrap().len(), "{kind:?}");
    }
    assert!(report.device.last_contact.is_some_and(|at| at >= report.device.enrolled_at));
    assert!(server.hub.lost_report(street.id(), DeviceId::from_bytes([9; 16])).is_err());
    // The person's rights have ended since: what was on the phone then counts.
    server.hub.revoke(street.id(), street.worker(0), worker_of(street.grid(0)).scope).unwrap();
    assert_eq!(server.hub.lost_report(street.id(), device(&phone)).unwrap().rights.len(), 1);
}
