//! Refusals: why the hub did not accept a group.

use crate::docs::wellformed::Malformed;
use crate::docs::{DocumentError, Sealing, Unparsable};
use crate::model::GroupId;
use crate::policy::Denied;

/// Why a group was refused. Codes are never renamed and never given again.
///
/// Honest work meets only those of the closed list ([`Refusal::is_of_closed_list`]); the others answer broken or hostile clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The person's right to the scope has ended, or never was.
    #[error("the right to this scope has ended")]
    GrantEnded,
    /// The group does something that was decided otherwise in the meantime.
    #[error("it was decided otherwise in the meantime")]
    Superseded,
    /// The record was erased.
    #[error("the record was erased")]
    Erased,
    /// The change is stamped too far ahead of the server's clock.
    #[error("stamped {offset_ms} ms ahead of the server's clock")]
    ClockAhead {
        /// How far ahead.
        offset_ms: i64,
    },
    /// The actor has used this sequence number for another change: the store was restored or cloned.
    #[error("the actor has used this sequence number for another change")]
    ActorForked,
    /// The device was revoked.
    #[error("the device was revoked")]
    Revoked,
    /// The document's schema is not one that the server takes any more.
    #[error("the schema is not taken any more")]
    Schema,
    /// It builds on a group that was refused.
    #[error("it builds on a group that was refused")]
    DependsOnRefused {
        /// The group that was refused, if it came in the same push.
        group: Option<GroupId>,
    },
    /// The bytes are no change.
    #[error(transparent)]
    Unparsable(#[from] Unparsable),
    /// The change does not fit the document.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Policy does not allow it.
    #[error(transparent)]
    Denied(Denied),
    /// automerge did not take it, or the document would not load again.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A personal field that is not sealed, or not with a key that the server has: the command is run again, and its keys go along.
    #[error(transparent)]
    Sealing(#[from] Sealing),
    /// The actor is another device's.
    #[error("the actor is another device's")]
    ForeignActor,
    /// The document is of another kind than the push says, or belongs to another street.
    #[error("the document is of another kind, or another street's")]
    ForeignDocument,
    /// The group is empty or too large.
    #[error("the group is empty or too large")]
    GroupSize,
    /// Two changes of the group are for the same document, or one comes twice.
    #[error("a document or a change stands twice in the group")]
    Repeated,
    /// The document would become larger than a response can carry.
    #[error("the document is full")]
    DocumentFull,
    /// A code that this version does not know, read from the wire.
    #[error("refused with {code}")]
    Unknown {
        /// The code.
        code: String,
    },
}

impl From<Denied> for Refusal {
    /// An event that the server does not know yet is honest work of a newer app: it is refused for its schema.
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::UnknownEvent { .. } => Self::Schema,
            denied => Self::Denied(denied),
        }
    }
}

impl Refusal {
    /// The code on the wire, in problem+json, in the log and in the apps. A test compares all of them with the written list.
    pub fn code(&self) -> &str {
        match self {
            Self::GrantEnded => "sync.grant_ended",
            Self::Superseded => "sync.superseded",
            Self::Erased => "sync.erased",
            Self::ClockAhead { .. } => "sync.clock_ahead",
            Self::ActorForked => "sync.actor_forked",
            Self::Revoked => "sync.revoked",
            Self::Schema => "sync.schema",
            Self::DependsOnRefused { .. } => "sync.depends_on_refused",
            Self::Unparsable(_) => "change.unparsable",
            Self::Malformed(malformed) => malformed.code(),
            Self::Denied(denied) => denied.code(),
            Self::Document(error) => error.code(),
            Self::Sealing(Sealing::Missing) => "seal.missing",
            Self::Sealing(Sealing::Broken) => "seal.broken",
            Self::ForeignActor => "sync.foreign_actor",
            Self::ForeignDocument => "sync.foreign_document",
            Self::GroupSize => "sync.group_size",
            Self::Repeated => "sync.repeated",
            Self::DocumentFull => "sync.document_full",
            Self::Unknown { code } => code,
        }
    }

    /// Reads a refusal from its code and what went along.
    pub fn from_wire(code: &str, offset_ms: Option<i64>, group: Option<GroupId>) -> Self {
        match code {
            "sync.grant_ended" => Self::GrantEnded,
            "sync.superseded" => Self::Superseded,
            "sync.erased" => Self::Erased,
            "sync.clock_ahead" => Self::ClockAhead { offset_ms: offset_ms.unwrap_or(0) },
            "sync.actor_forked" => Self::ActorForked,
            "sync.revoked" => Self::Revoked,
            "sync.schema" => Self::Schema,
            "sync.depends_on_refused" => Self::DependsOnRefused { group },
            "seal.missing" => Self::Sealing(Sealing::Missing),
            "seal.broken" => Self::Sealing(Sealing::Broken),
            "sync.foreign_actor" => Self::ForeignActor,
            "sync.foreign_document" => Self::ForeignDocument,
            "sync.group_size" => Self::GroupSize,
            "sync.repeated" => Self::Repeated,
            "sync.document_full" => Self::DocumentFull,
            "policy.not_in_scope" => Self::Denied(Denied::NotInScope),
            code => Self::Unknown { code: code.to_owned() },
        }
    }

    /// How far ahead the clock is, for `clock_ahead`.
    pub const fn offset_ms(&self) -> Option<i64> {
        match self {
            Self::ClockAhead { offset_ms } => Some(*offset_ms),
            _ => None,
        }
    }

    /// The group that it builds on, for `depends_on_refused`.
    pub const fn because_of(&self) -> Option<GroupId> {
        match self {
            Self::DependsOnRefused { group } => *group,
            _ => None,
        }
    }

    /// Whether the engine mends it by running the command again, without a person.
    pub const fn mends_itself(&self) -> bool {
        matches!(self, Self::ClockAhead { .. } | Self::ActorForked | Self::DependsOnRefused { .. } | Self::Sealing(_))
    }

    /// Whether honest work can meet it.
    pub const fn is_of_closed_list(&self) -> bool {
        matches!(
            self,
            Self::GrantEnded
                | Self::Superseded
                | Self::Erased
                | Self::ClockAhead { .. }
                | Self::ActorForked
                | Self::Revoked
                | Self::Schema
                | Self::DependsOnRefused { .. }
        )
    }
}

#[cfg(test)]
mod tests;
