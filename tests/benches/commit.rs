//! Recording on the phone: a command is on disk, synced, when it returns.

use std::time::{Duration, Instant};

use doorstep_server::demo::Size;
use doorstep_tests::street::Street;

use crate::table::Table;

/// A grid of 400 households.
const GRID: Size = Size { grids: 1, buildings: 10, doors: 40, organisations: 15 };
const ROUNDS: usize = 5;
const VISITS: usize = 400;

/// Measures what `record_visit` takes, each on a household that has few visits.
pub fn measure(table: &mut Table) {
    let street = Street::build(GRID);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let households = phone.households();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let round: Vec<Duration> = households
            .iter()
            .cycle()
            .take(VISITS)
            .map(|household| {
                let begin = Instant::now();
                phone.visit(*household, "身体还好,药够吃两周,燃气已检查");
                begin.elapsed()
            })
            .collect();
        times.push(round);
        phone.sync(&server.transport());
    }
    table.add_latencies("phone: record a visit, durable", times);
}
