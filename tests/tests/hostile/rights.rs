//! Well-formed changes of things that this person may not do, and questions about what it may not see.

use std::collections::BTreeMap;

use doorstep_core::docs::layout::Path;
use doorstep_core::docs::{DocKind, Document, Keyring, RecordKey, Scalar, Write, event_write, note_write};
use doorstep_core::model::{CaseEvent, Clock as _, DocId, EventId, EventKind, Note, NoteId, PersonId, Personal, Position};
use doorstep_core::sync::{Entry, EntryChange, List, Offer, Reading, Relay, SealingSecret};
use doorstep_server::system::{SystemClock, SystemEntropy};
use doorstep_tests::handmade::{Handmade, fresh_doc, group_of, keyed, keys_of};

use super::Attack;
use super::stage::Stage;

fn event(kind: EventKind, by: PersonId) -> Write {
    let id = EventId::make(SystemClock.now(), &mut SystemEntropy);
    event_write(&CaseEvent { id, kind, by, at: SystemClock.now(), text: None, other: None })
}

fn edited(stage: &mut Stage, doc: doorstep_core::model::DocId, writes: &[Write]) -> String {
    let mut document = stage.document(doc);
    let change = stage.mallory.edit(&mut document, writes);
    stage.changed(doc, &change)
}

fn in_the_case(stage: &mut Stage, kind: EventKind) -> String {
    let by = stage.mallory.person;
    edited(stage, stage.case, &[event(kind, by)])
}

fn as_auxiliary(stage: &Stage, doc: doorstep_core::model::DocId, writes: &[Write]) -> String {
    let mut document = stage.document(doc);
    let change = stage.auxiliary.edit(&mut document, writes);
    stage.auxiliary.verdicts(vec![group_of(&document, &change)]).join(", ")
}

/// A contact as it stands in the change, sealed or not.
fn unsealed(stage: &mut Stage, contact: Scalar) -> String {
    let value = match contact {
        Scalar::Bytes(bytes) => automerge::ScalarValue::Bytes(bytes),
        Scalar::Text(text) => automerge::ScalarValue::Str(text.into()),
        other => panic!("{other:?}"),
    };
    let forger = stage.forger(stage.door);
    stage.forged(stage.door, forger.change([forger.put("contact", value)]))
}

/// What a device is told when it names cursors that are not its own.
fn readable(device: &Handmade, cursors: Vec<Reading>) -> bool {
    let mut request = device.request(None);
    request.cursors = List(cursors);
    let answer = device.ask(&request);
    let own = answer.entered.map(|entered| entered.0.len()).unwrap_or_default();
    let parts = answer.parts.map(|parts| parts.0.len()).unwrap_or_default();
    parts > own
}

pub const ATTACKS: &[Attack] = &[
    ("a change in another grid", "policy.not_in_scope", |stage| edited(stage, stage.elsewhere, &[Write::set("contact", "x")])),
    ("a new document in another grid", "policy.not_in_scope", |stage| {
        let mut document = Document::new(DocKind::Party, fresh_doc()).unwrap();
        let grid = stage.street.grid(1);
        let change = stage.mallory.edit(&mut document, &[Write::set("grid", grid.as_bytes())]);
        stage.judged(&[group_of(&document, &change)])
    }),
    ("fetching a household of another grid over", "policy.not_in_scope", |stage| {
        let grid = stage.street.grid(0);
        edited(stage, stage.elsewhere, &[Write::set("grid", grid.as_bytes())])
    }),
    ("an entry in somebody else's name", "policy.anothers_name", |stage| {
        let by = stage.street.worker(0);
        let note =
            Note { id: NoteId::make(SystemClock.now(), &mut SystemEntropy), by, at: SystemClock.now(), text: Personal::new("x".into()) };
        edited(stage, stage.door, &[note_write(&note)])
    }),
    ("closing a case that somebody else captured", "policy.not_own", |stage| in_the_case(stage, EventKind::Closed)),
    ("registering a case without the right", "policy.not_for_role", |stage| in_the_case(stage, EventKind::Registered)),
    ("a forged ruling", "policy.ruling", |stage| in_the_case(stage, EventKind::DuplicateOf)),
    ("capturing a case once more, to make it one's own", "policy.fixed", |stage| in_the_case(stage, EventKind::Captured)),
    ("a penalty: an event that nobody here knows", "sync.schema", |stage| in_the_case(stage, EventKind::Unknown("penalty".into()))),
    ("a claim made after the opening", "policy.fixed", |stage| edited(stage, stage.case, &[Write::set("claim", "pension/2026/1")])),
    ("turning a case into another kind", "policy.fixed", |stage| edited(stage, stage.case, &[Write::set("case_kind", "repair")])),
    ("an auxiliary who closes a case", "policy.not_for_role", |stage| {
        as_auxiliary(stage, stage.case, &[event(EventKind::Closed, stage.auxiliary.person)])
    }),
    ("an auxiliary who imposes a penalty", "sync.schema", |stage| {
        as_auxiliary(stage, stage.case, &[event(EventKind::Unknown("penalty".into()), stage.auxiliary.person)])
    }),
    ("an auxiliary who changes a household", "policy.not_for_role", |stage| as_auxiliary(stage, stage.door, &[Write::set("contact", "x")])),
    ("an auxiliary who asks for who lives where", "locked", |stage| {
        let answer = stage.auxiliary.ask(&stage.auxiliary.request(None));
        let parts = answer.parts.unwrap().0;
        let keys: BTreeMap<DocId, Keyring> = parts.iter().flat_map(|part| part.keys.iter().flat_map(|keys| keys.0.clone())).collect();
        let entries = parts.iter().flat_map(|part| &part.entries.0);
        let of_people = entries.filter_map(|entry| match entry {
            Entry::Changes { doc, kind, .. } | Entry::Snapshot { doc, kind, .. } => Some((*doc, *kind)),
            _ => None,
        });
        let open = of_people.filter(|(doc, kind)| match kind {
            DocKind::Household => keys.contains_key(doc),
            kind => *kind == DocKind::Resident,
        });
        if open.count() == 0 { "locked".into() } else { "open".into() }
    }),
    ("a contact in clear", "seal.missing", |stage| unsealed(stage, Scalar::from("王秀英"))),
    ("a contact under a key that nobody else has", "seal.broken", |stage| {
        let key = Keyring::of(RecordKey::from_bytes(&[7; 32]).unwrap());
        unsealed(stage, key.seal(DocKind::Household, stage.door, &Path::Root("contact".into()), &Scalar::from("x")).unwrap())
    }),
    ("a contact that was sealed for another place", "seal.broken", |stage| {
        let path = Path::Root("remark".into());
        unsealed(stage, keys_of(stage.door).seal(DocKind::Household, stage.door, &path, &Scalar::from("x")).unwrap())
    }),
    ("keys for another street", "hub.unreadable_keys", |stage| {
        let mut document = stage.document(stage.door);
        let change = stage.mallory.edit(&mut document, &[Write::set("contact", "x")]);
        let elsewhere = SealingSecret::derive(&[8; 32]).public();
        let mut request = stage.mallory.request(Some(stage.mallory.push(vec![group_of(&document, &change)])));
        request.keys = elsewhere.wrap(stage.mallory.device, vec![(stage.door, keys_of(stage.door))], &mut SystemEntropy).ok();
        stage.mallory.problem(&stage.mallory.frame(&request)).1
    }),
    ("the keys of a request in the name of another device", "hub.unreadable_keys", |stage| {
        let mut document = stage.document(stage.door);
        let change = stage.mallory.edit(&mut document, &[Write::set("contact", "x")]);
        let mut request = stage.mallory.request(Some(stage.mallory.push(vec![group_of(&document, &change)])));
        let keys = vec![(stage.door, keys_of(stage.door))];
        request.keys = stage.mallory.sealing.wrap(stage.auxiliary.device, keys, &mut SystemEntropy).ok();
        stage.mallory.problem(&stage.mallory.frame(&request)).1
    }),
    ("a ring that says that a record was erased", "nothing", |stage| {
        let mut request = stage.mallory.request(None);
        let keys = vec![(stage.elsewhere, Keyring::erased()), (stage.door, Keyring::erased())];
        request.keys = stage.mallory.sealing.wrap(stage.mallory.device, keys, &mut SystemEntropy).ok();
        stage.mallory.ask(&request);
        let is_erased = |doc| stage.server.hub.ledger().keys(stage.street.id(), doc).unwrap().0.is_erased();
        if is_erased(stage.elsewhere) || is_erased(stage.door) { "erased".into() } else { "nothing".into() }
    }),
    ("the key of a value that was redacted, and a ring that says that another was", "nothing", |stage| {
        let (hub, street) = (&stage.server.hub, stage.street.id());
        let [name, remark] = ["name", "remark"].map(|field| Path::Root(field.into()));
        let mut document = keyed(Document::new(DocKind::Resident, fresh_doc()).unwrap());
        let writes = [Write::set("grid", stage.street.grid(0).as_bytes()), Write::set("name", "x"), Write::set("remark", "y")];
        let begun = stage.mallory.edit(&mut document, &writes);
        assert_eq!(stage.mallory.verdicts(vec![group_of(&document, &begun)]), ["accepted"]);
        hub.redact(street, document.id(), &name).unwrap();
        let opening = || {
            let keys = hub.ledger().keys(street, document.id()).unwrap().0;
            [&name, &remark].map(|path| keys.openers(DocKind::Resident, path))
        };
        let before = opening();
        let whole = keys_of(document.id());
        let cut = whole.cut(whole.whole().next().unwrap().id(), "remark", &remark, &[]);
        for ring in [whole, cut] {
            let mut request = stage.mallory.request(None);
            let keys = vec![(document.id(), ring)];
            request.keys = stage.mallory.sealing.wrap(stage.mallory.device, keys, &mut SystemEntropy).ok();
            // Keys count where they come with what they open.
            request.offers = Some(List(vec![Offer {
                doc: document.id(),
                kind: DocKind::Resident,
                heads: List(document.heads().into_iter().collect()),
            }]));
            stage.mallory.ask(&request);
        }
        let after = opening();
        if after == before && before[0].len() == 1 { "nothing".into() } else { format!("{before:?} {after:?}") }
    }),
    ("work on a resident who was erased", "sync.erased", |stage| {
        let mut document = keyed(Document::new(DocKind::Resident, fresh_doc()).unwrap());
        let begun = stage.mallory.edit(&mut document, &[Write::set("grid", stage.street.grid(0).as_bytes()), Write::set("name", "x")]);
        assert_eq!(stage.mallory.verdicts(vec![group_of(&document, &begun)]), ["accepted"]);
        stage.server.hub.erase(stage.street.id(), document.id()).unwrap();
        let change = stage.mallory.edit(&mut document, &[Write::set("name", "back again")]);
        stage.mallory.verdicts(vec![group_of(&document, &change)])[0].clone()
    }),
    ("reading by a grant of somebody else", "nothing", |stage| {
        let hub = &stage.server.hub;
        let grant = hub.ledger().grants(stage.street.id(), stage.street.worker(1)).unwrap()[0].id;
        if readable(&stage.mallory, vec![Reading::at(grant, Position(0))]) { "read".into() } else { "nothing".into() }
    }),
    ("changes that claim to be what a restored server lost", "nothing", |stage| {
        let mut document = stage.document(stage.elsewhere);
        let change = stage.mallory.edit(&mut document, &[Write::set("contact", "x")]);
        let receipt = doorstep_core::model::Receipt { number: 1, at: SystemClock.now(), seal: doorstep_core::model::Seal([7; 8]) };
        let relay = Relay {
            doc: stage.elsewhere,
            kind: DocKind::Household,
            changes: List(vec![EntryChange::new(change.bytes().to_vec(), receipt)]),
        };
        let mut request = stage.mallory.request(None);
        request.ledger = Some(stage.server.hub.streets().unwrap()[0].ledger);
        request.relays = Some(List(vec![relay]));
        stage.mallory.ask(&request);
        if stage.document(stage.elsewhere).contains(&change.hash()) { "taken".into() } else { "nothing".into() }
    }),
    ("asking what the server has of another grid's document", "no heads", |stage| {
        let mut request = stage.mallory.request(None);
        request.ledger = Some(stage.server.hub.streets().unwrap()[0].ledger);
        let heads = List(vec![doorstep_core::model::ChangeHash([9; 32])]);
        request.offers = Some(List(vec![Offer { doc: stage.elsewhere, kind: DocKind::Household, heads }]));
        let lacking = stage.mallory.ask(&request).lacking.unwrap();
        if lacking.0.iter().all(|offer| offer.heads.0.is_empty()) { "no heads".into() } else { "heads".into() }
    }),
];
