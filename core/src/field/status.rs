//! What the engine says of its queue: what waits, since when, what failed, when it tries next. A queue that is stuck is never shown as done.

use crate::model::Millis;
use crate::sync::client::Session;

/// Whether a record has arrived: the worker's real question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncState {
    /// Recorded here, not sent yet.
    Local,
    /// On its way.
    Sending,
    /// The server has everything of it.
    Accepted,
    /// The server refused something of it; it waits for its author.
    Refused {
        /// The reason's code.
        code: String,
    },
}

impl SyncState {
    /// The code in JSON and in the apps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Refused { .. } => "refused",
        }
    }
}

/// What the engine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing waits and nothing is under way.
    Idle,
    /// Something waits for a connection.
    Waiting,
    /// Connected, and everything is exchanged: what becomes new comes at once.
    Live,
    /// An exchange is under way.
    Syncing,
    /// The last attempt failed; the next is set.
    BackingOff,
}

impl Phase {
    /// The code in JSON and in the apps.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::Syncing => "syncing",
            Self::BackingOff => "backing-off",
        }
    }
}

/// The status of the queue. Survives a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStatus {
    /// What the engine is doing.
    pub phase: Phase,
    /// How many commands wait.
    pub pending: usize,
    /// When the oldest of them was recorded, by the phone's clock.
    pub oldest_pending: Option<Millis>,
    /// How many refused commands wait for their author.
    pub refused: usize,
    /// How much late work of others waits for a decision here.
    pub inbox: usize,
    /// When everything was last exchanged, by the phone's clock.
    pub last_success: Option<Millis>,
    /// How many attempts have failed since.
    pub failed_attempts: u32,
    /// When the next attempt is due, if one is set.
    pub next_attempt: Option<Millis>,
    /// The code of the last failure since the last success.
    pub last_error: Option<String>,
    /// How far the server's clock is ahead of this phone's, in milliseconds.
    pub clock_offset_ms: i64,
    /// What the exchange that is under way has brought so far, or the last one since this engine was opened.
    pub exchanged: Exchanged,
    /// How far the first reading of this phone's scopes has come.
    pub bootstrap: BootstrapStatus,
}

/// How far the first reading has come, over all scopes of the phone. The totals are what the server last said, documents move on meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BootstrapStatus {
    /// How many documents have come.
    pub documents: u64,
    /// How many there are.
    pub documents_total: u64,
    /// About how many bytes have come, before compression.
    pub bytes: u64,
    /// About how many there are.
    pub bytes_total: u64,
    /// Whether the directory, the open cases and what is due this week are here: the phone can be worked with.
    pub usable: bool,
    /// Whether everything is here.
    pub complete: bool,
}

/// What an exchange has brought so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exchanged {
    /// Commands of this phone that the server accepted.
    pub accepted: usize,
    /// Commands that it refused, for their author to look at. What the engine mended by itself is not among them.
    pub refused: usize,
    /// Documents and records that came.
    pub received: usize,
}

/// What of the status is kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct KeptStatus {
    #[n(0)]
    pub last_success: Option<Millis>,
    #[n(1)]
    pub failed_attempts: u32,
    #[n(2)]
    pub last_error: Option<String>,
    #[n(3)]
    pub next_attempt: Option<Millis>,
}

impl KeptStatus {
    /// The session of before the restart, as far as it matters.
    pub(super) fn session(&self, now: Millis) -> Session {
        Session::resume(now, self.failed_attempts, self.next_attempt)
    }
}
