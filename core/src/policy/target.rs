//! What of a document an operation writes, as the table speaks of it.

use crate::docs::Scalar;
use crate::docs::layout::{Container, GRID_KEY, Path, REMOVED_KEY};
use crate::docs::wellformed::{Action, Operation};
use crate::model::EventKind;

/// The field of an event that says its kind.
const KIND_FIELD: &str = "kind";

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A document that was not there before, and in it whatever describes it and where it belongs.
    Begin,
    /// A root field that describes: any but those of the next two.
    Describe,
    /// The grid that a document belongs to.
    Move,
    /// The tombstone.
    Remove,
    /// A tag.
    Tag,
    /// A resident of a household.
    Member,
    /// A visit or patrol.
    Visit,
    /// An amendment of a visit.
    Amend,
    /// A note.
    Note,
    /// A photo or file, by its hash.
    Attach,
    /// An event of a case.
    Event(EventKind),
}

impl What {
    /// Every kind of write that there is.
    pub fn all() -> impl Iterator<Item = Self> {
        use What::{Amend, Attach, Begin, Describe, Event, Member, Move, Note, Remove, Tag, Visit};
        let plain = [Begin, Describe, Move, Remove, Tag, Member, Visit, Amend, Note, Attach];
        plain.into_iter().chain(EventKind::KNOWN.iter().cloned().map(Event))
    }

    /// What an operation of a change writes; `None` for an event that does not say its kind. The field of an entry is what its entry is.
    pub(super) fn of(operation: &Operation, change: &[Operation]) -> Option<Self> {
        Some(match &operation.path {
            Path::Root(key) if key == GRID_KEY => Self::Move,
            Path::Root(key) if key == REMOVED_KEY => Self::Remove,
            Path::Root(_) => Self::Describe,
            Path::Register(container, _) | Path::Entry(container, _) | Path::Field(container, _, _) => match container {
                Container::Tags => Self::Tag,
                Container::Members => Self::Member,
                Container::Visits => Self::Visit,
                Container::Amendments => Self::Amend,
                Container::Notes => Self::Note,
                Container::Attachments => Self::Attach,
                Container::Events => Self::Event(event_kind(operation, change)?),
            },
        })
    }

    /// The word for it in the printed table.
    pub fn name(&self) -> String {
        match self {
            Self::Begin => "begin".to_owned(),
            Self::Describe => "describe".to_owned(),
            Self::Move => "move".to_owned(),
            Self::Remove => "remove".to_owned(),
            Self::Tag => "tag".to_owned(),
            Self::Member => "member".to_owned(),
            Self::Visit => "visit".to_owned(),
            Self::Amend => "amend".to_owned(),
            Self::Note => "note".to_owned(),
            Self::Attach => "attach".to_owned(),
            Self::Event(kind) => format!("event {kind}"),
        }
    }
}

fn event_kind(operation: &Operation, change: &[Operation]) -> Option<EventKind> {
    let (Path::Entry(_, event) | Path::Field(_, event, _)) = &operation.path else { return None };
    field_of(change, Container::Events, event, KIND_FIELD).and_then(|value| match value {
        Scalar::Text(code) => Some(EventKind::from_code(code)),
        _ => None,
    })
}

/// What a change puts into a field of an entry that it creates.
pub(super) fn field_of<'a>(change: &'a [Operation], container: Container, entry: &str, field: &str) -> Option<&'a Scalar> {
    change.iter().find_map(|operation| match (&operation.path, &operation.action) {
        (Path::Field(in_container, of_entry, name), Action::Put(value))
            if *in_container == container && of_entry == entry && name == field =>
        {
            Some(value)
        }
        _ => None,
    })
}
