//! Why a change does not fit a document. The codes are never renamed and never given again.

use crate::docs::layout::Path;

/// Why a change does not fit a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It builds on changes that are not here.
    #[error("{missing} of the changes that it builds on are not here")]
    MissingDependencies {
        /// How many.
        missing: usize,
    },
    /// The actor has a change with this sequence number already, or left one out.
    #[error("sequence number {found} where {expected} is next")]
    Sequence {
        /// What the actor's next one is.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// It does not build on its author's previous change.
    #[error("it does not build on its author's previous change")]
    ForgotItself,
    /// It builds on nothing, not even the genesis.
    #[error("it does not build on the genesis")]
    NoGenesis,
    /// Its operations do not start one above those that it builds on, or go too far.
    #[error("operations start at {found} where {expected} is next")]
    StartOp {
        /// The next counter.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// An object that is neither the root, a container, nor an entry that this change creates.
    #[error("operation {index} writes into an object that it may not write into")]
    ForeignObject {
        /// Which operation of the change.
        index: usize,
    },
    /// An operation of a kind that commands do not produce.
    #[error("operation {index} is of a kind that is not allowed")]
    Forbidden {
        /// Which operation of the change.
        index: usize,
    },
    /// A key that is no map key, is empty or too long, or may not be written.
    #[error("operation {index} has a key that may not be written")]
    BadKey {
        /// Which operation of the change.
        index: usize,
    },
    /// A value of a type or size that documents do not hold.
    #[error("operation {index} has a value that is not allowed")]
    BadValue {
        /// Which operation of the change.
        index: usize,
    },
    /// `pred` is not what the author saw.
    #[error("operation {index} does not replace what its author saw")]
    Predecessors {
        /// Which operation of the change.
        index: usize,
    },
    /// An entry that is here already.
    #[error("{path} is there already")]
    AlreadyThere {
        /// The entry.
        path: Path,
    },
    /// It would leave more than [`MOST_HEADS`](super::MOST_HEADS) changes side by side; built on them, it fits.
    #[error("too many changes stand side by side already")]
    TooManyHeads,
    /// Nothing in it.
    #[error("it holds no operation")]
    Empty,
}

impl Malformed {
    /// The code on the wire, in the log and in the apps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingDependencies { .. } => "change.missing_dependencies",
            Self::Sequence { .. } => "change.sequence",
            Self::ForgotItself => "change.forgot_itself",
            Self::NoGenesis => "change.no_genesis",
            Self::StartOp { .. } => "change.start_op",
            Self::ForeignObject { .. } => "change.foreign_object",
            Self::Forbidden { .. } => "change.forbidden_operation",
            Self::BadKey { .. } => "change.bad_key",
            Self::BadValue { .. } => "change.bad_value",
            Self::Predecessors { .. } => "change.predecessors",
            Self::AlreadyThere { .. } => "change.already_there",
            Self::TooManyHeads => "change.too_many_heads",
            Self::Empty => "change.empty",
        }
    }
}
