//! The close codes are promises.

use super::*;

#[test]
fn the_numbers_and_codes_of_closes_are_the_written_ones() {
    let closes = [
        (Close::Stopping, 1001, "live.stopping"),
        (Close::Resync, 4000, "live.resync"),
        (Close::Unauthorised { code: "hub.unknown_device" }, 4001, "hub.unknown_device"),
        (Close::from(FrameError::Damaged), 4002, "frame.damaged"),
        (Close::Silent, 4003, "live.silent"),
        (Close::NoRequest, 4004, "live.no_request"),
        (Close::AnotherDevice, 4005, "live.another_device"),
        (Close::NotReady { code: "hub.busy" }, 4006, "hub.busy"),
        (Close::TooManyRequests, 4007, "live.too_many_requests"),
    ];
    for (close, number, code) in closes {
        assert_eq!((close.number(), close.code()), (number, code));
        assert!(code.len() <= MOST_REASON_BYTES);
    }
}

#[test]
fn the_page_says_every_close_and_every_time_as_it_is() {
    let page = include_str!("../PROTOCOL.md");
    for (number, code) in [
        (1001, "live.stopping"),
        (4000, "live.resync"),
        (4003, "live.silent"),
        (4004, "live.no_request"),
        (4005, "live.another_device"),
        (4007, "live.too_many_requests"),
    ] {
        assert!(page.contains(&format!("| {number} | `{code}` |")), "{number} {code}");
    }
    assert!(page.contains(&format!("every {} seconds", PING_EVERY / 1_000)));
    assert!(page.contains(&format!("{} seconds without", LONGEST_SILENCE / 1_000)));
}
