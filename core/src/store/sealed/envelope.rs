//! One sealed value.
//!
//! ```text
//! 1, 1        format and algorithm, as `row` has them
//! 24 bytes    the nonce, drawn anew for each value
//! …           the value under XChaCha20-Poly1305, as long as it is in clear
//! 16 bytes    the tag
//! ```
//!
//! The key of the row is the associated data, so a value opens only where it was put. With nonces of 24 bytes no two are ever alike, without
//! a counter that a restored backup or a clone would set back.

use chacha20poly1305::{AeadInOut, Tag, XChaCha20Poly1305, XNonce};

use crate::store::StoreError;
use crate::store::row::{FORMAT, HEADER, SEALED};

/// The bytes of a nonce.
pub(super) const NONCE: usize = 24;

/// The bytes of a tag.
const TAG: usize = 16;

/// Where the sealed bytes begin.
const BODY: usize = HEADER + NONCE;

/// How many bytes a sealed value is longer than in clear.
pub const SEAL_OVERHEAD: usize = BODY + TAG;

/// Whether a value says that it is sealed.
pub(super) fn is_sealed(value: &[u8]) -> bool {
    value.starts_with(&[FORMAT, SEALED])
}

/// Seals a value for the row of `key`. Fails where it is longer than the algorithm allows, far above what a store takes.
pub(super) fn seal(cipher: &XChaCha20Poly1305, nonce: [u8; NONCE], key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut sealed = Vec::with_capacity(value.len() + SEAL_OVERHEAD);
    sealed.extend_from_slice(&[FORMAT, SEALED]);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(value);
    let body = sealed.get_mut(BODY..).unwrap_or_default();
    let too_long = |_| StoreError::TooBig { what: "value", size: value.len(), most: crate::store::MOST_VALUE };
    let tag = cipher.encrypt_inout_detached(&XNonce::from(nonce), key, body.into()).map_err(too_long)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens what [`seal`] made for the row of `key`, in its place.
pub(super) fn open(cipher: &XChaCha20Poly1305, key: &[u8], mut sealed: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let broken = || StoreError::SealBroken { table: key.first().copied().unwrap_or_default() };
    if let [format, algorithm, ..] = sealed.as_slice()
        && (*format, *algorithm) != (FORMAT, SEALED)
    {
        return Err(StoreError::UnknownFormat { format: *format, algorithm: *algorithm });
    }
    let (head, rest) = sealed.split_at_mut_checked(BODY).ok_or_else(broken)?;
    let nonce: [u8; NONCE] = head.last_chunk().copied().ok_or_else(broken)?;
    let (body, tag) = rest.split_last_chunk_mut::<TAG>().ok_or_else(broken)?;
    let length = body.len();
    cipher.decrypt_inout_detached(&XNonce::from(nonce), key, body.into(), &Tag::from(*tag)).map_err(|_| broken())?;
    sealed.truncate(BODY + length);
    sealed.drain(..BODY);
    Ok(sealed)
}
