//! A server that is killed while it makes a checkpoint, beside which phones push. Every other time its tree is gone as well, so that the checkpoints
//! before and the journal must carry everything.

use std::path::Path;
use std::time::{Duration, Instant};

use doorstep_tests::process::ServerProcess;
use doorstep_tests::street::Street;
use doorstep_tests::torture::Torture;
use doorstep_tests::worker::{assert_converged, one_life, workers};

use super::{FEW_DOORS, checkpoints_often, torture};

/// How long one may be waited for. It comes several times a second; this is for a machine with other work.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whether a checkpoint is under way, or was when the server was killed.
fn is_unfinished(journal: &Path) -> bool {
    let names = std::fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| name.to_string_lossy().ends_with(".unfinished"))
}

fn wait_for_one(journal: &Path) {
    let begin = Instant::now();
    while !is_unfinished(journal) {
        assert!(begin.elapsed() < PATIENCE, "no checkpoint was begun");
        std::thread::yield_now();
    }
}

/// So many kills on a new street, whose store is small: on a large one checkpoints are far between. How many of them left half a checkpoint.
fn kill_often(rounds: usize, torture: &mut Torture) -> usize {
    let street = Street::build(FEW_DOORS);
    let store = street.data().join("store");
    let (journal, tree) = (store.join("journal"), store.join("tree"));
    let mut all = workers(&street);
    let mut halves = 0;
    for _ in 0..rounds {
        let moment = torture.moment(Duration::from_micros(1), Duration::from_millis(10));
        let takes_tree = torture.one_in(2);
        let kill = |server: ServerProcess| {
            wait_for_one(&journal);
            std::thread::sleep(moment);
            server.kill();
            halves += usize::from(is_unfinished(&journal));
            if takes_tree {
                std::fs::remove_dir_all(&tree).unwrap();
            }
        };
        all = one_life(&street, all, &checkpoints_often(), 1 + torture.below(6), kill);
    }
    assert_converged(&street, &all);
    halves
}

#[test]
fn a_server_that_was_killed_at_a_checkpoint_has_everything_that_it_acknowledged() {
    const ON_A_STREET: usize = 8;
    let (mut torture, rounds) = torture();
    let halves: usize = (0..rounds).step_by(ON_A_STREET).map(|done| kill_often(ON_A_STREET.min(rounds - done), &mut torture)).sum();
    println!("{halves} of {rounds} kills left half a checkpoint");
}
