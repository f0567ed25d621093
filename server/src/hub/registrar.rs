//! The registrar: gives receipts, and knows its own again when somebody brings one back after the server has lost it.

use doorstep_core::model::{ChangeHash, DocId, Era, Millis, Receipt, Receipts, Seal};
use doorstep_core::sync::SealingSecret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ledger::{SealKey, Street};

/// Before what is sealed, so that no other use of the key can be taken for this one.
const NAME: &[u8] = b"doorstep receipt v1\0";

/// What the secret of the street's sealing key is derived under.
const SEALING: &[u8] = b"doorstep sealing v1\0";

/// The registrar of a street.
#[derive(Debug, Clone, Copy)]
pub struct Registrar {
    key: SealKey,
    era: Era,
}

impl Registrar {
    pub const fn of(street: &Street) -> Self {
        Self { key: street.seal_key, era: street.era }
    }

    /// The receipt of a change that is accepted behind all that have one.
    pub fn receipt(&self, doc: DocId, hash: &ChangeHash, receipts: &Receipts, at: Millis) -> Receipt {
        let number = receipts.next_number(self.era);
        Receipt { number, at, seal: self.seal(doc, hash, number, at) }
    }

    /// The first eight bytes of HMAC-SHA-256 (RFC 2104) over document, change, number and time.
    pub fn seal(&self, doc: DocId, hash: &ChangeHash, number: u64, at: Millis) -> Seal {
        // A key of any length will do for HMAC, so that this does not fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.0) else { return Seal::default() };
        for part in [NAME, doc.as_bytes(), &hash.0, &number.to_be_bytes(), &at.0.to_be_bytes()] {
            mac.update(part);
        }
        Seal(mac.finalize().into_bytes().first_chunk().copied().unwrap_or_default())
    }

    /// The secret half of what phones encrypt keys of records to: of the street, in whatever life.
    pub fn sealing(&self) -> SealingSecret {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.0) else { return SealingSecret::derive(&[0; 32]) };
        mac.update(SEALING);
        SealingSecret::derive(&mac.finalize().into_bytes().into())
    }

    /// Whether this server gave a receipt, in whatever life.
    pub fn gave(&self, doc: DocId, hash: &ChangeHash, receipt: &Receipt) -> bool {
        self.seal(doc, hash, receipt.number, receipt.at) == receipt.seal
    }

    /// Whether a receipt is of an earlier life of the ledger, of which more may be missing.
    pub fn is_earlier(&self, receipt: &Receipt) -> bool {
        Era::of(receipt.number) < self.era
    }

    /// Whether the ledger was set up again at some time.
    pub fn is_restored(&self) -> bool {
        self.era > Era::default()
    }
}

#[cfg(test)]
mod tests {
    use doorstep_core::model::{LedgerId, StreetId};

    use super::*;

    const DOC: DocId = DocId::from_bytes([1; 16]);
    const HASH: ChangeHash = ChangeHash([2; 32]);
    const NOW: Millis = Millis(1_795_449_600_000);

    fn registrar(key: u8, era: u64) -> Registrar {
        let street = Street::new(StreetId::from_bytes([3; 16]), String::new(), LedgerId::from_bytes([4; 16]), SealKey([key; 32]));
        Registrar::of(&Street { era: Era(era), ..street })
    }

    #[test]
    fn a_receipt_is_known_again_in_another_life() {
        let receipt = registrar(9, 0).receipt(DOC, &HASH, &Receipts::default(), NOW);
        assert_eq!(receipt.number, 1);
        assert!(registrar(9, 5).gave(DOC, &HASH, &receipt));
        assert!(registrar(9, 5).is_earlier(&receipt) && !registrar(9, 0).is_earlier(&receipt));
    }

    #[test]
    fn nothing_about_a_receipt_can_be_changed() {
        let own = registrar(9, 0);
        let receipt = own.receipt(DOC, &HASH, &Receipts::default(), NOW);
        assert!(!own.gave(DocId::from_bytes([7; 16]), &HASH, &receipt));
        assert!(!own.gave(DOC, &ChangeHash([7; 32]), &receipt));
        assert!(!own.gave(DOC, &HASH, &Receipt { number: 2, ..receipt }));
        assert!(!own.gave(DOC, &HASH, &Receipt { at: Millis(0), ..receipt }));
        assert!(!own.gave(DOC, &HASH, &Receipt { seal: Seal::default(), ..receipt }));
        assert!(!registrar(8, 0).gave(DOC, &HASH, &receipt), "another street's");
    }
}
