//! A document in the ledger: as it is read, and what a commit does to it.

use doorstep_core::docs::{Change, DocKind, Document, DocumentError, Keyring};
use doorstep_core::model::{ChangeHash, DocId, EventId, Position, Receipt, Receipts, Scope};

use super::Precedence;

/// A document as the ledger keeps it, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// What it is.
    pub kind: DocKind,
    /// Its version: the position of its newest change. A commit that was prepared on it is conditional on this.
    pub version: Position,
    /// The last snapshot, as automerge saved it (not compressed), if one was made.
    pub snapshot: Option<Vec<u8>>,
    /// The original bytes of the changes that came after the snapshot, in the order of their receipts.
    pub log: Vec<LoggedChange>,
    /// The receipts of all its changes.
    pub receipts: Receipts,
    /// The scopes that it is in.
    pub scopes: Vec<Scope>,
    /// The scopes that it was in before, and is not any more.
    pub left: Vec<Scope>,
    /// Its summary, as a row.
    pub summary: Vec<u8>,
    /// The keys of the record, as far as the ledger has them, or that it was erased.
    pub keys: Keyring,
    /// The position at which the keys came to be these.
    pub keys_at: Position,
}

/// An accepted change.
#[derive(Clone, PartialEq, Eq)]
pub struct LoggedChange {
    /// Its position in the street's log.
    pub position: Position,
    /// Its hash.
    pub hash: ChangeHash,
    /// Its receipt.
    pub receipt: Receipt,
    /// Its bytes as the author made them.
    pub bytes: Vec<u8>,
}

/// What a commit does to one document.
///
/// With a snapshot, the log of before the snapshot *before it* goes: so there is always a while of changes for those who come by often, and
/// whoever comes from farther back gets a snapshot. Hash, receipt and the way to the signature stay.
///
/// Its changes take positions in the order given, one each. Without a change it takes one where the scopes are others than before or it is announced, and none
/// otherwise: a new snapshot or summary is nothing that a reader of the feed need hear of.
#[derive(Clone)]
pub struct DocumentWrite {
    /// The document.
    pub doc: DocId,
    /// What it is.
    pub kind: DocKind,
    /// The version that acceptance read; `None` if the document must not exist yet.
    pub expected: Option<Position>,
    /// The accepted changes: hash, receipt and original bytes, in the order of their receipts.
    pub changes: Vec<(ChangeHash, Receipt, Vec<u8>)>,
    /// A snapshot that holds everything up to and including these changes, when it is time for one.
    pub snapshot: Option<Vec<u8>>,
    /// The receipts of all changes, these included. Written with a snapshot only: what came after one has its receipts in the log.
    pub receipts: Receipts,
    /// The scopes that it is in from now on. One that it was in and is not any more gets a `Left` entry at the new position.
    pub scopes: Vec<Scope>,
    /// Its summary from now on, as a row.
    pub summary: Vec<u8>,
    /// Whether readers are to hear of it though nothing was written: its keys are others than before.
    pub is_announced: bool,
    /// Events of a case that came too late, for the centre's list.
    pub late: Vec<EventId>,
    /// About how many bytes all of it takes, for whoever plans an answer.
    pub bytes: u32,
    /// How soon somebody who has nothing yet needs it.
    pub precedence: Precedence,
    /// Whether a new document is kept as its snapshot alone: there is nobody who has read a part of it, and no signature to its changes.
    pub is_compact: bool,
}

impl StoredDocument {
    /// The document, loaded: its snapshot with the log on top, and its keys.
    ///
    /// # Errors
    /// When the bytes are no document any more.
    pub fn load(&self, doc: DocId) -> Result<Document, DocumentError> {
        let mut document = match &self.snapshot {
            Some(bytes) => Document::load(self.kind, doc, bytes)?,
            None => Document::new(self.kind, doc)?,
        };
        let reread = |bytes: &[u8]| Change::reread(bytes).map_err(|_| DocumentError::Unloadable { id: doc });
        let changes: Vec<Change> = self.log.iter().map(|logged| reread(&logged.bytes)).collect::<Result<_, _>>()?;
        document.replay(&changes)?;
        Ok(document.with_keys(self.keys.clone()))
    }
}

impl DocumentWrite {
    /// What gives a document a new snapshot, to be added, and changes nothing else.
    pub fn compaction(doc: DocId, stored: &StoredDocument) -> Self {
        Self {
            doc,
            kind: stored.kind,
            expected: Some(stored.version),
            changes: Vec::new(),
            snapshot: None,
            receipts: stored.receipts.clone(),
            scopes: stored.scopes.clone(),
            summary: stored.summary.clone(),
            is_announced: false,
            late: Vec::new(),
            // Both stand in the feed, where nothing moves.
            bytes: 0,
            precedence: Precedence::default(),
            is_compact: false,
        }
    }
}

/// Sizes only, as all of these: documents hold personal data.
impl std::fmt::Debug for StoredDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredDocument")
            .field("kind", &self.kind)
            .field("version", &self.version)
            .field("snapshot", &self.snapshot.as_ref().map(Vec::len))
            .field("log", &self.log)
            .field("receipts", &self.receipts.len())
            .field("scopes", &self.scopes)
            .field("summary", &self.summary.len())
            .finish()
    }
}

impl std::fmt::Debug for LoggedChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoggedChange")
            .field("position", &self.position)
            .field("hash", &self.hash)
            .field("receipt", &self.receipt)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

impl std::fmt::Debug for DocumentWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentWrite")
            .field("doc", &self.doc)
            .field("kind", &self.kind)
            .field("expected", &self.expected)
            .field("changes", &self.changes.len())
            .field("snapshot", &self.snapshot.as_ref().map(Vec::len))
            .field("scopes", &self.scopes)
            .field("late", &self.late)
            .finish_non_exhaustive()
    }
}
