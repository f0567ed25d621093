//! What can go wrong in a ledger.

use doorstep_core::model::StreetId;

/// Why the ledger did not do what it was asked. Codes are never renamed and never given again. Holds ids and names of tables only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A condition of a commit does not hold any more: read again and decide again.
    #[error("the ledger moved on: {what}")]
    Conflict {
        /// Which condition: `document`, `group`, `directory`, `claim`; elsewhere `street`, `grant`, `code`, `device`.
        what: &'static str,
    },
    /// No such street.
    #[error("there is no street {street}")]
    NoStreet {
        /// The street that was named.
        street: StreetId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] doorstep_core::store::StoreError),
    /// A row does not decode.
    #[error("a row of table {table} does not decode")]
    Damaged {
        /// The table.
        table: &'static str,
    },
}

impl LedgerError {
    /// The code in the log and in problem+json; that of the store where it is the store's.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "ledger.conflict",
            Self::NoStreet { .. } => "ledger.no_street",
            Self::Store(error) => error.code(),
            Self::Damaged { .. } => "ledger.damaged",
        }
    }
}
