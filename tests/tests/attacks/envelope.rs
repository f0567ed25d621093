//! What is wrong with the bytes around the operations: chunk types, lengths, checksums, actors, times, and the many ways in which the same
//! operations could be written.

use automerge::legacy::ObjectId;
use automerge::{ActorId, ExpandedChange};
use doorstep_core::docs::{Change, GENESIS_ACTOR, MOST_CHANGE_BYTES, Unparsable, Write};
use doorstep_tests::forge::{Chunk, actor, actor_id, bytes_of, chunk, leb, put_new, repair_checksum, signed_leb};

use crate::scene::{Fault, Scene, WORKER, attacks, edit};

const OBJECT_ACTOR: u64 = 0x01;
const OBJECT_COUNTER: u64 = 0x02;
const KEY: u64 = 0x15;
const INSERT: u64 = 0x34;
const ACTION: u64 = 0x42;
const VALUE_META: u64 = 0x56;
const VALUE: u64 = 0x57;
const PRED_COUNT: u64 = 0x70;
const PRED_ACTOR: u64 = 0x71;
const PRED_COUNTER: u64 = 0x73;

/// An honest change: it sets two registers, so it names operations of others.
fn honest(scene: &Scene) -> Vec<u8> {
    let forger = scene.mallory();
    bytes_of(forger.change([forger.put("note", "x"), forger.put("status", "y")]))
}

fn forged(scene: &Scene, forge: impl FnOnce(&mut Chunk)) -> Vec<u8> {
    let mut chunk = Chunk::read(&honest(scene));
    forge(&mut chunk);
    chunk.write()
}

fn with_frame(scene: &Scene, forge: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
    let forger = scene.mallory();
    let mut change = forger.change([forger.put("note", "x")]);
    forge(&mut change);
    bytes_of(change)
}

attacks! {
    a_compressed_change_is_refused: case, |scene| {
        let forger = scene.mallory();
        let long = bytes_of(forger.change([forger.put("note", "long ".repeat(200))]));
        let compressed = automerge::Change::from_bytes(long).unwrap().bytes().into_owned();
        assert_eq!(compressed[8], 2, "automerge compresses changes of this length");
        compressed
    } => Fault::Unparsable(Unparsable::Chunk(_)),
    a_document_is_no_change: case, |scene| scene.doc.save() => Fault::Unparsable(Unparsable::Chunk(_)),
    a_chunk_of_a_type_to_come_is_refused: case, |scene| forged(scene, |chunk| chunk.kind = 7) => Fault::Unparsable(Unparsable::Chunk(_)),
    other_bytes_are_no_change: case, |_| b"PK\x03\x04 something else".to_vec() => Fault::Unparsable(Unparsable::Chunk(_)),
    nothing_is_no_change: case, |_| Vec::new() => Fault::Unparsable(Unparsable::Chunk(_)),
    a_wrong_checksum_is_refused: case, |scene| {
        let mut bytes = honest(scene);
        bytes[5] ^= 1;
        bytes
    } => Fault::Unparsable(Unparsable::Checksum),
    bytes_behind_a_change_are_refused: case, |scene| [honest(scene), vec![0]].concat() => Fault::Unparsable(Unparsable::Chunk(_)),
    two_changes_are_not_one: case, |scene| [honest(scene), honest(scene)].concat() => Fault::Unparsable(Unparsable::Chunk(_)),
    a_change_that_ends_early_is_refused: case, |scene| {
        let bytes = honest(scene);
        bytes[..bytes.len() - 1].to_vec()
    } => Fault::Unparsable(Unparsable::Chunk(_)),
    a_body_that_ends_early_is_refused: case, |scene| {
        let bytes = honest(scene);
        chunk(1, &bytes[11..60])
    } => Fault::Unparsable(Unparsable::Chunk(_)),
    a_message_is_refused: case, |scene| with_frame(scene, |change| change.message = Some("look here".into()))
        => Fault::Unparsable(Unparsable::Chunk(_)),
    an_author_footer_is_refused: case, |scene| with_frame(scene, |change| {
        change.extra_bytes = [leb(1), leb(5), b"the centre"[..5].to_vec()].concat(); // automerge's Footer::Author
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    a_change_that_is_too_long_is_refused: case, |scene| with_frame(scene, |change| {
        change.operations = (0..5).map(|n| put_new(ObjectId::Root, &format!("x{n}"), "x".repeat(8_000))).collect();
    }) => Fault::Unparsable(Unparsable::TooLong { .. }),
    an_actor_of_fifteen_bytes_is_refused: case, |scene| with_frame(scene, |change| {
        change.actor_id = ActorId::from(vec![3; 15]);
        (change.seq, change.deps) = (1, change.deps[..1].to_vec());
    }) => Fault::Unparsable(Unparsable::Actor),
    an_actor_of_seventeen_bytes_is_refused: case, |scene| with_frame(scene, |change| {
        change.actor_id = ActorId::from(vec![3; 17]);
    }) => Fault::Unparsable(Unparsable::Actor),
    an_actor_of_no_bytes_is_refused: case, |scene| with_frame(scene, |change| {
        change.actor_id = ActorId::from(Vec::new());
    }) => Fault::Unparsable(Unparsable::Actor),
    nobody_writes_as_the_genesis: case, |scene| with_frame(scene, |change| {
        change.actor_id = ActorId::from(GENESIS_ACTOR);
        change.seq = 2;
    }) => Fault::Unparsable(Unparsable::Actor),
    a_time_before_1970_is_refused: case, |scene| with_frame(scene, |change| change.time = -1) => Fault::Unparsable(Unparsable::Time),
    the_earliest_time_is_refused: case, |scene| with_frame(scene, |change| change.time = i64::MIN) => Fault::Unparsable(Unparsable::Time),
    a_first_operation_with_counter_zero_is_refused: case, |scene| forged(scene, |chunk| chunk.start_op = 0)
        => Fault::Unparsable(Unparsable::Undecodable),
    a_counter_above_32_bits_is_refused: case, |scene| forged(scene, |chunk| chunk.start_op = 1 << 40)
        => Fault::Unparsable(Unparsable::Undecodable),
    dependencies_out_of_order_are_refused: household, |scene| forged(scene, |chunk| {
        assert!(chunk.deps.len() > 1);
        chunk.deps.reverse();
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    a_dependency_that_stands_twice_is_refused: case, |scene| forged(scene, |chunk| chunk.deps.insert(0, chunk.deps[0]))
        => Fault::Unparsable(Unparsable::Chunk(_)),
    too_many_dependencies_are_refused: case,
        |scene| forged(scene, |chunk| chunk.deps = (0..65).map(|n| [n; 32]).collect())
        => Fault::Unparsable(Unparsable::Chunk(_)),
    an_actor_that_is_listed_and_not_needed_is_refused: case,
        |scene| forged(scene, |chunk| chunk.others.push(vec![0xff; 16]))
        => Fault::Unparsable(Unparsable::NotCanonical),
    an_author_that_is_listed_again_is_refused: case,
        |scene| forged(scene, |chunk| chunk.others.push(chunk.actor.clone()))
        => Fault::Unparsable(Unparsable::NotCanonical),
    actors_out_of_order_are_refused: case, |scene| {
        let mut scene = Scene { doc: scene.doc.clone() };
        edit(&mut scene.doc, WORKER, 9, &[Write::set("status", "by the worker")]);
        forged(&scene, |chunk| {
            chunk.others.push(actor_id(actor(0xee)).to_bytes().to_vec());
            chunk.others.rotate_right(1);
        })
    } => Fault::Unparsable(Unparsable::NotCanonical),
    too_many_actors_are_refused: case, |scene| forged(scene, |chunk| chunk.others = vec![vec![1; 16]; 257])
        => Fault::Unparsable(Unparsable::Chunk(_)),
    an_actor_that_is_not_listed_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(PRED_ACTOR) = vec![2, 9])
        => Fault::Unparsable(Unparsable::Chunk(_)),
    an_object_of_an_actor_that_is_not_listed_is_refused: case, |scene| forged(scene, |chunk| {
        *chunk.column(OBJECT_ACTOR) = vec![2, 9];
        *chunk.column(OBJECT_COUNTER) = vec![2, 1];
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    a_predecessor_with_a_counter_above_32_bits_is_refused: case, |scene| forged(scene, |chunk| {
        *chunk.column(PRED_COUNTER) = [vec![0x7e], signed_leb(1 << 40), signed_leb(1)].concat();
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    a_predecessor_with_a_negative_counter_is_refused: case, |scene| forged(scene, |chunk| {
        *chunk.column(PRED_COUNTER) = [vec![0x7e], signed_leb(5), signed_leb(-9)].concat();
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    an_object_with_a_counter_above_32_bits_is_refused: case, |scene| forged(scene, |chunk| {
        *chunk.column(OBJECT_ACTOR) = vec![2, 0];
        *chunk.column(OBJECT_COUNTER) = [vec![2], leb(1 << 40)].concat();
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    a_column_of_marks_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(0xa5) = vec![2, 1, b'x'])
        => Fault::Unparsable(Unparsable::Chunk(_)),
    a_column_of_expanding_marks_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(0x94) = vec![0, 2])
        => Fault::Unparsable(Unparsable::Chunk(_)),
    a_column_of_list_positions_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(0x13) = vec![2, 0])
        => Fault::Unparsable(Unparsable::Chunk(_)),
    a_column_of_a_format_to_come_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(0x123) = vec![2, 0])
        => Fault::Unparsable(Unparsable::Chunk(_)),
    a_column_with_a_specification_beyond_32_bits_is_refused: case,
        |scene| forged(scene, |chunk| *chunk.column((1 << 32) | KEY) = vec![2, 1, b'x'])
        => Fault::Unparsable(Unparsable::Chunk(_)),
    a_compressed_column_is_refused: case, |scene| forged(scene, |chunk| {
        for (spec, _) in &mut chunk.columns {
            if *spec == KEY {
                *spec |= 8;
            }
        }
    }) => Fault::Unparsable(Unparsable::Chunk(_)),
    a_column_that_stands_twice_is_refused: case, |scene| forged(scene, |chunk| {
        let again = chunk.columns.iter().find(|(spec, _)| *spec == ACTION).unwrap().clone();
        let index = chunk.columns.iter().position(|(spec, _)| *spec == ACTION).unwrap();
        chunk.columns.insert(index, again);
    }) => Fault::Unparsable(Unparsable::NotCanonical),
    columns_out_of_order_are_refused: case, |scene| forged(scene, |chunk| chunk.columns.swap(0, 1))
        => Fault::Unparsable(Unparsable::Undecodable),
    an_empty_column_is_refused: case, |scene| forged(scene, |chunk| { chunk.column(OBJECT_ACTOR); })
        => Fault::Unparsable(Unparsable::NotCanonical),
    a_change_without_keys_is_refused: case,
        |scene| forged(scene, |chunk| chunk.columns.retain(|(spec, _)| *spec != KEY))
        => Fault::Unparsable(Unparsable::Undecodable),
    a_change_without_actions_is_refused: case,
        |scene| forged(scene, |chunk| chunk.columns.retain(|(spec, _)| *spec != ACTION))
        => Fault::Unparsable(Unparsable::NotCanonical),
    more_keys_than_operations_are_refused: case,
        |scene| forged(scene, |chunk| chunk.column(KEY).extend([0x7f, 1, b'z']))
        => Fault::Unparsable(Unparsable::NotCanonical),
    more_insert_flags_than_operations_are_refused: case, |scene| forged(scene, |chunk| *chunk.column(INSERT) = vec![3])
        => Fault::Unparsable(Unparsable::NotCanonical),
    more_values_than_operations_are_refused: case, |scene| forged(scene, |chunk| chunk.column(VALUE).extend(b"hidden"))
        => Fault::Unparsable(Unparsable::NotCanonical),
    a_run_that_is_written_in_two_is_refused: case, |scene| forged(scene, |chunk| {
        assert_eq!(*chunk.column(ACTION), [2, 1], "two puts in one run");
        *chunk.column(ACTION) = vec![0x7f, 1, 0x7f, 1];
    }) => Fault::Unparsable(Unparsable::NotCanonical),
    a_number_that_is_written_longer_than_it_is_is_refused: case,
        |scene| forged(scene, |chunk| *chunk.column(ACTION) = vec![0x82, 0x00, 1])
        => Fault::Unparsable(Unparsable::NotCanonical),
    a_run_of_nothing_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(ACTION) = vec![2, 1, 0, 0]) => Fault::Unparsable(_),
    a_value_longer_than_the_bytes_is_refused: case, |scene| forged(scene, |chunk| {
        *chunk.column(VALUE_META) = [vec![2], leb(5_000 << 4 | 6)].concat();
    }) => Fault::Unparsable(Unparsable::Undecodable),
    a_text_that_is_not_utf8_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(VALUE) = vec![0xff, 0xfe])
        => Fault::Unparsable(Unparsable::Undecodable),
    a_key_that_is_not_utf8_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(KEY) = vec![2, 1, 0xff])
        => Fault::Unparsable(Unparsable::Undecodable),
    predecessors_without_their_counts_are_refused: case, |scene| forged(scene, |chunk| {
        chunk.columns.retain(|(spec, _)| *spec != PRED_COUNT);
    }) => Fault::Unparsable(_),
    an_action_that_is_none_is_refused: case, |scene| forged(scene, |chunk| *chunk.column(ACTION) = vec![2, 77])
        => Fault::Unparsable(Unparsable::Undecodable),
}

#[test]
fn predecessors_out_of_order_are_refused() {
    let scene = Scene::case();
    let forger = scene.mallory();
    let honest = bytes_of(forger.change([forger.put("remark", "x")]));
    scene.takes(&honest);
    let mut forged = Chunk::read(&honest);
    let (first, second) = (forger.at_root("remark")[0].counter() as i64, forger.at_root("remark")[1].counter() as i64);
    *forged.column(PRED_COUNTER) = [vec![0x7e], signed_leb(second), signed_leb(first - second)].concat();
    let actors = forged.column(PRED_ACTOR);
    assert_eq!(actors[0], 0x7e, "two actors, one after the other");
    actors.swap(1, 2);
    assert_eq!(scene.fault(&forged.write()), Fault::Unparsable(Unparsable::NotCanonical));
    scene.is_sound();
}

#[test]
fn a_change_that_just_fits_is_read_and_one_byte_more_is_not() {
    let bytes = vec![0; MOST_CHANGE_BYTES];
    assert!(!matches!(Change::parse(&bytes), Err(Unparsable::TooLong { .. })));
    let bytes = vec![0; MOST_CHANGE_BYTES + 1];
    assert_eq!(Change::parse(&bytes).unwrap_err(), Unparsable::TooLong { size: MOST_CHANGE_BYTES + 1 });
}

#[test]
fn the_length_of_a_chunk_is_written_as_short_as_can_be() {
    let scene = Scene::case();
    let honest = honest(&scene);
    let length = honest.len() - 11;
    assert!((128..16_384).contains(&length));
    let mut forged = [&honest[..9], &[honest[9], honest[10] | 0x80, 0], &honest[11..]].concat();
    repair_checksum(&mut forged);
    assert_eq!(scene.fault(&forged), Fault::Unparsable(Unparsable::Undecodable));
}
