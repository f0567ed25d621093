//! Driving a sync as an app wants it: broken off at once when it asks, given up after a budget, tried again at the engine's intervals.
//!
//! What goes over the network runs on a thread of its own, so that whoever waits for it can stop waiting: a transport that hangs holds up nobody,
//! and an answer that comes after all is dropped, which loses nothing, for the next request offers the same again.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::field::transport::{SYNC_PATH, Transport, TransportAnswer};
use crate::field::{Bell, Engine, FieldError, LiveConnection, LiveTransport, SyncReport, SyncStatus};
use crate::model::Millis;
use crate::sync::client::SyncFailure;

/// How long a driver goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patience {
    /// How long in all, retries included; for as long as it takes where there is none.
    pub budget: Option<Duration>,
    /// Whether what failed and may pass is tried again, at the engine's intervals.
    pub retries: bool,
}

/// What whoever drives a sync is told meanwhile.
#[derive(Debug)]
pub enum Driven<'a> {
    /// A round trip was applied.
    Progress(&'a SyncStatus),
    /// An attempt failed; the next begins at this time, by the phone's clock.
    Retrying {
        /// Why.
        failure: &'a SyncFailure,
        /// When.
        at: Millis,
    },
}

impl SyncFailure {
    /// Whether another attempt may do: what the server refuses as a whole, and what the phone's own store does not take, stays so.
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::Rejected { .. } | Self::Store { .. })
    }
}

impl Engine {
    /// [`Engine::sync_with`] for apps: ends within milliseconds when `bell` says to stop, whatever the transport does, and otherwise when
    /// `patience` is over. Uses the network and blocks; commands and queries go on meanwhile.
    ///
    /// # Errors
    /// As [`Engine::sync`]; [`SyncFailure::Abandoned`] when it was stopped or the budget was used up. Nothing is lost then: what waits stays.
    pub fn drive(
        &self,
        transport: &Arc<dyn Transport>,
        bell: &Bell,
        patience: Patience,
        told: &mut dyn FnMut(Driven<'_>),
    ) -> Result<SyncReport, FieldError> {
        // By the phone's clock: one that is set meanwhile makes the budget longer or shorter, and loses nothing.
        let end = patience.budget.map(|budget| self.clock.now().plus(i64::try_from(budget.as_millis()).unwrap_or(i64::MAX)));
        let left = || end.map(|end| Duration::from_millis(end.since(self.clock.now()).max(0).unsigned_abs()));
        loop {
            let mut post = |frame: Vec<u8>| -> Result<TransportAnswer, SyncFailure> {
                let transport = Arc::clone(transport);
                carried(bell, &left, move || transport.post(SYNC_PATH, &frame)).ok_or(SyncFailure::Abandoned)?.map_err(SyncFailure::from)
            };
            let failure = match self.exchange(&mut post, &mut |status| told(Driven::Progress(status))) {
                Err(FieldError::Sync(failure)) => failure,
                other => return other,
            };
            let at = self.status().next_attempt.filter(|_| patience.retries && failure.is_retryable() && failure != SyncFailure::Abandoned);
            let Some(at) = at else { return Err(failure.into()) };
            told(Driven::Retrying { failure: &failure, at });
            while !self.clock.now().since(at).is_positive() && !bell.is_stopped() {
                let budget = left();
                if budget == Some(Duration::ZERO) {
                    break;
                }
                let wait = Duration::from_millis(at.since(self.clock.now()).max(1).unsigned_abs());
                bell.wait(budget.map_or(wait, |budget| budget.min(wait)));
                bell.take();
            }
            if bell.is_stopped() || left() == Some(Duration::ZERO) {
                return Err(failure.into());
            }
        }
    }

    /// [`Engine::watch`] for apps: ends within milliseconds when `bell` says to stop, also while a connection is being opened.
    ///
    /// # Errors
    /// As [`Engine::watch`].
    pub fn watch_promptly(
        &self,
        transport: Arc<dyn LiveTransport>,
        bell: &Bell,
        told: &mut dyn FnMut(&crate::field::Watched),
    ) -> Result<(), FieldError> {
        self.watch(&Promptly { transport, bell: bell.clone() }, bell, told)
    }
}

/// Opens connections on a thread of their own.
struct Promptly {
    transport: Arc<dyn LiveTransport>,
    bell: Bell,
}

impl LiveTransport for Promptly {
    fn open(&self, path: &str) -> Result<Box<dyn LiveConnection>, SyncFailure> {
        let (transport, path) = (Arc::clone(&self.transport), path.to_owned());
        carried(&self.bell, &|| None, move || transport.open(&path)).unwrap_or(Err(SyncFailure::Abandoned))
    }
}

/// What came of `work` on a thread of its own; `None` when the bell said to stop first, no time was `left`, or the thread broke.
fn carried<T: Send + 'static>(bell: &Bell, left: &dyn Fn() -> Option<Duration>, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, outcome) = mpsc::channel();
    let woken = done.clone();
    bell.wakes(Some(Arc::new(move || {
        // Whoever waited has gone when nobody takes it.
        let _ = woken.send(None);
    })));
    let carrier = thread::Builder::new().name("doorstep-carrier".to_owned());
    let started = carrier.spawn(move || {
        let _ = done.send(Some(work()));
    });
    let mut came = None;
    while started.is_ok() && !bell.is_stopped() {
        let next = match left() {
            Some(left) => outcome.recv_timeout(left),
            None => outcome.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(None) => {} // the bell was rung for something else
            Ok(some) => {
                came = some;
                break;
            }
            Err(_) => break,
        }
    }
    bell.wakes(None);
    came
}

#[cfg(test)]
mod tests;
