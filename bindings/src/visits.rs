//! Visits and patrols, notes and files: what is recorded at a door.

use std::sync::Arc;

use doorstep_core::field::FileMeasure;
use doorstep_core::model as core;

use crate::codes::{AttachmentKind, Outcome, Purpose, RecordKind};
use crate::error::DoorstepError;
use crate::rows::{FieldConflict, conflicts};
use crate::shared::Shared;
use crate::types::{CalendarDay, Id, Point, Timestamp};

/// Whom or what a visit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum VisitSubject {
    /// The people of a door.
    Household {
        /// Which.
        id: Id,
    },
    /// An organisation.
    Organisation {
        /// Which.
        id: Id,
    },
    /// A building, an alley, a yard: a patrol.
    Place {
        /// Which.
        id: Id,
    },
}

/// What a worker fills in. It is immutable once recorded; its author may amend it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct VisitDraft {
    /// Whom or what the visit is of.
    pub subject: VisitSubject,
    /// Why.
    pub purpose: Purpose,
    /// How it went.
    pub outcome: Outcome,
    /// What was found.
    #[uniffi(default = "")]
    pub findings: String,
    /// Who came along, as names or offices.
    #[uniffi(default = [])]
    pub companions: Vec<String>,
    /// When to come again.
    #[uniffi(default = None)]
    pub follow_up: Option<CalendarDay>,
    /// Where the phone was.
    #[uniffi(default = None)]
    pub point: Option<Point>,
    /// When it took place; now where nothing is said.
    #[uniffi(default = None)]
    pub at: Option<Timestamp>,
}

/// A recorded visit.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Visit {
    /// The visit.
    pub id: Id,
    /// Who made it.
    pub by: Id,
    /// When it took place, by the phone's clock.
    pub at: Timestamp,
    /// Why.
    pub purpose: Purpose,
    /// How it went.
    pub outcome: Outcome,
    /// What was found.
    pub findings: String,
    /// Who came along.
    pub companions: Vec<String>,
    /// When to come again.
    pub follow_up: Option<CalendarDay>,
    /// Where the phone was.
    pub point: Option<Point>,
    /// What its author added later, the oldest first.
    pub amendments: Vec<Amendment>,
}

/// What the author of a visit added later.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Amendment {
    /// The amendment.
    pub id: Id,
    /// When, by the phone's clock.
    pub at: Timestamp,
    /// What it says.
    pub text: String,
}

/// A file that belongs to a record.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FileReference {
    /// SHA-256 of its bytes.
    pub sha256: Vec<u8>,
    /// Its length in bytes.
    pub size: u64,
}

/// Visits, notes and files.
#[derive(uniffi::Object)]
pub struct Visits {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Visits {
    /// Records a visit: on this phone's disk when it returns.
    pub fn record(&self, draft: VisitDraft) -> Result<Id, DoorstepError> {
        let invalid = DoorstepError::invalid;
        let draft = core::VisitDraft {
            subject: draft.subject.into(),
            purpose: draft.purpose.into(),
            outcome: draft.outcome.into(),
            findings: core::Personal::new(draft.findings),
            companions: draft.companions,
            follow_up: draft.follow_up.map(|day| day.day()).transpose().map_err(invalid)?,
            point: draft.point.map(TryInto::try_into).transpose().map_err(invalid)?,
            at: draft.at.map(Into::into),
        };
        self.shared.with(|engine| engine.record_visit(draft).map(Id::from))
    }

    /// Appends to a visit what its author wants to add or correct.
    pub fn amend(&self, subject: VisitSubject, visit: Id, text: String) -> Result<Id, DoorstepError> {
        self.shared.with(|engine| engine.amend_visit(subject.into(), visit.into(), &text).map(Id::from))
    }

    /// The visits of a door, an organisation or a place, the latest first. Loads one document.
    pub fn list(&self, subject: VisitSubject) -> Result<Vec<Visit>, DoorstepError> {
        self.shared.with(|engine| engine.visits(subject.into()).map(visits))
    }

    /// Adds a note to a record of any kind but a case, whose notes are events.
    pub fn add_note(&self, kind: RecordKind, id: Id, text: String) -> Result<Id, DoorstepError> {
        self.shared.with(|engine| engine.add_note(kind.into(), id.into(), &text).map(Id::from))
    }

    /// Measures a file, about a second for the largest: what `attach` takes.
    pub fn measure(&self, path: String) -> Result<FileReference, DoorstepError> {
        let unreadable = |_| DoorstepError::invalid(core::Invalid::new("path", "cannot be read"));
        let measure = std::fs::File::open(path).and_then(FileMeasure::of).map_err(unreadable)?;
        Ok(FileReference { sha256: measure.sha256.to_vec(), size: measure.size })
    }

    /// Adds a reference to a file to a case or to what was visited. The file's bytes travel on their own.
    pub fn attach(
        &self,
        kind: RecordKind,
        id: Id,
        file: FileReference,
        file_kind: AttachmentKind,
        visit: Option<Id>,
    ) -> Result<(), DoorstepError> {
        let length = |_| DoorstepError::invalid(core::Invalid::new("sha256", "is not 32 bytes long"));
        let sha256 = file.sha256.try_into().map_err(length)?;
        self.shared.with(|engine| engine.add_attachment(kind.into(), id.into(), sha256, file.size, file_kind.into(), visit.map(Into::into)))
    }

    /// The fields of a record that have more than one value, each with who set it and when. Loads one document.
    pub fn conflicts(&self, kind: RecordKind, id: Id) -> Result<Vec<FieldConflict>, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| Ok(conflicts(engine.conflicts(kind.into(), id.into())?, lang)))
    }
}

impl From<VisitSubject> for core::VisitSubject {
    fn from(subject: VisitSubject) -> Self {
        match subject {
            VisitSubject::Household { id } => Self::Household(id.into()),
            VisitSubject::Organisation { id } => Self::Organisation(id.into()),
            VisitSubject::Place { id } => Self::Place(id.into()),
        }
    }
}

pub(crate) fn visits(visits: Vec<core::Visit>) -> Vec<Visit> {
    let amendment =
        |amendment: core::Amendment| Amendment { id: amendment.id.into(), at: amendment.at.into(), text: amendment.text.into_inner() };
    let visit = |visit: core::Visit| Visit {
        id: visit.id.into(),
        by: visit.by.into(),
        at: visit.at.into(),
        purpose: visit.purpose.into(),
        outcome: visit.outcome.into(),
        findings: visit.findings.into_inner(),
        companions: visit.companions,
        follow_up: visit.follow_up.map(Into::into),
        point: visit.point.map(Into::into),
        amendments: visit.amendments.into_iter().map(amendment).collect(),
    };
    visits.into_iter().map(visit).collect()
}
