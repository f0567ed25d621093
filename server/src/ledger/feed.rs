//! What a reader of the feed gets.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{Day, DocId, Position};
use doorstep_core::sync::RecordKind;

/// How soon a phone that begins needs a document, as it was at its position. It stands in the feed, so that a bootstrap is put in order by one
/// scan of small rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precedence {
    /// It is a case that is open.
    Open {
        /// The less, the sooner.
        rank: u8,
    },
    /// Somebody is to come again on this day.
    Due {
        /// The day.
        day: Day,
    },
    /// Whenever there is time.
    #[default]
    Later,
}

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
        /// About how many bytes all of it takes.
        bytes: u32,
        /// How soon somebody who has nothing yet needs it.
        precedence: Precedence,
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
