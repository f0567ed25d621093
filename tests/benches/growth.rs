//! The server's memory by how many documents it has: that of its caches, and what grows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use doorstep_core::docs::{DocKind, Write};
use doorstep_core::model::{HouseholdId, Role};
use doorstep_server::hub::{NewDocument, NewPerson};
use doorstep_server::system::{SystemClock, SystemEntropy};
use doorstep_tests::handmade::Handmade;
use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::server::hub;

use crate::table::Table;

/// Until some 100,000 sled's cache fills up: it hears of 16,384 readings of pages before it drops the first. What one more document takes is
/// told by the last two.
const DOCUMENTS: [usize; 4] = [1_000, 10_000, 100_000, 300_000];
/// The least caches, so that what grows is not what they may hold.
const FLAGS: [&str; 2] = ["--cache-megabytes=16", "--store-cache-megabytes=8"];
/// How often everything is read before memory is looked at again.
const READINGS: usize = 2;
/// What nobody uses any more the allocator gives back within ten seconds: it is not what grows either.
const REST: Duration = Duration::from_secs(15);

/// Measures after the start, and after somebody of the centre has read everything; each time at rest.
pub fn measure(table: &mut Table) {
    for documents in DOCUMENTS {
        let folder = tempfile::tempdir().unwrap();
        let code = fill(folder.path(), documents);
        let server = ServerProcess::start(folder.path(), &Options { flags: FLAGS.map(str::to_owned).into(), ..Options::default() });
        let megabytes = |server: &ServerProcess| {
            std::thread::sleep(REST);
            server.resident_kilobytes() as f64 / 1_024.0
        };
        table.add(format!("server: memory with {documents} documents, started"), "MB", [megabytes(&server)]);
        let device = Handmade::enrol(server.url(), &code);
        for _ in 0..READINGS {
            assert!(device.read_everything() >= documents);
        }
        table.add(format!("server: memory with {documents} documents, all read twice"), "MB", [megabytes(&server)]);
    }
}

/// A street of households; a code of somebody of its centre.
fn fill(data: &Path, documents: usize) -> String {
    let (hub, store) = hub(data, Arc::new(SystemClock));
    let street = hub.add_street("窑湾街道", &["综合协调中心"]).unwrap().id;
    let names: Vec<_> = (0..20).map(|grid| (format!("第{grid}网格"), String::new())).collect();
    let grids = hub.add_grids(street, &names).unwrap();
    let centre = hub.add_person(street, &NewPerson { name: "周敏".to_owned(), role: Role::CentreStaff, grids: Vec::new() }).unwrap();
    let household = |number: usize| {
        let id = HouseholdId::make(doorstep_core::model::Clock::now(&SystemClock), &mut SystemEntropy).into();
        let door = format!("{}单元{}", number / 20 + 1, number % 20 + 1);
        let remark = "每周二下午在家,狗怕生,请先打电话。";
        let grid = grids[number % grids.len()];
        let writes = vec![Write::set("grid", grid.as_bytes()), Write::set("door", door.as_str()), Write::set("remark", remark)];
        NewDocument { id, kind: DocKind::Household, writes }
    };
    for first in (0..documents).step_by(1_000) {
        let some: Vec<NewDocument> = (first..first + 1_000).map(household).collect();
        hub.create_documents(street, &some, &mut |_| {}).unwrap();
    }
    store.checkpoint().unwrap();
    hub.make_code(street, centre).unwrap().0
}
