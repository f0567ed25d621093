//! One listener: accepts, counts connections, cuts the slow, stops gracefully.
//!
//! axum's own `serve` has no timer for the head of a request, so a half-sent head would hold a connection and a graceful stop for ever;
//! axum-server has one, for the first request (which also covers telling HTTP/1 from HTTP/2) and for each later one. As hyper's timer runs
//! between requests too, it is also the limit for idle connections.

use crate::telemetry::HTTP_CONNECTIONS_REFUSED;
use axum::Router;
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use std::future::{Ready, ready};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests that one HTTP/2 connection may have open: more than a phone or a proxy needs, few enough that the cap on requests holds.
const STREAMS: u32 = 64;

/// All headers of one request together: a signed request of a phone has about 1 kB.
const HEADER_BYTES: usize = 16 * 1024;

/// A listener and the handle that stops it.
pub(super) struct Listening {
    handle: Handle<SocketAddr>,
    slots: Arc<Semaphore>,
    header: Duration,
}

impl Listening {
    pub(super) fn new(connections: u32, header: Duration) -> Self {
        Self { handle: Handle::new(), slots: Arc::new(Semaphore::new(connections as usize)), header }
    }

    /// Serves until [`Listening::stop`] and until the connections have ended; over TLS where there is a configuration for it.
    pub(super) async fn run(&self, listener: TcpListener, router: Router, tls: Option<RustlsConfig>) -> io::Result<()> {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let mut server = axum_server::from_tcp(listener)?
            .accept_error_handler(|_, error| tracing::debug!(%error, "a connection was not taken"))
            .first_request_timeout(self.header)
            .handle(self.handle.clone());
        let builder = server.http_builder();
        builder.http1().header_read_timeout(self.header).max_buf_size(HEADER_BYTES);
        builder.http2().keep_alive_interval(self.header).keep_alive_timeout(self.header);
        builder.http2().max_concurrent_streams(STREAMS).max_header_list_size(HEADER_BYTES as u32);
        let capped = Capped { slots: Arc::clone(&self.slots) };
        match tls {
            None => server.acceptor(capped).serve(service).await,
            // A slot is taken before the handshake, which has the time that the head of a request has.
            Some(config) => {
                server.acceptor(RustlsAcceptor::new(config).handshake_timeout(self.header).acceptor(capped)).serve(service).await
            }
        }
    }

    /// Refuses new connections, lets running requests go on for `grace` at most, and closes what is idle.
    pub(super) fn stop(&self, grace: Duration) {
        self.handle.graceful_shutdown(Some(grace));
    }
}

/// Takes a connection only while there is a slot. A waiting line would serve nobody: under attack it is the attacker who fills it.
#[derive(Clone)]
struct Capped {
    slots: Arc<Semaphore>,
}

impl<S> Accept<TcpStream, S> for Capped {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            metrics::counter!(HTTP_CONNECTIONS_REFUSED).increment(1);
            return ready(Err(io::Error::other("too many connections")));
        };
        // Answers are small and wait for no further bytes; Nagle's algorithm would only hold them back.
        ready(stream.set_nodelay(true).map(|()| (Connection { stream, _slot: slot }, service)))
    }
}

/// A connection and its slot, which is free again when the connection is gone, also one that became a WebSocket.
struct Connection {
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
