//! How what the hub says looks over HTTP: one place decides the status and what is logged.

use axum::http::StatusCode;

use crate::hub::HubError;
use crate::ledger::LedgerError;
use crate::problem::Problem;

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        let code = error.code();
        match error {
            HubError::Frame(_) => Self::new(StatusCode::BAD_REQUEST, code, "The body is not a frame of the protocol"),
            HubError::Protocol { .. } => Self::new(StatusCode::BAD_REQUEST, code, "This version of the protocol is not served"),
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
            HubError::Busy => Self::busy(),
            HubError::Ledger(LedgerError::NoStreet { .. }) => Self::new(StatusCode::NOT_FOUND, code, "There is no such street"),
            HubError::Ledger(error) => {
                tracing::error!(%error, "the ledger failed");
                Self::not_ready()
            }
            HubError::Document(error) => {
                tracing::error!(%error, "a document failed");
                Self::internal()
            }
            HubError::AnotherDevice | HubError::OutOfOrder => Self::internal(),
        }
    }
}
