//! The committer: one thread that takes what waits, and answers when it is durable.
//!
//! Promise: plans run one after the other, each sees all before it; an `Ok` is sent after the engine's sync and never before.
//! A plan that refuses waits for that sync too, since it may have refused because of what stands before it in its group.
//! Those that wait at the same time share one batch and one sync, which is where the speed under load comes from. After the first
//! failed write or sync nothing is accepted any more: what the disk then holds is known only when it is opened again. What an engine is, and
//! how it makes things durable, is left to it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::limits::Scale;
use super::undo::UndoMap;
use super::{Entry, MOST_BATCH, Plan, Read, StoreError, Transaction, run};

/// Most transactions in a group. Measured: 256 waiting give 10,300 changes a second where 64 give 7,000; beyond that only the wait grows.
const MOST_GROUP: usize = 256;

/// New values of keys; `None` is a delete.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What a committer writes to.
pub(super) trait Engine: Read + Send + Sync + 'static {
    /// Writes the group down where it can be read again whatever becomes of the engine, and may add rows of the engine's own. After an error
    /// nothing of the group is anywhere; [`StoreError::Full`] leaves the store able to try again.
    fn log(&self, writes: &mut Writes) -> Result<(), StoreError>;

    /// Makes the writes visible, for a reader all at once. Calls `visible` before any reader can see the first of them.
    fn apply(&self, writes: Writes, visible: &dyn Fn()) -> Result<(), StoreError>;

    /// Makes everything durable that was applied.
    fn sync(&self) -> Result<(), StoreError>;
}

/// A transaction that waits, and who waits for it.
struct Waiting {
    plan: Plan,
    answer: SyncSender<Result<(), StoreError>>,
}

/// How far the groups are. A group's number is given when it becomes visible.
#[derive(Default)]
struct Progress {
    applied: u64,
    durable: u64,
    stopped: Option<StoreError>,
}

/// [`Progress`] as it is shared between the thread and those who wait in a barrier.
#[derive(Default)]
struct Shared {
    progress: Mutex<Progress>,
    moved: Condvar,
}

impl Shared {
    /// No code can panic between two changes of a progress, so one that was poisoned is as good as any.
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.lock());
        self.moved.notify_all();
    }
}

/// The handle of a committer thread. Dropping it finishes what waits and joins the thread.
pub(super) struct Committer {
    queue: Option<Sender<Waiting>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread.
    pub(super) fn start<E: Engine>(engine: Arc<E>) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let worker = Worker { engine, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("store-committer".to_owned())
            .spawn(move || worker.work(&waiting))
            .map_err(|error| StoreError::from_io("starting the committer", &error))?;
        Ok(Self { queue: Some(queue), shared, thread: Some(thread) })
    }

    /// See [`super::Store::transact`].
    pub(super) fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        let (answer, outcome) = mpsc::sync_channel(1);
        let queue = self.queue.as_ref().ok_or(StoreError::Stopped)?;
        queue.send(Waiting { plan, answer }).map_err(|_| StoreError::Stopped)?;
        outcome.recv().unwrap_or(Err(StoreError::Stopped))
    }

    /// What stopped the store, if something did.
    pub(super) fn health(&self) -> Result<(), StoreError> {
        self.shared.lock().stopped.clone().map_or(Ok(()), Err)
    }

    /// See [`super::Store::barrier`].
    pub(super) fn barrier(&self) -> Result<(), StoreError> {
        let mut progress = self.shared.lock();
        let seen = progress.applied;
        while progress.durable < seen {
            if let Some(error) = &progress.stopped {
                return Err(error.clone());
            }
            progress = self.shared.moved.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // Every panic inside is caught where it arises; there is nobody left to tell of another.
            let _ = thread.join();
        }
    }
}

/// A committer without a thread: who waits does the work. For a simulation, in which nobody waits beside.
#[cfg(any(test, feature = "simulated"))]
pub(super) struct Inline<E>(Worker<E>);

#[cfg(any(test, feature = "simulated"))]
impl<E: Engine> Inline<E> {
    pub(super) fn new(engine: Arc<E>) -> Self {
        Self(Worker { engine, shared: Arc::default() })
    }

    /// See [`super::Store::transact`].
    pub(super) fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        if let Some(error) = self.0.shared.lock().stopped.clone() {
            return Err(error);
        }
        let (answer, outcome) = mpsc::sync_channel(1);
        let (_, nobody) = mpsc::channel();
        self.0.group(Waiting { plan, answer }, &nobody);
        outcome.try_recv().unwrap_or(Err(StoreError::Stopped))
    }
}

/// What lives on the thread.
struct Worker<E> {
    engine: Arc<E>,
    shared: Arc<Shared>,
}

impl<E: Engine> Worker<E> {
    /// Works until the handle is dropped and nothing waits.
    fn work(&self, waiting: &Receiver<Waiting>) {
        while let Ok(first) = waiting.recv() {
            let stopped = self.shared.lock().stopped.clone();
            match stopped {
                Some(error) => drop(first.answer.send(Err(error))),
                None => self.group(first, waiting),
            }
        }
    }

    /// Runs the plans that wait, makes durable what they wrote, and answers.
    fn group(&self, first: Waiting, waiting: &Receiver<Waiting>) {
        let mut writes = UndoMap::new();
        let mut bytes = 0;
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(Waiting { plan, answer }) = next {
            let planned = self.plan(plan, &mut writes);
            bytes += planned.as_ref().map_or(0, |weight| *weight);
            answers.push((answer, planned));
            let full = answers.len() >= MOST_GROUP || bytes >= MOST_BATCH;
            next = if full { None } else { waiting.try_recv().ok() };
        }
        let written = self.write(writes.into_rows());
        for (answer, planned) in answers {
            // Who waits is always still there; were they not, nobody would miss the answer.
            let _ = answer.send(written.clone().and(planned.map(drop)));
        }
    }

    /// Runs one plan over the writes of those before it, and takes back what it wrote if it fails. Its weight in bytes.
    fn plan(&self, plan: Plan, writes: &mut UndoMap<Option<Vec<u8>>>) -> Result<usize, StoreError> {
        let mut transaction = GroupTransaction { engine: &*self.engine, writes, scale: Scale::default() };
        let outcome = run(plan, &mut transaction);
        let weighed = transaction.scale.weigh();
        let result = outcome.and(weighed);
        if result.is_err() {
            writes.roll_back_all();
        }
        writes.settle();
        result
    }

    /// Logs, applies and syncs a group. After a failure the store has stopped, but for a full disk that was found before anything was written.
    fn write(&self, mut writes: Writes) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        match self.engine.log(&mut writes) {
            Ok(()) => {}
            Err(StoreError::Full) => return Err(StoreError::Full),
            Err(error) => {
                self.shared.change(|progress| progress.stopped = Some(after(&error)));
                return Err(error);
            }
        }
        let visible = || self.shared.change(|progress| progress.applied += 1);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.engine.apply(writes, &visible)?;
            self.engine.sync()
        }))
        .unwrap_or(Err(StoreError::Damaged { what: "the engine panicked while it wrote" }));
        self.shared.change(|progress| match &outcome {
            Ok(()) => progress.durable = progress.applied,
            Err(error) => progress.stopped = Some(after(error)),
        });
        outcome
    }
}

/// What a store answers after a write failed: that it has stopped, or that the disk is full for as long as that is the reason.
fn after(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        _ => StoreError::Stopped,
    }
}

/// A plan's view: the writes of its group over what the engine holds.
struct GroupTransaction<'a> {
    engine: &'a dyn Read,
    writes: &'a mut UndoMap<Option<Vec<u8>>>,
    scale: Scale,
}

impl Read for GroupTransaction<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.engine.get(key),
        }
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        // Each write hides at most one entry of the engine, so with this many more there are `limit` left.
        let hidden = self.writes.range(start, end).count();
        let below = self.engine.range(start, end, limit.saturating_add(hidden))?;
        let mut entries: BTreeMap<Vec<u8>, Vec<u8>> = below.into_iter().collect();
        for (key, written) in self.writes.range(start, end) {
            match written {
                Some(value) => drop(entries.insert(key.clone(), value.clone())),
                None => drop(entries.remove(key)),
            }
        }
        Ok(entries.into_iter().take(limit).collect())
    }
}

impl Transaction for GroupTransaction<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        if self.scale.admits(&key, &value) {
            self.writes.set(key, Some(Some(value)));
        }
    }

    fn delete(&mut self, key: Vec<u8>) {
        if self.scale.admits(&key, &[]) {
            self.writes.set(key, Some(None));
        }
    }
}

#[cfg(test)]
mod tests;
