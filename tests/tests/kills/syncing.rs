//! A phone that is killed while it syncs, with a full outbox and much to read, over a slow network: while it sends, while it waits, while it
//! applies what came.

use std::time::{Duration, Instant};

use doorstep_core::field::FieldError;
use doorstep_core::model::HouseholdId;
use doorstep_core::sync::client::SyncFailure;
use doorstep_tests::bad_network::{BadNetwork, Behaviour};
use doorstep_tests::phone::Phone;
use doorstep_tests::recorder::{Promise, Recorder, lost};
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street};
use doorstep_tests::torture::Torture;

use super::torture;

/// What waits on the phone before each sync, and what others have sent meanwhile.
const OWN: usize = 60;
const OTHERS: usize = 40;

/// A network that gives the next answers in pieces, so that there is time to be killed in.
fn make_slow(network: &BadNetwork, torture: &mut Torture) {
    let pieces = 1 + torture.below(12);
    network.next(Behaviour::Trickle { pieces, pause: Duration::from_millis(3) });
}

#[test]
fn a_phone_that_was_killed_while_it_synced_loses_nothing_and_goes_on() {
    let (mut torture, rounds) = torture();
    let street = Street::build(SMALL);
    let server = street.serve();
    let network = BadNetwork::before(&server.url());
    let other = street.worker_phone(&server, "other", 0);
    let folder = street.phone_folder("phone");
    let mut phone = street.worker_phone(&server, "phone", 0);
    let doors = phone.households();
    let mut promised: Vec<Promise> = Vec::new();
    let (mut unsent, mut under_way, mut whole) = (0, 0, 0);
    for round in 0..rounds {
        for number in 0..OTHERS {
            other.visit(doors[(round + number) % doors.len()], "别人来过");
        }
        other.sync(&server.transport());
        promised.extend(doors.iter().cycle().take(OWN).map(|door| Promise::Visit(*door, phone.visit(*door, "还没送出"))));
        drop(phone);

        make_slow(&network, &mut torture);
        let before = visits_on_server(&server, &street, &doors);
        let mut recorder = Recorder::start(env!("CARGO_BIN_EXE_recorder"), &folder, Some(&network.url()));
        promised.extend(recorder.read(1));
        std::thread::sleep(torture.moment(Duration::from_millis(1), Duration::from_millis(400)));
        let last = recorder.kill();
        let reached = visits_on_server(&server, &street, &doors) > before;
        match (last.contains(&Promise::Synced), reached) {
            (true, _) => whole += 1,
            (false, true) => under_way += 1,
            (false, false) => unsent += 1,
        }
        promised.extend(last);

        phone = Phone::open_now(&folder);
        assert_eq!(lost(&promised, &phone), [], "round {round}: lost of {}", promised.len());
        if torture.one_in(3) {
            sync_behind_the_last(&phone, &server);
            street.assert_same(&server.hub, Some(&[0]), &phone);
        }
    }
    println!("killed before anything was accepted {unsent}, between that and the answer's end {under_way}, later {whole}");
    sync_behind_the_last(&phone, &server);
    for phone in [&other, &phone] {
        phone.sync(&server.transport());
        assert_eq!(lost(&promised, phone), []);
        street.assert_same(&server.hub, Some(&[0]), phone);
    }
}

/// Syncs when the server has ended the request of the process that was killed: it works on one of a device at a time, and says so to the next.
fn sync_behind_the_last(phone: &Phone, server: &Server) {
    /// It takes a moment; this is for a machine with other work.
    const PATIENCE: Duration = Duration::from_secs(60);
    let begin = Instant::now();
    while let Err(error) = phone.engine.sync(&server.transport()) {
        assert_eq!(error, FieldError::Sync(SyncFailure::NotReady { status: 503 }));
        assert!(begin.elapsed() < PATIENCE, "the server never ended the request of a phone that is gone");
        std::thread::sleep(Duration::from_millis(20));
    }
    phone.sync(&server.transport());
}

fn visits_on_server(server: &Server, street: &Street, doors: &[HouseholdId]) -> usize {
    doors.iter().map(|door| server.hub.document(street.id(), (*door).into()).unwrap().0.visits().len()).sum()
}
