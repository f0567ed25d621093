//! What trust costs: the steps of acceptance that are there because of people who must not, and the index of a street's names.

use std::hint::black_box;
use std::time::Instant;

use doorstep_core::docs::wellformed::{self, Action};
use doorstep_core::docs::{Change, DocKind, Document, Keyring, RecordKey, visit_writes};
use doorstep_core::field::search::{Entry, RowKind, SearchIndex};
use doorstep_core::model::{
    Clock as _, DeviceId, DocId, GridId, Hlc, HouseholdId, Incarnation, PersonId, Personal, ResidentId, Right, Role, Scope, StreetId,
    VisitDraft, VisitId, VisitSubject,
};
use doorstep_core::policy::{self, Principal, Subject};
use doorstep_core::summary::{ResidentSummary, Summary};
use doorstep_core::sync::{DeviceKey, Leaf, SealingSecret};
use doorstep_server::system::{SystemClock, SystemEntropy};

use crate::load::household;
use crate::table::Table;

const ROUNDS: usize = 5;
/// The changes of a push, as in the bench of acceptance.
const CHANGES: usize = 20;
const RESIDENTS: u32 = 40_000;

/// A household of the load, with a visit that is on its way to it.
struct Case {
    document: Document,
    change: Change,
    principal: Principal,
    scopes: [Scope; 2],
}

fn case() -> Case {
    let (now, entropy) = (SystemClock.now(), &mut SystemEntropy);
    let (street, grid, person, device) =
        (StreetId::make(now, entropy), GridId::make(now, entropy), PersonId::make(now, entropy), DeviceId::make(now, entropy));
    let new = household(grid, person, 1);
    let actor = doorstep_core::docs::Actor { device: device.tag(), incarnation: Incarnation::make(entropy) };
    let keys = Keyring::of(RecordKey::make(entropy));
    let mut document = Document::new(DocKind::Household, new.id).unwrap().with_keys(keys);
    document.edit(actor, Hlc::new(now, 0), &new.writes).unwrap();
    let mut draft = VisitDraft::routine(VisitSubject::Household(HouseholdId::from(new.id)));
    draft.findings = Personal::new("身体还好,药够吃两周,燃气已检查".to_owned());
    let writes = visit_writes(VisitId::make(now, entropy), person, now, &draft);
    let change = document.clone().edit(actor, Hlc::new(now, 1), &writes).unwrap().unwrap();
    let right = Right { role: Role::GridWorker, scope: Scope::Grid(grid) };
    Case { document, change, principal: Principal { person, rights: vec![right] }, scopes: [Scope::Street(street), Scope::Grid(grid)] }
}

/// Microseconds that one call takes, over rounds of a thousand.
fn micros(mut work: impl FnMut()) -> Vec<f64> {
    const CALLS: u32 = 1_000;
    let mut round = || {
        let begin = Instant::now();
        (0..CALLS).for_each(|_| work());
        begin.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
    };
    round();
    (0..ROUNDS).map(|_| round()).collect()
}

/// Measures each step by itself, and the index of names.
pub fn measure(table: &mut Table) {
    let Case { document, change, principal, scopes } = case();
    let operations = wellformed::check(&document, &change).unwrap();
    table.add("acceptance: structure of a change", "us", micros(|| drop(black_box(wellformed::check(&document, &change)))));
    table.add(
        "acceptance: policy of a change",
        "us",
        micros(|| {
            let subject = Subject { document: &document, before: &scopes, after: &scopes };
            policy::may_write(&principal, subject, black_box(&operations)).unwrap();
        }),
    );
    table.add(
        "acceptance: the seals of a change",
        "us",
        micros(|| {
            for operation in black_box(&operations) {
                if let Action::Put(value) = &operation.action {
                    document.keys().check(document.kind(), document.id(), &operation.path, value).unwrap();
                }
            }
        }),
    );
    let (key, device) = (DeviceKey::make(&mut SystemEntropy), DeviceId::make(SystemClock.now(), &mut SystemEntropy));
    let leaves: Vec<Leaf> = (0..CHANGES).map(|_| Leaf { doc: document.id(), hash: change.hash() }).collect();
    let signature = key.sign_push(device, &leaves);
    let signed = key.seal(vec![7; 12_000]);
    let per_change = |rounds: Vec<f64>| rounds.into_iter().map(|micros| micros / CHANGES as f64);
    let signatures = micros(|| {
        key.public().verify_push(device, black_box(&leaves), &signature).unwrap();
        key.public().verify_request(black_box(&signed)).unwrap();
    });
    table.add("acceptance: the signatures of a push, a change of it", "us", per_change(signatures));
    let secret = SealingSecret::derive(&[7; 32]);
    let keys = (0..CHANGES).map(|_| (DocId::make(SystemClock.now(), &mut SystemEntropy), document.keys().clone())).collect();
    let wrapped = secret.public().wrap(device, keys, &mut SystemEntropy).unwrap();
    let opened = micros(|| drop(black_box(secret.open(device, &wrapped).unwrap())));
    table.add("acceptance: the keys of a push that begins 20 records, a record of it", "us", per_change(opened));
    index(table);
}

/// From the rows of a street's residents to an index by name and pinyin, as the first search builds it.
fn index(table: &mut Table) {
    const FAMILY: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "欧阳", "赵"];
    const GIVEN: [&str; 10] = ["建国", "秀兰", "伟", "芳", "娜", "志强", "丽", "军", "洋", "桂英"];
    let name = |number: u32| {
        let part = |of: &[&str], at: u32| of[at as usize % of.len()].to_owned();
        part(&FAMILY, number) + &part(&GIVEN, number / 8) + &part(&GIVEN, number / 80)
    };
    let rows: Vec<(Vec<u8>, Keyring)> = (0..RESIDENTS)
        .map(|number| {
            let summary = Summary::Resident(ResidentSummary {
                id: ResidentId::make(SystemClock.now(), &mut SystemEntropy),
                grid: None,
                household: None,
                name: Some(Personal::new(name(number))),
                tags: Vec::new(),
                conflicted: false,
                removed: false,
                lock: doorstep_core::docs::Lock::Open,
            });
            let keys = Keyring::of(RecordKey::make(&mut SystemEntropy));
            (summary.to_row(&keys), keys)
        })
        .collect();
    let round = || {
        let begin = Instant::now();
        let mut index = SearchIndex::new();
        for (row, keys) in &rows {
            let Ok(Summary::Resident(resident)) = Summary::from_row(row, keys) else { panic!("a row of a resident") };
            let names = resident.name.iter().map(|name| name.reveal().clone()).collect();
            index.put(Entry { id: resident.id.into(), kind: RowKind::Resident, names, doors: Vec::new(), texts: Vec::new() });
        }
        assert_eq!(index.len(), RESIDENTS as usize);
        (begin.elapsed().as_secs_f64() * 1_000.0, index.memory_bytes() as f64 / 1_048_576.0)
    };
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| round()).collect();
    table.add("names of 40,000 residents: rows opened and indexed", "ms", rounds.iter().map(|round| round.0));
    table.add("names of 40,000 residents: memory of the index", "MB", rounds.iter().map(|round| round.1));
}
