//! What is forgotten is nowhere any more, and nothing else is.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::*;
use crate::store::{Batch, MemoryStore};

struct Numbers(ChaCha12Rng);

impl Entropy for Numbers {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

fn numbers() -> Numbers {
    Numbers(ChaCha12Rng::seed_from_u64(7))
}

const TABLE: u8 = 9;

fn row(number: u8) -> Vec<u8> {
    let mut key = vec![TABLE];
    key.extend([number; 16]);
    key
}

fn put(store: &dyn Store, vault: &Vault, number: u8) {
    let mut batch = Batch::new();
    batch.put(row(number), vault.seal(&row(number), &[number; 40]).unwrap());
    store.commit(batch).unwrap();
}

fn secret(store: &dyn Store, vault: &Vault, number: u8) -> Option<Vec<u8>> {
    let kept = store.get(&row(number)).unwrap()?;
    vault.open_row(&row(number), &kept).ok().map(|secret| secret.to_vec())
}

#[test]
fn what_was_forgotten_opens_with_no_roots_that_are_left_and_its_neighbours_do() {
    let store = MemoryStore::new();
    let vault = Vault::open(&store, &mut numbers()).unwrap();
    // 3, 67, 131 and 195 share a bucket.
    [3, 4, 67, 131, 195].into_iter().for_each(|number| put(&store, &vault, number));
    let before: Vec<Vec<u8>> = [3, 67].into_iter().map(|number| store.get(&row(number)).unwrap().unwrap()).collect();
    vault.forget(&store, &[TABLE], &row(3), b"erased", &mut numbers()).unwrap();
    for opened in [vault.clone(), Vault::open(&store, &mut numbers()).unwrap()] {
        assert_eq!(secret(&store, &opened, 3).as_deref(), Some(&b"erased"[..]));
        for number in [4, 67, 131, 195] {
            assert_eq!(secret(&store, &opened, number), Some(vec![number; 40]));
        }
        // What old segments hold of that bucket.
        assert!(opened.open_row(&row(3), &before[0]).is_err());
        assert!(opened.open_row(&row(67), &before[1]).is_err());
    }
}

#[test]
fn a_forgetting_that_was_cut_short_is_completed_by_repeating_it() {
    let store = MemoryStore::new();
    let mut entropy = numbers();
    let vault = Vault::open(&store, &mut entropy).unwrap();
    [3, 67, 4].into_iter().for_each(|number| put(&store, &vault, number));
    let old = store.get(&row(3)).unwrap().unwrap();
    // The cut comes after the new key was drawn, and after half of the bucket was rewritten.
    vault.renew(&store, bucket_of(&row(3)), &mut entropy).unwrap();
    put(&store, &vault, 67);
    let again = Vault::open(&store, &mut entropy).unwrap();
    for number in [3, 67, 4] {
        assert_eq!(secret(&store, &again, number), Some(vec![number; 40]), "nothing is lost by the cut");
    }
    // Another one is forgotten first.
    again.forget(&store, &[TABLE], &row(4), b"", &mut entropy).unwrap();
    again.forget(&store, &[TABLE], &row(3), b"", &mut entropy).unwrap();
    assert_eq!(secret(&store, &again, 3), Some(Vec::new()));
    assert_eq!(secret(&store, &again, 4), Some(Vec::new()));
    assert_eq!(secret(&store, &again, 67), Some(vec![67; 40]));
    assert!(again.open_row(&row(3), &old).is_err());
}

#[test]
fn a_secret_moved_to_another_row_or_a_row_of_another_store_does_not_open() {
    let (store, other) = (MemoryStore::new(), MemoryStore::new());
    let vault = Vault::open(&store, &mut numbers()).unwrap();
    let stranger = Vault::open(&other, &mut Numbers(ChaCha12Rng::seed_from_u64(8))).unwrap();
    put(&store, &vault, 3);
    let kept = store.get(&row(3)).unwrap().unwrap();
    assert!(vault.open_row(&row(67), &kept).is_err());
    assert!(stranger.open_row(&row(3), &kept).is_err());
    for length in 0..kept.len() {
        assert!(vault.open_row(&row(3), &kept[..length]).is_err());
    }
}

#[test]
fn roots_of_any_length_are_read_or_refused() {
    let store = MemoryStore::new();
    let vault = Vault::open(&store, &mut numbers()).unwrap();
    let whole = vault.read().to_bytes().to_vec();
    for length in 0..whole.len() {
        assert!(Roots::from_bytes(&whole[..length]).is_none());
    }
    vault.renew(&store, 5, &mut numbers()).unwrap();
    let renewed = vault.read().to_bytes().to_vec();
    let read = Roots::from_bytes(&renewed).unwrap();
    assert!(read.former.as_ref().is_some_and(|(bucket, _)| *bucket == 5));
    assert_eq!(read.to_bytes().to_vec(), renewed);
}

#[test]
fn a_row_that_an_earlier_version_sealed_opens_and_is_sealed_anew_with_its_bucket() {
    // Number 0 of a key of ones, then what `cipher::former` has for it.
    let former = [
        1, 0, 0, 0, 0, 0x94, 0xfa, 0x25, 0xc4, 0xfb, 0x56, 0xf8, 0x16, 0x95, 0x46, 0xb1, 0xa6, 0xd2, 0x86, 0x62, 0xd2, 0xee, 0x5a, 0x4d,
        0xeb, 0xfb, 0xa5, 0xa0, 0x2b, 0x84, 0x13, 0xd9, 0x69, 0x20, 0x35, 0x40, 0x6d, 0xfd, 0x5a, 0x50, 0x13, 0x06, 0xd2, 0x3a, 0xb4, 0xb4,
        0x7f, 0xc9, 0xf7, 0x96,
    ];
    let store = MemoryStore::new();
    let bucket = BucketKey { number: 0, key: Zeroizing::new([1; cipher::KEY]) };
    store.set_roots(&Roots { current: vec![bucket; BUCKETS], former: None }.to_bytes()).unwrap();
    let vault = Vault::open(&store, &mut numbers()).unwrap();
    let mut batch = Batch::new();
    batch.put(b"place".to_vec(), former.to_vec());
    store.commit(batch).unwrap();
    assert_eq!(vault.open_row(b"place", &former).unwrap().as_slice(), b"value");
    // Another of its bucket goes.
    vault.forget(&store, b"p", b"pe", b"erased", &mut numbers()).unwrap();
    let row = store.get(b"place").unwrap().unwrap();
    assert_eq!(row[0], SEALED);
    assert_eq!(vault.open_row(b"place", &row).unwrap().as_slice(), b"value");
}
