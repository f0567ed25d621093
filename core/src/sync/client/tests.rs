//! The phone's machine: it never sticks, and takes nothing for an answer that is none.

use proptest::prelude::*;

use super::*;
use crate::model::LedgerId;
use crate::sync::{Encoding, seal_frame};

struct Fixed(u8);
impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn feed(session: &mut Session, now: i64, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    session.handle(Millis(now), input, &mut Fixed(255), &mut out);
    out
}

#[test]
fn a_server_that_stays_silent_is_tried_again_at_growing_intervals() {
    let mut session = Session::default();
    let mut waits = Vec::new();
    let mut now = 0;
    for _ in 0..12 {
        feed(&mut session, now, if now == 0 { Input::Start } else { Input::Tick });
        feed(&mut session, now, Input::Composed(vec![]));
        now = session.wakeup().unwrap().0;
        assert!(matches!(feed(&mut session, now, Input::Tick)[..], [Effect::GaveUp(SyncFailure::TimedOut)]));
        waits.push(session.wakeup().unwrap().0 - now);
        now = session.wakeup().unwrap().0;
    }
    assert_eq!(waits[..4], [1_000, 2_000, 4_000, 8_000]);
    assert_eq!(*waits.last().unwrap(), LONGEST_RETRY);
}

#[test]
fn an_answer_that_comes_after_its_deadline_is_ignored() {
    let mut session = Session::default();
    feed(&mut session, 0, Input::Start);
    feed(&mut session, 0, Input::Composed(vec![]));
    feed(&mut session, ANSWER_DEADLINE, Input::Tick);
    assert!(feed(&mut session, ANSWER_DEADLINE + 1, Input::Answer(vec![1, 0])).is_empty());
    assert!(session.wakeup().is_some());
}

#[test]
fn a_page_of_a_captive_portal_is_a_failure_and_not_an_answer() {
    let mut session = Session::default();
    feed(&mut session, 0, Input::Start);
    feed(&mut session, 0, Input::Composed(vec![]));
    let out = feed(&mut session, 5, Input::Answer(b"<html>Please log in</html>".to_vec()));
    assert!(matches!(out[..], [Effect::GaveUp(SyncFailure::Frame(FrameError::Version { found: b'<' }))]));
}

fn answer() -> Vec<u8> {
    let response = Response::nothing(Millis(0), LedgerId::from_bytes([3; 16]));
    seal_frame(&response, Encoding::Deflate)
}

/// The inputs that lead a session from rest to the end of one round.
fn steps() -> Vec<Input> {
    vec![Input::Start, Input::Composed(vec![7]), Input::Answer(answer()), Input::Applied { more: false }]
}

fn session_after(count: usize) -> Session {
    let mut session = Session::default();
    steps().into_iter().take(count).for_each(|input| drop(feed(&mut session, 0, input)));
    session
}

#[test]
fn a_round_is_compose_send_apply_finished() {
    let mut session = Session::default();
    let effects: Vec<Effect> = steps().into_iter().flat_map(|input| feed(&mut session, 0, input)).collect();
    let [Effect::Compose, Effect::Send(frame), Effect::Apply(_), Effect::Finished { round_trips: 1 }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*frame, [7]);
    assert_eq!(session.wakeup(), None);
}

#[test]
fn an_answer_that_was_cut_is_followed_by_another_round() {
    let mut session = session_after(3);
    assert!(matches!(feed(&mut session, 0, Input::Applied { more: true })[..], [Effect::Compose]));
    feed(&mut session, 0, Input::Composed(vec![7]));
    feed(&mut session, 0, Input::Answer(answer()));
    assert!(matches!(feed(&mut session, 0, Input::Applied { more: false })[..], [Effect::Finished { round_trips: 2 }]));
}

#[test]
fn what_is_wanted_while_a_sync_is_under_way_is_done_after_it() {
    for moment in 1..4 {
        let mut session = session_after(moment);
        assert!(feed(&mut session, 0, Input::Start).is_empty());
        let rest: Vec<Effect> = steps().into_iter().skip(moment).flat_map(|input| feed(&mut session, 0, input)).collect();
        assert!(matches!(rest.last(), Some(Effect::Compose)), "started again after {moment} steps");
        let second: Vec<Effect> = steps().into_iter().skip(1).flat_map(|input| feed(&mut session, 0, input)).collect();
        assert!(matches!(second.last(), Some(Effect::Finished { .. })), "once more, and not for ever");
    }
}

#[test]
fn a_failure_at_any_moment_of_an_exchange_ends_in_another_attempt() {
    for moment in 1..4 {
        let mut session = session_after(moment);
        assert!(matches!(feed(&mut session, 50, Input::Failed(SyncFailure::Unreachable))[..], [Effect::GaveUp(SyncFailure::Unreachable)]));
        assert_eq!((session.failed_attempts(), session.is_busy()), (1, false));
        let due = session.wakeup().unwrap();
        assert_eq!(due, Millis(50 + FIRST_RETRY));
        assert!(feed(&mut session, due.0 - 1, Input::Tick).is_empty());
        assert!(matches!(feed(&mut session, due.0, Input::Tick)[..], [Effect::Compose]));
    }
}

#[test]
fn a_line_that_breaks_while_nothing_is_under_way_is_tried_again_after_the_first_wait() {
    let mut session = Session::default();
    assert!(feed(&mut session, 50, Input::Failed(SyncFailure::Unreachable)).is_empty());
    assert!(matches!(feed(&mut session, 50, Input::Lost(SyncFailure::TimedOut))[..], [Effect::GaveUp(SyncFailure::TimedOut)]));
    assert_eq!(session.wakeup(), Some(Millis(50 + FIRST_RETRY)));
    assert!(feed(&mut session, 60, Input::Lost(SyncFailure::TimedOut)).is_empty(), "it is known already");
}

#[test]
fn after_a_restart_the_next_attempt_is_when_it_was_to_be_or_at_once_where_the_clock_was_set() {
    let resumed = |now| Session::resume(Millis(now), 3, Some(Millis(10_000))).wakeup();
    assert_eq!(resumed(4_000), Some(Millis(10_000)));
    assert_eq!(resumed(20_000), Some(Millis(20_000)));
    assert_eq!(resumed(10_000 - LONGEST_RETRY - 1), Some(Millis(10_000 - LONGEST_RETRY - 1)));
    assert_eq!(Session::resume(Millis(0), 0, None).wakeup(), None);
}

#[test]
fn a_success_makes_the_next_failure_the_first_again() {
    let mut session = session_after(1);
    feed(&mut session, 0, Input::Failed(SyncFailure::Unreachable));
    feed(&mut session, 0, Input::Start);
    feed(&mut session, 0, Input::Failed(SyncFailure::Unreachable));
    assert_eq!(session.failed_attempts(), 2);
    steps().into_iter().for_each(|input| drop(feed(&mut session, 0, input)));
    assert_eq!(session.failed_attempts(), 0);
}

#[test]
fn the_codes_of_failures_are_the_written_ones() {
    let codes = [
        (SyncFailure::Unreachable, "sync.unreachable"),
        (SyncFailure::TimedOut, "sync.timed_out"),
        (SyncFailure::NotTheServer { status: 200 }, "sync.not_the_server"),
        (SyncFailure::Frame(FrameError::Damaged), "frame.damaged"),
        (SyncFailure::Rejected { code: "hub.unknown_device".into() }, "sync.rejected"),
        (SyncFailure::NotReady { status: 503 }, "sync.not_ready"),
        (SyncFailure::Store { code: "store.full" }, "sync.store"),
        (SyncFailure::Abandoned, "sync.abandoned"),
        (SyncFailure::Unfit { what: "verdicts are missing" }, "sync.unfit"),
    ];
    codes.into_iter().for_each(|(failure, code)| assert_eq!(failure.code(), code));
}

fn any_input() -> impl Strategy<Value = fn() -> Input> {
    prop_oneof![
        Just((|| Input::Start) as fn() -> Input),
        Just((|| Input::Composed(vec![7])) as fn() -> Input),
        Just((|| Input::Answer(answer())) as fn() -> Input),
        Just((|| Input::Answer(b"<html>".to_vec())) as fn() -> Input),
        Just((|| Input::Failed(SyncFailure::Unreachable)) as fn() -> Input),
        Just((|| Input::Lost(SyncFailure::Unreachable)) as fn() -> Input),
        Just((|| Input::Applied { more: true }) as fn() -> Input),
        Just((|| Input::Applied { more: false }) as fn() -> Input),
        Just((|| Input::Tick) as fn() -> Input),
    ]
}

#[test]
fn an_exchange_that_nobody_goes_on_with_is_given_up_when_its_time_is_over() {
    for moment in 1..4 {
        let mut session = session_after(moment);
        let due = session.wakeup().unwrap();
        assert!(feed(&mut session, due.0 - 1, Input::Tick).is_empty());
        assert!(matches!(feed(&mut session, due.0, Input::Tick)[..], [Effect::GaveUp(_)]));
        assert_eq!(session.failed_attempts(), 1);
    }
}

#[test]
fn who_wants_a_sync_gets_one_where_the_driver_of_the_last_has_gone() {
    for moment in 1..4 {
        let mut session = session_after(moment);
        let due = session.wakeup().unwrap();
        assert!(feed(&mut session, due.0 - 1, Input::Start).is_empty());
        assert!(matches!(feed(&mut session, due.0, Input::Start)[..], [Effect::Compose]));
        let rest: Vec<Effect> = steps().into_iter().skip(1).flat_map(|input| feed(&mut session, due.0, input)).collect();
        assert!(matches!(rest.last(), Some(Effect::Finished { .. })));
    }
}

proptest! {
    #[test]
    fn whatever_comes_it_never_sticks(inputs in proptest::collection::vec((any_input(), 0i64..40_000), 0..40), random: u8) {
        let mut session = Session::default();
        let mut now = 0;
        let feed = |session: &mut Session, now: i64, input: Input| {
            let mut out = Vec::new();
            session.handle(Millis(now), input, &mut Fixed(random), &mut out);
            out
        };
        for (input, pause) in inputs {
            now += pause;
            feed(&mut session, now, input());
            // At rest, or with an alarm set: there is nothing else.
            prop_assert!(!session.is_busy() || session.wakeup().is_some());
        }
        // Whatever happened: somebody who wants a sync gets one, though the driver of what is under way never says a word again.
        let mut effects = feed(&mut session, now, Input::Start);
        for _ in 0..3 {
            if effects.iter().any(|effect| matches!(effect, Effect::Compose)) {
                return Ok(());
            }
            let Some(due) = session.wakeup() else { break };
            now = due.0;
            effects = feed(&mut session, now, Input::Tick);
        }
        prop_assert!(effects.iter().any(|effect| matches!(effect, Effect::Compose)));
    }

    #[test]
    fn the_wait_grows_to_its_bound_and_is_spread_over_its_second_half(attempts in 1u32..200, random: u8) {
        let wait = retry_after(attempts, &mut Fixed(random));
        let longest = FIRST_RETRY.saturating_mul(1i64.checked_shl(attempts - 1).unwrap_or(i64::MAX)).min(LONGEST_RETRY);
        prop_assert!(attempts > 40 || (longest / 2..=longest).contains(&wait));
        prop_assert!((FIRST_RETRY / 2..=LONGEST_RETRY).contains(&wait));
    }
}
