//! Values and bytes without a message around them: trees, signatures, times, identities, and frames that are none.

use super::cast::{INCARNATION, MORNING, SEED, Same, actor, device, key};
use super::{Vector, hex, messages};
use crate::model::{ChangeHash, DocId, Hlc, Millis};
use crate::sync::{Leaf, merkle_root, push_message};

pub(super) fn all() -> Vec<Vector> {
    vec![
        ("merkle", merkle()),
        ("push-signature", push_signature()),
        ("hlc", hlc()),
        ("identity", identity()),
        ("refused-frames", refused_frames()),
        ("deflate", deflate()),
    ]
}

fn leaf(n: u8) -> Leaf {
    Leaf { doc: DocId::from_bytes([n; 16]), hash: ChangeHash([n + 100; 32]) }
}

fn merkle() -> String {
    let mut text = String::from("# Leaf n is the document of sixteen bytes n and the change of thirty-two bytes n + 100.\n# leaves root\n");
    for count in 0..=7 {
        let leaves: Vec<Leaf> = (0..count).map(leaf).collect();
        text.push_str(&format!("{count} {}\n", hex(&merkle_root(&leaves))));
    }
    text
}

fn push_signature() -> String {
    let leaves = [leaf(0), leaf(1), leaf(2)];
    let signature = key().sign_push(device(), &leaves);
    let message = push_message(device(), &leaves);
    format!(
        "# A push of the leaves 0, 1 and 2 of merkle.txt.\nseed: {}\npublic-key: {}\ndevice: {}\nroot: {}\nsigned-bytes: {}{}\nsignature: {}\n",
        hex(&SEED),
        hex(&key().public().bytes),
        hex(device().as_bytes()),
        hex(&merkle_root(&leaves)),
        hex(b"doorstep push v1\0"),
        hex(&message),
        hex(&signature.bytes),
    )
}

fn hlc() -> String {
    let mut text = String::from("# milliseconds counter change-time\n");
    let last = (1 << 47) - 1;
    for (millis, counter) in [(0, 0), (0, 1), (1, 0), (MORNING.0, 0), (MORNING.0, 1), (MORNING.0, u16::MAX), (last, u16::MAX)] {
        text.push_str(&format!("{millis} {counter} {}\n", Hlc::new(Millis(millis), counter).as_change_time()));
    }
    text
}

fn identity() -> String {
    let doc = DocId::make(Millis(0x0123_4567_89ab), &mut Same(0xff));
    format!(
        "# An id from a time and ten random bytes; a device's tag; an actor.\n\
         time: {}\nrandom: {}\nid: {}\nid-text: {doc}\n\
         device: {}\ntag: {}\nincarnation: {}\nactor: {}{}\n",
        0x0123_4567_89ab_u64,
        hex(&[0xff; 10]),
        hex(doc.as_bytes()),
        hex(device().as_bytes()),
        hex(&device().tag().0),
        hex(&INCARNATION.0),
        hex(&actor().device.0),
        hex(&actor().incarnation.0),
    )
}

/// A frame without compression around `body`.
fn plain(body: &[u8]) -> Vec<u8> {
    [&[1, 0], body].concat()
}

/// A frame around a payload with a signature of zeroes.
fn around(payload: &[u8]) -> Vec<u8> {
    let signature = crate::sync::Signature { algorithm: 1, bytes: [0; 64] };
    plain(&minicbor::to_vec(crate::sync::Signed { payload: payload.to_vec(), signature }).unwrap())
}

fn refused_frames() -> String {
    let request = messages::nothing_new_payload();
    let signed = around(&request);
    // The map of the request claims one key more or less than it has.
    let head = |byte: u8| [&[byte], &request[1..]].concat();
    let indefinite = [&[0xbf], &request[1..], &[0xff]].concat();
    // The request of a first contact ends with its list of cursors, which is empty.
    let first_contact = messages::first_contact_payload();
    let with_cursors = |cursors: &[u8]| [&first_contact[..first_contact.len() - 1], cursors].concat();
    let frames: Vec<(&str, Vec<u8>, &str)> = vec![
        ("frame.empty", vec![1], "one byte"),
        ("frame.version", plain(&[]).iter().map(|byte| byte + 1).collect(), "another version"),
        ("frame.encoding", vec![1, 9, 0xa0], "an encoding that nobody knows"),
        ("frame.damaged", vec![1, 1, 0xff, 0xff], "no deflate stream"),
        ("frame.damaged", vec![1, 1, 0x62], "a deflate stream that ends too early"),
        ("frame.undecodable", plain(b"<html>"), "the page of a captive portal behind the right two bytes"),
        ("frame.undecodable", plain(&[0xa0]), "a map without its keys"),
        ("frame.undecodable", [signed.as_slice(), &[0]].concat(), "a byte behind the message"),
        ("frame.undecodable", signed[..signed.len() - 1].to_vec(), "a byte too few"),
        ("frame.undecodable", plain(&[0xbf, 0xff]), "a map of indefinite length"),
        (
            "frame.undecodable",
            plain(&[[0xa1, 0x18, 99].as_slice(), &[0x81; 16], &[0x80]].concat()),
            "seventeen levels of arrays under an unknown key",
        ),
        ("frame.undecodable", around(&head(request[0] + 1)), "a request whose map claims a key that is not there"),
        ("frame.undecodable", around(&head(request[0] - 1)), "a request with a key behind its map"),
        ("frame.undecodable", around(&indefinite), "a request of indefinite length"),
        ("frame.undecodable", around(&with_cursors(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), "cursors without end"),
        ("frame.undecodable", around(&with_cursors(&[[0x98, 65].as_slice(), &[0xa0; 65]].concat())), "65 cursors"),
        ("frame.undecodable", around(&with_cursors(&[0x01])), "cursors that are a number"),
    ];
    let mut text = String::from("# code frame what it is\n");
    for (code, frame, about) in frames {
        text.push_str(&format!("{code} {} {about}\n", hex(&frame)));
    }
    text
}

/// A frame that was deflated once. Another deflate may write other bytes for the same message, so the file is kept as it is: what it must
/// do is to open to its payload.
fn deflate() -> String {
    let message = messages::long_response();
    let kept = std::fs::read_to_string(super::folder().join("deflate.txt")).ok();
    let frame = match kept.as_deref().map(super::lines).and_then(|lines| lines.get("frame").map(|frame| super::unhex(frame))) {
        Some(frame) if crate::sync::open_frame(&frame).as_ref() == Ok(&message) => frame,
        _ => crate::sync::seal_frame(&message, crate::sync::Encoding::Deflate),
    };
    assert_eq!(frame[..2], [1, 1]);
    format!(
        "about: A response that is long enough to be worth compressing. Another writer may compress it to other bytes.\n\
         message: Response\nframe: {}\npayload: {}\n",
        hex(&frame),
        hex(&minicbor::to_vec(&message).unwrap()),
    )
}
