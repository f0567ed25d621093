//! The one thread that calls the app's listeners: never under a lock, never twice at once, bursts of changes told together.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use doorstep_core::docs::DocKind;
use doorstep_core::field::ChangeNotice;
use doorstep_core::model::DocId;

use crate::diagnostics::Log;
use crate::error::ForeignError;
use crate::listen::{Change, ChangeListener, ChangedRecord, RefusalListener, StatusListener};
use crate::quarantine::refused_records;
use crate::shared::{Shared, lock};
use crate::sync::SyncStatus;

/// The shortest time between two tellings of changes: ten a second are more than a screen shows.
const BETWEEN: Duration = Duration::from_millis(100);

type Call = Box<dyn FnOnce() -> Result<(), ForeignError> + Send>;

pub(crate) enum Job {
    Call(Call),
    Changed,
    Stop,
}

#[derive(Default)]
struct Listeners {
    changes: BTreeMap<u64, Arc<dyn ChangeListener>>,
    status: BTreeMap<u64, Arc<dyn StatusListener>>,
    refusals: BTreeMap<u64, Arc<dyn RefusalListener>>,
}

/// What changed and was not told yet.
#[derive(Default)]
struct Untold {
    documents: BTreeSet<(DocKind, DocId)>,
    directory: bool,
    status: bool,
    /// Whether a listener came that is to be told how things are.
    fresh: bool,
}

pub(crate) struct Dispatch {
    jobs: Sender<Job>,
    untold: Arc<Mutex<Untold>>,
    listeners: Arc<Mutex<Listeners>>,
    next: AtomicU64,
}

impl Dispatch {
    pub(crate) fn new(jobs: Sender<Job>) -> Self {
        Self { jobs, untold: Arc::default(), listeners: Arc::default(), next: AtomicU64::new(1) }
    }

    /// Starts the thread. Without it nobody would hear how a round ended, so that an opening fails where there is none.
    pub(crate) fn start(&self, jobs: Receiver<Job>, shared: Weak<Shared>, log: Arc<Log>) -> std::io::Result<()> {
        let (untold, listeners) = (Arc::clone(&self.untold), Arc::clone(&self.listeners));
        let teller = Teller { shared, log, untold, listeners, known_refusals: BTreeMap::new() };
        std::thread::Builder::new().name("doorstep-listeners".to_owned()).spawn(move || teller.run(&jobs)).map(drop)
    }

    /// Ends the thread behind what was given to it before.
    pub(crate) fn stop(&self) {
        let _ = self.jobs.send(Job::Stop);
    }

    /// Has `call` made on the thread.
    pub(crate) fn call(&self, call: impl FnOnce() -> Result<(), ForeignError> + Send + 'static) {
        let _ = self.jobs.send(Job::Call(Box::new(call)));
    }

    /// What takes the engine's notices over.
    pub(crate) fn on_notice(&self) -> impl Fn(&ChangeNotice) + Send + Sync + use<> {
        let (jobs, untold) = (Mutex::new(self.jobs.clone()), Arc::clone(&self.untold));
        move |notice| {
            let mut untold = lock(&untold);
            untold.documents.extend(notice.documents.iter().copied());
            untold.directory |= notice.directory;
            untold.status |= notice.status;
            drop(untold);
            let _ = lock(&jobs).send(Job::Changed);
        }
    }

    pub(crate) fn add_changes(&self, listener: Arc<dyn ChangeListener>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.listeners).changes.insert(number, listener);
        number
    }

    pub(crate) fn add_status(&self, listener: Arc<dyn StatusListener>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.listeners).status.insert(number, listener);
        self.tell_how_things_are();
        number
    }

    pub(crate) fn add_refusals(&self, listener: Arc<dyn RefusalListener>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.listeners).refusals.insert(number, listener);
        self.tell_how_things_are();
        number
    }

    /// Who listens from now on would else hear nothing of what happened just before.
    fn tell_how_things_are(&self) {
        lock(&self.untold).fresh = true;
        let _ = self.jobs.send(Job::Changed);
    }

    pub(crate) fn remove(&self, number: u64) {
        let mut listeners = lock(&self.listeners);
        let removed = (listeners.changes.remove(&number), listeners.status.remove(&number), listeners.refusals.remove(&number));
        drop(listeners);
        drop(removed); // the app's own code may run when its listener goes: under no lock
    }
}

struct Teller {
    shared: Weak<Shared>,
    log: Arc<Log>,
    untold: Arc<Mutex<Untold>>,
    listeners: Arc<Mutex<Listeners>>,
    /// What each listener was told of.
    known_refusals: BTreeMap<u64, BTreeSet<[u8; 16]>>,
}

impl Teller {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut last: Option<Instant> = None;
        let mut due: Option<Instant> = None;
        loop {
            let job = match due {
                Some(due) => jobs.recv_timeout(due.saturating_duration_since(Instant::now())),
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match job {
                Ok(Job::Call(call)) => self.fenced("observer", call),
                Ok(Job::Changed) => {
                    let now = Instant::now();
                    let earliest = last.and_then(|last| last.checked_add(BETWEEN)).unwrap_or(now).max(now);
                    due.get_or_insert(earliest);
                }
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if due.is_some_and(|due| due <= Instant::now()) {
                self.tell();
                (last, due) = (Some(Instant::now()), None);
            }
        }
        // The app's objects go here, on the thread that called them, and under no lock: their own code may run then and cancel.
        let gone = std::mem::take(&mut *lock(&self.listeners));
        drop(gone);
    }

    /// Calls the app's code; what it throws is noted and dropped.
    fn fenced(&self, place: &str, call: impl FnOnce() -> Result<(), ForeignError>) {
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.log.trouble(place, &error.to_string()),
            Err(_) => self.log.trouble(place, "panicked"),
        }
    }

    fn tell(&mut self) {
        let untold = std::mem::take(&mut *lock(&self.untold));
        let records = untold.documents.iter().map(|(kind, id)| ChangedRecord { kind: (*kind).into(), id: (*id).into() });
        let change = Change { records: records.collect(), directory: untold.directory };
        if !change.records.is_empty() || change.directory || untold.status {
            let listeners: Vec<_> = lock(&self.listeners).changes.values().cloned().collect();
            for listener in listeners {
                self.fenced("change listener", || listener.on_change(change.clone()));
            }
        }
        let Some(shared) = self.shared.upgrade().filter(|_| untold.status || untold.fresh) else { return };
        let Ok(status) = shared.with(|engine| Ok(engine.status())) else { return };
        let listeners: Vec<_> = lock(&self.listeners).status.values().cloned().collect();
        for listener in listeners {
            let status = SyncStatus::of(&status, shared.lang);
            self.fenced("status listener", || listener.on_status(status));
        }
        self.tell_refusals(&shared);
    }

    fn tell_refusals(&mut self, shared: &Shared) {
        let listeners = lock(&self.listeners).refusals.clone();
        self.known_refusals.retain(|number, _| listeners.contains_key(number));
        if listeners.is_empty() {
            return;
        }
        let Ok(refused) = refused_records(shared) else { return };
        let groups: BTreeSet<_> = refused.iter().map(|record| record.group.0).collect();
        for (number, listener) in listeners {
            let known = self.known_refusals.insert(number, groups.clone()).unwrap_or_default();
            for record in refused.iter().filter(|record| !known.contains(&record.group.0)) {
                self.fenced("refusal listener", || listener.on_refused(record.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Cancels when it goes, as a stream of Swift's does.
    struct Cancelling {
        dispatch: Arc<Dispatch>,
        number: AtomicU64,
        gone: Sender<()>,
    }

    impl ChangeListener for Cancelling {
        fn on_change(&self, _: Change) -> Result<(), ForeignError> {
            Ok(())
        }
    }

    impl Drop for Cancelling {
        fn drop(&mut self) {
            self.dispatch.remove(self.number.load(Ordering::Relaxed));
            let _ = self.gone.send(());
        }
    }

    #[test]
    fn a_listener_may_cancel_while_it_is_let_go() {
        let (jobs, taken) = mpsc::channel();
        let dispatch = Arc::new(Dispatch::new(jobs));
        dispatch.start(taken, Weak::new(), Arc::default()).expect("a thread starts");
        let (gone, went) = mpsc::channel();
        let listener = Arc::new(Cancelling { dispatch: Arc::clone(&dispatch), number: AtomicU64::new(0), gone });
        let number = dispatch.add_changes(Arc::clone(&listener) as Arc<dyn ChangeListener>);
        listener.number.store(number, Ordering::Relaxed);
        drop(listener);
        dispatch.stop();
        went.recv_timeout(Duration::from_secs(10)).expect("it does not wait for a lock that its own thread has");
    }
}
