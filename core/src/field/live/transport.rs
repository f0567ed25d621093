//! What carries a live connection: traits, so that an app can bring its platform's own WebSocket.

use std::sync::Arc;
use std::time::Duration;

use crate::field::transport::{TransportAnswer, TransportFault, frame_of};
use crate::sync::client::SyncFailure;

/// Makes a receive that waits return at once, or else the next one. Called from any thread.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Opens live connections.
pub trait LiveTransport: Send + Sync {
    /// Opens a WebSocket at `path` of the server. Blocks until it is open or failed, some seconds at most.
    ///
    /// # Errors
    /// When nobody was reached; what was answered instead goes through [`refused_upgrade`].
    fn open(&self, path: &str) -> Result<Box<dyn LiveConnection>, SyncFailure>;
}

/// A live connection, used by one thread. Pings of the server are answered by whoever implements it, and told as [`Arrived::Heard`].
pub trait LiveConnection: Send {
    /// Sends a frame as one binary message; blocks until it is on its way.
    ///
    /// # Errors
    /// When the connection broke or takes nothing for too long: it is of no use then.
    fn send(&mut self, frame: &[u8]) -> Result<(), TransportFault>;

    /// Waits for what arrives, at most for `patience` (which may be nothing); `None` when that is over or the waker was called.
    ///
    /// # Errors
    /// When the connection broke, or brings more than [`MOST_FRAME_BYTES`](crate::sync::MOST_FRAME_BYTES) in one message.
    fn receive(&mut self, patience: Duration) -> Result<Option<Arrived>, TransportFault>;

    /// What wakes it.
    fn waker(&self) -> Waker;

    /// Says goodbye, as far as that goes without waiting.
    fn close(&mut self);
}

/// What arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// A binary message. One of text, which the protocol does not have, can be given as well.
    Message(Vec<u8>),
    /// A ping or a pong.
    Heard,
    /// The server closed.
    Closed {
        /// Its close code; 1005 where there was none.
        number: u16,
        /// Its reason.
        reason: String,
    },
}

/// What it means that an upgrade to a WebSocket was answered otherwise, by its status and its header `doorstep-code`.
pub fn refused_upgrade(status: u16, code: Option<String>) -> SyncFailure {
    let answer = TransportAnswer { status, content_type: String::new(), code, body: Vec::new() };
    frame_of(answer).err().unwrap_or(SyncFailure::NotTheServer { status })
}
