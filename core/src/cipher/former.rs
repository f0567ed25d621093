//! How small values were sealed at first: XChaCha20-Poly1305 under a nonce derived from what was sealed. They are read and not written any more.
//!
//! ```text
//! 24 bytes   the nonce: the beginning of HMAC-SHA-256 over length of place (u64 be), place and value, under a key derived for it
//! …          the value, as long as it is in clear
//! 16 bytes   the tag, over the value and its place
//! ```

use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::KEY;

const NONCE: usize = 24;
const TAG: usize = 16;
/// How many bytes a sealed value is longer than in clear.
pub const OVERHEAD: usize = NONCE + TAG;

/// Opens what was sealed for this place; `None` for anything else.
pub fn open(key: &[u8; KEY], place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (body, tag) = rest.split_last_chunk::<TAG>()?;
    let mut value = Zeroizing::new(body.to_vec());
    let cipher = XChaCha20Poly1305::new(key.into());
    let opened = cipher.decrypt_inout_detached(&XNonce::from(*nonce), place, value.as_mut_slice().into(), &Tag::from(*tag));
    opened.ok().map(|()| value)
}
