//! Syncs that hang, fail and are broken off.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::*;
use crate::field::vector::enrolled_engine;
use crate::field::{Phase, TransportFault};

/// Hangs in every post until it is let go.
#[derive(Default)]
struct Hanging {
    is_free: Mutex<bool>,
    freed: Condvar,
    entered: Mutex<Option<mpsc::Sender<()>>>,
}

impl Transport for Hanging {
    fn post(&self, _: &str, _: &[u8]) -> Result<TransportAnswer, TransportFault> {
        if let Some(entered) = self.entered.lock().unwrap_or_else(PoisonError::into_inner).take() {
            entered.send(()).unwrap();
        }
        drop(self.freed.wait_while(self.is_free.lock().unwrap(), |free| !*free));
        Err(TransportFault::Unreachable)
    }
}

#[test]
fn a_sync_that_hangs_is_broken_off_and_another_can_begin() {
    let engine = Arc::new(enrolled_engine());
    let hanging = Arc::new(Hanging::default());
    let (entered, has_entered) = mpsc::channel();
    *hanging.entered.lock().unwrap() = Some(entered);
    let bell = Bell::new();
    let driving = {
        let (engine, bell, transport) = (Arc::clone(&engine), bell.clone(), Arc::clone(&hanging) as Arc<dyn Transport>);
        thread::spawn(move || engine.drive(&transport, &bell, Patience::default(), &mut |_| {}))
    };
    has_entered.recv().unwrap();
    bell.stop();
    assert_eq!(driving.join().unwrap(), Err(SyncFailure::Abandoned.into()));
    assert_eq!(engine.status().phase, Phase::BackingOff);
    // The first is hanging still; the second gets as far as its own transport.
    let broken: Arc<dyn Transport> = Arc::new(Failing::default());
    assert_eq!(engine.drive(&broken, &Bell::new(), Patience::default(), &mut |_| {}), Err(SyncFailure::Unreachable.into()));
    *hanging.is_free.lock().unwrap() = true;
    hanging.freed.notify_all();
}

#[test]
fn a_budget_ends_a_sync_that_hangs() {
    let transport: Arc<dyn Transport> = Arc::new(Hanging::default());
    let patience = Patience { budget: Some(Duration::from_millis(1)), retries: true };
    assert_eq!(enrolled_engine().drive(&transport, &Bell::new(), patience, &mut |_| {}), Err(SyncFailure::Abandoned.into()));
}

/// Fails always, and counts.
#[derive(Default)]
struct Failing(AtomicU32);

impl Transport for Failing {
    fn post(&self, _: &str, _: &[u8]) -> Result<TransportAnswer, TransportFault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(TransportFault::Unreachable)
    }
}

#[test]
fn what_fails_is_told_with_the_time_of_the_next_attempt_and_stopped_from_there() {
    let engine = enrolled_engine();
    let failing = Arc::new(Failing::default());
    let transport = Arc::clone(&failing) as Arc<dyn Transport>;
    let bell = Bell::new();
    let mut told = Vec::new();
    let patience = Patience { budget: None, retries: true };
    let outcome = engine.drive(&transport, &bell, patience, &mut |driven| {
        if let Driven::Retrying { at, .. } = driven {
            told.push(at);
            bell.stop();
        }
    });
    assert_eq!((outcome, failing.0.load(Ordering::SeqCst)), (Err(SyncFailure::Unreachable.into()), 1));
    assert_eq!(told, [engine.status().next_attempt.unwrap()]);
}
