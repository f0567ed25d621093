//! The engine's own WebSocket, for phones and tools that bring none: one socket, no thread of its own, woken by a poll.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tungstenite::client::client_with_config;
use tungstenite::error::ProtocolError;
use tungstenite::http::Uri;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use super::transport::{Arrived, LiveConnection, LiveTransport, Waker, refused_upgrade};
use crate::field::http::authorities;
use crate::field::transport::TransportFault;
use crate::model::Invalid;
use crate::sync::MOST_FRAME_BYTES;
use crate::sync::client::SyncFailure;

/// How long connecting may take, for each address of the server.
const CONNECT: Duration = Duration::from_secs(8);
/// How long the server may be silent while the connection is opened, and take nothing of what is being sent, as for [`HttpTransport`](crate::field::HttpTransport).
const SILENCE: Duration = Duration::from_secs(8);
/// The buffer for reading, in bytes.
const READ_BUFFER: usize = 16 * 1024;

const SOCKET: Token = Token(0);
const WAKE: Token = Token(1);

/// Opens WebSockets to one server, over TCP or rustls with the web's root certificates.
#[derive(Clone)]
pub struct WebSocketTransport {
    host: String,
    port: u16,
    /// `None` for a trial on one machine.
    tls: Option<Arc<ClientConfig>>,
    /// What the server's own address has in front of its paths, if anything.
    before: String,
}

impl WebSocketTransport {
    /// For the server at `server`: `https://doorstep.example.gov.cn`, or `http://…` for a trial on one machine.
    ///
    /// # Errors
    /// When `server` is no address of that kind.
    pub fn new(server: &str) -> Result<Self, Invalid> {
        Self::make(server, || Some(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }))
    }

    /// The same that trusts the certificates in `authority` (PEM) and no others.
    ///
    /// # Errors
    /// When `server` is no address of that kind, or `authority` holds no certificate.
    pub fn with_authority(server: &str, authority: &[u8]) -> Result<Self, Invalid> {
        let authorities = authorities(authority)?;
        Self::make(server, || {
            let mut roots = RootCertStore::empty();
            authorities.into_iter().try_for_each(|root| roots.add(root)).ok()?;
            Some(roots)
        })
    }

    fn make(server: &str, roots: impl FnOnce() -> Option<RootCertStore>) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("server", "is not an address such as https://doorstep.example.cn");
        let uri: Uri = server.parse().map_err(|_| wrong())?;
        let (tls, port) = match uri.scheme_str() {
            Some("https") => (Some(roots().and_then(tls).ok_or_else(wrong)?), 443),
            Some("http") => (None, 80),
            _ => return Err(wrong()),
        };
        let host = uri.host().ok_or_else(wrong)?.to_owned();
        Ok(Self { host, port: uri.port_u16().unwrap_or(port), tls, before: uri.path().trim_end_matches('/').to_owned() })
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut failed = io::Error::from(ErrorKind::NotFound);
        for address in (host, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(SILENCE))?;
                    stream.set_write_timeout(Some(SILENCE))?;
                    return Ok(stream);
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn secured(&self, tcp: TcpStream) -> Result<Stream, SyncFailure> {
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        let name = self.host.clone().try_into().map_err(|_| SyncFailure::Unreachable)?;
        let connection = ClientConnection::new(Arc::clone(tls), name).map_err(|_| SyncFailure::Unreachable)?;
        Ok(Stream::Tls(Box::new(StreamOwned::new(connection, tcp))))
    }
}

/// rustls as ureq sets it up.
fn tls(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

impl LiveTransport for WebSocketTransport {
    fn open(&self, path: &str) -> Result<Box<dyn LiveConnection>, SyncFailure> {
        let tcp = self.connect().map_err(|error| of_io(&error))?;
        let polled = tcp.try_clone().map_err(|error| of_io(&error))?;
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}:{}{}{path}", self.host, self.port, self.before);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MOST_FRAME_BYTES))
            .max_frame_size(Some(MOST_FRAME_BYTES))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0);
        let (socket, _) = client_with_config(url, self.secured(tcp)?, Some(config)).map_err(of_handshake)?;
        Connection::new(socket, polled).map(|connection| Box::new(connection) as Box<dyn LiveConnection>).map_err(|error| of_io(&error))
    }
}

fn of_io(error: &io::Error) -> SyncFailure {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => SyncFailure::TimedOut,
        _ => SyncFailure::Unreachable,
    }
}

fn of_handshake<R: tungstenite::handshake::HandshakeRole>(error: HandshakeError<R>) -> SyncFailure {
    match error {
        // The stream blocks, so it was interrupted by its time limit.
        HandshakeError::Interrupted(_) => SyncFailure::TimedOut,
        HandshakeError::Failure(Error::Http(answer)) => {
            let code = answer.headers().get("doorstep-code").and_then(|code| code.to_str().ok()).map(str::to_owned);
            refused_upgrade(answer.status().as_u16(), code)
        }
        HandshakeError::Failure(Error::Io(error)) => of_io(&error),
        HandshakeError::Failure(Error::Protocol(ProtocolError::HandshakeIncomplete)) => SyncFailure::Unreachable,
        // Whatever answered speaks no WebSocket.
        HandshakeError::Failure(Error::Protocol(_)) => SyncFailure::NotTheServer { status: 101 },
        HandshakeError::Failure(_) => SyncFailure::Unreachable,
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

struct Connection {
    socket: WebSocket<Stream>,
    poll: Poll,
    events: Events,
    waker: Arc<mio::Waker>,
    /// The waker was called while this waited for something else.
    woken: bool,
    /// Kept registered for as long as the connection is: the same socket once more.
    _polled: mio::net::TcpStream,
}

impl Connection {
    fn new(socket: WebSocket<Stream>, polled: TcpStream) -> io::Result<Self> {
        polled.set_nonblocking(true)?; // of the socket, so of the stream as well
        let mut polled = mio::net::TcpStream::from_std(polled);
        let poll = Poll::new()?;
        poll.registry().register(&mut polled, SOCKET, Interest::READABLE | Interest::WRITABLE)?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        Ok(Self { socket, poll, events: Events::with_capacity(8), waker, woken: false, _polled: polled })
    }

    /// Sleeps until the socket or the waker moves, or `patience` is over; says whether something moved.
    fn sleep(&mut self, patience: Duration) -> Result<bool, TransportFault> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Ok(()) => {
                self.woken |= self.events.iter().any(|event| event.token() == WAKE);
                Ok(!self.events.is_empty())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(_) => Err(TransportFault::Unreachable),
        }
    }

    /// What the socket has for us now. Read before sleeping: the poll tells only of what is new, and the stream may hold what it has read.
    fn read(&mut self) -> Result<Option<Arrived>, TransportFault> {
        match self.socket.read() {
            Ok(Message::Ping(_) | Message::Pong(_)) => match self.socket.flush() {
                Err(error) if !is_pending(&error) => Err(fault(&error)),
                _ => Ok(Some(Arrived::Heard)),
            },
            Ok(Message::Close(close)) => {
                // The goodbye in return goes out if it can.
                let _ = self.socket.flush();
                let (number, reason) = close.map_or((1005, String::new()), |close| (close.code.into(), close.reason.to_string()));
                Ok(Some(Arrived::Closed { number, reason }))
            }
            Ok(message) => Ok(Some(Arrived::Message(message.into_data().into()))),
            Err(error) if is_pending(&error) => Ok(None),
            Err(error) => Err(fault(&error)),
        }
    }
}

impl LiveConnection for Connection {
    fn send(&mut self, frame: &[u8]) -> Result<(), TransportFault> {
        let mut sent = self.socket.send(Message::binary(frame.to_vec()));
        loop {
            match sent {
                Ok(()) => return Ok(()),
                Err(error) if is_pending(&error) => {}
                Err(error) => return Err(fault(&error)),
            }
            if !self.sleep(SILENCE)? {
                return Err(TransportFault::TimedOut);
            }
            sent = self.socket.flush();
        }
    }

    fn receive(&mut self, patience: Duration) -> Result<Option<Arrived>, TransportFault> {
        if !std::mem::take(&mut self.woken) {
            match self.read()? {
                None => drop(self.sleep(patience)?),
                arrived => return Ok(arrived),
            }
        }
        // What moved may have been the waker, or a piece of a message: the caller comes again.
        self.woken = false;
        self.read()
    }

    fn waker(&self) -> Waker {
        let waker = Arc::clone(&self.waker);
        Arc::new(move || {
            // A waker whose poll is gone has nobody to wake.
            let _ = waker.wake();
        })
    }

    fn close(&mut self) {
        // Whether it gets through is the same to both: the server hears of the end of the connection either way.
        let _ = self.socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }));
    }
}

fn is_pending(error: &Error) -> bool {
    matches!(error, Error::Io(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted))
}

fn fault(error: &Error) -> TransportFault {
    match error {
        Error::Capacity(_) => TransportFault::TooLong,
        Error::Io(error) if error.kind() == ErrorKind::TimedOut => TransportFault::TimedOut,
        _ => TransportFault::Unreachable,
    }
}
