//! What is wrong around the changes: signatures, devices, versions, frames, codes, doors that are not for phones.

use doorstep_core::docs::{DocKind, Write};
use doorstep_core::field::{ENROL_PATH, Transport as _};
use doorstep_core::model::DeviceId;
use doorstep_core::sync::{DeviceKey, Encoding, Freshness, Nonce, Request, Response, seal_frame};
use doorstep_server::ledger::Ending;
use doorstep_server::system::SystemEntropy;
use doorstep_tests::handmade::{Handmade, enrolment, group, group_of, pushed, random_bytes};

use super::Attack;
use super::stage::Stage;

fn problem(stage: &Stage, request: &Request) -> String {
    stage.mallory.problem(&stage.mallory.frame(request)).1
}

fn visit(stage: &Stage) -> doorstep_core::sync::Group {
    let mut document = stage.document(stage.door);
    let change = stage.mallory.edit(&mut document, &[Write::set("contact", "x")]);
    group_of(&document, &change)
}

/// What a frame that does not count is answered with.
fn challenged(stage: &Stage, frame: &[u8]) -> String {
    let answer = stage.mallory.answer(frame);
    let nothing = Response { challenge: answer.challenge, ..Response::nothing(answer.now, answer.ledger) };
    if answer.challenge.is_some() && answer == nothing { "a challenge and nothing else".into() } else { format!("{answer:?}") }
}

pub const ATTACKS: &[Attack] = &[
    ("a signature over other changes", "signature.wrong", |stage| {
        let mut push = stage.mallory.push(vec![visit(stage)]);
        push.groups.0 = vec![group([pushed(stage.door, DocKind::Household, &random_bytes(40))])];
        problem(stage, &stage.mallory.request(Some(push)))
    }),
    ("the signature of another push", "signature.wrong", |stage| {
        let mut push = stage.mallory.push(vec![visit(stage)]);
        push.signature = stage.mallory.push(vec![]).signature;
        problem(stage, &stage.mallory.request(Some(push)))
    }),
    ("a request signed with another key", "signature.wrong", |stage| {
        let other = DeviceKey::make(&mut SystemEntropy);
        let payload = minicbor::to_vec(stage.mallory.request(None)).unwrap();
        stage.mallory.problem(&seal_frame(&other.seal(payload), Encoding::Deflate)).1
    }),
    ("a request in the honest phone's name", "signature.wrong", |stage| {
        let mut request = stage.mallory.request(None);
        request.device = stage.honest.engine.identity().unwrap().device;
        problem(stage, &request)
    }),
    ("a device that nobody knows", "hub.unknown_device", |stage| {
        let mut request = stage.mallory.request(None);
        request.device = DeviceId::from_bytes([7; 16]);
        problem(stage, &request)
    }),
    ("a protocol of the future", "hub.protocol", |stage| {
        let mut request = stage.mallory.request(None);
        request.protocol = 99;
        problem(stage, &request)
    }),
    ("random bytes", "frame.version", |stage| {
        let mut bytes = random_bytes(300);
        bytes[0] = 0xee;
        stage.mallory.problem(&bytes).1
    }),
    ("a push of two thousand groups", "frame.undecodable", |stage| {
        let groups = (0..2_000).map(|_| group([])).collect();
        problem(stage, &stage.mallory.request(Some(stage.mallory.push(groups))))
    }),
    ("a push replayed", "accepted, accepted", |stage| {
        // It is the same answer, and nothing happens twice: the state of the document does not move.
        let accepted = stage.server.hub.document(stage.street.id(), stage.door).unwrap().1.len();
        let own = stage.own_group();
        let answers = [stage.mallory.verdicts(vec![own.clone()]), stage.mallory.verdicts(vec![own])].concat();
        assert_eq!(stage.server.hub.document(stage.street.id(), stage.door).unwrap().1.len(), accepted);
        answers.join(", ")
    }),
    ("a request replayed", "a challenge and nothing else", |stage| {
        let frame = stage.mallory.frame(&stage.mallory.request(Some(stage.mallory.push(vec![stage.own_group()]))));
        let first = stage.mallory.answer(&frame);
        assert!(first.challenge.is_none() && first.entered.is_some());
        challenged(stage, &frame)
    }),
    ("a request without a nonce of this server", "a challenge and nothing else", |stage| {
        let fresh = Some(Freshness { nonce: Nonce([7; 16]), number: u64::MAX });
        let frame = stage.mallory.frame(&Request { fresh, ..stage.mallory.request(None) });
        challenged(stage, &frame)
    }),
    ("a request from before, overtaken by a later one", "a challenge and nothing else", |stage| {
        let late = stage.mallory.frame(&stage.mallory.request(None));
        assert!(stage.mallory.ask(&stage.mallory.request(None)).challenge.is_none());
        challenged(stage, &late)
    }),
    ("stolen mail, handed in again and again", "taken 0, taken 0", |stage| {
        let mail = stage.mallory.mail(&stage.mallory.request(Some(stage.mallory.push(vec![stage.own_group()])))).to_bytes();
        [stage.mallory.hand_in(&mail), stage.mallory.hand_in(&mail)].join(", ")
    }),
    ("mail that asks for something", "taken 0", |stage| {
        stage.mallory.hand_in(&stage.mallory.mail(&stage.mallory.request(None)).to_bytes())
    }),
    ("mail changed on the way", "hub.unreadable_mail", |stage| {
        let mut mail = stage.mallory.mail(&stage.mallory.request(None)).to_bytes();
        *mail.last_mut().unwrap() ^= 1;
        stage.mallory.hand_in(&mail)
    }),
    ("mail in the honest phone's name", "signature.wrong", |stage| {
        let mut request = stage.mallory.request(Some(stage.mallory.push(vec![visit(stage)])));
        request.device = stage.honest.engine.identity().unwrap().device;
        stage.mallory.hand_in(&stage.mallory.mail(&request).to_bytes())
    }),
    ("mail that forges a push in the honest phone's name", "signature.wrong", |stage| {
        let mut push = stage.mallory.push(vec![visit(stage)]);
        push.signature = stage.mallory.push(vec![]).signature;
        stage.mallory.hand_in(&stage.mallory.mail(&stage.mallory.request(Some(push))).to_bytes())
    }),
    ("an enrolment code used twice in parallel", "one", |stage| {
        let (code, _) = stage.server.hub.make_code(stage.street.id(), stage.street.worker(1)).unwrap();
        let transport = stage.server.transport();
        let enrolled = std::thread::scope(|scope| {
            let ask = || transport.post(ENROL_PATH, &enrolment(&DeviceKey::make(&mut SystemEntropy), &code)).unwrap().status == 200;
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|enrolled| *enrolled).count()
        });
        if enrolled == 1 { "one".into() } else { format!("{enrolled}") }
    }),
    ("a guessed enrolment code", "hub.enrolment_code", |stage| {
        let answer = stage.server.transport().post(ENROL_PATH, &enrolment(&DeviceKey::make(&mut SystemEntropy), "AAAA-AAAAAA")).unwrap();
        answer.code.unwrap_or_default()
    }),
    ("the administrators' door without a token", "401", |stage| {
        let answer = ureq::get(format!("{}/v1/admin/streets", stage.server.url())).call();
        match answer {
            Err(ureq::Error::StatusCode(status)) => status.to_string(),
            other => format!("{other:?}"),
        }
    }),
    ("a revoked device", "sync.revoked", |stage| {
        let (code, _) = stage.server.hub.make_code(stage.street.id(), stage.mallory.person).unwrap();
        let revoked = Handmade::enrol(&stage.server.url(), &code);
        stage.server.hub.end_device(stage.street.id(), revoked.device, Ending::Revoked).unwrap();
        let mut document = stage.document(stage.door);
        let change = revoked.edit(&mut document, &[Write::set("contact", "x")]);
        revoked.verdicts(vec![group_of(&document, &change)]).join(", ")
    }),
];
