//! Values that are larger than one row: a head under the key itself, and chunks behind it.
//!
//! ```text
//! key                       total length (u32 be) ++ number of chunks (u16 be) ++ the first bytes
//! key ++ 0xFF ++ number     the next bytes; number is u16 be, from 1, without gaps; all but the last chunk are full
//! ```
//!
//! **The rule for keys.** All keys of a table have one length, and tables differ in their first byte. Then a chunk's key (three bytes
//! longer) is never the key of another value, nothing stands between a head and its chunks, and [`is_chunk_key`] tells the two apart in a scan.
//!
//! Head and chunks are written in one commit and read in one range read, so a reader never sees parts of two values. What is cut is the whole
//! row, header included (see [`row`](super::row)).

use std::ops::{Bound, ControlFlow};

use super::{Batch, MOST_KEY, MOST_VALUE, Read, StoreError, Transaction, Visit};

/// Largest chunked value in bytes. The largest thing kept here is the snapshot of a document with years of history, some 100 kB; this
/// leaves room for the worst that policy lets grow, and still fits one transaction and a phone's memory.
pub const MOST_CHUNKED: usize = 8 << 20;

/// Longest key of a chunked value: the chunks' own keys must fit.
pub const MOST_CHUNKED_KEY: usize = MOST_KEY - CHUNK_SUFFIX;

/// What a chunk's key has more than its value's key: 0xFF and the number.
const CHUNK_SUFFIX: usize = 3;

/// The byte between key and number.
const CHUNK_MARK: u8 = 0xFF;

/// Length and number of chunks, before the first bytes.
const HEAD: usize = 6;

/// How many bytes of the value stand in the head row.
const IN_HEAD: usize = MOST_VALUE - HEAD;

/// Writes a value of any length up to [`MOST_CHUNKED`], and deletes the chunks that an earlier, longer value of this key had.
/// Reads the old head.
pub fn put_chunked(transaction: &mut dyn Transaction, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    put_chunked_in(&mut batch, &*transaction, key, bytes)?;
    transaction.write(batch);
    Ok(())
}

/// [`put_chunked`] into a batch. Only for who is the one writer of this key and writes it once in the batch: what another writes between
/// this read and the commit, or what stands earlier in the batch, may leave surplus chunks behind. They take room and do no other harm.
pub fn put_chunked_in(batch: &mut Batch, read: &dyn Read, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
    within("chunked key", key.len(), MOST_CHUNKED_KEY)?;
    within("chunked value", bytes.len(), MOST_CHUNKED)?;
    let (first, rest) = bytes.split_at(bytes.len().min(IN_HEAD));
    let head = Head::of(bytes.len());
    batch.put(key.to_vec(), head.row(first));
    for (number, chunk) in (1..).zip(rest.chunks(MOST_VALUE)) {
        batch.put(chunk_key(key, number), chunk.to_vec());
    }
    delete_chunks_behind(batch, read, key, head.chunks)
}

/// Deletes a value with all its chunks; no error where there is none. Reads the old head.
pub fn delete_chunked(transaction: &mut dyn Transaction, key: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    delete_chunked_in(&mut batch, &*transaction, key)?;
    transaction.write(batch);
    Ok(())
}

/// [`delete_chunked`] into a batch, under the conditions of [`put_chunked_in`].
pub fn delete_chunked_in(batch: &mut Batch, read: &dyn Read, key: &[u8]) -> Result<(), StoreError> {
    within("chunked key", key.len(), MOST_CHUNKED_KEY)?;
    delete_chunks_behind(batch, read, key, 0)?;
    batch.delete(key.to_vec());
    Ok(())
}

/// The value of a key. One point read, and one range read where it has chunks. `Damaged` where rows are missing or do not fit each other.
pub fn get_chunked(read: &dyn Read, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(row) = read.get(key)? else { return Ok(None) };
    let head = Head::parse(&row)?;
    if head.chunks == 0 {
        return Ok(Some(first_bytes(&row).to_vec()));
    }
    // The head is read again with its chunks: between two reads another commit may have replaced them all.
    let last = chunk_key(key, u16::MAX);
    let rows = read.range(Bound::Included(key), Bound::Included(&last), 1 + most_chunks())?;
    let Some(((found, row), chunks)) = rows.split_first() else { return Ok(None) };
    if found != key {
        return Ok(None); // deleted in between; what stands here are chunks without a head
    }
    Head::parse(row)?.join(key, first_bytes(row), chunks).map(Some)
}

/// Whether a key of a table whose keys have `key_length` bytes is that of a chunk: no value of its own.
pub fn is_chunk_key(key: &[u8], key_length: usize) -> bool {
    key.len() == key_length + CHUNK_SUFFIX && key.get(key_length) == Some(&CHUNK_MARK)
}

/// Shows the key and the first bytes (up to 4,090) of every chunked value whose key begins with `prefix`, in key order, until `visit`
/// breaks. Passes over the chunks, so its cost is that of reading them all.
pub fn scan_heads(read: &dyn Read, prefix: &[u8], key_length: usize, visit: &mut Visit) -> Result<(), StoreError> {
    let mut outcome = Ok(());
    read.scan_prefix(prefix, &mut |key, row| {
        if is_chunk_key(key, key_length) {
            return ControlFlow::Continue(());
        }
        match Head::parse(row) {
            Ok(_) => visit(key, first_bytes(row)),
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        }
    })?;
    outcome
}

/// What a head says about its value.
#[derive(Clone, Copy)]
struct Head {
    total: usize,
    chunks: u16,
}

impl Head {
    /// The head of a value of `total` bytes, which is at most [`MOST_CHUNKED`].
    fn of(total: usize) -> Self {
        let chunks = total.saturating_sub(IN_HEAD).div_ceil(MOST_VALUE);
        Self { total, chunks: u16::try_from(chunks).unwrap_or(u16::MAX) }
    }

    /// Reads a head row and believes it only where length, number of chunks and the row's own length agree.
    fn parse(row: &[u8]) -> Result<Self, StoreError> {
        let &[a, b, c, d, high, low, ref first @ ..] = row else {
            return Err(StoreError::Damaged { what: "a head is shorter than its header" });
        };
        let claimed = u32::from_be_bytes([a, b, c, d]);
        let total = usize::try_from(claimed).ok().filter(|total| *total <= MOST_CHUNKED);
        let Some(head) = total.map(Self::of) else {
            return Err(StoreError::Damaged { what: "a head claims a value over the limit" });
        };
        if head.chunks != u16::from_be_bytes([high, low]) || first.len() != head.total.min(IN_HEAD) {
            return Err(StoreError::Damaged { what: "a head does not fit its own length" });
        }
        Ok(head)
    }

    /// The head row with the first bytes of the value.
    fn row(self, first: &[u8]) -> Vec<u8> {
        let total = u32::try_from(self.total).unwrap_or(u32::MAX);
        [&total.to_be_bytes()[..], &self.chunks.to_be_bytes()[..], first].concat()
    }

    /// The whole value, from the rows that stand behind the head. Rows behind the last chunk are surplus and ignored.
    fn join(self, key: &[u8], first: &[u8], rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<u8>, StoreError> {
        let mut value = first.to_vec();
        for (number, (found, chunk)) in (1..=self.chunks).zip(rows) {
            if *found != chunk_key(key, number) {
                return Err(StoreError::Damaged { what: "a chunk is missing" });
            }
            if chunk.len() != (self.total - value.len()).min(MOST_VALUE) {
                return Err(StoreError::Damaged { what: "a chunk has another length than its value says" });
            }
            value.extend_from_slice(chunk);
        }
        if value.len() != self.total {
            return Err(StoreError::Damaged { what: "a chunk is missing" });
        }
        Ok(value)
    }
}

/// Deletes the chunks of the present value whose numbers are above `keep`. Where the head cannot be read, it looks for them.
fn delete_chunks_behind(batch: &mut Batch, read: &dyn Read, key: &[u8], keep: u16) -> Result<(), StoreError> {
    let Some(row) = read.get(key)? else { return Ok(()) };
    if let Ok(old) = Head::parse(&row) {
        for number in keep.saturating_add(1)..=old.chunks {
            batch.delete(chunk_key(key, number));
        }
        return Ok(());
    }
    let (low, high) = (chunk_key(key, keep), chunk_key(key, u16::MAX));
    for (found, _) in read.range(Bound::Excluded(&low), Bound::Included(&high), most_chunks())? {
        batch.delete(found);
    }
    Ok(())
}

fn chunk_key(key: &[u8], number: u16) -> Vec<u8> {
    [key, &[CHUNK_MARK], &number.to_be_bytes()].concat()
}

fn first_bytes(head: &[u8]) -> &[u8] {
    head.get(HEAD..).unwrap_or_default()
}

/// The number of chunks of the largest value.
fn most_chunks() -> usize {
    usize::from(Head::of(MOST_CHUNKED).chunks)
}

fn within(what: &'static str, size: usize, most: usize) -> Result<(), StoreError> {
    if size > most { Err(StoreError::TooBig { what, size, most }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Store};
    use proptest::prelude::*;

    const KEY: &[u8] = b"Dkey";

    fn store_with(value: &[u8]) -> MemoryStore {
        let store = MemoryStore::new();
        let mut batch = Batch::new();
        put_chunked_in(&mut batch, &store, KEY, value).unwrap();
        store.commit(batch).unwrap();
        store
    }

    fn put_raw(store: &MemoryStore, key: &[u8], value: &[u8]) {
        let mut batch = Batch::new();
        batch.put(key.to_vec(), value.to_vec());
        store.commit(batch).unwrap();
    }

    fn delete_raw(store: &MemoryStore, key: &[u8]) {
        let mut batch = Batch::new();
        batch.delete(key.to_vec());
        store.commit(batch).unwrap();
    }

    fn rows(store: &MemoryStore) -> usize {
        store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap().len()
    }

    #[test]
    fn the_layout_on_disk_is_head_then_numbered_chunks() {
        let value = vec![7; IN_HEAD + MOST_VALUE + 1];
        let store = store_with(&value);
        let found = store.range(Bound::Unbounded, Bound::Unbounded, 9).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].0, KEY);
        assert_eq!(found[0].1[..HEAD], [0, 0, 0x1F, 0xFB, 0, 2]);
        assert_eq!(found[1], (b"Dkey\xFF\x00\x01".to_vec(), vec![7; MOST_VALUE]));
        assert_eq!(found[2], (b"Dkey\xFF\x00\x02".to_vec(), vec![7]));
    }

    #[test]
    fn a_value_at_its_limit_is_kept_and_one_above_is_refused() {
        let store = store_with(&vec![1; MOST_CHUNKED]);
        assert_eq!(get_chunked(&store, KEY).unwrap().unwrap().len(), MOST_CHUNKED);
        let refused = put_chunked_in(&mut Batch::new(), &store, KEY, &vec![1; MOST_CHUNKED + 1]).unwrap_err();
        assert_eq!(refused, StoreError::TooBig { what: "chunked value", size: MOST_CHUNKED + 1, most: MOST_CHUNKED });
        let refused = put_chunked_in(&mut Batch::new(), &store, &[1; MOST_CHUNKED_KEY + 1], b"").unwrap_err();
        assert_eq!(refused.code(), "store.too_big");
    }

    #[test]
    fn a_missing_chunk_is_damage_wherever_it_was() {
        for number in 1..=3 {
            let store = store_with(&vec![1; IN_HEAD + 2 * MOST_VALUE + 5]);
            delete_raw(&store, &chunk_key(KEY, number));
            assert_eq!(get_chunked(&store, KEY).unwrap_err().code(), "store.damaged", "chunk {number}");
        }
    }

    #[test]
    fn a_chunk_of_another_length_is_damage() {
        for length in [0, 9, 11] {
            let store = store_with(&vec![1; IN_HEAD + 10]);
            put_raw(&store, &chunk_key(KEY, 1), &vec![1; length]);
            assert_eq!(get_chunked(&store, KEY).unwrap_err().code(), "store.damaged", "length {length}");
        }
    }

    #[test]
    fn a_plain_row_is_not_taken_for_a_head_nor_a_head_for_a_plain_row() {
        let store = store_with(&crate::store::row::seal(b"payload"));
        let head = store.get(KEY).unwrap().unwrap();
        assert_eq!(crate::store::row::open(&head).unwrap_err().code(), "store.unknown_format");
        put_raw(&store, KEY, &crate::store::row::seal(b"payload"));
        assert_eq!(get_chunked(&store, KEY).unwrap_err().code(), "store.damaged");
    }

    #[test]
    fn chunks_that_an_unreadable_head_left_behind_go_with_it() {
        let store = store_with(&vec![1; IN_HEAD + 3 * MOST_VALUE]);
        put_raw(&store, KEY, b"nonsense");
        store.transact(Box::new(|tx| put_chunked(tx, KEY, b"new"))).unwrap();
        assert_eq!(rows(&store), 1);
        assert_eq!(get_chunked(&store, KEY).unwrap().unwrap(), b"new");
    }

    #[test]
    fn surplus_chunks_do_not_enter_a_value() {
        let store = store_with(&vec![1; IN_HEAD + 10]);
        put_raw(&store, &chunk_key(KEY, 2), b"surplus");
        assert_eq!(get_chunked(&store, KEY).unwrap().unwrap(), vec![1; IN_HEAD + 10]);
    }

    #[test]
    fn a_scan_of_heads_passes_over_chunks() {
        let store = store_with(&vec![1; IN_HEAD + 3 * MOST_VALUE]);
        let mut batch = Batch::new();
        put_chunked_in(&mut batch, &store, b"Dkez", b"small").unwrap();
        put_chunked_in(&mut batch, &store, b"Eaaa", b"of another table").unwrap();
        store.commit(batch).unwrap();
        let mut seen = Vec::new();
        scan_heads(&store, b"D", KEY.len(), &mut |key, first| {
            seen.push((key.to_vec(), first.len()));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, [(KEY.to_vec(), IN_HEAD), (b"Dkez".to_vec(), 5)]);
    }

    proptest! {
        #[test]
        fn a_head_is_what_it_says_or_damaged(row in proptest::collection::vec(any::<u8>(), 0..40), small in any::<bool>()) {
            let mut row = row;
            if small { row.iter_mut().take(3).for_each(|byte| *byte = 0); }
            let store = MemoryStore::new();
            put_raw(&store, KEY, &row);
            match get_chunked(&store, KEY) {
                Ok(value) => prop_assert_eq!(value.unwrap().len(), row.len() - HEAD),
                Err(error) => prop_assert_eq!(error.code(), "store.damaged"),
            }
        }

        #[test]
        fn rewriting_leaves_exactly_the_rows_of_the_last_value(lengths in proptest::collection::vec(0..5 * MOST_VALUE, 1..6), last_is_deleted in any::<bool>()) {
            let store = store_with(b"first");
            for (fill, length) in (0u8..).zip(&lengths) {
                let value = vec![fill; *length];
                let expected = value.clone();
                store.transact(Box::new(move |tx| put_chunked(tx, KEY, &value))).unwrap();
                prop_assert_eq!(get_chunked(&store, KEY).unwrap(), Some(expected));
                prop_assert_eq!(rows(&store), 1 + usize::from(Head::of(*length).chunks));
            }
            if last_is_deleted {
                store.transact(Box::new(|tx| delete_chunked(tx, KEY))).unwrap();
                prop_assert_eq!(rows(&store), 0);
            }
        }
    }
}
