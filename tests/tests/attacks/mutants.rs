//! Real changes with something altered: bytes under a repaired checksum, and operations under a well-made envelope. Nothing panics, and what
//! is accepted all the same leaves a document that loads, that honest people can write to, and that is the same in whatever order it came.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ExpandedChange, ObjType, ScalarValue};
use doorstep_core::docs::layout::Container;
use doorstep_core::docs::{Change, Document, Write, wellformed};
use doorstep_tests::forge::{Forger, actor, actor_id, bytes_of, expand, repair_checksum};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::scene::{CENTRE, MALLORY, STRANGER, Scene, WORKER, amendment, attachment, edit, event, key, member, note, tag, visit};
use doorstep_core::model::EventKind;

const BYTE_MUTANTS: usize = 20_000;
const OPERATION_MUTANTS: usize = 20_000;

/// How far a mutant came.
#[derive(Default, Debug)]
struct Tally {
    unparsable: usize,
    malformed: usize,
    accepted: usize,
}

/// A document and honest changes that would be its next.
struct Bench {
    scene: Scene,
    next: Vec<Vec<u8>>,
    /// An honest change of the worker that nobody else has seen.
    concurrent: Change,
}

impl Bench {
    fn new(scene: Scene, writes: Vec<Vec<Write>>) -> Self {
        let next = [MALLORY, CENTRE, STRANGER]
            .iter()
            .flat_map(|who| writes.iter().map(|writes| edit(&mut scene.doc.clone(), *who, 9, writes).bytes().to_vec()).collect::<Vec<_>>());
        let next = next.collect();
        let concurrent = edit(&mut scene.doc.clone(), WORKER, 10, &[Write::set("remark", "concurrently"), Write::set("status", "done")]);
        Self { scene, next, concurrent }
    }

    fn all() -> [Self; 2] {
        let settle = |scene: &Scene| {
            let shown = scene.doc.conflicts()[0].candidates.last().unwrap().value.clone();
            Write::Set(doorstep_core::docs::Slot::Root("remark".into()), shown)
        };
        let (case, household) = (Scene::case(), Scene::household());
        let on_case = vec![
            vec![event(60, EventKind::Closed, MALLORY), Write::set("status", "closed")],
            vec![settle(&case), attachment(0xbb, MALLORY), Write::set("note", 5)],
            vec![Write::set("remark", "mine"), Write::set("removed", true)],
        ];
        let mut all = visit(60, MALLORY);
        all.extend([note(61, MALLORY), amendment(62, 10, WORKER), tag("独居", false), tag("低保", true), member(0x77, false)]);
        let on_household = vec![all, vec![settle(&household), tag("独居", false)], vec![Write::set("remark", "mine"), note(61, MALLORY)]];
        [Self::new(case, on_case), Self::new(household, on_household)]
    }

    /// Judges bytes; what is accepted is applied and must leave nothing broken.
    fn try_out(&self, bytes: &[u8], tally: &mut Tally) {
        let parsed = catch_unwind(AssertUnwindSafe(|| Change::parse(bytes))).expect("parsing panicked");
        let Ok(change) = parsed else { return tally.unparsable += 1 };
        if self.scene.doc.contains(&change.hash()) || wellformed::check(&self.scene.doc, &change).is_err() {
            return tally.malformed += 1;
        }
        tally.accepted += 1;
        let mut first = self.scene.doc.clone();
        first.apply([&change]).unwrap();
        first.saved_and_reloaded().unwrap();
        if wellformed::check(&first, &self.concurrent).is_ok() {
            let mut last = self.scene.doc.clone();
            last.apply([&self.concurrent]).unwrap();
            last.apply([&change]).unwrap();
            first.apply([&self.concurrent]).unwrap();
            assert_eq!(first.heads(), last.heads());
            assert_eq!(first.digest(), last.digest(), "the order of arrival shows");
        }
        for who in [WORKER, CENTRE] {
            let later = format!("later by {who}");
            edit(&mut first, who, 70, &[Write::set("status", later.as_str()), Write::set("remark", later.as_str())]);
        }
        first.saved_and_reloaded().unwrap();
    }
}

#[test]
fn changes_with_altered_bytes_break_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let benches = Bench::all();
    let mut tally = Tally::default();
    let all: Vec<(&Bench, &Vec<u8>)> = benches.iter().flat_map(|bench| bench.next.iter().map(move |next| (bench, next))).collect();
    let each = BYTE_MUTANTS / all.len() + 1;
    for (bench, honest) in all {
        for mutant in 0..each {
            let mut bytes = honest.clone();
            // Each byte in turn, whatever its new value; now and then a second one, or one more or less.
            let at = 8 + mutant % (bytes.len() - 8);
            bytes[at] ^= 1 << (rng.next_u32() % 8);
            match rng.next_u32() % 8 {
                0 => {
                    let second = 8 + rng.next_u32() as usize % (bytes.len() - 8);
                    bytes[second] = rng.next_u32() as u8;
                }
                1 => bytes.insert(at, rng.next_u32() as u8),
                2 => drop(bytes.remove(at)),
                _ => {}
            }
            repair_checksum(&mut bytes);
            bench.try_out(&bytes, &mut tally);
        }
    }
    println!("bytes: {tally:?}");
    assert!(tally.unparsable > 1_000 && tally.malformed > 1_000 && tally.accepted > 1_000, "{tally:?}");
}

/// What a mutation can put in the place of something honest.
struct Pool {
    ids: Vec<OpId>,
    objects: Vec<ObjectId>,
    keys: Vec<String>,
    actions: Vec<OpType>,
    hashes: Vec<automerge::ChangeHash>,
}

impl Pool {
    fn of(doc: &Document) -> Self {
        let forger = Forger::new(doc, actor(MALLORY));
        let containers = doc.kind().containers();
        let mut keys: Vec<String> =
            ["id", "kind", "schema", "status", "note", "remark", "fresh", "at", "by", "text"].map(str::to_owned).into();
        keys.extend(containers.iter().map(|container| container.key().to_owned()));
        keys.extend([key(10), key(11), key(12), key(60), key(99), key(10).to_uppercase(), "独居".into(), "aa".repeat(32)]);
        let entries = [Container::Events, Container::Visits, Container::Attachments];
        let there = |container: &Container| containers.contains(container) && !forger.in_container(*container, &key(10)).is_empty();
        let mut objects: Vec<ObjectId> = containers.iter().map(|container| forger.container(*container)).collect();
        objects.extend(entries.iter().filter(|container| there(container)).map(|container| forger.entry(*container, &key(10))));
        objects.push(ObjectId::Root);
        let next = forger.next_counter();
        let mut ids: Vec<OpId> = keys.iter().flat_map(|key| forger.at_root(key)).collect();
        for who in [WORKER, CENTRE, MALLORY, STRANGER] {
            ids.extend([1, 4, next - 1, next, next + 1].map(|counter| OpId::new(counter, &actor_id(actor(who)))));
        }
        objects.extend(ids.iter().cloned().map(ObjectId::Id));
        let scalars =
            [ScalarValue::Null, "x".into(), 5.into(), ScalarValue::Uint(5), ScalarValue::counter(1), ScalarValue::Bytes(vec![1; 16])];
        let mut actions: Vec<OpType> = scalars.into_iter().map(OpType::Put).collect();
        actions.extend([
            OpType::Delete,
            OpType::Increment(1),
            OpType::Make(ObjType::Map),
            OpType::Make(ObjType::List),
            OpType::Make(ObjType::Text),
        ]);
        let mut hashes = forger.frame().deps;
        hashes.extend(Forger::new(doc, actor(WORKER)).frame().deps);
        Self { ids, objects, keys, actions, hashes }
    }

    fn mutate(&self, rng: &mut ChaCha8Rng, change: &mut ExpandedChange) {
        fn pick<T: Clone>(rng: &mut ChaCha8Rng, from: &[T]) -> T {
            from[rng.next_u32() as usize % from.len()].clone()
        }
        let count = change.operations.len();
        let at = rng.next_u32() as usize % count.max(1);
        let Some(op) = change.operations.get_mut(at) else { return };
        match rng.next_u32() % 16 {
            0 => change.start_op = (change.start_op.get() + 1).try_into().unwrap(),
            1 => change.start_op = (change.start_op.get() - 1).max(1).try_into().unwrap(),
            2 => change.seq = u64::from(rng.next_u32() % 4),
            3 => change.deps = change.deps.iter().skip(1).copied().collect(),
            4 => change.deps.push(pick(rng, &self.hashes)),
            5 => change.actor_id = actor_id(actor(pick(rng, &[WORKER, CENTRE, MALLORY, STRANGER, 200]))),
            6 => op.obj = pick(rng, &self.objects),
            7 => op.key = Key::Map(pick(rng, &self.keys).as_str().into()),
            8 => op.action = pick(rng, &self.actions),
            9 => op.pred = op.pred.iter().cloned().chain([pick(rng, &self.ids)]).collect(),
            10 => op.pred = op.pred.iter().skip(1).cloned().collect(),
            11 => op.pred = [pick(rng, &self.ids)].into_iter().collect(),
            12 => drop(change.operations.remove(at)),
            13 => change.operations.swap(0, at),
            14 => {
                let again = op.clone();
                change.operations.insert(at, again);
            }
            _ => {
                let fresh: Op = Op {
                    obj: pick(rng, &self.objects),
                    key: Key::Map(pick(rng, &self.keys).as_str().into()),
                    action: pick(rng, &self.actions),
                    ..op.clone()
                };
                change.operations.push(fresh);
            }
        }
    }
}

#[test]
fn changes_with_altered_operations_break_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut tally = Tally::default();
    for bench in Bench::all() {
        let pool = Pool::of(&bench.scene.doc);
        for _ in 0..OPERATION_MUTANTS / 2 {
            let mut change = expand(&bench.next[rng.next_u32() as usize % bench.next.len()]);
            for _ in 0..=rng.next_u32() % 2 {
                pool.mutate(&mut rng, &mut change);
            }
            bench.try_out(&bytes_of(change), &mut tally);
        }
    }
    println!("operations: {tally:?}");
    assert!(tally.malformed > 5_000 && tally.accepted > 500, "{tally:?}");
}
