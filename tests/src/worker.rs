//! Grid workers at work while the server under them is stopped or killed: what it acknowledged they write down, and hold against it.

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use doorstep_core::field::HttpTransport;
use doorstep_core::model::{HouseholdId, VisitId};
use doorstep_server::hub::Hub;

use crate::phone::Phone;
use crate::process::{Options, ServerProcess};
use crate::street::Street;

/// The grids of the three workers of [`workers`].
const GRIDS: [usize; 3] = [0, 0, 1];

/// A phone with what it has recorded, and how much of that was acknowledged.
pub struct Worker {
    phone: Phone,
    visits: Vec<(HouseholdId, VisitId)>,
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

    /// Whether anything of it was acknowledged so far.
    pub fn was_acknowledged(&self) -> bool {
        self.acknowledged > 0
    }
}

/// Three phones: two of one grid, so that they write to the same documents, and one of another.
pub fn workers(street: &Street) -> Vec<Worker> {
    let server = street.serve();
    let phone = |(name, grid)| Worker { phone: street.worker_phone(&server, name, grid), visits: Vec::new(), acknowledged: 0 };
    ["one", "two", "three"].into_iter().zip(GRIDS).map(phone).collect()
}

/// One life of a server: the workers push until `end` ends it, which is called after so many acknowledgements, while they go on. What was
/// acknowledged is on the server's disk then.
pub fn one_life(
    street: &Street,
    workers: Vec<Worker>,
    options: &Options,
    acknowledgements: usize,
    end: impl FnOnce(ServerProcess),
) -> Vec<Worker> {
    let server = ServerProcess::start(&street.data(), options);
    let (progress, acknowledged) = mpsc::channel();
    let threads: Vec<_> = workers.into_iter().map(|worker| worker.work_until_it_goes_away(server.transport(), progress.clone())).collect();
    drop(progress);
    assert_eq!(acknowledged.iter().take(acknowledgements).count(), acknowledgements, "the phones stopped before the server did");
    // sled may complain of a tree that a test damaged; nobody else has a reason to.
    let errors: Vec<String> = server.errors().into_iter().filter(|line| !line.contains("sled")).collect();
    assert_eq!(errors, Vec::<String>::new());
    end(server);
    let workers: Vec<Worker> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    street.behind_the_scenes(|hub| workers.iter().for_each(|worker| worker.assert_kept(hub, street)));
    workers
}

/// After the last life: the phones send what is left, see each other's, and hold what the server holds.
pub fn assert_converged(street: &Street, workers: &[Worker]) {
    let server = street.serve();
    for worker in workers.iter().chain(workers) {
        worker.phone.sync(&server.transport());
    }
    for (worker, grid) in workers.iter().zip(GRIDS) {
        street.assert_same(&server.hub, Some(&[grid]), &worker.phone);
        assert!(worker.visits.iter().all(|(door, visit)| worker.phone.has_visit(*door, *visit)));
    }
    let visits_of = |door: &HouseholdId| server.hub.document(street.id(), (*door).into()).unwrap().0.visits().len();
    let on_server: usize = workers[0].phone.households().iter().map(visits_of).sum();
    assert_eq!(on_server, workers[0].visits.len() + workers[1].visits.len(), "something was taken twice");
}
