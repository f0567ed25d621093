//! Encryption to the key of a street, which only the server can undo: HPKE (RFC 9180) in its base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
//! ChaCha20-Poly1305.
//!
//! ```text
//! 1 byte      the suite: 1
//! 32 bytes    the encapsulated key
//! …           the ciphertext, the tag behind it
//! ```
//!
//! Each use has an `info` of its own, so that nothing is taken for another thing. Who encrypted it is not said by this.

use std::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use crate::model::Entropy;

const SUITE: u8 = 1;

type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Public = <X25519HkdfSha256 as Kem>::PublicKey;

/// The key of a street that phones encrypt to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct SealingKey(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

/// Its secret half, which only the server has.
pub struct SealingSecret(Private);

/// Why something cannot be encrypted or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not encrypted to this server, or not by who signed for it")]
pub struct Unwrappable;

impl SealingSecret {
    /// Derives it from what the server keeps of a street.
    pub fn derive(secret: &[u8; 32]) -> Self {
        Self(X25519HkdfSha256::derive_keypair(secret).0)
    }

    /// The half that phones are given.
    pub fn public(&self) -> SealingKey {
        SealingKey(X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into())
    }

    /// Reads what was encrypted for this use, with this beside it.
    pub(super) fn decrypt(&self, info: &[u8], beside: &[u8], message: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unwrappable> {
        let (encapped, sealed) = message.strip_prefix(&[SUITE]).and_then(|rest| rest.split_first_chunk::<32>()).ok_or(Unwrappable)?;
        let encapped = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).map_err(|_| Unwrappable)?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &encapped,
            info,
            sealed,
            beside,
        );
        opened.map(Zeroizing::new).map_err(|_| Unwrappable)
    }
}

impl SealingKey {
    /// Encrypts for this use, with this beside it.
    pub(super) fn encrypt(&self, info: &[u8], beside: &[u8], plain: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>, Unwrappable> {
        let public = Public::from_bytes(&self.0).map_err(|_| Unwrappable)?;
        let (encapped, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            info,
            plain,
            beside,
            &mut Drawn(entropy),
        )
        .map_err(|_| Unwrappable)?;
        Ok([&[SUITE][..], &encapped.to_bytes(), &sealed].concat())
    }
}

/// Our randomness as HPKE asks for it.
struct Drawn<'a>(&'a mut dyn Entropy);

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}

impl std::fmt::Debug for SealingSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingSecret(hidden)")
    }
}
