//! Proptest strategies for every message, arm by arm; lists stay short, bounds have cases of their own.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::docs::{DocKind, Keyring, RecordKey};
use crate::model::{ChangeHash, DocId, Grant, Incarnation, Millis, Position, Receipt, Receipts, Role, Scope, Seal};
use crate::sync::{
    Bootstrap, Decision, EnrolRequest, EnrolResponse, Entered, Entry, EntryChange, Freshness, Group, HashAlgorithm, InboxDigest, LateWork,
    List, MOST_RESUME_KEY_BYTES, Nonce, Offer, Part, Progress, PublicKey, Push, PushedChange, Reading, RecordKind, Relay, Request,
    Response, Resume, ResumeKey, SealingKey, Signature, Signed, Verdict, WrappedKeys,
};

macro_rules! id {
    () => {
        any::<[u8; 16]>().prop_map(|bytes| crate::sync::arbitrary::Id(bytes).into())
    };
}

/// Sixteen bytes that become whatever id is wanted.
pub(super) struct Id(pub [u8; 16]);

macro_rules! ids {
    ($($name:ident),+) => { $(
        impl From<Id> for crate::model::$name {
            fn from(id: Id) -> Self {
                Self::from_bytes(id.0)
            }
        }
    )+ };
}

ids!(CaseId, DeviceId, DocId, GrantId, GridId, GroupId, LedgerId, PersonId, StreetId);

fn list<T: std::fmt::Debug, const MOST: usize>(item: impl Strategy<Value = T>) -> impl Strategy<Value = List<T, MOST>> {
    vec(item, 0..4).prop_map(List)
}

fn millis() -> impl Strategy<Value = Millis> {
    any::<i64>().prop_map(Millis)
}

fn position() -> impl Strategy<Value = Position> {
    any::<u64>().prop_map(Position)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

fn kind() -> impl Strategy<Value = DocKind> {
    proptest::sample::select(DocKind::ALL.to_vec())
}

fn hash() -> impl Strategy<Value = ChangeHash> {
    any::<[u8; 32]>().prop_map(ChangeHash)
}

fn signature() -> impl Strategy<Value = Signature> {
    (any::<u8>(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(algorithm, first, second)| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&first);
        bytes[32..].copy_from_slice(&second);
        Signature { algorithm, bytes }
    })
}

fn reading() -> impl Strategy<Value = Reading> {
    let resume = (position(), resume_key()).prop_map(|(base, key)| Resume { base, key });
    (id!(), position(), option::of(position()), option::of(resume)).prop_map(|(grant, position, since, resume)| Reading {
        grant,
        position,
        since,
        resume,
    })
}

fn resume_key() -> impl Strategy<Value = ResumeKey> {
    vec(any::<u8>(), 0..=MOST_RESUME_KEY_BYTES).prop_map(|bytes| ResumeKey::new(&bytes).unwrap())
}

fn bootstrap() -> impl Strategy<Value = Bootstrap> {
    let progress = (any::<[u64; 4]>(), any::<bool>()).prop_map(|([documents, bytes, documents_left, bytes_left], usable)| Progress {
        documents,
        bytes,
        documents_left,
        bytes_left,
        usable,
    });
    (position(), option::of(resume_key()), option::of(resume_key()), progress).prop_map(|(base, after, next, progress)| Bootstrap {
        base,
        after,
        next,
        progress,
    })
}

fn pushed_change() -> impl Strategy<Value = PushedChange> {
    (id!(), kind(), bytes()).prop_map(|(doc, kind, bytes)| PushedChange { doc, kind, bytes })
}

fn group() -> impl Strategy<Value = Group> {
    (id!(), list(pushed_change())).prop_map(|(id, changes)| Group { id, changes })
}

pub(super) fn push() -> impl Strategy<Value = Push> {
    (list(group()), signature()).prop_map(|(groups, signature)| Push { groups, hashes: HashAlgorithm::Sha256, signature })
}

fn offer() -> impl Strategy<Value = Offer> {
    (id!(), kind(), list(hash())).prop_map(|(doc, kind, heads)| Offer { doc, kind, heads })
}

fn entry_change() -> impl Strategy<Value = EntryChange> {
    (bytes(), receipt()).prop_map(|(bytes, receipt)| EntryChange::new(bytes, receipt))
}

fn relay() -> impl Strategy<Value = Relay> {
    (id!(), kind(), list(entry_change())).prop_map(|(doc, kind, changes)| Relay { doc, kind, changes })
}

fn fresh() -> impl Strategy<Value = Option<Freshness>> {
    option::of((any::<[u8; 16]>(), any::<u64>()).prop_map(|(nonce, number)| Freshness { nonce: Nonce(nonce), number }))
}

pub(super) fn request() -> impl Strategy<Value = Request> {
    let who = (any::<u32>(), id!(), any::<[u8; 8]>().prop_map(Incarnation), millis(), option::of(id!()));
    let what = (list(reading()), option::of(push()), option::of(list(offer())), option::of(list(relay())));
    let decision = (id!(), any::<bool>()).prop_map(|(group, adopts)| Decision { group, adopts });
    let late = (option::of(any::<[u8; 8]>().prop_map(InboxDigest)), option::of(list(decision)), option::of(any::<bool>()));
    let late = (late, option::of(bytes().prop_map(WrappedKeys::of_bytes)), fresh());
    let request = |(who, what, late)| {
        let (protocol, device, incarnation, sent_at, ledger) = who;
        let (cursors, push, offers, relays) = what;
        let ((inbox, decisions, signs_out), keys, fresh) = late;
        Request { protocol, device, incarnation, sent_at, ledger, cursors, push, offers, relays, inbox, decisions, signs_out, keys, fresh }
    };
    (who, what, late).prop_map(request)
}

pub(super) fn verdict() -> impl Strategy<Value = Verdict> {
    let accepted = (id!(), millis(), list(any::<u64>()), option::of(id!()), list(seal()));
    let refused = (id!(), "[a-z_.]{0,64}", option::of(any::<i64>()), option::of(id!()));
    prop_oneof![
        accepted.prop_map(|(group, at, numbers, duplicate_of, seals)| Verdict::Accepted { group, at, numbers, duplicate_of, seals }),
        id!().prop_map(|group| Verdict::AcceptedBefore { group }),
        refused.prop_map(|(group, code, offset_ms, because_of)| Verdict::Refused { group, code, offset_ms, because_of }),
    ]
}

fn seal() -> impl Strategy<Value = Seal> {
    any::<[u8; 8]>().prop_map(Seal)
}

fn receipt() -> impl Strategy<Value = Receipt> {
    (any::<u64>(), millis(), seal()).prop_map(|(number, at, seal)| Receipt { number, at, seal })
}

fn receipts() -> impl Strategy<Value = Receipts> {
    btree_map(hash(), receipt(), 0..4).prop_map(|receipts| receipts.into_iter().collect())
}

pub(super) fn entry() -> impl Strategy<Value = Entry> {
    let snapshot = (id!(), kind(), bytes(), receipts(), bytes());
    prop_oneof![
        (id!(), kind(), list(entry_change())).prop_map(|(doc, kind, changes)| Entry::Changes { doc, kind, changes }),
        snapshot.prop_map(|(doc, kind, bytes, receipts, summary)| Entry::Snapshot { doc, kind, bytes, receipts, summary }),
        (id!(), bytes()).prop_map(|(id, bytes)| Entry::Record { id, kind: RecordKind::Directory, bytes }),
        id!().prop_map(|doc| Entry::Left { doc }),
    ]
}

/// Rings of some keys, and of erased records.
fn keyring() -> impl Strategy<Value = Keyring> {
    let key = any::<[u8; 32]>().prop_filter_map("a key", |bytes| RecordKey::from_bytes(&bytes));
    let held = proptest::collection::vec(key, 0..3);
    let whole = held.prop_map(|keys| keys.into_iter().fold(Keyring::default(), |all, key| all.union(&Keyring::of(key))));
    (whole, kind(), any::<[bool; 2]>()).prop_map(|(keys, kind, [is_erased, is_partial])| match (is_erased, is_partial) {
        (true, _) => Keyring::erased(),
        (false, true) => keys.only(kind, |field| field == "name" || field == "visits.findings"),
        (false, false) => keys,
    })
}

fn keys<const MOST: usize>() -> impl Strategy<Value = Option<List<(DocId, Keyring), MOST>>> {
    option::of(list((id!(), keyring())))
}

fn part() -> impl Strategy<Value = Part> {
    (id!(), position(), position(), list(entry()), option::of(any::<bool>()), option::of(bootstrap()), keys())
        .prop_map(|(grant, from, to, entries, more, bootstrap, keys)| Part { grant, from, to, entries, more, bootstrap, keys })
}

fn entered() -> impl Strategy<Value = Entered> {
    let scope = prop_oneof![
        id!().prop_map(Scope::Street),
        id!().prop_map(Scope::Grid),
        id!().prop_map(Scope::Assigned),
        id!().prop_map(Scope::Case)
    ];
    let role = prop_oneof![proptest::sample::select(Role::KNOWN.to_vec()), "[a-z-]{1,20}".prop_map(|code| Role::from_code(&code))];
    (id!(), id!(), scope, millis(), option::of(millis()), role)
        .prop_map(|(id, person, scope, from, until, role)| Entered { grant: Grant { id, person, scope, from, until, role } })
}

pub(super) fn response() -> impl Strategy<Value = Response> {
    let head = (any::<u32>(), millis(), id!(), option::of(list(verdict())), option::of(list(part())));
    let scopes = (option::of(list(entered())), option::of(list(id!())));
    let rest = (option::of(position()), option::of(list(offer())), option::of(any::<u32>()), option::of(any::<bool>()));
    let rest = (rest, option::of(position()), option::of(list(late_work())), option::of(any::<bool>()), fresh(), option::of(any::<u32>()));
    (head, scopes, rest).prop_map(
        |(
            (protocol, now, ledger, verdicts, parts),
            (entered, left),
            ((backed_up_to, lacking, least_protocol, pushed), accepted_by, inbox, wipe, challenge, lease_hours),
        )| Response {
            protocol,
            now,
            ledger,
            verdicts,
            parts,
            entered,
            left,
            backed_up_to,
            lacking,
            least_protocol,
            pushed,
            accepted_by,
            inbox,
            wipe,
            challenge,
            lease_hours,
        },
    )
}

fn late_work() -> impl Strategy<Value = LateWork> {
    (id!(), id!(), millis(), list(pushed_change()), keys()).prop_map(|(group, author, arrived_at, changes, keys)| LateWork {
        group,
        author,
        arrived_at,
        changes,
        keys,
    })
}

pub(super) fn signed() -> impl Strategy<Value = Signed> {
    (bytes(), signature()).prop_map(|(payload, signature)| Signed { payload, signature })
}

pub(super) fn enrol_request() -> impl Strategy<Value = EnrolRequest> {
    let key = (any::<u8>(), any::<[u8; 32]>()).prop_map(|(algorithm, bytes)| PublicKey { algorithm, bytes });
    (any::<u32>(), "[A-Z2-9-]{0,16}", key, "\\PC{0,40}").prop_map(|(protocol, code, key, label)| EnrolRequest {
        protocol,
        code,
        key,
        label,
    })
}

pub(super) fn enrol_response() -> impl Strategy<Value = EnrolResponse> {
    let sealing = any::<[u8; 32]>().prop_map(SealingKey);
    let nonce = any::<[u8; 16]>().prop_map(Nonce);
    let response = |(protocol, now, device, person, street, name, sealing, nonce)| EnrolResponse {
        protocol,
        now,
        device,
        person,
        street,
        name,
        sealing,
        nonce,
    };
    (any::<u32>(), millis(), id!(), id!(), id!(), "\\PC{0,40}", sealing, nonce).prop_map(response)
}
