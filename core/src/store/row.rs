//! The first two bytes of every row: a format and an algorithm, so that sealing can come without a migration.
//!
//! A row is `[format, algorithm] ++ payload`. Format 1 is this layout; algorithm 0 means that the payload is in clear. Algorithm 1
//! is the seal of a whole value, which [`SealedStore`](super::SealedStore) takes off before anybody here sees it: who meets it reads a sealed store
//! without its key. A reader that meets anything else says so and touches nothing.
//!
//! With [`chunks`](super::chunks) the whole row is what is cut: seal first, then chunk. So the two bytes stand once, behind the head's own
//! six, and the two kinds cannot be taken for each other: a head begins with 0, which is no row format, and a row that is read as a head
//! claims a length far over the limit.

use super::StoreError;

/// The layout of a row.
pub const FORMAT: u8 = 1;

/// The payload is in clear.
pub const CLEAR: u8 = 0;

/// What follows is a value under the store's seal: see [`sealed`](super::sealed).
pub const SEALED: u8 = 1;

/// Bytes in front of the payload.
pub const HEADER: usize = 2;

/// Puts format and algorithm in front of a payload. For a value of one row the payload may have `MOST_VALUE - HEADER` bytes.
pub fn seal(payload: &[u8]) -> Vec<u8> {
    [&[FORMAT, CLEAR], payload].concat()
}

/// The payload of a row, or why this version cannot read it.
pub fn open(row: &[u8]) -> Result<&[u8], StoreError> {
    match row {
        [FORMAT, CLEAR, payload @ ..] => Ok(payload),
        [FORMAT, SEALED, ..] => Err(StoreError::KeyNeeded),
        [format, algorithm, ..] => Err(StoreError::UnknownFormat { format: *format, algorithm: *algorithm }),
        _ => Err(StoreError::Damaged { what: "a row is shorter than its header" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sealed_row_opens_to_its_payload(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            let row = seal(&payload);
            prop_assert_eq!(open(&row).unwrap(), payload.as_slice());
        }
    }

    #[test]
    fn the_layout_of_a_row_is_format_algorithm_payload() {
        assert_eq!(seal(b"abc"), [1, 0, b'a', b'b', b'c']);
    }

    #[test]
    fn a_row_of_another_format_or_algorithm_is_refused_with_both() {
        assert_eq!(open(&[2, 0, 9]), Err(StoreError::UnknownFormat { format: 2, algorithm: 0 }));
        assert_eq!(open(&[1, 7, 9]), Err(StoreError::UnknownFormat { format: 1, algorithm: 7 }));
    }

    #[test]
    fn a_row_without_its_header_is_damaged() {
        for row in [&[][..], &[FORMAT]] {
            assert_eq!(open(row).unwrap_err().code(), "store.damaged");
        }
    }
}
