//! Tokens: 32 random bytes that are shown, and the hash that is kept.

use std::fmt;
use std::str::FromStr;

use doorstep_core::model::{Entropy, Invalid};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What a session shows. Its text form is 64 hexadecimal digits; `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// What is kept of a token. Tokens are looked up by it, so no comparison tells how much of one was right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TokenHash(pub [u8; 32]);

impl Token {
    /// A new one.
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The one that follows this one for a purpose. Only who holds this one can compute it, so the server can answer the same twice and
    /// keeps nothing of it but `nonce`, which makes it new.
    pub(super) fn next(&self, purpose: &[u8], nonce: &[u8; 16]) -> Self {
        // HMAC pads a key that is shorter than its block with zeros.
        let mut block = [0; 64];
        block.iter_mut().zip(self.0).for_each(|(to, byte)| *to = byte);
        let mut mac = <Hmac<Sha256>>::new(&block.into());
        mac.update(b"doorstep token ");
        mac.update(purpose);
        mac.update(nonce);
        Self(mac.finalize().into_bytes().into())
    }

    pub(super) fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("token", "is not 64 hexadecimal digits");
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Err(wrong()) };
            let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn a_token_reads_back_from_its_text_and_its_debug_shows_nothing() {
        let token = Token::make(&mut SystemEntropy);
        let text = token.to_string();
        assert_eq!((text.len(), text.parse()), (64, Ok(token.clone())));
        assert_eq!(format!("{token:?}"), "Token(…)");
        for bad in ["", "00", &"g".repeat(64), &text[1..], &"é".repeat(32)] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_follows_a_token_differs_by_purpose_and_nonce() {
        let token = Token::make(&mut SystemEntropy);
        let next = [(b"a", 0), (b"b", 0), (b"a", 1)].map(|(purpose, nonce)| token.next(purpose, &[nonce; 16]));
        assert_eq!(next[0], token.next(b"a", &[0; 16]));
        assert!(next[0] != next[1] && next[0] != next[2] && next[1] != next[2]);
    }
}
