//! Passwords and their hashes (argon2id).

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use doorstep_core::model::{Entropy, Invalid};
use subtle::ConstantTimeEq as _;

/// Memory of one hash in KiB, passes and lanes: what OWASP's cheat sheet on password storage asks of argon2id at the least (19 MiB, 2, 1).
/// On the machine of a street 20 to 40 ms, and twenty guesses at once still fit beside a hub.
const COST: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
/// Bytes of salt, and of the hash.
const SALT: usize = 16;
const OUTPUT: usize = 32;

/// The shortest password, in characters: with a lockout after five failures, twelve cannot be guessed on line, and off line not soon.
const LEAST: usize = 12;
/// The longest, in bytes: nobody types more, and hashing takes no longer for it.
const MOST: usize = 256;

/// A password as it was typed. Never shown, not even in `Debug`.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A new password, which has to keep the rules.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn chosen(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() < LEAST {
            return Err(Invalid::new("password", format!("is shorter than {LEAST} characters")));
        }
        if text.len() > MOST {
            return Err(Invalid::new("password", format!("is longer than {MOST} bytes")));
        }
        Ok(Self(text.to_owned()))
    }

    /// A password that is tried. What could never be one counts as a wrong one.
    pub fn tried(text: &str) -> Self {
        Self(if text.len() > MOST { String::new() } else { text.to_owned() })
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What a hash costs. Kept beside it, so that it can be raised for later passwords.
#[derive(Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
struct Cost {
    #[n(0)]
    memory_kib: u32,
    #[n(1)]
    passes: u32,
    #[n(2)]
    lanes: u32,
}

/// The hash of a password, with all that is needed to try one against it.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub(super) struct Hash {
    #[n(0)]
    cost: Cost,
    #[cbor(n(1), with = "minicbor::bytes")]
    salt: [u8; SALT],
    #[cbor(n(2), with = "minicbor::bytes")]
    output: [u8; OUTPUT],
}

impl Hash {
    /// Hashes a password.
    pub fn make(password: &Password, entropy: &mut dyn Entropy) -> Self {
        let mut salt = [0; SALT];
        entropy.fill(&mut salt);
        // The cost is ours and in range; a hash that nothing matches is the safe end of a case that there is not.
        let output = hash(COST, &password.0, &salt).unwrap_or([0; OUTPUT]);
        Self { cost: COST, salt, output }
    }

    /// The hash of a password that nobody has.
    pub fn of_nobody(entropy: &mut dyn Entropy) -> Self {
        let mut made = Self { cost: COST, salt: [0; SALT], output: [0; OUTPUT] };
        entropy.fill(&mut made.salt);
        entropy.fill(&mut made.output);
        made
    }

    /// Whether it is the hash of this password. As slow as making one.
    pub fn is_of(&self, password: &Password) -> bool {
        hash(self.cost, &password.0, &self.salt).is_some_and(|output| bool::from(output.ct_eq(&self.output)))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

fn hash(cost: Cost, password: &str, salt: &[u8; SALT]) -> Option<[u8; OUTPUT]> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(OUTPUT)).ok()?;
    let mut output = [0; OUTPUT];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password.as_bytes(), salt, &mut output).ok()?;
    Some(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn a_hash_is_of_its_password_and_of_no_other_and_salted() {
        let password = Password::chosen("correct horse battery").unwrap();
        let [one, other] = [(); 2].map(|()| Hash::make(&password, &mut SystemEntropy));
        assert!(one.is_of(&password) && other.is_of(&password) && one != other);
        assert!(!one.is_of(&Password::tried("correct horse batterY")) && !one.is_of(&Password::tried("")));
        assert!(!Hash::of_nobody(&mut SystemEntropy).is_of(&password));
    }

    #[test]
    fn the_hash_is_that_of_argon2id_as_others_compute_it() {
        // `echo -n 'correct horse battery' | argon2 doorstep-salt-16 -id -t 2 -k 19456 -p 1 -l 32 -r`
        let output = hash(COST, "correct horse battery", b"doorstep-salt-16").unwrap();
        let hex: String = output.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "31ebc36af387a1cacb4efa80d2acbac56de48fc846a5c465709871076bda4d9a");
    }

    #[test]
    fn a_password_that_is_too_short_or_too_long_is_refused_by_rule() {
        assert!(Password::chosen("十二个字的密码也算足够长").is_ok());
        assert_eq!(Password::chosen("elevenchars").unwrap_err().rule, "is shorter than 12 characters");
        assert_eq!(Password::chosen(&"x".repeat(257)).unwrap_err().rule, "is longer than 256 bytes");
        assert_eq!(format!("{:?}", Password::tried("geheim")), "Password(…)");
    }
}
