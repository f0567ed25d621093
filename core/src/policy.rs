//! Policy: who may read and write what. Pure functions over what is known at the moment of receipt, asked by phone and hub alike: by the
//! engine when a command is given, by the hub when a change arrives and when a feed is read. Rights are what grants say at that moment, by the
//! server's clock; the time that a change claims for itself counts for nothing.
//!
//! There is one table of writes ([`WRITES`]: role, kind of document, path or kind of event, condition) and one of reads ([`READS`]: role, kind,
//! field; clear, masked, or, where nothing is said, absent). What no row allows is denied. [`as_text`] prints both; a test holds every role against every
//! action and field of `policy/matrix.md`, which a change of the tables must change as well.
//!
//! A write is judged operation by operation, by its path as its creation resolves it and not by what is visible, in the scopes that the document
//! was in before (for a new one: will be in). Beside the table stand four rules for everybody: an entry is signed by whoever it says, what a
//! case is and claims is said once, rulings are the server's, and an event that this version does not know cannot be judged.
//!
//! A document replicates whole, to whoever may see all of it that is not personal ([`receives`]). Personal fields are sealed each under a key of its own,
//! and a reader is given the keys of those that the role sees in clear ([`opened`]); what is masked is shown by the server only.

mod print;
mod read;
mod target;
mod write;

use crate::docs::Document;
use crate::docs::layout::Path;
use crate::model::{PersonId, Right, Scope};

pub use print::as_text;
pub use read::{Access, Of, READS, ReadRule, access, opened, receives};
pub use target::What;
pub use write::{WRITES, When, WriteRule, may_adopt, may_write};

/// Why somebody may not write something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// None of the person's grants covers the document.
    #[error("the document is in no scope of this person")]
    NotInScope,
    /// No role in which the person has a right to the document may do this.
    #[error("{path} is not for this role to write")]
    NotForRole {
        /// Where.
        path: Path,
    },
    /// The role may do it only to what is the person's own.
    #[error("{path} may be written only where the record is one's own")]
    NotOwn {
        /// Where.
        path: Path,
    },
    /// An entry that claims another author.
    #[error("{path} is not in the name of who signed it")]
    AnothersName {
        /// The field that says the author.
        path: Path,
    },
    /// A field that is set when a case is opened and never again.
    #[error("{path} is set when the document begins and never again")]
    Fixed {
        /// The field.
        path: Path,
    },
    /// An event that only the server writes.
    #[error("{path} is a ruling of the server")]
    Ruling {
        /// The field that says the kind.
        path: Path,
    },
    /// An event of a kind that this version does not know: it cannot be judged. An update of the server will help.
    #[error("{path} is of a kind that is not known here")]
    UnknownEvent {
        /// The event.
        path: Path,
    },
}

impl Denied {
    /// The code on the wire, in the log and in the apps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotInScope => "policy.not_in_scope",
            Self::NotForRole { .. } => "policy.not_for_role",
            Self::NotOwn { .. } => "policy.not_own",
            Self::AnothersName { .. } => "policy.anothers_name",
            Self::Fixed { .. } => "policy.fixed",
            Self::Ruling { .. } => "policy.ruling",
            Self::UnknownEvent { .. } => "policy.unknown_event",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The person.
    pub person: PersonId,
    /// What the person has a right to at this moment.
    pub rights: Vec<Right>,
}

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The document as it is before.
    pub document: &'a Document,
    /// The scopes that it is in; none for a new one.
    pub before: &'a [Scope],
    /// The scopes that it will be in.
    pub after: &'a [Scope],
}

impl Subject<'_> {
    /// Whether the document begins with what is asked about.
    pub const fn is_new(&self) -> bool {
        self.before.is_empty()
    }
}

#[cfg(test)]
mod tests;
