//! Fuzzing: everything that comes from outside and is decoded, with bytes that are nearly right. Nothing panics, hangs or grows without a bound, and
//! what is accepted means the same when it is written and read again.
//!
//! The seeds are the vectors of `core/vectors` and what our own code makes. A [`mutation`] makes others of them; where a checksum, a signature or a
//! compression would stop it at the door, the target puts the right one around it. What was found once stands in `tests/fuzz/<target>/`, by a
//! name that says what was wrong, and is tried first.
//!
//! The targets are bolero's. `cargo test` needs no compiler but the stable one and draws the choices at random: `DOORSTEP_FUZZ_SECONDS` is how
//! long each target is tried, 2 if unset. Where `cargo bolero` is installed, `cargo bolero test -p doorstep-tests frames` has libFuzzer choose by
//! coverage.

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

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use bolero::{ByteSliceGenerator, DefaultEngine, TestTarget};
use mutation::Choices;

/// A target as `bolero::check!()` makes it, where the test stands.
type Target = TestTarget<ByteSliceGenerator, DefaultEngine, bolero::BorrowedInput>;

/// How many bytes of choices a mutant is made of at most: four steps take fewer.
const MOST_CHOICES: usize = 128;

/// Tries a target with found cases, seeds and mutants. `accepts` says whether the bytes were taken for what they pretend to be.
fn fuzz(target: Target, name: &str, seeds: Vec<Vec<u8>>, mut accepts: impl FnMut(&[u8]) -> bool) {
    let seconds = std::env::var("DOORSTEP_FUZZ_SECONDS").map_or(2, |text| text.parse().unwrap());
    let mut attempt = |bytes: &[u8]| {
        catch_unwind(AssertUnwindSafe(|| accepts(bytes))).unwrap_or_else(|_| {
            let found = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("found-{name}"));
            std::fs::write(&found, bytes).unwrap();
            panic!("{name} fails on the bytes in {}: keep them in tests/fuzz/{name}", found.display());
        })
    };
    for bytes in corpus::found(name) {
        attempt(&bytes);
    }
    let accepted = seeds.iter().filter(|bytes| attempt(bytes)).count();
    assert!(accepted > 0, "{name} accepts none of its seeds: it would be tried at the door only");
    let (tried, taken) = (Cell::new(0_u64), Cell::new(0_u64));
    let mut each = AssertUnwindSafe(|input: &[u8]| {
        let is_taken = attempt(&mutation::of(&seeds, &mut Choices::of(input)));
        tried.set(tried.get() + 1);
        taken.set(taken.get() + u64::from(is_taken));
    });
    target.with_max_len(MOST_CHOICES).with_test_time(Duration::from_secs(seconds)).for_each(move |input: &[u8]| {
        let each = &mut each;
        (each.0)(input);
    });
    println!("{name}: {} mutants, {} accepted", tried.get(), taken.get());
}
