//! A client made by hand: an enrolled device that sends whatever a test wants, and sees the server's answers as they are.

use std::collections::BTreeSet;
use std::sync::Mutex;

use doorstep_core::docs::{Actor, Change, DocKind, Document, Keyring, RecordKey, Write, hash_of};
use doorstep_core::field::{CONTENT_TYPE, ENROL_PATH, HttpTransport, MAIL_PATH, SYNC_PATH, Transport, TransportAnswer};
use doorstep_core::model::{Clock as _, DeviceId, DocId, Entropy, GroupId, Hlc, Incarnation, Millis, PersonId, Position, StreetId};
use doorstep_core::sync::{
    DeviceKey, Encoding, EnrolRequest, EnrolResponse, Freshness, Group, HashAlgorithm, Leaf, List, Mail, Nonce, PROTOCOL_VERSION, Push,
    PushedChange, Reading, Request, Response, Resume, SealingKey, Verdict, WrappedKeys, open_frame, seal_frame,
};
use doorstep_server::system::{SystemClock, SystemEntropy};

/// The device.
pub struct Handmade {
    /// Its key.
    pub key: DeviceKey,
    /// Its id.
    pub device: DeviceId,
    /// In whose name it writes.
    pub person: PersonId,
    /// Its street.
    pub street: StreetId,
    /// The life of its store.
    pub incarnation: Incarnation,
    /// What it encrypts keys to.
    pub sealing: SealingKey,
    /// Under which nonce it asks, and the number of its last request.
    fresh: Mutex<Freshness>,
    transport: HttpTransport,
}

/// The key that every device made by hand gives a record: the same for all of them, and nobody else's.
pub fn keys_of(doc: DocId) -> Keyring {
    let key = [*doc.as_bytes(), *doc.as_bytes()].concat();
    Keyring::of(RecordKey::from_bytes(&key).unwrap())
}

/// A document with those keys.
pub fn keyed(document: Document) -> Document {
    let keys = keys_of(document.id());
    document.with_keys(keys)
}

/// The request that trades a code for an identity.
pub fn enrolment(key: &DeviceKey, code: &str) -> Vec<u8> {
    let request = EnrolRequest { protocol: PROTOCOL_VERSION, code: code.to_owned(), key: key.public(), label: "by hand".to_owned() };
    seal_frame(&key.seal(minicbor::to_vec(&request).unwrap()), Encoding::Deflate)
}

impl Handmade {
    /// Enrols with a code.
    pub fn enrol(server: &str, code: &str) -> Self {
        let transport = HttpTransport::new(server).unwrap();
        let key = DeviceKey::make(&mut SystemEntropy);
        let answer = transport.post(ENROL_PATH, &enrolment(&key, code)).unwrap();
        let given: EnrolResponse = open_frame(&answer.body).unwrap();
        let incarnation = Incarnation::make(&mut SystemEntropy);
        let fresh = Mutex::new(Freshness { nonce: given.nonce, number: 0 });
        Self {
            key,
            device: given.device,
            person: given.person,
            street: given.street,
            incarnation,
            sealing: given.sealing,
            fresh,
            transport,
        }
    }

    /// The actor under which it writes.
    pub fn actor(&self) -> Actor {
        Actor { device: self.device.tag(), incarnation: self.incarnation }
    }

    /// An honest change of a document as this device sees it, which has it afterwards.
    pub fn edit(&self, document: &mut Document, writes: &[Write]) -> Change {
        self.edit_at(document, SystemClock.now(), writes)
    }

    /// The same with another time.
    pub fn edit_at(&self, document: &mut Document, at: Millis, writes: &[Write]) -> Change {
        if document.keys().is_empty() {
            document.set_keyring(keys_of(document.id()));
        }
        document.edit(self.actor(), Hlc::new(at, 0), writes).unwrap().unwrap()
    }

    /// The keys of what a push is about, as the server asks for them.
    fn keys(&self, push: &Push) -> WrappedKeys {
        let docs: BTreeSet<DocId> = push.groups.0.iter().flat_map(|group| &group.changes.0).map(|change| change.doc).collect();
        let keys = docs.into_iter().map(|doc| (doc, keys_of(doc))).collect();
        self.sealing.wrap(self.device, keys, &mut SystemEntropy).unwrap()
    }

    /// A push of groups under this device's signature.
    pub fn push(&self, groups: Vec<Group>) -> Push {
        let signature = self.key.sign_push(self.device, &leaves(&groups));
        Push { groups: List(groups), hashes: HashAlgorithm::Sha256, signature }
    }

    /// A request with a push and no cursors.
    pub fn request(&self, push: Option<Push>) -> Request {
        let keys = push.as_ref().map(|push| self.keys(push));
        Request {
            protocol: PROTOCOL_VERSION,
            device: self.device,
            incarnation: self.incarnation,
            sent_at: SystemClock.now(),
            ledger: None,
            cursors: List(Vec::new()),
            push,
            offers: None,
            relays: None,
            inbox: None,
            decisions: None,
            signs_out: None,
            keys,
            fresh: None,
        }
    }

    /// The frame of a request under this device's signature, as a new one if it does not say itself how fresh it is.
    pub fn frame(&self, request: &Request) -> Vec<u8> {
        let fresh = request.fresh.unwrap_or_else(|| {
            let mut last = self.fresh.lock().unwrap();
            *last = last.next(Millis(0));
            *last
        });
        let request = Request { fresh: Some(fresh), ..request.clone() };
        seal_frame(&self.key.seal(minicbor::to_vec(&request).unwrap()), Encoding::Deflate)
    }

    /// Posts any bytes.
    pub fn post(&self, bytes: &[u8]) -> TransportAnswer {
        self.transport.post(SYNC_PATH, bytes).unwrap()
    }

    /// What a server that was started meanwhile says to a request of before: its nonce is the same for all devices.
    pub fn challenge_of(&self, server: &str) -> Freshness {
        let stale = Request { fresh: Some(Freshness { nonce: Nonce([0; 16]), number: 0 }), ..self.request(None) };
        let answer = HttpTransport::new(server).unwrap().post(SYNC_PATH, &self.frame(&stale)).unwrap();
        open_frame::<Response>(&answer.body).unwrap().challenge.unwrap()
    }

    /// Asks under this nonce from now on.
    pub fn learn(&self, challenge: Freshness) {
        self.fresh.lock().unwrap().nonce = challenge.nonce;
    }

    /// A request in an envelope, as another's phone would carry it.
    pub fn mail(&self, request: &Request) -> Mail {
        Mail::seal(self.street, self.sealing, &self.frame(request), &mut SystemEntropy).unwrap()
    }

    /// Hands mail in: `taken` without a word, or the code of the problem.
    pub fn hand_in(&self, bytes: &[u8]) -> String {
        let answer = self.transport.post(MAIL_PATH, bytes).unwrap();
        match answer.code {
            Some(code) => code,
            None => format!("{} {}", if answer.status == 204 { "taken" } else { "?" }, answer.body.len()),
        }
    }

    /// Posts any bytes; the code of the problem that comes back, with its status.
    pub fn problem(&self, bytes: &[u8]) -> (u16, String) {
        let answer = self.post(bytes);
        let code = answer.code.clone().unwrap_or_else(|| panic!("a problem was to come, not {} {}", answer.status, answer.content_type));
        assert_eq!(answer.content_type, "application/problem+json");
        (answer.status, code)
    }

    /// Sends a request that is served; once more where the server asks for a fresh one, as it does after a restart.
    pub fn ask(&self, request: &Request) -> Response {
        let response = self.answer(&self.frame(request));
        let Some(challenge) = response.challenge else { return response };
        *self.fresh.lock().unwrap() = challenge;
        self.answer(&self.frame(request))
    }

    /// Posts a frame that is served; its answer as it is.
    pub fn answer(&self, frame: &[u8]) -> Response {
        let answer = self.post(frame);
        assert_eq!((answer.status, answer.content_type.as_str(), answer.code), (200, CONTENT_TYPE, None));
        open_frame(&answer.body).unwrap()
    }

    /// Bootstraps with everything that it may see, part by part; how many documents came.
    pub fn read_everything(&self) -> usize {
        let mut request = self.request(None);
        let mut documents = 0;
        loop {
            let answer = self.ask(&request);
            request.ledger = Some(answer.ledger);
            let Some(part) = answer.parts.and_then(|parts| parts.0.into_iter().next()) else { return documents };
            documents += part.entries.0.len();
            let next = part.bootstrap.and_then(|bootstrap| Some(Resume { base: bootstrap.base, key: bootstrap.next? }));
            request.cursors = List(vec![Reading { resume: next, ..Reading::at(part.grant, part.to) }]);
            if part.more != Some(true) {
                assert!(part.to > Position(0));
                return documents;
            }
        }
    }

    /// Pushes groups; what became of each: `accepted`, or the code of its refusal.
    pub fn verdicts(&self, groups: Vec<Group>) -> Vec<String> {
        let response = self.ask(&self.request(Some(self.push(groups))));
        response.verdicts.unwrap().0.iter().map(word).collect()
    }
}

/// `accepted`, `accepted-before` or the code of the refusal.
pub fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted { .. } => "accepted".to_owned(),
        Verdict::AcceptedBefore { .. } => "accepted-before".to_owned(),
        Verdict::Refused { code, .. } => code.clone(),
    }
}

/// What is signed of groups.
pub fn leaves(groups: &[Group]) -> Vec<Leaf> {
    let changes = groups.iter().flat_map(|group| &group.changes.0);
    changes.map(|change| Leaf { doc: change.doc, hash: hash_of(&change.bytes) }).collect()
}

/// A group of any changes.
pub fn group(changes: impl IntoIterator<Item = PushedChange>) -> Group {
    Group { id: GroupId::make(SystemClock.now(), &mut SystemEntropy), changes: List(changes.into_iter().collect()) }
}

/// A change on its way.
pub fn pushed(doc: DocId, kind: DocKind, bytes: &[u8]) -> PushedChange {
    PushedChange { doc, kind, bytes: bytes.to_vec() }
}

/// A group of one change of a document.
pub fn group_of(document: &Document, change: &Change) -> Group {
    group([pushed(document.id(), document.kind(), change.bytes())])
}

/// An id that nobody has.
pub fn fresh_doc() -> DocId {
    DocId::make(SystemClock.now(), &mut SystemEntropy)
}

/// Random bytes.
pub fn random_bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SystemEntropy.fill(&mut bytes);
    bytes
}
