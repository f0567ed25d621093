//! What a reconnect costs: bytes of bodies, bytes on the wire with the heads of HTTP (no TLS), and time, by what changed and by how much is in scope.

use std::time::Instant;

use doorstep_core::field::HttpTransport;
use doorstep_core::model::HouseholdId;
use doorstep_server::demo::Size;
use doorstep_tests::counting::Counting;
use doorstep_tests::phone::Phone;
use doorstep_tests::server::Server;
use doorstep_tests::street::Street;
use doorstep_tests::wire::Wire;

use crate::table::{Table, millis};

/// Streets of about 1,000, 10,000 and 20,000 documents.
const STREETS: [Size; 3] = [
    Size { grids: 1, buildings: 20, doors: 49, organisations: 0 },
    Size { grids: 10, buildings: 20, doors: 49, organisations: 0 },
    Size { grids: 20, buildings: 20, doors: 49, organisations: 0 },
];
const CHANGES: [usize; 3] = [0, 20, 500];
const ROUNDS: usize = 5;

/// Measures a phone of the centre, which has the whole street in scope, and a worker's.
pub fn measure(table: &mut Table) {
    for size in STREETS {
        let street = Street::build(size);
        let server = street.serve();
        let worker = street.worker_phone(&server, "worker", 0);
        let centre = street.centre_phone(&server, "centre");
        for changes in CHANGES {
            reconnect(table, &server, &centre, &worker, street.built.documents, changes);
        }
    }
}

fn reconnect(table: &mut Table, server: &Server, centre: &Phone, worker: &Phone, documents: usize, changes: usize) {
    let households: Vec<HouseholdId> = worker.households();
    let record = |phone: &Phone| {
        households.iter().cycle().take(changes).for_each(|household| {
            phone.visit(*household, "身体还好,药够吃两周,燃气已检查");
        });
    };
    let (mut pushed, mut pulled) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        record(centre);
        pushed.round(server, centre);
        worker.sync(&server.transport());
        record(worker);
        worker.sync(&server.transport());
        pulled.round(server, centre);
    }
    let kinds = if changes == 0 { vec![("nothing new", pushed)] } else { vec![("own, pushed", pushed), ("others', pulled", pulled)] };
    for (kind, rounds) in kinds {
        rounds.report(table, &format!("reconnect: {documents} documents in scope, {changes} changes ({kind})"));
    }
}

#[derive(Default)]
struct Rounds {
    took: Vec<f64>,
    bytes: Vec<f64>,
    wire: Vec<f64>,
}

impl Rounds {
    fn round(&mut self, server: &Server, phone: &Phone) {
        let wire = Wire::to(server.address());
        let transport = Counting::over(HttpTransport::new(&wire.url()).unwrap());
        let begin = Instant::now();
        phone.sync(&transport);
        self.took.push(millis(begin.elapsed()));
        self.wire.push(wire.take() as f64);
        let exchanges = transport.take();
        self.bytes.push(exchanges.iter().map(|exchange| (exchange.sent + exchange.received) as f64).sum());
    }

    fn report(self, table: &mut Table, what: &str) {
        table.add(format!("{what}: bodies both ways"), "bytes", self.bytes);
        table.add(format!("{what}: on the wire both ways"), "bytes", self.wire);
        table.add(format!("{what}: time"), "ms", self.took);
    }
}
