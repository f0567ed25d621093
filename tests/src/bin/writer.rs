//! A store that is written to until it is killed: `writer FOLDER WRITERS VALUE_BYTES [unsynced]`.
//!
//! It prints the number of a batch as soon as its commit has returned, and nothing before: what is on its output was acknowledged. See
//! `doorstep_tests::batches` for what a batch holds.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use doorstep_core::store::{SledOptions, SledStore, Store as _};
use doorstep_tests::batches::batch;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, writers, bytes, ..] = words.as_slice() else { panic!("writer FOLDER WRITERS VALUE_BYTES [unsynced]") };
    let (writers, bytes): (u32, usize) = (writers.parse().unwrap(), bytes.parse().unwrap());
    let options = SledOptions { checkpoint_bytes: 1 << 20, floor_bytes: 0, ..SledOptions::default() };
    let store = SledStore::open(Path::new(folder), options).unwrap();
    #[cfg(feature = "seeded-bugs")]
    store.set_bug_leaves_out_syncs(words.get(3).is_some_and(|word| word == "unsynced"));
    let next = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    store.commit(batch(number, bytes)).unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{number}").unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}
