//! Acceptance on the server: durable changes a second over loopback, from a thousand phones with twenty visits each.

use std::time::Duration;

use doorstep_core::model::StreetId;
use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::server::hub;

use crate::load::{LoadPhone, Outcome, Size, enrol, fill, send};
use crate::table::{Table, millis};

/// 25 streets of 40 grids, each with a phone and 20 households: 1,000 phones, 20,000 documents.
const SIZE: Size = Size { streets: 25, grids: 40, households: 20 };
/// How many requests are under way at a time.
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
/// The cache that holds all documents, and the least there is, which holds few.
const HOT: &str = "--cache-megabytes=1500";
const COLD: &str = "--cache-megabytes=16";
/// Between two pushes of twenty changes each, when latency is measured: 1,000 changes a second.
const PACE: Duration = Duration::from_millis(20);

/// Measures throughput with hot and with cold documents, latency at a rate below saturation, and what it costs on disk.
pub fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    let (workers, newest) = {
        let (hub, _store) = hub(&data, std::sync::Arc::new(doorstep_server::system::SystemClock));
        let workers = fill(&hub, SIZE);
        let streets = hub.streets().unwrap();
        let newest: Vec<_> = streets.iter().map(|street| (street.id, hub.ledger().newest(street.id).unwrap())).collect();
        (workers, newest)
    };
    let newest = |street: StreetId| newest.iter().find(|(id, _)| *id == street).unwrap().1;
    let start = |cache: &str| ServerProcess::start(&data, &Options { flags: vec![cache.to_owned()], ..Options::default() });

    let server = start(HOT);
    let mut phones = enrol(server.url(), workers, newest);
    assert_eq!(phones.iter().flat_map(LoadPhone::ids).count(), SIZE.streets * SIZE.grids * SIZE.households);

    push(server.url(), &mut phones, None); // every document is in the cache after this
    let mut hot = Rounds::default();
    for _ in 0..ROUNDS {
        hot.round(&server, &data, &mut phones);
    }
    hot.report(table, "hot");
    let mut paced = Vec::new();
    for _ in 0..ROUNDS {
        paced.push(push(server.url(), &mut phones, Some(PACE)).latencies);
    }
    table.add_latencies("server: a push of 20 changes acknowledged, at 1,000 changes a second", paced);
    table.add("server: memory with 20,000 hot documents", "MB", [server.resident_kilobytes() as f64 / 1_024.0]);
    stop(server);

    let mut cold = Rounds::default();
    for _ in 0..ROUNDS {
        let server = start(COLD);
        let challenge = phones[0].challenge_of(server.url());
        phones.iter().for_each(|phone| phone.learn(challenge));
        cold.round(&server, &data, &mut phones);
        stop(server);
    }
    cold.report(table, "cold");
}

/// Has each phone send a visit of each of its households, made and signed before the clock starts.
fn push(server: &str, phones: &mut [LoadPhone], pace: Option<Duration>) -> Outcome {
    let frames: Vec<Vec<u8>> = phones.iter_mut().map(LoadPhone::push_visits).collect();
    let outcome = send(server, &frames, CONNECTIONS, pace);
    phones.iter_mut().zip(&outcome.read_to).for_each(|(phone, position)| phone.read_to(*position));
    outcome
}

fn stop(server: ServerProcess) {
    assert_eq!(server.errors(), Vec::<String>::new());
    server.terminate();
    assert!(server.wait().success());
}

/// What the rounds of one kind came to.
#[derive(Default)]
struct Rounds {
    per_second: Vec<f64>,
    changes: f64,
    written: Vec<f64>,
    grown: f64,
    server_cpu: Vec<f64>,
}

impl Rounds {
    fn round(&mut self, server: &ServerProcess, data: &std::path::Path, phones: &mut [LoadPhone]) {
        let (written, size, cpu) = (server.written_bytes(), size_of(data), server.cpu());
        let outcome = push(server.url(), phones, None);
        let changes = outcome.accepted as f64;
        self.per_second.push(outcome.per_second());
        self.written.push((server.written_bytes() - written) as f64 / changes);
        self.changes += changes;
        self.grown += size_of(data) as f64 - size as f64;
        self.server_cpu.push(millis(server.cpu() - cpu) * 1_000.0 / changes);
    }

    fn report(self, table: &mut Table, kind: &str) {
        table.add(format!("server: durable accepted changes, {kind} documents"), "a second", self.per_second);
        table.add(format!("server: processor time of the server, {kind} documents"), "µs a change", self.server_cpu);
        table.add(format!("server: written to disk, {kind} documents"), "bytes a change", self.written);
        table.add(format!("server: growth of the store, {kind} documents"), "bytes a change", [self.grown / self.changes]);
    }
}

/// The bytes of all files in a folder.
fn size_of(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { size_of(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}
