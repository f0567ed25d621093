//! A street without a server: enough of one to give phones an identity, a grant and a directory, and to pass on what they recorded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use doorstep_core::docs::Keyring;
use doorstep_core::field::{CONTENT_TYPE, NoMark, Transport};
use doorstep_core::field::{TransportAnswer, TransportFault};
use doorstep_core::model::{
    DeviceId, Directory, DocId, Grant, GrantId, Grid, GridId, GroupId, LedgerId, Millis, PersonId, Position, Role, Scope, Seal, Staff,
    StreetId,
};
use doorstep_core::store::MemoryStore;
use doorstep_core::sync::{
    Encoding, EnrolResponse, Entered, Entry, EntryChange, List, Nonce, PROTOCOL_VERSION, Part, PushedChange, RecordKind, Request, Response,
    SealingSecret, Signed, Verdict, open_frame, seal_frame,
};

use super::*;

/// Random bytes that are the same at every run, each engine with a stream of its own.
struct Stream(u64);

impl Entropy for Stream {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed ^ (mixed >> 31)) as u8;
        }
    }
}

fn id(kind: u8, number: u8) -> [u8; 16] {
    [7, kind, 0, 0, 0, 0, 0x70, 0, 0x80, number, kind, number, 0, 0, kind, number]
}

const NEAR: GridId = GridId::from_bytes([17; 16]);
const FAR: GridId = GridId::from_bytes([18; 16]);

/// Answers an enrolment with the identity of one worker.
struct Desk(u8);

impl Transport for Desk {
    fn post(&self, _: &str, _: &[u8]) -> Result<TransportAnswer, TransportFault> {
        let answer = EnrolResponse {
            protocol: PROTOCOL_VERSION,
            now: SystemClock.now(),
            device: DeviceId::from_bytes(id(1, self.0)),
            person: PersonId::from_bytes(id(2, self.0)),
            street: StreetId::from_bytes(id(3, 0)),
            name: format!("网格员{}", self.0),
            sealing: sealing().public(),
            nonce: Nonce([0; 16]),
        };
        let body = seal_frame(&answer, Encoding::None);
        Ok(TransportAnswer { status: 200, content_type: CONTENT_TYPE.to_owned(), code: None, body })
    }
}

/// What phones encrypt the keys of records to.
fn sealing() -> SealingSecret {
    SealingSecret::derive(&[9; 32])
}

/// The feed of a grid and what was accepted so far.
#[derive(Default)]
pub(super) struct Street {
    feed: RefCell<Vec<(PushedChange, u64, Millis)>>,
    keys: RefCell<BTreeMap<DocId, Keyring>>,
}

impl Street {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn phone_before_first_sync(&self, worker: u8) -> Phone {
        static STREAMS: AtomicU64 = AtomicU64::new(1);
        let entropy = Stream(STREAMS.fetch_add(1, Ordering::Relaxed) << 32);
        let engine = Engine::open(Arc::new(MemoryStore::new()), Arc::new(SystemClock), Box::new(entropy), &NoMark).unwrap();
        // Nothing listens on the discard port of this machine.
        engine.enrol(&Desk(worker), "http://127.0.0.1:9", "CODE", "test").unwrap();
        Phone { engine, authority: None }
    }

    pub(super) fn phone(&self, worker: u8) -> Phone {
        let phone = self.phone_before_first_sync(worker);
        let grant = Grant {
            id: GrantId::from_bytes(id(4, worker)),
            person: PersonId::from_bytes(id(2, worker)),
            scope: Scope::Grid(NEAR),
            from: Millis(0),
            until: None,
            role: Role::GridWorker,
        };
        let record =
            Entry::Record { id: DocId::from_bytes(id(3, 0)), kind: RecordKind::Directory, bytes: minicbor::to_vec(directory()).unwrap() };
        let response = Response {
            entered: Some(List(vec![Entered { grant: grant.clone() }])),
            parts: Some(List(vec![part(grant.id, Position(0), Position(1), vec![record])])),
            ..nothing()
        };
        phone.engine.apply(response).unwrap();
        phone
    }

    /// One round trip: what the phone recorded is accepted, what others recorded comes.
    pub(super) fn exchange(&self, phone: &Phone) {
        let request = composed(phone);
        let mut feed = self.feed.borrow_mut();
        if let Some(wrapped) = &request.keys {
            self.keys.borrow_mut().extend(sealing().open(request.device, wrapped).unwrap());
        }
        let mut own = Vec::new();
        let verdicts = request.push.map(|push| {
            let verdicts = push.groups.0.into_iter().map(|group| {
                let at = SystemClock.now();
                let numbers = group.changes.0.into_iter().map(|change| {
                    let number = 1 + feed.iter().filter(|(other, _, _)| other.doc == change.doc).count() as u64;
                    own.push(change.bytes.clone());
                    feed.push((change, number, at));
                    number
                });
                accepted(group.id, at, numbers.collect())
            });
            List(verdicts.collect())
        });
        let reading = request.cursors.0[0];
        let mut entries: BTreeMap<DocId, Entry> = BTreeMap::new();
        // Position 1 is the directory.
        for (change, number, at) in feed.iter().skip(reading.position.0.saturating_sub(1) as usize) {
            let entry = entries.entry(change.doc).or_insert_with(|| Entry::Changes {
                doc: change.doc,
                kind: change.kind,
                changes: List(Vec::new()),
            });
            if let (Entry::Changes { changes, .. }, false) = (entry, own.contains(&change.bytes)) {
                changes.0.push(EntryChange { bytes: change.bytes.clone(), number: *number, at: *at, seal: Seal::default() });
            }
        }
        let entries = entries.into_values().filter(|entry| !matches!(entry, Entry::Changes { changes, .. } if changes.0.is_empty()));
        let to = Position(feed.len() as u64 + 1);
        let keys = self.keys.borrow().iter().map(|(doc, keys)| (*doc, keys.clone())).collect();
        let part = Part { keys: Some(List(keys)), ..part(reading.grant, reading.position, to, entries.collect()) };
        phone.engine.apply(Response { verdicts, parts: Some(List(vec![part])), ..nothing() }).unwrap();
    }
}

fn directory() -> Directory {
    let staff = |number: u8| Staff {
        id: PersonId::from_bytes(id(2, number)),
        name: format!("网格员{number}"),
        role: Role::GridWorker,
        grids: vec![NEAR],
        devices: vec![DeviceId::from_bytes(id(1, number)).tag()],
    };
    let grid = |id, name: &str| Grid { id, name: name.to_owned(), community: "窑湾社区".to_owned() };
    Directory {
        schema: Directory::SCHEMA,
        version: 1,
        street: StreetId::from_bytes(id(3, 0)),
        name: "窑湾街道".to_owned(),
        centres: Vec::new(),
        grids: vec![grid(NEAR, "第17网格"), grid(FAR, "第18网格")],
        staff: vec![staff(1), staff(2)],
    }
}

fn part(grant: GrantId, from: Position, to: Position, entries: Vec<Entry>) -> Part {
    Part { grant, from, to, entries: List(entries), more: None, bootstrap: None, keys: None }
}

fn nothing() -> Response {
    Response::nothing(SystemClock.now(), LedgerId::from_bytes(id(5, 0)))
}

/// A verdict with seals that no server would know again: to a phone they are eight bytes.
fn accepted(group: GroupId, at: Millis, numbers: Vec<u64>) -> Verdict {
    let seals = List(vec![Seal::default(); numbers.len()]);
    Verdict::Accepted { group, at, numbers: List(numbers), duplicate_of: None, seals }
}

fn composed(phone: &Phone) -> Request {
    let signed: Signed = open_frame(&phone.engine.compose().unwrap()).unwrap();
    minicbor::decode(&signed.payload).unwrap()
}

/// Answers what the phone would send: every group gets the verdict.
fn judge_all(phone: &Phone, verdict: impl Fn(doorstep_core::sync::Group) -> Verdict) {
    let push = composed(phone).push.unwrap();
    let verdicts = push.groups.0.into_iter().map(verdict).collect();
    phone.engine.apply(Response { verdicts: Some(List(verdicts)), ..nothing() }).unwrap();
}

/// Everything is accepted; the numbers grow, which is all that the phone asks of them.
pub(super) fn accept_all(phone: &Phone) {
    let next = AtomicU64::new(1);
    judge_all(phone, |group| {
        let numbers = group.changes.0.iter().map(|_| next.fetch_add(1, Ordering::Relaxed)).collect();
        accepted(group.id, SystemClock.now(), numbers)
    });
}

/// Everything is refused for one reason.
pub(super) fn refuse_all(phone: &Phone, code: &str) {
    judge_all(phone, |group| Verdict::Refused { group: group.id, code: code.to_owned(), offset_ms: None, because_of: None });
}
