//! What a document keeps, and what is no document of ours.

use automerge::legacy::{Key, ObjectId, Op, OpType, SortedVec};
use automerge::transaction::Transactable;

use super::*;
use crate::docs::{Case, DocKind, Household, Lock, RecordKey, Scalar, household_writes, note_write};
use crate::model::{
    DeviceTag, EventKind, HouseholdDetails, Incarnation, Millis, Note, NoteId, PersonId, Personal, VisitDraft, VisitId, VisitSubject,
};

const ID: DocId = DocId::from_bytes([7; 16]);
const NOON: Millis = Millis(1_764_000_000_000);

fn actor(byte: u8) -> Actor {
    Actor { device: DeviceTag([byte; 8]), incarnation: Incarnation([byte; 8]) }
}

fn edit(doc: &mut Document, who: u8, writes: &[Write]) -> Change {
    doc.edit(actor(who), Hlc::new(NOON, u16::from(who)), writes).unwrap().unwrap()
}

fn key(byte: u8) -> String {
    DocId::from_bytes([byte; 16]).to_string()
}

fn visit(byte: u8) -> Vec<Write> {
    let draft = VisitDraft::routine(VisitSubject::Household(ID.into()));
    crate::docs::visit_writes(VisitId::from_bytes([byte; 16]), PersonId::from_bytes([1; 16]), NOON, &draft)
}

fn empty(kind: DocKind) -> Document {
    Document::new(kind, ID).unwrap().with_keys(Keyring::of(RecordKey::from_bytes(&[5; 32]).unwrap()))
}

fn household() -> Document {
    let mut doc = empty(DocKind::Household);
    let details = HouseholdDetails { door: Some("3-2-501".into()), ..HouseholdDetails::default() };
    edit(&mut doc, 1, &household_writes(&details));
    edit(&mut doc, 2, &visit(20));
    doc
}

/// Writes past our own rules, as a foreign program would.
fn tampered(doc: &Document, tamper: impl FnOnce(&mut automerge::transaction::Transaction<'_>)) -> Vec<u8> {
    let mut raw = doc.doc.clone();
    raw.set_actor(actor(9).to_id());
    let mut tx = raw.transaction();
    tamper(&mut tx);
    tx.commit().0.unwrap();
    raw.save()
}

#[test]
fn fields_that_this_version_does_not_know_survive_its_edits() {
    let mut doc = empty(DocKind::Household);
    let entry = |mut writes: Vec<Write>| {
        if let Some(Write::Add(_, _, fields)) = writes.first_mut() {
            fields.push(("mood".to_owned(), "cheerful".into()));
        }
        writes
    };
    let later = [Write::set("schema", 2), Write::set("heating", "coal"), Write::set("door", "3-2-501")];
    edit(&mut doc, 1, &later);
    edit(&mut doc, 1, &entry(visit(20)));

    let mut old = Document::load(DocKind::Household, ID, &doc.save()).unwrap();
    let details = HouseholdDetails { door: Some("3-2-502".into()), ..HouseholdDetails::default() };
    edit(&mut old, 2, &household_writes(&details));
    edit(&mut old, 2, &visit(21));

    let again = Document::load(DocKind::Household, ID, &old.saved_and_reloaded().unwrap().bytes).unwrap();
    assert_eq!(again.root().text("heating"), Some("coal".into()));
    assert_eq!(again.root().integer("schema"), Some(2));
    let entries = again.entries(Container::Visits);
    let (_, kept) = entries.iter().find(|(name, _)| *name == key(20)).unwrap();
    assert_eq!(kept.text("mood"), Some("cheerful".into()));
    let read = Household::read(&again);
    assert_eq!((read.details.door.as_deref(), read.visits.len()), (Some("3-2-502"), 2));
}

#[test]
fn events_of_a_kind_that_this_version_does_not_know_survive_its_edits() {
    let mut doc = empty(DocKind::Case);
    let by = Scalar::from(&[1; 16]);
    let fields = [("by", by), ("at", NOON.0.into()), ("kind", "blessed".into()), ("blessing", "may it last".into())];
    let fields = fields.map(|(field, value)| (field.to_owned(), value));
    edit(&mut doc, 1, &[Write::Add(Container::Events, key(30), fields.into())]);

    let mut old = Document::load(DocKind::Case, ID, &doc.save()).unwrap();
    edit(&mut old, 2, &[Write::set("urgency", "urgent")]);
    let again = Document::load(DocKind::Case, ID, &old.saved_and_reloaded().unwrap().bytes).unwrap();
    let events = Case::read(&again).events;
    assert_eq!(events[0].value.kind, EventKind::Unknown("blessed".into()));
    assert_eq!(again.entries(Container::Events)[0].1.text("blessing"), Some("may it last".into()));
}

#[test]
fn a_document_loads_as_what_it_is_and_as_nothing_else() {
    let doc = household();
    let bytes = doc.save();
    assert_eq!(Document::load(DocKind::Household, ID, &bytes).unwrap().digest(), doc.digest());
    let foreign = DocumentError::ForeignGenesis { id: ID };
    assert_eq!(Document::load(DocKind::Place, ID, &bytes).unwrap_err(), foreign);
    let other = DocId::from_bytes([8; 16]);
    assert_eq!(Document::load(DocKind::Household, other, &bytes).unwrap_err(), DocumentError::ForeignGenesis { id: other });
    assert_eq!(Document::load(DocKind::Household, ID, b"").unwrap_err(), foreign);
    assert_eq!(Document::load(DocKind::Household, ID, b"something else").unwrap_err(), DocumentError::Unloadable { id: ID });
    assert_eq!(Document::load(DocKind::Household, ID, &bytes[..bytes.len() - 9]).unwrap_err(), DocumentError::Unloadable { id: ID });
}

#[test]
fn a_document_whose_foundation_was_built_over_does_not_load() {
    let doc = household();
    let foreign = DocumentError::ForeignGenesis { id: ID };
    let over_id = tampered(&doc, |tx| tx.put(ROOT, "id", vec![8; 16]).unwrap());
    let over_kind = tampered(&doc, |tx| tx.put(ROOT, "kind", "case").unwrap());
    let without_kind = tampered(&doc, |tx| tx.delete(ROOT, "kind").unwrap());
    let over_container = tampered(&doc, |tx| drop(tx.put_object(ROOT, "visits", ObjType::Map).unwrap()));
    let scalar_over_container = tampered(&doc, |tx| tx.put(ROOT, "tags", "none").unwrap());
    for bytes in [over_id, over_kind, without_kind, over_container, scalar_over_container] {
        assert_eq!(Document::load(DocKind::Household, ID, &bytes).unwrap_err(), foreign);
    }
    let elsewhere = tampered(&doc, |tx| tx.put(ROOT, "remark", "x").unwrap());
    assert!(Document::load(DocKind::Household, ID, &elsewhere).is_ok());
}

#[test]
fn a_document_with_changes_that_wait_for_others_does_not_load() {
    let doc = household();
    let mut elsewhere = doc.clone();
    edit(&mut elsewhere, 1, &[Write::set("remark", "first")]);
    let second = edit(&mut elsewhere, 1, &[Write::set("remark", "second")]);
    let bytes = [doc.save(), second.bytes().to_vec()].concat();
    assert_eq!(Document::load(DocKind::Household, ID, &bytes).unwrap_err(), DocumentError::Unloadable { id: ID });
}

#[test]
fn a_change_whose_dependencies_are_missing_is_not_applied() {
    let doc = household();
    let mut elsewhere = doc.clone();
    edit(&mut elsewhere, 1, &[Write::set("remark", "first")]);
    let second = edit(&mut elsewhere, 1, &[Write::set("remark", "second")]);
    assert_eq!(doc.clone().apply([&second]).unwrap_err(), DocumentError::NotApplied { id: ID });
}

#[test]
fn applying_again_changes_nothing() {
    let mut doc = household();
    let mut elsewhere = doc.clone();
    let change = edit(&mut elsewhere, 3, &[Write::set("remark", "x")]);
    doc.apply([&change, &change]).unwrap();
    let (digest, count) = (doc.digest(), doc.change_count());
    doc.apply([&change]).unwrap();
    assert_eq!((doc.digest(), doc.change_count()), (digest, count));
    assert_eq!(doc.digest(), elsewhere.digest());
}

#[test]
fn what_is_there_already_is_not_written_again() {
    let mut doc = household();
    let digest = doc.digest();
    let mut again = visit(20);
    again.push(Write::set("door", "3-2-501"));
    assert!(doc.edit(actor(3), Hlc::default(), &again).unwrap().is_none());
    assert_eq!(doc.digest(), digest);
    assert!(!doc.knows(actor(3)));
    edit(&mut doc, 3, &[Write::set("door", "3-2-502")]);
    assert!(doc.knows(actor(3)));
}

#[test]
fn an_edit_that_fails_leaves_the_document_as_it_was() {
    let mut doc = empty(DocKind::Party);
    let before = doc.save();
    let note =
        note_write(&Note { id: NoteId::from_bytes([1; 16]), by: PersonId::from_bytes([1; 16]), at: NOON, text: Personal::default() });
    let missing = DocumentError::NoContainer { kind: DocKind::Party, container: Container::Visits };
    let writes: Vec<Write> = [note.clone()].into_iter().chain(visit(20)).collect();
    assert_eq!(doc.edit(actor(1), Hlc::default(), &writes).unwrap_err(), missing);
    let forbidden = [note, Write::set("kind", "case")];
    assert!(matches!(doc.edit(actor(1), Hlc::default(), &forbidden), Err(DocumentError::Malformed(Malformed::BadKey { .. }))));
    assert_eq!(doc.save(), before);
}

#[test]
fn the_digest_sees_values_types_losers_and_who_wrote() {
    let base = household();
    let after = |who: u8, value: Scalar| {
        let mut doc = base.clone();
        edit(&mut doc, who, &[Write::Set(Slot::Root("remark".into()), value)]);
        doc
    };
    let conflicted = |mine: i64, other: i64| {
        let mut doc = after(3, mine.into());
        let mut elsewhere = base.clone();
        doc.apply([&edit(&mut elsewhere, 4, &[Write::set("remark", other)])]).unwrap();
        doc
    };
    let different = [
        base.clone(),
        after(3, 5.into()),
        after(4, 5.into()),
        after(3, "5".into()),
        after(3, Scalar::Bytes(b"5".to_vec())),
        after(3, true.into()),
        after(3, Scalar::Null),
        conflicted(5, 6),
        conflicted(7, 6),
    ];
    let mut digests: Vec<[u8; 32]> = different.iter().map(Document::digest).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), different.len());
}

/// A map that another hides is part of the state: otherwise replicas that hide different ones would count as equal.
#[test]
fn the_digest_sees_into_hidden_maps() {
    let hidden = |text: &str| {
        let mut doc = empty(DocKind::Party);
        let start = doc.clone();
        let make = |who: u8, text: &str| {
            let mut elsewhere = start.clone();
            edit(&mut elsewhere, who, &[Write::Add(Container::Notes, key(1), vec![("text".into(), text.into())])])
        };
        doc.apply([&make(1, text), &make(2, "shown")]).unwrap(); // unchecked: the second is refused where anybody looks
        assert_eq!(doc.entries(Container::Notes)[0].1.text("text"), Some("shown".into()));
        doc
    };
    assert_ne!(hidden("this").digest(), hidden("that").digest());
    assert_eq!(hidden("this").digest(), hidden("this").digest());
}

/// The reload check is the last fence: what got past the others does not get past it.
#[test]
fn a_document_that_would_not_load_again_is_noticed() {
    let mut doc = household();
    let forged = automerge::Change::from(automerge::ExpandedChange {
        operations: vec![Op {
            action: OpType::Put("x".into()),
            obj: ObjectId::Root,
            key: Key::Map("remark".into()),
            pred: SortedVec::new(),
            insert: false,
        }],
        actor_id: actor(9).to_id(),
        hash: None,
        seq: 2, // without a first
        start_op: 900.try_into().unwrap(),
        time: 0,
        message: None,
        deps: doc.doc.get_heads(),
        extra_bytes: Vec::new(),
        author: None,
    });
    let change = Change::parse(forged.raw_bytes()).unwrap();
    assert!(wellformed::check(&doc, &change).is_err());
    let outcome = doc.apply([&change]).and_then(|()| doc.saved_and_reloaded());
    assert!(matches!(outcome, Err(DocumentError::NotApplied { .. } | DocumentError::NotReloadable { .. })), "{outcome:?}");
}

#[test]
fn the_reload_check_compares_what_was_written_since_the_last_one() {
    let mut phone = household();
    let hub = phone.saved_and_reloaded().unwrap().document;
    assert_eq!(hub.written(), &Written::nowhere());
    let change = edit(&mut phone, 2, &visit(21));
    let operations = wellformed::check(&hub, &change).unwrap();
    let mut scratch = hub.clone();
    scratch.apply_checked(&change, &operations).unwrap();
    let entry = Object::Entry(Container::Visits, key(21));
    assert_eq!(scratch.written(), &Written::In([Object::Container(Container::Visits), entry].into()));
    let reloaded = scratch.saved_and_reloaded().unwrap();
    assert_eq!((reloaded.document.digest(), reloaded.document.written()), (scratch.digest(), &Written::nowhere()));
    assert_eq!(reloaded.bytes, reloaded.document.save());

    let mut unchecked = hub;
    unchecked.apply([&change]).unwrap();
    assert_eq!(unchecked.written(), &Written::Anywhere);
    unchecked.apply_checked(&change, &operations).unwrap();
    assert_eq!(unchecked.written(), &Written::Anywhere, "what nobody kept count of is not forgotten");
}

#[test]
fn two_states_differ_in_the_maps_in_which_they_do_and_in_no_others() {
    let one = household();
    let mut other = one.clone();
    edit(&mut other, 2, &visit(21));
    let (visits, notes) = (one.container(Container::Visits).unwrap(), one.container(Container::Notes).unwrap());
    assert!(!digest::is_same_at(&one.doc, &other.doc, &visits) && !digest::is_same_at(&other.doc, &one.doc, &visits));
    assert!(digest::is_same_at(&one.doc, &other.doc, &notes) && digest::is_same_at(&one.doc, &other.doc, &ROOT));
    edit(&mut other, 2, &[Write::set("door", "3-2-502")]);
    assert!(!digest::is_same_at(&one.doc, &other.doc, &ROOT));
    // The value that is shown is the same, one that it hides is not.
    let (mut hiding, mut showing) = (one.clone(), one.clone());
    let hidden = edit(&mut hiding, 3, &[Write::set("remark", Scalar::Null)]);
    let shown = edit(&mut showing, 4, &[Write::set("remark", Scalar::Null)]);
    hiding.apply([&shown]).unwrap();
    assert!(hiding.contains(&hidden.hash()) && !digest::is_same_at(&hiding.doc, &showing.doc, &ROOT));
}

#[test]
fn what_is_personal_is_sealed_in_the_document_and_locked_to_who_has_not_the_key() {
    let mut doc = empty(DocKind::Household);
    let details =
        HouseholdDetails { door: Some("3-2-501".into()), contact: Some(Personal::new("王秀英".into())), ..HouseholdDetails::default() };
    edit(&mut doc, 1, &household_writes(&details));
    let mut draft = VisitDraft::routine(VisitSubject::Household(ID.into()));
    draft.findings = Personal::new("灯坏了".into());
    edit(&mut doc, 1, &crate::docs::visit_writes(VisitId::from_bytes([20; 16]), PersonId::from_bytes([1; 16]), NOON, &draft));
    let bytes = doc.save();
    for words in ["王秀英", "灯坏了"] {
        assert!(!bytes.windows(words.len()).any(|window| window == words.as_bytes()), "{words} is not in the saved bytes");
    }
    let read = Household::read(&doc);
    assert_eq!((read.details, read.visits[0].findings.reveal().as_str(), read.lock), (details, "灯坏了", Lock::Open));

    let locked = Household::read(&doc.clone().with_keys(Keyring::default()));
    assert_eq!((locked.details.door.as_deref(), locked.details.contact, locked.lock), (Some("3-2-501"), None, Lock::Locked));
    let erased = Household::read(&doc.clone().with_keys(Keyring::erased()));
    let noted = Note { id: NoteId::from_bytes([9; 16]), by: PersonId::from_bytes([1; 16]), at: NOON, text: Personal::new("有狗".into()) };
    edit(&mut doc, 1, &[note_write(&noted)]);
    let notes = doc.clone().with_keys(Keyring::default()).notes();
    assert_eq!(notes, [Note { text: Personal::default(), ..noted }], "what is locked is there");
    assert_eq!((erased.visits.len(), erased.visits[0].findings.reveal().as_str(), erased.lock), (1, "", Lock::Erased));
    let contact = [Write::set("contact", "李四")];
    let refused = doc.clone().with_keys(Keyring::default()).edit(actor(2), Hlc::new(NOON, 9), &contact);
    assert!(matches!(refused, Err(DocumentError::Locked { id: ID })));
}
