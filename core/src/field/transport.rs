//! What carries frames to the server: a trait, so that an app can bring its platform's own client.

use crate::sync::client::SyncFailure;

/// The media type of frames.
pub const CONTENT_TYPE: &str = "application/vnd.doorstep";
/// Where requests go.
pub const SYNC_PATH: &str = "/v1/sync";
/// Where enrolments go.
pub const ENROL_PATH: &str = "/v1/enrol";

/// Where mail is handed in.
pub const MAIL_PATH: &str = "/v1/mail";
/// Where live connections are opened.
pub const LIVE_PATH: &str = "/v1/live";

/// Posts frames. Blocks until the answer is complete or failed; never longer than the deadline of the protocol.
pub trait Transport: Send + Sync {
    /// Posts `body` with the media type [`CONTENT_TYPE`] to `path` of the server.
    ///
    /// # Errors
    /// When no complete answer came. An answer with an error status is an answer.
    fn post(&self, path: &str, body: &[u8]) -> Result<TransportAnswer, TransportFault>;
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The media type, without parameters.
    pub content_type: String,
    /// The header `doorstep-code`: the code of a problem, from our server only.
    pub code: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why nothing complete came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// No connection, or it broke before the answer was complete.
    #[error("the server was not reached")]
    Unreachable,
    /// Nothing came for too long.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The answer is longer than any of ours.
    #[error("the answer is too long")]
    TooLong,
}

impl From<TransportFault> for SyncFailure {
    fn from(fault: TransportFault) -> Self {
        match fault {
            TransportFault::Unreachable => Self::Unreachable,
            TransportFault::TimedOut => Self::TimedOut,
            TransportFault::TooLong => Self::Frame(crate::sync::FrameError::TooLong),
        }
    }
}

/// Whether mail was taken.
///
/// # Errors
/// Why not: the carrier keeps it and tries again, but for [`SyncFailure::Rejected`].
pub fn mail_taken(answer: TransportAnswer) -> Result<(), SyncFailure> {
    if answer.status == 204 { Ok(()) } else { frame_of(answer).and(Err(SyncFailure::NotTheServer { status: 200 })) }
}

/// Tells an answer of our server from that of a captive portal or a proxy's error page.
///
/// # Errors
/// What the phone's session is told with [`Input::Failed`](crate::sync::client::Input::Failed) when it is no frame of ours.
pub fn frame_of(answer: TransportAnswer) -> Result<Vec<u8>, SyncFailure> {
    let status = answer.status;
    match (status, answer.code) {
        (200, _) if answer.content_type == CONTENT_TYPE => Ok(answer.body),
        (429 | 500..=599, Some(_)) => Err(SyncFailure::NotReady { status }),
        (400..=499, Some(code)) => Err(SyncFailure::Rejected { code }),
        _ => Err(SyncFailure::NotTheServer { status }),
    }
}
