//! A load of many phones: everything that they send is made and signed before the clock starts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use doorstep_core::docs::layout::Container;
use doorstep_core::docs::{DocKind, Document, Scalar, Slot, Write, household_writes, visit_writes};
use doorstep_core::field::{HttpTransport, SYNC_PATH, Transport as _};
use doorstep_core::model::{
    Clock as _, DocId, GrantId, GridId, HouseholdDetails, HouseholdId, LedgerId, PersonId, Personal, PlaceId, Position, ResidentId, Role,
    StreetId, VisitDraft, VisitId, VisitSubject,
};
use doorstep_core::sync::{Freshness, List, Reading, Response, Verdict, open_frame};
use doorstep_server::hub::{Hub, NewDocument, NewPerson};
use doorstep_server::system::{SystemClock, SystemEntropy};
use doorstep_tests::handmade::{Handmade, group_of};

/// How large a load is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub streets: usize,
    /// In each street; each with a worker who has one phone.
    pub grids: usize,
    /// In each grid.
    pub households: usize,
}

/// Somebody who will be a phone, and their households.
pub struct Worker {
    street: StreetId,
    ledger: LedgerId,
    person: PersonId,
    grant: GrantId,
    code: String,
    households: Vec<Document>,
}

/// A phone whose requests are made by hand.
pub struct LoadPhone {
    device: Handmade,
    ledger: LedgerId,
    grant: GrantId,
    newest: Position,
    households: Vec<Document>,
}

/// Fills a hub: households with five members and twelve visits, as they are after a year.
pub fn fill(hub: &Hub, size: Size) -> Vec<Worker> {
    (0..size.streets).flat_map(|number| fill_street(hub, size, number)).collect()
}

fn fill_street(hub: &Hub, size: Size, number: usize) -> Vec<Worker> {
    let street = hub.add_street(&format!("街道{number}"), &["综合协调中心"]).unwrap();
    let names: Vec<_> = (0..size.grids).map(|grid| (format!("第{grid}网格"), String::new())).collect();
    let grids = hub.add_grids(street.id, &names).unwrap();
    let mut workers = Vec::new();
    for (number, grid) in grids.into_iter().enumerate() {
        let person = NewPerson { name: format!("员工{number}"), role: Role::GridWorker, grids: vec![grid] };
        let person = hub.add_person(street.id, &person).unwrap();
        let documents: Vec<NewDocument> = (0..size.households).map(|door| household(grid, person, door)).collect();
        hub.create_documents(street.id, &documents, &mut |_| {}).unwrap();
        let (code, _) = hub.make_code(street.id, person).unwrap();
        let grant = hub.ledger().grants(street.id, person).unwrap()[0].id;
        let households = documents.iter().map(|new| hub.document(street.id, new.id).unwrap().0).collect();
        workers.push(Worker { street: street.id, ledger: street.ledger, person, grant, code, households });
    }
    workers
}

/// A household with five members and twelve visits.
pub fn household(grid: GridId, person: PersonId, door: usize) -> NewDocument {
    const MEMBERS: usize = 5;
    const VISITS: usize = 12;
    let (now, entropy) = (SystemClock.now(), &mut SystemEntropy);
    let id = HouseholdId::make(now, entropy);
    let details = HouseholdDetails {
        place: Some(PlaceId::make(now, entropy)),
        door: Some(format!("{}单元{}", door / 20 + 1, door % 20 + 1)),
        contact: Some(Personal::new("王建国".to_owned())),
        phone: Some(Personal::new("13800001234".parse().unwrap())),
        remark: Some(Personal::new("每周二下午在家,狗怕生".to_owned())),
        notice: None,
    };
    let mut writes = household_writes(&details);
    writes.push(Write::set("grid", grid.as_bytes()));
    writes.push(Write::Set(Slot::In(Container::Tags, "独居".to_owned()), Scalar::Bool(true)));
    writes.extend((0..MEMBERS).map(|_| {
        let member = ResidentId::make(now, entropy);
        Write::Set(Slot::In(Container::Members, member.to_string()), Scalar::Bool(true))
    }));
    writes.extend((0..VISITS).flat_map(|_| visit(id, person)));
    NewDocument { id: id.into(), kind: DocKind::Household, writes }
}

fn visit(household: HouseholdId, person: PersonId) -> Vec<Write> {
    let mut draft = VisitDraft::routine(VisitSubject::Household(household));
    draft.findings = Personal::new("身体还好,药够吃两周,燃气已检查".to_owned());
    let now = SystemClock.now();
    visit_writes(VisitId::make(now, &mut SystemEntropy), person, now, &draft)
}

/// Enrols everybody's phone at a running server. Their cursors stand where the street was read last, at `newest`.
pub fn enrol(server: &str, workers: Vec<Worker>, newest: impl Fn(StreetId) -> Position) -> Vec<LoadPhone> {
    let phone = |worker: Worker| {
        let device = Handmade::enrol(server, &worker.code);
        assert_eq!(device.person, worker.person);
        LoadPhone { device, ledger: worker.ledger, grant: worker.grant, newest: newest(worker.street), households: worker.households }
    };
    workers.into_iter().map(phone).collect()
}

impl LoadPhone {
    /// The frame of a request that pushes a visit of each household, and has it in its own copy from then on.
    pub fn push_visits(&mut self) -> Vec<u8> {
        let Self { device, households, .. } = self;
        let groups = households
            .iter_mut()
            .map(|document| {
                let change = device.edit(document, &visit(HouseholdId::from(document.id()), device.person));
                group_of(document, &change)
            })
            .collect();
        let mut request = device.request(Some(device.push(groups)));
        request.ledger = Some(self.ledger);
        request.cursors = List(vec![Reading::at(self.grant, self.newest)]);
        self.device.frame(&request)
    }

    /// Whatever is pushed from now on goes to a server that was started meanwhile.
    pub fn learn(&self, challenge: Freshness) {
        self.device.learn(challenge);
    }

    /// What that server says to a request of before.
    pub fn challenge_of(&self, server: &str) -> Freshness {
        self.device.challenge_of(server)
    }

    /// Goes on from where the last answer left it, as every phone does: else each answer would bring all its own work of before.
    pub fn read_to(&mut self, position: Option<Position>) {
        self.newest = position.unwrap_or(self.newest);
    }

    /// The households, by id.
    pub fn ids(&self) -> impl Iterator<Item = DocId> {
        self.households.iter().map(Document::id)
    }
}

/// What a load came to.
pub struct Outcome {
    pub took: Duration,
    /// How many changes were accepted.
    pub accepted: usize,
    /// From when a request was due until its answer was there.
    pub latencies: Vec<Duration>,
    /// Where who sent a frame has read to with its answer.
    pub read_to: Vec<Option<Position>>,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.accepted as f64 / self.took.as_secs_f64()
    }
}

/// Sends frames over so many connections, one after the other on each: as fast as they are answered, or one every `pace`. Everything must be
/// accepted.
pub fn send(server: &str, frames: &[Vec<u8>], connections: usize, pace: Option<Duration>) -> Outcome {
    let next = AtomicUsize::new(0);
    let transports: Vec<HttpTransport> = (0..connections).map(|_| HttpTransport::new(server).unwrap()).collect();
    let begin = Instant::now();
    let answers: Vec<(usize, Duration, Response)> = std::thread::scope(|scope| {
        let client = |transport: HttpTransport| {
            let next = &next;
            move || {
                let mut answers = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(frame) = frames.get(number) else { return answers };
                    let due = pace.map_or_else(Instant::now, |pace| begin + pace * u32::try_from(number).unwrap());
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let answer = transport.post(SYNC_PATH, frame).unwrap();
                    answers.push((number, due.elapsed(), open_frame(&answer.body).unwrap()));
                }
            }
        };
        let threads: Vec<_> = transports.into_iter().map(|transport| scope.spawn(client(transport))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let took = begin.elapsed();
    let accepted = answers.iter().map(|(_, _, response)| accepted_in(response)).sum();
    let mut read_to = vec![None; frames.len()];
    answers
        .iter()
        .for_each(|(number, _, response)| read_to[*number] = response.parts.as_ref().and_then(|parts| parts.0.last()).map(|part| part.to));
    Outcome { took, accepted, latencies: answers.into_iter().map(|(_, latency, _)| latency).collect(), read_to }
}

fn accepted_in(response: &Response) -> usize {
    let changes = |verdict: &Verdict| match verdict {
        Verdict::Accepted { numbers, .. } => numbers.0.len(),
        refused => panic!("an honest change was refused: {refused:?}"),
    };
    response.verdicts.as_ref().unwrap().0.iter().map(changes).sum()
}
