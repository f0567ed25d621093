//! The one way in which this crate seals a small value: AES-SIV (RFC 5297) with keys of 256 bits.
//!
//! The same value at the same place under the same key gives the same bytes. So a command that is run again writes what it wrote before, a run
//! of the simulation ends the same, and no copy of a store, set back or cloned, ever seals two values under one nonce. What it tells whoever has
//! not the key is only that a place holds the same value once more.
//!
//! ```text
//! 16 bytes   the synthetic IV, over the value and its place: nonce and tag in one, so that a sealed value is short on every wire and disk
//! …          the value, as long as it is in clear
//! ```

pub mod former;

use aes_siv::siv::{Aes256Siv, IV_SIZE};
use aes_siv::{KeyInit, Tag};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The bytes of a key.
pub const KEY: usize = 32;
/// How many bytes a sealed value is longer than in clear.
pub const OVERHEAD: usize = IV_SIZE;

/// Derives a key for one use from another.
pub fn derive(key: &[u8; KEY], purpose: &[&[u8]]) -> Zeroizing<[u8; KEY]> {
    Zeroizing::new(mac(key, purpose))
}

/// Seals a value for its place. `None` where it is longer than the algorithm allows, which is far above what fits a row or a change.
pub fn seal(key: &[u8; KEY], place: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = Vec::with_capacity(OVERHEAD + value.len());
    sealed.extend_from_slice(&[0; OVERHEAD]);
    sealed.extend_from_slice(value);
    let (iv, body) = sealed.split_first_chunk_mut::<OVERHEAD>()?;
    *iv = cipher(key).encrypt_inout_detached([place], body.into()).ok()?.into();
    Some(sealed)
}

/// Opens what [`seal`] made for this place; `None` for anything else.
pub fn open(key: &[u8; KEY], place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, body) = sealed.split_first_chunk::<OVERHEAD>()?;
    let mut value = Zeroizing::new(body.to_vec());
    let opened = cipher(key).decrypt_inout_detached([place], value.as_mut_slice().into(), &Tag::from(*iv));
    opened.ok().map(|()| value)
}

/// The algorithm takes two keys.
fn cipher(key: &[u8; KEY]) -> Aes256Siv {
    let mut both = Zeroizing::new([0; 2 * KEY]);
    let (for_iv, for_text) = both.split_at_mut(KEY);
    for_iv.copy_from_slice(&*derive(key, &[b"siv iv"]));
    for_text.copy_from_slice(&*derive(key, &[b"siv text"]));
    Aes256Siv::new((&*both).into())
}

fn mac(key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else { return [0; KEY] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sealed_value_is_what_another_implementation_of_rfc_5297_gives() {
        // OpenSSL's, with the two keys derived by Python's HMAC.
        let expected =
            [0x15, 0xe6, 0xe0, 0x97, 0x19, 0x78, 0x21, 0x9e, 0xee, 0xd2, 0x06, 0xdd, 0x58, 0xb4, 0xf0, 0x33, 0x9c, 0xb4, 0x2a, 0x15, 0xb7];
        assert_eq!(seal(&[1; KEY], b"place", b"value").unwrap(), expected);
    }

    #[test]
    fn what_was_sealed_formerly_opens_at_its_place_and_nowhere_else() {
        let sealed = [
            0x94, 0xfa, 0x25, 0xc4, 0xfb, 0x56, 0xf8, 0x16, 0x95, 0x46, 0xb1, 0xa6, 0xd2, 0x86, 0x62, 0xd2, 0xee, 0x5a, 0x4d, 0xeb, 0xfb,
            0xa5, 0xa0, 0x2b, 0x84, 0x13, 0xd9, 0x69, 0x20, 0x35, 0x40, 0x6d, 0xfd, 0x5a, 0x50, 0x13, 0x06, 0xd2, 0x3a, 0xb4, 0xb4, 0x7f,
            0xc9, 0xf7, 0x96,
        ];
        assert_eq!(former::open(&[1; KEY], b"place", &sealed).unwrap().as_slice(), b"value");
        assert!(former::open(&[1; KEY], b"elsewhere", &sealed).is_none());
        assert!(former::open(&[2; KEY], b"place", &sealed).is_none());
        assert!((0..sealed.len()).all(|length| former::open(&[1; KEY], b"place", &sealed[..length]).is_none()));
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_at_its_place_under_its_key_and_nowhere_else(
            key: [u8; KEY], other: [u8; KEY], place: Vec<u8>, elsewhere: Vec<u8>, value: Vec<u8>, flip: prop::sample::Index, bit in 0..8u8,
        ) {
            let sealed = seal(&key, &place, &value).unwrap();
            prop_assert_eq!(sealed.len(), value.len() + OVERHEAD);
            prop_assert_eq!(open(&key, &place, &sealed).unwrap().to_vec(), value.clone());
            prop_assert_eq!(&sealed, &seal(&key, &place, &value).unwrap());
            prop_assert!(key == other || open(&other, &place, &sealed).is_none());
            prop_assert!(place == elsewhere || open(&key, &elsewhere, &sealed).is_none());
            let mut flipped = sealed.clone();
            flipped[flip.index(sealed.len())] ^= 1 << bit;
            prop_assert!(open(&key, &place, &flipped).is_none());
        }

        #[test]
        fn bytes_of_any_kind_open_to_nothing(key: [u8; KEY], place: Vec<u8>, bytes: Vec<u8>) {
            prop_assert!(open(&key, &place, &bytes).is_none());
        }

        #[test]
        fn two_values_of_one_place_never_share_an_iv(key: [u8; KEY], place: Vec<u8>, one: Vec<u8>, two: Vec<u8>) {
            prop_assume!(one != two);
            prop_assert_ne!(&seal(&key, &place, &one).unwrap()[..OVERHEAD], &seal(&key, &place, &two).unwrap()[..OVERHEAD]);
        }
    }
}
