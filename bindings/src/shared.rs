//! What all objects of one opened phone share: the engine, until it is shut down, the language, and the thread that calls listeners.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use doorstep_core::field::{Engine, FieldError, Listed, LiveTransport, Subscription, Transport};
use doorstep_core::model::Invalid;
use doorstep_core::text::Lang;

use crate::diagnostics::Log;
use crate::dispatch::Dispatch;
use crate::error::DoorstepError;
use crate::turns::{Ending, Turns};

/// How the server is reached: by the engine's own clients or by the app's.
pub(crate) trait Connect: Send + Sync {
    fn transport(&self, server: &str) -> Result<Arc<dyn Transport>, Invalid>;
    fn live(&self, server: &str) -> Result<Option<Arc<dyn LiveTransport>>, Invalid>;
}

/// A thread that uses the network, and what stops it.
pub(crate) struct Worker {
    pub ending: Ending,
    pub thread: JoinHandle<()>,
}

pub(crate) struct Shared {
    engine: RwLock<Option<Engine>>,
    pub lang: Lang,
    pub connect: Box<dyn Connect>,
    pub dispatch: Dispatch,
    pub log: Arc<Log>,
    pub turns: Arc<Turns>,
    pub folder: Option<std::path::PathBuf>,
    /// Nothing after the shutdown: what would begin then would neither be stopped nor heard of.
    workers: Mutex<Option<Vec<Worker>>>,
    watching: Mutex<Option<Subscription>>,
}

impl Shared {
    pub(crate) fn new(
        engine: Engine,
        lang: Lang,
        connect: Box<dyn Connect>,
        log: Arc<Log>,
        folder: Option<std::path::PathBuf>,
    ) -> Result<Arc<Self>, DoorstepError> {
        let (jobs, taken) = mpsc::channel();
        let dispatch = Dispatch::new(jobs);
        let changed = dispatch.on_notice();
        let watching = Mutex::new(Some(engine.subscribe(move |notice| changed(notice))));
        let (engine, workers) = (RwLock::new(Some(engine)), Mutex::new(Some(Vec::new())));
        let shared = Arc::new(Self { engine, lang, connect, dispatch, log, turns: Arc::default(), folder, workers, watching });
        let started = shared.dispatch.start(taken, Arc::downgrade(&shared), Arc::clone(&shared.log));
        started.map_err(|_| DoorstepError::internal())?;
        Ok(shared)
    }

    /// Asks the engine. What panics inside becomes an error and ends here.
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&Engine) -> Result<T, FieldError>) -> Result<T, DoorstepError> {
        self.with_any(|engine| {
            ask(engine).map_err(|error| {
                // A phone that was erased misses its person and its records as well: the app is to hear why.
                let error = if engine.is_wiped() { FieldError::Wiped } else { error };
                DoorstepError::of(&error, self.lang)
            })
        })
    }

    /// The rows of a list, as they cross the border.
    pub(crate) fn rows<S, R>(
        &self,
        list: impl FnOnce(&Engine) -> Result<Vec<Listed<S>>, FieldError>,
        row: impl Fn(Listed<S>, Lang) -> R,
    ) -> Result<Vec<R>, DoorstepError> {
        self.with(|engine| Ok(list(engine)?.into_iter().map(|listed| row(listed, self.lang)).collect()))
    }

    /// Asks the engine where the answer's error is one of the border already.
    pub(crate) fn with_any<T>(&self, ask: impl FnOnce(&Engine) -> Result<T, DoorstepError>) -> Result<T, DoorstepError> {
        let guard = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let engine = guard.as_ref().ok_or_else(DoorstepError::closed)?;
        catch_unwind(AssertUnwindSafe(|| ask(engine))).unwrap_or_else(|_| Err(DoorstepError::internal()))
    }

    /// Starts a thread that may hold the engine until it is told to end.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        ending: &Ending,
        name: &str,
        work: impl FnOnce(&Self) + Send + 'static,
    ) -> Result<(), DoorstepError> {
        let mut workers = lock(&self.workers);
        let workers = workers.as_mut().ok_or_else(DoorstepError::closed)?;
        workers.retain(|worker| !worker.thread.is_finished());
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&shared));
        let thread = thread.map_err(|_| DoorstepError::internal())?;
        workers.push(Worker { ending: ending.clone(), thread });
        Ok(())
    }

    /// Stops what runs and lets the store go; everything answers `Closed` from then on. The folder of a phone that was erased is removed.
    pub(crate) fn shut_down(&self) {
        let workers = lock(&self.workers).take().unwrap_or_default();
        workers.iter().for_each(|worker| worker.ending.end());
        *lock(&self.watching) = None;
        for worker in workers {
            // A worker never calls listeners itself, so it is never this thread; one that panicked has ended too.
            let _ = worker.thread.join();
        }
        let engine = self.engine.write().unwrap_or_else(PoisonError::into_inner).take();
        let is_wiped = engine.as_ref().is_some_and(Engine::is_wiped);
        drop(engine);
        self.dispatch.stop();
        if let Some(folder) = self.folder.as_ref().filter(|_| is_wiped) {
            // What was erased lies in the files of the store until they go; one that cannot be removed now is refused at the next opening.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.dispatch.stop();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
