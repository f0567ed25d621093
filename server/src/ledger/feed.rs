//! What a reader of the feed gets.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{DocId, Position};
use doorstep_core::sync::RecordKind;

/// What stands in a scope at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedRow {
    /// A document that was written at this position.
    Document {
        /// Its newest position.
        position: Position,
        /// The document.
        doc: DocId,
        /// What it is.
        kind: DocKind,
        /// The position at which it came into this scope: a reader from before that needs all of it.
        entered: Position,
    },
    /// A document that left the scope at this position.
    Left {
        /// The position.
        position: Position,
        /// The document.
        doc: DocId,
    },
    /// A record that was replaced at this position. It stands in every scope of the street.
    Record {
        /// The position.
        position: Position,
        /// The record.
        id: DocId,
        /// What it is.
        kind: RecordKind,
    },
}

impl FeedRow {
    /// The document or record.
    pub const fn id(&self) -> DocId {
        match self {
            Self::Document { doc, .. } | Self::Left { doc, .. } => *doc,
            Self::Record { id, .. } => *id,
        }
    }

    /// Where it stands.
    pub const fn position(&self) -> Position {
        match self {
            Self::Document { position, .. } | Self::Left { position, .. } | Self::Record { position, .. } => *position,
        }
    }
}
