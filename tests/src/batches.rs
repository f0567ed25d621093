//! Batches that tell by their number what they hold, so that a store can be checked by who did not write it.

use doorstep_core::store::chunks::{get_chunked, put_chunked_in};
use doorstep_core::store::{Batch, MemoryStore, Read};

/// How many values a batch has.
const VALUES: u8 = 5;
/// The table of the values.
const TABLE: u8 = 9;

fn key(number: u32, part: u8) -> Vec<u8> {
    [&[TABLE][..], &number.to_be_bytes(), &[part]].concat()
}

fn value(number: u32, part: u8, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| (number as usize * 31 + usize::from(part) * 7 + place) as u8).collect()
}

/// A batch of five values of so many bytes, cut into chunks where a row cannot hold them.
pub fn batch(number: u32, bytes: usize) -> Batch {
    let mut batch = Batch::new();
    // Nothing stands under these keys: what is there before need not be looked at.
    let nothing = MemoryStore::new();
    (0..VALUES).for_each(|part| put_chunked_in(&mut batch, &nothing, &key(number, part), &value(number, part, bytes)).unwrap());
    batch
}

/// Whether a store holds a batch: whole, or not at all; `Err` says what is wrong with one that is neither.
pub fn holds(store: &dyn Read, number: u32, bytes: usize) -> Result<bool, String> {
    let mut found = 0;
    for part in 0..VALUES {
        match get_chunked(store, &key(number, part)).map_err(|error| format!("batch {number}: {error}"))? {
            None => {}
            Some(there) if there == value(number, part, bytes) => found += 1,
            Some(_) => return Err(format!("batch {number} has other values than were written")),
        }
    }
    match found {
        0 => Ok(false),
        VALUES => Ok(true),
        some => Err(format!("batch {number} is there by {some} of {VALUES} values")),
    }
}
