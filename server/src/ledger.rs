//! The ledger: what the server must not lose, and the order in which it happened.
//!
//! Each street has one ordered log: an accepted group takes the next positions. A scope is an index from position to document in which a
//! document stands once, at its newest position, so that a reconnect costs what changed and not what exists. Streets are isolated: every
//! call names one, and nothing read for one street can come from another.
//!
//! A commit is conditional: each document is still at the version that acceptance read, the directory and the grants as policy read them, each
//! claimed key still free. In one process that never fails under the hub's document locks; with several servers over one database it is what
//! keeps them right. So the trait asks for nothing that portable SQL cannot do: one counter row a street gives positions in the order of
//! commits, and no reader relies on a sequence for order.
//!
//! What a commit returned is durable. A reader may see a commit before that; whoever publishes what it read calls [`Ledger::barrier`] first.

pub mod keyed;

mod commit;
mod document;
mod error;
mod feed;
mod street;

#[cfg(test)]
pub(crate) mod conformance;

use doorstep_core::docs::{DocKind, Keyring};
use doorstep_core::model::{
    ClaimKey, DeviceId, DeviceTag, Directory, DocId, Era, EventId, Grant, GrantId, GroupId, LedgerId, Millis, PersonId, Position, Scope,
    StreetId,
};

pub use commit::{AcceptedGroup, ClaimWrite, Commit, InboxEntry, PushProof, QuarantinedGroup};
pub use document::{DocumentWrite, LoggedChange, StoredDocument};
pub use error::LedgerError;
pub use feed::{FeedRow, Precedence};
pub use keyed::KeyedLedger;
pub use street::{Device, Ended, Ending, EnrolmentCode, Hold, SealKey, Street};

/// The ledger of all streets of a server. Calls block on the disk: not for an async thread.
pub trait Ledger: Send + Sync {
    /// The streets, by id.
    ///
    /// # Errors
    /// [`LedgerError::Store`] or [`LedgerError::Damaged`], as all of these.
    fn streets(&self) -> Result<Vec<Street>, LedgerError>;

    /// Begins another life of a street's ledger: it was set up again from a backup, and positions that were given behind its newest mean nothing
    /// any more. What is in it is what is backed up; until [`Ledger::end_reconciliation`] the street is reconciling.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn renew(&self, street: StreetId, ledger: LedgerId, era: Era) -> Result<(), LedgerError>;

    /// Notes that everything up to a position is in a backup. One before what was noted last changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn note_backup(&self, street: StreetId, up_to: Position) -> Result<(), LedgerError>;

    /// Notes that a device has given back all that it holds, in this life of the ledger.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn note_reconciled(&self, street: StreetId, device: DeviceTag) -> Result<(), LedgerError>;

    /// The devices that have.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn reconciled(&self, street: StreetId) -> Result<Vec<DeviceTag>, LedgerError>;

    /// The street is reconciling no more.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn end_reconciliation(&self, street: StreetId) -> Result<(), LedgerError>;

    /// Cases on which a ruling is due, by id, at most `limit`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn rulings_due(&self, street: StreetId, limit: usize) -> Result<Vec<DocId>, LedgerError>;

    /// Adds a street with its first directory (version 1), which takes position 1.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the street is there already.
    fn add_street(&self, street: &Street, directory: &Directory) -> Result<(), LedgerError>;

    /// The directory of a street.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn directory(&self, street: StreetId) -> Result<Directory, LedgerError>;

    /// A document with everything that belongs to it.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn document(&self, street: StreetId, doc: DocId) -> Result<Option<StoredDocument>, LedgerError>;

    /// What a document is and in which scopes, without the document: one small read.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn scopes(&self, street: StreetId, doc: DocId) -> Result<Option<(DocKind, Vec<Scope>)>, LedgerError>;

    /// The changes of a document behind a position, in the order of their receipts, at most `limit`. `None` where the log does not reach
    /// back so far, because a snapshot took its place.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn changes_after(&self, street: StreetId, doc: DocId, after: Position, limit: usize) -> Result<Option<Vec<LoggedChange>>, LedgerError>;

    /// The signed push that the change at a position of a document came in; `None` for what the server made itself, and where there is no
    /// such change.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn proof(&self, street: StreetId, doc: DocId, position: Position) -> Result<Option<PushProof>, LedgerError>;

    /// Summaries of a street's documents of one kind behind `after`, by id, at most `limit`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn summaries(&self, street: StreetId, kind: DocKind, after: Option<DocId>, limit: usize) -> Result<Vec<(DocId, Vec<u8>)>, LedgerError>;

    /// Events that came too late and are not taken off the centre's list: case, event, position; the oldest first, at most `limit`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn late_events(&self, street: StreetId, limit: usize) -> Result<Vec<(DocId, EventId, Position)>, LedgerError>;

    /// What stands in a scope behind a position, in order, at most `limit` rows. A document stands once, at its newest position; one that
    /// left stands once, where it left, until it comes back. Fewer rows than `limit` mean that this was all when the call began. What moves
    /// on while this reads is found at its old place or at its new one, which lies behind the [`Ledger::newest`] of before the call.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn feed(&self, street: StreetId, scope: Scope, after: Position, limit: usize) -> Result<Vec<FeedRow>, LedgerError>;

    /// The newest position of a street: everything up to it can be read.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn newest(&self, street: StreetId) -> Result<Position, LedgerError>;

    /// An accepted group, if this id was accepted.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn group(&self, street: StreetId, group: GroupId) -> Result<Option<AcceptedGroup>, LedgerError>;

    /// The case that claims a key.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn claim(&self, street: StreetId, key: &ClaimKey) -> Result<Option<DocId>, LedgerError>;

    /// Commits all of it or nothing, and returns when it is durable, with the new version of each document in the order of
    /// [`Commit::documents`]. Positions are given in the order of commits, without gaps.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when a condition does not hold: nothing was written. [`LedgerError::NoStreet`]. After
    /// [`LedgerError::Store`] the outcome is open; repeating it is safe, since its conditions do not hold a second time.
    fn commit(&self, street: StreetId, commit: Commit) -> Result<Vec<Position>, LedgerError>;

    /// The keys of a record, or that it was erased, and the position at which they came to be these; an empty ring where there are none. One read.
    ///
    /// # Errors
    /// When the store fails or the row does not open.
    fn keys(&self, street: StreetId, doc: DocId) -> Result<(Keyring, Position), LedgerError>;

    /// Takes what is left of the keys of a record once it was erased or a value of it redacted, and destroys, durably, in all that the store keeps and can
    /// be opened, what is missing in it. No later commit brings that back. May be repeated. Costs the rewriting of a part of the keys: see
    /// [`doorstep_core::store::vault`].
    ///
    /// # Errors
    /// When the store fails.
    fn cut_keys(&self, street: StreetId, doc: DocId, left: &Keyring) -> Result<(), LedgerError>;

    /// Begins a hold of a record, or ends it. One that is there is replaced, one that is not there is ended already.
    ///
    /// # Errors
    /// [`LedgerError::NoStreet`].
    fn set_hold(&self, street: StreetId, doc: DocId, hold: Option<Hold>) -> Result<(), LedgerError>;

    /// The holds of a street, by record.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn holds(&self, street: StreetId) -> Result<Vec<(DocId, Hold)>, LedgerError>;

    /// Returns when everything that a reader can have seen is durable.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn barrier(&self) -> Result<(), LedgerError>;

    /// A refused group by its id, as it was refused last: a verdict on a hash is final, so the same bytes get the same answer again.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn quarantined(&self, street: StreetId, group: GroupId) -> Result<Option<QuarantinedGroup>, LedgerError>;

    /// Refused groups of a street, the latest first, at most `limit`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn quarantine(&self, street: StreetId, limit: usize) -> Result<Vec<QuarantinedGroup>, LedgerError>;

    /// Late work of a street that waits, by group, at most `limit`. Groups are named by when they were recorded, so that is its order.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn inbox(&self, street: StreetId, limit: usize) -> Result<Vec<InboxEntry>, LedgerError>;

    /// Adds a grant. The same grant once more changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] (`grant`) when there is another with this id, [`LedgerError::NoStreet`].
    fn add_grant(&self, street: StreetId, grant: &Grant) -> Result<(), LedgerError>;

    /// All grants of a person, ended ones included, by id.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn grants(&self, street: StreetId, person: PersonId) -> Result<Vec<Grant>, LedgerError>;

    /// Ends a grant at a time; one that ends earlier anyway stays as it is.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] (`grant`) when there is none.
    fn end_grant(&self, street: StreetId, person: PersonId, grant: GrantId, at: Millis) -> Result<(), LedgerError>;

    /// Keeps a code.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] (`code`) when it is there already, [`LedgerError::NoStreet`].
    fn add_code(&self, code: &str, enrolment: &EnrolmentCode) -> Result<(), LedgerError>;

    /// A code, used or not.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn code(&self, code: &str) -> Result<Option<EnrolmentCode>, LedgerError>;

    /// Marks a code as used, keeps the device and puts its tag beside the person in the directory, in one batch.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the code is unknown, used or somebody else's (`code`), when a device of any street has the same tag
    /// (`device`), or when the directory does not know the person any more (`directory`).
    fn enrol(&self, code: &str, device: &Device) -> Result<(), LedgerError>;

    /// A device.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn device(&self, id: DeviceId) -> Result<Option<Device>, LedgerError>;

    /// The device of a tag.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn device_of(&self, tag: DeviceTag) -> Result<Option<Device>, LedgerError>;

    /// Ends a device; one that has ended stays as it is.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] (`device`) when there is none.
    fn end_device(&self, id: DeviceId, ended: Ended) -> Result<(), LedgerError>;

    /// Notes when a device was heard of last.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] (`device`) when there is none.
    fn note_contact(&self, id: DeviceId, at: Millis) -> Result<(), LedgerError>;

    /// Notes up to where a device has read; a lower position than the one that is noted changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] (`device`) when there is none.
    fn note_reading(&self, id: DeviceId, read_to: Position) -> Result<(), LedgerError>;

    /// Bytes on disk.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn size_on_disk(&self) -> Result<u64, LedgerError>;
}
