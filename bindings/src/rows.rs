//! What rows of all lists have in common.

use doorstep_core::docs::DocKind;
use doorstep_core::field::{self as core, Engine, FieldError};
use doorstep_core::model::{DocId, Personal, Tag};
use doorstep_core::summary::Summary;
use doorstep_core::text::Lang;

use crate::app::{Found, FoundIn};
use crate::codes::{AttachmentKind, Outcome};
use crate::error::DoorstepError;
use crate::types::{CalendarDay, Id, Timestamp};

/// Whether a record has arrived: the worker's real question.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncState {
    /// Recorded here, not sent yet.
    Local,
    /// On its way.
    Sending,
    /// The server has everything of it.
    Accepted,
    /// The server refused something of it; it waits among the refused for its author.
    Refused {
        /// The reason's code.
        code: String,
        /// The reason, for the person.
        reason: String,
    },
}

impl SyncState {
    pub(crate) fn of(state: core::SyncState, lang: Lang) -> Self {
        match state {
            core::SyncState::Local => Self::Local,
            core::SyncState::Sending => Self::Sending,
            core::SyncState::Accepted => Self::Accepted,
            core::SyncState::Refused { code } => Self::Refused { reason: lang.refusal(&code), code },
        }
    }
}

/// When somebody was last there, and when to come again.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LastVisit {
    /// When the last visit took place.
    pub at: Option<Timestamp>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// When somebody was last met.
    pub met_at: Option<Timestamp>,
    /// The day to come again that the last visit named.
    pub follow_up: Option<CalendarDay>,
    /// How many visits there were.
    pub count: u32,
}

impl From<doorstep_core::summary::LastVisit> for LastVisit {
    fn from(visit: doorstep_core::summary::LastVisit) -> Self {
        Self {
            at: visit.at.map(Into::into),
            outcome: visit.outcome.map(Into::into),
            met_at: visit.met_at.map(Into::into),
            follow_up: visit.follow_up.map(Into::into),
            count: visit.count,
        }
    }
}

/// A tag that is put on or taken off.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TagChange {
    /// The tag: 独居, 高龄.
    pub tag: String,
    /// On or off.
    pub on: bool,
}

pub(crate) fn tag_changes(changes: Vec<TagChange>) -> Result<Vec<core::TagChange>, DoorstepError> {
    let change = |change: TagChange| Ok(core::TagChange { tag: change.tag.parse::<Tag>()?, on: change.on });
    changes.into_iter().map(change).collect::<Result<_, _>>().map_err(DoorstepError::invalid)
}

pub(crate) fn tags(tags: Vec<Tag>) -> Vec<String> {
    tags.iter().map(|tag| tag.as_str().to_owned()).collect()
}

/// A note beside the fields of a record.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Note {
    /// The note.
    pub id: Id,
    /// Who wrote it.
    pub by: Id,
    /// When, by the device's clock.
    pub at: Timestamp,
    /// What it says.
    pub text: String,
}

pub(crate) fn notes(notes: Vec<doorstep_core::model::Note>) -> Vec<Note> {
    let note = |note: doorstep_core::model::Note| Note {
        id: note.id.into(),
        by: note.by.into(),
        at: note.at.into(),
        text: note.text.into_inner(),
    };
    notes.into_iter().map(note).collect()
}

/// A file as a record refers to it: by what it holds. Its bytes travel on their own.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Attachment {
    /// SHA-256 of its bytes.
    pub sha256: Vec<u8>,
    /// Its length in bytes.
    pub size: u64,
    /// What it is.
    pub kind: AttachmentKind,
    /// The visit on which it was made.
    pub visit: Option<Id>,
    /// Who added it.
    pub by: Id,
    /// When, by the device's clock.
    pub at: Timestamp,
}

pub(crate) fn attachments(attachments: Vec<doorstep_core::model::Attachment>) -> Vec<Attachment> {
    let attachment = |attachment: doorstep_core::model::Attachment| Attachment {
        sha256: attachment.sha256.to_vec(),
        size: attachment.size,
        kind: attachment.kind.into(),
        visit: attachment.visit.map(Into::into),
        by: attachment.by.into(),
        at: attachment.at.into(),
    };
    attachments.into_iter().map(attachment).collect()
}

/// A field with more than one value, because several people wrote it without hearing of each other.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FieldConflict {
    /// The field's code: `door`, `tags/独居`.
    pub field: String,
    /// What the field is called.
    pub label: String,
    /// The values; the one that is shown is the last. To settle it, write the field again.
    pub values: Vec<ConflictValue>,
}

/// One of the values of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConflictValue {
    /// The value as text; empty where the field was emptied.
    pub value: String,
    /// The name of who set it, as far as the directory knows.
    pub by: Option<String>,
    /// When, by that device's clock.
    pub at: Timestamp,
    /// Whether it is the one that is shown.
    pub is_shown: bool,
}

pub(crate) fn conflicts(conflicts: Vec<core::FieldConflict>, lang: Lang) -> Vec<FieldConflict> {
    use doorstep_core::docs::Scalar;
    let text = |value: Scalar| match value {
        Scalar::Null => String::new(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Text(text) => text,
        Scalar::Bytes(bytes) => match <[u8; 16]>::try_from(bytes.as_slice()) {
            Ok(id) => Id(id).to_string(),
            Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        },
    };
    let conflict = |conflict: core::FieldConflict| {
        let shown = conflict.values.len().saturating_sub(1);
        let values = conflict.values.into_iter().enumerate().map(|(at, value)| ConflictValue {
            value: text(value.value),
            by: value.by_name,
            at: value.at.millis().into(),
            is_shown: at == shown,
        });
        FieldConflict { label: lang.field(&conflict.field), values: values.collect(), field: conflict.field }
    };
    conflicts.into_iter().map(conflict).collect()
}

/// What stands beside the fields of a record: where they have more than one value, and whether it has arrived.
pub(crate) fn beside(engine: &Engine, kind: DocKind, id: Id, lang: Lang) -> Result<(Vec<FieldConflict>, SyncState), FieldError> {
    let found = engine.conflicts(kind, id.into())?;
    Ok((conflicts(found, lang), SyncState::of(engine.sync_state(DocId::from(id)), lang)))
}

pub(crate) fn revealed(text: Option<Personal<String>>) -> Option<String> {
    text.map(Personal::into_inner)
}

pub(crate) fn personal(text: Option<String>) -> Option<Personal<String>> {
    text.map(Personal::new)
}

/// Whether what is personal in a record can be read. What is locked is to be shown as that, never as empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Lock {
    /// All of it.
    Open,
    /// Some of it is for others to read.
    Locked,
    /// The record was erased: nobody reads it any more, and nothing can be written there.
    Erased,
    /// Some of it was redacted, because it spoke of a person who was erased: nobody reads that any more. The rest can be read and changed.
    Redacted,
}

impl From<doorstep_core::docs::Lock> for Lock {
    fn from(lock: doorstep_core::docs::Lock) -> Self {
        match lock {
            doorstep_core::docs::Lock::Open => Self::Open,
            doorstep_core::docs::Lock::Locked => Self::Locked,
            doorstep_core::docs::Lock::Erased => Self::Erased,
            doorstep_core::docs::Lock::Redacted => Self::Redacted,
        }
    }
}

/// A search hit with its name.
pub(crate) fn found(found: core::Found, lang: Lang) -> Found {
    use core::search::MatchedField;
    let summary = found.row.row;
    let label = match &summary {
        Summary::Place(row) => row.name.clone(),
        Summary::Household(row) => [Some(row.door.clone()), row.contact.as_ref().map(|name| name.reveal().clone())]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
        Summary::Resident(row) => row.name.as_ref().map(|name| name.reveal().clone()).unwrap_or_default(),
        Summary::Organisation(row) => row.name.clone(),
        Summary::Party(row) => row.name.as_ref().map(|name| name.reveal().clone()).unwrap_or_default(),
        Summary::Case(row) => revealed(row.excerpt.clone()).unwrap_or_default(),
    };
    let conflicted = match &summary {
        Summary::Place(row) => row.conflicted,
        Summary::Household(row) => row.conflicted,
        Summary::Resident(row) => row.conflicted,
        Summary::Organisation(row) => row.conflicted,
        Summary::Party(row) => row.conflicted,
        Summary::Case(row) => row.conflicted,
    };
    Found {
        kind: summary.kind().into(),
        id: found.hit.id.into(),
        label,
        found_in: match found.hit.field {
            MatchedField::Name => FoundIn::Name,
            MatchedField::Pinyin => FoundIn::Pinyin,
            MatchedField::Door => FoundIn::Door,
            MatchedField::Text => FoundIn::Text,
        },
        conflicted,
        sync: SyncState::of(found.row.sync, lang),
    }
}
