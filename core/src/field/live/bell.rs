//! The bell of a thread that watches: wakes it when something was recorded, and tells it to stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::transport::Waker;

#[derive(Default)]
struct Rung {
    rung: bool,
    stopped: bool,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Shared {
    rung: Mutex<Rung>,
    heard: Condvar,
}

/// Wakes and stops [`Engine::watch`](crate::field::Engine::watch). A cheap clone of one bell; it serves one watch and stays stopped.
#[derive(Clone, Default)]
pub struct Bell(Arc<Shared>);

impl Bell {
    /// A bell that was not rung.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the watch, soon: what is under way on the network is broken off, what is being written is finished.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.ring();
    }

    /// Whether [`Bell::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Wakes the thread that watches, or keeps it from falling asleep the next time.
    pub(in crate::field) fn ring(&self) {
        let waker = {
            let mut rung = self.lock();
            rung.rung = true;
            rung.waker.clone()
        };
        self.0.heard.notify_all();
        if let Some(waker) = waker {
            waker();
        }
    }

    /// Whether it was rung since the last call.
    pub(in crate::field) fn take(&self) -> bool {
        std::mem::take(&mut self.lock().rung)
    }

    /// What wakes the thread while it sleeps in a connection.
    pub(in crate::field) fn wakes(&self, waker: Option<Waker>) {
        self.lock().waker = waker;
    }

    /// Sleeps until it is rung or `patience` is over.
    pub(in crate::field) fn wait(&self, patience: Duration) {
        let guard = self.lock();
        // A poisoned lock gives its guard back all the same.
        drop(self.0.heard.wait_timeout_while(guard, patience, |rung| !rung.rung));
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.0.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
