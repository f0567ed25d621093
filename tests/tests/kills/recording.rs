//! A phone that is killed while it records.

use std::time::Duration;

use doorstep_tests::phone::Phone;
use doorstep_tests::recorder::{Promise, Recorder, lost};
use doorstep_tests::street::{SMALL, Street};

use super::torture;

#[test]
fn every_command_that_returned_is_there_after_the_phone_was_killed() {
    let (mut torture, rounds) = torture();
    let street = Street::build(SMALL);
    let server = street.serve();
    let folder = street.phone_folder("phone");
    drop(street.worker_phone(&server, "phone", 0));
    let mut promised: Vec<Promise> = Vec::new();
    for round in 0..rounds {
        let mut recorder = Recorder::start(env!("CARGO_BIN_EXE_recorder"), &folder, None);
        promised.extend(recorder.read(1 + torture.below(80)));
        std::thread::sleep(torture.moment(Duration::from_micros(10), Duration::from_millis(10)));
        promised.extend(recorder.kill());
        let phone = Phone::open_now(&folder);
        assert_eq!(lost(&promised, &phone), [], "round {round}: lost of {}", promised.len());
        let records = promised.iter().filter(|promise| promise.is_of_a_record()).count();
        assert!(phone.engine.status().pending >= records, "round {round}: the outbox holds less than was promised");
    }
    let phone = Phone::open_now(&folder);
    phone.sync(&server.transport());
    assert_eq!(lost(&promised, &phone), []);
    street.assert_same(&server.hub, Some(&[0]), &phone);
}
