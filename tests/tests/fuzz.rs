//! Fuzzing: everything that comes from outside and is decoded, with bytes that are nearly right. Nothing panics, hangs or grows without a bound, and
//! what is accepted means the same when it is written and read again.
//!
//! The seeds are the vectors of `core/vectors` and what our own code makes. A [`mutation`] makes others of them; where a checksum, a signature or a
//! compression would stop it at the door, the target puts the right one around it. What a target accepts becomes a seed itself, so that later
//! mutants start deeper. What was found once stands in `tests/fuzz/<target>/`, by a name that says what was wrong, and is tried first.
//!
//! `DOORSTEP_FUZZ_SECONDS` is how long each target is tried, 2 if unset; `DOORSTEP_FUZZ_SEED` is the seed, which each target prints: with the same
//! one it makes the same mutants in the same order. This needs no compiler but the stable one; it is not guided by coverage.

#[path = "fuzz/changes.rs"]
mod changes;
#[path = "fuzz/corpus.rs"]
mod corpus;
#[path = "fuzz/files.rs"]
mod files;
#[path = "fuzz/http.rs"]
mod http;
#[path = "fuzz/journals.rs"]
mod journals;
#[path = "fuzz/messages.rs"]
mod messages;
#[path = "fuzz/mutation.rs"]
mod mutation;
#[path = "fuzz/phone.rs"]
mod phone;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use doorstep_tests::torture::Torture;

/// The most seeds that are kept of what was accepted.
const MOST_KEPT: usize = 2_000;

/// Tries a target with found cases, seeds and mutants. `accepts` says whether the bytes were taken for what they pretend to be.
fn fuzz(target: &str, mut seeds: Vec<Vec<u8>>, mut accepts: impl FnMut(&[u8]) -> bool) {
    let mut torture = Torture::named("DOORSTEP_FUZZ", 1);
    let seconds = std::env::var("DOORSTEP_FUZZ_SECONDS").map_or(2, |text| text.parse().unwrap());
    let mut attempt = |bytes: &[u8]| {
        catch_unwind(AssertUnwindSafe(|| accepts(bytes))).unwrap_or_else(|_| {
            let found = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("found-{target}"));
            std::fs::write(&found, bytes).unwrap();
            panic!("{target} fails on the bytes in {}: keep them in tests/fuzz/{target}", found.display());
        })
    };
    for bytes in corpus::found(target) {
        attempt(&bytes);
    }
    let accepted = seeds.iter().filter(|bytes| attempt(bytes)).count();
    assert!(accepted > 0, "{target} accepts none of its seeds: it would be tried at the door only");
    let (begin, whole) = (Instant::now(), seeds.len());
    let (mut tried, mut taken) = (0_u64, 0_u64);
    while begin.elapsed() < Duration::from_secs(seconds) {
        let bytes = mutation::of(&seeds, &mut torture);
        tried += 1;
        if attempt(&bytes) {
            taken += 1;
            match seeds.len() {
                length if length < whole + MOST_KEPT => seeds.push(bytes),
                length => seeds[whole + torture.below(length - whole)] = bytes,
            }
        }
    }
    println!("{target}: {tried} mutants, {taken} accepted");
}
