//! The documents that a push works on: as the ledger has them, with what was accepted so far of this push on top.

use std::collections::BTreeMap;
use std::sync::Arc;

use doorstep_core::docs::{Change, DocKind, Document, DocumentError, Keyring, Reloaded};
use doorstep_core::model::{ChangeHash, DocId, EventId, Millis, Position, Receipt, Receipts, Scope, StreetId};
use doorstep_core::summary::Summary;
use doorstep_core::sync::Refusal;

use super::cache::{Loaded, Logged};
use super::order::precedence_of;
use super::registrar::Registrar;
use super::{Hub, HubError};
use crate::ledger::DocumentWrite;

/// A new snapshot is made when the log behind the last one weighs as much as the document: then no more than twice is written, whatever the
/// sizes, and a change that takes 110 bytes and more in the log takes 2 to 17 in a snapshot. Not before so many changes, though,
const LEAST_LOGGED: usize = 4;
/// and at the latest after so many: replaying the log costs about 60 µs a change.
pub(super) const MOST_LOGGED: usize = 64;

/// The largest document, saved, with its receipts, in bytes: with [`ANSWER_BYTES`](doorstep_core::sync::ANSWER_BYTES) before it a response
/// still fits its frame. A household reaches a tenth of it after three hundred visits.
const MOST_DOCUMENT_BYTES: usize = 400 * 1024;
/// What a receipt takes on the wire, at most.
const BYTES_PER_RECEIPT: usize = 64;

/// A document under work.
#[derive(Debug, Clone)]
pub struct Working {
    /// The document with what was accepted so far. Shared with the cache, and with what is kept in case the group under judgement is refused:
    /// it is copied when a change is applied, and only then.
    pub document: Arc<Document>,
    /// Its receipts, those of this push included.
    pub receipts: Receipts,
    /// The version that the ledger has; `None` for a new document.
    pub version: Option<Position>,
    /// The scopes that it is in by what was accepted so far; empty for a new document.
    pub scopes: Vec<Scope>,
    /// The scopes that it was in before what is under work.
    left: Vec<Scope>,
    logged: Logged,
    /// The summary of what the document was before what is under work, if it is known.
    before: Option<Arc<Summary>>,
    accepted: Vec<(ChangeHash, Receipt, Vec<u8>)>,
    late: Vec<EventId>,
    /// Whether its keys are others than the ledger has.
    has_new_keys: bool,
    /// Whether readers are to hear of it though no change was accepted.
    is_announced: bool,
}

impl Working {
    /// A document that does not exist yet, nor was erased before it came: see [`WorkingSet::begin`].
    pub fn new(kind: DocKind, id: DocId) -> Result<Self, Refusal> {
        Ok(Self {
            document: Arc::new(Document::new(kind, id)?),
            receipts: Receipts::default(),
            version: None,
            scopes: Vec::new(),
            left: Vec::new(),
            logged: Logged::default(),
            before: None,
            accepted: Vec::new(),
            late: Vec::new(),
            has_new_keys: false,
            is_announced: false,
        })
    }

    fn loaded(loaded: &Loaded) -> Self {
        Self {
            document: Arc::clone(&loaded.document),
            receipts: loaded.receipts.clone(),
            version: Some(loaded.version),
            scopes: loaded.scopes.clone(),
            left: loaded.scopes.iter().chain(&loaded.left).copied().collect(),
            logged: loaded.logged,
            before: loaded.summary.clone(),
            accepted: Vec::new(),
            late: Vec::new(),
            has_new_keys: false,
            is_announced: false,
        }
    }

    /// Takes keys that came for it.
    pub fn learn_keys(&mut self, came: &Keyring) {
        let keys = self.document.keys().learn(came);
        if keys != *self.document.keys() {
            self.has_new_keys = true;
            self.set_keyring(keys);
        }
    }

    fn set_keyring(&mut self, keys: Keyring) {
        Arc::make_mut(&mut self.document).set_keyring(keys);
        self.before = None; // says what could be read with the old ones
    }

    /// Takes keys that came for it without a change, and has readers hear of them. Whether they were new.
    pub fn learn_keys_alone(&mut self, came: &Keyring) -> bool {
        self.learn_keys(came);
        self.is_announced |= self.has_new_keys;
        self.has_new_keys
    }

    /// Its keys, if they are others than the ledger has.
    pub fn new_keys(&self) -> Option<(DocId, Keyring)> {
        self.has_new_keys.then(|| (self.document.id(), self.document.keys().clone()))
    }

    /// A document with what is left of its keys once it was erased or a value of it redacted: readers are to hear of it.
    pub fn cut(loaded: &Loaded, left: Keyring) -> Self {
        let mut working = Self::loaded(loaded);
        working.set_keyring(left);
        working.is_announced = true;
        working
    }

    /// Takes a change that was applied to `self.document`: it gets the next receipt.
    pub fn take(&mut self, change: &Change, registrar: &Registrar, at: Millis) -> Receipt {
        let receipt = registrar.receipt(self.document.id(), &change.hash(), &self.receipts, at);
        self.take_back(change, receipt);
        receipt
    }

    /// Takes a change that was applied to `self.document`, with the receipt that it has.
    pub fn take_back(&mut self, change: &Change, receipt: Receipt) {
        self.receipts.insert(change.hash(), receipt);
        self.accepted.push((change.hash(), receipt, change.bytes().to_vec()));
    }

    /// The scopes that it is or ever was in; none for a new document.
    pub fn scopes_ever(&self) -> Vec<Scope> {
        self.scopes.iter().chain(&self.left).copied().collect()
    }

    /// The scopes that it is in by what it says now, and by the cases that it was put to.
    pub fn scopes_now(&self, street: StreetId) -> Vec<Scope> {
        let cases = self.scopes.iter().filter(|scope| matches!(scope, Scope::Case(_))).copied();
        scopes_of(street, &self.document).into_iter().chain(cases).collect()
    }

    /// Notes an event that came too late.
    pub fn note_late(&mut self, events: impl IntoIterator<Item = EventId>) {
        self.late.extend(events);
    }

    /// Whether anything was accepted for it, or readers are to hear of it.
    pub fn is_changed(&self) -> bool {
        !self.accepted.is_empty() || self.is_announced
    }

    /// Makes sure that everybody can read the document and that a response can carry it. Gives it as saved.
    pub fn reload_check(&self) -> Result<Reloaded, Refusal> {
        let reloaded = self.document.saved_and_reloaded()?;
        let bytes = reloaded.bytes.len() + self.receipts.len() * BYTES_PER_RECEIPT;
        if bytes > MOST_DOCUMENT_BYTES { Err(Refusal::DocumentFull) } else { Ok(reloaded) }
    }

    /// What is to be written, with the document as the reload check saved it; with a snapshot after `most_logged` changes at the latest. What stays
    /// loaded is the document that the check loaded.
    pub fn into_write(
        self,
        street: StreetId,
        Reloaded { bytes: saved, document }: Reloaded,
        most_logged: usize,
    ) -> (DocumentWrite, Loaded) {
        let scopes = self.scopes_now(street);
        let after = self.before.and_then(|before| before.after(&self.document));
        let summary = after.unwrap_or_else(|| Summary::of(&document, &self.receipts));
        let precedence = precedence_of(&summary);
        let row = summary.to_row(document.keys());
        let bytes = u32::try_from(saved.len() + self.receipts.len() * BYTES_PER_RECEIPT + row.len()).unwrap_or(u32::MAX);
        let logged = Logged {
            changes: self.logged.changes + self.accepted.len(),
            bytes: self.logged.bytes + self.accepted.iter().map(|(_, _, bytes)| bytes.len()).sum::<usize>(),
        };
        let is_time = logged.changes >= most_logged || (logged.changes >= LEAST_LOGGED && logged.bytes >= saved.len());
        let (snapshot, logged) = if is_time { (Some(saved), Logged::default()) } else { (None, logged) };
        let write = DocumentWrite {
            doc: document.id(),
            kind: document.kind(),
            expected: self.version,
            changes: self.accepted,
            snapshot,
            receipts: self.receipts.clone(),
            scopes: scopes.clone(),
            summary: row,
            is_announced: self.is_announced,
            late: self.late,
            bytes,
            precedence,
            is_compact: false,
        };
        let left = self.left.into_iter().filter(|scope| !scopes.contains(scope)).collect();
        let summary = Some(Arc::new(summary));
        let loaded = Loaded { document: Arc::new(document), receipts: self.receipts, version: Position(0), scopes, left, logged, summary };
        (write, loaded)
    }
}

/// The scopes that a document is in: its street, and each grid that it says it belongs to (several while a move is in conflict).
fn scopes_of(street: StreetId, document: &Document) -> Vec<Scope> {
    let grids = document.grids().into_iter().map(Scope::Grid);
    std::iter::once(Scope::Street(street)).chain(grids).collect()
}

/// The documents of one push.
#[derive(Debug, Clone, Default)]
pub struct WorkingSet(pub BTreeMap<DocId, Working>, BTreeMap<DocId, Keyring>);

impl WorkingSet {
    /// The document, loaded if it was not yet; `None` if there is none of this id.
    pub fn fetch(&mut self, hub: &Hub, street: StreetId, doc: DocId) -> Result<Option<&Working>, HubError> {
        if !self.0.contains_key(&doc)
            && let Some(loaded) = hub.load(street, doc)?
        {
            self.0.insert(doc, Working::loaded(&loaded));
        } else if !self.0.contains_key(&doc) {
            let (keys, _) = hub.ledger.keys(street, doc)?;
            if keys.is_cut() {
                self.1.insert(doc, keys);
            }
        }
        Ok(self.0.get(&doc))
    }

    /// Begins a document that was fetched and is not there. What was erased or redacted stays so, also where the ledger was set up again from before
    /// it came.
    pub fn begin(&self, kind: DocKind, doc: DocId) -> Result<Working, Refusal> {
        let mut working = Working::new(kind, doc)?;
        if let Some(left) = self.1.get(&doc) {
            Arc::make_mut(&mut working.document).set_keyring(left.clone());
        }
        Ok(working)
    }
}

impl Hub {
    /// What is to be written of a document that the server itself changed.
    pub(super) fn written(&self, street: StreetId, working: Working) -> Result<(DocumentWrite, Loaded), HubError> {
        let id = working.document.id();
        let saved = working.reload_check().map_err(|_| HubError::Document(DocumentError::NotReloadable { id }))?;
        Ok(working.into_write(street, saved, self.most_logged))
    }

    /// A document as the ledger has it: from the cache, or loaded from snapshot and log.
    pub(super) fn load(&self, street: StreetId, doc: DocId) -> Result<Option<Arc<Loaded>>, HubError> {
        if let Some(loaded) = self.cache.get(street, doc) {
            return Ok(Some(loaded));
        }
        let Some(stored) = self.ledger.document(street, doc)? else { return Ok(None) };
        let document = stored.load(doc)?;
        let loaded = Arc::new(Loaded {
            receipts: stored.receipts,
            version: stored.version,
            scopes: stored.scopes,
            left: stored.left,
            logged: Logged { changes: stored.log.len(), bytes: stored.log.iter().map(|change| change.bytes.len()).sum() },
            summary: Summary::carried(&stored.summary, document.keys()).map(Arc::new),
            document: Arc::new(document),
        });
        self.cache.put(street, Arc::clone(&loaded));
        Ok(Some(loaded))
    }
}
