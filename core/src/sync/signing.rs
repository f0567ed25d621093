//! Who is it: Ed25519 signatures of devices over requests and pushes. An algorithm byte stands before each key, hash and signature.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::model::{DeviceId, Entropy};
use crate::sync::frame::{FrameError, decode};
use crate::sync::{Leaf, merkle_root};

/// Ed25519 (RFC 8032), verified strictly.
const ED25519: u8 = 1;

/// What hashes a push is signed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum HashAlgorithm {
    /// SHA-256.
    #[n(1)]
    Sha256,
}

/// The key of a device. Its `Debug` shows nothing of it; it is wiped from memory when dropped.
pub struct DeviceKey(SigningKey);

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceKey(…)")
    }
}

impl DeviceKey {
    /// Makes a new key.
    pub fn make(entropy: &mut (impl Entropy + ?Sized)) -> Self {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        Self::from_seed(&seed)
    }

    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, to be kept in the phone's store.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The half that everybody may know.
    pub fn public(&self) -> PublicKey {
        PublicKey { algorithm: ED25519, bytes: self.0.verifying_key().to_bytes() }
    }

    /// Signs the bytes of a message under its name.
    fn sign(&self, name: &str, message: &[u8]) -> Signature {
        Signature { algorithm: ED25519, bytes: self.0.sign(&named(name, message)).to_bytes() }
    }

    /// Signs a push: all its changes with one signature.
    pub fn sign_push(&self, device: DeviceId, leaves: &[Leaf]) -> Signature {
        self.sign(PUSH, &push_message(device, leaves))
    }

    /// Signs a message as a whole.
    pub fn seal(&self, payload: Vec<u8>) -> Signed {
        let signature = self.sign(REQUEST, &payload);
        Signed { payload, signature }
    }
}

/// The public key of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PublicKey {
    /// 1: Ed25519.
    #[n(0)]
    pub algorithm: u8,
    /// The key's 32 bytes.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: [u8; 32],
}

/// A signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Signature {
    /// 1: Ed25519.
    #[n(0)]
    pub algorithm: u8,
    /// The signature's 64 bytes.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: [u8; 64],
}

/// A message with the signature of the device that sends it: the body of every request's frame.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Signed {
    /// The encoded message.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub payload: Vec<u8>,
    /// The signature over `doorstep request v1`, a zero byte and the payload.
    #[n(1)]
    pub signature: Signature,
}

impl Signed {
    /// The message inside. Says nothing of the signature: see [`PublicKey::verify_request`].
    ///
    /// # Errors
    /// [`FrameError::Undecodable`] when the payload is not that message. Never panics.
    pub fn open<M: for<'b> minicbor::Decode<'b, ()>>(&self) -> Result<M, FrameError> {
        decode(&self.payload)
    }
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// An algorithm that this side does not know.
    #[error("signature algorithm {found} is not known")]
    Algorithm {
        /// The byte that came.
        found: u8,
    },
    /// The key is no point of the curve, or the signature is not that of these bytes by this key.
    #[error("the signature is wrong")]
    Wrong,
}

impl SignatureError {
    /// The code in problems and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Algorithm { .. } => "signature.algorithm",
            Self::Wrong => "signature.wrong",
        }
    }
}

const REQUEST: &str = "doorstep request v1";
const PUSH: &str = "doorstep push v1";

impl PublicKey {
    /// Checks the signature of a push.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify_push(&self, device: DeviceId, leaves: &[Leaf], signature: &Signature) -> Result<(), SignatureError> {
        self.verify(PUSH, &push_message(device, leaves), signature)
    }

    /// Checks the signature of a request.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify_request(&self, signed: &Signed) -> Result<(), SignatureError> {
        self.verify(REQUEST, &signed.payload, &signed.signature)
    }

    fn verify(&self, name: &str, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        if self.algorithm != ED25519 {
            return Err(SignatureError::Algorithm { found: self.algorithm });
        }
        if signature.algorithm != ED25519 {
            return Err(SignatureError::Algorithm { found: signature.algorithm });
        }
        let key = VerifyingKey::from_bytes(&self.bytes).map_err(|_| SignatureError::Wrong)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        key.verify_strict(&named(name, message), &signature).map_err(|_| SignatureError::Wrong)
    }
}

/// What a push's signature is over: device, hash algorithm, root. The device is in it, so that nobody presents another's push as his own.
pub fn push_message(device: DeviceId, leaves: &[Leaf]) -> Vec<u8> {
    let mut message = device.as_bytes().to_vec();
    message.push(1); // HashAlgorithm::Sha256
    message.extend_from_slice(&merkle_root(leaves));
    message
}

/// A signature for one purpose must not serve for another: the purpose's name and a zero byte stand before what is signed.
fn named(name: &str, message: &[u8]) -> Vec<u8> {
    let mut named = name.as_bytes().to_vec();
    named.push(0);
    named.extend_from_slice(message);
    named
}

#[cfg(test)]
mod tests;
