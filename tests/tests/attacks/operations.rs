//! What is wrong with the operations themselves: kinds, keys, values, objects that a change may not write into.

use automerge::legacy::{MarkData, ObjectId, Op, OpType};
use automerge::{ObjType, ScalarValue};
use doorstep_core::docs::layout::{Container, MOST_KEY_BYTES, MOST_VALUE_BYTES, Path};
use doorstep_core::docs::wellformed::{self, Action, Malformed};
use doorstep_core::docs::{Change, DocumentError, Scalar, Slot, Unparsable, Write};
use doorstep_core::model::{EventKind, Hlc};
use doorstep_tests::forge::{Forger, actor, bytes_of, make_map, op, put_new};

use crate::scene::{CENTRE, Fault, MALLORY, STRANGER, Scene, attacks, edit, event, key, visit};

fn one(scene: &Scene, forge: impl FnOnce(&Forger) -> Op) -> Vec<u8> {
    let forger = scene.mallory();
    bytes_of(forger.change([forge(&forger)]))
}

/// A put of a value at a key where nothing stands.
fn value(scene: &Scene, value: ScalarValue) -> Vec<u8> {
    one(scene, |_| put_new(ObjectId::Root, "fresh", value))
}

/// An honest new entry with one field, and what else `more` writes into it.
fn entry(scene: &Scene, container: Container, entry: &str, more: impl FnOnce(&ObjectId, &Forger) -> Vec<Op>) -> Vec<u8> {
    let forger = scene.mallory();
    let object = ObjectId::Id(forger.own(forger.next_counter()));
    let mut operations = vec![make_map(forger.container(container), entry), put_new(object.clone(), "at", 5)];
    operations.extend(more(&object, &forger));
    bytes_of(forger.change(operations))
}

attacks! {
    a_list_is_not_made: case, |scene| one(scene, |_| op(ObjectId::Root, "fresh", OpType::Make(ObjType::List), []))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_text_is_not_made: case, |scene| one(scene, |_| op(ObjectId::Root, "fresh", OpType::Make(ObjType::Text), []))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_table_is_not_made: case, |scene| one(scene, |_| op(ObjectId::Root, "fresh", OpType::Make(ObjType::Table), []))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_map_is_not_made_at_the_root: case, |scene| one(scene, |_| make_map(ObjectId::Root, "fresh"))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_map_is_not_made_among_registers: household,
        |scene| one(scene, |forger| make_map(forger.container(Container::Tags), "fresh"))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_list_is_not_made_as_an_entry: case,
        |scene| one(scene, |forger| op(forger.container(Container::Events), &key(50), OpType::Make(ObjType::List), []))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_table_is_not_made_as_an_entry: case,
        |scene| one(scene, |forger| op(forger.container(Container::Events), &key(50), OpType::Make(ObjType::Table), []))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_scalar_is_not_put_as_an_entry: case,
        |scene| one(scene, |forger| put_new(forger.container(Container::Events), &key(50), "x"))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    an_entry_holds_no_maps: case,
        |scene| entry(scene, Container::Events, &key(50), |object, _| vec![make_map(object.clone(), "more")])
        => Fault::Malformed(Malformed::Forbidden { index: 2 }),
    an_insertion_is_refused: case, |scene| one(scene, |forger| Op { insert: true, ..forger.put("note", "x") })
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_mark_is_refused: case, |scene| one(scene, |_| {
        op(ObjectId::Root, "fresh", OpType::MarkBegin(MarkData { name: "bold".into(), value: ScalarValue::Boolean(true), expand: true }), [])
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    the_end_of_a_mark_is_refused: case, |scene| one(scene, |_| op(ObjectId::Root, "fresh", OpType::MarkEnd(false), []))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_counter_is_refused: case, |scene| value(scene, ScalarValue::counter(5)) => Fault::Malformed(Malformed::BadValue { index: 0 }),
    an_increment_of_a_number_is_refused: case,
        |scene| one(scene, |forger| op(ObjectId::Root, "note", OpType::Increment(1), forger.at_root("note")))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_floating_number_is_refused: case, |scene| value(scene, ScalarValue::F64(0.5)) => Fault::Malformed(Malformed::BadValue { index: 0 }),
    what_is_not_a_number_is_refused: case, |scene| value(scene, ScalarValue::F64(f64::NAN))
        => Fault::Malformed(Malformed::BadValue { index: 0 }),
    an_unsigned_number_is_refused: case, |scene| value(scene, ScalarValue::Uint(5)) => Fault::Malformed(Malformed::BadValue { index: 0 }),
    a_timestamp_is_refused: case, |scene| value(scene, ScalarValue::Timestamp(5)) => Fault::Malformed(Malformed::BadValue { index: 0 }),
    a_value_of_a_type_to_come_is_refused: case,
        |scene| value(scene, ScalarValue::Unknown { type_code: 12, bytes: vec![1, 2, 3] })
        => Fault::Malformed(Malformed::BadValue { index: 0 }),
    a_text_that_is_too_long_is_refused: case,
        |scene| value(scene, ScalarValue::Str("x".repeat(MOST_VALUE_BYTES + 1).into()))
        => Fault::Malformed(Malformed::BadValue { index: 0 }),
    bytes_that_are_too_long_are_refused: case, |scene| value(scene, ScalarValue::Bytes(vec![0; MOST_VALUE_BYTES + 1]))
        => Fault::Malformed(Malformed::BadValue { index: 0 }),
    the_only_value_is_not_deleted: case,
        |scene| one(scene, |forger| op(ObjectId::Root, "note", OpType::Delete, forger.at_root("note")))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_conflict_is_not_deleted_whole: case,
        |scene| one(scene, |forger| op(ObjectId::Root, "remark", OpType::Delete, forger.at_root("remark")))
        => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    the_value_that_is_shown_is_not_deleted: case,
        |scene| one(scene, |forger| op(ObjectId::Root, "remark", OpType::Delete, forger.at_root("remark").pop()))
        => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    a_value_that_this_change_put_is_not_deleted: case, |scene| {
        let forger = scene.mallory();
        let put = forger.put("remark", "x");
        bytes_of(forger.change([put, op(ObjectId::Root, "remark", OpType::Delete, [forger.own(forger.next_counter())])]))
    } => Fault::Malformed(Malformed::Forbidden { index: 1 }),
    an_absent_value_is_not_deleted: case, |scene| one(scene, |_| op(ObjectId::Root, "fresh", OpType::Delete, []))
        => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    an_entry_is_not_deleted: case, |scene| one(scene, |forger| {
        op(forger.container(Container::Events), &key(11), OpType::Delete, forger.in_container(Container::Events, &key(11)))
    }) => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_container_is_not_deleted: case,
        |scene| one(scene, |forger| op(ObjectId::Root, "events", OpType::Delete, forger.at_root("events")))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_container_is_not_overwritten: case, |scene| one(scene, |forger| forger.put("events", "gone"))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_container_is_not_made_again: household,
        |scene| one(scene, |forger| op(ObjectId::Root, "visits", OpType::Make(ObjType::Map), forger.at_root("visits")))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    the_id_is_not_written: case, |scene| one(scene, |forger| forger.put("id", ScalarValue::Bytes(vec![1; 16])))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    the_kind_is_not_written: household, |scene| one(scene, |forger| forger.put("kind", "place"))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    an_empty_key_is_refused: case, |scene| one(scene, |_| put_new(ObjectId::Root, "", "x"))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_key_that_is_too_long_is_refused: case,
        |scene| one(scene, |_| put_new(ObjectId::Root, &"k".repeat(MOST_KEY_BYTES + 1), "x"))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_key_with_control_characters_is_refused: case, |scene| one(scene, |_| put_new(ObjectId::Root, "status\u{0}", "x"))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_tag_that_is_too_long_is_refused: household,
        |scene| one(scene, |forger| put_new(forger.container(Container::Tags), &"k".repeat(MOST_KEY_BYTES + 1), true))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_tag_in_a_second_spelling_is_refused: household,
        |scene| one(scene, |forger| put_new(forger.container(Container::Tags), " 独居", true))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_field_with_an_empty_name_is_refused: case,
        |scene| entry(scene, Container::Events, &key(50), |object, _| vec![put_new(object.clone(), "", "x")])
        => Fault::Malformed(Malformed::BadKey { index: 2 }),
    an_event_that_is_there_in_a_second_spelling_is_refused: case,
        |scene| entry(scene, Container::Events, &key(0x0a).to_uppercase(), |_, _| vec![])
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_visit_that_is_there_without_hyphens_is_refused: household,
        |scene| entry(scene, Container::Visits, &key(10).replace('-', ""), |_, _| vec![])
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_visit_that_is_there_with_a_space_is_refused: household,
        |scene| entry(scene, Container::Visits, &format!("{} ", key(10)), |_, _| vec![])
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_member_in_a_second_spelling_is_refused: household,
        |scene| one(scene, |forger| put_new(forger.container(Container::Members), &format!("{{{}}}", key(0x77)), true))
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    an_attachment_that_is_there_in_capitals_is_refused: household,
        |scene| entry(scene, Container::Attachments, &"AA".repeat(32), |_, _| vec![])
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    an_attachment_under_half_a_hash_is_refused: case,
        |scene| entry(scene, Container::Attachments, &"ab".repeat(16), |_, _| vec![])
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    an_event_under_no_id_is_refused: case, |scene| entry(scene, Container::Events, "mine", |_, _| vec![])
        => Fault::Malformed(Malformed::BadKey { index: 0 }),
    a_past_event_is_not_edited: case, |scene| one(scene, |forger| {
        let kind = forger.in_entry(Container::Events, &key(11), "kind");
        op(forger.entry(Container::Events, &key(11)), "kind", OpType::Put("closed".into()), kind)
    }) => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    a_past_visit_is_not_edited: household, |scene| one(scene, |forger| {
        let findings = forger.in_entry(Container::Visits, &key(10), "findings");
        op(forger.entry(Container::Visits, &key(10)), "findings", OpType::Put("nothing at all".into()), findings)
    }) => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    nothing_is_added_to_a_past_visit: household,
        |scene| one(scene, |forger| put_new(forger.entry(Container::Visits, &key(10)), "fresh", "x"))
        => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    nothing_is_added_to_an_own_past_event: case,
        |scene| one(scene, |forger| put_new(forger.entry(Container::Events, &key(12)), "fresh", "x"))
        => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    a_field_is_written_once: case,
        |scene| entry(scene, Container::Events, &key(50), |object, _| vec![put_new(object.clone(), "at", 6)])
        => Fault::Malformed(Malformed::AlreadyThere { path: Path::Field(..) }),
    a_field_is_not_written_again_over_itself: case, |scene| entry(scene, Container::Events, &key(50), |object, forger| {
        vec![op(object.clone(), "at", OpType::Put(6.into()), [forger.own(forger.next_counter() + 1)])]
    }) => Fault::Malformed(Malformed::AlreadyThere { path: Path::Field(..) }),
    a_field_is_not_deleted: case, |scene| entry(scene, Container::Events, &key(50), |object, forger| {
        vec![op(object.clone(), "at", OpType::Delete, [forger.own(forger.next_counter() + 1)])]
    }) => Fault::Malformed(Malformed::Forbidden { index: 2 }),
    an_entry_is_not_made_twice_in_one_change: case, |scene| entry(scene, Container::Events, &key(50), |_, forger| {
        vec![make_map(forger.container(Container::Events), &key(50))]
    }) => Fault::Malformed(Malformed::AlreadyThere { path: Path::Entry(..) }),
    an_entry_is_not_made_over_itself: case, |scene| entry(scene, Container::Events, &key(50), |_, forger| {
        vec![op(forger.container(Container::Events), &key(50), OpType::Make(ObjType::Map), [forger.own(forger.next_counter())])]
    }) => Fault::Malformed(Malformed::AlreadyThere { path: Path::Entry(..) }),
    an_entry_that_is_there_is_not_made_beside: case,
        |scene| one(scene, |forger| make_map(forger.container(Container::Events), &key(11)))
        => Fault::Malformed(Malformed::AlreadyThere { path: Path::Entry(..) }),
    an_entry_that_is_there_is_not_replaced: case, |scene| one(scene, |forger| {
        let there = forger.in_container(Container::Events, &key(11));
        op(forger.container(Container::Events), &key(11), OpType::Make(ObjType::Map), there)
    }) => Fault::Malformed(Malformed::AlreadyThere { path: Path::Entry(..) }),
    an_entry_that_is_yet_to_be_made_is_not_written_into: case, |scene| {
        let forger = scene.mallory();
        let object = ObjectId::Id(forger.own(forger.next_counter() + 1));
        bytes_of(forger.change([put_new(object, "at", 5), make_map(forger.container(Container::Events), &key(50))]))
    } => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    an_object_of_somebody_else_under_the_same_counter_is_not_ones_own: case, |scene| {
        let forger = scene.mallory();
        let twin = Forger::new(&scene.doc, actor(STRANGER));
        let object = ObjectId::Id(twin.own(forger.next_counter()));
        bytes_of(forger.change([make_map(forger.container(Container::Events), &key(50)), put_new(object, "at", 5)]))
    } => Fault::Malformed(Malformed::ForeignObject { index: 1 }),
    a_container_of_another_kind_is_not_there: case, |scene| {
        let forger = scene.mallory();
        let ObjectId::Id(events) = forger.container(Container::Events) else { unreachable!() };
        let beyond = ObjectId::Id(automerge::legacy::OpId::new(events.counter() + 2, events.actor()));
        bytes_of(forger.change([make_map(beyond, &key(50))]))
    } => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    the_id_of_the_genesis_is_no_object: case,
        |scene| one(scene, |forger| put_new(ObjectId::Id(forger.at_root("id").pop().unwrap()), "x", "x"))
        => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    too_many_operations_are_refused: case, |scene| {
        let forger = scene.mallory();
        bytes_of(forger.change((0..513).map(|n| put_new(ObjectId::Root, &format!("x{n}"), 1))))
    } => Fault::Unparsable(Unparsable::Chunk(_)),
}

#[test]
fn an_event_that_another_made_meanwhile_is_not_made_again() {
    let mut scene = Scene::case();
    let mut replica = scene.doc.clone();
    edit(&mut scene.doc, CENTRE, 5, &[event(40, EventKind::Registered, CENTRE)]);
    let mine = edit(&mut replica, MALLORY, 5, &[event(40, EventKind::Noted, MALLORY)]);
    let fault = scene.fault(mine.bytes());
    assert!(matches!(fault, Fault::Malformed(Malformed::AlreadyThere { path: Path::Entry(..) })), "{fault:?}");
    scene.is_sound();
}

#[test]
fn the_shown_value_put_again_takes_the_losers_away_and_can_be_followed_by_another() {
    let scene = Scene::household();
    let mut doc = scene.doc.clone();
    let shown = doc.conflicts()[0].candidates.last().unwrap().value.clone();
    let again = Write::Set(Slot::Root("remark".into()), shown);
    let settled = edit(&mut doc, STRANGER, 9, &[again.clone(), Write::set("remark", "both"), Write::set("remark", "at last")]);
    let operations = wellformed::check(&scene.doc, &settled).unwrap();
    let remark = |action| wellformed::Operation { path: Path::Root("remark".into()), action };
    let sealed = |text: &str| doc.keys().seal(doc.kind(), doc.id(), &Path::Root("remark".into()), &Scalar::from(text)).unwrap();
    let put = |text: &str| remark(Action::Put(sealed(text)));
    assert_eq!(operations, [remark(Action::SettleConflict), put("both"), put("at last")]);
    assert!(doc.conflicts().is_empty());
    doc.saved_and_reloaded().unwrap();
}

#[test]
fn a_text_that_just_fits_is_taken() {
    let scene = Scene::case();
    scene.takes(&value(&scene, ScalarValue::Str("x".repeat(MOST_VALUE_BYTES).into())));
    scene.takes(&one(&scene, |_| put_new(ObjectId::Root, &"k".repeat(MOST_KEY_BYTES), "x")));
    let forger = scene.mallory();
    scene.takes(&bytes_of(forger.change((0..512).map(|n| put_new(ObjectId::Root, &format!("x{n}"), 1)))));
}

#[test]
fn what_others_would_refuse_is_not_even_written() {
    let mut scene = Scene::household();
    let before = scene.doc.digest();
    let slot = |container, key: &str| Write::Set(Slot::In(container, key.into()), Scalar::Bool(true));
    let refused = [
        Write::set("id", "x"),
        Write::set("kind", "place"),
        Write::set("visits", "x"),
        Write::set("", "x"),
        Write::set("remark", "x".repeat(MOST_VALUE_BYTES + 1).as_str()),
        slot(Container::Visits, &key(50)),
        slot(Container::Members, "somebody"),
        Write::Add(Container::Tags, "独居".into(), vec![]),
        Write::Add(Container::Tags, "新".into(), vec![]),
        Write::Add(Container::Notes, "mine".into(), vec![]),
        Write::Add(Container::Notes, key(50), vec![("at".into(), 1.into()), ("at".into(), 2.into())]),
    ];
    for write in refused {
        let outcome = scene.doc.edit(actor(MALLORY), Hlc::default(), std::slice::from_ref(&write));
        assert!(matches!(outcome, Err(DocumentError::Malformed(_)) | Ok(None)), "{write:?}: {outcome:?}");
        assert_eq!(scene.doc.digest(), before, "{write:?}");
    }
    let many: Vec<Write> = (0..513).map(|n| Write::set(&format!("x{n}"), n)).collect();
    assert!(matches!(scene.doc.edit(actor(MALLORY), Hlc::default(), &many), Err(DocumentError::Unparsable(_))));
    let long: Vec<Write> = (0..5).map(|n| Write::set(&format!("x{n}"), "x".repeat(8_000).as_str())).collect();
    assert!(matches!(scene.doc.edit(actor(MALLORY), Hlc::default(), &long), Err(DocumentError::Unparsable(_))));
    assert_eq!(scene.doc.digest(), before);
    scene.is_sound();
}

#[test]
fn every_operation_is_reported_with_its_path() {
    let mut scene = Scene::household();
    let before = scene.doc.clone();
    let mut writes = visit(50, MALLORY);
    writes.extend([Write::set("status", "x"), crate::scene::tag("新", true)]);
    let change = Change::parse(edit(&mut scene.doc, MALLORY, 9, &writes).bytes()).unwrap();
    let paths: Vec<String> = wellformed::check(&before, &change).unwrap().iter().map(|operation| operation.path.to_string()).collect();
    let visit = format!("visits/{}", key(50));
    assert_eq!(paths[0], visit);
    for field in ["by", "at", "purpose", "outcome", "findings", "companion.0", "companion.1"] {
        assert!(paths.contains(&format!("{visit}/{field}")), "{field} of {paths:?}");
    }
    assert_eq!(paths[paths.len() - 2..], ["status", "tags/新"]);
    assert_eq!(paths.len(), 10);
}
