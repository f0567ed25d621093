//! Forged changes: right device, right signature, and operations that automerge alone would take.

use automerge::legacy::{ObjectId, OpId, OpType};
use automerge::{ExpandedChange, ScalarValue};
use doorstep_core::docs::layout::Container;
use doorstep_core::docs::{DocKind, Document, Write};
use doorstep_core::model::Clock as _;
use doorstep_server::system::SystemClock;
use doorstep_tests::forge::{Forger, bytes_of, make_map, op, put_new};
use doorstep_tests::handmade::{fresh_doc, group, pushed};

use super::Attack;

const KEY: &str = "019f0000-0000-7000-8000-000000000001";

pub const ATTACKS: &[Attack] = &[
    ("operation numbers of somebody else, used again", "change.start_op", |stage| {
        let forger = stage.forger(stage.door);
        let change = forger.change([forger.put("contact", "x")]);
        stage.forged(stage.door, ExpandedChange { start_op: 5.try_into().unwrap(), ..change })
    }),
    ("operation numbers that leap", "change.start_op", |stage| {
        let forger = stage.forger(stage.door);
        let change = forger.change([forger.put("contact", "x")]);
        stage.forged(stage.door, ExpandedChange { start_op: (forger.next_counter() + 1).try_into().unwrap(), ..change })
    }),
    ("operation numbers at the end of all numbers", "change.start_op", |stage| {
        let forger = stage.forger(stage.door);
        let change = forger.change([forger.put("contact", "x")]);
        stage.forged(stage.door, ExpandedChange { start_op: u64::from(u32::MAX).try_into().unwrap(), ..change })
    }),
    ("a put that also takes away another field", "change.predecessors", |stage| {
        let forger = stage.forger(stage.door);
        let mut put = forger.put("contact", "x");
        put.pred = forger.at_root("contact").into_iter().chain(forger.at_root("door")).collect();
        stage.forged(stage.door, forger.change([put]))
    }),
    ("a put that pretends that nothing was there", "change.predecessors", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([put_new(ObjectId::Root, "door", "x")]))
    }),
    ("a put that replaces what the server will write next", "change.predecessors", |stage| {
        let forger = stage.forger(stage.door);
        let mut put = forger.put("contact", "x");
        put.pred =
            forger.at_root("contact").into_iter().chain([OpId::new(forger.next_counter(), &automerge::ActorId::from([7; 16]))]).collect();
        stage.forged(stage.door, forger.change([put]))
    }),
    ("a delete that reaches another field", "change.forbidden_operation", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([op(ObjectId::Root, "contact", OpType::Delete, forger.at_root("door"))]))
    }),
    ("a counter", "change.forbidden_operation", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([op(ObjectId::Root, "contact", OpType::Increment(1), forger.at_root("door"))]))
    }),
    ("a write into an object that nobody made", "change.foreign_object", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([put_new(ObjectId::Id(forger.own(1_000_000)), "x", "x")]))
    }),
    ("a change that forgets its author's last", "change.forgot_itself", |stage| {
        let genesis = Document::new(DocKind::Household, stage.door).unwrap();
        let blank = Forger::new(&genesis, stage.mallory.actor());
        let seq = stage.forger(stage.door).frame().seq;
        stage.forged(stage.door, ExpandedChange { seq, operations: vec![put_new(ObjectId::Root, "x", "x")], ..blank.frame() })
    }),
    ("a sequence number used again for something else", "sync.actor_forked", |stage| {
        let forger = stage.forger(stage.door);
        let change = forger.change([forger.put("contact", "x")]);
        stage.forged(stage.door, ExpandedChange { seq: 1, ..change })
    }),
    ("a sequence number left out", "change.sequence", |stage| {
        let forger = stage.forger(stage.door);
        let change = forger.change([forger.put("contact", "x")]);
        stage.forged(stage.door, ExpandedChange { seq: change.seq + 5, ..change })
    }),
    ("a hundred kilobytes behind a change", "change.unparsable", |stage| {
        let forger = stage.forger(stage.door);
        let change = forger.change([forger.put("contact", "x")]);
        stage.forged(stage.door, ExpandedChange { extra_bytes: vec![7; 100_000], ..change })
    }),
    ("a compressed change that would inflate to anything", "change.unparsable", |stage| {
        let forger = stage.forger(stage.door);
        let long = bytes_of(forger.change([forger.put("contact", "long ".repeat(200))]));
        let compressed = automerge::Change::from_bytes(long).unwrap().bytes().into_owned();
        stage.sent(stage.door, &compressed)
    }),
    ("a text of a megabyte", "change.unparsable", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([forger.put("contact", "x".repeat(1 << 20))]))
    }),
    ("a text above the limit", "change.bad_value", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([forger.put("contact", "x".repeat(9_000))]))
    }),
    ("a number of a kind that documents do not hold", "change.bad_value", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([forger.put("contact", ScalarValue::F64(1.5))]))
    }),
    ("maps in maps in maps", "change.forbidden_operation", |stage| {
        let forger = stage.forger(stage.door);
        let first = forger.next_counter();
        let mut operations = vec![make_map(forger.container(Container::Notes), KEY)];
        operations.extend((0..50).map(|depth| make_map(ObjectId::Id(forger.own(first + depth)), "deeper")));
        stage.forged(stage.door, forger.change(operations))
    }),
    ("ten thousand tiny operations", "change.unparsable", |stage| {
        let forger = stage.forger(stage.door);
        let puts: Vec<_> = (0..10_000).map(|number| put_new(ObjectId::Root, &format!("x{number}"), 1)).collect();
        stage.forged(stage.door, forger.change(puts))
    }),
    ("a path as the key of an entry", "change.bad_key", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([make_map(forger.container(Container::Notes), "../../etc/passwd")]))
    }),
    ("a second spelling of an id as a key", "change.bad_key", |stage| {
        let forger = stage.forger(stage.door);
        stage.forged(stage.door, forger.change([make_map(forger.container(Container::Notes), &KEY.to_uppercase())]))
    }),
    ("a document that claims to be of another kind", "sync.foreign_document", |stage| {
        let forger = stage.forger(stage.door);
        let bytes = bytes_of(ExpandedChange { time: 1 << 16, ..forger.change([forger.put("contact", "x")]) });
        let groups = [group([pushed(stage.door, DocKind::Case, &bytes)])];
        stage.judged(&groups)
    }),
    ("a clock that is a day ahead", "sync.clock_ahead", |stage| {
        let mut document = stage.document(stage.door);
        let change = stage.mallory.edit_at(&mut document, SystemClock.now().plus(86_400_000), &[Write::set("contact", "x")]);
        stage.changed(stage.door, &change)
    }),
    ("what is not here to build on", "sync.depends_on_refused", |stage| {
        let forger = stage.forger(stage.door);
        let mut change = forger.change([forger.put("contact", "x")]);
        change.deps.push(automerge::ChangeHash([7; 32]));
        change.deps.sort_unstable();
        stage.forged(stage.door, change)
    }),
    ("an actor of the honest phone", "sync.foreign_actor", |stage| {
        let mut document = stage.document(stage.door);
        let honest = stage.honest.engine.identity().unwrap().device;
        let actor = doorstep_core::docs::Actor { device: honest.tag(), incarnation: stage.mallory.incarnation };
        let at = doorstep_core::model::Hlc::new(SystemClock.now(), 0);
        let change = document.edit(actor, at, &[Write::set("contact", "x")]).unwrap().unwrap();
        stage.changed(stage.door, &change)
    }),
    ("an empty group", "sync.group_size", |stage| stage.judged(&[group([])])),
    ("a document twice in a group", "sync.repeated", |stage| {
        let mut document = stage.document(stage.door);
        let change = stage.mallory.edit(&mut document, &[Write::set("contact", "x")]);
        let twice = [pushed(stage.door, DocKind::Household, change.bytes()), pushed(stage.door, DocKind::Household, change.bytes())];
        stage.judged(&[group(twice)])
    }),
    ("bytes that are no change, of a document that is not there", "change.unparsable", |stage| {
        stage.judged(&[group([pushed(fresh_doc(), DocKind::Party, b"PK\x03\x04")])])
    }),
];
