//! A phone and its clone, which no mark tells apart, with what the server says of each to the other.

use std::sync::Arc;

use crate::docs::{Actor, Change, Keyring};
use crate::field::command::Recorded;
use crate::field::documents::{Base, View};
use crate::field::enrol::{Given, KeptIdentity};
use crate::field::keys::keyring;
use crate::field::outbox::Outbox;
use crate::field::plan::plan;
use crate::field::tables::{self, Setting};
use crate::field::vector::{Counting, first_answer};
use crate::field::{Engine, MemoryMark};
use crate::model::{
    Clock, DeviceId, DocId, GroupId, HouseholdDetails, HouseholdId, Incarnation, Millis, PersonId, Personal, Position, Receipt, Seal,
    StreetId, VisitDraft, VisitId, VisitSubject,
};
use crate::store::{Batch, MemoryStore, Store as _};
use crate::summary::Summary;
use crate::sync::{Entry, EntryChange, List, Part, Refusal, Response, Verdict};

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Millis {
        Millis(1_795_500_000_000)
    }
}

/// A phone in the hands of somebody.
struct Phone {
    store: Arc<MemoryStore>,
    mark: MemoryMark,
    engine: Engine,
}

impl Phone {
    fn over(store: MemoryStore, mark: MemoryMark, entropy: u8) -> Self {
        let store = Arc::new(store);
        let engine = Engine::open(store.clone(), Arc::new(Fixed), Box::new(Counting(entropy)), &mark).unwrap();
        Self { store, mark, engine }
    }

    /// One that has read its street.
    fn new() -> Self {
        let store = MemoryStore::new();
        let given = Given {
            device: DeviceId::from_bytes([1; 16]),
            person: PersonId::from_bytes([2; 16]),
            street: StreetId::from_bytes([3; 16]),
            name: "王建国".into(),
            sealing: None,
        };
        let identity = KeptIdentity { seed: [9; 32], server: "https://doorstep.example.cn".into(), given: Some(given) };
        let mut batch = Batch::new();
        tables::put(&mut batch, tables::setting(Setting::Identity), &identity);
        store.commit(batch).unwrap();
        let phone = Self::over(store, MemoryMark::default(), 0);
        phone.engine.apply(first_answer()).unwrap();
        phone
    }

    /// A copy of the whole phone, its mark included.
    fn clone(&self) -> Self {
        Self::over(self.store.copy(), self.mark.copy(), 100)
    }

    fn door(&self) -> HouseholdId {
        self.engine.households(None).unwrap()[0].row.id
    }

    fn visit(&self, findings: &str) -> VisitId {
        let mut draft = VisitDraft::routine(VisitSubject::Household(self.door()));
        draft.findings = Personal::new(findings.to_owned());
        self.engine.record_visit(draft).unwrap()
    }

    fn visits(&self) -> Vec<VisitId> {
        let mut visits: Vec<VisitId> =
            self.engine.visits(VisitSubject::Household(self.door())).unwrap().iter().map(|visit| visit.id).collect();
        visits.sort();
        visits
    }

    fn waiting(&self) -> Vec<Recorded> {
        self.engine.state().outbox.iter().map(|(number, _)| Outbox::read(&self.store, number).unwrap()).collect()
    }

    fn changes(&self) -> Vec<Change> {
        self.waiting().iter().flat_map(|recorded| &recorded.changes).map(|change| Change::parse(&change.bytes).unwrap()).collect()
    }

    /// The server accepts all that waits.
    fn is_accepted(&self) {
        let waiting = self.waiting();
        self.engine.state().outbox.set_in_flight(0..100);
        let verdict = |group: GroupId| Verdict::Accepted {
            group,
            at: Fixed.now(),
            numbers: List(vec![1]),
            duplicate_of: None,
            seals: List(vec![Seal::default()]),
        };
        let verdicts = waiting.iter().map(|recorded| verdict(recorded.command.group)).collect();
        self.engine.apply(Response { verdicts: Some(List(verdicts)), ..nothing() }).unwrap();
    }

    /// What the server has of the door, when it has all of this phone.
    fn base(&self) -> Base {
        Base::read(&self.store, self.door().into()).unwrap().unwrap()
    }

    /// Hears of an entry, as of something that became durable on the server just now.
    fn hears(&self, entry: Entry) -> bool {
        let grant = *self.engine.state().grants.keys().next().unwrap();
        let from = self.engine.state().grants[&grant].position;
        let part = Part { grant, from, to: Position(from.0 + 1), entries: List(vec![entry]), more: None, bootstrap: None, keys: None };
        self.engine.take_pushed(Response { parts: Some(List(vec![part])), pushed: Some(true), ..nothing() }).unwrap()
    }
}

fn nothing() -> Response {
    Response { parts: None, entered: None, ..first_answer() }
}

fn of_changes(doc: DocId, changes: &[Change]) -> Entry {
    let entry =
        |(change, number): (&Change, u64)| EntryChange { bytes: change.bytes().to_vec(), number, at: Fixed.now(), seal: Seal::default() };
    let changes = changes.iter().zip(1..).map(entry).collect();
    Entry::Changes { doc, kind: crate::docs::DocKind::Household, changes: List(changes) }
}

fn of_base(doc: DocId, base: Base) -> Entry {
    let summary = Summary::of(&base.load(doc).unwrap(), &base.receipts).to_row(&Keyring::default());
    Entry::Snapshot { doc, kind: base.kind, bytes: base.bytes, receipts: base.receipts, summary }
}

fn sorted<const N: usize>(mut visits: [VisitId; N]) -> Vec<VisitId> {
    visits.sort();
    visits.to_vec()
}

#[test]
fn what_a_clone_recorded_is_run_again_when_the_others_work_comes_before_any_verdict() {
    for whole in [false, true] {
        let phone = Phone::new();
        let clone = phone.clone();
        let (one, other) = (phone.visit("一"), clone.visit("二"));
        let (changes, before) = (phone.changes(), clone.changes());
        assert_eq!(changes[0].actor(), before[0].actor(), "no mark told them apart");
        phone.is_accepted();
        let door = phone.door();
        let entry = if whole { of_base(door.into(), phone.base()) } else { of_changes(door.into(), &changes) };
        let groups = clone.waiting().iter().map(|recorded| recorded.command.group).collect::<Vec<_>>();
        let again = clone.hears(entry);
        assert!(again, "what waits is to be sent");
        assert_eq!(clone.visits(), sorted([one, other]));
        assert_eq!(clone.waiting().iter().map(|recorded| recorded.command.group).collect::<Vec<_>>(), groups);
        let after = clone.changes();
        assert_ne!(after[0].actor(), before[0].actor());
        assert_eq!(after[0].actor().incarnation, clone.engine.state().incarnation);
        assert!(after[0].deps().any(|dep| dep == changes[0].hash()), "it builds on what came");
        // And so it is on the disk.
        let opened = Phone::over(clone.store.copy(), clone.mark.copy(), 200);
        assert_eq!(opened.engine.state().incarnation, clone.engine.state().incarnation);
        assert_eq!(opened.visits(), sorted([one, other]));
        opened.is_accepted();
        assert_eq!(opened.visits(), sorted([one, other]));
    }
}

#[test]
fn of_what_waits_only_what_did_not_arrive_is_run_again() {
    let phone = Phone::new();
    let early = phone.visit("早");
    let clone = phone.clone();
    let (one, other) = (phone.visit("一"), clone.visit("二"));
    let (changes, before) = (phone.changes(), clone.changes());
    phone.is_accepted();
    clone.hears(of_changes(phone.door().into(), &changes));
    assert_eq!(clone.visits(), sorted([early, one, other]));
    let after = clone.changes();
    assert_eq!((after.len(), after[0].hash()), (2, before[0].hash()), "the server gives its verdict on this one again");
    assert_ne!(after[1].hash(), before[1].hash());
    clone.is_accepted();
    assert_eq!(clone.visits(), sorted([early, one, other]));
}

#[test]
fn a_store_that_was_set_back_takes_its_own_work_from_the_server_and_goes_on_behind_it() {
    let phone = Phone::new();
    let copy = phone.clone();
    let (one, two) = (phone.visit("一"), phone.visit("二"));
    let changes = phone.changes();
    phone.is_accepted();
    copy.hears(of_changes(phone.door().into(), &changes));
    let three = copy.visit("三");
    assert_eq!(copy.visits(), sorted([one, two, three]));
    assert!(!phone.base().load(phone.door().into()).unwrap().is_forked_by(&copy.changes()[0]));
}

#[test]
fn a_value_that_both_set_keeps_the_value_of_each() {
    let phone = Phone::new();
    let clone = phone.clone();
    let remark = |text: &str| HouseholdDetails { remark: Some(Personal::new(text.to_owned())), ..HouseholdDetails::default() };
    phone.engine.change_household(phone.door(), remark("有狗"), Vec::new()).unwrap();
    clone.engine.change_household(clone.door(), remark("没狗"), Vec::new()).unwrap();
    let changes = phone.changes();
    clone.hears(of_changes(phone.door().into(), &changes));
    let door = clone.door().into();
    let view = View::load(&clone.store, &clone.engine.state(), door).unwrap().unwrap();
    assert_eq!(clone.engine.household(clone.door()).unwrap().details.remark.unwrap().reveal(), "没狗");
    assert!(view.document.contains(&changes[0].hash()));
    assert!(view.receipts.get(&changes[0].hash()).is_some_and(|receipt: Receipt| receipt.number == 1));
}

#[test]
fn what_was_accepted_before_with_other_changes_is_seen_until_the_answer_that_brings_it_is_whole() {
    let phone = Phone::new();
    let (one, later) = (phone.visit("一"), phone.visit("二"));
    let [first, second] = phone.waiting().try_into().unwrap();
    // Another life of the store has delivered the first, run again under an incarnation of its own.
    let elsewhere = Actor { incarnation: Incarnation([7; 8]), ..phone.changes()[0].actor() };
    let door: DocId = phone.door().into();
    let keys = keyring(&phone.store, &phone.engine.state().vault, door).unwrap();
    let mut document = phone.base().load(door).unwrap().with_keys(keys);
    let accepted = document.edit(elsewhere, first.at, &plan(&first.command, first.at).writes).unwrap().unwrap();
    let refused = Verdict::refused(second.command.group, &Refusal::DependsOnRefused { group: None });
    let hears = |entries: Vec<Entry>, more: Option<bool>| {
        let grant = *phone.engine.state().grants.keys().next().unwrap();
        let from = phone.engine.state().grants[&grant].position;
        let part = Part { grant, from, to: Position(from.0 + 1), entries: List(entries), more, bootstrap: None, keys: None };
        let verdicts = vec![Verdict::AcceptedBefore { group: first.command.group }, refused.clone()];
        phone.engine.state().outbox.set_in_flight(0..100);
        phone.engine.apply(Response { verdicts: Some(List(verdicts)), parts: Some(List(vec![part])), ..nothing() }).unwrap()
    };

    assert!(hears(Vec::new(), Some(true)), "there is more to read");
    assert_eq!(phone.visits(), sorted([one, later]));
    assert_eq!(phone.waiting(), [first.clone(), second.clone()], "they are sent again");

    hears(vec![of_changes(phone.door().into(), std::slice::from_ref(&accepted))], None);
    assert_eq!(phone.visits(), sorted([one, later]));
    let waiting = phone.waiting();
    assert_eq!(waiting.iter().map(|recorded| recorded.command.group).collect::<Vec<_>>(), [second.command.group]);
    assert!(phone.changes()[0].deps().any(|dep| dep == accepted.hash()), "it builds on what was accepted");
}
