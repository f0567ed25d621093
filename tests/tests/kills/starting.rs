//! A server that is killed while it starts, several times over, also while it builds its tree anew.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

use doorstep_tests::process::{Options, ServerProcess, StartingServer};
use doorstep_tests::street::{SMALL, Street};
use doorstep_tests::torture::Torture;
use doorstep_tests::worker::{assert_converged, one_life, workers};

use super::{checkpoints_often, torture};

/// What the start finds of the tree: as it was left, nothing, or a part.
fn damage(tree: &Path, torture: &mut Torture) {
    match torture.below(3) {
        0 => {}
        1 => fs::remove_dir_all(tree).unwrap(),
        _ => {
            let data = OpenOptions::new().write(true).open(tree.join("db")).unwrap();
            let length = usize::try_from(data.metadata().unwrap().len()).unwrap();
            data.set_len(torture.below(length) as u64).unwrap();
        }
    }
}

#[test]
fn a_server_that_was_killed_while_it_started_starts_with_everything_that_it_acknowledged() {
    let (mut torture, rounds) = torture();
    let street = Street::build(SMALL);
    let tree = street.data().join("store").join("tree");
    let mut all = workers(&street);
    let mut served = 0;
    for _ in 0..rounds {
        all = one_life(&street, all, &checkpoints_often(), 1 + torture.below(20), ServerProcess::kill);
        damage(&tree, &mut torture);
        for _ in 0..1 + torture.below(3) {
            let moment = torture.moment(Duration::from_millis(1), Duration::from_millis(300));
            served += usize::from(StartingServer::begin(&street.data(), &Options::default()).kill_after(moment));
        }
    }
    println!("{served} starts were through before the kill");
    assert_converged(&street, &all);
}
