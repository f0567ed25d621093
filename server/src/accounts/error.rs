//! What can go wrong with accounts.

use std::time::Duration;

use doorstep_core::model::Invalid;
use doorstep_core::store::StoreError;

/// Why an account was refused. Codes are never renamed and never given again. Holds neither names nor passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The name or the password is wrong, or the account is disabled: which of them is not told.
    #[error("the name or the password is wrong")]
    Credentials {
        /// Whether the name is locked from now on; for the audit log, not for the answer.
        locked: bool,
    },
    /// Too many failures, on this name or from this address.
    #[error("too many attempts failed; wait {} s", wait.as_secs())]
    TooMany {
        /// How long nothing is taken.
        wait: Duration,
    },
    /// No such token, or it has ended.
    #[error("the token is unknown or has ended")]
    Token,
    /// A refresh token came again after its minute: its session is ended.
    #[error("the refresh token was used before; its session is ended")]
    Reused {
        /// Whose session it was.
        account: doorstep_core::model::AccountId,
    },
    /// Who asks may not do this.
    #[error("this account may not do this")]
    NotAllowed,
    /// Who proposed a sensitive act does not confirm it, nor does another of the same kind.
    #[error("it takes an account of another kind than the one that proposed it")]
    SameKind,
    /// What is named is not here.
    #[error("there is no such account or proposal")]
    NotFound,
    /// There is an account of this name.
    #[error("there is an account of this name already")]
    Exists,
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row does not decode.
    #[error("a row of table {table} does not decode")]
    Damaged {
        /// The table.
        table: &'static str,
    },
}

impl AccountError {
    /// The code in problem+json, in the log and in the audit log.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Credentials { .. } => "account.credentials",
            Self::TooMany { .. } => "account.too_many",
            Self::Token => "account.token",
            Self::Reused { .. } => "account.reused",
            Self::NotAllowed => "account.not_allowed",
            Self::SameKind => "account.same_kind",
            Self::NotFound => "account.not_found",
            Self::Exists => "account.exists",
            Self::Invalid(_) => "account.invalid",
            Self::Store(error) => error.code(),
            Self::Damaged { .. } => "account.damaged",
        }
    }
}
