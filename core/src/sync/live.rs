//! The live connection: the messages of a sync over a WebSocket that stays open, on which the server also says what became durable meanwhile.
//!
//! Promise: what becomes durable in a phone's scopes is on its way to the phone at once; what the phone records is on its way to the server at
//! once; and whatever a connection loses, doubles or cuts off, the cursor repairs. So nothing here remembers what was lost: a connection that
//! is in doubt is closed with a reason ([`Close`]), and the next one begins with a request, like any sync.
//!
//! The phone speaks first, with an ordinary request, and has one request under way at a time; each is answered in order. A message of the
//! server is an answer unless it says that it was *pushed*. A pushed message that comes while a request is under way is left unread: the
//! answer, whose reading begins at the same cursors and is made later, brings it as well. So an answer is never applied on cursors that a
//! push has moved, and a push never on an outbox that is in flight.
//!
//! [`server::Session`] and [`phone::Line`] are the two sides, as pure as the machines of a sync. What carries bytes is elsewhere.

pub mod phone;
pub mod server;

use crate::sync::FrameError;

/// How often the server pings, in milliseconds: below the 30 seconds after which careless middle boxes forget a connection.
pub const PING_EVERY: i64 = 25_000;
/// After how long a silence a side takes the connection for broken, in milliseconds: two pings lost, and some.
pub const LONGEST_SILENCE: i64 = 60_000;
/// How long the server waits for the first request, in milliseconds.
pub const FIRST_REQUEST: i64 = 10_000;
/// How many messages may wait for the way out before the phone counts as one that does not keep up.
pub const MOST_QUEUED: usize = 8;
/// How many bytes of them.
pub const MOST_QUEUED_BYTES: usize = 1024 * 1024;
/// The longest reason of a close, in bytes (RFC 6455: a control frame has 125, two are the code's).
pub const MOST_REASON_BYTES: usize = 123;

/// Why the server closes a live connection. The number is the WebSocket's close code, the reason's text a code as in problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The server stops; the phone comes back after its usual wait.
    Stopping,
    /// The phone did not keep up with what was pushed: it connects again, and its cursors bring what it missed.
    Resync,
    /// The device is not known (any more), or the signature does not count.
    Unauthorised {
        /// The code, as over HTTP.
        code: &'static str,
    },
    /// What came is no request.
    Frame {
        /// The code, as over HTTP.
        code: &'static str,
    },
    /// Nothing came for too long.
    Silent,
    /// No request came at the beginning.
    NoRequest,
    /// A request came in the name of another device than the first.
    AnotherDevice,
    /// The server cannot serve now.
    NotReady {
        /// The code, as over HTTP.
        code: &'static str,
    },
    /// Requests came faster than they are answered.
    TooManyRequests,
}

impl Close {
    /// The close code: 1001 is RFC 6455's "going away", those from 4000 are ours. Never changed and never given again.
    pub const fn number(self) -> u16 {
        match self {
            Self::Stopping => 1001,
            Self::Resync => 4000,
            Self::Unauthorised { .. } => 4001,
            Self::Frame { .. } => 4002,
            Self::Silent => 4003,
            Self::NoRequest => 4004,
            Self::AnotherDevice => 4005,
            Self::NotReady { .. } => 4006,
            Self::TooManyRequests => 4007,
        }
    }

    /// The reason's text. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Stopping => "live.stopping",
            Self::Resync => "live.resync",
            Self::Unauthorised { code } | Self::Frame { code } | Self::NotReady { code } => code,
            Self::Silent => "live.silent",
            Self::NoRequest => "live.no_request",
            Self::AnotherDevice => "live.another_device",
            Self::TooManyRequests => "live.too_many_requests",
        }
    }
}

impl From<FrameError> for Close {
    fn from(error: FrameError) -> Self {
        Self::Frame { code: error.code() }
    }
}

#[cfg(test)]
mod tests;
