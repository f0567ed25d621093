//! The phone's side of a live connection, without a socket and without a clock.

use super::*;
use crate::model::LedgerId;
use crate::sync::client::FIRST_RETRY;
use crate::sync::{Encoding, seal_frame};

struct Fixed;
impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(255);
    }
}

#[derive(Default)]
struct Phone {
    line: Line,
    session: Session,
}

impl Phone {
    fn feed(&mut self, now: i64, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        self.line.handle(Millis(now), input, &mut self.session, &mut Fixed, &mut out);
        out
    }

    fn wakeup(&self) -> Option<Millis> {
        self.line.wakeup(&self.session)
    }

    /// Connected, and everything exchanged.
    fn open() -> Self {
        let mut phone = Self::default();
        assert!(matches!(phone.feed(0, Input::Start)[..], [Effect::Compose]));
        assert!(matches!(phone.feed(0, Input::Composed(vec![7]))[..], [Effect::Open, Effect::Send(_)]));
        assert!(matches!(phone.feed(0, message(None))[..], [Effect::Apply(_)]));
        assert!(matches!(phone.feed(0, Input::Applied { more: false })[..], [Effect::Finished { round_trips: 1 }]));
        phone
    }
}

fn message(pushed: Option<bool>) -> Input {
    let response = Response { pushed, ..Response::nothing(Millis(0), LedgerId::from_bytes([3; 16])) };
    Input::Message(seal_frame(&response, Encoding::None))
}

#[test]
fn what_is_recorded_goes_out_on_the_connection_that_there_is() {
    let mut phone = Phone::open();
    assert!(matches!(phone.feed(5, Input::Recorded)[..], [Effect::Compose]));
    assert!(matches!(phone.feed(5, Input::Composed(vec![7]))[..], [Effect::Send(_)]), "it is open already");
}

#[test]
fn what_is_pushed_is_taken_while_nothing_is_under_way() {
    let mut phone = Phone::open();
    assert!(matches!(phone.feed(5, message(Some(true)))[..], [Effect::Take(_)]));
    assert!(phone.feed(5, Input::Taken { more: false }).is_empty());
    assert!(matches!(phone.feed(6, Input::Taken { more: true })[..], [Effect::Compose]), "a part that does not fit is asked for");
}

#[test]
fn what_is_pushed_while_a_request_is_under_way_is_left_and_is_no_answer() {
    let mut phone = Phone::open();
    phone.feed(5, Input::Recorded);
    assert!(phone.feed(5, message(Some(true))).is_empty());
    phone.feed(5, Input::Composed(vec![7]));
    assert!(phone.feed(6, message(Some(true))).is_empty());
    assert!(matches!(phone.feed(7, message(None))[..], [Effect::Apply(_)]));
    assert!(phone.feed(7, message(Some(true))).is_empty(), "while the answer is being applied as well");
}

#[test]
fn what_is_recorded_while_a_request_is_under_way_goes_out_after_it() {
    let mut phone = Phone::open();
    phone.feed(5, Input::Recorded);
    phone.feed(5, Input::Composed(vec![7]));
    assert!(phone.feed(5, Input::Recorded).is_empty());
    phone.feed(6, message(None));
    assert!(matches!(phone.feed(6, Input::Applied { more: false })[..], [Effect::Compose]));
}

#[test]
fn an_answer_that_nobody_asked_for_and_bytes_that_are_none_end_the_connection() {
    let answers = [message(None), Input::Message(b"<html>".to_vec()), Input::Failed(SyncFailure::Store { code: "store.full" })];
    for input in answers {
        let mut phone = Phone::open();
        assert!(matches!(phone.feed(5, input)[..], [Effect::HangUp, Effect::GaveUp(_)]));
        assert!(!phone.line.is_open());
        assert!(phone.feed(6, message(Some(true))).is_empty(), "what was still on its way is nothing any more");
    }
}

#[test]
fn silence_is_noticed_and_a_ping_is_none() {
    let mut phone = Phone::open();
    assert_eq!(phone.wakeup(), Some(Millis(LONGEST_SILENCE)));
    assert!(phone.feed(25_000, Input::Heard).is_empty());
    assert!(phone.feed(LONGEST_SILENCE, Input::Tick).is_empty());
    let silent = 25_000 + LONGEST_SILENCE;
    assert_eq!(phone.wakeup(), Some(Millis(silent)));
    assert!(matches!(phone.feed(silent, Input::Tick)[..], [Effect::HangUp, Effect::GaveUp(SyncFailure::TimedOut)]));
    assert_eq!(phone.wakeup(), Some(Millis(silent + FIRST_RETRY)));
}

#[test]
fn a_clock_that_was_set_back_by_a_year_does_not_hide_a_silence() {
    let year = 365 * 86_400_000;
    let mut phone = Phone::open();
    phone.feed(year, Input::Heard);
    assert!(matches!(phone.feed(0, Input::Tick)[..], [Effect::HangUp, Effect::GaveUp(SyncFailure::TimedOut)]));
}

#[test]
fn a_connection_that_is_lost_is_opened_again_after_a_growing_wait() {
    let mut phone = Phone::open();
    assert!(matches!(phone.feed(0, Input::Lost(closed(1001, "live.stopping")))[..], [Effect::GaveUp(SyncFailure::NotReady { .. })]));
    let mut now = 0;
    for wait in [1_000, 2_000, 4_000] {
        assert_eq!(phone.wakeup(), Some(Millis(now + wait)));
        assert!(phone.feed(now + 1, Input::Recorded).is_empty(), "the next attempt sends it");
        now += wait;
        assert!(matches!(phone.feed(now, Input::Tick)[..], [Effect::Compose]));
        assert!(matches!(phone.feed(now, Input::Composed(vec![7]))[..], [Effect::Open, Effect::Send(_)]));
        assert!(matches!(phone.feed(now, Input::Lost(SyncFailure::Unreachable))[..], [Effect::GaveUp(SyncFailure::Unreachable)]));
    }
}

#[test]
fn what_a_close_means_is_read_from_its_number_and_its_reason_only_where_that_is_a_code() {
    assert_eq!(closed(4001, "hub.unknown_device"), SyncFailure::Rejected { code: "hub.unknown_device".to_owned() });
    assert_eq!(closed(4002, "frame.too_long"), SyncFailure::Rejected { code: "frame.too_long".to_owned() });
    assert_eq!(closed(4001, "Please log in"), SyncFailure::Unreachable);
    assert_eq!(closed(4001, &"a".repeat(100)), SyncFailure::Unreachable);
    assert_eq!(closed(4006, "hub.busy"), SyncFailure::NotReady { status: 503 });
    for number in [1000, 1005, 1006, 4000, 4003, 4004, 4999] {
        assert_eq!(closed(number, "live.resync"), SyncFailure::Unreachable);
    }
}
