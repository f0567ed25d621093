//! Change notices: which rows changed, so that a screen can refresh.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::docs::DocKind;
use crate::model::DocId;

/// What changed, sent after it is durable. Data, not documents: a screen reads again what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeNotice {
    /// The documents whose rows changed.
    pub documents: Vec<(DocKind, DocId)>,
    /// Whether the directory changed.
    pub directory: bool,
    /// Whether the sync status or the sync state of rows changed.
    pub status: bool,
}

impl ChangeNotice {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && !self.directory && !self.status
    }
}

type Listener = Arc<dyn Fn(&ChangeNotice) + Send + Sync>;

/// Who wants to know.
#[derive(Default)]
pub(super) struct Listeners {
    next: u64,
    listeners: BTreeMap<u64, Listener>,
}

/// Ends a subscription when it is dropped.
pub struct Subscription {
    pub(super) listeners: Arc<Mutex<Listeners>>,
    pub(super) number: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).listeners.remove(&self.number);
    }
}

impl Listeners {
    pub(super) fn add(&mut self, listener: Listener) -> u64 {
        self.next += 1;
        self.listeners.insert(self.next, listener);
        self.next
    }

    pub(super) fn all(&self) -> Vec<Listener> {
        self.listeners.values().cloned().collect()
    }
}
