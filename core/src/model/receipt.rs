//! Receipts: the server's word that a change was accepted, and as which one.

use std::collections::BTreeMap;

use crate::model::{ChangeHash, Millis};

/// Number and server time of an accepted change, in the order of its document. A receipt never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receipt {
    /// Greater than that of every change of the document that was accepted before; see [`Era`].
    pub number: u64,
    /// When the server accepted it, by the server's clock.
    pub at: Millis,
    /// By this the server knows the receipt as its own, should it have lost it.
    pub seal: Seal,
}

/// What a server puts on a receipt so that it will believe it when somebody shows it again: eight bytes that only the server can compute. Nobody
/// can try them out but by asking it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Seal(pub [u8; 8]);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal({:016x})", u64::from_be_bytes(self.0))
    }
}

/// The numbers that one life of a ledger gives. A server that was restored from a backup does not know how far it had counted, so it goes on
/// far above: what phones then bring back of before keeps its numbers and its place, and none is given twice.
///
/// 0 is that of a ledger that was never restored; any other the second, since 1970, in which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Era(#[n(0)] pub u64);

impl Era {
    /// How many bits of a number count within an era: a document has 400 kB at most, with a receipt for each 45 bytes.
    const INDEX_BITS: u32 = 16;

    /// The era that begins now, behind all before.
    pub fn beginning(now: Millis, last: Self) -> Self {
        let seconds = u64::try_from(now.0).unwrap_or(0) / 1_000;
        Self(seconds.max(last.0 + 1))
    }

    /// That of a number.
    pub const fn of(number: u64) -> Self {
        Self(number >> Self::INDEX_BITS)
    }

    /// The number before the first of this era.
    const fn zero(self) -> u64 {
        self.0 << Self::INDEX_BITS
    }
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

    /// The number that the next change gets which is accepted in this era.
    pub fn next_number(&self, era: Era) -> u64 {
        self.0.values().map(|receipt| receipt.number).max().unwrap_or(0).max(era.zero()) + 1
    }

    /// Up to which number there is a receipt for every change. A replica that has been told of its own changes before those of others has a
    /// gap for a while; on the server there is none. What an earlier era gave counts as it is: what is missing of it may never come.
    pub fn unbroken(&self) -> u64 {
        let mut numbers: Vec<u64> = self.0.values().map(|receipt| receipt.number).collect();
        numbers.sort_unstable();
        let era = numbers.last().map_or(Era::default(), |last| Era::of(*last));
        let earlier = numbers.partition_point(|number| Era::of(*number) < era);
        let (earlier, present) = numbers.split_at(earlier);
        let last = (era.zero() + 1..).zip(present).take_while(|(expected, number)| expected == *number).map(|(_, number)| *number).last();
        last.or(earlier.last().copied()).unwrap_or(0)
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

/// How many items stand for a receipt in the array of all.
const ITEMS: u64 = 4;

/// On the wire and on disk: an array of hash, number, time and seal, four after four, in the order of numbers.
impl<C> minicbor::Encode<C> for Receipts {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(_, receipt)| receipt.number);
        e.array(entries.len() as u64 * ITEMS)?;
        for (hash, receipt) in entries {
            e.bytes(&hash.0)?.u64(receipt.number)?.i64(receipt.at.0)?.bytes(&receipt.seal.0)?;
        }
        Ok(())
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Receipts {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = || minicbor::decode::Error::message("receipts come as hash, number, time and seal");
        let length = d.array()?.ok_or_else(wrong)?;
        if length % ITEMS != 0 {
            return Err(wrong());
        }
        let mut receipts = Self::default();
        for _ in 0..length / ITEMS {
            let hash = ChangeHash::decode(d, ctx)?;
            receipts.insert(hash, Receipt { number: d.u64()?, at: Millis(d.i64()?), seal: Seal::decode(d, ctx)? });
        }
        Ok(receipts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn receipts(numbers: impl IntoIterator<Item = u64>) -> Receipts {
        let receipt = |number: u64| Receipt { number, at: Millis(0), seal: Seal::default() };
        numbers.into_iter().enumerate().map(|(index, number)| (ChangeHash([index as u8; 32]), receipt(number))).collect()
    }

    #[test]
    fn receipts_are_unbroken_up_to_the_first_gap() {
        assert_eq!(receipts([]).unbroken(), 0);
        assert_eq!(receipts([2, 3]).unbroken(), 0);
        assert_eq!(receipts([1, 2, 4]).unbroken(), 2);
        assert_eq!(receipts([3, 1, 2]).unbroken(), 3);
    }

    #[test]
    fn a_gap_of_an_earlier_era_breaks_nothing_and_one_of_the_last_does() {
        let zero = Era(3).zero();
        assert_eq!(receipts([1, 3]).next_number(Era(3)), zero + 1);
        assert_eq!(receipts([1, 3, zero + 1]).next_number(Era(3)), zero + 2);
        assert_eq!(receipts([1, 3, zero + 1, zero + 2, zero + 4]).unbroken(), zero + 2);
        assert_eq!(receipts([1, 3, zero + 2]).unbroken(), 3);
        assert_eq!(receipts([zero + 2]).unbroken(), 0);
    }

    #[test]
    fn an_era_lies_behind_all_before_it_whatever_the_clock_says() {
        let first = Era::beginning(Millis(1_764_000_000_000), Era::default());
        assert!(Era::of(receipts([]).next_number(first)) == first && first > Era::default());
        assert!(Era::beginning(Millis(-5), first) > first);
        assert!(Era::beginning(Millis(1_764_000_000_999), first) > first);
    }

    proptest! {
        #[test]
        fn receipts_are_read_back_from_their_cbor(
            entries in proptest::collection::btree_map(any::<[u8; 32]>(), (1u64..1_000, any::<i64>(), any::<[u8; 8]>()), 0..20)
        ) {
            let receipts: Receipts = entries
                .into_iter()
                .map(|(hash, (number, at, seal))| (ChangeHash(hash), Receipt { number, at: Millis(at), seal: Seal(seal) }))
                .collect();
            prop_assert_eq!(minicbor::decode::<Receipts>(&minicbor::to_vec(&receipts).unwrap()).unwrap(), receipts);
        }
    }
}
