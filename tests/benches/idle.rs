//! Phones that stay connected and have nothing to say: what each costs the server.

use doorstep_core::sync::{List, Reading};
use doorstep_tests::handmade::Handmade;
use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::raw_live::RawLive;
use doorstep_tests::street::{Street, TINY};

use crate::table::Table;

const CONNECTIONS: usize = 5_000;
/// Files that both processes need beside their connections.
const OTHER_FILES: usize = 200;
const ROUNDS: usize = 3;

/// Measures what memory grows by, with one request served on each connection. As many as the limit of open files lets be (`ulimit -n`).
pub fn measure(table: &mut Table) {
    let connections = CONNECTIONS.min(open_files().saturating_sub(OTHER_FILES));
    if connections < CONNECTIONS {
        eprintln!("only {connections} connections: raise the limit of open files (ulimit -n) to {} for all", CONNECTIONS + OTHER_FILES);
    }
    let rounds: Vec<f64> = (0..ROUNDS).map(|_| round(connections)).collect();
    table.add(format!("server: memory of an idle live connection, of {connections}"), "kB", rounds);
}

fn round(connections: usize) -> f64 {
    let street = Street::build(TINY);
    let [code] = street.codes([street.worker(0)]);
    // No ping while this lasts: these phones do not even answer.
    let flags = ["--live-ping-seconds=3000", "--live-silence-seconds=6000"].map(str::to_owned).into();
    let server = ServerProcess::start(&street.data(), &Options { flags, ..Options::default() });
    let device = Handmade::enrol(server.url(), &code);
    let mut request = device.request(None);
    let answer = device.ask(&request);
    request.ledger = Some(answer.ledger);
    let up_to_date = |part: doorstep_core::sync::Part| Reading::at(part.grant, part.to);
    request.cursors = List(answer.parts.map_or_else(Vec::new, |parts| parts.0.into_iter().map(up_to_date).collect()));
    let frame = device.frame(&request);
    let address = server.url().trim_start_matches("http://").parse().unwrap();
    let connect = || {
        let mut line = RawLive::open(address);
        line.send(&frame);
        line.response();
        line
    };
    // What is needed once is there before the counting begins.
    let warm: Vec<RawLive> = (0..20).map(|_| connect()).collect();
    let before = server.resident_kilobytes();
    let lines: Vec<RawLive> = (0..connections - warm.len()).map(|_| connect()).collect();
    (server.resident_kilobytes() - before) as f64 / lines.len() as f64
}

/// How many files this process may open, and so those that it starts.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).and_then(|word| word.parse().ok()).unwrap_or(usize::MAX)
}
