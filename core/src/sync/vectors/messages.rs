//! Every message and every arm, with what it says.

use super::cast::{INCARNATION, MORNING, SEED, Same, device, hlc, id, key, minutes, ring};
use super::diagnostic::diagnostic;
use super::{Vector, documents, hex, rows};
use crate::docs::{Change, DocKind, Document, Keyring, case_writes, event_write, hash_of};
use crate::model::{
    CaseDetails, CaseEvent, CaseId, CaseKind, Category, DocId, EventId, EventKind, Grant, LedgerId, Millis, Position, Receipt, Role, Scope,
    Seal,
};
use crate::summary::Summary;
use crate::sync::SealingSecret;
use crate::sync::{
    Bootstrap, Decision, Encoding, EnrolRequest, EnrolResponse, Entered, Entry, EntryChange, Freshness, Group, HashAlgorithm, InboxDigest,
    LateWork, Leaf, List, Nonce, Offer, Part, Progress, Push, PushedChange, Reading, RecordKind, Refusal, Relay, Request, Response, Resume,
    ResumeKey, Verdict, seal_frame,
};

pub(super) fn all() -> Vec<Vector> {
    vec![
        ("request-nothing-new", request("The smallest request of a phone at work: one cursor, nothing to push.", &nothing_new())),
        ("request-first-contact", request("The first request of a device: it has read nothing.", &first_contact())),
        ("request-after-parts", request("After `response-parts`: of the second grant more is to come.", &after_parts())),
        ("request-in-a-bootstrap", request("After `response-bootstrap`: the first grant goes on at its resume key.", &in_a_bootstrap())),
        ("request-push", request("Three groups, each a command: a household, a visit of it, a case with its first event.", &push())),
        (
            "request-to-a-restored-server",
            request("Heads that the phone offers, and a change of somebody else that the server lacks.", &restored()),
        ),
        ("request-decisions", request("Late work that the phone holds, and what was decided about two groups of it.", &decisions())),
        ("response-nothing-new", response("Nothing has changed.", &nothing())),
        ("response-verdicts", response("Every kind of verdict. The push that it answers had six groups.", &verdicts())),
        (
            "response-parts",
            response("What changed in two grants: changes, a snapshot, a record, a document that left; the second was cut.", &parts()),
        ),
        ("response-bootstrap", response("The first part of a bootstrap, with more to come, and the last of another one.", &bootstrap())),
        (
            "response-scopes",
            response("Grants of each scope that the phone did not name, one that has ended, a document that was erased.", &scopes()),
        ),
        ("response-of-a-restored-server", response("What is in a backup, and which of the offered heads the server lacks.", &lacking())),
        ("response-pushed", response("Pushed on a live connection: it answers no request.", &pushed())),
        ("response-to-an-old-phone", response("A verdict and no parts: the phone is below the least version.", &outdated())),
        ("response-inbox", response("Late work of a colleague, which waits for a decision.", &inbox())),
        ("request-sign-out", request("The phone's person gives it up; nothing waits.", &sign_out())),
        ("response-wipe", response("To a device that has ended: what became of its push, and the order to erase itself.", &wipe())),
        (
            "response-challenge",
            response("To a request that does not count: the nonce to send it under, and the number to be above.", &challenge()),
        ),
        ("enrol-request", enrol_request()),
        ("enrol-response", enrol_response()),
    ]
}

fn encode(message: &impl minicbor::Encode<()>) -> Vec<u8> {
    minicbor::to_vec(message).unwrap()
}

fn vector(about: &str, name: &str, frame: &[u8], payload: &[u8], more: &str) -> String {
    format!(
        "about: {about}\nmessage: {name}\n{more}frame: {}\npayload: {}\ndiagnostic:\n{}\n",
        hex(frame),
        hex(payload),
        diagnostic(payload)
    )
}

fn signed(about: &str, name: &str, payload: Vec<u8>) -> String {
    let signed = key().seal(payload);
    let more = format!(
        "seed: {}\npublic-key: {}\nsigned-bytes: {}{}\nsignature: {}\n",
        hex(&SEED),
        hex(&key().public().bytes),
        hex(b"doorstep request v1\0"),
        hex(&signed.payload),
        hex(&signed.signature.bytes)
    );
    vector(about, name, &seal_frame(&signed, Encoding::None), &signed.payload, &more)
}

fn request(about: &str, message: &Request) -> String {
    signed(about, "Request", encode(message))
}

fn response(about: &str, message: &Response) -> String {
    vector(about, "Response", &seal_frame(message, Encoding::None), &encode(message), "")
}

/// Of the street that phones encrypt keys to.
fn sealing() -> SealingSecret {
    SealingSecret::derive(&[0x5c; 32])
}

fn ledger() -> LedgerId {
    id(0x1e)
}

fn nothing_new() -> Request {
    Request {
        protocol: 1,
        device: device(),
        incarnation: INCARNATION,
        sent_at: MORNING,
        ledger: Some(ledger()),
        cursors: vec![Reading::at(id(0x60), Position(1_000))].into(),
        push: None,
        offers: None,
        relays: None,
        inbox: None,
        decisions: None,
        signs_out: None,
        keys: None,
        fresh: Some(fresh(1_795_483_800_000)),
    }
}

fn fresh(number: u64) -> Freshness {
    Freshness { nonce: Nonce([0x4e; 16]), number }
}

fn challenge() -> Response {
    Response { challenge: Some(fresh(1_795_483_800_017)), ..Response::nothing(MORNING, ledger()) }
}

fn decisions() -> Request {
    let decided = vec![Decision { group: id(0x97), adopts: true }, Decision { group: id(0x98), adopts: false }];
    let inbox = InboxDigest::of([id(0x97), id(0x98)]);
    Request { inbox, decisions: Some(decided.into()), ..nothing_new() }
}

fn sign_out() -> Request {
    Request { signs_out: Some(true), ..nothing_new() }
}

fn wipe() -> Response {
    let verdicts = vec![Verdict::refused(id(0x94), &Refusal::Revoked)];
    Response { verdicts: Some(verdicts.into()), accepted_by: Some(Position(1_004)), wipe: Some(true), ..nothing() }
}

fn inbox() -> Response {
    let (case, change) = reported();
    let change = PushedChange { doc: case.id(), kind: DocKind::Case, bytes: change.bytes().to_vec() };
    let late = LateWork {
        group: id(0x97),
        author: documents::person(),
        arrived_at: minutes(19),
        changes: vec![change].into(),
        keys: Some(vec![(case.id(), ring())].into()),
    };
    Response { inbox: Some(vec![late].into()), ..nothing() }
}

fn after_parts() -> Request {
    let cut = Reading { since: Some(Position(0)), ..Reading::at(id(0x6b), Position(12)) };
    Request { cursors: vec![Reading::at(id(0x60), Position(1_004)), cut].into(), ..nothing_new() }
}

fn resume_key() -> ResumeKey {
    ResumeKey::new(&[1, 0, 0, 0x51, 0x4a, 3, 0, 0, 0, 0]).unwrap()
}

fn in_a_bootstrap() -> Request {
    let resumed = Reading { resume: Some(Resume { base: Position(1_000), key: resume_key() }), ..Reading::at(id(0x60), Position(0)) };
    Request { cursors: vec![resumed, Reading::at(id(0x6b), Position(1_000))].into(), ..nothing_new() }
}

fn first_contact() -> Request {
    Request { ledger: None, cursors: List::default(), fresh: Some(fresh(1)), ..nothing_new() }
}

pub(super) fn nothing_new_payload() -> Vec<u8> {
    encode(&Request { fresh: None, ..nothing_new() })
}

pub(super) fn first_contact_payload() -> Vec<u8> {
    encode(&Request { fresh: None, ..first_contact() })
}

fn case() -> CaseId {
    id(0xca)
}

/// A case and its first event, as the phone reports it.
pub(super) fn reported() -> (Document, Change) {
    let mut document = Document::new(DocKind::Case, case().into()).unwrap().with_keys(ring());
    let mut writes = vec![crate::docs::Write::set("grid", documents::grid().as_bytes())];
    writes.extend(case_writes(&CaseKind::Issue, &CaseDetails::issue(Category::Facilities, "楼道灯坏了")));
    let event = CaseEvent {
        id: EventId::from_bytes(*id::<DocId>(0xce).as_bytes()),
        kind: EventKind::Captured,
        by: documents::person(),
        at: minutes(6),
        text: None,
        other: None,
    };
    writes.push(event_write(&event));
    let change = document.edit(super::cast::actor(), hlc(6), &writes).unwrap().unwrap();
    (document, change)
}

fn push() -> Request {
    let (_, steps) = documents::story();
    let (_, reported) = reported();
    let household = |step: &documents::Step| PushedChange {
        doc: documents::household(),
        kind: DocKind::Household,
        bytes: step.change.bytes().to_vec(),
    };
    let case = PushedChange { doc: case().into(), kind: DocKind::Case, bytes: reported.bytes().to_vec() };
    let groups = [(0x91, household(&steps[0])), (0x92, household(&steps[1])), (0x93, case)];
    let groups: Vec<Group> = groups.into_iter().map(|(group, change)| Group { id: id(group), changes: vec![change].into() }).collect();
    let changes = groups.iter().flat_map(|group| &group.changes.0);
    let leaves: Vec<Leaf> = changes.map(|change| Leaf { doc: change.doc, hash: hash_of(&change.bytes) }).collect();
    let signature = key().sign_push(device(), &leaves);
    let brought = vec![(documents::household(), ring()), (self::case().into(), ring())];
    let keys = sealing().public().wrap(device(), brought, &mut Same(0x77)).ok();
    Request { push: Some(Push { groups: groups.into(), hashes: HashAlgorithm::Sha256, signature }), keys, ..nothing_new() }
}

/// A seal: to whoever is no server, eight bytes.
fn seal(number: u64) -> Seal {
    Seal([0x5e; 8].map(|byte: u8| byte.wrapping_add(number.to_le_bytes()[0])))
}

fn receipt(number: u64, at: i64) -> Receipt {
    Receipt { number, at: minutes(at), seal: seal(number) }
}

fn received(step: &documents::Step, number: u64) -> EntryChange {
    EntryChange::new(step.change.bytes().to_vec(), receipt(number, 20))
}

fn restored() -> Request {
    let (document, steps) = documents::story();
    let (doc, kind) = (documents::household(), DocKind::Household);
    let offer = Offer { doc, kind, heads: document.heads().into() };
    let relay = Relay { doc, kind, changes: vec![received(&steps[4], 5)].into() };
    Request { offers: Some(vec![offer].into()), relays: Some(vec![relay].into()), ..nothing_new() }
}

fn nothing() -> Response {
    Response { lease_hours: Some(72), ..Response::nothing(minutes(20), ledger()) }
}

fn verdicts() -> Response {
    let at = minutes(20);
    let verdicts = vec![
        Verdict::Accepted { group: id(0x91), at, numbers: vec![1, 7].into(), duplicate_of: None, seals: vec![seal(1), seal(7)].into() },
        Verdict::Accepted { group: id(0x92), at, numbers: vec![1].into(), duplicate_of: Some(id(0xcb)), seals: vec![seal(1)].into() },
        Verdict::AcceptedBefore { group: id(0x93) },
        Verdict::refused(id(0x94), &Refusal::GrantEnded),
        Verdict::refused(id(0x95), &Refusal::ClockAhead { offset_ms: 3_600_000 }),
        Verdict::refused(id(0x96), &Refusal::DependsOnRefused { group: Some(id(0x95)) }),
    ];
    Response { verdicts: Some(verdicts.into()), accepted_by: Some(Position(1_004)), ..nothing() }
}

fn parts() -> Response {
    let (_, steps) = documents::story();
    let (case, change) = reported();
    let case_id = case.id();
    let receipts = [(change.hash(), receipt(1, 19))].into_iter().collect();
    let summary = Summary::of(&case, &receipts).to_row(&ring());
    let changes = vec![received(&steps[2], 3), received(&steps[3], 4)].into();
    let first = vec![
        Entry::Changes { doc: documents::household(), kind: DocKind::Household, changes },
        Entry::Snapshot { doc: case.id(), kind: DocKind::Case, bytes: case.save(), receipts, summary },
        Entry::Left { doc: id(0x42) },
    ];
    let second = vec![Entry::Record { id: id(0x57), kind: RecordKind::Directory, bytes: encode(&rows::directory()) }];
    let part = |grant, from, to, entries: Vec<Entry>, more| Part {
        grant: id(grant),
        from: Position(from),
        to: Position(to),
        entries: entries.into(),
        more,
        bootstrap: None,
        keys: (grant == 0x60).then(|| {
            let some = ring().only(DocKind::Case, |field| field == "description");
            vec![(documents::household(), ring()), (case_id, some), (id(0x42), Keyring::erased())].into()
        }),
    };
    Response { parts: Some(vec![part(0x60, 1_000, 1_004, first, None), part(0x6b, 0, 12, second, Some(true))].into()), ..nothing() }
}

fn bootstrap() -> Response {
    let (case, change) = reported();
    let receipts = [(change.hash(), receipt(1, 19))].into_iter().collect();
    let summary = Summary::of(&case, &receipts).to_row(&ring());
    let entries = vec![
        Entry::Record { id: id(0x57), kind: RecordKind::Directory, bytes: encode(&rows::directory()) },
        Entry::Snapshot { doc: case.id(), kind: DocKind::Case, bytes: case.save(), receipts, summary },
    ];
    let begun = Progress { documents: 800, bytes: 1_400_000, documents_left: 799, bytes_left: 1_398_500, usable: true };
    let ended = Progress { documents: 3, bytes: 4_500, documents_left: 0, bytes_left: 0, usable: true };
    let part = |grant, to, entries: Vec<Entry>, more, after, next, progress| Part {
        grant: id(grant),
        from: Position(0),
        to: Position(to),
        entries: entries.into(),
        more,
        bootstrap: Some(Bootstrap { base: Position(1_000), after, next, progress }),
        keys: None,
    };
    let first = part(0x60, 0, entries, Some(true), None, Some(resume_key()), begun);
    let last = part(0x6b, 1_000, Vec::new(), None, ResumeKey::new(&[1, 9]), None, ended);
    Response { parts: Some(vec![first, last].into()), ..nothing() }
}

/// Longer than what is worth compressing.
pub(super) fn long_response() -> Response {
    parts()
}

fn scopes() -> Response {
    let grant = |grant, scope, until: Option<Millis>, role| Entered {
        grant: Grant { id: id(grant), person: documents::person(), scope, from: MORNING, until, role },
    };
    let entered = vec![
        grant(0x60, Scope::Grid(documents::grid()), None, Role::GridWorker),
        grant(0x6b, Scope::Street(id(0x57)), Some(minutes(60)), Role::CentreStaff),
        grant(0x6c, Scope::Assigned(documents::person()), None, Role::Interviewer),
        grant(0x6e, Scope::Case(id(0x6f)), None, Role::Volunteer),
    ];
    let left = vec![id(0x6d)].into();
    Response { entered: Some(entered.into()), left: Some(left), ..nothing() }
}

fn lacking() -> Response {
    let (document, _) = documents::story();
    let offer = Offer { doc: documents::household(), kind: DocKind::Household, heads: document.heads().into() };
    let accepted_by = Some(Position(1_010));
    Response { backed_up_to: Some(Position(900)), lacking: Some(vec![offer].into()), accepted_by, ..nothing() }
}

fn pushed() -> Response {
    Response { parts: parts().parts, pushed: Some(true), ..nothing() }
}

fn outdated() -> Response {
    let accepted =
        Verdict::Accepted { group: id(0x91), at: minutes(20), numbers: vec![1].into(), duplicate_of: None, seals: vec![seal(1)].into() };
    Response { verdicts: Some(vec![accepted].into()), accepted_by: Some(Position(1_004)), least_protocol: Some(2), ..nothing() }
}

fn enrol_request() -> String {
    let request = EnrolRequest { protocol: 1, code: "K7QD-2M9XTA".into(), key: key().public(), label: "王芳的手机".into() };
    signed("A phone trades its code and its key for an identity.", "EnrolRequest", encode(&request))
}

fn enrol_response() -> String {
    let response = EnrolResponse {
        protocol: 1,
        now: MORNING,
        device: device(),
        person: documents::person(),
        street: id(0x57),
        name: "王芳".into(),
        sealing: sealing().public(),
        nonce: fresh(0).nonce,
    };
    vector("The identity.", "EnrolResponse", &seal_frame(&response, Encoding::None), &encode(&response), "")
}
