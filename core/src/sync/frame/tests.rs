//! Frames from friends, from strangers and from enemies.

use proptest::prelude::*;

use super::*;
use crate::model::{LedgerId, Millis};
use crate::sync::{Request, Response, Signed, arbitrary};

fn short_message() -> Response {
    Response::nothing(Millis(1_795_449_600_000), LedgerId::from_bytes([3; 16]))
}

fn signed_zeroes(length: usize) -> Signed {
    crate::sync::DeviceKey::from_seed(&[9; 32]).seal(vec![0; length])
}

proptest! {
    #[test]
    fn a_message_comes_out_of_its_frame_whatever_the_encoding(message in arbitrary::response()) {
        for encoding in [Encoding::None, Encoding::Deflate] {
            prop_assert_eq!(open_frame::<Response>(&seal_frame(&message, encoding)), Ok(message.clone()));
        }
    }

    #[test]
    fn a_frame_cut_short_anywhere_is_an_error(payload in proptest::collection::vec(any::<u8>(), 0..40), zeroes in 200usize..400) {
        let payload = [payload, vec![0; zeroes]].concat();
        let message = crate::sync::DeviceKey::from_seed(&[9; 32]).seal(payload);
        for encoding in [Encoding::None, Encoding::Deflate] {
            let frame = seal_frame(&message, encoding);
            prop_assert_eq!(frame[1], encoding.byte());
            for end in 0..frame.len() {
                prop_assert!(open_frame::<Signed>(&frame[..end]).is_err(), "cut at {} of {}", end, frame.len());
            }
        }
    }

    #[test]
    fn random_bytes_are_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), encoding in 0u8..3) {
        let _ = open_frame::<Request>(&bytes);
        let framed = [&[FRAME_VERSION, encoding], bytes.as_slice()].concat();
        prop_assert!(open_frame::<Signed>(&framed).is_err());
    }

    #[test]
    fn a_compressed_frame_with_bytes_changed_is_read_or_refused_but_never_a_panic(
        changes in proptest::collection::vec((2usize..60, any::<u8>()), 1..6),
    ) {
        let mut frame = seal_frame(&signed_zeroes(2_000), Encoding::Deflate);
        let length = frame.len();
        changes.into_iter().for_each(|(at, byte)| frame[at % length] = byte);
        let _ = open_frame::<Signed>(&frame);
    }
}

#[test]
fn a_short_message_is_left_as_it_is_and_a_long_one_is_deflated() {
    assert_eq!(seal_frame(&short_message(), Encoding::Deflate)[..2], [1, 0]);
    let long = seal_frame(&signed_zeroes(10_000), Encoding::Deflate);
    assert_eq!(long[..2], [1, 1]);
    assert!(long.len() < 200);
}

#[test]
fn what_does_not_shrink_is_left_as_it_is() {
    let mut noise = 1u64;
    let payload = (0..1_000).map(|_| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (noise >> 56) as u8
    });
    let frame = seal_frame(&crate::sync::DeviceKey::from_seed(&[9; 32]).seal(payload.collect()), Encoding::Deflate);
    assert_eq!(frame[..2], [1, 0]);
}

#[test]
fn each_way_of_being_no_frame_has_its_error() {
    let body = minicbor::to_vec(short_message()).unwrap();
    let frame = |version: u8, encoding: u8, body: &[u8]| open_frame::<Response>(&[&[version, encoding], body].concat()).unwrap_err();
    assert_eq!(open_frame::<Response>(&[]).unwrap_err(), FrameError::Empty);
    assert_eq!(open_frame::<Response>(&[1]).unwrap_err(), FrameError::Empty);
    assert_eq!(frame(2, 0, &body), FrameError::Version { found: 2 });
    assert_eq!(frame(1, 7, &body), FrameError::Encoding { found: 7 });
    assert_eq!(frame(1, 1, &body), FrameError::Damaged);
    assert_eq!(frame(1, 0, &[&body[..], &[0]].concat()), FrameError::Undecodable { at: body.len() });
    assert_eq!(frame(1, 0, b"<html>"), FrameError::Undecodable { at: 0 });
    assert_eq!(frame(1, 0, &vec![0; MOST_FRAME_BYTES]), FrameError::TooLong);
}

#[test]
fn the_codes_of_frames_are_the_written_ones() {
    let codes = [
        (FrameError::Empty, "frame.empty"),
        (FrameError::TooLong, "frame.too_long"),
        (FrameError::Version { found: 2 }, "frame.version"),
        (FrameError::Encoding { found: 7 }, "frame.encoding"),
        (FrameError::Damaged, "frame.damaged"),
        (FrameError::Undecodable { at: 0 }, "frame.undecodable"),
    ];
    codes.into_iter().for_each(|(error, code)| assert_eq!(error.code(), code));
}

#[test]
fn a_message_of_the_greatest_length_inflates_and_one_byte_more_does_not() {
    let around = minicbor::to_vec(signed_zeroes(1_000_000)).unwrap().len() - 1_000_000;
    let fits = MOST_MESSAGE_BYTES - around;
    assert!(open_frame::<Signed>(&seal_frame(&signed_zeroes(fits), Encoding::Deflate)).is_ok());
    assert_eq!(open_frame::<Signed>(&seal_frame(&signed_zeroes(fits + 1), Encoding::Deflate)), Err(FrameError::TooLong));
}

/// A frame within its limit that inflates to a gigabyte of zeroes: one megabyte, a thousand times over.
fn bomb() -> Vec<u8> {
    let mut megabyte = Vec::with_capacity(4_096);
    Compress::new(Compression::best(), false).compress_vec(&vec![0; 1 << 20], &mut megabyte, FlushCompress::Sync).unwrap();
    let frame = [vec![FRAME_VERSION, 1], megabyte.repeat(1_000)].concat();
    assert!(frame.len() < MOST_FRAME_BYTES && frame.len() > 1_000_000);
    frame
}

/// Bodies of four megabytes that claim more than they hold, or want a stack for what is skipped.
fn hungry_bodies() -> Vec<Vec<u8>> {
    let fill = |head: &[u8], with: &[u8]| [head, &with.repeat((MOST_MESSAGE_BYTES - 16 - head.len()) / with.len())].concat();
    vec![
        fill(&[0xa1, 0x18, 99], &[0x82, 0x9f]),
        fill(&[0xa1, 0x18, 99], &[0x9f]),
        fill(&[0xa1, 0x18, 99], &[0x81]),
        fill(&[], &[0xc1]),
        fill(&[0xa1, 0, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0xa0]),
        fill(&[0xa1, 0, 0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0]),
        fill(&[0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0]),
    ]
}

#[test]
fn a_bomb_is_too_long_and_not_a_gigabyte() {
    assert_eq!(open_frame::<Signed>(&bomb()), Err(FrameError::TooLong));
}

#[test]
fn what_wants_memory_by_its_claims_is_undecodable() {
    for body in hungry_bodies() {
        let frame = [vec![FRAME_VERSION, 1], deflate(&body).unwrap()].concat();
        assert!(matches!(open_frame::<Signed>(&frame), Err(FrameError::Undecodable { .. })), "{:02x?}", &body[..16]);
    }
}

/// The two cases above once more, in a process that may have no more than 96 megabytes.
#[cfg(target_os = "linux")]
#[test]
fn hostile_frames_are_refused_within_96_megabytes() {
    let run = |case: &str| {
        let run = std::process::Command::new("sh")
            .args(["-c", "ulimit -v 98304; exec \"$0\" --exact --test-threads 1 \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(format!("{}::{case}", module_path!().split_once("::").unwrap().1))
            .output()
            .unwrap();
        String::from_utf8_lossy(&run.stdout).into_owned()
    };
    for case in ["a_bomb_is_too_long_and_not_a_gigabyte", "what_wants_memory_by_its_claims_is_undecodable"] {
        let said = run(case);
        assert!(said.contains("1 passed"), "{said}");
    }
}
