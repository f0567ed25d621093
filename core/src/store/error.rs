//! What can go wrong in a store.

use std::io;

/// Why a store did not do what it was asked. Codes are never renamed and never given again. Holds neither keys nor values nor paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A key, value or transaction is over its limit: a bug of the caller.
    #[error("a {what} of {size} bytes is over the limit of {most}")]
    TooBig {
        /// What is too big: `key`, `value`, `transaction`, `chunked key` or `chunked value`.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The most that is allowed, in bytes.
        most: usize,
    },
    /// The disk is full. Nothing is accepted until there is room and the store was opened again.
    #[error("the disk is full")]
    Full,
    /// The disk or the operating system refused.
    #[error("{doing} failed: {kind}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's answer.
        kind: io::ErrorKind,
    },
    /// What is on the disk is not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What was found.
        what: &'static str,
    },
    /// A row was written by a later version, or is none.
    #[error("a row has format {format} and algorithm {algorithm}, which this version does not read")]
    UnknownFormat {
        /// The row's first byte.
        format: u8,
        /// The row's second byte.
        algorithm: u8,
    },
    /// The store is sealed, and it was read without its key.
    #[error("the store is sealed: its key is needed")]
    KeyNeeded,
    /// The key is not the one that the store is sealed with. Nothing was read or written.
    #[error("the store is sealed with another key")]
    WrongKey,
    /// A key was given, and the store holds rows in clear.
    #[error("the store is not sealed")]
    NotSealed,
    /// The store's key was destroyed. Nothing of it can be read again; its folder may be removed.
    #[error("the store was wiped")]
    Wiped,
    /// A value does not open under the store's seal at the key where it stands: it was changed, or put there from another key.
    #[error("a value of table {table} is not what was sealed there")]
    SealBroken {
        /// The first byte of the row's key; 0 where the key is empty.
        table: u8,
    },
    /// The key of a row is the store's own: a bug of the caller.
    #[error("the key of a row is reserved for the store")]
    Reserved,
    /// Another process, or another handle in this one, has the folder.
    #[error("the store is in use by another process")]
    InUse,
    /// An earlier write failed or the store was closed. Nothing is accepted any more; open it again.
    #[error("the store has stopped")]
    Stopped,
    /// The plan refused, with an error of its own. Seen only by plans that are run without `transact_with`.
    #[error("the transaction was given up by its plan")]
    Aborted,
    /// The plan panicked: a bug of the caller. Nothing of it is written.
    #[error("the plan of a transaction panicked")]
    Panicked,
}

impl StoreError {
    /// The code in the log, in problem+json and in the apps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooBig { .. } => "store.too_big",
            Self::Full => "store.full",
            Self::Io { .. } => "store.io",
            Self::Damaged { .. } => "store.damaged",
            Self::UnknownFormat { .. } => "store.unknown_format",
            Self::KeyNeeded => "store.key_needed",
            Self::WrongKey => "store.wrong_key",
            Self::NotSealed => "store.not_sealed",
            Self::Wiped => "store.wiped",
            Self::SealBroken { .. } => "store.seal_broken",
            Self::Reserved => "store.reserved",
            Self::InUse => "store.in_use",
            Self::Stopped => "store.stopped",
            Self::Aborted => "store.aborted",
            Self::Panicked => "store.panicked",
        }
    }

    /// What an error of the operating system means for a store.
    #[cfg(feature = "sled")]
    pub(super) fn from_io(doing: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Io { doing, kind },
        }
    }
}
