//! How the server is reached: by the engine's own clients, or by the app's (OkHttp, URLSession) through traits that answer over a reply object.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorstep_core::field::{self as core, Arrived, CONTENT_TYPE, LiveConnection, TransportAnswer, Waker, refused_upgrade};
use doorstep_core::model::Invalid;
use doorstep_core::sync::client::SyncFailure;

use crate::error::{DoorstepError, ForeignError};
use crate::shared::{Connect, lock};

/// How long an answer of the app's client is waited for: longer than any that keeps its own deadlines takes.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// How long the app's client may take to open a live connection.
const LONGEST_OPENING: Duration = Duration::from_secs(15);

/// What is to be posted.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PostRequest {
    /// The whole address.
    pub url: String,
    /// The header `content-type`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer to a post.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PostAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `content-type`.
    pub content_type: String,
    /// The header `doorstep-code`, if there is one.
    pub code: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TransportFault {
    /// No connection, or it broke before the answer was complete.
    Unreachable,
    /// Nothing came for too long.
    TimedOut,
    /// The answer is longer than 16 MB.
    TooLong,
}

impl From<TransportFault> for core::TransportFault {
    fn from(fault: TransportFault) -> Self {
        match fault {
            TransportFault::Unreachable => Self::Unreachable,
            TransportFault::TimedOut => Self::TimedOut,
            TransportFault::TooLong => Self::TooLong,
        }
    }
}

/// The app's own HTTPS client.
#[uniffi::export(foreign)]
pub trait Transport: Send + Sync {
    /// Posts, and answers through `reply`, from any thread, now or later. A reply that is released without an answer counts as unreachable.
    fn post(&self, request: PostRequest, reply: Arc<Reply>) -> Result<(), ForeignError>;
}

type Answer = Result<TransportAnswer, core::TransportFault>;

/// Takes the answer to one post. The first counts.
#[derive(uniffi::Object)]
pub struct Reply(Mutex<Option<Sender<Answer>>>);

#[uniffi::export]
impl Reply {
    /// The server answered, with whatever status.
    pub fn answered(&self, answer: PostAnswer) -> Result<(), DoorstepError> {
        let content_type = answer.content_type.split(';').next().unwrap_or_default().trim().to_owned();
        self.give(Ok(TransportAnswer { status: answer.status, content_type, code: answer.code, body: answer.body }));
        Ok(())
    }

    /// No complete answer came.
    pub fn failed(&self, fault: TransportFault) -> Result<(), DoorstepError> {
        self.give(Err(fault.into()));
        Ok(())
    }
}

impl Reply {
    fn give(&self, answer: Answer) {
        if let Some(waiting) = lock(&self.0).take() {
            // Who waited may have been cancelled: the answer is dropped.
            let _ = waiting.send(answer);
        }
    }
}

struct AppTransport {
    transport: Arc<dyn Transport>,
    server: String,
}

impl core::Transport for AppTransport {
    fn post(&self, path: &str, body: &[u8]) -> Answer {
        let (give, answer) = mpsc::channel();
        let request = PostRequest { url: format!("{}{path}", self.server), content_type: CONTENT_TYPE.to_owned(), body: body.to_vec() };
        self.transport.post(request, Arc::new(Reply(Mutex::new(Some(give))))).map_err(|_| core::TransportFault::Unreachable)?;
        answer.recv_timeout(LONGEST_ANSWER).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(core::TransportFault::TimedOut),
            RecvTimeoutError::Disconnected => Err(core::TransportFault::Unreachable),
        })
    }
}

/// The app's own WebSocket client.
#[uniffi::export(foreign)]
pub trait LiveTransport: Send + Sync {
    /// Opens a WebSocket; what happens is told to `line`, from any thread, beginning with `opened`, `refused` or `broke`.
    // Not named `open`: for a foreign trait's method with a name that Swift reserves, uniffi 0.32 writes a C header that does not compile.
    fn connect(&self, url: String, line: Arc<LiveLine>) -> Result<(), ForeignError>;
    /// Sends one binary message on the line of this number.
    fn send(&self, line: u64, frame: Vec<u8>) -> Result<(), ForeignError>;
    /// Closes the line of this number with the code 1000.
    fn close(&self, line: u64) -> Result<(), ForeignError>;
}

enum Happened {
    Opened,
    Refused(SyncFailure),
    Arrived(Arrived),
    Broke,
    Woken,
}

/// Takes what happens on one live connection.
#[derive(uniffi::Object)]
pub struct LiveLine {
    number: u64,
    tell: Mutex<Sender<Happened>>,
}

#[uniffi::export]
impl LiveLine {
    /// The number that `send` and `close` are called with.
    pub fn number(&self) -> Result<u64, DoorstepError> {
        Ok(self.number)
    }

    /// The connection is open.
    pub fn opened(&self) -> Result<(), DoorstepError> {
        self.say(Happened::Opened)
    }

    /// The upgrade was answered otherwise: with this status, and this header `doorstep-code`.
    pub fn refused(&self, status: u16, code: Option<String>) -> Result<(), DoorstepError> {
        self.say(Happened::Refused(refused_upgrade(status, code)))
    }

    /// A binary message came.
    pub fn message(&self, frame: Vec<u8>) -> Result<(), DoorstepError> {
        self.say(Happened::Arrived(Arrived::Message(frame)))
    }

    /// A ping or pong came; where the platform does not tell, nothing is called.
    pub fn heard(&self) -> Result<(), DoorstepError> {
        self.say(Happened::Arrived(Arrived::Heard))
    }

    /// The server closed.
    pub fn closed(&self, number: u16, reason: String) -> Result<(), DoorstepError> {
        self.say(Happened::Arrived(Arrived::Closed { number, reason }))
    }

    /// The connection broke, or could not be made.
    pub fn broke(&self) -> Result<(), DoorstepError> {
        self.say(Happened::Broke)
    }
}

impl LiveLine {
    fn say(&self, happened: Happened) -> Result<(), DoorstepError> {
        // Whoever watched may have gone: nothing is left to tell.
        let _ = lock(&self.tell).send(happened);
        Ok(())
    }
}

struct AppLive {
    transport: Arc<dyn LiveTransport>,
    server: String,
}

impl core::LiveTransport for AppLive {
    fn open(&self, path: &str) -> Result<Box<dyn LiveConnection>, SyncFailure> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (tell, happened) = mpsc::channel();
        let line = AppLine { transport: Arc::clone(&self.transport), number, happened, wake: tell.clone(), is_open: true };
        let url = format!("{}{path}", self.server.replacen("http", "ws", 1));
        let given = Arc::new(LiveLine { number, tell: Mutex::new(tell) });
        self.transport.connect(url, given).map_err(|_| SyncFailure::Unreachable)?;
        match line.happened.recv_timeout(LONGEST_OPENING) {
            Ok(Happened::Opened) => Ok(Box::new(line)),
            Ok(Happened::Refused(failure)) => Err(failure),
            Ok(_) => Err(SyncFailure::Unreachable),
            Err(_) => Err(SyncFailure::TimedOut),
        }
    }
}

struct AppLine {
    transport: Arc<dyn LiveTransport>,
    number: u64,
    happened: Receiver<Happened>,
    wake: Sender<Happened>,
    is_open: bool,
}

impl LiveConnection for AppLine {
    fn send(&mut self, frame: &[u8]) -> Result<(), core::TransportFault> {
        self.transport.send(self.number, frame.to_vec()).map_err(|_| core::TransportFault::Unreachable)
    }

    fn receive(&mut self, patience: Duration) -> Result<Option<Arrived>, core::TransportFault> {
        match self.happened.recv_timeout(patience) {
            Ok(Happened::Arrived(arrived)) => Ok(Some(arrived)),
            Ok(Happened::Opened | Happened::Woken) | Err(RecvTimeoutError::Timeout) => Ok(None),
            Ok(Happened::Refused(_) | Happened::Broke) | Err(RecvTimeoutError::Disconnected) => Err(core::TransportFault::Unreachable),
        }
    }

    fn waker(&self) -> Waker {
        let wake = Mutex::new(self.wake.clone());
        Arc::new(move || {
            let _ = lock(&wake).send(Happened::Woken);
        })
    }

    fn close(&mut self) {
        if std::mem::replace(&mut self.is_open, false) {
            let _ = self.transport.close(self.number);
        }
    }
}

impl Drop for AppLine {
    fn drop(&mut self) {
        self.close();
    }
}

/// The app's clients, and the engine's own for what the app does not bring.
pub(crate) struct Connector {
    pub transport: Option<Arc<dyn Transport>>,
    pub live: Option<Arc<dyn LiveTransport>>,
    /// The certificates that the server's must come from, instead of the web's: for the engine's own clients.
    #[cfg_attr(not(feature = "transport"), allow(dead_code, reason = "there are none of its own"))]
    pub authority: Option<Vec<u8>>,
}

impl Connect for Connector {
    fn transport(&self, server: &str) -> Result<Arc<dyn core::Transport>, Invalid> {
        match &self.transport {
            Some(transport) => Ok(Arc::new(AppTransport { transport: Arc::clone(transport), server: address(server)? })),
            None => self.own_transport(server),
        }
    }

    fn live(&self, server: &str) -> Result<Option<Arc<dyn core::LiveTransport>>, Invalid> {
        match (&self.live, &self.transport) {
            (Some(live), _) => Ok(Some(Arc::new(AppLive { transport: Arc::clone(live), server: address(server)? }))),
            // An app that brings its own client has a reason to: the engine's would not go the same way.
            (None, Some(_)) => Ok(None),
            (None, None) => self.own_live(server),
        }
    }
}

#[cfg(feature = "transport")]
impl Connector {
    fn own_transport(&self, server: &str) -> Result<Arc<dyn core::Transport>, Invalid> {
        Ok(match &self.authority {
            Some(authority) => Arc::new(core::HttpTransport::with_authority(server, authority)?),
            None => Arc::new(core::HttpTransport::new(server)?),
        })
    }

    fn own_live(&self, server: &str) -> Result<Option<Arc<dyn core::LiveTransport>>, Invalid> {
        Ok(Some(match &self.authority {
            Some(authority) => Arc::new(core::WebSocketTransport::with_authority(server, authority)?),
            None => Arc::new(core::WebSocketTransport::new(server)?),
        }))
    }
}

#[cfg(not(feature = "transport"))]
impl Connector {
    fn own_transport(&self, _: &str) -> Result<Arc<dyn core::Transport>, Invalid> {
        Err(Invalid::new("transport", "is missing: this build has no client of its own"))
    }

    fn own_live(&self, _: &str) -> Result<Option<Arc<dyn core::LiveTransport>>, Invalid> {
        Ok(None)
    }
}

fn address(server: &str) -> Result<String, Invalid> {
    if server.starts_with("https://") || server.starts_with("http://") {
        return Ok(server.trim_end_matches('/').to_owned());
    }
    Err(Invalid::new("server", "is not an address such as https://doorstep.example.cn"))
}
