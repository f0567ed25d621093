//! Kills: real processes that end by `kill -9` at moments that are drawn, and what must hold when they are back. Every command that returned is on
//! the phone, every acknowledged change is on the server, and all of them converge to the same documents.
//!
//! | killed | while | file |
//! |---|---|---|
//! | phone | it records, and makes checkpoints | `recording` |
//! | phone | it sends, waits, and applies | `syncing` |
//! | server | phones push | `accepting` |
//! | server | it makes a checkpoint | `checkpointing` |
//! | server | it starts, also while it builds its tree anew | `starting` |
//! | restore | it copies the backup, builds the tree, gives new ids, puts it in place | `restoring` |
//!
//! `DOORSTEP_KILLS` is how many kills there are in all, 40 if unset; `DOORSTEP_KILLS_SEED` is the seed of their moments, which each test prints.
//! The kernel lives on, so what was written is there: `power_cut` takes that away too.

#[path = "kills/accepting.rs"]
mod accepting;
#[path = "kills/checkpointing.rs"]
mod checkpointing;
#[path = "kills/recording.rs"]
mod recording;
#[path = "kills/restoring.rs"]
mod restoring;
#[path = "kills/starting.rs"]
mod starting;
#[path = "kills/syncing.rs"]
mod syncing;

use doorstep_server::demo::Size;
use doorstep_tests::process::Options;
use doorstep_tests::torture::Torture;

/// Two grids with so few doors that a checkpoint is small, and the next one soon due.
const FEW_DOORS: Size = Size { grids: 2, buildings: 1, doors: 3, organisations: 0 };

/// The dice of a kind of kills, and how many rounds it has.
fn torture() -> (Torture, usize) {
    const KINDS: usize = 6;
    let torture = Torture::named("DOORSTEP_KILLS", 40);
    let rounds = torture.rounds_of_one_in(KINDS);
    (torture, rounds)
}

/// A server that makes a checkpoint whenever its journal has grown by as much as the last one took.
fn checkpoints_often() -> Options {
    Options { flags: vec!["--checkpoint-kilobytes=1".to_owned()], ..Options::default() }
}
