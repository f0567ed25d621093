//! The server's side of a live connection, without a socket and without a clock.

use proptest::prelude::*;

use super::*;
use crate::model::{Incarnation, LedgerId};
use crate::sync::{List, Request};

const DEVICE: DeviceId = DeviceId::from_bytes([1; 16]);

fn pace() -> Pace {
    Pace { most_queued: 2, ..Pace::default() }
}

fn standing(more: bool) -> Box<Standing> {
    let request = Request {
        protocol: 1,
        device: DEVICE,
        incarnation: Incarnation([2; 8]),
        sent_at: Millis(0),
        ledger: Some(LedgerId::from_bytes([3; 16])),
        cursors: List::default(),
        push: None,
        offers: None,
        relays: None,
        inbox: None,
        decisions: None,
        signs_out: None,
        keys: None,
        fresh: None,
    };
    Box::new(Standing { request, more })
}

fn served(more: bool) -> Input {
    Input::Served { device: DEVICE, frame: vec![8], standing: standing(more) }
}

fn read_on(frame: Option<Vec<u8>>) -> Input {
    Input::ReadOn { frame, standing: standing(false) }
}

fn feed(session: &mut Session, now: i64, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    session.handle(Millis(now), input, &mut out);
    out
}

/// A session whose first request was answered and whose answer has left.
fn open() -> Session {
    let mut session = Session::new(pace(), Millis(0));
    assert_eq!(feed(&mut session, 0, Input::Message(vec![1])), [Effect::Serve(vec![1], None)]);
    assert_eq!(feed(&mut session, 0, served(false)), [Effect::Send(vec![8])]);
    assert!(feed(&mut session, 0, Input::Sent).is_empty());
    session
}

#[test]
fn what_moved_is_read_and_pushed_and_what_did_not_is_not() {
    let mut session = open();
    assert_eq!(feed(&mut session, 1, Input::Moved), [Effect::ReadOn(standing(false))]);
    assert_eq!(feed(&mut session, 2, read_on(Some(vec![9]))), [Effect::Send(vec![9])]);
    assert_eq!(feed(&mut session, 3, Input::Moved), [Effect::ReadOn(standing(false))]);
    assert!(feed(&mut session, 4, read_on(None)).is_empty());
}

#[test]
fn what_moves_while_it_reads_is_read_once_more() {
    let mut session = open();
    feed(&mut session, 1, Input::Moved);
    assert!(feed(&mut session, 2, Input::Moved).is_empty());
    assert!(feed(&mut session, 2, Input::Moved).is_empty());
    assert_eq!(feed(&mut session, 3, read_on(None)), [Effect::ReadOn(standing(false))]);
    assert!(feed(&mut session, 4, read_on(None)).is_empty());
}

#[test]
fn what_moves_before_the_first_answer_is_read_after_it() {
    let mut session = Session::new(pace(), Millis(0));
    assert!(feed(&mut session, 0, Input::Moved).is_empty());
    feed(&mut session, 0, Input::Message(vec![1]));
    assert_eq!(feed(&mut session, 1, served(false)), [Effect::Send(vec![8]), Effect::ReadOn(standing(false))]);
}

#[test]
fn while_there_is_more_to_come_nothing_is_pushed_until_the_phone_has_asked() {
    let mut session = Session::new(pace(), Millis(0));
    feed(&mut session, 0, Input::Message(vec![1]));
    feed(&mut session, 0, served(true));
    feed(&mut session, 0, Input::Sent);
    assert!(feed(&mut session, 1, Input::Moved).is_empty());
    assert_eq!(feed(&mut session, 2, Input::Message(vec![2])), [Effect::Serve(vec![2], Some(DEVICE))]);
    assert_eq!(feed(&mut session, 3, served(false)), [Effect::Send(vec![8]), Effect::ReadOn(standing(false))]);
}

#[test]
fn a_request_that_comes_while_the_hub_works_waits_and_a_second_one_is_too_many() {
    let mut session = open();
    feed(&mut session, 1, Input::Moved);
    assert!(feed(&mut session, 2, Input::Message(vec![2])).is_empty());
    assert_eq!(feed(&mut session, 3, read_on(Some(vec![9]))), [Effect::Send(vec![9]), Effect::Serve(vec![2], Some(DEVICE))]);
    assert!(feed(&mut session, 4, Input::Message(vec![3])).is_empty());
    assert_eq!(feed(&mut session, 5, Input::Message(vec![4])), [Effect::Close(Close::TooManyRequests)]);
}

#[test]
fn a_queue_that_is_full_when_something_moves_is_a_resync() {
    let mut session = open();
    for _ in 0..2 {
        feed(&mut session, 1, Input::Moved);
        feed(&mut session, 1, read_on(Some(vec![9])));
    }
    assert_eq!(feed(&mut session, 2, Input::Moved), [Effect::Close(Close::Resync)]);
    assert!(feed(&mut session, 3, Input::Message(vec![1])).is_empty(), "closed is closed");
    assert_eq!(session.wakeup(), None);
}

#[test]
fn a_queue_that_drains_in_time_is_none() {
    let mut session = open();
    for _ in 0..20 {
        assert_eq!(feed(&mut session, 1, Input::Moved).len(), 1);
        feed(&mut session, 1, read_on(Some(vec![9])));
        assert!(feed(&mut session, 1, Input::Sent).is_empty());
    }
}

#[test]
fn bytes_count_as_well_as_messages() {
    let mut session = Session::new(Pace { most_queued_bytes: 10, ..Pace::default() }, Millis(0));
    feed(&mut session, 0, Input::Message(vec![1]));
    feed(&mut session, 0, Input::Served { device: DEVICE, frame: vec![0; 10], standing: standing(false) });
    assert_eq!(feed(&mut session, 1, Input::Message(vec![2])), [Effect::Close(Close::Resync)]);
}

#[test]
fn who_says_nothing_at_the_beginning_is_closed_and_a_slow_hub_is_not_the_phones_fault() {
    let mut session = Session::new(pace(), Millis(0));
    assert_eq!(session.wakeup(), Some(Millis(FIRST_REQUEST)));
    assert!(feed(&mut session, FIRST_REQUEST - 1, Input::Tick).is_empty());
    assert_eq!(feed(&mut session, FIRST_REQUEST, Input::Tick), [Effect::Close(Close::NoRequest)]);
    let mut session = Session::new(pace(), Millis(0));
    feed(&mut session, 1, Input::Message(vec![1]));
    assert!(feed(&mut session, FIRST_REQUEST, Input::Tick).is_empty());
}

#[test]
fn a_ping_goes_out_at_its_time_with_a_look_at_the_feed_and_silence_ends_it() {
    let mut session = open();
    assert_eq!(session.wakeup(), Some(Millis(PING_EVERY)));
    assert_eq!(feed(&mut session, PING_EVERY, Input::Tick), [Effect::Ping, Effect::ReadOn(standing(false))]);
    feed(&mut session, PING_EVERY, read_on(None));
    feed(&mut session, PING_EVERY + 100, Input::Heard);
    assert_eq!(feed(&mut session, 2 * PING_EVERY, Input::Tick).first(), Some(&Effect::Ping));
    feed(&mut session, 2 * PING_EVERY, read_on(None));
    feed(&mut session, 3 * PING_EVERY, Input::Tick);
    let silent = PING_EVERY + 100 + LONGEST_SILENCE;
    assert_eq!(session.wakeup(), Some(Millis(silent)));
    assert_eq!(feed(&mut session, silent, Input::Tick), [Effect::Close(Close::Silent)]);
}

#[test]
fn a_refusal_of_the_hub_and_a_stop_close_with_their_reasons() {
    let unknown = Close::Unauthorised { code: "hub.unknown_device" };
    assert_eq!(feed(&mut open(), 1, Input::Refused(unknown)), [Effect::Close(unknown)]);
    assert_eq!(feed(&mut open(), 1, Input::Stop), [Effect::Close(Close::Stopping)]);
    let text = Close::Frame { code: "frame.undecodable" };
    assert_eq!(feed(&mut Session::new(pace(), Millis(0)), 1, Input::Unreadable(text)), [Effect::Close(text)]);
}

proptest! {
    /// Whatever comes: one call of the hub at a time, never more in the queue than its bound and one answer, and what moved is read in the end.
    #[test]
    fn what_moved_is_read_in_the_end(steps in proptest::collection::vec(0u8..5, 0..60)) {
        let mut session = open();
        let (mut working, mut queued, mut unread) = (None, 0_usize, false);
        let mut now = 0;
        for step in steps.into_iter().chain([9; 12]) {
            now += 10;
            let input = match (step, working.take()) {
                (0, kept) => { working = kept; unread = true; Input::Moved }
                (1, kept) => { working = kept; Input::Message(vec![2]) }
                (2, kept) if queued > 0 => { working = kept; queued -= 1; Input::Sent }
                (_, Some(true)) => served(false),
                (_, Some(false)) => read_on(Some(vec![9])),
                (_, None) if queued > 0 => { queued -= 1; Input::Sent }
                (_, None) => Input::Heard,
            };
            for effect in feed(&mut session, now, input) {
                match effect {
                    Effect::Serve(..) => { prop_assert!(working.is_none()); working = Some(true); }
                    Effect::ReadOn(_) => { prop_assert!(working.is_none()); working = Some(false); unread = false; }
                    Effect::Send(_) => { queued += 1; prop_assert!(queued <= 3); }
                    Effect::Ping => {}
                    Effect::Close(close) => {
                        prop_assert!(matches!(close, Close::Resync | Close::TooManyRequests));
                        return Ok(());
                    }
                }
            }
        }
        prop_assert!(!unread);
    }
}
