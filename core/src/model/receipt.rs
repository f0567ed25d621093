//! Receipts: the server's word that a change was accepted, and as which one.

use std::collections::BTreeMap;

use crate::model::{ChangeHash, Millis};

/// Number and server time of an accepted change, in the order of its document. A receipt never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
pub struct Receipt {
    /// 1 for the first change that was accepted after the genesis, and so on without gaps.
    #[n(0)]
    pub number: u64,
    /// When the server accepted it, by the server's clock.
    #[n(1)]
    pub at: Millis,
}

/// The receipts of one document, a sidecar outside automerge. A change without one is provisional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipts(BTreeMap<ChangeHash, Receipt>);

impl Receipts {
    /// The receipt of a change, if the server gave one.
    pub fn get(&self, hash: &ChangeHash) -> Option<Receipt> {
        self.0.get(hash).copied()
    }

    /// Notes a receipt. A change keeps its first: a verdict is final.
    pub fn insert(&mut self, hash: ChangeHash, receipt: Receipt) {
        self.0.entry(hash).or_insert(receipt);
    }

    /// Drops the receipt of a change that was not accepted after all (a group taken back before it was committed).
    pub fn remove(&mut self, hash: &ChangeHash) {
        self.0.remove(hash);
    }

    /// The number that the next accepted change gets.
    pub fn next_number(&self) -> u64 {
        self.0.values().map(|receipt| receipt.number).max().unwrap_or(0) + 1
    }

    /// Up to which number there is a receipt for every change. A replica that has been told of its own changes before those of others has a
    /// gap for a while; on the server there is none.
    pub fn unbroken(&self) -> u64 {
        let mut numbers: Vec<u64> = self.0.values().map(|receipt| receipt.number).collect();
        numbers.sort_unstable();
        (1..).zip(numbers).take_while(|(expected, number)| expected == number).map(|(_, number)| number).last().unwrap_or(0)
    }

    /// All receipts, by hash.
    pub fn iter(&self) -> impl Iterator<Item = (&ChangeHash, &Receipt)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no change was accepted yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(ChangeHash, Receipt)> for Receipts {
    fn from_iter<T: IntoIterator<Item = (ChangeHash, Receipt)>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// On the wire and on disk: an array of hash, number and time, three after three, in the order of numbers.
impl<C> minicbor::Encode<C> for Receipts {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(_, receipt)| receipt.number);
        e.array(entries.len() as u64 * 3)?;
        for (hash, receipt) in entries {
            e.bytes(&hash.0)?.u64(receipt.number)?.i64(receipt.at.0)?;
        }
        Ok(())
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Receipts {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = || minicbor::decode::Error::message("receipts come as hash, number and time");
        let length = d.array()?.ok_or_else(wrong)?;
        if length % 3 != 0 {
            return Err(wrong());
        }
        let mut receipts = Self::default();
        for _ in 0..length / 3 {
            let hash = ChangeHash::decode(d, ctx)?;
            receipts.insert(hash, Receipt { number: d.u64()?, at: Millis(d.i64()?) });
        }
        Ok(receipts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn receipts_are_unbroken_up_to_the_first_gap() {
        let receipts = |numbers: &[u64]| -> Receipts {
            numbers.iter().map(|number| (ChangeHash([*number as u8; 32]), Receipt { number: *number, at: Millis(0) })).collect()
        };
        assert_eq!(receipts(&[]).unbroken(), 0);
        assert_eq!(receipts(&[2, 3]).unbroken(), 0);
        assert_eq!(receipts(&[1, 2, 4]).unbroken(), 2);
        assert_eq!(receipts(&[3, 1, 2]).unbroken(), 3);
    }

    proptest! {
        #[test]
        fn receipts_are_read_back_from_their_cbor(entries in proptest::collection::btree_map(any::<[u8; 32]>(), (1u64..1_000, any::<i64>()), 0..20)) {
            let receipts: Receipts = entries
                .into_iter()
                .map(|(hash, (number, at))| (ChangeHash(hash), Receipt { number, at: Millis(at) }))
                .collect();
            prop_assert_eq!(minicbor::decode::<Receipts>(&minicbor::to_vec(&receipts).unwrap()).unwrap(), receipts);
        }
    }
}
