//! A server that is stopped in the middle of pushes, as its operator stops it. Kills are in `tests/kills`.

use doorstep_tests::process::Options;
use doorstep_tests::street::{SMALL, Street};
use doorstep_tests::worker::{assert_converged, one_life, workers};

#[test]
fn a_stop_by_signal_finishes_what_it_accepted_and_leaves_a_store_that_opens() {
    let street = Street::build(SMALL);
    let mut all = workers(&street);
    for _ in 0..3 {
        all = one_life(&street, all, &Options::default(), 30, |server| {
            server.terminate();
            assert!(server.wait().success(), "the server did not stop in good order");
        });
    }
    assert_converged(&street, &all);
}
