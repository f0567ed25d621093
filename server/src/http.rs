//! The HTTP face of the server: bound listeners and a router in, a running server with limits out.
//!
//! [`serve`] takes listeners that already accept and a signal to stop, so a caller (or a test) owns both. It promises:
//!
//! - **Nobody holds the server up.** The head of a request, its body and the whole request have time limits; connections, running
//!   requests and body sizes have caps. What breaks a limit is cut or answered, never waited for.
//! - **An answer reaches its client**, also one that comes before the body was read, and its connection is of further use, or it says that it
//!   is not (`drain`).
//! - **Every failure is a [`Problem`]** with the id of its request, also a panic, an unknown path and what a library answers on its own;
//!   nothing that the client sent comes back in it (`identify`, `extract`).
//! - **Nothing personal is logged or counted**: path templates and ids of requests, never paths or queries (`observe`).
//! - **A stop finishes running requests** within `shutdown_seconds`, while new connections are already refused, and then returns. What
//!   comes after that (draining the committer, closing the store) is the caller's.
//!
//! `/healthz` says that the process is up, `/readyz` whether it should get requests ([`Readiness`]); `/metrics` is on a listener of its
//! own. TLS is spoken where the settings name a certificate (`tls`), else plain HTTP, behind a proxy that does it; only what the proxies of
//! the settings say of where a request comes from is believed (`origin`). WebSockets outlive their request, so whoever opens one has to end
//! it at a stop.

mod drain;
mod extract;
mod health;
mod identify;
mod listen;
mod observe;
mod origin;
mod secure;
mod tls;

pub use extract::{BodyLimit, Json, Path, Query, RawBody, body_limit};
pub use health::Readiness;
pub use identify::RequestId;
pub use origin::Origin;
pub use tls::TlsError;

use crate::problem::Problem;
use crate::settings::Settings;
use crate::telemetry::{HTTP_PANICS, Metrics};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use listen::Listening;
use secure::Secured;
use std::any::Any;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyDeadlineLayer;

/// Connections of the listener for metrics; a Prometheus or two and a person need no more.
const METRICS_CONNECTIONS: u32 = 16;

/// How often measurements are folded into their buckets. At a thousand requests a second some thousand numbers wait.
const UPKEEP: Duration = Duration::from_secs(5);

/// What a server serves.
#[derive(Debug)]
pub struct App {
    /// The routes of the rooms. They must not bring a fallback of their own.
    pub routes: Router,
    /// What `/readyz` answers; [`serve`] sets it to "stopping" at the signal.
    pub readiness: Readiness,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

/// Why a server stopped without being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A listener failed.
    #[error("the listener for {what} failed: {source}")]
    Listener {
        /// `requests` or `metrics`.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl ServeError {
    /// The code of this error, a promise to scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Listener { .. } => "http.listener",
            Self::Tls(_) => "http.tls",
        }
    }
}

/// Serves `app` on `listener` and its metrics on `metrics_listener` until `shutdown` is ready, then finishes what runs and returns.
///
/// # Errors
/// When a listener fails. Running requests are finished then as well.
pub async fn serve(
    settings: &Settings,
    listener: TcpListener,
    metrics_listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let App { routes, readiness, metrics } = app;
    let header = settings.header_seconds.duration();
    let api = Listening::new(settings.max_connections, header);
    let scraped = Listening::new(METRICS_CONNECTIONS, header);
    let pair = tls::Pair::of(settings)?;
    let api_run = api.run(listener, router(settings, routes, readiness.clone()), pair.as_ref().map(tls::Pair::config));
    let scraped_run = scraped.run(metrics_listener, metrics_router(settings, metrics.clone()), None);
    tokio::pin!(api_run, scraped_run);

    let stopped = tokio::select! {
        result = &mut api_run => return failed("requests", result),
        result = &mut scraped_run => failed("metrics", result),
        () = keep_up(&metrics) => Ok(()),
        () = keep_up_with(pair) => Ok(()),
        () = shutdown => Ok(()),
    };
    readiness.set_not_ready(health::STOPPING);
    api.stop(settings.shutdown_seconds.duration());
    failed("requests", api_run.await)?;
    stopped
}

fn failed(what: &'static str, result: std::io::Result<()>) -> Result<(), ServeError> {
    result.map_err(|source| ServeError::Listener { what, source })
}

async fn keep_up_with(pair: Option<tls::Pair>) {
    match pair {
        Some(pair) => pair.keep_up().await,
        None => std::future::pending().await,
    }
}

async fn keep_up(metrics: &Metrics) {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        metrics.run_upkeep();
    }
}

/// Puts health routes, fallbacks and the layers around the routes of the rooms. Layers are added from the inside out.
fn router(settings: &Settings, routes: Router, readiness: Readiness) -> Router {
    let slots = Arc::new(Semaphore::new(settings.max_requests as usize));
    let guarded = routes.layer(body_limit(settings.body_bytes())).layer(from_fn_with_state(slots, within_capacity));
    let secured = Secured(settings.tls_certificate_file.path().is_some());
    framed(settings, guarded.merge(health::router(readiness)), secured)
}

fn metrics_router(settings: &Settings, metrics: Metrics) -> Router {
    framed(settings, health::metrics_router(metrics), Secured(false))
}

/// What every router of the server has: fallbacks, time limits, a panic fence, a log and request ids.
fn framed(settings: &Settings, routes: Router, secured: Secured) -> Router {
    routes
        .fallback(async || Problem::no_route())
        .method_not_allowed_fallback(async || Problem::wrong_method())
        .layer(from_fn_with_state(settings.handler_seconds.duration(), within_time))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn(observe::observe))
        .layer(from_fn_with_state(Arc::new(settings.trusted_proxies.clone()), origin::find))
        .layer(from_fn(identify::identify))
        .layer(from_fn(drain::drain))
        .layer(RequestBodyDeadlineLayer::new(settings.body_seconds.duration()))
        .layer(from_fn_with_state(secured, secure::secure))
}

async fn within_capacity(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => Problem::busy().into_response(),
    }
}

async fn within_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::too_slow().into_response(),
    }
}

/// The message of a panic may quote what was worked on, so it goes nowhere; its place is in the log (see `telemetry::start_log`).
fn after_panic(_message: Box<dyn Any + Send>) -> Response {
    metrics::counter!(HTTP_PANICS).increment(1);
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests;
