//! What can go wrong with the audit log.

use doorstep_core::store::StoreError;

/// Why the audit log did not take a record, or cannot be read. Codes are never renamed and never given again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The disk refused.
    #[error("the audit log failed at {doing}: {kind}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The store refused the mark of the newest record.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record cannot be written, or the mark cannot be read.
    #[error("the audit log or its mark cannot be read")]
    Damaged,
}

impl AuditError {
    pub(super) fn io(doing: &'static str, error: &std::io::Error) -> Self {
        Self::File { doing, kind: error.kind() }
    }

    /// The code, a promise to scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "audit.file",
            Self::Store(error) => error.code(),
            Self::Damaged => "audit.damaged",
        }
    }
}
