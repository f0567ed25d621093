//! What a first download costs: 20,000 documents of a street, with a year's work in them, over loopback to a phone on a real disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use doorstep_core::docs::{DocKind, Write, case_writes, event_write};
use doorstep_core::model::{
    CaseDetails, CaseEvent, CaseId, CaseKind, Category, Clock as _, EventId, EventKind, GridId, PersonId, Role, StreetId,
};
use doorstep_server::hub::{Hub, NewDocument, NewPerson};
use doorstep_server::system::{SystemClock, SystemEntropy};
use doorstep_tests::counting::Counting;
use doorstep_tests::phone::Phone;
use doorstep_tests::server::{Server, hub};

use crate::load;
use crate::table::{Table, millis};

const GRIDS: usize = 20;
const HOUSEHOLDS: usize = 5_000;
const CASES: usize = 15_000;
/// One case in so many is still open.
const OPEN: usize = 20;
const ROUNDS: usize = 3;

/// Measures a phone of the centre, which has the whole street in scope.
pub fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    let (street, centre) = {
        let (hub, _store) = hub(&data, Arc::new(SystemClock));
        build(&hub)
    };
    let server = Server::start(&data, Arc::new(SystemClock));
    let mut rounds = Vec::new();
    for number in 0..ROUNDS {
        rounds.push(round(&server, &folder.path().join(format!("phone-{number}")), street, centre));
    }
    let what = format!("bootstrap: {} documents", HOUSEHOLDS + CASES);
    let mut add = |name: &str, unit, of: &dyn Fn(&Round) -> f64| table.add(format!("{what}: {name}"), unit, rounds.iter().map(of));
    add("bodies both ways", "MB", &|round| round.bytes as f64 / 1e6);
    add("round trips", "", &|round| round.round_trips as f64);
    add("time until usable", "ms", &|round| millis(round.usable));
    add("time until whole", "ms", &|round| millis(round.whole));
    add("processor time of the phone's thread", "ms", &|round| millis(round.processor));
}

/// What a download came to.
struct Round {
    bytes: usize,
    round_trips: u32,
    usable: Duration,
    whole: Duration,
    processor: Duration,
}

fn round(server: &Server, folder: &std::path::Path, street: StreetId, person: PersonId) -> Round {
    let phone = Phone::open_now(folder);
    let (code, _) = server.hub.make_code(street, person).unwrap();
    phone.engine.enrol(&server.transport(), "http://the-server", &code, "a phone").unwrap();
    let transport = Counting::over(server.transport());
    let (begin, processor) = (Instant::now(), processor_time());
    let mut usable = None;
    let report = phone
        .engine
        .sync_with(&transport, &mut |status| {
            if status.bootstrap.usable && usable.is_none() {
                usable = Some(begin.elapsed());
            }
        })
        .unwrap();
    let whole = begin.elapsed();
    assert!(phone.engine.status().bootstrap.complete && report.exchanged.received > HOUSEHOLDS + CASES);
    let bytes = transport.take().iter().map(|exchange| exchange.sent + exchange.received).sum();
    Round { bytes, round_trips: report.round_trips, usable: usable.unwrap(), whole, processor: processor_time() - processor }
}

/// What this thread has used, as Linux counts it.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0))
}

fn build(hub: &Hub) -> (StreetId, PersonId) {
    let street = hub.add_street("窑湾街道", &["综合协调中心"]).unwrap().id;
    let names: Vec<_> = (0..GRIDS).map(|grid| (format!("第{grid}网格"), String::new())).collect();
    let grids = hub.add_grids(street, &names).unwrap();
    let add = |role, grids| hub.add_person(street, &NewPerson { name: "周敏".to_owned(), role, grids }).unwrap();
    let worker = add(Role::GridWorker, vec![grids[0]]);
    let centre = add(Role::CentreStaff, Vec::new());
    let households = (0..HOUSEHOLDS).map(|door| load::household(grids[door % GRIDS], worker, door));
    let cases = (0..CASES).map(|number| case(grids[number % GRIDS], worker, number));
    let documents: Vec<NewDocument> = households.chain(cases).collect();
    hub.create_documents(street, &documents, &mut |_| {}).unwrap();
    (street, centre)
}

/// A case with six events, as it is when it was followed to its end, or nearly.
pub fn case(grid: GridId, by: PersonId, number: usize) -> NewDocument {
    let (now, entropy) = (SystemClock.now(), &mut SystemEntropy);
    let id = CaseId::make(now, entropy);
    let details = CaseDetails::issue(Category::Facilities, format!("{number}号楼道灯不亮,老人上下楼不便,请尽快派人检修"));
    let mut writes = vec![Write::set("grid", grid.as_bytes())];
    writes.extend(case_writes(&CaseKind::Issue, &details));
    let last = if number.is_multiple_of(OPEN) { EventKind::Noted } else { EventKind::Closed };
    let kinds = [EventKind::Captured, EventKind::Registered, EventKind::Noted, EventKind::Noted, EventKind::Noted, last];
    // Within one change events are in the order of their ids.
    writes.extend((0..).zip(kinds).map(|(minute, kind)| {
        let at = now.plus(minute * 60_000);
        let text = (kind == EventKind::Noted).then(|| "已联系物业,明天上午来看".to_owned().into());
        event_write(&CaseEvent { id: EventId::make(at, entropy), kind, by, at, text, other: None })
    }));
    NewDocument { id: id.into(), kind: DocKind::Case, writes }
}
