//! The phone's side of a live connection: when to open it, when to ask, what to take, when to give it up.
//!
//! It is laid over the phone's one [`Session`], which decides when a request is due, how long an answer may take and how long to wait after a
//! failure; so a sync over HTTP and a live connection can never run into each other, and the waits are the same. What is added here: the
//! connection stays open between requests, a silence longer than [`LONGEST_SILENCE`] is a failure, and what the server pushes is taken while
//! nothing is under way.

use crate::model::{Entropy, Millis};
use crate::sync::client::{self, Session, SyncFailure, is_over};
use crate::sync::live::{LONGEST_SILENCE, MOST_REASON_BYTES};
use crate::sync::{MOST_CODE_BYTES, Response, open_frame};

/// What the driver tells the machine.
#[derive(Debug)]
pub enum Input {
    /// Be connected, and send what waits.
    Start,
    /// Something was recorded. While the line is down that changes nothing: the next attempt sends it.
    Recorded,
    /// The request that [`Effect::Compose`] asked for.
    Composed(Vec<u8>),
    /// The request could not be composed, or the answer or the pushed message not applied.
    Failed(SyncFailure),
    /// The answer is applied and durable.
    Applied {
        /// Whether to ask again at once.
        more: bool,
    },
    /// The pushed message is applied and durable.
    Taken {
        /// Whether to ask now: it did not fit, was cut, or something waits to be sent.
        more: bool,
    },
    /// A binary message came.
    Message(Vec<u8>),
    /// Something else came that shows that the server is there: a ping, a pong.
    Heard,
    /// The connection is gone or was never had; nothing of [`Effect::Open`] and what followed it holds.
    Lost(SyncFailure),
    /// The time that [`Line::wakeup`] named has come.
    Tick,
}

/// What the driver must do, in this order. Where one fails, what follows it in the list is dropped.
#[derive(Debug)]
pub enum Effect {
    /// Write a request of cursors and outbox.
    Compose,
    /// Open a connection.
    Open,
    /// Send this frame over it.
    Send(Vec<u8>),
    /// Apply the answer.
    Apply(Box<Response>),
    /// Apply the pushed message.
    Take(Box<Response>),
    /// Drop the connection.
    HangUp,
    /// Everything is exchanged; the connection stays.
    Finished {
        /// How many round trips it took.
        round_trips: u32,
    },
    /// It failed; the next attempt is due at [`Line::wakeup`].
    GaveUp(SyncFailure),
}

/// The line of one phone: closed, or open with the time at which something was last heard.
#[derive(Debug, Default)]
pub struct Line {
    heard: Option<Millis>,
}

impl Line {
    /// Whether there is a connection.
    pub const fn is_open(&self) -> bool {
        self.heard.is_some()
    }

    /// When to call again with [`Input::Tick`].
    pub fn wakeup(&self, session: &Session) -> Option<Millis> {
        let silent = self.heard.map(|heard| heard.plus(LONGEST_SILENCE));
        silent.into_iter().chain(session.wakeup()).min()
    }

    /// The connection is given up by its owner: nothing is wanted of it any more.
    pub fn hang_up(&mut self) {
        self.heard = None;
    }

    /// Takes one input and appends what must be done to `out`. Never blocks, never reads a clock. What does not fit the state is ignored.
    pub fn handle(&mut self, now: Millis, input: Input, session: &mut Session, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        let input = match input {
            Input::Recorded if !session.is_busy() && session.wakeup().is_some() => return,
            Input::Start | Input::Recorded => client::Input::Start,
            Input::Composed(frame) => client::Input::Composed(frame),
            Input::Failed(failure) => client::Input::Lost(failure),
            Input::Applied { more } => client::Input::Applied { more },
            Input::Taken { more: true } => client::Input::Start,
            Input::Taken { more: false } => return,
            Input::Message(frame) => match self.message(now, &frame, session.is_busy(), out) {
                Some(input) => input,
                None => return,
            },
            Input::Heard => {
                self.heard = self.heard.map(|_| now);
                return;
            }
            Input::Lost(failure) => {
                self.heard = None;
                client::Input::Lost(failure)
            }
            Input::Tick if self.is_silent(now) => client::Input::Lost(SyncFailure::TimedOut),
            Input::Tick => client::Input::Tick,
        };
        let mut effects = Vec::new();
        session.handle(now, input, entropy, &mut effects);
        effects.into_iter().for_each(|effect| self.perform(now, effect, out));
    }

    fn is_silent(&self, now: Millis) -> bool {
        self.heard.is_some_and(|heard| is_over(now, heard.plus(LONGEST_SILENCE), LONGEST_SILENCE))
    }

    /// An answer goes to the session; a pushed message is taken if nothing is under way, else the answer brings what it holds.
    fn message(&mut self, now: Millis, frame: &[u8], is_busy: bool, out: &mut Vec<Effect>) -> Option<client::Input> {
        self.heard?;
        self.heard = Some(now);
        match open_frame::<Response>(frame) {
            Ok(response) if response.pushed == Some(true) => {
                if !is_busy {
                    out.push(Effect::Take(Box::new(response)));
                }
                None
            }
            Ok(response) if is_busy => Some(client::Input::Response(Box::new(response))),
            Ok(_) => Some(client::Input::Lost(SyncFailure::Unfit { what: "an answer came that nobody asked for" })),
            Err(error) => Some(client::Input::Lost(error.into())),
        }
    }

    fn perform(&mut self, now: Millis, effect: client::Effect, out: &mut Vec<Effect>) {
        match effect {
            client::Effect::Compose => out.push(Effect::Compose),
            client::Effect::Send(frame) => {
                if self.heard.is_none() {
                    self.heard = Some(now);
                    out.push(Effect::Open);
                }
                out.push(Effect::Send(frame));
            }
            client::Effect::Apply(response) => out.push(Effect::Apply(response)),
            client::Effect::Finished { round_trips } => out.push(Effect::Finished { round_trips }),
            client::Effect::GaveUp(failure) => {
                if self.heard.take().is_some() {
                    out.push(Effect::HangUp);
                }
                out.push(Effect::GaveUp(failure));
            }
        }
    }
}

/// What the server's close means to the phone. The reason is the server's text: it is taken only if it looks like a code.
pub fn closed(number: u16, reason: &str) -> SyncFailure {
    let is_code = (1..=MOST_CODE_BYTES.min(MOST_REASON_BYTES)).contains(&reason.len())
        && reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_');
    match number {
        4001 | 4002 | 4005 | 4007 if is_code => SyncFailure::Rejected { code: reason.to_owned() },
        1001 | 4006 => SyncFailure::NotReady { status: 503 },
        _ => SyncFailure::Unreachable,
    }
}

#[cfg(test)]
mod tests;
