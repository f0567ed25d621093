//! Keys of records on their way to the server: encrypted to the key of the street (see `hybrid`), so that whoever carries a push cannot read what it
//! brings. One encryption a request, whatever number of keys. Who sends them is said by the signature over the request.
//!
//! ```text
//! plain       a list of [document, ring] in CBOR
//! info        "doorstep keys v1"
//! beside      the id of the device
//! ```

use zeroize::Zeroizing;

use crate::docs::Keyring;
use crate::model::{DeviceId, DocId, Entropy};
use crate::sync::{List, MOST_WRAPPED_KEYS, SealingKey, SealingSecret, Unwrappable};

const INFO: &[u8] = b"doorstep keys v1";

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

impl SealingSecret {
    /// Reads what a device encrypted.
    ///
    /// # Errors
    /// [`Unwrappable`] where it is no such message, or one for another street or of another device.
    pub fn open(&self, device: DeviceId, wrapped: &WrappedKeys) -> Result<Vec<(DocId, Keyring)>, Unwrappable> {
        let opened = self.decrypt(INFO, device.as_bytes(), &wrapped.0)?;
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
        let keys: List<(DocId, Keyring), MOST_WRAPPED_KEYS> = List(keys);
        let keys = Zeroizing::new(minicbor::to_vec(&keys).map_err(|_| Unwrappable)?);
        Ok(WrappedKeys(self.encrypt(INFO, device.as_bytes(), &keys, entropy)?))
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
