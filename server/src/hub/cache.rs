//! A bounded cache of loaded documents: hot ones are judged without loading, and memory does not grow with the number of documents.

use std::sync::Arc;

use doorstep_core::docs::Document;
use doorstep_core::model::{DocId, Position, Receipts, Scope, StreetId};
use doorstep_core::summary::Summary;

/// A document as it is in the ledger at `version`.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The document.
    pub document: Arc<Document>,
    /// The receipts of its changes.
    pub receipts: Receipts,
    /// The version that the ledger has.
    pub version: Position,
    /// The scopes that it is in.
    pub scopes: Vec<Scope>,
    /// The scopes that it was in before, and is not any more.
    pub left: Vec<Scope>,
    /// What the ledger's log holds behind its snapshot.
    pub logged: Logged,
    /// Its summary, if one is known that may be carried on.
    pub summary: Option<Arc<Summary>>,
}

/// How much a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logged {
    /// How many changes.
    pub changes: usize,
    /// Their bytes.
    pub bytes: usize,
}

#[derive(Clone)]
struct Weigher;

/// What a loaded document takes: measured 18 to 85 kB for 10 to 40 changes, so a base and some kilobytes for each change.
const BASE_BYTES: u64 = 16 * 1024;
const BYTES_PER_CHANGE: u64 = 2 * 1024;

impl quick_cache::Weighter<(StreetId, DocId), Arc<Loaded>> for Weigher {
    fn weight(&self, _: &(StreetId, DocId), loaded: &Arc<Loaded>) -> u64 {
        BASE_BYTES + BYTES_PER_CHANGE * loaded.document.change_count() as u64
    }
}

/// The cache. It is only a cache: a commit is conditional on the version, so a stale entry costs a second look and nothing else.
pub struct Cache(quick_cache::sync::Cache<(StreetId, DocId), Arc<Loaded>, Weigher>);

impl Cache {
    /// A cache of about this many bytes.
    pub fn new(bytes: u64) -> Self {
        let expected = usize::try_from(bytes / (BASE_BYTES + 8 * BYTES_PER_CHANGE)).unwrap_or(usize::MAX).max(16);
        Self(quick_cache::sync::Cache::with_weighter(expected, bytes, Weigher))
    }

    /// A document, if it is loaded.
    pub fn get(&self, street: StreetId, doc: DocId) -> Option<Arc<Loaded>> {
        self.0.get(&(street, doc))
    }

    /// Keeps a document.
    pub fn put(&self, street: StreetId, loaded: Arc<Loaded>) {
        self.0.insert((street, loaded.document.id()), loaded);
    }

    /// Forgets a document.
    pub fn remove(&self, street: StreetId, doc: DocId) {
        self.0.remove(&(street, doc));
    }
}
