//! Whatever bytes come, parsing gives a change or a reason.

use proptest::prelude::*;

use super::*;
use crate::docs::{DocKind, Document, Keyring, RecordKey, Write, event_write};
use crate::model::{CaseEvent, DeviceTag, DocId, EventId, EventKind, Incarnation, Millis, PersonId, Personal};

fn actor() -> Actor {
    Actor { device: DeviceTag([1; 8]), incarnation: Incarnation([2; 8]) }
}

fn real() -> Change {
    let mut doc = Document::new(DocKind::Case, DocId::from_bytes([7; 16])).unwrap();
    doc.set_keyring(Keyring::of(RecordKey::from_bytes(&[5; 32]).unwrap()));
    let event = CaseEvent {
        id: EventId::from_bytes([3; 16]),
        kind: EventKind::Captured,
        by: PersonId::from_bytes([4; 16]),
        at: Millis(5),
        text: Some(Personal::new("the lamp is dark".into())),
        other: None,
    };
    doc.edit(actor(), Hlc::new(Millis(5), 6), &[event_write(&event), Write::set("urgency", "urgent"), Write::set("schema", 2)])
        .unwrap()
        .unwrap()
}

fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = hash_of(&bytes);
    if let (Some(checksum), Some(right)) = (bytes.get_mut(4..8), hash.0.get(..4)) {
        checksum.copy_from_slice(right);
    }
    bytes
}

#[test]
fn a_change_is_read_back_from_its_bytes() {
    let change = real();
    let read = Change::parse(change.bytes()).unwrap();
    assert_eq!(read.bytes(), change.bytes());
    assert_eq!(read.hash(), change.hash());
    assert_eq!(read.hash(), hash_of(change.bytes()));
    assert_eq!(read.actor(), actor());
    assert_eq!(read.at(), Hlc::new(Millis(5), 6));
    assert!(read.deps().eq(change.deps()));
}

#[test]
fn no_other_byte_anywhere_makes_it_panic_or_read_as_the_same() {
    let change = real();
    let mut read = 0;
    for at in 0..change.bytes().len() {
        for value in 0..=255 {
            let mut bytes = change.bytes().to_vec();
            if std::mem::replace(&mut bytes[at], value) == value {
                continue;
            }
            assert!(at < 8 || Change::parse(&bytes).is_err(), "the checksum covers byte {at}");
            if let Ok(mutant) = Change::parse(&repaired(bytes)) {
                assert!((4..8).contains(&at) || mutant.hash() != change.hash());
                read += 1;
            }
        }
    }
    assert!(read > 1_000, "only {read} mutants were changes");
}

#[test]
fn no_beginning_of_a_change_is_a_change() {
    let change = real();
    for length in 0..change.bytes().len() {
        assert!(Change::parse(&repaired(change.bytes()[..length].to_vec())).is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(Change::parse(&bytes));
    }

    #[test]
    fn any_body_in_a_chunk_is_refused_or_read(kind: u8, body in proptest::collection::vec(any::<u8>(), 0..127)) {
        let head = [0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, kind, body.len() as u8];
        drop(Change::parse(&repaired([&head[..], &body].concat())));
    }

    #[test]
    fn pieces_of_a_change_put_anywhere_are_refused_or_read(cuts in proptest::collection::vec((9usize..300, 9usize..300, 0usize..40), 1..4)) {
        let change = real();
        let mut bytes = change.bytes().to_vec();
        for (from, to, length) in cuts {
            let (from, to) = (from % bytes.len(), to % bytes.len());
            let piece: Vec<u8> = bytes[from..(from + length).min(bytes.len())].to_vec();
            bytes.splice(to..to, piece);
        }
        drop(Change::parse(&repaired(bytes)));
    }
}
