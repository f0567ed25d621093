//! A phone that stays connected: its watch on a thread of its own, and what it tells in a channel.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use doorstep_core::field::{Bell, LiveTransport, Watched};
use doorstep_core::sync::client::SyncFailure;

use crate::phone::Phone;

/// How long a test waits for what must come. It comes within milliseconds; this is for a machine with other work.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A watch that runs until it is dropped.
pub struct Watcher {
    bell: Bell,
    told: Receiver<Watched>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Watches with a phone.
    pub fn start(phone: &Arc<Phone>, transport: impl LiveTransport + 'static) -> Self {
        let (phone, bell) = (Arc::clone(phone), Bell::new());
        let (tells, told) = mpsc::channel();
        let stopped = bell.clone();
        let thread = std::thread::spawn(move || {
            // Who does not listen any more has stopped it, or has failed.
            phone.engine.watch(&transport, &stopped, &mut |watched| drop(tells.send(watched.clone()))).unwrap();
        });
        Self { bell, told, thread: Some(thread) }
    }

    /// The same, once everything is exchanged.
    pub fn start_up_to_date(phone: &Arc<Phone>, transport: impl LiveTransport + 'static) -> Self {
        let watcher = Self::start(phone, transport);
        watcher.until("the first exchange", |watched| matches!(watched, Watched::Exchanged { .. }));
        watcher
    }

    /// What is told next.
    pub fn next(&self) -> Watched {
        self.told.recv_timeout(PATIENCE).expect("nothing happened")
    }

    /// Waits for what satisfies `wanted` and gives it, with all that was told before.
    pub fn until(&self, what: &str, wanted: impl Fn(&Watched) -> bool) -> Vec<Watched> {
        let deadline = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        loop {
            match self.told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(watched) => {
                    let found = wanted(&watched);
                    all.push(watched);
                    if found {
                        return all;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("{what} did not come; came: {all:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the watch has ended; came: {all:?}"),
            }
        }
    }

    /// Waits until the connection is lost.
    pub fn until_lost(&self) -> SyncFailure {
        match self.until("the loss", |watched| matches!(watched, Watched::Lost { .. })).pop() {
            Some(Watched::Lost { failure, .. }) => failure,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until what was told makes `holds` true; asks once before.
    pub fn until_holds(&self, what: &str, holds: impl Fn() -> bool) {
        if !holds() {
            self.until(what, |_| holds());
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.bell.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the watching thread panicked");
        }
    }
}
