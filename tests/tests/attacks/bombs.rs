//! A few bytes that claim to be a lot: inflated chunks, runs of 2^40 operations. Refused before anything of that size is made.

use automerge::legacy::ObjectId;
use doorstep_core::docs::{Change, MOST_CHANGE_BYTES, Unparsable};
use doorstep_tests::forge::{Chunk, bytes_of, chunk, leb, put_new, signed_leb};

use crate::scene::{Fault, Scene};

const COLUMNS: [u64; 14] = [0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73, 0x94, 0xa5];
/// A run that would need a terabyte.
const CLAIMED: u64 = 1 << 40;
/// What all tests of this binary together stay below, in kB: it holds some hundred small documents at once.
const MOST_RESIDENT_KB: u64 = 400_000;

/// The most memory that this process ever held, in kB; `None` where the system does not say.
fn most_resident_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

fn refused_without_memory(bytes: &[u8]) -> Unparsable {
    let unparsable = Change::parse(bytes).unwrap_err();
    if let Some(resident) = most_resident_kb() {
        assert!(resident < MOST_RESIDENT_KB, "{resident} kB were held");
    }
    unparsable
}

/// A deflate stream of about `length` bytes that inflates to 158 times that: one zero, then nothing but "258 bytes as the one before".
fn deflated_zeros(length: usize) -> Vec<u8> {
    let mut bits = vec![true, true, false]; // the last block, with the fixed codes
    bits.extend([false, false, true, true, false, false, false, false]); // a literal zero
    let again = [true, true, false, false, false, true, false, true, false, false, false, false, false]; // length 258, distance 1
    for _ in 0..length * 8 / again.len() {
        bits.extend(again);
    }
    bits.extend([false; 7]); // the end
    let byte = |bits: &[bool]| bits.iter().enumerate().fold(0u8, |byte, (shift, bit)| byte | u8::from(*bit) << shift);
    bits.chunks(8).map(byte).collect()
}

#[test]
fn a_compressed_chunk_is_not_inflated() {
    let small = chunk(2, &deflated_zeros(MOST_CHANGE_BYTES - 64));
    assert!(small.len() <= MOST_CHANGE_BYTES);
    assert!(matches!(refused_without_memory(&small), Unparsable::Chunk(_)));
}

#[test]
fn a_compressed_chunk_of_a_megabyte_is_not_inflated() {
    assert!(matches!(refused_without_memory(&chunk(2, &deflated_zeros(1 << 20))), Unparsable::TooLong { .. }));
}

#[test]
fn runs_of_a_trillion_values_are_refused_in_every_column() {
    let scene = Scene::case();
    let forger = scene.mallory();
    let honest = Chunk::read(&bytes_of(forger.change([forger.put("note", "x"), put_new(ObjectId::Root, "fresh", 5)])));
    let claims: [Vec<u8>; 4] = [
        [signed_leb(CLAIMED as i64), vec![1, b'x']].concat(), // a value so many times; as a column of flags a run
        [vec![0], leb(CLAIMED)].concat(),                     // nothing so many times
        [signed_leb(-(CLAIMED as i64)), vec![1, b'x']].concat(), // so many values one by one
        signed_leb(i64::MIN),
    ];
    for column in COLUMNS {
        for claim in &claims {
            let mut forged = honest.clone();
            *forged.column(column) = claim.clone();
            let fault = scene.fault(&forged.write());
            assert!(matches!(fault, Fault::Unparsable(_)), "{column:#x}: {fault:?}");
            refused_without_memory(&forged.write());
        }
    }
    scene.is_sound();
}

#[test]
fn a_trillion_operations_that_agree_in_all_columns_are_refused() {
    let scene = Scene::case();
    let mut forged = Chunk::read(&bytes_of(scene.stranger().change([put_new(ObjectId::Root, "fresh", 5)])));
    let run = |value: &[u8]| [signed_leb(CLAIMED as i64), value.to_vec()].concat();
    *forged.column(0x15) = run(&[1, b'x']);
    *forged.column(0x34) = leb(CLAIMED);
    *forged.column(0x42) = run(&[1]);
    *forged.column(0x56) = run(&[0]);
    forged.column(0x57).clear();
    *forged.column(0x70) = run(&[0]);
    assert!(matches!(refused_without_memory(&forged.write()), Unparsable::Chunk(_)));
}

#[test]
fn an_operation_with_a_trillion_predecessors_is_refused() {
    let scene = Scene::case();
    let forger = scene.mallory();
    let mut forged = Chunk::read(&bytes_of(forger.change([forger.put("note", "x")])));
    *forged.column(0x70) = [vec![0x7f], leb(CLAIMED)].concat();
    *forged.column(0x71) = [signed_leb(CLAIMED as i64), vec![0]].concat();
    *forged.column(0x73) = [signed_leb(CLAIMED as i64), vec![0]].concat();
    assert!(matches!(refused_without_memory(&forged.write()), Unparsable::Chunk(_)));
}

#[test]
fn lengths_and_counts_that_go_beyond_the_bytes_are_refused() {
    let scene = Scene::case();
    let honest = bytes_of(scene.mallory().change([scene.mallory().put("note", "x")]));
    let parts = Chunk::read(&honest);
    let huge = leb(u64::MAX);
    let head: Vec<Vec<u8>> = vec![
        leb(parts.deps.len() as u64),
        parts.deps.concat(),
        leb(16),
        parts.actor.clone(),
        leb(parts.seq),
        leb(parts.start_op),
        signed_leb(parts.time),
        leb(0),
        leb(0),
        leb(0),
    ];
    for forged in [0, 2, 7, 8, 9] {
        let mut head = head.clone();
        head[forged] = huge.clone();
        assert!(matches!(refused_without_memory(&chunk(1, &head.concat())), Unparsable::Chunk(_)), "part {forged}");
    }
    let mut long = honest[..9].to_vec();
    long.extend(&huge);
    long.extend(&honest[11..]);
    assert!(matches!(refused_without_memory(&long), Unparsable::Chunk(_)));
    let endless = [&honest[..9], &[0x80; 4_000]].concat();
    assert!(matches!(refused_without_memory(&endless), Unparsable::Chunk(_)));
}

#[test]
fn a_name_of_an_actor_that_is_the_whole_change_does_no_harm() {
    let scene = Scene::case();
    let mut forged = Chunk::read(&bytes_of(scene.mallory().change([scene.mallory().put("note", "x")])));
    forged.others = vec![vec![9; 20_000]];
    assert_eq!(scene.fault(&forged.write()), Fault::Unparsable(Unparsable::NotCanonical));
    forged.others = Vec::new();
    forged.actor = vec![9; 20_000];
    assert_eq!(scene.fault(&forged.write()), Fault::Unparsable(Unparsable::Actor));
}

#[test]
fn the_densest_change_that_is_read_is_taken() {
    let scene = Scene::case();
    let operations = (0..512).map(|n| put_new(ObjectId::Root, &format!("{n:03}{}", "k".repeat(40)), true));
    let bytes = bytes_of(scene.mallory().change(operations));
    assert!(bytes.len() < MOST_CHANGE_BYTES);
    scene.takes(&bytes);
}
