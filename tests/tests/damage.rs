//! Damage: bits that flip, pages that turn to zeros, files that are cut off or gone, in every file of a store. What comes of it is a typed error, or
//! the same rows as before; never others, and never fewer while the journal is whole.
//!
//! | damaged | file |
//! |---|---|
//! | sled's data and snapshot | `tree` |
//! | segments and checkpoint of the journal | `journal` |
//! | both | `both` |
//! | a server's store, against the phones that hold the same | `server` |
//! | a phone's store, with unsent work in it | `phone` |
//!
//! `DOORSTEP_DAMAGE` is how many stores are damaged in all, 160 if unset; `DOORSTEP_DAMAGE_SEED` is the seed of what happens to them, which each
//! test prints.

#[path = "damage/both.rs"]
mod both;
#[path = "damage/file.rs"]
mod file;
#[path = "damage/journal.rs"]
mod journal;
#[path = "damage/phone.rs"]
mod phone;
#[path = "damage/sample.rs"]
mod sample;
#[path = "damage/server.rs"]
mod server;
#[path = "damage/tree.rs"]
mod tree;

use doorstep_tests::torture::Torture;

/// The dice, and how many rounds a test of so many in a hundred has.
fn torture(percent: usize) -> (Torture, usize) {
    let torture = Torture::named("DOORSTEP_DAMAGE", 160);
    let rounds = (torture.rounds_of_one_in(1) * percent).div_ceil(100);
    (torture, rounds)
}
