//! Live connections: the driver around [`Session`], one for each phone that stays connected.
//!
//! A connection is two tasks: this one feeds the machine with what comes (messages, notices of the hub, results of its calls, the alarm) and
//! performs its effects; the other writes what is queued, so that a phone that reads slowly holds up only its own queue. Neither decides
//! anything. While nothing happens a connection holds its two tasks and a few kilobytes of buffers, and no thread.
//!
//! The request that opened the connection ended when it was taken over, so the limits of requests do not reach it and a graceful stop does not
//! wait for it: [`Live`] counts the connections and closes them.

mod connection;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use doorstep_core::field::LIVE_PATH;
use doorstep_core::sync::MOST_FRAME_BYTES;
use doorstep_core::sync::live::server::Pace;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Api;
use crate::problem::Problem;
use crate::settings::Settings;
use connection::Connection;

/// The buffer for reading of each connection, in bytes: a common request and answer fit, and five thousand of them are 20 MB.
const READ_BUFFER: usize = 4 * 1024;

/// The live connections of a server. A cheap clone.
#[derive(Debug, Clone)]
pub struct Live {
    slots: Arc<Semaphore>,
    stop: CancellationToken,
    open: TaskTracker,
    pace: Pace,
}

impl Live {
    /// None yet; as many as the settings allow.
    pub fn new(settings: &Settings) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let pace = Pace {
            first_request: millis(settings.header_seconds.duration()),
            ping_every: millis(settings.live_ping_seconds.duration()),
            longest_silence: millis(settings.live_silence_seconds.duration()),
            ..Pace::default()
        };
        Self { slots: Arc::new(Semaphore::new(settings.max_live as usize)), stop: CancellationToken::new(), open: TaskTracker::new(), pace }
    }

    /// The same with other times and bounds: for tests of them.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Tells all of them that the server stops, and takes no more.
    pub fn stop(&self) {
        self.open.close();
        self.stop.cancel();
    }

    /// Waits until all have ended, at most for `grace`.
    pub async fn wait_until_closed(&self, grace: Duration) {
        self.stop();
        if tokio::time::timeout(grace, self.open.wait()).await.is_err() {
            tracing::warn!(left = self.open.len(), "live connections did not close in time");
        }
    }
}

#[derive(Clone)]
struct Door {
    api: Api,
    live: Live,
}

pub(super) fn router(api: Api, live: Live) -> Router {
    Router::new().route(LIVE_PATH, get(open)).with_state(Door { api, live })
}

async fn open(State(Door { api, live }): State<Door>, upgrade: WebSocketUpgrade) -> Result<Response, Problem> {
    if live.stop.is_cancelled() {
        return Err(Problem::not_ready());
    }
    let slot = Arc::clone(&live.slots).try_acquire_owned().map_err(|_| Problem::busy())?;
    let counted = live.open.token();
    let upgrade = upgrade.max_message_size(MOST_FRAME_BYTES).max_frame_size(MOST_FRAME_BYTES);
    let upgrade = upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| async move {
        Connection::new(api, live.pace, live.stop).run(socket).await;
        drop((slot, counted));
    }))
}
