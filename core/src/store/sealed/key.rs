//! The keys: the app's, and the store's own.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::model::{Entropy, Invalid};

/// The key that an app keeps for one store of one user, in its Keystore or Keychain. Overwritten in memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; StoreKey::BYTES]>);

impl StoreKey {
    /// Its length in bytes: that of a key of XChaCha20-Poly1305.
    pub const BYTES: usize = 32;

    /// Makes a new key for a new store.
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        entropy.fill(&mut *bytes);
        Self(bytes)
    }

    /// The bytes, for who keeps them.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// What seals and opens with this key.
    pub(super) fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

impl TryFrom<&[u8]> for StoreKey {
    type Error = Invalid;

    /// Takes a key from its bytes; fails where there are more or fewer than 32.
    fn try_from(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut key = Zeroizing::new([0; Self::BYTES]);
        if bytes.len() != Self::BYTES {
            return Err(Invalid::new("store_key", "has not 32 bytes"));
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }
}

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKey(hidden)")
    }
}
