//! Commands: what a person asked for, with all its ids, so that running one again writes the same thing.

use crate::docs::DocKind;
use crate::model::{
    AmendmentId, AttachmentKind, CaseDetails, CaseId, DocId, EventId, EventKind, GridId, GroupId, HouseholdDetails, Millis, NoteId,
    OrganisationDetails, PartyDetails, PersonId, Personal, PlaceDetails, ResidentDetails, ResidentId, Tag, VisitDraft, VisitId,
    VisitSubject,
};

/// A command as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Command {
    /// The group of changes that it makes; kept when it is run again, so that the server never takes it twice.
    #[n(0)]
    pub group: GroupId,
    /// Who asked.
    #[n(1)]
    pub by: PersonId,
    /// What for.
    #[n(2)]
    pub action: Action,
}

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub(super) enum Action {
    /// Adds or changes a document that describes something.
    #[n(0)]
    #[cbor(map)]
    Save {
        #[n(0)]
        doc: DocId,
        /// The grid, when it is added or moved.
        #[n(1)]
        grid: Option<GridId>,
        #[n(2)]
        details: Details,
        #[n(3)]
        tags: Vec<TagChange>,
        #[n(4)]
        members: Vec<MemberChange>,
        #[n(5)]
        removed: Option<bool>,
    },
    #[n(1)]
    #[cbor(map)]
    RecordVisit {
        #[n(0)]
        visit: VisitId,
        #[n(1)]
        draft: VisitDraft,
    },
    #[n(2)]
    #[cbor(map)]
    AmendVisit {
        #[n(0)]
        amendment: AmendmentId,
        #[n(1)]
        visit: VisitId,
        #[n(2)]
        subject: VisitSubject,
        #[n(3)]
        text: Personal<String>,
    },
    #[n(3)]
    #[cbor(map)]
    ReportIssue {
        #[n(0)]
        case: CaseId,
        #[n(1)]
        captured: EventId,
        #[n(2)]
        grid: GridId,
        #[n(3)]
        details: CaseDetails,
    },
    #[n(4)]
    #[cbor(map)]
    AddNote {
        #[n(0)]
        note: NoteId,
        #[n(1)]
        doc: DocId,
        #[n(2)]
        kind: DocKind,
        #[n(3)]
        text: Personal<String>,
    },
    #[n(5)]
    #[cbor(map)]
    AddEvent {
        #[n(0)]
        event: EventId,
        #[n(1)]
        case: CaseId,
        #[n(2)]
        kind: EventKind,
        #[n(3)]
        text: Option<Personal<String>>,
    },
    #[n(6)]
    #[cbor(map)]
    AddAttachment {
        #[n(0)]
        doc: DocId,
        #[n(1)]
        doc_kind: DocKind,
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        sha256: [u8; 32],
        #[n(3)]
        size: u64,
        #[n(4)]
        kind: AttachmentKind,
        #[n(5)]
        visit: Option<VisitId>,
    },
}

/// The fields of a document that describes something.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub(super) enum Details {
    #[n(1)]
    Place(#[n(0)] PlaceDetails),
    #[n(2)]
    Household(#[n(0)] HouseholdDetails),
    #[n(3)]
    Resident(#[n(0)] ResidentDetails),
    #[n(4)]
    Organisation(#[n(0)] OrganisationDetails),
    #[n(5)]
    Party(#[n(0)] PartyDetails),
}

impl Details {
    pub(super) const fn kind(&self) -> DocKind {
        match self {
            Self::Place(_) => DocKind::Place,
            Self::Household(_) => DocKind::Household,
            Self::Resident(_) => DocKind::Resident,
            Self::Organisation(_) => DocKind::Organisation,
            Self::Party(_) => DocKind::Party,
        }
    }
}

/// A tag that is put on or taken off.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct TagChange {
    /// The tag.
    #[n(0)]
    pub tag: Tag,
    /// On or off.
    #[n(1)]
    pub on: bool,
}

/// A resident who moves into a household or out of it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct MemberChange {
    #[n(0)]
    pub resident: ResidentId,
    #[n(1)]
    pub in_household: bool,
}

/// A group of the outbox, as it is kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Recorded {
    #[n(0)]
    pub command: Command,
    /// The time of its changes.
    #[n(1)]
    pub at: crate::model::Hlc,
    /// When it was recorded, by the phone's clock; stays when the command is run again.
    #[n(2)]
    pub recorded_at: Millis,
    #[n(3)]
    pub changes: Vec<RecordedChange>,
    /// Whether a key was made for it, which the server does not know before it knows this.
    #[n(4)]
    #[cbor(default)]
    pub brings_key: bool,
}

/// A change that a command made.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct RecordedChange {
    #[n(0)]
    pub doc: DocId,
    #[n(1)]
    pub kind: DocKind,
    /// The original bytes: these are sent.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}
