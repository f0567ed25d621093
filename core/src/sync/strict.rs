//! The form of CBOR that messages have, checked before anything is decoded: one item, definite lengths, little depth.
//!
//! minicbor skips keys that it does not know, whatever their values are, and keeps a stack for indefinite lengths while it does so: four
//! megabytes of them take a hundred and more. Here the heads of all items are walked over once, with a counter for each level of depth; what
//! passes can be skipped without a stack.

use crate::sync::MOST_DEPTH;

/// Checks that `body` is exactly one item of the form that messages have.
///
/// # Errors
/// Where the first head stands that breaks the form. Never panics; memory is a counter for each of [`MOST_DEPTH`] levels.
pub(super) fn check(body: &[u8]) -> Result<(), usize> {
    let mut input = Heads { body, at: 0 };
    // How many items are still to come on each open level; the outermost holds the message.
    let mut open = vec![1u64];
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        let at = input.at;
        let (major, argument) = input.head().ok_or(at)?;
        if major != TAG {
            *left -= 1; // a tag is followed by the item that it is for
        }
        match major {
            BYTES | TEXT => input.skip(argument).ok_or(at)?,
            ARRAY => open.push(argument),
            MAP => open.push(argument.checked_mul(2).ok_or(at)?),
            _ => {}
        }
        if open.len() > MOST_DEPTH + 1 {
            return Err(at);
        }
    }
    if input.at == body.len() { Ok(()) } else { Err(input.at) }
}

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

struct Heads<'a> {
    body: &'a [u8],
    at: usize,
}

impl Heads<'_> {
    /// Major type and argument (RFC 8949, section 3); `None` at the end, and for indefinite lengths and the reserved values 28 to 30.
    fn head(&mut self) -> Option<(u8, u64)> {
        let first = *self.body.get(self.at)?;
        self.at += 1;
        let (major, info) = (first >> 5, first & 0x1f);
        let width = match info {
            0..24 => return Some((major, u64::from(info))),
            24..28 => 1 << (info - 24),
            _ => return None,
        };
        let bytes = self.body.get(self.at..self.at + width)?;
        self.at += width;
        Some((major, bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))))
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        self.body.get(self.at..end)?;
        self.at = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_of_definite_length_passes_whatever_its_kind() {
        for body in
            [&[0x00][..], &[0x83, 0x01, 0x42, 1, 2, 0xa1, 0x20, 0xf5], &[0xa0], &[0xc1, 0x1a, 0, 0, 0, 1], &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(check(body), Ok(()), "{body:02x?}");
        }
    }

    #[test]
    fn indefinite_lengths_are_refused_wherever_they_stand() {
        for body in [&[0x9f, 0xff][..], &[0xbf, 0xff], &[0x5f, 0xff], &[0x7f, 0xff], &[0xa1, 0x18, 99, 0x9f, 0xff], &[0xff]] {
            assert!(check(body).is_err(), "{body:02x?}");
        }
    }

    #[test]
    fn nothing_may_follow_behind_the_item_and_nothing_may_be_missing() {
        assert_eq!(check(&[0x00, 0x00]), Err(1));
        assert_eq!(check(&[]), Err(0));
        assert_eq!(check(&[0x82, 0x00]), Err(2));
        assert_eq!(check(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(0));
        assert_eq!(check(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(0));
    }

    #[test]
    fn depth_ends_at_its_bound() {
        let nested = |depth: usize| [vec![0x81; depth - 1], vec![0x80]].concat();
        assert_eq!(check(&nested(MOST_DEPTH)), Ok(()));
        assert!(check(&nested(MOST_DEPTH + 1)).is_err());
        assert!(check(&vec![0x81; 4_000_000]).is_err());
    }
}
