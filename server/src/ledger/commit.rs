//! A commit, and what it brings beside documents: groups accepted and refused, and the signature that they came under.

use doorstep_core::docs::{DocKind, Keyring};
use doorstep_core::model::{ChangeHash, ClaimKey, DeviceId, Directory, DocId, Grant, GroupId, Millis, PersonId, Scope};
use doorstep_core::sync::Signature;

use super::DocumentWrite;

/// An accepted group: kept for ever, so that a group that comes again gets the same verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedGroup {
    /// The group.
    pub id: GroupId,
    /// When it was accepted.
    pub at: Millis,
    /// Its changes in order: document, hash, receipt number.
    pub changes: Vec<(DocId, ChangeHash, u64)>,
    /// The case that claimed the same before.
    pub duplicate_of: Option<DocId>,
    /// Who adopted it, if its author had lost the right to it before it arrived. Its signature is its author's.
    pub adopted_by: Option<PersonId>,
}

/// A group that was refused: kept with its reason, its bytes and who sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct QuarantinedGroup {
    /// The group.
    pub id: GroupId,
    /// When it was refused.
    pub at: Millis,
    /// The device that sent it.
    pub device: DeviceId,
    /// The person in whose name the device writes.
    pub person: PersonId,
    /// The code of the refusal.
    pub code: String,
    /// How far ahead the clock was, for `sync.clock_ahead`.
    pub offset_ms: Option<i64>,
    /// The group that it builds on, for `sync.depends_on_refused`.
    pub because_of: Option<GroupId>,
    /// Its changes: document, kind, bytes as they came.
    pub changes: Vec<(DocId, DocKind, Vec<u8>)>,
    /// For late work: the signed push that it came in, by which it is accepted once somebody adopts it.
    pub proof: Option<PushProof>,
}

/// Late work that waits for somebody who answers for its scope. The group itself is in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// The group.
    pub group: GroupId,
    /// Its documents, each with the scopes that it is in as far as was known when it arrived: those that did not exist are in none but by this.
    pub documents: Vec<(DocId, Vec<Scope>)>,
}

/// The signed push that accepted groups came in: authorship is this signature, never the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushProof {
    /// The device that signed.
    pub device: DeviceId,
    /// The signature over the Merkle root of `leaves`.
    pub signature: Signature,
    /// All leaves of the push, refused ones included, in order.
    pub leaves: Vec<(DocId, ChangeHash)>,
}

/// A key that a case claims from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimWrite {
    /// What is claimed.
    pub key: ClaimKey,
    /// The case.
    pub case: DocId,
    /// The case that claimed it when it was decided; `None` if it must be free.
    pub expected: Option<DocId>,
}

/// Everything that becomes durable together, or not at all. Positions go to the documents in their order, then to the directory.
#[derive(Default)]
pub struct Commit {
    /// What happens to documents.
    pub documents: Vec<DocumentWrite>,
    /// The groups that these changes belong to; each must be unknown so far.
    pub groups: Vec<AcceptedGroup>,
    /// Keys that cases claim.
    pub claims: Vec<ClaimWrite>,
    /// Cases on whose claims a ruling is due, once the street is reconciled.
    pub rulings_due: Vec<DocId>,
    /// Cases on which none is due any more.
    pub rulings_given: Vec<DocId>,
    /// Groups that were refused.
    pub quarantine: Vec<QuarantinedGroup>,
    /// Those of them that wait for somebody who may adopt them.
    pub inbox: Vec<InboxEntry>,
    /// Keys of records from now on.
    pub keys: Vec<(DocId, Keyring)>,
    /// Late work that waits no longer: each must wait still.
    pub decided: Vec<GroupId>,
    /// The signature that the groups came under. Changes that are not among its leaves have none: the server made them.
    pub proof: Option<PushProof>,
    /// The grants that policy read: each must stand as it stood then.
    pub grants: Vec<Grant>,
    /// The device that the commit is for: it must not have ended.
    pub device: Option<DeviceId>,
    /// The directory version that it read.
    pub directory_version: Option<u64>,
    /// A directory that takes the place of the present one; its version must be one above it.
    pub directory: Option<Directory>,
}

/// Without the changes' bytes: they hold personal data.
impl std::fmt::Debug for QuarantinedGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuarantinedGroup")
            .field("id", &self.id)
            .field("at", &self.at)
            .field("device", &self.device)
            .field("person", &self.person)
            .field("code", &self.code)
            .field("changes", &self.changes.len())
            .finish_non_exhaustive()
    }
}

/// Without the directory and the claims: they name people.
impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit")
            .field("documents", &self.documents)
            .field("groups", &self.groups)
            .field("claims", &self.claims.len())
            .field("quarantine", &self.quarantine)
            .field("directory_version", &self.directory_version)
            .finish_non_exhaustive()
    }
}
