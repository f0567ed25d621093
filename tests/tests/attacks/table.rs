//! The table of what automerge 0.12.0 does not check: for each row the forged change, the refusal, and proof that it does harm when nobody
//! looks.

use automerge::legacy::{ElementId, Key, ObjectId, OpId, OpType};
use automerge::{ExpandedChange, ScalarValue};
use doorstep_core::docs::layout::Container;
use doorstep_core::docs::wellformed::Malformed;
use doorstep_core::docs::{Document, Unparsable};
use doorstep_core::model::EventKind;
use doorstep_tests::forge::{Chunk, Forger, actor, actor_id, bytes_of, make_map, op, put_new};

use crate::scene::{CENTRE, Fault, Harm, MALLORY, Scene, attacks, edit, event, key};

const HARMS: &[Harm] = &[Harm::Panics, Harm::DoesNotReload, Harm::LaterWritesPanic, Harm::StatusChanged];

fn first_start_op_again(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut change = forger.change([forger.put("status", "closed")]);
    change.start_op = 5.try_into().unwrap();
    bytes_of(change)
}

fn start_op_of_an_own_operation_again(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut change = forger.change([forger.put("status", "closed")]);
    change.start_op = forger.at_root("note")[0].counter().try_into().unwrap();
    bytes_of(change)
}

fn start_op_that_goes_back(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut change = forger.change([forger.put("status", "closed")]);
    change.start_op = (forger.next_counter() - 1).try_into().unwrap();
    bytes_of(change)
}

fn start_op_that_leaps(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut change = forger.change([forger.put("note", "x")]);
    change.start_op = (forger.next_counter() + 1).try_into().unwrap();
    bytes_of(change)
}

fn start_op_at_the_end_of_numbers(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut change = forger.change([forger.put("note", "x")]);
    change.start_op = u64::from(u32::MAX).try_into().unwrap();
    bytes_of(change)
}

fn pred_of_another_key(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut put = forger.put("note", "x");
    put.pred = forger.at_root("note").into_iter().chain(forger.at_root("status")).collect();
    bytes_of(forger.change([put]))
}

fn pred_of_another_object(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut put = forger.put("note", "x");
    put.pred = forger.at_root("note").into_iter().chain(forger.in_entry(Container::Events, &key(11), "kind")).collect();
    bytes_of(forger.change([put]))
}

fn delete_of_another_keys_operation(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    bytes_of(forger.change([op(ObjectId::Root, "note", OpType::Delete, forger.at_root("status"))]))
}

fn delete_of_another_keys_operation_at_a_conflict(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    bytes_of(forger.change([op(ObjectId::Root, "remark", OpType::Delete, forger.at_root("status"))]))
}

fn increment_of_an_operation_elsewhere(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    bytes_of(forger.change([op(ObjectId::Root, "note", OpType::Increment(1), forger.at_root("status"))]))
}

fn pred_of_an_operation_to_come(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut put = forger.put("note", "x");
    let next_of_the_centre = OpId::new(forger.next_counter(), &actor_id(actor(CENTRE)));
    put.pred = forger.at_root("note").into_iter().chain([next_of_the_centre]).collect();
    bytes_of(forger.change([put]))
}

fn second_change_that_forgets_the_first(scene: &Scene) -> Vec<u8> {
    // As if its author had seen the genesis only, and not even its own first change.
    let forger = scene.mallory();
    let genesis = Document::new(scene.doc.kind(), scene.doc.id()).unwrap();
    let blank = Forger::new(&genesis, actor(MALLORY));
    bytes_of(ExpandedChange { seq: forger.frame().seq, operations: vec![put_new(ObjectId::Root, "note", "x")], ..blank.frame() })
}

fn position_of_a_list_in_a_map(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut put = forger.put("note", "x");
    put.key = Key::Seq(ElementId::Head);
    bytes_of(forger.change([put]))
}

fn value_that_leaves_a_rival_standing(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let mut put = forger.put("remark", "x");
    put.pred = forger.at_root("remark").into_iter().skip(1).collect();
    bytes_of(forger.change([put]))
}

fn value_that_replaces_nothing(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    bytes_of(forger.change([put_new(ObjectId::Root, "status", "closed")]))
}

fn write_into_a_scalar_as_if_it_were_an_object(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let object = ObjectId::Id(forger.at_root("note").pop().unwrap());
    bytes_of(forger.change([put_new(object, "hidden", "x")]))
}

fn write_into_an_unknown_object(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    bytes_of(forger.change([put_new(ObjectId::Id(forger.own(1_000)), "x", "x")]))
}

fn write_into_an_unknown_object_of_the_genesis(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    let ObjectId::Id(container) = forger.container(scene.doc.kind().containers()[0]) else { unreachable!() };
    let object = ObjectId::Id(OpId::new(900, container.actor()));
    bytes_of(forger.change([put_new(object, "x", "x")]))
}

fn first_sequence_number_five(scene: &Scene) -> Vec<u8> {
    let forger = scene.stranger();
    let mut change = forger.change([forger.put("note", "x")]);
    change.seq = 5;
    bytes_of(change)
}

/// Mallory has not seen the event that she hides; the operations before hers make her map win.
fn map_over_an_event_that_she_has_not_seen(kind: EventKind) -> (Scene, Vec<u8>) {
    let mut scene = Scene::case();
    let forger = scene.mallory();
    let events = forger.container(Container::Events);
    let mut operations: Vec<_> = (0..20).map(|n| put_new(ObjectId::Root, &format!("x{n}"), 1)).collect();
    operations.push(make_map(events, &key(40)));
    let forged = bytes_of(forger.change(operations));
    edit(&mut scene.doc, CENTRE, 5, &[event(40, kind, CENTRE)]);
    (scene, forged)
}

attacks! {
    an_operation_counter_of_somebody_else_is_not_used_again: case, first_start_op_again
        => Fault::Malformed(Malformed::StartOp { found: 5, .. }),
    an_operation_counter_of_ones_own_is_not_used_again: case, start_op_of_an_own_operation_again
        => Fault::Malformed(Malformed::StartOp { .. }),
    operation_counters_do_not_go_back: household, start_op_that_goes_back => Fault::Malformed(Malformed::StartOp { .. }),
    operation_counters_do_not_leap: household, start_op_that_leaps => Fault::Malformed(Malformed::StartOp { .. }),
    an_operation_counter_near_the_end_is_refused: case, start_op_at_the_end_of_numbers
        => Fault::Malformed(Malformed::StartOp { found: 0xffff_ffff, .. }),
    a_put_does_not_replace_another_key: case, pred_of_another_key => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    a_put_does_not_replace_what_is_in_another_object: case, pred_of_another_object
        => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    a_delete_does_not_reach_another_key: case, delete_of_another_keys_operation => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_delete_at_a_conflict_does_not_reach_another_key: case, delete_of_another_keys_operation_at_a_conflict
        => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    an_increment_is_refused: case, increment_of_an_operation_elsewhere => Fault::Malformed(Malformed::Forbidden { index: 0 }),
    a_put_does_not_replace_what_is_yet_to_be_written: case, pred_of_an_operation_to_come
        => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    a_second_change_builds_on_the_first: case, second_change_that_forgets_the_first => Fault::Malformed(Malformed::ForgotItself),
    a_position_in_a_list_is_no_key: case, position_of_a_list_in_a_map => Fault::Unparsable(Unparsable::Chunk(_)),
    a_put_at_a_conflict_replaces_all_that_its_author_saw: household, value_that_leaves_a_rival_standing
        => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    a_put_that_replaces_nothing_is_refused_where_something_is: household, value_that_replaces_nothing
        => Fault::Malformed(Malformed::Predecessors { index: 0 }),
    a_scalar_is_no_object: household, write_into_a_scalar_as_if_it_were_an_object
        => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    an_unknown_object_is_refused: case, write_into_an_unknown_object => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    an_unknown_object_of_the_genesis_is_refused: household, write_into_an_unknown_object_of_the_genesis
        => Fault::Malformed(Malformed::ForeignObject { index: 0 }),
    a_first_change_has_sequence_number_one: case, first_sequence_number_five
        => Fault::Malformed(Malformed::Sequence { expected: 1, found: 5 }),
    extra_bytes_are_refused: case, |scene| {
        let forger = scene.mallory();
        bytes_of(ExpandedChange { extra_bytes: vec![7; 300], ..forger.change([forger.put("note", "x")]) })
    } => Fault::Unparsable(Unparsable::Chunk(_)),
    a_hundred_kilobytes_of_extra_bytes_are_refused: case, |scene| {
        let forger = scene.mallory();
        bytes_of(ExpandedChange { extra_bytes: vec![7; 100_000], ..forger.change([forger.put("note", "x")]) })
    } => Fault::Unparsable(Unparsable::TooLong { .. }),
}

#[test]
fn a_map_that_would_hide_another_ones_event_is_refused() {
    let (scene, forged) = map_over_an_event_that_she_has_not_seen(EventKind::Registered);
    let seen = scene.doc.events().len();
    let fault = scene.fault(&forged);
    assert!(matches!(fault, Fault::Malformed(Malformed::AlreadyThere { .. })), "{fault:?}");
    assert_eq!(scene.doc.events().len(), seen);
    scene.is_sound();
}

#[test]
fn the_parts_of_the_forgeries_are_honest_when_nothing_is_forged() {
    for scene in [Scene::case(), Scene::household()] {
        for forger in [scene.mallory(), scene.stranger()] {
            scene.takes(&bytes_of(forger.change([forger.put("note", "x"), forger.put("remark", "y")])));
        }
    }
    let scene = Scene::case();
    let forger = scene.mallory();
    let entry = ObjectId::Id(forger.own(forger.next_counter()));
    let made = make_map(forger.container(Container::Events), &key(50));
    scene.takes(&bytes_of(forger.change([made, put_new(entry.clone(), "kind", "noted"), put_new(entry, "at", ScalarValue::Int(5))])));
    let honest = bytes_of(forger.change([forger.put("note", "x")]));
    assert_eq!(Chunk::read(&honest).write(), honest);
}

/// The forgeries are what they claim to be: automerge alone takes them, and then something is broken.
#[test]
fn what_is_refused_does_harm_where_nobody_looks() {
    type Forgery = (&'static str, fn(&Scene) -> Vec<u8>);
    let forgeries: [Forgery; 13] = [
        ("a counter of somebody else", first_start_op_again),
        ("a counter of one's own", start_op_of_an_own_operation_again),
        ("counters that go back", start_op_that_goes_back),
        ("counters at the end", start_op_at_the_end_of_numbers),
        ("pred of another key", pred_of_another_key),
        ("pred of another object", pred_of_another_object),
        ("delete elsewhere", delete_of_another_keys_operation),
        ("increment elsewhere", increment_of_an_operation_elsewhere),
        ("pred that is to come", pred_of_an_operation_to_come),
        ("second that forgets the first", second_change_that_forgets_the_first),
        ("unknown object", write_into_an_unknown_object),
        ("first of five", first_sequence_number_five),
        ("put that replaces nothing", value_that_replaces_nothing),
    ];
    for (name, forge) in forgeries {
        let scene = Scene::case();
        let harm = scene.harm(&forge(&scene));
        println!("{name}: {harm:?}");
        assert!(HARMS.contains(&harm), "{name}: {harm:?}");
    }
}
