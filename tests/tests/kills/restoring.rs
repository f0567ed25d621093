//! A restore that is killed, several times over, before one goes through. What phones delivered after the backup comes back to the server that was
//! set up, which it does only where its ledger has another id.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use doorstep_core::model::LedgerId;
use doorstep_server::system::SystemClock;
use doorstep_tests::process::{Options, StartingServer, doorstep};
use doorstep_tests::server::{Server, hub};
use doorstep_tests::street::{SMALL, Street};

use super::torture;

/// Begins a restore and kills it after a time.
fn kill_after(time: Duration, backup: &Path, data: &Path) {
    let mut restore = doorstep();
    restore.arg("restore").arg(backup).arg("--data").arg(data).stdout(Stdio::null()).stderr(Stdio::null());
    let mut restore = restore.spawn().unwrap();
    std::thread::sleep(time);
    restore.kill().unwrap();
    restore.wait().unwrap();
}

fn ledger(data: &Path) -> LedgerId {
    hub(data, Arc::new(SystemClock)).0.streets().unwrap()[0].ledger
}

#[test]
fn a_restore_that_was_killed_is_never_served_by_half_and_the_next_one_goes_through() {
    let (mut torture, rounds) = torture();
    let street = Street::build(SMALL);
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    drop(server);
    let (doors, before) = (phone.households(), ledger(&street.data()));
    std::fs::create_dir(&backup).unwrap();
    hub(&street.data(), Arc::new(SystemClock)).1.backup(&backup).unwrap();

    let server = street.serve();
    let mut visits = vec![(doors[0], phone.visit(doors[0], "备份之后"))];
    phone.sync(&server.transport());
    drop(server);
    let (mut untouched, mut halves, mut whole) = (0, 0, 0);
    for round in 0..rounds {
        let data = folder.path().join(format!("server {round}"));
        let (place, aside) = (data.join("store"), data.join("restoring"));
        for _ in 0..1 + torture.below(3) {
            kill_after(torture.moment(Duration::from_millis(2), Duration::from_millis(300)), &backup, &data);
            if place.exists() {
                whole += 1;
                break;
            } else if aside.exists() {
                halves += 1;
                let refused = StartingServer::begin(&data, &Options::default()).wait_until_it_ends();
                assert!(refused.iter().any(|line| line.contains("run `doorstep restore` again")), "{refused:?}");
            } else {
                untouched += 1;
            }
        }
        if !place.exists() {
            assert!(doorstep().arg("restore").arg(&backup).arg("--data").arg(&data).stdout(Stdio::null()).status().unwrap().success());
        }
        assert!(!aside.exists());
        assert_ne!(ledger(&data), before);
        let server = Server::start(&data, Arc::new(SystemClock));
        visits.push((doors[round % doors.len()], phone.visit(doors[round % doors.len()], "恢复之后")));
        phone.sync(&server.transport());
        for (door, visit) in &visits {
            let (document, _) = server.hub.document(street.id(), (*door).into()).unwrap();
            assert!(document.visits().iter().any(|kept| kept.id == *visit), "round {round}: a visit did not come back");
        }
        street.assert_same(&server.hub, Some(&[0]), &phone);
    }
    println!("killed before anything was there {untouched}, with half a store {halves}, with a whole one {whole}");
}
