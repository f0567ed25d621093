//! Imports under way: [jobs](super::job) that write what a request has planned.
//!
//! One at a time, so that an import never holds more than one file in memory and phones are served beside it. What is kept here is only
//! for looking at; it is gone with the process, and an import that was cut is gone on with by sending the same file again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use doorstep_core::model::StreetId;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::job::{self, Job};
use crate::hub::Hub;
use crate::import::plan::Plan;

/// How many imports can be looked at; the oldest is forgotten first. A street is set up with three.
const MOST_KEPT: usize = 64;

/// The imports of this process.
pub struct Imports {
    one_at_a_time: Arc<Semaphore>,
    kept: Mutex<BTreeMap<u64, Job<Import>>>,
}

/// How far an import has come.
#[derive(Debug, Clone, Serialize)]
pub struct Import {
    id: u64,
    kind: &'static str,
    street: String,
    rows: usize,
    imported_before: usize,
    documents: usize,
    documents_done: usize,
    documents_written: usize,
}

impl Import {
    /// Its number, from 1 in each life of the process.
    pub const fn id(&self) -> u64 {
        self.id
    }
}

impl Default for Imports {
    fn default() -> Self {
        Self { one_at_a_time: Arc::new(Semaphore::new(1)), kept: Mutex::default() }
    }
}

impl Imports {
    /// The right to import, from reading the file to its last document; `None` while somebody else has it.
    pub fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.one_at_a_time).try_acquire_owned().ok()
    }

    /// How far an import has come.
    pub fn get(&self, id: u64) -> Option<Job<Import>> {
        self.kept().get(&id).cloned()
    }

    /// Starts writing a plan on a thread of its own, and says what it begins with.
    pub fn start(
        self: &Arc<Self>,
        turn: OwnedSemaphorePermit,
        hub: Arc<Hub>,
        street: StreetId,
        kind: &'static str,
        plan: Plan,
    ) -> Job<Import> {
        let begun = self.keep(street, kind, &plan);
        let id = begun.of.id;
        tracing::info!(import = id, kind, documents = begun.of.documents, "importing");
        let (imports, watcher) = (Arc::downgrade(self), Arc::downgrade(self));
        job::run(
            move || write(&imports, &hub, street, id, plan),
            move |how| {
                if let Some(imports) = watcher.upgrade() {
                    imports.end(id, how);
                }
                drop(turn);
            },
        );
        begun
    }

    fn keep(&self, street: StreetId, kind: &'static str, plan: &Plan) -> Job<Import> {
        let mut kept = self.kept();
        let begun = Job::begun(Import {
            id: kept.last_key_value().map_or(0, |(last, _)| *last) + 1,
            kind,
            street: street.to_string(),
            rows: plan.rows(),
            imported_before: plan.already(),
            documents: plan.documents(),
            documents_done: 0,
            documents_written: 0,
        });
        kept.insert(begun.of.id, begun.clone());
        while kept.len() > MOST_KEPT {
            kept.pop_first();
        }
        begun
    }

    fn advance(&self, id: u64, done: usize, written: usize) {
        if let Some(job) = self.kept().get_mut(&id) {
            job.of.documents_done += done;
            job.of.documents_written += written;
        }
    }

    fn end(&self, id: u64, how: Result<(), &'static str>) {
        tracing::info!(import = id, code = how.err().unwrap_or_default(), "an import ended");
        if let Some(job) = self.kept().get_mut(&id) {
            job.end(how);
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<u64, Job<Import>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a plan batch by batch. The routes hold the only strong reference: when the server stops and they are gone, this ends too, with
/// whole batches on disk.
fn write(imports: &Weak<Imports>, hub: &Hub, street: StreetId, id: u64, plan: Plan) -> Result<(), &'static str> {
    for batch in plan.into_batches() {
        let Some(imports) = imports.upgrade() else {
            tracing::warn!(import = id, "the stop of the server cut an import; the same file again goes on with it");
            return Ok(());
        };
        let written = hub.create_documents(street, &batch, &mut |_| {}).map_err(|error| {
            tracing::error!(import = id, %error, "an import failed");
            error.code()
        })?;
        imports.advance(id, batch.len(), written);
    }
    Ok(())
}
