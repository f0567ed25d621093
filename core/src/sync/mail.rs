//! Mail: a push that another's phone carries. Its author's phone signs it and encrypts it to the server; whoever carries it can neither read it nor change
//! it, and learns nothing of what becomes of it.
//!
//! A mail is a frame of its own with the street in clear, so that the server knows its key. Inside lies the frame of a signed request, of which only the
//! push and its keys count: nothing is read for it, and to take it twice changes nothing, so it needs no nonce. The author's phone hears the verdicts
//! when it sends the same groups itself.

use crate::model::{Entropy, StreetId};
use crate::sync::{Encoding, FrameError, SealingKey, SealingSecret, Unwrappable, open_frame, seal_frame};

const INFO: &[u8] = b"doorstep mail v1";

/// A push in its envelope.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Mail {
    /// Whose key it is encrypted to.
    #[n(0)]
    pub street: StreetId,
    /// The frame of the request, encrypted.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

impl Mail {
    /// Puts the frame of a signed request into an envelope.
    ///
    /// # Errors
    /// [`Unwrappable`] where the street's key is none.
    pub fn seal(street: StreetId, key: SealingKey, frame: &[u8], entropy: &mut dyn Entropy) -> Result<Self, Unwrappable> {
        Ok(Self { street, sealed: key.encrypt(INFO, street.as_bytes(), frame, entropy)? })
    }

    /// Takes the frame out.
    ///
    /// # Errors
    /// [`Unwrappable`] where it is encrypted to another key, or was changed.
    pub fn open(&self, secret: &SealingSecret) -> Result<Vec<u8>, Unwrappable> {
        Ok(secret.decrypt(INFO, self.street.as_bytes(), &self.sealed)?.to_vec())
    }

    /// As it is carried.
    pub fn to_bytes(&self) -> Vec<u8> {
        // What is encrypted does not become less.
        seal_frame(self, Encoding::None)
    }

    /// Reads what was carried.
    ///
    /// # Errors
    /// When it is no mail.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrameError> {
        open_frame(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(9);
        }
    }

    #[test]
    fn only_the_server_of_its_street_takes_it_out_and_only_whole() {
        let (street, secret) = (StreetId::from_bytes([1; 16]), SealingSecret::derive(&[1; 32]));
        let mail = Mail::seal(street, secret.public(), b"a signed request", &mut Fixed).unwrap();
        let carried = Mail::from_bytes(&mail.to_bytes()).unwrap();
        assert_eq!(carried.open(&secret).unwrap(), b"a signed request");
        assert_eq!(carried.open(&SealingSecret::derive(&[2; 32])), Err(Unwrappable));
        let redirected = Mail { street: StreetId::from_bytes([2; 16]), ..carried.clone() };
        assert_eq!(redirected.open(&secret), Err(Unwrappable));
        for at in 0..carried.sealed.len() {
            let mut flipped = carried.clone();
            flipped.sealed[at] ^= 1;
            assert_eq!(flipped.open(&secret), Err(Unwrappable), "byte {at}");
        }
    }
}
