//! What an app hears when a command or query fails.

use crate::docs::DocumentError;
use crate::model::Invalid;
use crate::policy::Denied;
use crate::store::StoreError;
use crate::sync::client::SyncFailure;
use crate::workflow::Superseded;

/// Why the engine did not do what it was asked. Nothing was recorded then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// This store has no identity yet: enrol first.
    #[error("this phone is not enrolled yet")]
    NotEnrolled,
    /// The store was erased, on the server's order or because its person signed out: another enrolment needs a new one.
    #[error("this phone was erased")]
    Wiped,
    /// This store has an identity; another person needs another store.
    #[error("this phone is enrolled already")]
    AlreadyEnrolled,
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// What is named is not on this phone.
    #[error("there is no such {what} on this phone")]
    NotFound {
        /// What was named: `household`, `case`, `grid`.
        what: &'static str,
    },
    /// Policy does not allow it to this person.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The case has come to a state in which this step does not apply.
    #[error(transparent)]
    Superseded(#[from] Superseded),
    /// Only the author of a visit may amend it.
    #[error("only its author may amend a visit")]
    NotTheAuthor,
    /// What was refused is not on this phone any more: it was handed over to whoever answers for its scope now.
    #[error("it was handed over to whoever answers for it now")]
    HandedOver,
    /// What is personal there is not for this person to read, and so not to write.
    #[error("what is personal in the record is locked for this person")]
    Locked,
    /// The record was erased: nothing can be written there any more.
    #[error("the record was erased")]
    Erased,
    /// The server was not reached for so long that what is held here is not shown until it is. Recording goes on.
    #[error("the server was not reached for too long: what is held here is shown again when it was")]
    LeaseOver,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document does not load or does not take a change.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A row of the store does not decode.
    #[error("a row of table {table} does not decode")]
    Damaged {
        /// The table.
        table: &'static str,
    },
    /// The sync failed; it is tried again.
    #[error(transparent)]
    Sync(#[from] SyncFailure),
}

impl FieldError {
    /// The code in the apps. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "field.not_enrolled",
            Self::Wiped => "field.wiped",
            Self::AlreadyEnrolled => "field.already_enrolled",
            Self::Invalid(_) => "field.invalid",
            Self::NotFound { .. } => "field.not_found",
            Self::Denied(denied) => denied.code(),
            Self::Superseded(superseded) => superseded.code(),
            Self::NotTheAuthor => "field.not_the_author",
            Self::Locked => "field.locked",
            Self::Erased => "field.erased",
            Self::LeaseOver => "field.lease_over",
            Self::HandedOver => "field.handed_over",
            Self::Store(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::Damaged { .. } => "field.damaged",
            Self::Sync(failure) => failure.code(),
        }
    }
}
