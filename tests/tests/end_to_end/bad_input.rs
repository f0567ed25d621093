//! Bad input to a real server: each gets a typed problem or a refusal with its reason, the connection's other work goes on, nothing is lost.

use std::sync::Barrier;

use doorstep_core::docs::{Change, DocKind, Document, Write, note_write};
use doorstep_core::field::{ENROL_PATH, SYNC_PATH, Transport};
use doorstep_core::model::{Clock as _, DeviceId, DocId, GroupId, Hlc, Note, NoteId, PersonId, Personal};
use doorstep_core::sync::{
    DeviceKey, Encoding, EnrolResponse, Group, List, MOST_FRAME_BYTES, MOST_MESSAGE_BYTES, PROTOCOL_VERSION, Request, Response, Verdict,
    open_frame, seal_frame,
};
use doorstep_server::system::{SystemClock, SystemEntropy};
use doorstep_tests::clocks::DAY;
use doorstep_tests::deflate::deflated;
use doorstep_tests::forge::{Chunk, chunk, repair_checksum};
use doorstep_tests::handmade::{enrolment, fresh_doc, group, group_of, keyed, leaves, pushed, random_bytes, word};
use doorstep_tests::street::{Street, TINY};

use crate::siege::Siege;

const YEAR: i64 = 365 * DAY;

fn set(key: &str, value: &str) -> Write {
    Write::set(key, value)
}

/// A new household of the attacker's own grid, with its first change.
fn new_household(siege: &Siege) -> (Document, Change) {
    let mut document = keyed(Document::new(DocKind::Household, fresh_doc()).unwrap());
    let change = siege.attacker.edit(&mut document, &[Write::set("grid", siege.street.grid(0).as_bytes()), set("door", "101")]);
    (document, change)
}

/// A request that the server would serve, as a frame with and without compression.
fn real_frames(siege: &Siege) -> [Vec<u8>; 2] {
    let (document, change) = new_household(siege);
    let mut remark = document.clone();
    let long = siege.attacker.edit(&mut remark, &[set("remark", &"有两只狗。".repeat(40))]);
    let push = siege.attacker.push(vec![group_of(&document, &change), group_of(&document, &long)]);
    let signed = siege.attacker.key.seal(minicbor::to_vec(siege.attacker.request(Some(push))).unwrap());
    [Encoding::None, Encoding::Deflate].map(|encoding| seal_frame(&signed, encoding))
}

#[test]
fn bytes_that_are_no_frame_are_answered_with_the_reason() {
    let siege = Siege::begin();
    let refused = |bytes: &[u8]| {
        let (status, code) = siege.attacker.problem(bytes);
        assert_eq!(status, 400, "{code}");
        code
    };
    assert_eq!(refused(&[]), "frame.empty");
    assert_eq!(refused(&[1]), "frame.empty");
    for version in [0, 2, 255] {
        assert_eq!(refused(&[version, 0, 0xa0]), "frame.version");
    }
    for encoding in [2, 3, 255] {
        assert_eq!(refused(&[1, encoding, 0xa0]), "frame.encoding");
    }
    assert_eq!(refused(&[1, 1, 0xff, 0xff, 0xff]), "frame.damaged");
    // CBOR that is none of ours, claims more than is there, or lies too deep.
    for body in [
        &[0xa0][..],
        &[0x80],
        &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x9b, 0, 0, 0, 0xff, 0, 0, 0, 0],
        &[0x81; 200_000],
    ] {
        assert_eq!(refused(&[&[1, 0], body].concat()), "frame.undecodable");
    }
    for length in [1, 2, 3, 100, 5_000] {
        for _ in 0..20 {
            assert!(refused(&random_bytes(length)).starts_with("frame."));
        }
    }
    for encoding in [0, 1] {
        for _ in 0..50 {
            assert!(refused(&[&[1, encoding], &random_bytes(300)[..]].concat()).starts_with("frame."));
        }
    }
    siege.end(|hub, street| assert!(hub.quarantine(street.id()).unwrap().is_empty()));
}

#[test]
fn a_frame_that_was_cut_at_any_byte_is_refused_and_whole_it_is_served() {
    let siege = Siege::begin();
    for frame in real_frames(&siege) {
        for end in 0..frame.len() {
            let (status, code) = siege.attacker.problem(&frame[..end]);
            assert!(status == 400 && code.starts_with("frame."), "cut at {end}: {status} {code}");
        }
        assert_eq!(siege.attacker.post(&frame).status, 200);
    }
    // Behind a message nothing may stand; behind the end of a deflate stream it is ignored.
    let [plain, deflated] = real_frames(&siege).map(|frame| [frame, vec![0]].concat());
    assert_eq!(siege.attacker.problem(&plain), (400, "frame.undecodable".to_owned()));
    assert_eq!(siege.attacker.post(&deflated).status, 200);
    siege.end(|_, _| {});
}

#[test]
fn a_frame_with_a_byte_changed_is_refused_whichever_it_is() {
    let siege = Siege::begin();
    let [frame, _] = real_frames(&siege);
    for at in 0..frame.len() {
        let mut flipped = frame.clone();
        flipped[at] ^= 0x10;
        let (status, code) = siege.attacker.problem(&flipped);
        assert!(matches!(status, 400 | 401), "byte {at}: {status} {code}");
    }
    siege.end(|hub, street| assert!(hub.quarantine(street.id()).unwrap().is_empty()));
}

#[test]
fn what_is_too_long_is_not_read_and_what_inflates_too_far_is_not_inflated() {
    let siege = Siege::begin();
    let oversize = siege.attacker.problem(&vec![1; MOST_FRAME_BYTES + 1]);
    assert!(oversize == (413, "http.body_too_large".to_owned()) || oversize == (400, "frame.too_long".to_owned()), "{oversize:?}");
    // Zeroes, packed a thousandfold: a message of nearly a gigabyte in the longest frame.
    let bomb = [&[1, 1][..], &deflated(&vec![0; 900 << 20])].concat();
    assert!(bomb.len() < MOST_FRAME_BYTES);
    for _ in 0..8 {
        assert_eq!(siege.attacker.problem(&bomb), (400, "frame.too_long".to_owned()));
    }
    // The longest message that is inflated at all: an array of four million empty arrays.
    let mut wide = vec![0x9a];
    wide.extend((MOST_MESSAGE_BYTES as u32 - 5).to_be_bytes());
    wide.resize(MOST_MESSAGE_BYTES, 0x80);
    let packed = [&[1, 1][..], &deflated(&wide)].concat();
    for _ in 0..8 {
        assert_eq!(siege.attacker.problem(&packed), (400, "frame.undecodable".to_owned()));
    }
    siege.end(|_, _| {});
}

#[test]
fn another_version_of_the_protocol_is_told_so() {
    let siege = Siege::begin();
    for protocol in [0, PROTOCOL_VERSION + 1, u32::MAX] {
        let request = Request { protocol, ..siege.attacker.request(None) };
        assert_eq!(siege.attacker.problem(&siege.attacker.frame(&request)), (400, "hub.protocol".to_owned()));
    }
    siege.end(|_, _| {});
}

#[test]
fn who_does_not_sign_as_an_enrolled_device_is_nobody() {
    let siege = Siege::begin();
    let attacker = &siege.attacker;
    let (document, change) = new_household(&siege);
    let groups = vec![group_of(&document, &change)];
    let honest = attacker.request(Some(attacker.push(groups.clone())));

    let stranger = Request { device: DeviceId::make(SystemClock.now(), &mut SystemEntropy), ..honest.clone() };
    assert_eq!(attacker.problem(&attacker.frame(&stranger)), (401, "hub.unknown_device".to_owned()));
    let other_key = DeviceKey::make(&mut SystemEntropy);
    let forged = seal_frame(&other_key.seal(minicbor::to_vec(&honest).unwrap()), Encoding::Deflate);
    assert_eq!(attacker.problem(&forged), (401, "signature.wrong".to_owned()));
    let mut unknown_algorithm = attacker.key.seal(minicbor::to_vec(&honest).unwrap());
    unknown_algorithm.signature.algorithm = 9;
    assert_eq!(attacker.problem(&seal_frame(&unknown_algorithm, Encoding::Deflate)), (401, "signature.algorithm".to_owned()));

    // The push's own signature: over other changes, over another document, by another key, as another device.
    let (other, elsewhere) = new_household(&siege);
    let mut pushes = vec![attacker.push(vec![group_of(&other, &elsewhere)]); 3];
    pushes[0].groups = List(groups.clone());
    pushes[1] = attacker.push(groups.clone());
    pushes[1].groups.0[0].changes.0[0].doc = fresh_doc();
    pushes[2].groups = List(groups.clone());
    pushes[2].signature = other_key.sign_push(attacker.device, &leaves(&groups));
    let mut as_another = attacker.push(groups.clone());
    as_another.signature = attacker.key.sign_push(stranger.device, &leaves(&groups));
    pushes.push(as_another);
    for push in pushes {
        let request = attacker.request(Some(push));
        assert_eq!(attacker.problem(&attacker.frame(&request)), (401, "signature.wrong".to_owned()));
    }
    let doc = document.id();
    siege.end(|hub, street| assert!(hub.document(street.id(), doc).is_err(), "something of a push that nobody signed was taken"));
}

#[test]
fn the_wrong_media_type_or_method_is_a_problem_too() {
    let siege = Siege::begin();
    let url = format!("{}{SYNC_PATH}", siege.server.url());
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let [frame, _] = real_frames(&siege);
    for media_type in ["application/json", "text/plain", "application/vnd.doorstep.other"] {
        let answer = agent.post(&url).header("content-type", media_type).send(&frame[..]).unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["doorstep-code"].to_str().unwrap()), (415, "http.wrong_media_type"));
    }
    let answer = agent.get(&url).call().unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["doorstep-code"].to_str().unwrap()), (405, "http.wrong_method"));
    siege.end(|_, _| {});
}

/// One bad group, and what is said of it.
struct Bad {
    what: &'static str,
    group: Group,
    code: &'static str,
}

/// Bad groups, each wrong in one way. The documents are of the attacker's own grid unless the name says otherwise.
fn bad_groups(siege: &Siege, own: &[Document], foreign: DocId) -> Vec<Bad> {
    let attacker = &siege.attacker;
    let mut bad = Vec::new();
    let mut add = |what, group, code| bad.push(Bad { what, group, code });
    let mut own = own.iter().cloned();
    let mut household = || own.next().unwrap();

    add("no changes", group([]), "sync.group_size");
    add("no change", group([pushed(household().id(), DocKind::Household, &random_bytes(80))]), "change.unparsable");
    add("an empty change", group([pushed(household().id(), DocKind::Household, &[])]), "change.unparsable");

    let mut document = household();
    let change = attacker.edit(&mut document, &[set("remark", "x")]);
    add("a household's change as a case's", group([pushed(document.id(), DocKind::Case, change.bytes())]), "sync.foreign_document");

    let mut document = household();
    let change = attacker.edit(&mut document, &[set("remark", "x")]);
    let mut twice = group_of(&document, &change);
    twice.changes.0.push(twice.changes.0[0].clone());
    add("the same change twice", twice, "sync.repeated");

    let mut document = household();
    let _never_sent = attacker.edit(&mut document, &[set("remark", "x")]);
    let dependent = attacker.edit(&mut document, &[set("remark", "y")]);
    add("built on a change that nobody sent", group_of(&document, &dependent), "sync.depends_on_refused");

    let mut document = keyed(Document::new(DocKind::Household, foreign).unwrap());
    let mut other = household();
    attacker.edit(&mut document, &[set("remark", "mine now")]);
    let misplaced = attacker.edit(&mut other, &[set("remark", "x")]);
    add("a change of another document", group([pushed(foreign, DocKind::Household, misplaced.bytes())]), "sync.depends_on_refused");

    let mut document = keyed(Document::new(DocKind::Household, fresh_doc()).unwrap());
    let change = attacker.edit(&mut document, &[Write::set("grid", siege.street.grid(1).as_bytes()), set("door", "1")]);
    add("a household of somebody else's grid", group_of(&document, &change), "policy.not_in_scope");

    let mut document = keyed(Document::new(DocKind::Household, fresh_doc()).unwrap());
    let change = attacker.edit(&mut document, &[set("door", "1")]);
    add("a household of no grid", group_of(&document, &change), "policy.not_in_scope");

    let document = household();
    let mut actor = attacker.actor();
    actor.device = DeviceId::make(SystemClock.now(), &mut SystemEntropy).tag();
    let mut document = keyed(document);
    let change = document.edit(actor, Hlc::new(SystemClock.now(), 0), &[set("remark", "x")]).unwrap().unwrap();
    add("a change of another's actor", group_of(&document, &change), "sync.foreign_actor");

    let mut document = household();
    let note = Note {
        id: NoteId::make(SystemClock.now(), &mut SystemEntropy),
        by: PersonId::from_bytes([7; 16]),
        at: SystemClock.now(),
        text: Personal::new("not mine".to_owned()),
    };
    let change = attacker.edit(&mut document, &[note_write(&note)]);
    add("a note in another's name", group_of(&document, &change), "policy.anothers_name");

    let mut document = household();
    let change = attacker.edit_at(&mut document, SystemClock.now().plus(3 * YEAR), &[set("remark", "x")]);
    add("three years ahead", group_of(&document, &change), "sync.clock_ahead");
    let mut document = household();
    let change = attacker.edit_at(&mut document, SystemClock.now().plus(4_000 * YEAR), &[set("remark", "x")]);
    add("four thousand years ahead", group_of(&document, &change), "sync.clock_ahead");

    let document = household();
    add("a bomb of compressed operations", group([pushed(document.id(), DocKind::Household, &bomb())]), "change.unparsable");

    let mut document = household();
    let mut damaged = attacker.edit(&mut document, &[set("remark", "x")]).bytes().to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    add("a wrong checksum", group([pushed(document.id(), DocKind::Household, &damaged)]), "change.unparsable");

    let mut document = household();
    let honest = attacker.edit(&mut document, &[set("remark", "x")]);
    let mut forged = Chunk::read(honest.bytes());
    forged.start_op += 1_000;
    add("operations numbered ahead", group([pushed(document.id(), DocKind::Household, &forged.write())]), "change.start_op");
    bad
}

/// A compressed chunk that inflates to a gigabyte.
fn bomb() -> Vec<u8> {
    let mut bytes = chunk(2, &deflated(&vec![0; 20 << 20]));
    repair_checksum(&mut bytes);
    bytes
}

#[test]
fn a_bad_group_is_refused_with_its_reason_and_its_neighbours_are_accepted() {
    let siege = Siege::begin();
    let attacker = &siege.attacker;
    let own = siege.documents(DocKind::Household);
    let foreign = fresh_doc();
    let mut accepted = Vec::new();
    let mut quarantined = Vec::new();
    for Bad { what, group: bad, code } in bad_groups(&siege, &own, foreign) {
        let [(before, first), (after, last)] = [new_household(&siege), new_household(&siege)];
        let groups = vec![group_of(&before, &first), bad.clone(), group_of(&after, &last)];
        assert_eq!(attacker.verdicts(groups.clone()), ["accepted", code, "accepted"], "{what}");
        // A verdict is final: the same push gets the same answer again.
        assert_eq!(attacker.verdicts(groups), ["accepted", code, "accepted"], "{what}, again");
        accepted.extend([before.id(), after.id()]);
        quarantined.push((bad.id, code));
    }
    let untouched: Vec<(DocId, [u8; 32])> = own.iter().map(|document| (document.id(), document.digest())).collect();
    siege.end(|hub, street| {
        for doc in accepted {
            assert_eq!(hub.document(street.id(), doc).unwrap().0.change_count(), 2); // genesis and the honest change
        }
        for (doc, digest) in untouched {
            assert_eq!(hub.document(street.id(), doc).unwrap().0.digest(), digest, "a refused group left something behind");
        }
        let mut kept: Vec<(GroupId, String)> =
            hub.quarantine(street.id()).unwrap().into_iter().map(|group| (group.id, group.code)).collect();
        kept.sort();
        let mut expected: Vec<(GroupId, String)> = quarantined.into_iter().map(|(id, code)| (id, code.to_owned())).collect();
        expected.sort();
        assert_eq!(kept, expected, "each refused group is kept with its reason, once");
    });
}

#[test]
fn all_bad_groups_in_one_push_with_good_ones_between_are_judged_one_by_one() {
    let siege = Siege::begin();
    let own = siege.documents(DocKind::Household);
    let mut groups = Vec::new();
    let mut expected = Vec::new();
    for bad in bad_groups(&siege, &own, fresh_doc()) {
        let (document, change) = new_household(&siege);
        groups.extend([bad.group, group_of(&document, &change)]);
        expected.extend([bad.code, "accepted"]);
    }
    assert_eq!(siege.attacker.verdicts(groups), expected);
    siege.end(|_, _| {});
}

#[test]
fn a_clock_that_is_behind_is_accepted_however_far() {
    let siege = Siege::begin();
    let mut own = siege.documents(DocKind::Household).into_iter();
    for years in [1, 10, 60, 4_000] {
        let mut document = own.next().unwrap();
        let at = SystemClock.now().plus(-years * YEAR);
        let change = siege.attacker.edit_at(&mut document, at, &[set("remark", "x")]);
        assert_eq!(siege.attacker.verdicts(vec![group_of(&document, &change)]), ["accepted"]);
    }
    siege.end(|_, _| {});
}

#[test]
fn a_refusal_for_the_clock_says_by_how_much() {
    let siege = Siege::begin();
    let mut document = siege.documents(DocKind::Household).remove(0);
    let change = siege.attacker.edit_at(&mut document, SystemClock.now().plus(3 * YEAR), &[set("remark", "x")]);
    let push = siege.attacker.push(vec![group_of(&document, &change)]);
    let response = siege.attacker.ask(&siege.attacker.request(Some(push)));
    let Some([Verdict::Refused { offset_ms: Some(offset), .. }]) = response.verdicts.as_ref().map(|verdicts| &verdicts.0[..]) else {
        panic!("a refusal with an offset was to come: {:?}", response.verdicts)
    };
    assert!((3 * YEAR - offset).abs() < 60_000, "{offset}");
    siege.end(|_, _| {});
}

#[test]
fn bombs_in_every_group_of_many_pushes_do_not_fill_the_memory() {
    let siege = Siege::begin();
    let bomb = bomb();
    let target = siege.documents(DocKind::Household).remove(0).id();
    for _ in 0..20 {
        let groups: Vec<Group> = (0..32).map(|_| group([pushed(target, DocKind::Household, &bomb)])).collect();
        let verdicts = siege.attacker.verdicts(groups);
        assert_eq!(verdicts.len(), 32);
        assert!(verdicts.iter().all(|verdict| verdict == "change.unparsable"), "{verdicts:?}");
    }
    siege.end(|_, _| {});
}

#[test]
fn a_push_of_the_most_that_a_message_can_hold_is_answered() {
    let siege = Siege::begin();
    let target = siege.documents(DocKind::Household).remove(0).id();
    // Zeroes compress well, so four megabytes of message fit into a frame.
    let groups: Vec<Group> = (0..115).map(|_| group([pushed(target, DocKind::Household, &[0; 32 * 1024])])).collect();
    let request = siege.attacker.request(Some(siege.attacker.push(groups)));
    for _ in 0..4 {
        let frame = siege.attacker.frame(&request);
        assert!(frame.len() < MOST_FRAME_BYTES);
        let answer = siege.attacker.post(&frame);
        let code = answer.code.clone().unwrap_or_else(|| {
            let response: Response = open_frame(&answer.body).unwrap();
            response.verdicts.unwrap().0.iter().map(word).next().unwrap()
        });
        assert!(matches!(code.as_str(), "change.unparsable" | "frame.too_long"), "{} {code}", answer.status);
    }
    siege.end(|_, _| {});
}

#[test]
fn what_is_no_code_enrols_nobody() {
    let siege = Siege::begin();
    let transport = siege.server.transport();
    for unknown in ["", "AAAA-BBBBBB", "........................................", "K7QD-2M9XTA'; DROP TABLE codes"] {
        let answer = transport.post(ENROL_PATH, &enrolment(&DeviceKey::make(&mut SystemEntropy), unknown)).unwrap();
        assert_eq!((answer.status, answer.code.as_deref()), (403, Some("hub.enrolment_code")));
    }
    for garbage in [vec![], random_bytes(200), vec![1, 0, 0xa0]] {
        assert_eq!(transport.post(ENROL_PATH, &garbage).unwrap().status, 400);
    }
    siege.end(|_, _| {});
}

#[test]
fn one_code_enrols_one_device_however_many_ask_at_once() {
    let street = Street::build(TINY);
    let server = street.serve();
    // An address that shows more than thirty wrong codes has to wait.
    for _ in 0..4 {
        let (code, _) = server.hub.make_code(street.id(), street.worker(0)).unwrap();
        const AT_ONCE: usize = 8;
        let start = Barrier::new(AT_ONCE);
        let answers: Vec<(u16, Option<String>)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        let frame = enrolment(&DeviceKey::make(&mut SystemEntropy), &code);
                        let transport = server.transport();
                        start.wait();
                        let answer = transport.post(ENROL_PATH, &frame).unwrap();
                        (answer.status, answer.code)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
        let refused = (403, Some("hub.enrolment_code".to_owned()));
        assert_eq!(answers.iter().filter(|answer| **answer == refused).count(), AT_ONCE - 1, "{answers:?}");
    }
    let devices: usize = server.hub.directory(street.id()).unwrap().staff.iter().map(|staff| staff.devices.len()).sum();
    assert_eq!(devices, 4);
}

#[test]
fn the_same_key_gets_the_same_identity_again_as_often_as_it_asks() {
    let street = Street::build(TINY);
    let server = street.serve();
    let (code, _) = server.hub.make_code(street.id(), street.worker(0)).unwrap();
    let key = DeviceKey::make(&mut SystemEntropy);
    let ask = || {
        let answer = server.transport().post(ENROL_PATH, &enrolment(&key, &code)).unwrap();
        open_frame::<EnrolResponse>(&answer.body).unwrap().device
    };
    let device = ask();
    assert_eq!((ask(), ask()), (device, device));
}
