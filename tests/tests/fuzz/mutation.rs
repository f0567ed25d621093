//! Bytes that are nearly those of a seed: what bolero draws, or evolves by coverage, is read as the choices that make a mutant.

/// The choices for one mutant, taken from the front. Where they have run out, the first of what is offered is taken.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub const fn of(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// A number below `bound`; 0 if there is none. Three bytes choose among more than any seed is long.
    fn below(&mut self, bound: usize) -> usize {
        let chosen = self.0.split_first_chunk::<3>().map(|([a, b, c], rest)| {
            self.0 = rest;
            u32::from_le_bytes([*a, *b, *c, 0]) as usize
        });
        chosen.unwrap_or_default() % bound.max(1)
    }

    fn one_in(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }
}

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
pub fn of(seeds: &[Vec<u8>], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = seeds[choices.below(seeds.len())].clone();
    for _ in 0..1 + choices.below(4) {
        step(&mut bytes, seeds, choices);
    }
    bytes
}

fn step(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], choices: &mut Choices<'_>) {
    let place = choices.below(bytes.len() + 1);
    let most = if choices.one_in(4) { 200 } else { 8 };
    let end = (place + 1 + choices.below(most)).min(bytes.len());
    let byte = bytes.get_mut(place);
    match choices.below(9) {
        0 => byte.into_iter().for_each(|byte| *byte ^= 1 << choices.below(8)),
        1 => byte.into_iter().for_each(|byte| *byte = choices.below(256) as u8),
        2 => byte.into_iter().for_each(|byte| *byte = byte.wrapping_add(if choices.one_in(2) { 1 } else { 255 })),
        3 => drop(bytes.drain(place.min(end)..end)),
        4 => bytes.truncate(place),
        5 => {
            let again = bytes[place.min(end)..end].to_vec();
            bytes.splice(place..place, again);
        }
        6 => {
            let piece = PIECES[choices.below(PIECES.len())];
            let over = if choices.one_in(2) { (place + piece.len()).min(bytes.len()) } else { place };
            bytes.splice(place..over, piece.iter().copied());
        }
        7 => {
            let other = &seeds[choices.below(seeds.len())];
            let from = choices.below(other.len() + 1);
            let part = &other[from..(from + 1 + choices.below(64)).min(other.len())];
            bytes.splice(place.min(end)..end, part.iter().copied());
        }
        _ => {
            let other = &seeds[choices.below(seeds.len())];
            let from = place.min(other.len());
            bytes.truncate(place);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}
