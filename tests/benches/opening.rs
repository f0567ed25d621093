//! The first screen: a phone's store of one grid after a year, opened by a process that has just begun.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use doorstep_core::model::Role;
use doorstep_core::store::StoreKey;
use doorstep_server::hub::{NewDocument, NewPerson};
use doorstep_server::system::SystemClock;
use doorstep_tests::phone::Phone;
use doorstep_tests::server::{Server, hub};

use crate::bootstrap::case;
use crate::load::household;
use crate::table::Table;

/// Households have twelve visits each: 4,800, and the phone records the rest.
const HOUSEHOLDS: usize = 400;
const VISITS: usize = 200;
const CASES: usize = 2_000;
const ROUNDS: usize = 9;
/// The key of the sealed store: the bytes of this text.
const KEY: &str = "an app's key of thirty-two bytes";

/// Measures with the files in the system's cache, as it is when an app is opened again: a store in clear, and one that is unlocked first.
pub fn measure(table: &mut Table) {
    measure_one(table, "phone: 400 households, 5,000 visits, 2,000 cases", None);
    measure_one(table, "the same, sealed", Some(KEY));
}

fn measure_one(table: &mut Table, what: &str, key: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let (data, phone) = (folder.path().join("server"), folder.path().join("phone"));
    fill(&data, &phone, key);
    let rounds: Vec<Vec<f64>> = (0..ROUNDS).map(|_| open(&phone, key)).collect();
    let mut add = |name: &str, unit, column: usize, scale: f64| {
        table.add(format!("{what}: {name}"), unit, rounds.iter().map(|round| round[column] / scale));
    };
    add("store open", "ms", 0, 1_000.0);
    add("first lists read", "ms", 1, 1_000.0);
    add("memory taken", "MB", 2, 1_024.0);
}

fn fill(data: &Path, folder: &Path, key: Option<&str>) {
    let (street, worker) = {
        let (hub, _store) = hub(data, Arc::new(SystemClock));
        let street = hub.add_street("窑湾街道", &["综合协调中心"]).unwrap().id;
        let grid = hub.add_grids(street, &[("第17网格".to_owned(), String::new())]).unwrap()[0];
        let worker = hub.add_person(street, &NewPerson { name: "王芳".to_owned(), role: Role::GridWorker, grids: vec![grid] }).unwrap();
        let households = (0..HOUSEHOLDS).map(|door| household(grid, worker, door));
        let documents: Vec<NewDocument> = households.chain((0..CASES).map(|number| case(grid, worker, number))).collect();
        hub.create_documents(street, &documents, &mut |_| {}).unwrap();
        (street, worker)
    };
    let server = Server::start(data, Arc::new(SystemClock));
    let phone = match key {
        Some(key) => Phone::open_sealed(folder, &StoreKey::try_from(key.as_bytes()).unwrap()),
        None => Phone::open_now(folder),
    };
    phone.enrol(&server.hub, street, worker, &server.transport());
    let doors = phone.households();
    assert_eq!(doors.len(), HOUSEHOLDS);
    for door in doors.iter().cycle().take(VISITS) {
        phone.visit(*door, "身体还好,药够吃两周,燃气已检查");
    }
    phone.sync(&server.transport());
}

/// Microseconds until open, until read, kilobytes taken.
fn open(folder: &Path, key: Option<&str>) -> Vec<f64> {
    let output = Command::new(env!("CARGO_BIN_EXE_opener")).arg(folder).args(key).output().unwrap();
    let numbers: Vec<f64> = String::from_utf8(output.stdout).unwrap().split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert!(output.status.success() && numbers[3] >= HOUSEHOLDS as f64);
    numbers
}
