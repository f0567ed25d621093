//! Cases: whatever must be followed to its end, and what this person may do with one now.

use std::sync::Arc;

use doorstep_core::field as engine;
use doorstep_core::model as core;
use doorstep_core::summary::CaseSummary;
use doorstep_core::text::Lang;
use doorstep_core::workflow::Effect;

use crate::codes::{CaseState, Category, Channel, EventKind, Urgency};
use crate::error::DoorstepError;
use crate::rows::{Attachment, FieldConflict, Lock, SyncState, attachments, conflicts, revealed};
use crate::shared::Shared;
use crate::types::{Id, Point, Timestamp, parsed};

/// A row of a list of cases.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CaseRow {
    /// The case.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// What it is about.
    pub category: Category,
    /// Where.
    pub place: Option<Id>,
    /// The beginning of its description, if that can be read.
    pub excerpt: Option<String>,
    /// Whether what is personal in the row can be read.
    pub lock: Lock,
    /// How soon.
    pub urgency: Urgency,
    /// Where it stands.
    pub state: Option<CaseState>,
    /// Whether it still has to be followed to its end.
    pub is_open: bool,
    /// When it was captured: server time once accepted, the device's before.
    pub opened_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// How many of its events came too late.
    pub superseded: u32,
    /// The case of which this one is a duplicate.
    pub duplicate_of: Option<Id>,
    /// Whether some field has more than one value.
    pub conflicted: bool,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// Who reported an issue: by id, never by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Reporter {
    /// A registered resident.
    Resident {
        /// Which.
        id: Id,
    },
    /// Somebody else.
    Party {
        /// Which.
        id: Id,
    },
}

/// What a worker fills in when a resident wants something seen to.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct IssueDraft {
    /// What it is about.
    pub category: Category,
    /// What is the matter.
    pub description: String,
    /// Where: a place of the grid.
    #[uniffi(default = None)]
    pub place: Option<Id>,
    /// Who reported it.
    #[uniffi(default = None)]
    pub reporter: Option<Reporter>,
    /// How soon; in its turn where nothing is said.
    #[uniffi(default = None)]
    pub urgency: Option<Urgency>,
    /// How it came in; through the worker where nothing is said.
    #[uniffi(default = None)]
    pub channel: Option<Channel>,
    /// The case from which it was opened.
    #[uniffi(default = None)]
    pub parent: Option<Id>,
    /// Where the phone was.
    #[uniffi(default = None)]
    pub point: Option<Point>,
    /// What may exist only once: a second case with the same key is accepted as a duplicate of the first, by ruling.
    #[uniffi(default = None)]
    pub claim: Option<String>,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum EventEffect {
    /// It moved the case.
    Moved {
        /// To where.
        to: CaseState,
    },
    /// It stands beside the states.
    Beside,
    /// It came too late or twice: it stays visible and moves nothing.
    Superseded {
        /// Why, as a code.
        code: String,
        /// Why, for the person.
        reason: String,
    },
}

/// One line of a case's timeline.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TimelineLine {
    /// The event.
    pub event: Id,
    /// What happened.
    pub kind: EventKind,
    /// What that is called.
    pub label: String,
    /// Who did it.
    pub by: Id,
    /// The name, as far as the directory knows it.
    pub by_name: Option<String>,
    /// When, by the device's clock.
    pub at: Timestamp,
    /// When the server accepted it; nothing while it waits.
    pub accepted_at: Option<Timestamp>,
    /// Words that go with it.
    pub text: Option<String>,
    /// What became of it.
    pub effect: EventEffect,
}

/// A case with everything that a screen shows of it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Case {
    /// The case.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// What it is about.
    pub category: Category,
    /// What is the matter.
    pub description: String,
    /// Where.
    pub place: Option<Id>,
    /// Who reported it.
    pub reporter: Option<Reporter>,
    /// How soon.
    pub urgency: Urgency,
    /// How it came in.
    pub channel: Channel,
    /// The case from which it was opened.
    pub parent: Option<Id>,
    /// Where the phone was.
    pub point: Option<Point>,
    /// Where it stands: the fold of its events.
    pub state: Option<CaseState>,
    /// Its timeline.
    pub timeline: Vec<TimelineLine>,
    /// Fields with more than one value.
    pub conflicts: Vec<FieldConflict>,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// The case of which this one is a duplicate, by ruling.
    pub duplicate_of: Option<Id>,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// What kind of value a field of an action takes.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum FieldKind {
    /// Words.
    Text {
        /// At most so many characters.
        most: u32,
    },
    /// One of the choices.
    Choice,
    /// Of a newer version: leave the action to an updated app.
    Unknown,
}

/// A value with what it is called.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Choice {
    /// The code.
    pub code: String,
    /// What it is called.
    pub label: String,
}

/// A field that an action asks for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ActionField {
    /// Its name.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether it has to be filled in.
    pub required: bool,
    /// Its choices, where it is one.
    pub choices: Vec<Choice>,
}

/// What this person may do with a case now, as far as this phone knows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CaseAction {
    /// The event that it adds: what `act` takes.
    pub kind: EventKind,
    /// What it is called.
    pub label: String,
    /// What it asks for.
    pub fields: Vec<ActionField>,
}

/// Cases.
#[derive(uniffi::Object)]
pub struct Cases {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Cases {
    /// All cases of a grid, or of all grids on this phone, closed ones included. One scan of rows.
    pub fn list(&self, grid: Option<Id>) -> Result<Vec<CaseRow>, DoorstepError> {
        self.shared.rows(|engine| engine.cases(grid.map(Into::into)), row)
    }

    /// The open cases: the most urgent first, then the oldest.
    pub fn open(&self, grid: Option<Id>) -> Result<Vec<CaseRow>, DoorstepError> {
        self.shared.rows(|engine| engine.open_cases(grid.map(Into::into)), row)
    }

    /// One case. Loads one document.
    pub fn get(&self, id: Id) -> Result<Case, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| Ok(detail(engine.case(id.into())?, lang)))
    }

    /// Reports an issue, in the grid of its place or in the only one of this person.
    pub fn report(&self, grid: Option<Id>, draft: IssueDraft) -> Result<Id, DoorstepError> {
        let details = core::CaseDetails {
            place: draft.place.map(Into::into),
            reporter: draft.reporter.map(Into::into),
            urgency: draft.urgency.map_or(core::Urgency::Normal, Into::into),
            channel: draft.channel.map_or(core::Channel::Worker, Into::into),
            parent: draft.parent.map(Into::into),
            point: draft.point.map(TryInto::try_into).transpose().map_err(DoorstepError::invalid)?,
            claim: parsed(draft.claim)?,
            ..core::CaseDetails::issue(draft.category.into(), draft.description)
        };
        self.shared.with(|engine| engine.report_issue(grid.map(Into::into), details).map(Id::from))
    }

    /// What this person may do with the case now: the rules of the server, asked here. Loads one document.
    pub fn actions(&self, id: Id) -> Result<Vec<CaseAction>, DoorstepError> {
        let lang = self.shared.lang;
        let kinds = self.shared.with(|engine| engine.possible_events(id.into()))?;
        let most = u32::try_from(core::MOST_WORDS).unwrap_or(u32::MAX);
        let action = |kind: core::EventKind| CaseAction {
            label: lang.event(&kind),
            fields: vec![ActionField {
                name: "text".to_owned(),
                label: lang.field("text"),
                kind: FieldKind::Text { most },
                required: kind == core::EventKind::Noted,
                choices: Vec::new(),
            }],
            kind: kind.into(),
        };
        Ok(kinds.into_iter().map(action).collect())
    }

    /// Adds an event: registers, returns, closes, notes.
    pub fn act(&self, id: Id, kind: EventKind, text: Option<String>) -> Result<Id, DoorstepError> {
        self.shared.with(|engine| engine.add_event(id.into(), kind.into(), text.as_deref()).map(Id::from))
    }
}

impl From<Reporter> for core::Reporter {
    fn from(reporter: Reporter) -> Self {
        match reporter {
            Reporter::Resident { id } => Self::Resident(id.into()),
            Reporter::Party { id } => Self::Party(id.into()),
        }
    }
}

fn row(listed: engine::Listed<CaseSummary>, lang: Lang) -> CaseRow {
    let row = listed.row;
    CaseRow {
        is_open: row.is_open(),
        id: row.id.into(),
        grid: row.grid.map(Into::into),
        category: row.category.into(),
        place: row.place.map(Into::into),
        excerpt: revealed(row.excerpt),
        lock: row.lock.into(),
        urgency: row.urgency.into(),
        state: row.state.map(Into::into),
        opened_at: row.opened_at.map(Into::into),
        closed_at: row.closed_at.map(Into::into),
        superseded: row.superseded,
        duplicate_of: row.duplicate_of.map(Into::into),
        conflicted: row.conflicted,
        sync: SyncState::of(listed.sync, lang),
    }
}

fn detail(detail: engine::CaseDetail, lang: Lang) -> Case {
    let details = detail.case.details;
    Case {
        lock: detail.case.lock.into(),
        id: detail.case.id.into(),
        grid: detail.case.grid.map(Into::into),
        category: details.category.into(),
        description: details.description.into_inner(),
        place: details.place.map(Into::into),
        reporter: details.reporter.map(|reporter| match reporter {
            core::Reporter::Resident(id) => Reporter::Resident { id: id.into() },
            core::Reporter::Party(id) => Reporter::Party { id: id.into() },
        }),
        urgency: details.urgency.into(),
        channel: details.channel.into(),
        parent: details.parent.map(Into::into),
        point: details.point.map(Into::into),
        state: detail.view.state.map(Into::into),
        timeline: detail.timeline.into_iter().map(|line| timeline_line(line, lang)).collect(),
        conflicts: conflicts(detail.conflicts, lang),
        attachments: attachments(detail.case.attachments),
        duplicate_of: detail.view.duplicate_of.map(Into::into),
        sync: SyncState::of(detail.sync, lang),
    }
}

fn timeline_line(line: engine::TimelineLine, lang: Lang) -> TimelineLine {
    let effect = match line.effect {
        Effect::Applied { to, .. } => EventEffect::Moved { to: to.into() },
        Effect::Beside => EventEffect::Beside,
        Effect::Superseded(superseded) => {
            EventEffect::Superseded { code: superseded.code().to_owned(), reason: lang.sentence(&superseded.into()) }
        }
    };
    TimelineLine {
        event: line.event.into(),
        label: lang.event(&line.kind),
        kind: line.kind.into(),
        by: line.by.into(),
        by_name: line.by_name,
        at: line.at.into(),
        accepted_at: line.accepted_at.map(Into::into),
        text: revealed(line.text),
        effect,
    }
}
