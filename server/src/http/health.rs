//! `/healthz`, `/readyz` and `/metrics`: what a supervisor, a load balancer and Prometheus ask.

use crate::problem::Problem;
use crate::telemetry::Metrics;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::{Arc, PoisonError, RwLock};

/// The reason of a server that was told to stop.
pub(super) const STOPPING: &str = "stopping";

/// Whether this server should get requests. A cheap clone of one shared answer; whoever opens the store sets it.
///
/// A server that is not ready still answers what it is asked; it only says that others should be asked first.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<RwLock<Result<(), &'static str>>>);

impl Readiness {
    /// Not ready, because it is starting.
    pub fn starting() -> Self {
        Self(Arc::new(RwLock::new(Err("starting"))))
    }

    /// From now on ready.
    pub fn set_ready(&self) {
        self.set(Ok(()));
    }

    /// From now on not ready, with a short reason that everybody may read: `starting`, `stopping`, `store full`.
    pub fn set_not_ready(&self, reason: &'static str) {
        self.set(Err(reason));
    }

    /// Ready, or the reason why not.
    ///
    /// # Errors
    /// The reason.
    pub fn get(&self) -> Result<(), &'static str> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server that is stopping stays so, whatever its store says.
    fn set(&self, state: Result<(), &'static str>) {
        let mut present = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if *present != Err(STOPPING) {
            *present = state;
        }
    }
}

pub(super) fn router(readiness: Readiness) -> Router {
    let readyz = async move || match readiness.get() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => Problem::not_ready().detail(reason).into_response(),
    };
    Router::new().route("/healthz", get(async || "up\n")).route("/readyz", get(readyz))
}

pub(super) fn metrics_router(metrics: Metrics) -> Router {
    /// The media type of Prometheus's text format, version 0.0.4.
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    let show = async move || -> Response { ([(header::CONTENT_TYPE, TEXT)], metrics.render()).into_response() };
    Router::new().route("/metrics", get(show))
}
