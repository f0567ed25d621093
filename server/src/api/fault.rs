//! How what the hub says looks over HTTP: one place decides the status and what is logged.

use axum::http::StatusCode;

use crate::accounts::AccountError;
use crate::audit::AuditError;
use crate::hub::HubError;
use crate::ledger::LedgerError;
use crate::problem::Problem;

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        let code = error.code();
        match error {
            HubError::Frame(_) => Self::new(StatusCode::BAD_REQUEST, code, "The body is not a frame of the protocol"),
            HubError::Protocol { .. } => Self::new(StatusCode::BAD_REQUEST, code, "This version of the protocol is not served"),
            HubError::Keys(_) => Self::new(StatusCode::BAD_REQUEST, code, "The keys of the request cannot be read"),
            HubError::Mail => Self::new(StatusCode::BAD_REQUEST, code, "The mail cannot be read here"),
            HubError::UnknownDevice => Self::new(StatusCode::UNAUTHORIZED, code, "This device is not enrolled"),
            HubError::Signature(_) => Self::new(StatusCode::UNAUTHORIZED, code, "The signature does not count"),
            HubError::Code => Self::new(StatusCode::FORBIDDEN, code, "The code is unknown, used or expired"),
            HubError::Invalid(invalid) => invalid.into(),
            HubError::NotFound { what } => {
                Self::new(StatusCode::NOT_FOUND, code, "What is named is not here").detail(format!("No such {what}."))
            }
            HubError::Exists { what } => {
                Self::new(StatusCode::CONFLICT, code, "What is to be added is here already").detail(format!("The {what} exists."))
            }
            HubError::Busy | HubError::Spent => Self::busy(),
            HubError::Ledger(LedgerError::NoStreet { .. }) => Self::new(StatusCode::NOT_FOUND, code, "There is no such street"),
            HubError::Ledger(error) => {
                tracing::error!(%error, "the ledger failed");
                Self::not_ready()
            }
            HubError::Document(error) => {
                tracing::error!(%error, "a document failed");
                Self::internal()
            }
            HubError::Held { reason } => {
                Self::new(StatusCode::CONFLICT, code, "The record is under a hold").detail(format!("It is kept because: {reason}"))
            }
            HubError::ErasureList => {
                Self::not_ready().detail("The list of erasures in the data folder cannot be written; nothing was erased.")
            }
            HubError::AnotherDevice | HubError::OutOfOrder => Self::internal(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let code = error.code();
        match error {
            AccountError::Credentials { .. } => Self::new(StatusCode::UNAUTHORIZED, code, "The name or the password is wrong"),
            AccountError::TooMany { wait } => Self::new(StatusCode::TOO_MANY_REQUESTS, code, "Too many attempts failed")
                .detail(format!("Wait {} seconds.", wait.as_secs()))
                .retry_after(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)),
            AccountError::Token => Self::new(StatusCode::UNAUTHORIZED, code, "The token is unknown or has ended").detail("Log in again."),
            AccountError::Reused { .. } => {
                let problem = Self::new(StatusCode::UNAUTHORIZED, code, "The refresh token was used before");
                problem.detail("Its session is ended, because two hold it. Log in again.")
            }
            AccountError::NotAllowed => Self::new(StatusCode::FORBIDDEN, code, "This account may not do that"),
            AccountError::SameKind => {
                let problem = Self::new(StatusCode::FORBIDDEN, code, "Another kind of account has to confirm this");
                problem.detail("It takes an account of another kind than the one that proposed it.")
            }
            AccountError::NotFound => Self::new(StatusCode::NOT_FOUND, code, "There is no such account or proposal"),
            AccountError::Exists => Self::new(StatusCode::CONFLICT, code, "There is an account of this name already"),
            AccountError::Invalid(invalid) => invalid.into(),
            AccountError::Store(_) | AccountError::Damaged { .. } => {
                tracing::error!(%error, "the accounts failed");
                Self::not_ready()
            }
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        tracing::error!(%error, "the audit log failed");
        Self::not_ready()
    }
}
