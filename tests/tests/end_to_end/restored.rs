//! A server that was set up again from a backup: what phones were told and it has lost, they give back; nothing is ruled twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use doorstep_core::docs::{Actor, Change, DocKind, Write};
use doorstep_core::field::{ENROL_PATH, Engine, SYNC_PATH, Transport};
use doorstep_core::model::{
    CaseDetails, CaseId, Category, Clock, DeviceTag, DocId, EventKind, Hlc, HouseholdId, Incarnation, PersonId, Personal, Receipt, Scope,
    Seal, VisitDraft, VisitId, VisitSubject,
};
use doorstep_core::store::{MemoryStore, Read};
use doorstep_core::sync::{
    DeviceKey, Encoding, EnrolResponse, EntryChange, Freshness, List, PROTOCOL_VERSION, Relay, Request, Response, open_frame, seal_frame,
};
use doorstep_server::demo::compare;
use doorstep_server::system::SystemEntropy;
use doorstep_tests::direct::DirectServer;
use doorstep_tests::handmade::enrolment;
use doorstep_tests::phone::Phone;
use doorstep_tests::process::{Options, ServerProcess, doorstep};
use doorstep_tests::street::{SMALL, Street, TINY};

/// A street with one grid, so many phones of its worker that are up to date, each with its store, and a backup of the server with all that.
fn backed_up<const PHONES: usize>() -> (DirectServer, [(Engine, Arc<MemoryStore>); PHONES], MemoryStore) {
    let server = DirectServer::build(TINY);
    let phones = [(); PHONES].map(|()| server.phone(worker(&server)));
    let backup = server.backup();
    (server, phones, backup)
}

fn worker(server: &DirectServer) -> PersonId {
    server.street.workers[0].0
}

fn visit(engine: &Engine, door: HouseholdId, findings: &str) -> VisitId {
    let mut draft = VisitDraft::routine(VisitSubject::Household(door));
    draft.findings = Personal::new(findings.to_owned());
    engine.record_visit(draft).unwrap()
}

fn has_visit(engine: &Engine, door: HouseholdId, visit: VisitId) -> bool {
    engine.visits(VisitSubject::Household(door)).unwrap().iter().any(|other| other.id == visit)
}

fn doors(engine: &Engine) -> Vec<HouseholdId> {
    engine.households(None).unwrap().into_iter().map(|listed| listed.row.id).collect()
}

fn sync(server: &DirectServer, engine: &Engine) {
    let report = engine.sync(server).unwrap();
    assert_eq!((report.pending, report.refused), (0, 0));
}

fn assert_same(server: &DirectServer, engine: &Engine) {
    let grids = engine.my_grids();
    let (equal, differences) = compare(&server.hub(), server.street.id, Some(&grids), engine).unwrap();
    assert!(differences.is_empty() && equal > 4, "{equal} are the same, and differ: {differences:?}");
}

/// Number and time of the receipt of each change of a document, by the server.
fn receipts(server: &DirectServer, doc: impl Into<DocId>) -> Vec<(u64, i64)> {
    let (_, receipts) = server.hub().document(server.street.id, doc.into()).unwrap();
    let mut found: Vec<_> = receipts.iter().map(|(_, receipt)| (receipt.number, receipt.at.0)).collect();
    found.sort_unstable();
    found
}

/// The rows in which a phone keeps what no base holds.
fn kept(store: &MemoryStore) -> usize {
    let mut rows = 0;
    store
        .scan_prefix(&[8], &mut |_, _| {
            rows += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

#[test]
fn nothing_acknowledged_is_lost_by_a_restore_while_one_phone_holds_it() {
    let street = Street::build(SMALL);
    let folder = tempfile::tempdir().unwrap();
    let (backup, elsewhere) = (folder.path().join("backup"), folder.path().join("elsewhere"));
    let codes = street.codes([street.worker(0); 3]);
    let server = ServerProcess::start(&street.data(), &Options::default());
    let transport = server.transport();
    let phones: Vec<Phone> = ["author", "reader", "third"]
        .iter()
        .zip(&codes)
        .map(|(name, code)| {
            let phone = Phone::open_now(&street.phone_folder(name));
            phone.enrol_with(code, &transport);
            phone
        })
        .collect();
    let token = street.data().join("admin.token");
    let asked = ["backup", backup.to_str().unwrap(), "--server", server.url(), "--token-file", token.to_str().unwrap()];
    assert!(doorstep().args(asked).status().unwrap().success());

    // After the backup: work that the server acknowledges, and that only one other phone has read when its author's phone is lost.
    let doors = phones[0].households();
    let lost: Vec<VisitId> = doors.iter().map(|door| phones[0].visit(*door, "备份之后")).collect();
    phones[0].sync(&transport);
    phones[1].sync(&transport);
    let mut phones = phones.into_iter();
    drop(phones.next());
    let unsent = phones.as_slice()[0].visit(doors[0], "还没送出");
    server.kill();

    let restored = ["restore", backup.to_str().unwrap(), "--data", elsewhere.to_str().unwrap()];
    assert!(doorstep().args(restored).status().unwrap().success());
    let server = ServerProcess::start(&elsewhere, &Options::default());
    let transport = server.transport();
    let phones: Vec<Phone> = phones.collect();
    for phone in &phones {
        phone.sync(&transport);
        for (door, visit) in doors.iter().zip(&lost) {
            assert!(phone.has_visit(*door, *visit));
        }
        assert!(phone.has_visit(doors[0], unsent));
    }
    assert_eq!(server.errors(), Vec::<String>::new());
}

#[test]
fn what_comes_back_keeps_its_number_and_time_before_all_that_came_since() {
    let (server, [(first, _), (second, _), (new, _)], backup) = backed_up();
    let door = doors(&first)[0];
    let lost = visit(&first, door, "备份之后");
    sync(&server, &first);
    sync(&server, &second);
    let before = receipts(&server, door);
    server.restore(&backup);
    assert!(receipts(&server, door).len() < before.len());

    // One that holds nothing of it goes on working meanwhile.
    let since = visit(&new, door, "恢复之后");
    sync(&server, &new);
    sync(&server, &second);
    sync(&server, &new);
    sync(&server, &first);
    let after = receipts(&server, door);
    assert_eq!(&after[..before.len()], &before[..]);
    assert_eq!(after.len(), before.len() + 1);
    for engine in [&first, &second, &new] {
        assert!(has_visit(engine, door, lost) && has_visit(engine, door, since));
        assert_same(&server, engine);
    }
}

#[test]
fn who_lost_the_right_to_a_grid_still_gives_back_what_they_recorded_there() {
    let (server, [(author, store)], backup) = backed_up();
    let door = doors(&author)[0];
    visit(&author, door, "备份之后");
    sync(&server, &author);
    let before = receipts(&server, door);
    server.hub().revoke(server.street.id, worker(&server), Scope::Grid(server.street.grids[0])).unwrap();
    sync(&server, &author);
    assert!(doors(&author).is_empty());
    assert!(kept(&store) > 0);
    server.restore(&backup);
    sync(&server, &author);
    assert_eq!(receipts(&server, door), before);
}

#[test]
fn what_is_kept_of_dropped_documents_goes_when_a_backup_has_it() {
    let (server, [(author, store)], _) = backed_up();
    visit(&author, doors(&author)[0], "备份之后");
    sync(&server, &author);
    server.hub().revoke(server.street.id, worker(&server), Scope::Grid(server.street.grids[0])).unwrap();
    sync(&server, &author);
    assert!(kept(&store) > 0);
    sync(&server, &author);
    assert!(kept(&store) > 0, "the backup was made before");
    server.backup();
    sync(&server, &author);
    assert_eq!(kept(&store), 0);
}

fn claiming(engine: &Engine) -> CaseId {
    let mut details = CaseDetails::issue(Category::Noise, "养老金认证");
    details.claim = Some("pension/2026/1".parse().unwrap());
    engine.report_issue(engine.my_grids().first().copied(), details).unwrap()
}

/// The cases that a case was ruled to be the duplicate of: one for each ruling.
fn rulings(server: &DirectServer, case: CaseId) -> Vec<CaseId> {
    let (document, _) = server.hub().document(server.street.id, case.into()).unwrap();
    document.events().into_iter().filter(|event| event.value.kind == EventKind::DuplicateOf).filter_map(|event| event.value.other).collect()
}

#[test]
fn no_ruling_is_given_before_everybody_came_by_and_the_first_claim_stays_the_first() {
    let (server, [(first, _), (second, _)], backup) = backed_up();
    let case = claiming(&first);
    sync(&server, &first);
    server.restore(&backup);
    let later = claiming(&second);
    let third = claiming(&second);
    sync(&server, &second);
    assert_eq!((rulings(&server, later), rulings(&server, third)), (vec![], vec![]));
    assert_eq!(server.hub().awaited(server.street.id).unwrap().len(), 1);
    sync(&server, &first);
    assert_eq!(server.hub().awaited(server.street.id).unwrap(), []);
    assert_eq!((rulings(&server, case), rulings(&server, later), rulings(&server, third)), (vec![], vec![case], vec![case]));
    [&first, &second].into_iter().for_each(|engine| {
        sync(&server, engine);
        assert_same(&server, engine);
    });
}

#[test]
fn a_ruling_that_comes_back_is_not_given_again() {
    let (server, [(first, _), (second, _)], backup) = backed_up();
    let case = claiming(&first);
    sync(&server, &first);
    let later = claiming(&second);
    sync(&server, &second);
    sync(&server, &first);
    assert_eq!(rulings(&server, later), [case]);
    server.restore(&backup);
    // The duplicate comes back before the case that it is the duplicate of.
    sync(&server, &second);
    sync(&server, &first);
    assert_eq!((rulings(&server, case), rulings(&server, later)), (vec![], vec![case]));
    assert_eq!(server.hub().ledger().rulings_due(server.street.id, 10).unwrap(), []);
}

#[test]
fn an_operator_ends_a_reconciliation_that_somebody_never_comes_to() {
    let (server, [(first, _), (lost, _)], backup) = backed_up();
    drop(lost);
    server.restore(&backup);
    let (case, later) = (claiming(&first), claiming(&first));
    sync(&server, &first);
    assert_eq!(rulings(&server, later), []);
    server.hub().end_reconciliation(server.street.id).unwrap();
    assert_eq!((rulings(&server, case), rulings(&server, later)), (vec![], vec![case]));
}

#[test]
fn a_restore_to_a_restore_and_a_second_one_to_the_same_backup_lose_nothing() {
    let (server, [(phone, _)], backup) = backed_up();
    let door = doors(&phone)[0];
    let mut recorded = Vec::new();
    for round in 0..3 {
        recorded.push(visit(&phone, door, "每轮一次"));
        sync(&server, &phone);
        let before = receipts(&server, door);
        server.restore(&backup);
        sync(&server, &phone);
        assert_eq!(receipts(&server, door), before, "round {round}");
        let changes = server.hub().document(server.street.id, door.into()).unwrap().0.change_count();
        assert_eq!(before.len() + 1, changes);
    }
    assert!(recorded.iter().all(|visit| has_visit(&phone, door, *visit)));
    assert_same(&server, &phone);
    let summaries = server.hub().ledger().summaries(server.street.id, DocKind::Household, None, 100).unwrap();
    assert_eq!(summaries.len(), doors(&phone).len());
}

/// Whoever knows a document could want to write its history anew, in anybody's name: without the server's seal nothing is taken.
#[test]
fn a_change_without_the_servers_seal_does_not_come_back() {
    let (server, [(honest, _)], backup) = backed_up();
    let door = doors(&honest)[0];
    visit(&honest, door, "备份之后");
    sync(&server, &honest);
    let (document, receipts_then) = server.hub().document(server.street.id, door.into()).unwrap();
    server.restore(&backup);

    let key = DeviceKey::make(&mut SystemEntropy);
    let (code, _) = server.hub().make_code(server.street.id, worker(&server)).unwrap();
    let given: EnrolResponse = open_frame(&server.post(ENROL_PATH, &enrolment(&key, &code)).unwrap().body).unwrap();
    let ledger = server.hub().streets().unwrap()[0].ledger;
    let number = AtomicU64::new(0);
    let relaying = |changes: Vec<EntryChange>| {
        let relay = Relay { doc: door.into(), kind: DocKind::Household, changes: List(changes) };
        let request = Request {
            protocol: PROTOCOL_VERSION,
            device: given.device,
            incarnation: Incarnation([1; 8]),
            sent_at: server.clock.now(),
            ledger: Some(ledger),
            cursors: List(Vec::new()),
            push: None,
            offers: None,
            relays: Some(List(vec![relay])),
            inbox: None,
            decisions: None,
            signs_out: None,
            keys: None,
            fresh: Some(Freshness { nonce: given.nonce, number: number.fetch_add(1, Ordering::Relaxed) + 1 }),
        };
        let frame = seal_frame(&key.seal(minicbor::to_vec(&request).unwrap()), Encoding::Deflate);
        let response: Response = open_frame(&server.post(SYNC_PATH, &frame).unwrap().body).unwrap();
        response.lacking.map_or(0, |lacking| lacking.0.len())
    };
    let (lost, _) = server.hub().document(server.street.id, door.into()).unwrap();
    let genuine = document.changes_beyond(&lost.heads()).unwrap().remove(0);
    let receipt = receipts_then.get(&genuine.hash()).unwrap();
    let mut forged = document.clone();
    let another = Actor { device: DeviceTag([7; 8]), incarnation: Incarnation([7; 8]) };
    let invented = forged.edit(another, Hlc::new(server.clock.now(), 0), &[Write::set("door", "9栋")]).unwrap().unwrap();
    let bytes = |change: &Change| change.bytes().to_vec();

    let before = receipts(&server, door);
    let number = receipt.number + 1;
    assert_eq!(relaying(vec![EntryChange::new(bytes(&genuine), Receipt { number, ..receipt })]), 1, "another number");
    assert_eq!(relaying(vec![EntryChange::new(bytes(&genuine), Receipt { seal: Seal([0; 8]), ..receipt })]), 1, "no seal");
    assert_eq!(relaying(vec![EntryChange::new(bytes(&invented), receipt)]), 1, "the seal of another change");
    assert_eq!(receipts(&server, door), before);
    let both = vec![EntryChange::new(bytes(&genuine), receipt), EntryChange::new(bytes(&invented), Receipt { number, ..receipt })];
    assert_eq!(relaying(both), 1, "what is genuine before it is taken");
    assert_eq!(receipts(&server, door).len(), before.len() + 1);
    sync(&server, &honest);
    assert_same(&server, &honest);
}
