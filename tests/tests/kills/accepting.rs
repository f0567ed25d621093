//! A server that is killed while phones push.

use std::time::Duration;

use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::street::{SMALL, Street};
use doorstep_tests::worker::{Worker, assert_converged, one_life, workers};

use super::torture;

#[test]
fn a_server_that_was_killed_while_phones_pushed_has_everything_that_it_acknowledged() {
    let (mut torture, rounds) = torture();
    let street = Street::build(SMALL);
    let mut all = workers(&street);
    for _ in 0..rounds {
        let moment = torture.moment(Duration::from_micros(10), Duration::from_millis(20));
        all = one_life(&street, all, &Options::default(), 1 + torture.below(24), |server: ServerProcess| {
            std::thread::sleep(moment);
            server.kill();
        });
    }
    assert!(all.iter().any(Worker::was_acknowledged));
    assert_converged(&street, &all);
}
