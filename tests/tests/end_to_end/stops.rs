//! A server that is stopped or killed in the middle of pushes: what it acknowledged is there, and the phones go on with the next one.

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use doorstep_core::field::HttpTransport;
use doorstep_core::model::{HouseholdId, VisitId};
use doorstep_server::hub::Hub;
use doorstep_tests::phone::Phone;
use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::street::{SMALL, Street};

type Visits = Vec<(HouseholdId, VisitId)>;

/// A phone with what it has recorded, and how much of that was acknowledged.
struct Worker {
    phone: Phone,
    visits: Visits,
    acknowledged: usize,
}

impl Worker {
    /// Records and syncs until the server goes away; tells `progress` of each acknowledgement.
    fn work_until_it_goes_away(mut self, transport: HttpTransport, progress: Sender<()>) -> JoinHandle<Self> {
        std::thread::spawn(move || {
            let doors = self.phone.households();
            for door in doors.iter().cycle() {
                for _ in 0..3 {
                    self.visits.push((*door, self.phone.visit(*door, "身体还好")));
                }
                match self.phone.engine.sync(&transport) {
                    Ok(report) => assert_eq!((report.pending, report.refused), (0, 0)),
                    Err(_) => break,
                }
                self.acknowledged = self.visits.len();
                let _ = progress.send(());
            }
            self
        })
    }

    /// Everything that was acknowledged is on the server.
    fn assert_kept(&self, hub: &Hub, street: &Street) {
        for (door, visit) in &self.visits[..self.acknowledged] {
            let (document, _) = hub.document(street.id(), (*door).into()).unwrap();
            assert!(document.visits().iter().any(|kept| kept.id == *visit), "an acknowledged visit is lost");
        }
    }
}

/// A street with three phones: two of one grid, so that they write to the same documents, and one of another.
fn workers(street: &Street) -> Vec<Worker> {
    let server = street.serve();
    let phones = [("one", 0), ("two", 0), ("three", 1)];
    phones.map(|(name, grid)| Worker { phone: street.worker_phone(&server, name, grid), visits: Vec::new(), acknowledged: 0 }).into()
}

/// One life of the server: the workers push until `end` ends it after so many acknowledgements.
fn one_life(street: &Street, workers: Vec<Worker>, acknowledgements: usize, end: impl FnOnce(ServerProcess)) -> Vec<Worker> {
    let server = ServerProcess::start(&street.data(), &Options::default());
    let (progress, acknowledged) = mpsc::channel();
    let threads: Vec<_> = workers.into_iter().map(|worker| worker.work_until_it_goes_away(server.transport(), progress.clone())).collect();
    drop(progress);
    assert_eq!(acknowledged.iter().take(acknowledgements).count(), acknowledgements, "the phones stopped before the server did");
    assert_eq!(server.errors(), Vec::<String>::new());
    end(server);
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// After the last life: the phones send what is left, see each other's, and hold what the server holds.
fn assert_converged(street: &Street, workers: &[Worker]) {
    let server = street.serve();
    for worker in workers.iter().chain(workers) {
        worker.phone.sync(&server.transport());
    }
    for (worker, grid) in workers.iter().zip([0, 0, 1]) {
        street.assert_same(&server.hub, Some(&[grid]), &worker.phone);
        assert!(worker.visits.iter().all(|(door, visit)| worker.phone.has_visit(*door, *visit)));
    }
    let on_server: usize = workers[0].phone.households().iter().map(|door| visits_of(&server.hub, street, *door)).sum();
    assert_eq!(on_server, workers[0].visits.len() + workers[1].visits.len(), "something was taken twice");
}

fn visits_of(hub: &Hub, street: &Street, door: HouseholdId) -> usize {
    hub.document(street.id(), door.into()).unwrap().0.visits().len()
}

#[test]
fn a_stop_by_signal_finishes_what_it_accepted_and_leaves_a_store_that_opens() {
    let street = Street::build(SMALL);
    let mut all = workers(&street);
    for _ in 0..3 {
        all = one_life(&street, all, 30, |server| {
            server.terminate();
            assert!(server.wait().success(), "the server did not stop in good order");
        });
        street.behind_the_scenes(|hub| all.iter().for_each(|worker| worker.assert_kept(hub, &street)));
    }
    assert_converged(&street, &all);
}

#[test]
fn twenty_kills_in_the_middle_of_pushes_lose_nothing_that_was_acknowledged() {
    let street = Street::build(SMALL);
    let mut all = workers(&street);
    for round in 0..20 {
        all = one_life(&street, all, 1 + round * 7 % 23, ServerProcess::kill);
        street.behind_the_scenes(|hub| all.iter().for_each(|worker| worker.assert_kept(hub, &street)));
    }
    assert!(all.iter().all(|worker| worker.acknowledged > 0));
    assert_converged(&street, &all);
}
