//! The one row of a sealed store that is not the caller's: the store's own key, wrapped under the app's.
//!
//! ```text
//! 1, 1        format, and that the store has its key
//! 24 bytes    nonce
//! 48 bytes    the store's key and the tag, under XChaCha20-Poly1305 with the app's key
//! 8 bytes     the first bytes of the SHA-256 of all before
//!
//! 1, 255      the store was wiped
//! ```
//!
//! The values are sealed with the store's key, which is drawn when the store is made and never changes; so another key of the app costs one row.
//! The check at the end needs no key: it tells a damaged row from one that another key wrapped.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::envelope::{self, NONCE};
use super::key::StoreKey;
use crate::store::StoreError;
use crate::store::row::{FORMAT, SEALED};

/// The key of this row. Behind every table that a room may have: tables are numbered from 1.
pub(super) const KEY_ROW: &[u8] = b"\xFFkey of the store";

/// The second byte of a wiped store's row.
const WIPED: u8 = 255;

/// The bytes of the check.
const CHECK: usize = 8;

/// What stands in the row of a wiped store.
pub(super) fn wiped() -> Vec<u8> {
    vec![FORMAT, WIPED]
}

/// Wraps the store's key.
pub(super) fn wrap(under: &StoreKey, nonce: [u8; NONCE], own: &StoreKey) -> Result<Vec<u8>, StoreError> {
    let mut row = envelope::seal(&under.cipher(), nonce, KEY_ROW, own.as_bytes())?;
    let check = check_of(&row);
    row.extend_from_slice(&check);
    Ok(row)
}

/// The store's key, or why there is none: `WrongKey`, `Wiped`, `Damaged`, or a format of a later version.
pub(super) fn unwrap(under: &StoreKey, row: &[u8]) -> Result<StoreKey, StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged { what: "the row of the store's key is not what was written" };
    match row {
        [FORMAT, SEALED, ..] => {}
        [FORMAT, WIPED] => return Err(StoreError::Wiped),
        [format, algorithm, ..] => return Err(StoreError::UnknownFormat { format: *format, algorithm: *algorithm }),
        _ => return Err(DAMAGED),
    }
    let (wrapped, check) = row.split_last_chunk::<CHECK>().ok_or(DAMAGED)?;
    if check_of(wrapped) != *check {
        return Err(DAMAGED);
    }
    let own = envelope::open(&under.cipher(), KEY_ROW, wrapped.to_vec()).map(Zeroizing::new).map_err(|_| StoreError::WrongKey)?;
    StoreKey::try_from(own.as_slice()).map_err(|_| DAMAGED)
}

fn check_of(wrapped: &[u8]) -> [u8; CHECK] {
    let hash: [u8; 32] = Sha256::digest(wrapped).into();
    hash.first_chunk().copied().unwrap_or_default()
}
