//! Every message: read back as written, with keys to come, cut short, and out of a stranger's hands.

use minicbor::{Decoder, Encoder};
use proptest::prelude::*;

use super::*;
use crate::docs::{DocKind, Keyring};
use crate::model::{
    ChangeHash, DeviceId, DocId, Grant, GrantId, GridId, GroupId, Incarnation, LedgerId, Millis, PersonId, Position, Role, Scope, Seal,
};
use crate::sync::frame::decode;
use crate::sync::{DeviceKey, Encoding, FrameError, HashAlgorithm, List, Nonce, SealingKey, Signed, arbitrary, seal_frame};

fn encode(message: &impl minicbor::Encode<()>) -> Vec<u8> {
    minicbor::to_vec(message).unwrap()
}

/// Copies one item, with a key in each map that no version knows.
fn widen(d: &mut Decoder<'_>, e: &mut Encoder<Vec<u8>>) {
    match d.datatype().unwrap() {
        minicbor::data::Type::Map => {
            let length = d.map().unwrap().unwrap();
            e.map(length + 1).unwrap();
            e.i64(-7).unwrap().array(2).unwrap().str("of a later version").unwrap().map(1).unwrap().u8(0).unwrap().null().unwrap();
            (0..2 * length).for_each(|_| widen(d, e));
        }
        minicbor::data::Type::Array => {
            let length = d.array().unwrap().unwrap();
            e.array(length).unwrap();
            (0..length).for_each(|_| widen(d, e));
        }
        _ => {
            let from = d.position();
            d.skip().unwrap();
            e.writer_mut().extend_from_slice(&d.input()[from..d.position()]);
        }
    }
}

/// What must hold of every message; a module a message.
macro_rules! messages {
    ($($name:ident: $message:ty = $strategy:expr;)+) => { $(
        mod $name {
            use super::*;

            proptest! {
                #[test]
                fn is_read_back_as_it_was_written(message in $strategy) {
                    prop_assert_eq!(decode::<$message>(&encode(&message)), Ok(message));
                }

                #[test]
                fn is_read_without_the_keys_of_a_later_version(message in $strategy) {
                    let bytes = encode(&message);
                    let mut widened = Encoder::new(Vec::new());
                    widen(&mut Decoder::new(&bytes), &mut widened);
                    prop_assert_eq!(decode::<$message>(&widened.into_writer()), Ok(message));
                }

                #[test]
                fn cut_short_anywhere_is_an_error(message in $strategy) {
                    let bytes = encode(&message);
                    for end in 0..bytes.len() {
                        prop_assert!(decode::<$message>(&bytes[..end]).is_err(), "cut at {}", end);
                    }
                }

                #[test]
                fn with_bytes_changed_is_read_or_refused_but_never_a_panic(
                    message in $strategy, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
                ) {
                    let mut bytes = encode(&message);
                    for (index, byte) in changes {
                        let at = index.index(bytes.len());
                        bytes[at] = byte;
                    }
                    if let Ok(read) = decode::<$message>(&bytes) {
                        prop_assert_eq!(decode::<$message>(&encode(&read)), Ok(read));
                    }
                }

                #[test]
                fn is_not_found_in_random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
                    let _ = decode::<$message>(&bytes);
                }
            }
        }
    )+ };
}

messages! {
    a_request: Request = arbitrary::request();
    a_response: Response = arbitrary::response();
    a_signed_message: Signed = arbitrary::signed();
    an_enrolment_request: EnrolRequest = arbitrary::enrol_request();
    an_enrolment_response: EnrolResponse = arbitrary::enrol_response();
}

fn nothing_new(position: Position) -> Request {
    Request {
        protocol: u32::MAX,
        device: DeviceId::from_bytes([1; 16]),
        incarnation: Incarnation([2; 8]),
        sent_at: Millis(i64::MAX),
        ledger: Some(LedgerId::from_bytes([3; 16])),
        cursors: List(vec![Reading::at(GrantId::from_bytes([4; 16]), position)]),
        push: None,
        offers: None,
        relays: None,
        inbox: None,
        decisions: None,
        signs_out: None,
        keys: None,
        fresh: None,
    }
}

fn empty_response() -> Response {
    Response::nothing(Millis(0), LedgerId::from_bytes([3; 16]))
}

/// A promise of the protocol: a phone that comes by every minute costs next to nothing.
#[test]
fn a_reconnect_with_nothing_new_is_under_200_bytes_each_way() {
    let signed = DeviceKey::from_seed(&[9; 32]).seal(encode(&nothing_new(Position(u64::MAX))));
    let request = seal_frame(&signed, Encoding::Deflate);
    assert_eq!(request.len(), 171, "the longest that it can be, with one cursor");
    let response = Response { now: Millis(i64::MAX), backed_up_to: Some(Position(u64::MAX)), ..empty_response() };
    assert_eq!(seal_frame(&response, Encoding::Deflate).len(), 43);
}

/// Decodes nothing and counts how often it was asked to.
#[derive(Debug, PartialEq)]
struct Counted;

impl<'b> minicbor::Decode<'b, u32> for Counted {
    fn decode(d: &mut Decoder<'b>, count: &mut u32) -> Result<Self, minicbor::decode::Error> {
        *count += 1;
        d.skip().map(|()| Self)
    }
}

#[test]
fn a_list_beyond_its_bound_is_refused_before_any_item_is_decoded() {
    let mut count = 0;
    assert!(minicbor::decode_with::<u32, List<Counted, 3>>(&encode(&[0u8; 4]), &mut count).is_err());
    assert_eq!(count, 0);
    assert!(minicbor::decode_with::<u32, List<Counted, 3>>(&encode(&[0u8; 3]), &mut count).is_ok());
    assert_eq!(count, 3);
}

/// Whether a message with so many of something decodes.
type Decodes<'a> = &'a dyn Fn(usize) -> bool;

#[test]
fn every_list_of_a_message_has_its_bound() {
    use crate::sync::{MOST_ENTRIES, MOST_ENTRY_CHANGES, MOST_GRANTS, MOST_GROUP_CHANGES, MOST_GROUPS, MOST_OFFERS};
    let doc = DocId::from_bytes([5; 16]);
    let kind = DocKind::Case;
    let reading = Reading::at(GrantId::from_bytes([4; 16]), Position(1));
    let group = Group { id: GroupId::from_bytes([6; 16]), changes: List::default() };
    let signature = DeviceKey::from_seed(&[9; 32]).sign_push(DeviceId::from_bytes([1; 16]), &[]);
    let push = |groups| Some(Push { groups: List(groups), hashes: HashAlgorithm::Sha256, signature });
    let pushed = PushedChange { doc, kind, bytes: vec![] };
    let offer = Offer { doc, kind, heads: List::default() };
    let change = EntryChange { bytes: vec![], number: 1, at: Millis(0), seal: Seal::default() };
    let part = |entries| Part {
        grant: reading.grant,
        from: Position(0),
        to: Position(1),
        entries: List(entries),
        more: None,
        bootstrap: None,
        keys: None,
    };
    let grant = Grant {
        id: reading.grant,
        person: PersonId::from_bytes([7; 16]),
        scope: Scope::Grid(GridId::from_bytes([8; 16])),
        from: Millis(0),
        until: None,
        role: Role::GridWorker,
    };
    let request = |request: Request| decode::<Request>(&encode(&request)).is_ok();
    let response = |response: Response| decode::<Response>(&encode(&response)).is_ok();
    let base = || nothing_new(Position(1));
    let bounds: [(&str, usize, Decodes<'_>); 14] = [
        ("cursors", MOST_GRANTS, &|n| request(Request { cursors: vec![reading; n].into(), ..base() })),
        ("groups", MOST_GROUPS, &|n| request(Request { push: push(vec![group.clone(); n]), ..base() })),
        ("changes of a group", MOST_GROUP_CHANGES, &|n| {
            request(Request { push: push(vec![Group { changes: vec![pushed.clone(); n].into(), ..group.clone() }]), ..base() })
        }),
        ("offers", MOST_OFFERS, &|n| request(Request { offers: Some(vec![offer.clone(); n].into()), ..base() })),
        ("heads", MOST_GROUP_CHANGES, &|n| {
            request(Request { offers: Some(vec![Offer { heads: vec![ChangeHash([0; 32]); n].into(), ..offer.clone() }].into()), ..base() })
        }),
        ("relays", MOST_GROUPS, &|n| {
            request(Request { relays: Some(vec![Relay { doc, kind, changes: List::default() }; n].into()), ..base() })
        }),
        ("verdicts", MOST_GROUPS, &|n| {
            response(Response { verdicts: Some(vec![Verdict::AcceptedBefore { group: group.id }; n].into()), ..empty_response() })
        }),
        ("parts", MOST_GRANTS, &|n| response(Response { parts: Some(vec![part(vec![]); n].into()), ..empty_response() })),
        ("entries", MOST_ENTRIES, &|n| {
            response(Response { parts: Some(vec![part(vec![Entry::Left { doc }; n])].into()), ..empty_response() })
        }),
        ("changes of an entry", MOST_ENTRY_CHANGES, &|n| {
            let entry = Entry::Changes { doc, kind, changes: vec![change.clone(); n].into() };
            response(Response { parts: Some(vec![part(vec![entry])].into()), ..empty_response() })
        }),
        ("entered", MOST_GRANTS, &|n| {
            response(Response { entered: Some(vec![Entered { grant: grant.clone() }; n].into()), ..empty_response() })
        }),
        ("keys of a part", MOST_ENTRIES, &|n| {
            let keys = Some(vec![(doc, Keyring::erased()); n].into());
            response(Response { parts: Some(vec![Part { keys, ..part(Vec::new()) }].into()), ..empty_response() })
        }),
        ("keys of late work", MOST_GROUP_CHANGES, &|n| {
            let keys = Some(vec![(doc, Keyring::erased()); n].into());
            let late = LateWork { group: group.id, author: grant.person, arrived_at: Millis(0), changes: Vec::new().into(), keys };
            response(Response { inbox: Some(vec![late].into()), ..empty_response() })
        }),
        ("left", MOST_GRANTS, &|n| response(Response { left: Some(vec![grant.id; n].into()), ..empty_response() })),
    ];
    for (what, most, decodes) in bounds {
        assert!(decodes(most), "{most} {what}");
        assert!(!decodes(most + 1), "{most} {what} and one more");
    }
}

#[test]
fn every_text_of_a_message_has_its_bound() {
    use crate::sync::{MOST_CODE_BYTES, MOST_ENROLMENT_CODE_BYTES, MOST_LABEL_BYTES, MOST_NAME_BYTES};
    let text = |length| "x".repeat(length);
    let verdict = |code| Verdict::Refused { group: GroupId::from_bytes([6; 16]), code, offset_ms: None, because_of: None };
    let verdict =
        |length| decode::<Response>(&encode(&Response { verdicts: Some(vec![verdict(text(length))].into()), ..empty_response() })).is_ok();
    let key = DeviceKey::from_seed(&[9; 32]).public();
    let code =
        |length| decode::<EnrolRequest>(&encode(&EnrolRequest { protocol: 1, code: text(length), key, label: String::new() })).is_ok();
    let label =
        |length| decode::<EnrolRequest>(&encode(&EnrolRequest { protocol: 1, code: String::new(), key, label: text(length) })).is_ok();
    let name = |length| {
        let (device, person, street) = (arbitrary::Id([1; 16]).into(), arbitrary::Id([2; 16]).into(), arbitrary::Id([3; 16]).into());
        decode::<EnrolResponse>(&encode(&EnrolResponse {
            protocol: 1,
            now: Millis(0),
            device,
            person,
            street,
            name: text(length),
            sealing: SealingKey([0; 32]),
            nonce: Nonce([0; 16]),
        }))
        .is_ok()
    };
    let bounds: [(usize, Decodes<'_>); 4] =
        [(MOST_CODE_BYTES, &verdict), (MOST_ENROLMENT_CODE_BYTES, &code), (MOST_LABEL_BYTES, &label), (MOST_NAME_BYTES, &name)];
    for (most, decodes) in bounds {
        assert!(decodes(most) && !decodes(most + 1), "{most} bytes");
    }
}

/// `bytes` with the one place where `found` stands changed.
fn patched(bytes: &[u8], found: &[u8], by: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(found)).collect();
    assert_eq!(places.len(), 1, "the pattern stands once");
    [&bytes[..places[0]], by, &bytes[places[0] + found.len()..]].concat()
}

/// An optional list that vanished because somebody added an arm would be taken for "nothing changed".
#[test]
fn an_arm_that_is_not_known_makes_the_message_undecodable_and_never_shorter() {
    let doc = DocId::from_bytes([0xee; 16]);
    let ends_with = |entry: Entry| {
        let part = Part {
            grant: GrantId::from_bytes([4; 16]),
            from: Position(0),
            to: Position(1),
            entries: vec![entry].into(),
            more: None,
            bootstrap: None,
            keys: None,
        };
        encode(&Response { parts: Some(vec![part].into()), ..empty_response() })
    };
    let entry = patched(&ends_with(Entry::Left { doc }), &[0x82, 3, 0xa1, 0, 0x50, 0xee], &[0x82, 9, 0xa1, 0, 0x50, 0xee]);
    assert!(matches!(decode::<Response>(&entry), Err(FrameError::Undecodable { .. })));

    let record = ends_with(Entry::Record { id: doc, kind: RecordKind::Directory, bytes: vec![0xdd; 4] });
    let record = patched(&record, &[1, 1, 2, 0x44, 0xdd], &[1, 9, 2, 0x44, 0xdd]);
    assert!(matches!(decode::<Response>(&record), Err(FrameError::Undecodable { .. })));

    let verdicts =
        Response { verdicts: Some(vec![Verdict::AcceptedBefore { group: GroupId::from_bytes([0xee; 16]) }].into()), ..empty_response() };
    let verdict = patched(&encode(&verdicts), &[0x82, 1, 0xa1, 0, 0x50, 0xee], &[0x82, 9, 0xa1, 0, 0x50, 0xee]);
    assert!(matches!(decode::<Response>(&verdict), Err(FrameError::Undecodable { .. })));

    let scope = Scope::Grid(GridId::from_bytes([0xee; 16]));
    let grant = Grant {
        id: GrantId::from_bytes([4; 16]),
        person: PersonId::from_bytes([7; 16]),
        scope,
        from: Millis(0),
        until: None,
        role: Role::GridWorker,
    };
    let scope = patched(
        &encode(&Response { entered: Some(vec![Entered { grant }].into()), ..empty_response() }),
        &[0x82, 1, 0x81, 0x50],
        &[0x82, 9, 0x81, 0x50],
    );
    assert!(matches!(decode::<Response>(&scope), Err(FrameError::Undecodable { .. })));

    let signature = DeviceKey::from_seed(&[9; 32]).sign_push(DeviceId::from_bytes([1; 16]), &[]);
    let pushed = PushedChange { doc, kind: DocKind::Case, bytes: vec![0xdd; 4] };
    let groups = vec![Group { id: GroupId::from_bytes([6; 16]), changes: vec![pushed].into() }].into();
    let request = encode(&Request { push: Some(Push { groups, hashes: HashAlgorithm::Sha256, signature }), ..nothing_new(Position(1)) });
    let kind = patched(&request, &[1, 6, 2, 0x44, 0xdd], &[1, 0x17, 2, 0x44, 0xdd]);
    assert!(matches!(decode::<Request>(&kind), Err(FrameError::Undecodable { .. })));
    let hashes = patched(&request, &[1, 1, 2, 0xa2, 0, 1], &[1, 2, 2, 0xa2, 0, 1]);
    assert!(matches!(decode::<Request>(&hashes), Err(FrameError::Undecodable { .. })));
}

#[test]
fn a_message_that_lacks_what_must_be_there_is_undecodable() {
    assert!(matches!(decode::<Request>(&[0xa1, 0, 1]), Err(FrameError::Undecodable { .. })));
    assert!(matches!(decode::<Response>(&[0xa0]), Err(FrameError::Undecodable { .. })));
    assert!(matches!(decode::<Request>(&[0xa1, 0x61, b'x', 1]), Err(FrameError::Undecodable { .. })));
}
