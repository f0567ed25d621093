//! Bytes that are nearly those of a seed.

use doorstep_tests::torture::Torture;

/// What decoders stumble over: heads of CBOR with long lengths, indefinite ones, tags; lengths at the edges; what CSV, TOML and JSON are made of.
const PIECES: [&[u8]; 24] = [
    &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x5a, 0xff, 0xff, 0xff, 0xff],
    &[0xba, 0x00, 0xff, 0xff, 0xff],
    &[0x9f],
    &[0xbf],
    &[0x5f],
    &[0xff],
    &[0xf6],
    &[0xc1],
    &[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
    &[0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81],
    &[0x00, 0x00, 0x00, 0x00],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0x7f, 0xff, 0xff, 0xff],
    b"\"",
    b"\r\n",
    b",,",
    b"{\"a\":",
    b"[[[[",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    "网".as_bytes(),
];

/// A mutant of one of the seeds.
pub fn of(seeds: &[Vec<u8>], torture: &mut Torture) -> Vec<u8> {
    let mut bytes = seeds[torture.below(seeds.len())].clone();
    for _ in 0..1 + torture.below(4) {
        step(&mut bytes, seeds, torture);
    }
    bytes
}

fn step(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], torture: &mut Torture) {
    let place = torture.below(bytes.len() + 1);
    let most = if torture.one_in(4) { 200 } else { 8 };
    let end = (place + 1 + torture.below(most)).min(bytes.len());
    let byte = bytes.get_mut(place);
    match torture.below(9) {
        0 => byte.into_iter().for_each(|byte| *byte ^= 1 << torture.below(8)),
        1 => byte.into_iter().for_each(|byte| *byte = torture.below(256) as u8),
        2 => byte.into_iter().for_each(|byte| *byte = byte.wrapping_add(if torture.one_in(2) { 1 } else { 255 })),
        3 => drop(bytes.drain(place.min(end)..end)),
        4 => bytes.truncate(place),
        5 => {
            let again = bytes[place.min(end)..end].to_vec();
            bytes.splice(place..place, again);
        }
        6 => {
            let piece = PIECES[torture.below(PIECES.len())];
            let over = if torture.one_in(2) { (place + piece.len()).min(bytes.len()) } else { place };
            bytes.splice(place..over, piece.iter().copied());
        }
        7 => {
            let other = &seeds[torture.below(seeds.len())];
            let from = torture.below(other.len() + 1);
            let part = &other[from..(from + 1 + torture.below(64)).min(other.len())];
            bytes.splice(place.min(end)..end, part.iter().copied());
        }
        _ => {
            let other = &seeds[torture.below(seeds.len())];
            let from = place.min(other.len());
            bytes.truncate(place);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}
