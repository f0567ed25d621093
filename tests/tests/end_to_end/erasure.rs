//! A person is erased: over real servers and phones, down to the bytes of every file.

use std::path::Path;
use std::sync::Arc;

use doorstep_core::docs::Lock;
use doorstep_core::docs::layout::Path as LayoutPath;
use doorstep_core::field::{FieldError, MAIL_PATH, Transport as _, mail_taken};
use doorstep_core::model::{CaseDetails, Category, DocId, HouseholdDetails, HouseholdId, Personal, Reporter, ResidentDetails, ResidentId};
use doorstep_core::store::{SledOptions, SledStore, StoreKey};
use doorstep_server::erasures::{ERASURES_FILE, Erasures};
use doorstep_server::hub::{ErasureList as _, Hub, HubError, Why};
use doorstep_server::system::{SystemClock, SystemEntropy};
use doorstep_tests::phone::Phone;
use doorstep_tests::server::{Server, hub};
use doorstep_tests::street::{SMALL, Street};

const NAME: &str = "欧阳修远";
const NUMBER: &str = "13917204466";
const WORDS: &str = "他儿子在外地不要对外说";

fn remark(text: &str) -> ResidentDetails {
    ResidentDetails { remark: Some(Personal::new(text.to_owned())), ..ResidentDetails::default() }
}

/// A phone under a key, as an app opens it.
fn sealed_phone(street: &Street, server: &Server, name: &str, grid: usize) -> Phone {
    let phone = Phone::open_sealed(&street.phone_folder(name), &StoreKey::make(&mut SystemEntropy));
    phone.enrol(&server.hub, street.id(), street.worker(grid), &server.transport());
    phone.sync(&server.transport());
    phone
}

fn files_with(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Before the erasure nothing else is to be expected of the files: what is personal is never in one in clear.
fn assert_nowhere(folder: &Path) {
    for words in [NAME, NUMBER, WORDS] {
        assert_eq!(files_with(folder, words.as_bytes()), [""; 0], "{words}");
    }
}

/// A resident whom a worker recorded, with a household that has a visit.
fn recorded(phone: &Phone, server: &Server) -> ResidentId {
    let details = ResidentDetails {
        name: Some(Personal::new(NAME.to_owned())),
        phone: Some(Personal::new(NUMBER.parse().unwrap())),
        ..ResidentDetails::default()
    };
    let resident = phone.engine.add_resident(None, details, Vec::new()).unwrap();
    let door = phone.households()[0];
    phone.engine.set_member(door, resident, true).unwrap();
    phone.visit(door, "走访");
    phone.sync(&server.transport());
    resident
}

#[test]
fn whoever_is_erased_is_in_no_file_of_server_phones_and_restored_backups_and_never_comes_back() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let author = sealed_phone(&street, &server, "author", 0);
    let resident = recorded(&author, &server);
    let doc: DocId = resident.into();
    let away = sealed_phone(&street, &server, "away", 0);
    let reader = street.centre_phone(&server, "reader");
    reader.sync(&server.transport());
    assert_eq!(reader.engine.resident(resident).unwrap().details.name, Some(Personal::new(NAME.to_owned())));
    assert!(reader.engine.search(NAME, 10).unwrap().iter().any(|found| found.row.row.id() == doc));
    let before = server.hub.document(street.id(), doc).unwrap().0;
    let key = before.keys().whole().next().unwrap().as_bytes().to_vec();
    drop(server);
    let backup = street.data().parent().unwrap().join("backup");
    SledStore::open(&street.data().join("store"), SledOptions::default()).unwrap().backup(&backup).unwrap();
    let server = street.serve();

    // Two are away while it happens: one has words on the person that nobody has seen, the other is only late.
    away.engine.change_resident(resident, remark(WORDS), Vec::new()).unwrap();
    let mentions = server.hub.erase(street.id(), doc).unwrap();
    assert!(mentions.iter().any(|mention| mention.why == Why::Member), "{mentions:?}");
    reader.sync(&server.transport());
    assert_eq!(away.engine.sync(&server.transport()).unwrap().exchanged.refused, 1);
    author.sync(&server.transport());

    for phone in [&reader, &away, &author] {
        let card = phone.engine.resident(resident).unwrap();
        assert_eq!((card.lock, card.details.name, card.details.phone, card.details.remark), (Lock::Erased, None, None, None));
        assert!(phone.engine.search(NAME, 10).unwrap().iter().all(|found| found.row.row.id() != doc));
        assert!(matches!(phone.engine.change_resident(resident, remark("又来"), Vec::new()), Err(FieldError::Erased)));
        assert_eq!(phone.engine.status().pending, 0);
    }
    let refused = away.engine.refused().unwrap();
    assert_eq!(refused.iter().map(|record| (record.code.as_str(), record.is_here)).collect::<Vec<_>>(), [("sync.erased", false)]);
    // What is kept of the document itself is what it was: history, hashes, signatures.
    let after = server.hub.document(street.id(), doc).unwrap().0;
    assert_eq!((after.heads(), after.digest()), (before.heads(), before.digest()));
    street.assert_same(&server.hub, None, &reader);
    assert_eq!(reader.visits_of(author.households()[0]), author.visits_of(author.households()[0]), "others keep their history");

    drop((author, away, reader, server));
    let everything = street.data().parent().unwrap().to_owned();
    assert_nowhere(&everything);
    assert_eq!(files_with(&everything, &key), [""; 0], "the key");

    // A backup of before, set up again with the list.
    let elsewhere = everything.join("elsewhere");
    SledStore::restore(&backup, &elsewhere.join("store")).unwrap();
    std::fs::copy(street.data().join(ERASURES_FILE), elsewhere.join(ERASURES_FILE)).unwrap();
    let (restored, _store) = hub(&elsewhere, Arc::new(SystemClock));
    assert!(restored.ledger().keys(street.id(), doc).unwrap().0.is_erased());
    assert_eq!(restored.erase_again().unwrap(), 0, "once is enough");
    assert_eq!(Erasures::open(&elsewhere.join(ERASURES_FILE)).unwrap().all().len(), 1);
}

#[test]
fn a_phone_that_starts_after_an_erasure_gets_the_record_as_erased() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let author = street.worker_phone(&server, "author", 0);
    author.sync(&server.transport());
    let resident = recorded(&author, &server);
    server.hub.erase(street.id(), resident.into()).unwrap();
    let late = street.centre_phone(&server, "late");
    late.sync(&server.transport());
    assert_eq!(late.engine.resident(resident).unwrap().lock, Lock::Erased);
    assert!(matches!(late.engine.change_resident(resident, remark("x"), Vec::new()), Err(FieldError::Erased)));
    // Twice changes nothing, and what is no person is not erased.
    server.hub.erase(street.id(), resident.into()).unwrap();
    assert!(server.hub.erase(street.id(), author.households()[0].into()).is_err());
    author.sync(&server.transport());
    assert_eq!(author.engine.resident(resident).unwrap().lock, Lock::Erased);
}

#[test]
fn a_copy_of_what_is_held_on_a_person_has_the_card_and_what_speaks_of_them_and_nothing_of_others() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let resident = recorded(&phone, &server);
    let door = phone.households()[0];
    phone.engine.change_household(door, doorstep_tests::phone::contact("何大姐"), Vec::new()).unwrap();
    let mut details = CaseDetails::issue(Category::Noise, "楼上夜里拖椅子");
    details.reporter = Some(Reporter::Resident(resident));
    let case = phone.engine.report_issue(None, details).unwrap();
    phone.sync(&server.transport());
    let url = format!("{}/v1/admin/streets/{}/documents/{resident}/copy", server.url(), street.id());
    let request = ureq::get(&url).header("authorization", "Bearer a token that only the operator knows");
    let copy: serde_json::Value = request.call().unwrap().body_mut().read_json().unwrap();
    assert_eq!(copy["card"]["fields"]["name"], NAME);
    let records = copy["records"].as_array().unwrap();
    let of = |why: &str| records.iter().find(|record| record["why"] == why).unwrap_or_else(|| panic!("{why}: {records:?}"));
    assert_eq!((of("reporter")["id"].as_str(), of("member")["id"].as_str()), (Some(&*case.to_string()), Some(&*door.to_string())));
    assert_eq!(of("reporter")["record"]["fields"]["description"], "楼上夜里拖椅子");
    assert!(of("member")["record"]["fields"]["door"].is_string());
    assert!(!copy.to_string().contains("何大姐"), "whom the door is known by is somebody else");
    assert_eq!(ureq::get(&url).call().unwrap_err().to_string(), "http status: 401");
}

/// What a household's screen shows of the words of its visits, and of its remark.
fn words(phone: &Phone, door: HouseholdId) -> (Vec<String>, Option<String>, Lock) {
    let shown = phone.engine.household(door).unwrap();
    let mut findings: Vec<String> = shown.visits.iter().map(|visit| visit.findings.reveal().clone()).collect();
    findings.sort();
    (findings, shown.details.remark.map(Personal::into_inner), shown.lock)
}

fn shows(phone: &Phone, door: HouseholdId, findings: &[&str], remark: Option<&str>) {
    let mut findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    findings.sort();
    assert_eq!(words(phone, door), (findings, remark.map(ToOwned::to_owned), Lock::Redacted));
}

fn remarked(text: &str) -> HouseholdDetails {
    HouseholdDetails { remark: Some(Personal::new(text.to_owned())), ..HouseholdDetails::default() }
}

/// The places where a card's name or number stands.
fn mentioned(hub: &Hub, street: &Street, resident: ResidentId) -> Vec<(DocId, LayoutPath)> {
    let (_, mentions) = hub.held_on(street.id(), resident.into()).unwrap();
    mentions.into_iter().filter_map(|mention| Some((mention.doc, mention.why.path()?.clone()))).collect()
}

#[test]
fn a_phone_whose_person_lost_the_last_right_confirms_an_erasure_once_it_has_given_up_what_it_held() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let details = ResidentDetails { name: Some(Personal::new(NAME.to_owned())), ..ResidentDetails::default() };
    let resident = phone.engine.add_resident(None, details, Vec::new()).unwrap();
    phone.sync(&server.transport());
    server.hub.reassign_grid(street.id(), street.grid(0), street.worker(1)).unwrap();
    server.hub.erase(street.id(), resident.into()).unwrap();
    let is_confirmed = || {
        let (list, devices) = (server.hub.erased(street.id()), server.hub.devices(street.id()).unwrap());
        server.hub.unconfirmed(&list[0], &devices).unwrap().is_empty()
    };
    assert!(!is_confirmed());
    phone.sync(&server.transport());
    phone.sync(&server.transport());
    assert!(phone.households().is_empty() && is_confirmed());
}

#[test]
fn words_on_a_person_are_redacted_for_good_and_nothing_else_of_the_record() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let author = sealed_phone(&street, &server, "author", 0);
    let resident = recorded(&author, &server);
    let (door, elsewhere) = (author.households()[0], author.households()[1]);
    let (about, beside) = (format!("邻居{NAME}常来"), "门锁已修");
    author.visit(elsewhere, &about);
    author.visit(elsewhere, beside);
    author.engine.change_household(elsewhere, remarked(&format!("电话{NUMBER}")), Vec::new()).unwrap();
    author.sync(&server.transport());
    let away = sealed_phone(&street, &server, "away", 0);
    let reader = street.centre_phone(&server, "reader");
    reader.sync(&server.transport());
    let before = server.hub.document(street.id(), elsewhere.into()).unwrap().0;
    drop(server);
    let backup = street.data().parent().unwrap().join("backup");
    SledStore::open(&street.data().join("store"), SledOptions::default()).unwrap().backup(&backup).unwrap();
    let server = street.serve();

    // Recorded with the key that is about to be cut, at a place of the field that nobody knows yet.
    away.visit(elsewhere, WORDS);
    let places = mentioned(&server.hub, &street, resident);
    assert_eq!(places.iter().map(|(doc, _)| *doc).collect::<Vec<_>>(), [elsewhere.into(), DocId::from(elsewhere)]);
    for (doc, path) in &places {
        server.hub.redact(street.id(), *doc, path).unwrap();
        assert!(
            matches!(server.hub.redact(street.id(), *doc, path), Err(HubError::NotFound { .. })),
            "there is nothing to be read any more"
        );
    }
    assert_eq!(mentioned(&server.hub, &street, resident), []);
    let unconfirmed = || {
        let (list, devices) = (server.hub.erased(street.id()), server.hub.devices(street.id()).unwrap());
        let counts = list.iter().map(|erasure| server.hub.unconfirmed(erasure, &devices).unwrap().len());
        counts.max().unwrap()
    };
    assert_eq!(unconfirmed(), 3);
    for phone in [&reader, &author] {
        phone.sync(&server.transport());
        shows(phone, elsewhere, &["", beside], None);
        assert_eq!(words(phone, door), (vec!["走访".to_owned()], None, Lock::Open), "another record");
    }
    // What was answered may have been lost on the way: only what is asked behind it confirms it.
    assert_eq!(unconfirmed(), 3);
    reader.sync(&server.transport());
    assert_eq!(unconfirmed(), 2);
    for mail in away.engine.mail().unwrap() {
        mail_taken(server.transport().post(MAIL_PATH, &mail).unwrap()).unwrap();
    }
    assert_eq!(unconfirmed(), 2, "what was carried says nothing of what its author's phone has read");
    away.engine.sync(&server.transport()).unwrap();
    assert!(away.engine.refused().unwrap().is_empty(), "nobody has to mend what was sealed too early");
    author.engine.change_household(elsewhere, remarked("白天在家"), Vec::new()).unwrap();
    for phone in [&author, &reader, &away] {
        phone.sync(&server.transport());
    }
    for phone in [&author, &reader, &away] {
        phone.sync(&server.transport());
        shows(phone, elsewhere, &["", beside, WORDS], Some("白天在家"));
        street.assert_same(&server.hub, None, &reader);
    }
    assert_eq!(unconfirmed(), 0);
    // All that was signed is what it was.
    let after = server.hub.document(street.id(), elsewhere.into()).unwrap().0;
    assert!(before.heads().iter().all(|head| after.contains(head)));

    drop((author, away, reader, server));
    let everything = street.data().parent().unwrap().to_owned();
    assert_nowhere(&everything);
    let elsewhere_folder = everything.join("elsewhere");
    SledStore::restore(&backup, &elsewhere_folder.join("store")).unwrap();
    std::fs::copy(street.data().join(ERASURES_FILE), elsewhere_folder.join(ERASURES_FILE)).unwrap();
    let (restored, _store) = hub(&elsewhere_folder, Arc::new(SystemClock));
    let shown = doorstep_core::docs::Household::read(&restored.document(street.id(), elsewhere.into()).unwrap().0);
    assert_eq!((shown.lock, shown.details.remark), (Lock::Redacted, None));
    assert!(shown.visits.iter().all(|visit| !visit.findings.reveal().contains(NAME)));
    assert!(shown.visits.iter().any(|visit| visit.findings.reveal() == beside));
    assert_eq!(restored.erase_again().unwrap(), 0, "once is enough");
}
