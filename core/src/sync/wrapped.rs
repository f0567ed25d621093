//! Keys of records on their way to the server: encrypted to the key of the street, so that whoever carries a push cannot read what it brings.
//!
//! HPKE (RFC 9180) in its base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305: one encryption a request, whatever number
//! of keys. Who sends them is said by the signature over the request.
//!
//! ```text
//! 1 byte      the suite: 1
//! 32 bytes    the encapsulated key
//! …           a list of [document, ring] in CBOR, encrypted with the tag behind it
//! info        "doorstep keys v1"
//! associated  the id of the device
//! ```

use std::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use crate::docs::Keyring;
use crate::model::{DeviceId, DocId, Entropy};
use crate::sync::{List, MOST_WRAPPED_KEYS};

const SUITE: u8 = 1;
const INFO: &[u8] = b"doorstep keys v1";

type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Public = <X25519HkdfSha256 as Kem>::PublicKey;

/// The key of a street that keys are encrypted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct SealingKey(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

/// Its secret half, which only the server has.
pub struct SealingSecret(Private);

/// Keys, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct WrappedKeys(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    Vec<u8>,
);

#[cfg(test)]
impl WrappedKeys {
    /// Any bytes, as they may come.
    pub(super) const fn of_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// Why keys cannot be encrypted or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the request cannot be read")]
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

    /// Reads what a device encrypted.
    ///
    /// # Errors
    /// [`Unwrappable`] where it is no such message, or one for another street or of another device.
    pub fn open(&self, device: DeviceId, wrapped: &WrappedKeys) -> Result<Vec<(DocId, Keyring)>, Unwrappable> {
        let (encapped, sealed) = wrapped.0.strip_prefix(&[SUITE]).and_then(|rest| rest.split_first_chunk::<32>()).ok_or(Unwrappable)?;
        let encapped = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).map_err(|_| Unwrappable)?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &encapped,
            INFO,
            sealed,
            device.as_bytes(),
        );
        let opened = Zeroizing::new(opened.map_err(|_| Unwrappable)?);
        let keys: List<(DocId, Keyring), MOST_WRAPPED_KEYS> = minicbor::decode(&opened).map_err(|_| Unwrappable)?;
        Ok(keys.0)
    }
}

impl SealingKey {
    /// Encrypts keys of a device for the server.
    ///
    /// # Errors
    /// [`Unwrappable`] where this is no key.
    pub fn wrap(&self, device: DeviceId, keys: Vec<(DocId, Keyring)>, entropy: &mut dyn Entropy) -> Result<WrappedKeys, Unwrappable> {
        let public = Public::from_bytes(&self.0).map_err(|_| Unwrappable)?;
        let keys: List<(DocId, Keyring), MOST_WRAPPED_KEYS> = List(keys);
        let keys = Zeroizing::new(minicbor::to_vec(&keys).map_err(|_| Unwrappable)?);
        let (encapped, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            INFO,
            &keys,
            device.as_bytes(),
            &mut Drawn(entropy),
        )
        .map_err(|_| Unwrappable)?;
        Ok(WrappedKeys([&[SUITE][..], &encapped.to_bytes(), &sealed].concat()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::RecordKey;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
            self.0 += 1;
        }
    }

    const DEVICE: DeviceId = DeviceId::from_bytes([7; 16]);

    fn keys() -> Vec<(DocId, Keyring)> {
        let ring = |byte| Keyring::of(RecordKey::make(&mut Counting(byte)));
        vec![(DocId::from_bytes([1; 16]), ring(1)), (DocId::from_bytes([2; 16]), ring(2))]
    }

    #[test]
    fn the_street_reads_what_its_device_wrapped_and_nobody_else_does() {
        let (street, other) = (SealingSecret::derive(&[1; 32]), SealingSecret::derive(&[2; 32]));
        let wrapped = street.public().wrap(DEVICE, keys(), &mut Counting(9)).unwrap();
        assert_eq!(street.open(DEVICE, &wrapped).unwrap(), keys());
        assert_eq!(other.open(DEVICE, &wrapped), Err(Unwrappable));
        assert_eq!(street.open(DeviceId::from_bytes([8; 16]), &wrapped), Err(Unwrappable), "another device signs for it");
        for at in 0..wrapped.0.len() {
            let mut flipped = wrapped.clone();
            flipped.0[at] ^= 1;
            assert_eq!(street.open(DEVICE, &flipped), Err(Unwrappable), "byte {at}");
            assert_eq!(street.open(DEVICE, &WrappedKeys(wrapped.0[..at].to_vec())), Err(Unwrappable));
        }
    }

    #[test]
    fn a_key_that_is_no_point_wraps_nothing() {
        // The all-zero point has no shared secret.
        assert_eq!(SealingKey([0; 32]).wrap(DEVICE, keys(), &mut Counting(9)), Err(Unwrappable));
    }
}
