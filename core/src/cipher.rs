//! The one way in which this crate seals a small value: XChaCha20-Poly1305 under a nonce that is derived from what is sealed.
//!
//! The same value at the same place under the same key gives the same bytes. So a command that is run again writes what it wrote before, a run
//! of the simulation ends the same, and no copy of a store, set back or cloned, ever uses one nonce for two values. What it tells whoever has
//! not the key is only that a place holds the same value once more.
//!
//! ```text
//! 24 bytes   the nonce: the beginning of HMAC-SHA-256 over length of place (u64 be), place and value, under a key derived for it
//! …          the value, as long as it is in clear
//! 16 bytes   the tag, over the value and its place
//! ```

use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The bytes of a key.
pub const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;
/// How many bytes a sealed value is longer than in clear.
pub const OVERHEAD: usize = NONCE + TAG;

/// Derives a key for one use from another.
pub fn derive(key: &[u8; KEY], purpose: &[&[u8]]) -> Zeroizing<[u8; KEY]> {
    Zeroizing::new(mac(key, purpose))
}

/// Seals a value for its place. `None` where it is longer than the algorithm allows, which is far above what fits a row or a change.
pub fn seal(key: &[u8; KEY], place: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let nonces = derive(key, &[b"nonce"]);
    let length = (place.len() as u64).to_be_bytes();
    let nonce: [u8; NONCE] = *mac(&nonces, &[&length, place, value]).first_chunk()?;
    let mut sealed = Vec::with_capacity(value.len() + OVERHEAD);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(value);
    let body = sealed.get_mut(NONCE..)?;
    let tag = cipher(key).encrypt_inout_detached(&XNonce::from(nonce), place, body.into()).ok()?;
    sealed.extend_from_slice(&tag);
    Some(sealed)
}

/// Opens what [`seal`] made for this place; `None` for anything else.
pub fn open(key: &[u8; KEY], place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (body, tag) = rest.split_last_chunk::<TAG>()?;
    let mut value = Zeroizing::new(body.to_vec());
    let opened = cipher(key).decrypt_inout_detached(&XNonce::from(*nonce), place, value.as_mut_slice().into(), &Tag::from(*tag));
    opened.ok().map(|()| value)
}

fn cipher(key: &[u8; KEY]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
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
        fn two_values_of_one_place_never_share_a_nonce(key: [u8; KEY], place: Vec<u8>, one: Vec<u8>, two: Vec<u8>) {
            prop_assume!(one != two);
            prop_assert_ne!(&seal(&key, &place, &one).unwrap()[..NONCE], &seal(&key, &place, &two).unwrap()[..NONCE]);
        }
    }
}
