//! What makes a request count once: a nonce of the server and a number that only grows.
//!
//! A request is signed with both. The server answers a device only where the nonce is its own and the number is greater than any that this device
//! used under it; what was written down on the way and is sent again gets nothing but a challenge, which says the nonce and the greatest number.
//! The phone keeps the nonce and takes its numbers from its clock, so that a request costs no write and a lost answer locks nobody out: at worst a
//! challenge costs one round trip, after a restart of the server or on a phone whose clock fell back.

use crate::model::{Entropy, Millis};

/// A nonce of the server: another one in each life of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Nonce(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 16],
);

impl Nonce {
    /// Draws one.
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }
}

/// In a request: under which nonce it is sent, and as which number. In a challenge: the nonce to use, and the greatest number so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Freshness {
    /// The server's nonce.
    #[n(0)]
    pub nonce: Nonce,
    /// The number.
    #[n(1)]
    pub number: u64,
}

impl Freshness {
    /// What the next request is sent with: above the last number, and no less than the phone's clock says.
    #[must_use]
    pub fn next(self, clock: Millis) -> Self {
        let by_clock = u64::try_from(clock.0).unwrap_or(0);
        Self { number: self.number.saturating_add(1).max(by_clock), ..self }
    }

    /// Whether the server answers a request that claims this, where `greatest` is the greatest number of the device under its `nonce`.
    ///
    /// # Errors
    /// The challenge that is the whole answer otherwise.
    pub fn check(claimed: Option<Self>, nonce: Nonce, greatest: u64) -> Result<u64, Self> {
        match claimed {
            Some(fresh) if fresh.nonce == nonce && fresh.number > greatest => Ok(fresh.number),
            _ => Err(Self { nonce, number: greatest }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONCE: Nonce = Nonce([1; 16]);

    #[test]
    fn a_request_counts_once_and_under_the_present_nonce_only() {
        let first = Freshness { nonce: NONCE, number: 0 }.next(Millis(1_000));
        let greatest = Freshness::check(Some(first), NONCE, 0).unwrap();
        let challenge = Freshness { nonce: NONCE, number: greatest };
        assert_eq!(Freshness::check(Some(first), NONCE, greatest), Err(challenge), "sent again");
        assert_eq!(Freshness::check(None, NONCE, greatest), Err(challenge));
        let other = Nonce([2; 16]);
        assert_eq!(Freshness::check(Some(first), other, 0), Err(Freshness { nonce: other, number: 0 }), "of another life of the server");
    }

    proptest! {
        #[test]
        fn what_is_sent_after_a_challenge_is_fresh_whatever_the_clock_says(greatest in 0..u64::MAX, clock: i64) {
            let Err(challenge) = Freshness::check(None, NONCE, greatest) else { panic!() };
            prop_assert!(Freshness::check(Some(challenge.next(Millis(clock))), NONCE, greatest).is_ok());
        }

        #[test]
        fn numbers_only_grow(number in 0..u64::MAX, clock: i64) {
            let next = Freshness { nonce: NONCE, number }.next(Millis(clock));
            prop_assert!(next.number > number);
        }
    }
}
