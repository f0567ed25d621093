//! The routes: thin handlers that extract, call one function of the hub on a thread for blocking work, and map what comes back.
//!
//! `POST /v1/sync`, `POST /v1/enrol` and the WebSocket `GET /v1/live` speak the frames of PROTOCOL.md; `/v1/admin/…` speaks JSON with the
//! token of an account or the operator's. Every failure is a problem; for phones its code stands in the header `doorstep-code` as well, so
//! that a client needs no JSON to tell our server from a captive portal.

pub mod admin;
mod fault;
mod live;
mod phone;

use std::sync::Arc;

use axum::Router;
use doorstep_core::store::SledStore;
use tokio::sync::Semaphore;

use crate::hub::{Hub, HubError};
use crate::problem::Problem;

pub use live::Live;

/// How many requests work in the hub at once. More threads than cores only wait for each other and hold memory; the others queue.
const HUB_THREADS: usize = 8;

/// What the handlers share.
#[derive(Clone)]
pub struct Api {
    hub: Arc<Hub>,
    threads: Arc<Semaphore>,
}

impl Api {
    /// The API of a hub.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub, threads: Arc::new(Semaphore::new(HUB_THREADS)) }
    }

    /// Runs a call of the hub on a thread for blocking work: it waits for disk and computes.
    async fn call<T: Send + 'static>(&self, call: impl FnOnce(&Hub) -> Result<T, HubError> + Send + 'static) -> Result<T, Problem> {
        Ok(self.try_call(call).await??)
    }

    /// The same, with the hub's own error beside the failures of this process.
    async fn try_call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Hub) -> Result<T, HubError> + Send + 'static,
    ) -> Result<Result<T, HubError>, Problem> {
        let permit = Arc::clone(&self.threads).acquire_owned().await.map_err(|_| Problem::not_ready())?;
        let hub = Arc::clone(&self.hub);
        let worker = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            call(&hub)
        });
        worker.await.map_err(|_| Problem::internal())
    }
}

/// All routes. `guard` stands before `/v1/admin`, `store` is what is backed up; `live` holds the live connections, which
/// whoever serves must stop.
pub fn routes(hub: Arc<Hub>, guard: admin::Guard, store: Arc<SledStore>, live: Live) -> Router {
    let api = Api::new(hub);
    phone::router(api.clone(), guard.clone()).merge(live::router(api.clone(), live)).merge(admin::router(api, guard, store))
}
