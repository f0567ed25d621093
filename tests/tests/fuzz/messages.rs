//! Messages of the protocol, from the frame inwards: what a server reads of phones, and phones of a server.

use doorstep_core::docs::layout::{Container, Path};
use doorstep_core::docs::{DocKind, Keyring, RecordKey};
use doorstep_core::field::Invitation;
use doorstep_core::model::{Directory, Millis, StreetId};
use doorstep_core::summary::Summary;
use doorstep_core::sync::live::server::{Input, Pace, Session};
use doorstep_core::sync::{
    DeviceKey, Encoding, EnrolRequest, EnrolResponse, Mail, Request, Response, SealingSecret, Signed, open_frame, seal_frame,
};
use doorstep_server::system::SystemEntropy;
use doorstep_tests::deflate::{deflated, inflated};
use minicbor::{Decode, Encode};

use super::corpus::vectors;
use super::fuzz;

/// A frame of bytes as they are: what compression would make of them is another target.
fn frame_of(payload: &[u8]) -> Vec<u8> {
    [&[1, 0], payload].concat()
}

/// Whether what was read is read again from what is written of it.
fn reads_again<M: Encode<()> + for<'b> Decode<'b, ()> + PartialEq>(message: &M) -> bool {
    let again: M = open_frame(&frame_of(&minicbor::to_vec(message).unwrap())).unwrap();
    assert!(again == *message, "a message means something else when it is written and read again");
    true
}

fn accepts<M: Encode<()> + for<'b> Decode<'b, ()> + PartialEq>(payload: &[u8]) -> bool {
    open_frame::<M>(&frame_of(payload)).is_ok_and(|message| reads_again(&message))
}

#[test]
fn frames() {
    fuzz(bolero::check!(), "frames", vectors("", "frame"), |bytes| {
        open_frame::<Response>(bytes).is_ok() || open_frame::<Signed>(bytes).is_ok()
    });
}

#[test]
fn what_is_compressed_in_a_frame() {
    let body = |frame: &Vec<u8>| inflated(frame.get(2..)?);
    let seeds: Vec<Vec<u8>> = vectors("", "frame").iter().filter(|frame| frame[1] == 1).filter_map(body).collect();
    fuzz(bolero::check!(), "inflated", seeds, |bytes| {
        let frame = [&[1, 1], &deflated(bytes)[..]].concat();
        open_frame::<Response>(&frame).is_ok() || open_frame::<Signed>(&frame).is_ok()
    });
}

#[test]
fn signed_requests() {
    let key = DeviceKey::from_seed(&[9; 32]);
    fuzz(bolero::check!(), "requests", vectors("request", "payload"), |bytes| {
        let signed: Signed = open_frame(&seal_frame(&key.seal(bytes.to_vec()), Encoding::None)).unwrap();
        assert!(key.public().verify_request(&signed).is_ok());
        signed.open::<Request>().is_ok_and(|request| reads_again(&request))
    });
}

#[test]
fn responses() {
    fuzz(bolero::check!(), "responses", vectors("response", "payload"), accepts::<Response>);
}

#[test]
fn enrolments() {
    fuzz(bolero::check!(), "enrol-requests", vectors("enrol-request", "payload"), accepts::<EnrolRequest>);
    fuzz(bolero::check!(), "enrol-responses", vectors("enrol-response", "payload"), accepts::<EnrolResponse>);
}

#[test]
fn mail() {
    let (street, secret) = (StreetId::from_bytes([1; 16]), SealingSecret::derive(&[8; 32]));
    let seal = |frame: &Vec<u8>| Mail::seal(street, secret.public(), frame, &mut SystemEntropy).unwrap().to_bytes();
    fuzz(bolero::check!(), "mail", vectors("request", "frame").iter().map(seal).collect(), |bytes| {
        Mail::from_bytes(bytes).is_ok_and(|mail| {
            assert_eq!(Mail::from_bytes(&mail.to_bytes()), Ok(mail.clone()));
            // What opens was put in by somebody: nothing that was changed does.
            mail.open(&secret).is_ok_and(|frame| open_frame::<Signed>(&frame).is_ok())
        })
    });
}

#[test]
fn invitations() {
    let invitation = |server: &str, code: &str| Invitation { server: server.to_owned(), code: code.to_owned() }.to_string().into_bytes();
    let seeds = vec![invitation("https://doorstep.example.cn", "7K4M-9QXP"), invitation("http://[::1]:8080/窑湾", "a b&c=%")];
    fuzz(bolero::check!(), "invitations", seeds, |bytes| {
        let read = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Invitation>().ok());
        read.is_some_and(|read| {
            let shown = read.to_string();
            // Shown again it may be longer than what is taken: of what is not plain each byte takes three.
            shown.parse::<Invitation>().map_or(shown.len() > bytes.len(), |again| again == read)
        })
    });
}

#[test]
fn directories_and_summaries() {
    fuzz(bolero::check!(), "directories", vectors("directory", "payload"), accepts::<Directory>);
    let keys = Keyring::of(RecordKey::from_bytes(&[0x4b; 32]).unwrap());
    fuzz(bolero::check!(), "summaries", vectors("summaries", "payload"), |row| {
        Summary::from_row(row, &keys)
            .is_ok_and(|summary| Summary::from_row(&summary.to_row(&keys), &keys).is_ok_and(|again| again == summary))
    });
    let place = |visit: &str| Path::Field(Container::Visits, visit.to_owned(), "findings".to_owned());
    let key = keys.openers(DocKind::Household, &place("1"))[0];
    let cut = keys.cut(key, "visits.findings", &place("1"), &[place("1"), place("2"), place("3")]);
    let rings = [keys.clone(), Keyring::erased(), keys.only(DocKind::Household, |field| field == "contact"), cut];
    fuzz(bolero::check!(), "rings", rings.map(|ring| minicbor::to_vec(ring).unwrap()).into(), accepts::<Keyring>);
}

#[test]
fn messages_on_a_live_connection() {
    fuzz(bolero::check!(), "live", vectors("request", "frame"), |bytes| {
        let mut session = Session::new(Pace::default(), Millis(0));
        let mut effects = Vec::new();
        for (time, part) in (0..).zip(bytes.chunks(1 + bytes.len() / 2)) {
            session.handle(Millis(time), Input::Message(part.to_vec()), &mut effects);
        }
        open_frame::<Signed>(bytes).is_ok()
    });
}
