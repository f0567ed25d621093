//! A document in the ledger: as it is read, and what a commit does to it.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{ChangeHash, DocId, EventId, Position, Receipt, Receipts, Scope};

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
    /// Its encoded summary.
    pub summary: Vec<u8>,
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
/// Its changes take positions in the order given, one each. Without a change it takes one where the scopes are others than before, and none
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
    /// Its summary from now on.
    pub summary: Vec<u8>,
    /// Events of a case that came too late, for the centre's list.
    pub late: Vec<EventId>,
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
