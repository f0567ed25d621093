//! The server's side of a live connection: when to serve, when to read on, when to ping, when to close.
//!
//! What is sent has gone through [`crate::sync::server::Exchange`], which holds every message back until the ledger has said that it is
//! durable; this machine sees only finished frames. It reads again when it is told that something moved, which is a hint and no more: what
//! counts is what stands behind the cursors, and at every ping it looks without a hint, for rights that ended by time and for what another
//! process committed.
//!
//! One call of the hub is under way at a time, and at most one request waits behind it. Messages wait for the way out in a queue of the
//! driver's, whose length is counted here: where a phone does not keep up, nothing is dropped one by one, the connection is closed with
//! [`Close::Resync`].

use std::collections::VecDeque;

use crate::model::{DeviceId, Millis};
use crate::sync::client::is_over;
use crate::sync::live::{Close, FIRST_REQUEST, LONGEST_SILENCE, MOST_QUEUED, MOST_QUEUED_BYTES, PING_EVERY};
use crate::sync::server::Standing;

/// The times and bounds of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long the first request may take, in milliseconds.
    pub first_request: i64,
    /// How often a ping is sent, in milliseconds.
    pub ping_every: i64,
    /// After how long without anything the connection is broken, in milliseconds.
    pub longest_silence: i64,
    /// How many messages may wait for the way out.
    pub most_queued: usize,
    /// How many bytes of them.
    pub most_queued_bytes: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_request: FIRST_REQUEST,
            ping_every: PING_EVERY,
            longest_silence: LONGEST_SILENCE,
            most_queued: MOST_QUEUED,
            most_queued_bytes: MOST_QUEUED_BYTES,
        }
    }
}

/// What the driver tells the machine.
#[derive(Debug)]
pub enum Input {
    /// A binary message came.
    Message(Vec<u8>),
    /// Something else came that shows that the phone is there: a ping, a pong.
    Heard,
    /// What came cannot be read: too long, or no binary message.
    Unreadable(Close),
    /// Something may have become durable in the phone's scopes, or its rights may have changed.
    Moved,
    /// The request was served.
    Served {
        /// The device that signed it.
        device: DeviceId,
        /// The answer; everything in it is durable.
        frame: Vec<u8>,
        /// Where the phone stands with it.
        standing: Box<Standing>,
    },
    /// What stands behind the cursors was read: a message to push, all of it durable, or nothing.
    ReadOn {
        /// The message.
        frame: Option<Vec<u8>>,
        /// Where the phone stands with it.
        standing: Box<Standing>,
    },
    /// The hub refused to serve or to read.
    Refused(Close),
    /// The oldest message of the queue has left it.
    Sent,
    /// The time that [`Session::wakeup`] named has come.
    Tick,
    /// The server stops.
    Stop,
}

/// What the driver must do, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Serve this request, if it is of this device (of any, while none is known).
    Serve(Vec<u8>, Option<DeviceId>),
    /// Read on from where the phone stands, and check its rights anew.
    ReadOn(Box<Standing>),
    /// Put this message into the queue.
    Send(Vec<u8>),
    /// Put a ping into the queue; it counts as no message.
    Ping,
    /// Close: what waits in the queue is dropped, unless the reason is [`Close::Stopping`]. Nothing follows.
    Close(Close),
}

#[derive(Debug)]
enum State {
    /// No request has been served.
    Fresh {
        until: Millis,
    },
    /// Where the phone stands; `None` while a reading on from there is under way.
    Open {
        device: DeviceId,
        standing: Option<Box<Standing>>,
    },
    Closed,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    pace: Pace,
    state: State,
    /// A call of the hub is under way.
    working: bool,
    waiting: Option<Vec<u8>>,
    /// Something may have moved since the last reading began.
    moved: bool,
    queued: VecDeque<usize>,
    heard: Millis,
    ping_due: Millis,
}

impl Session {
    /// A connection that was opened just now.
    pub fn new(pace: Pace, now: Millis) -> Self {
        Self {
            pace,
            state: State::Fresh { until: now.plus(pace.first_request) },
            working: false,
            waiting: None,
            moved: false,
            queued: VecDeque::new(),
            heard: now,
            ping_due: now.plus(pace.ping_every),
        }
    }

    /// When to call again with [`Input::Tick`]; `None` once it is closed.
    pub fn wakeup(&self) -> Option<Millis> {
        match self.state {
            State::Fresh { until } if !self.working => Some(until),
            State::Fresh { .. } | State::Open { .. } => Some(self.ping_due.min(self.silent_at())),
            State::Closed => None,
        }
    }

    fn silent_at(&self) -> Millis {
        self.heard.plus(self.pace.longest_silence)
    }

    /// Takes one input and appends what must be done to `out`. Never blocks, never reads a clock. Once closed it does nothing.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        if matches!(self.state, State::Closed) {
            return;
        }
        match input {
            Input::Message(frame) => {
                self.heard = now;
                if self.waiting.is_some() {
                    return self.close(Close::TooManyRequests, out);
                }
                self.waiting = Some(frame);
            }
            Input::Heard => self.heard = now,
            Input::Unreadable(close) | Input::Refused(close) => return self.close(close, out),
            Input::Moved => self.moved = true,
            Input::Served { device, frame, standing } => {
                self.working = false;
                self.state = State::Open { device, standing: Some(standing) };
                self.send(frame, out);
            }
            Input::ReadOn { frame, standing } => {
                self.working = false;
                if let State::Open { standing: stands, .. } = &mut self.state {
                    *stands = Some(standing);
                }
                frame.into_iter().for_each(|frame| self.send(frame, out));
            }
            Input::Sent => drop(self.queued.pop_front()),
            Input::Tick => self.tick(now, out),
            Input::Stop => return self.close(Close::Stopping, out),
        }
        self.go_on(out);
    }

    fn tick(&mut self, now: Millis, out: &mut Vec<Effect>) {
        match self.state {
            State::Fresh { until } if !self.working && is_over(now, until, self.pace.first_request) => self.close(Close::NoRequest, out),
            State::Closed => {}
            _ if is_over(now, self.silent_at(), self.pace.longest_silence) => self.close(Close::Silent, out),
            _ if is_over(now, self.ping_due, self.pace.ping_every) => {
                self.ping_due = now.plus(self.pace.ping_every);
                self.moved = true;
                out.push(Effect::Ping);
            }
            _ => {}
        }
    }

    /// Begins what can begin: a request goes before a reading, whose cursors it would only overtake.
    fn go_on(&mut self, out: &mut Vec<Effect>) {
        if self.working || matches!(self.state, State::Closed) {
            return;
        }
        if self.has_work() && self.is_behind() {
            return self.close(Close::Resync, out);
        }
        if let Some(frame) = self.waiting.take() {
            let device = if let State::Open { device, .. } = &self.state { Some(*device) } else { None };
            self.working = true;
            out.push(Effect::Serve(frame, device));
            return;
        }
        if let State::Open { standing, .. } = &mut self.state
            && let Some(standing) = standing.take_if(|standing| self.moved && !standing.more)
        {
            self.moved = false;
            self.working = true;
            out.push(Effect::ReadOn(standing));
        }
    }

    /// Whether a request waits, or a reading. With more to come there is none: the phone asks at once, and is answered from where it then is.
    fn has_work(&self) -> bool {
        let reads_on = |standing: &Standing| self.moved && !standing.more;
        self.waiting.is_some() || matches!(&self.state, State::Open { standing: Some(standing), .. } if reads_on(standing))
    }

    fn is_behind(&self) -> bool {
        self.queued.len() >= self.pace.most_queued || self.queued.iter().sum::<usize>() >= self.pace.most_queued_bytes
    }

    fn send(&mut self, frame: Vec<u8>, out: &mut Vec<Effect>) {
        self.queued.push_back(frame.len());
        out.push(Effect::Send(frame));
    }

    fn close(&mut self, close: Close, out: &mut Vec<Effect>) {
        self.state = State::Closed;
        self.waiting = None;
        out.push(Effect::Close(close));
    }
}

#[cfg(test)]
mod tests;
