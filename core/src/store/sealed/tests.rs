//! The seal against wrong keys, flipped bits, moved values and power cuts.

use proptest::prelude::*;

use super::*;
use crate::store::simulated::tests::seeded;
use crate::store::{Batch, MOST_KEY, MemoryStore, SimulatedOptions, SimulatedStore};

/// Random bytes out of a seed.
pub(in crate::store) struct Seeded(crate::store::Numbers);

impl Seeded {
    pub(in crate::store) fn new(seed: u64) -> Self {
        Self(seeded(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&(self.0)().to_le_bytes()[..chunk.len()]);
        }
    }
}

pub(in crate::store) fn key(number: u8) -> StoreKey {
    StoreKey::try_from(&[number; StoreKey::BYTES][..]).unwrap()
}

fn open<S: Store>(below: S, number: u8) -> Result<SealedStore<S>, StoreError> {
    SealedStore::open(below, &key(number), Box::new(Seeded::new(7)))
}

fn code_of<T>(result: Result<T, StoreError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}

fn put(store: &dyn Store, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put(key.to_vec(), value.to_vec());
    store.commit(batch)
}

fn everything(store: &dyn Read) -> Vec<Entry> {
    store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap()
}

/// A memory with a sealed store of two rows in it.
fn filled() -> Arc<MemoryStore> {
    let memory = Arc::new(MemoryStore::new());
    let store = open(memory.clone(), 1).unwrap();
    put(&store, b"\x03a", "张三".as_bytes()).unwrap();
    put(&store, b"\x04b", "李四".as_bytes()).unwrap();
    memory
}

fn is_as_filled(store: &dyn Read) {
    let expected = [(b"\x03a".to_vec(), "张三".as_bytes().to_vec()), (b"\x04b".to_vec(), "李四".as_bytes().to_vec())];
    assert_eq!(everything(store), expected);
}

#[test]
fn a_wrong_key_is_said_so_and_writes_nothing() {
    let memory = filled();
    let before = everything(&memory);
    assert_eq!(code_of(open(memory.clone(), 2)), "store.wrong_key");
    assert_eq!(everything(&memory), before);
    is_as_filled(&open(memory, 1).unwrap());
}

#[test]
fn a_store_in_clear_is_not_taken_for_a_sealed_one_and_stays_as_it_is() {
    let memory = Arc::new(MemoryStore::new());
    put(&memory, b"\x01a", &crate::store::row::seal(b"in clear")).unwrap();
    assert!(!is_sealed(&memory).unwrap());
    let before = everything(&memory);
    assert_eq!(code_of(open(memory.clone(), 1)), "store.not_sealed");
    assert_eq!(everything(&memory), before);
}

#[test]
fn a_sealed_store_without_the_row_of_its_key_is_damaged_and_gets_no_new_key() {
    let memory = filled();
    let mut batch = Batch::new();
    batch.delete(KEY_ROW.to_vec());
    memory.commit(batch).unwrap();
    assert_eq!(code_of(open(memory.clone(), 1)), "store.damaged");
    assert_eq!(memory.get(KEY_ROW).unwrap(), None);
}

#[test]
fn any_flipped_bit_of_the_row_of_the_key_is_damage_and_no_wrong_key() {
    let memory = filled();
    let row = memory.get(KEY_ROW).unwrap().unwrap();
    for bit in 0..row.len() * 8 {
        let mut broken = row.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        put(&memory, KEY_ROW, &broken).unwrap();
        let expected = if bit < 16 { "store.unknown_format" } else { "store.damaged" };
        assert_eq!(code_of(open(memory.clone(), 1)), expected, "bit {bit}");
    }
    for length in 0..row.len() {
        put(&memory, KEY_ROW, &row[..length]).unwrap();
        assert_eq!(code_of(open(memory.clone(), 1)), "store.damaged", "cut to {length}");
    }
    put(&memory, KEY_ROW, &row).unwrap();
    is_as_filled(&open(memory, 1).unwrap());
}

#[test]
fn any_flipped_bit_of_a_value_is_found_and_its_table_is_named() {
    let memory = filled();
    let store = open(memory.clone(), 1).unwrap();
    let value = memory.get(b"\x03a").unwrap().unwrap();
    for bit in 0..value.len() * 8 {
        let mut broken = value.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        put(&memory, b"\x03a", &broken).unwrap();
        let found = store.get(b"\x03a").unwrap_err();
        if bit < 16 {
            assert_eq!(found.code(), "store.unknown_format", "bit {bit}");
        } else {
            assert_eq!(found, StoreError::SealBroken { table: 3 }, "bit {bit}");
        }
        assert_eq!(store.range(Bound::Unbounded, Bound::Unbounded, 9).unwrap_err(), found);
    }
    for length in 0..value.len() {
        put(&memory, b"\x03a", &value[..length]).unwrap();
        assert_eq!(store.get(b"\x03a"), Err(StoreError::SealBroken { table: 3 }), "cut to {length}");
    }
    assert_eq!(store.get(b"\x04b").unwrap().unwrap(), "李四".as_bytes());
}

#[test]
fn values_that_changed_places_are_found() {
    let memory = filled();
    let (one, other) = (memory.get(b"\x03a").unwrap().unwrap(), memory.get(b"\x04b").unwrap().unwrap());
    put(&memory, b"\x03a", &other).unwrap();
    put(&memory, b"\x04b", &one).unwrap();
    let store = open(memory, 1).unwrap();
    assert_eq!(store.get(b"\x03a"), Err(StoreError::SealBroken { table: 3 }));
    assert_eq!(store.get(b"\x04b"), Err(StoreError::SealBroken { table: 4 }));
}

#[test]
fn the_same_value_is_never_sealed_alike() {
    let memory = Arc::new(MemoryStore::new());
    let store = open(memory.clone(), 1).unwrap();
    let sealed: std::collections::BTreeSet<Vec<u8>> = (0..50)
        .map(|_| {
            put(&store, b"k", b"the same").unwrap();
            memory.get(b"k").unwrap().unwrap()[2..2 + NONCE].to_vec()
        })
        .collect();
    assert_eq!(sealed.len(), 50);
}

#[test]
fn the_own_row_is_not_the_callers() {
    let memory = filled();
    let row = memory.get(KEY_ROW).unwrap();
    let store = open(memory.clone(), 1).unwrap();
    assert_eq!(store.get(KEY_ROW).unwrap(), None);
    assert_eq!(code_of(put(&store, KEY_ROW, b"mine")), "store.reserved");
    let deleted = store.transact(Box::new(|tx| {
        tx.put(b"beside".to_vec(), vec![]);
        tx.delete(KEY_ROW.to_vec());
        Ok(())
    }));
    assert_eq!(code_of(deleted), "store.reserved");
    assert_eq!(memory.get(KEY_ROW).unwrap(), row);
    is_as_filled(&store);
    // A page that ends at the store's own row is as full as any.
    put(&store, b"\xFFl", b"behind").unwrap();
    assert_eq!(store.range(Bound::Excluded(b"\x04b"), Bound::Unbounded, 1).unwrap(), [(b"\xFFl".to_vec(), b"behind".to_vec())]);
}

#[test]
fn the_longest_key_and_value_are_kept_and_one_byte_more_is_refused() {
    let store = open(MemoryStore::new(), 1).unwrap();
    put(&store, &[9; MOST_KEY], &[1; MOST_VALUE]).unwrap();
    assert_eq!(store.get(&[9; MOST_KEY]).unwrap().unwrap(), [1; MOST_VALUE]);
    let refused = put(&store, b"k", &[1; MOST_VALUE + 1]).unwrap_err();
    assert_eq!(refused, StoreError::TooBig { what: "value", size: MOST_VALUE + 1, most: MOST_VALUE });
}

#[test]
fn another_key_opens_the_store_after_a_change_and_the_old_one_does_not() {
    let memory = filled();
    let store = open(memory.clone(), 1).unwrap();
    assert_eq!(code_of(store.rekey(&key(3), &key(2))), "store.wrong_key");
    store.rekey(&key(1), &key(2)).unwrap();
    is_as_filled(&store);
    assert_eq!(code_of(open(memory.clone(), 1)), "store.wrong_key");
    is_as_filled(&open(memory, 2).unwrap());
}

/// A simulated disk with the filled store on it.
fn disk(seed: u64) -> Arc<SimulatedStore> {
    let disk =
        Arc::new(SimulatedStore::new(SimulatedOptions { checkpoint_bytes: 300, ..SimulatedOptions::default() }, seeded(seed)).unwrap());
    let store = open(disk.clone(), 1).unwrap();
    put(&store, b"\x03a", "张三".as_bytes()).unwrap();
    put(&store, b"\x04b", "李四".as_bytes()).unwrap();
    disk
}

/// Does something to a filled store with a power cut in each of its operations; `look` sees each store that started again, and whether it was
/// answered. Gives how many cuts there were.
fn cut_everywhere(
    work: impl Fn(&SealedStore<Arc<SimulatedStore>>) -> Result<(), StoreError>,
    look: impl Fn(Arc<SimulatedStore>, bool),
) -> usize {
    let mut cuts = 0;
    for seed in 0..6 {
        for at in 0.. {
            let disk = disk(seed);
            let store = open(disk.clone(), 1).unwrap();
            disk.cut_power_in(at);
            let answered = work(&store).is_ok();
            if !disk.is_stopped() {
                break;
            }
            disk.restart(None).unwrap();
            look(disk, answered);
            cuts += 1;
        }
    }
    cuts
}

#[test]
fn a_power_cut_while_the_key_is_changed_leaves_the_old_or_the_new_one() {
    let cuts = cut_everywhere(
        |store| store.rekey(&key(1), &key(2)),
        |disk, answered| {
            let (old, new) = (open(disk.clone(), 1), open(disk.clone(), 2));
            let opened = match (old, new) {
                (Ok(store), Err(StoreError::WrongKey)) if !answered => store,
                (Err(StoreError::WrongKey), Ok(store)) => store,
                (old, new) => panic!("answered: {answered}, {} and {}", code_of(old), code_of(new)),
            };
            is_as_filled(&opened);
        },
    );
    assert!(cuts > 10, "{cuts}");
}

#[test]
fn a_power_cut_in_a_wipe_leaves_the_store_whole_or_wiped() {
    let cuts = cut_everywhere(SealedStore::wipe, |disk, answered| match open(disk, 1) {
        Ok(store) if !answered => is_as_filled(&store),
        other => assert_eq!(code_of(other), "store.wiped"),
    });
    assert!(cuts > 10, "{cuts}");
}

#[test]
fn a_power_cut_while_a_store_is_made_leaves_one_that_opens_with_its_key() {
    for at in 0.. {
        let disk = Arc::new(SimulatedStore::new(SimulatedOptions::default(), seeded(at)).unwrap());
        disk.cut_power_in(at);
        let made = open(disk.clone(), 1);
        if !disk.is_stopped() {
            assert!(made.is_ok() && at > 0);
            break;
        }
        disk.restart(None).unwrap();
        assert_eq!(everything(&open(disk, 1).unwrap()), []);
    }
}

#[test]
fn a_wiped_store_is_read_and_written_no_more_whatever_the_key() {
    let memory = filled();
    let store = open(memory.clone(), 1).unwrap();
    store.wipe().unwrap();
    assert_eq!(code_of(store.get(b"\x03a")), "store.wiped");
    assert_eq!(code_of(store.range(Bound::Unbounded, Bound::Unbounded, 1)), "store.wiped");
    assert_eq!(code_of(put(&store, b"k", b"v")), "store.wiped");
    assert_eq!(code_of(store.rekey(&key(1), &key(2))), "store.wiped");
    store.wipe().unwrap();
    drop(store);
    for number in [1, 2] {
        assert_eq!(code_of(open(memory.clone(), number)), "store.wiped");
    }
    assert!(is_sealed(&memory).unwrap());
}

#[test]
fn a_key_of_another_length_is_none_and_no_key_is_shown() {
    for length in [0, 31, 33] {
        assert_eq!(StoreKey::try_from(&vec![1; length][..]).unwrap_err().field, "store_key");
    }
    assert_eq!(format!("{:?}", key(201)), "StoreKey(hidden)");
}

proptest! {
    #[test]
    fn what_was_sealed_for_a_row_opens_there_and_nowhere_else(
        at in proptest::collection::vec(any::<u8>(), 0..MOST_KEY),
        other in proptest::collection::vec(any::<u8>(), 0..MOST_KEY),
        value in proptest::collection::vec(any::<u8>(), 0..MOST_VALUE),
        nonce in any::<[u8; NONCE]>(),
    ) {
        let cipher = key(1).cipher();
        let sealed = envelope::seal(&cipher, nonce, &at, &value).unwrap();
        prop_assert_eq!(sealed.len(), value.len() + SEAL_OVERHEAD);
        prop_assert_eq!(envelope::open(&cipher, &at, sealed.clone()).unwrap(), value);
        prop_assert!(envelope::open(&key(2).cipher(), &at, sealed.clone()).is_err());
        prop_assert_eq!(envelope::open(&cipher, &other, sealed).is_ok(), at == other);
    }

    #[test]
    fn no_bytes_of_outside_make_the_seal_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), is_headed in any::<bool>()) {
        let bytes = if is_headed { [&[1, 1], &bytes[..]].concat() } else { bytes };
        prop_assert!(envelope::open(&key(1).cipher(), b"k", bytes.clone()).is_err());
        prop_assert!(key_row::unwrap(&key(1), &bytes).is_err());
    }
}
