//! The phone's side of a sync: when to send, what to wait for, when to try again.
//!
//! The machine decides; whoever drives it performs its effects in order and tells it what came of them. The timer of the next attempt is
//! part of it, so that a queue can never stick without somebody noticing: [`Session::wakeup`] is `None` only when nothing is to be done.

use crate::model::{Entropy, Millis};
use crate::sync::{FrameError, Response, open_frame};

/// The first wait after a failure, in milliseconds; it doubles with each further one.
pub const FIRST_RETRY: i64 = 1_000;
/// The longest wait between attempts, in milliseconds: a worker who comes out of a cellar should not wait longer than five minutes.
pub const LONGEST_RETRY: i64 = 300_000;
/// How long an answer may take, in milliseconds, before the attempt counts as failed.
pub const ANSWER_DEADLINE: i64 = 30_000;

/// How long composing a request or applying an answer may take, in milliseconds. Both are seconds at the most on a slow phone: who has not said by
/// then what came of it is gone (a thread that panicked, an app that was cut), and the session goes on without it.
pub const STEP_DEADLINE: i64 = 120_000;

/// Why an attempt failed. All of them are tried again later; none leaves anything half applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncFailure {
    /// No connection, or it broke.
    #[error("the server was not reached")]
    Unreachable,
    /// Nothing came for too long.
    #[error("the server did not answer in time")]
    TimedOut,
    /// Somebody else answered: a captive portal, a proxy's error page.
    #[error("what answered is not the server (HTTP status {status})")]
    NotTheServer {
        /// The status that came.
        status: u16,
    },
    /// The answer does not decode.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The server is there and said no; the code says why.
    #[error("the server refused the request: {code}")]
    Rejected {
        /// The code of its problem.
        code: String,
    },
    /// The server is there and cannot serve now.
    #[error("the server is not ready (HTTP status {status})")]
    NotReady {
        /// The status that came.
        status: u16,
    },
    /// The phone's own store did not take the answer.
    #[error("the phone's store failed: {code}")]
    Store {
        /// The code of the store's error.
        code: &'static str,
    },
    /// Whoever ran the sync did not go on with it.
    #[error("the sync was not gone on with")]
    Abandoned,
    /// The server's answer does not fit the protocol: verdicts of other groups, a document that does not load.
    #[error("the answer does not fit: {what}")]
    Unfit {
        /// What does not fit.
        what: &'static str,
    },
}

impl SyncFailure {
    /// The code in the status and in the apps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "sync.unreachable",
            Self::TimedOut => "sync.timed_out",
            Self::NotTheServer { .. } => "sync.not_the_server",
            Self::Frame(error) => error.code(),
            Self::Rejected { .. } => "sync.rejected",
            Self::NotReady { .. } => "sync.not_ready",
            Self::Store { .. } => "sync.store",
            Self::Abandoned => "sync.abandoned",
            Self::Unfit { .. } => "sync.unfit",
        }
    }
}

/// What the driver tells the machine.
#[derive(Debug)]
pub enum Input {
    /// Somebody wants a sync now.
    Start,
    /// The request that [`Effect::Compose`] asked for, signed and packed.
    Composed(Vec<u8>),
    /// The frame that came back.
    Answer(Vec<u8>),
    /// The same, opened already.
    Response(Box<Response>),
    /// The line broke on which the server would have said what is new. Counts as a failure also while nothing is under way.
    Lost(SyncFailure),
    /// The attempt failed on the way, or the request could not be composed, or the answer not applied.
    Failed(SyncFailure),
    /// The answer is applied and durable.
    Applied {
        /// Whether the answer was cut, or the outbox holds more that can be sent.
        more: bool,
    },
    /// The time that [`Session::wakeup`] named has come.
    Tick,
}

/// What the driver must do, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Write a request of cursors and outbox.
    Compose,
    /// Send it.
    Send(Vec<u8>),
    /// Apply the answer: durably, wholly or not at all.
    Apply(Box<Response>),
    /// Everything is exchanged.
    Finished {
        /// How many round trips it took.
        round_trips: u32,
    },
    /// It failed; the next attempt is due at [`Session::wakeup`].
    GaveUp(SyncFailure),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Composing { until: Millis },
    Waiting { until: Millis },
    Applying { until: Millis },
    BackingOff { until: Millis },
}

/// The machine: one for each phone's store.
#[derive(Debug)]
pub struct Session {
    state: State,
    attempts: u32,
    round_trips: u32,
    /// Somebody wanted a sync while one was under way, whose request was perhaps written before what they want sent.
    again: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self { state: State::Idle, attempts: 0, round_trips: 0, again: false }
    }
}

impl Session {
    /// Goes on where an earlier one had come that failed so often in a row, and was to try again at a time: by a clock that may have been set since.
    pub fn resume(now: Millis, attempts: u32, next_attempt: Option<Millis>) -> Self {
        let state = next_attempt
            .map_or(State::Idle, |until| State::BackingOff { until: if is_over(now, until, LONGEST_RETRY) { now } else { until } });
        Self { state, attempts, ..Self::default() }
    }

    /// When to call again with [`Input::Tick`]; may change with every call of [`Session::handle`].
    pub const fn wakeup(&self) -> Option<Millis> {
        match self.state {
            State::Composing { until } | State::Waiting { until } | State::Applying { until } | State::BackingOff { until } => Some(until),
            State::Idle => None,
        }
    }

    /// How many attempts have failed since the last success.
    pub const fn failed_attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether an exchange is under way.
    pub const fn is_busy(&self) -> bool {
        matches!(self.state, State::Composing { .. } | State::Waiting { .. } | State::Applying { .. })
    }

    /// Takes one input and appends what must be done to `out`. Never blocks, never reads a clock. Inputs that do not fit the state (an
    /// answer that comes after its deadline) are ignored: the cursor and the outbox repair what they would have done. Only [`Input::Start`] is
    /// never lost: one that comes while an exchange is under way is followed by another exchange.
    pub fn handle(&mut self, now: Millis, input: Input, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        match (self.state, input) {
            (State::Idle | State::BackingOff { .. }, Input::Start) => self.begin(now, out),
            (_, Input::Start) if self.is_abandoned(now) => {
                self.attempts = self.attempts.saturating_add(1);
                self.begin(now, out);
            }
            (_, Input::Start) => self.again = true,
            (State::BackingOff { until }, Input::Tick) if is_over(now, until, LONGEST_RETRY) => self.begin(now, out),
            (State::Composing { .. } | State::Applying { .. }, Input::Tick) if self.is_abandoned(now) => {
                self.fail(now, SyncFailure::Abandoned, entropy, out);
            }
            (State::Composing { .. }, Input::Composed(frame)) => {
                self.state = State::Waiting { until: now.plus(ANSWER_DEADLINE) };
                out.push(Effect::Send(frame));
            }
            (State::Waiting { .. }, Input::Answer(frame)) => match open_frame::<Response>(&frame) {
                Ok(response) => self.apply(now, Box::new(response), out),
                Err(error) => self.fail(now, error.into(), entropy, out),
            },
            (State::Waiting { .. }, Input::Response(response)) => self.apply(now, response, out),
            (State::Waiting { until }, Input::Tick) if is_over(now, until, ANSWER_DEADLINE) => {
                self.fail(now, SyncFailure::TimedOut, entropy, out);
            }
            (State::Composing { .. } | State::Waiting { .. } | State::Applying { .. }, Input::Failed(failure) | Input::Lost(failure))
            | (State::Idle, Input::Lost(failure)) => self.fail(now, failure, entropy, out),
            (State::Applying { .. }, Input::Applied { more }) => {
                self.attempts = 0;
                if more || self.again {
                    self.compose(now, out);
                } else {
                    self.state = State::Idle;
                    out.push(Effect::Finished { round_trips: self.round_trips });
                }
            }
            _ => {}
        }
    }

    /// Whether what is under way should have come to its end long ago.
    const fn is_abandoned(&self, now: Millis) -> bool {
        match self.state {
            State::Composing { until } | State::Applying { until } => is_over(now, until, STEP_DEADLINE),
            State::Waiting { until } => is_over(now, until, ANSWER_DEADLINE),
            State::Idle | State::BackingOff { .. } => false,
        }
    }

    fn begin(&mut self, now: Millis, out: &mut Vec<Effect>) {
        self.round_trips = 0;
        self.compose(now, out);
    }

    fn compose(&mut self, now: Millis, out: &mut Vec<Effect>) {
        self.again = false;
        self.state = State::Composing { until: now.plus(STEP_DEADLINE) };
        out.push(Effect::Compose);
    }

    fn apply(&mut self, now: Millis, response: Box<Response>, out: &mut Vec<Effect>) {
        self.state = State::Applying { until: now.plus(STEP_DEADLINE) };
        self.round_trips += 1;
        out.push(Effect::Apply(response));
    }

    fn fail(&mut self, now: Millis, failure: SyncFailure, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        self.attempts = self.attempts.saturating_add(1);
        self.state = State::BackingOff { until: now.plus(retry_after(self.attempts, entropy)) };
        out.push(Effect::GaveUp(failure));
    }
}

/// Whether a wait until `until` is over. One that seems to take longer than any of its kind began before the clock was set back: nobody waits
/// until the clock has come there again.
pub(super) const fn is_over(now: Millis, until: Millis, longest: i64) -> bool {
    now.0 >= until.0 || until.since(now) > longest
}

/// How long to wait after the `attempts`th failure in a row: doubling up to [`LONGEST_RETRY`], of which between half and all is taken, so
/// that forty phones whose server went away do not come back in the same second.
pub fn retry_after(attempts: u32, entropy: &mut dyn Entropy) -> i64 {
    let longest = FIRST_RETRY.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(LONGEST_RETRY);
    let mut random = [0; 2];
    entropy.fill(&mut random);
    longest / 2 + longest / 2 * i64::from(u16::from_be_bytes(random)) / i64::from(u16::MAX)
}

#[cfg(test)]
mod tests;
