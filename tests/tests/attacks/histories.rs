//! Honest work: whatever four people write in whatever order, with whatever clocks, none of it is refused and all replicas come to the same.

use doorstep_core::docs::layout::Container;
use doorstep_core::docs::wellformed::{self, Action};
use doorstep_core::docs::{Actor, Change, DocKind, Document, Scalar, Slot, Write};
use doorstep_core::model::{DocId, EventKind, Hlc, Millis};
use doorstep_tests::forge::actor;
use doorstep_tests::handmade::keyed;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::scene::{NOON, amendment, attachment, event, id, key, member, note, tag, visit};

const PEOPLE: usize = 4;
const HISTORIES: u64 = 750;
const FIELDS: [&str; 7] = ["remark", "door", "contact", "grid", "removed", "schema", "a field of a later version"];
const TAGS: [&str; 3] = ["独居", "低保", "elderly"];

/// A number below `end`.
fn below(rng: &mut ChaCha8Rng, end: usize) -> usize {
    rng.next_u32() as usize % end
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, from: &'a [T]) -> &'a T {
    &from[below(rng, from.len())]
}

/// Somebody with a copy of the document, and what they wrote that the hub does not have yet.
struct Person {
    actor: Actor,
    doc: Document,
    outbox: Vec<Change>,
}

struct History {
    rng: ChaCha8Rng,
    hub: Document,
    /// All that the hub took, in its order.
    feed: Vec<Change>,
    people: Vec<Person>,
    next_id: u8,
    /// How many operations took the losers of a conflict away.
    settled: usize,
}

impl History {
    fn new(kind: DocKind, seed: u64) -> Self {
        let hub = keyed(Document::new(kind, DocId::from_bytes(id(seed as u8))).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let people = (0..PEOPLE).map(|_| Person { actor: actor(rng.next_u32() as u8), doc: hub.clone(), outbox: Vec::new() }).collect();
        Self { rng, hub, feed: Vec::new(), people, next_id: 0, settled: 0 }
    }

    /// One person does one thing: mostly write, else hand in or fetch.
    fn step(&mut self) {
        let who = below(&mut self.rng, PEOPLE);
        match below(&mut self.rng, 8) {
            0..=4 => self.write(who),
            5 | 6 => self.push(who),
            _ => self.pull(who),
        }
    }

    fn write(&mut self, who: usize) {
        let writes: Vec<Write> = (0..=below(&mut self.rng, 4)).flat_map(|_| self.some_write(who)).collect();
        let skew = i64::from(self.rng.next_u32()) - i64::from(u32::MAX / 2); // clocks are wrong by up to three weeks
        let at = Hlc::new(Millis(NOON + skew), self.rng.next_u32() as u16);
        let Person { actor, doc, outbox } = &mut self.people[who];
        outbox.extend(doc.edit(*actor, at, &writes).unwrap());
    }

    fn some_write(&mut self, who: usize) -> Vec<Write> {
        let kind = self.hub.kind();
        let containers = kind.containers();
        let id = self.next_id;
        let by = who as u8;
        if below(&mut self.rng, 3) > 0 {
            return vec![self.some_register(who)];
        }
        self.next_id = self.next_id.wrapping_add(1);
        match pick(&mut self.rng, containers) {
            Container::Tags => vec![tag(pick::<&str>(&mut self.rng, &TAGS), self.rng.next_u32().is_multiple_of(2))],
            Container::Members => vec![member(id % 3, self.rng.next_u32().is_multiple_of(2))],
            Container::Visits => visit(id, by),
            Container::Amendments => vec![amendment(id, id.wrapping_sub(1), by)],
            Container::Notes => vec![note(id, by)],
            Container::Attachments => vec![attachment(id, by)],
            Container::Events => vec![event(id, pick(&mut self.rng, EventKind::KNOWN).clone(), by)],
        }
    }

    /// A register is set to something new, to the same again, to nothing, or to what is shown, which settles a conflict.
    fn some_register(&mut self, who: usize) -> Write {
        let conflicts = self.people[who].doc.conflicts();
        if !conflicts.is_empty() && self.rng.next_u32().is_multiple_of(2) {
            let conflict = pick(&mut self.rng, &conflicts);
            let slot = match conflict.field.split_once('/') {
                Some(("tags", tag)) => Slot::In(Container::Tags, tag.to_owned()),
                Some((_, member)) => Slot::In(Container::Members, member.to_owned()),
                None => Slot::Root(conflict.field.clone()),
            };
            let value = if self.rng.next_u32().is_multiple_of(4) { conflict.candidates.first() } else { conflict.candidates.last() };
            return Write::Set(slot, value.unwrap().value.clone());
        }
        let value = match below(&mut self.rng, 6) {
            0 => Scalar::Null,
            1 => Scalar::Int(i64::from(self.rng.next_u32()) << below(&mut self.rng, 32)),
            2 => Scalar::Bool(true),
            3 => Scalar::Bytes(key(self.rng.next_u32() as u8).into_bytes()),
            4 => Scalar::Text("x".repeat(below(&mut self.rng, 300))),
            _ => Scalar::from("the same by all"),
        };
        Write::Set(Slot::Root((*pick(&mut self.rng, &FIELDS)).to_owned()), value)
    }

    /// Hands the oldest changes in: each is read from its bytes, judged and applied, as the hub does.
    fn push(&mut self, who: usize) {
        let outbox = &mut self.people[who].outbox;
        let some = below(&mut self.rng, outbox.len() + 1);
        for sent in outbox.drain(..some) {
            let change = Change::parse(sent.bytes()).unwrap();
            let operations = match wellformed::check(&self.hub, &change) {
                Ok(operations) => operations,
                Err(refused) => panic!("honest work was refused: {refused}"),
            };
            self.settled += operations.iter().filter(|operation| operation.action == Action::SettleConflict).count();
            self.hub.apply_checked(&change, &operations).unwrap();
            self.feed.push(change);
        }
        // The hub goes on with what it loaded again, and compares only what was written.
        self.hub = self.hub.saved_and_reloaded().unwrap().document;
    }

    /// Fetches what the hub has; a phone may judge it too, and finds no fault.
    fn pull(&mut self, who: usize) {
        let doc = &mut self.people[who].doc;
        for change in &self.feed {
            if !doc.contains(&change.hash()) {
                wellformed::check(doc, change).unwrap();
                doc.apply([change]).unwrap();
            }
        }
    }

    /// Everybody hands all in and fetches all. Gives how many changes there were.
    fn settle(&mut self) -> usize {
        for who in 0..PEOPLE {
            while !self.people[who].outbox.is_empty() {
                self.push(who);
            }
        }
        (0..PEOPLE).for_each(|who| self.pull(who));
        self.feed.len()
    }

    fn is_the_same_everywhere(&mut self) {
        let (heads, digest) = (self.hub.heads(), self.hub.digest());
        let saved = self.hub.saved_and_reloaded().unwrap().bytes;
        for person in &self.people {
            assert_eq!(person.doc.heads(), heads);
            assert_eq!(person.doc.digest(), digest);
        }
        self.people[0].doc.saved_and_reloaded().unwrap();

        let mut shuffled: Vec<&Change> = self.feed.iter().collect();
        for end in (1..shuffled.len()).rev() {
            shuffled.swap(end, below(&mut self.rng, end + 1));
        }
        let mut at_once = keyed(Document::new(self.hub.kind(), self.hub.id()).unwrap());
        at_once.apply(shuffled).unwrap();
        let loaded = Document::load(self.hub.kind(), self.hub.id(), &saved).unwrap();
        for other in [at_once, loaded] {
            assert_eq!(other.heads(), heads);
            assert_eq!(other.digest(), digest);
            assert_eq!(other.change_count(), self.hub.change_count());
        }
    }
}

fn live(kind: DocKind) {
    let mut changes = 0;
    let (mut conflicts, mut settled) = (0, 0);
    for seed in 0..HISTORIES {
        let mut history = History::new(kind, seed);
        if history.people.iter().any(|one| history.people.iter().filter(|other| other.actor == one.actor).count() > 1) {
            continue; // two people with one actor are a cloned phone, another matter
        }
        for _ in 0..20 + below(&mut history.rng, 20) {
            history.step();
        }
        changes += history.settle();
        conflicts += history.hub.conflicts().len();
        settled += history.settled;
        history.is_the_same_everywhere();
    }
    println!("{kind:?}: {changes} changes, none refused; {settled} conflicts settled by writing what is shown, {conflicts} left standing");
    assert!(changes > 8_000 && settled > 100 && conflicts > 100, "too few to say anything");
}

#[test]
fn honest_work_on_households_is_never_refused() {
    live(DocKind::Household);
}

#[test]
fn honest_work_on_cases_is_never_refused() {
    live(DocKind::Case);
}

#[test]
fn honest_work_on_places_is_never_refused() {
    live(DocKind::Place);
}

#[test]
fn honest_work_on_parties_is_never_refused() {
    live(DocKind::Party);
}
