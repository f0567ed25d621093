//! A small phone's store, as each schema of it was, kept as test vectors: what every later version must still open.

use std::ops::Bound;
use std::sync::Arc;

use crate::docs::{DocKind, Document, Keyring, Scalar, Slot, Write, layout::Container};
use crate::field::documents::Base;
use crate::field::enrol::{Given, KeptIdentity};
use crate::field::tables::{self, Setting};
use crate::field::{Engine, LifeMark, MemoryMark};
use crate::model::{
    CaseDetails, Category, Clock, DeviceId, Directory, Entropy, Grant, GrantId, Grid, GridId, HouseholdDetails, Incarnation, LedgerId,
    Millis, PersonId, Personal, Position, Receipts, Role, Scope, Staff, StreetId, VisitDraft, VisitSubject,
};
use crate::store::{Batch, MemoryStore, Read, Store};
use crate::summary::Summary;
use crate::sync::{Entered, Entry, List, Part, RecordKind, Response, SealingKey};

const NOW: Millis = Millis(1_795_500_000_000);
const INCARNATION: Incarnation = Incarnation([8; 8]);

/// The first version, the one with marks, the one whose grants have roles, the one that seals, the one whose values have keys of their own, and the one
/// that seals in fewer bytes.
const STORES: [&str; 6] = [
    include_str!("../../vectors/phone-store-1.txt"),
    include_str!("../../vectors/phone-store-2.txt"),
    include_str!("../../vectors/phone-store-3.txt"),
    include_str!("../../vectors/phone-store-4.txt"),
    include_str!("../../vectors/phone-store-5.txt"),
    include_str!("../../vectors/phone-store-6.txt"),
];

struct Fixed;
impl Clock for Fixed {
    fn now(&self) -> Millis {
        NOW
    }
}

pub(in crate::field) struct Counting(pub u8);
impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

fn id(byte: u8) -> [u8; 16] {
    [byte; 16]
}

/// A phone that was enrolled and synced once, and has recorded a visit, a change and an issue since.
fn make() -> MemoryStore {
    let store = Arc::new(MemoryStore::new());
    drop(fill(store.clone()));
    Arc::into_inner(store).unwrap()
}

/// That phone, opened.
pub(in crate::field) fn enrolled_engine() -> Engine {
    fill(Arc::new(MemoryStore::new()))
}

/// Makes that phone in an empty store.
pub(in crate::field) fn fill(store: Arc<dyn Store>) -> Engine {
    let given = Given {
        device: DeviceId::from_bytes(id(1)),
        person: PersonId::from_bytes(id(2)),
        street: StreetId::from_bytes(id(3)),
        name: "王建国".into(),
        sealing: Some(SealingKey([11; 32])),
    };
    let mut batch = Batch::new();
    let identity = KeptIdentity { seed: [9; 32], server: "https://doorstep.example.cn".into(), given: Some(given) };
    tables::put(&mut batch, tables::setting(Setting::Identity), &identity);
    tables::put(&mut batch, tables::setting(Setting::Incarnation), &INCARNATION);
    tables::put(&mut batch, tables::setting(Setting::LifeMark), &minicbor::bytes::ByteArray::from([12; 16]));
    store.commit(batch).unwrap();
    let mark = MemoryMark::default();
    mark.write(&[12; 16]).unwrap();
    let engine = open(store, &mark);
    engine.state().outbox.set_in_flight([]);
    engine.apply(first_answer()).unwrap();
    let household = engine.households(None).unwrap()[0].row.id;
    engine.record_visit(VisitDraft::routine(VisitSubject::Household(household))).unwrap();
    let details = HouseholdDetails { remark: Some(Personal::new("有狗".into())), ..HouseholdDetails::default() };
    engine.change_household(household, details, Vec::new()).unwrap();
    engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();
    engine
}

pub(in crate::field) fn open(store: Arc<dyn Store>, mark: &dyn LifeMark) -> Engine {
    Engine::open(store, Arc::new(Fixed), Box::new(Counting(0)), mark).unwrap()
}

pub(in crate::field) fn first_answer() -> Response {
    let grid = GridId::from_bytes(id(4));
    let grant = Grant {
        id: GrantId::from_bytes(id(5)),
        person: PersonId::from_bytes(id(2)),
        scope: Scope::Grid(grid),
        from: Millis(0),
        until: None,
        role: Role::GridWorker,
    };
    let directory = Directory {
        schema: Directory::SCHEMA,
        version: 3,
        street: StreetId::from_bytes(id(3)),
        name: "窑湾街道".into(),
        centres: Vec::new(),
        grids: vec![Grid { id: grid, name: "第1网格".into(), community: "幸福社区".into() }],
        staff: vec![Staff {
            id: PersonId::from_bytes(id(2)),
            name: "王建国".into(),
            role: Role::GridWorker,
            grids: vec![grid],
            devices: vec![DeviceId::from_bytes(id(1)).tag()],
        }],
    };
    let mut household = Document::new(DocKind::Household, crate::model::DocId::from_bytes(id(6))).unwrap();
    let writes = [
        Write::set("grid", grid.as_bytes()),
        Write::set("door", "2单元301"),
        Write::Set(Slot::In(Container::Tags, "独居".into()), Scalar::Bool(true)),
    ];
    let actor = crate::docs::Actor { device: DeviceId::from_bytes(id(7)).tag(), incarnation: Incarnation([7; 8]) };
    household.edit(actor, crate::model::Hlc::new(NOW, 0), &writes).unwrap();
    let summary = Summary::of(&household, &Receipts::default()).to_row(&Keyring::default());
    let entries = vec![
        Entry::Record { id: crate::model::DocId::from_bytes(id(3)), kind: RecordKind::Directory, bytes: tables::encode(&directory) },
        Entry::Snapshot { doc: household.id(), kind: DocKind::Household, bytes: household.save(), receipts: Receipts::default(), summary },
    ];
    let part =
        Part { grant: grant.id, from: Position(0), to: Position(9), entries: List(entries), more: None, bootstrap: None, keys: None };
    Response {
        parts: Some(List(vec![part])),
        entered: Some(List(vec![Entered { grant }])),
        ..Response::nothing(NOW, LedgerId::from_bytes(id(10)))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

#[test]
fn this_version_writes_the_store_of_the_vector() {
    let store = make();
    let rows = store.range(Bound::Unbounded, Bound::Unbounded, 10_000).unwrap();
    let mut written = format!("roots {}\n", hex(&store.roots().unwrap().unwrap()));
    rows.iter().for_each(|(key, value)| written.push_str(&format!("{} {}\n", hex(key), hex(value))));
    if std::env::var_os("WRITE_VECTORS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/phone-store-6.txt"), &written).unwrap();
    }
    assert_eq!(written, STORES[5]);
}

#[test]
fn the_stores_of_all_versions_are_read_with_everything_in_them() {
    STORES.iter().for_each(|rows| is_read(rows));
}

fn is_read(rows: &str) {
    let store = Arc::new(MemoryStore::new());
    let mut batch = Batch::new();
    for line in rows.lines() {
        let (key, value) = line.split_once(' ').unwrap();
        if key == "roots" {
            store.set_roots(&unhex(value)).unwrap();
            continue;
        }
        batch.put(unhex(key), unhex(value));
    }
    store.commit(batch).unwrap();
    let engine = open(store.clone(), &MemoryMark::default());
    // One of before there were marks, or one whose mark is elsewhere: it begins a new life.
    assert_ne!(engine.state().incarnation, INCARNATION);
    assert_eq!(engine.identity().unwrap().name, "王建国");
    assert_eq!(engine.directory().unwrap().name, "窑湾街道");
    assert_eq!(engine.status().pending, 3);
    let household = engine.household(engine.households(None).unwrap()[0].row.id).unwrap();
    assert_eq!((household.details.door.as_deref(), household.visits.len()), (Some("2单元301"), 1));
    assert_eq!(household.details.remark.unwrap().reveal(), "有狗");
    let case = engine.case(engine.open_cases(None).unwrap()[0].row.id).unwrap();
    assert_eq!(case.case.details.description.reveal(), "夜里施工");
    assert!(Base::read(&store, household.id.into()).unwrap().is_some());
}
