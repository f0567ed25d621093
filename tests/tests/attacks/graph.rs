//! What is wrong with a change's place in the graph: what it builds on, its sequence number, the document that it is for.

use automerge::ExpandedChange;
use automerge::legacy::ObjectId;
use doorstep_core::docs::wellformed::{self, MOST_HEADS, MOST_OP_COUNTER, Malformed};
use doorstep_core::docs::{Change, DocKind, Document, Write};
use doorstep_core::model::{DocId, Hlc, Millis};
use doorstep_tests::forge::{Forger, actor, bytes_of, put_new};
use doorstep_tests::handmade::keyed;

use crate::scene::{Fault, MALLORY, NOON, STRANGER, Scene, attacks, edit, id};

fn with_frame(scene: &Scene, forge: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
    let forger = scene.mallory();
    let mut change = forger.change([forger.put("note", "x")]);
    forge(&mut change);
    bytes_of(change)
}

fn unknown(byte: u8) -> automerge::ChangeHash {
    automerge::ChangeHash([byte; 32])
}

attacks! {
    a_change_builds_on_something: case, |scene| with_frame(scene, |change| change.deps.clear()) => Fault::Malformed(Malformed::NoGenesis),
    a_new_authors_change_builds_on_something: case, |scene| {
        let forger = scene.stranger();
        bytes_of(ExpandedChange { deps: Vec::new(), start_op: 1.try_into().unwrap(), ..forger.change([put_new(ObjectId::Root, "note", "x")]) })
    } => Fault::Malformed(Malformed::NoGenesis),
    unknown_dependencies_are_counted: case, |scene| with_frame(scene, |change| {
        change.deps.extend([unknown(1), unknown(2)]);
    }) => Fault::Malformed(Malformed::MissingDependencies { missing: 2 }),
    a_change_does_not_build_on_itself: case, |scene| {
        // Its hash covers what it builds on, so the nearest that anybody can come is the hash that it had before.
        let before = bytes_of(scene.mallory().change([scene.mallory().put("note", "x")]));
        with_frame(scene, |change| change.deps.push(automerge::ChangeHash(doorstep_core::docs::hash_of(&before).0)))
    } => Fault::Malformed(Malformed::MissingDependencies { missing: 1 }),
    a_sequence_number_is_used_once: case, |scene| with_frame(scene, |change| change.seq = 1)
        => Fault::Malformed(Malformed::Sequence { expected: 2, found: 1 }),
    a_sequence_number_of_zero_is_refused: case, |scene| with_frame(scene, |change| change.seq = 0)
        => Fault::Malformed(Malformed::Sequence { expected: 2, found: 0 }),
    no_sequence_number_is_left_out: case, |scene| with_frame(scene, |change| change.seq = 3)
        => Fault::Malformed(Malformed::Sequence { expected: 2, found: 3 }),
    the_greatest_sequence_number_is_refused: case, |scene| with_frame(scene, |change| change.seq = u64::MAX)
        => Fault::Malformed(Malformed::Sequence { .. }),
    a_change_without_operations_is_refused: case, |scene| with_frame(scene, |change| change.operations.clear())
        => Fault::Malformed(Malformed::Empty),
    a_change_for_another_document_is_refused: case, |_| {
        let elsewhere = keyed(Document::new(DocKind::Case, DocId::from_bytes(id(0xcb))).unwrap());
        let forger = Forger::new(&elsewhere, actor(MALLORY));
        bytes_of(forger.change([forger.put("note", "x")]))
    } => Fault::Malformed(Malformed::MissingDependencies { missing: 1 }),
    a_change_for_a_document_of_another_kind_is_refused: case, |scene| {
        let elsewhere = keyed(Document::new(DocKind::Household, scene.doc.id()).unwrap());
        let forger = Forger::new(&elsewhere, actor(MALLORY));
        bytes_of(forger.change([forger.put("note", "x")]))
    } => Fault::Malformed(Malformed::MissingDependencies { missing: 1 }),
    a_genesis_is_not_sent: case, |_| {
        let mut elsewhere = doorstep_core::docs::genesis(DocKind::Case, DocId::from_bytes(id(0xcb))).unwrap();
        elsewhere.set_actor(automerge::ActorId::from(doorstep_core::docs::GENESIS_ACTOR));
        elsewhere.get_last_local_change().unwrap().raw_bytes().to_vec()
    } => Fault::Unparsable(doorstep_core::docs::Unparsable::Actor),
}

#[test]
fn a_dependency_that_another_one_implies_does_no_harm() {
    // Honest authors name their own previous change so; anybody may.
    let scene = Scene::case();
    let forger = scene.stranger();
    let mut change = forger.change([forger.put("note", "x")]);
    change.deps.extend(scene.mallory().frame().deps);
    change.deps.sort_unstable();
    change.deps.dedup();
    assert!(change.deps.len() > forger.frame().deps.len());
    scene.takes(&bytes_of(change));
}

#[test]
fn the_last_operation_counters_are_not_given_away() {
    let mut scene = Scene::case();
    let forger = scene.mallory();
    let mut leap = forger.change([forger.put("note", "x")]);
    leap.start_op = (MOST_OP_COUNTER - 2).try_into().unwrap();
    scene.doc.apply([&Change::parse(&bytes_of(leap)).unwrap()]).unwrap(); // unchecked, to get there
    let forger = scene.mallory();
    scene.takes(&bytes_of(forger.change([forger.put("note", "y")])));
    let two = bytes_of(forger.change([forger.put("note", "y"), forger.put("status", "y")]));
    assert_eq!(scene.fault(&two), Fault::Malformed(Malformed::StartOp { expected: MOST_OP_COUNTER - 1, found: MOST_OP_COUNTER - 1 }));
}

#[test]
fn nobody_closes_a_document_by_leaving_many_heads() {
    let mut doc = keyed(Document::new(DocKind::Household, DocId::from_bytes(id(5))).unwrap());
    let start = doc.clone();
    let concurrent = |byte: u8| {
        let mut replica = start.clone();
        replica.edit(actor(byte), Hlc::new(Millis(NOON), 0), &[Write::set("remark", format!("{byte}").as_str())]).unwrap().unwrap()
    };
    for byte in 0..MOST_HEADS as u8 {
        let change = concurrent(byte);
        wellformed::check(&doc, &change).unwrap();
        doc.apply([&change]).unwrap();
    }
    let refused = concurrent(200);
    assert_eq!(wellformed::check(&doc, &refused), Err(Malformed::TooManyHeads));

    // Honest writes name all the heads, and after the first there is room again.
    let mut replica = doc.clone();
    let settled = edit(&mut replica, STRANGER, 1, &[Write::set("remark", "settled")]);
    let received = Change::parse(settled.bytes()).unwrap();
    wellformed::check(&doc, &received).unwrap();
    doc.apply([&received]).unwrap();
    assert_eq!(doc.heads(), [settled.hash()]);
    wellformed::check(&doc, &refused).unwrap();
    doc.saved_and_reloaded().unwrap();
}
