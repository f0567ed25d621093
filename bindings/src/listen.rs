//! Listeners: the app's own objects that hear of changes, of the state of the queue, and of what the server refused.
//!
//! All of them are called on one thread of Doorstep's, one after the other, under no lock: they may call back, and a screen's work belongs on the
//! screen's thread. What they throw is noted in the diagnostics and dropped.

use std::sync::Arc;

use crate::app::FieldApp;
use crate::codes::RecordKind;
use crate::error::{DoorstepError, ForeignError};
use crate::quarantine::RefusedRecord;
use crate::shared::Shared;
use crate::sync::SyncStatus;
use crate::types::Id;

/// A record whose row changed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ChangedRecord {
    /// What it is.
    pub kind: RecordKind,
    /// Which.
    pub id: Id,
}

/// What changed since the last telling: a screen reads again what it shows. Without records it was the sync state of some that changed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Change {
    /// The records.
    pub records: Vec<ChangedRecord>,
    /// Whether the directory of grids and people changed.
    pub directory: bool,
}

/// Hears of changes, at most ten times a second.
#[uniffi::export(foreign)]
pub trait ChangeListener: Send + Sync {
    /// Called after changes are durable.
    fn on_change(&self, change: Change) -> Result<(), ForeignError>;
}

/// Hears of the state of the queue: how it is when the listener comes, and from then on at most ten times a second.
#[uniffi::export(foreign)]
pub trait StatusListener: Send + Sync {
    /// Called when it may have changed.
    fn on_status(&self, status: SyncStatus) -> Result<(), ForeignError>;
}

/// Hears of each record that the server refused and that a person must look at: of those that are there when the listener comes, and of each that
/// comes later.
#[uniffi::export(foreign)]
pub trait RefusalListener: Send + Sync {
    /// Called for each.
    fn on_refused(&self, record: RefusedRecord) -> Result<(), ForeignError>;
}

/// Ends with `cancel` or when it is released.
#[derive(uniffi::Object)]
pub struct Subscription {
    shared: Arc<Shared>,
    number: u64,
}

#[uniffi::export]
impl Subscription {
    /// Nothing is told any more, but for what is being told just now.
    pub fn cancel(&self) -> Result<(), DoorstepError> {
        self.shared.dispatch.remove(self.number);
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.dispatch.remove(self.number);
    }
}

#[uniffi::export]
impl FieldApp {
    /// Tells `listener` of changes until the subscription is cancelled or released.
    pub fn on_changes(&self, listener: Arc<dyn ChangeListener>) -> Result<Arc<Subscription>, DoorstepError> {
        self.shared.with(|_| Ok(()))?;
        let number = self.shared.dispatch.add_changes(listener);
        Ok(Arc::new(Subscription { shared: Arc::clone(&self.shared), number }))
    }

    /// Tells `listener` the state of the queue until the subscription is cancelled or released.
    pub fn on_status(&self, listener: Arc<dyn StatusListener>) -> Result<Arc<Subscription>, DoorstepError> {
        self.shared.with(|_| Ok(()))?;
        let number = self.shared.dispatch.add_status(listener);
        Ok(Arc::new(Subscription { shared: Arc::clone(&self.shared), number }))
    }

    /// Tells `listener` of refused records until the subscription is cancelled or released.
    pub fn on_refusals(&self, listener: Arc<dyn RefusalListener>) -> Result<Arc<Subscription>, DoorstepError> {
        self.shared.with(|_| Ok(()))?;
        let number = self.shared.dispatch.add_refusals(listener);
        Ok(Arc::new(Subscription { shared: Arc::clone(&self.shared), number }))
    }
}
