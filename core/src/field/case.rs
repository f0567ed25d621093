//! Cases: reporting, moving on, and one case with its timeline and its conflicts.

use crate::docs::{Candidate, Case, Conflict, DocKind, Scalar};
use crate::field::command::Action;
use crate::field::engine::State;
use crate::field::{Engine, FieldError, SyncState};
use crate::model::{CaseDetails, CaseId, DocId, EventId, EventKind, GridId, Hlc, Invalid, MOST_WORDS, Millis, PersonId, Personal};
use crate::workflow::{self, CaseView, Effect, Standing};

/// One line of a case's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineLine {
    /// The event.
    pub event: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub by: PersonId,
    /// The name, as far as this phone's directory knows it.
    pub by_name: Option<String>,
    /// When it was done, by the device's clock.
    pub at: Millis,
    /// When the server accepted it; `None` while it waits.
    pub accepted_at: Option<Millis>,
    /// Words that go with it.
    pub text: Option<Personal<String>>,
    /// What became of it: moved the case, stands beside, or came too late.
    pub effect: Effect,
}

/// A field with more than one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The field: `door`, `tags/独居`.
    pub field: String,
    /// The values; the one that is shown is the last.
    pub values: Vec<ConflictValue>,
}

/// One of the values of a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictValue {
    /// The value.
    pub value: Scalar,
    /// Who set it, as far as this phone's directory knows the device.
    pub by: Option<PersonId>,
    /// The name.
    pub by_name: Option<String>,
    /// When, by that device's clock.
    pub at: Hlc,
}

/// A case with everything that a screen shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseDetail {
    /// The case.
    pub case: Case,
    /// Its state, as the fold of its events.
    pub view: CaseView,
    /// Its timeline.
    pub timeline: Vec<TimelineLine>,
    /// Its conflicts.
    pub conflicts: Vec<FieldConflict>,
    /// Whether it has arrived.
    pub sync: SyncState,
}

impl Engine {
    /// Reports an issue, in the grid of its place or in the only one of this person.
    ///
    /// # Errors
    /// [`FieldError::Invalid`] without a description; [`FieldError::NotFound`] when the place, reporter or parent is not on this phone.
    pub fn report_issue(&self, grid: Option<GridId>, mut details: CaseDetails) -> Result<CaseId, FieldError> {
        details.description =
            Personal::new(Invalid::check_text("description", details.description.reveal(), CaseDetails::MOST_DESCRIPTION)?);
        self.command(|state, now| {
            let of_place = match details.place {
                Some(place) => self.view(state, place.into(), "place")?.document.grid(),
                None => None,
            };
            if let Some(parent) = details.parent {
                self.view(state, parent.into(), "case")?;
            }
            let grid = state.grid_or_only(grid.or(of_place))?;
            let case = CaseId::make(now, &mut *state.entropy);
            let captured = EventId::make(now, &mut *state.entropy);
            Ok((Action::ReportIssue { case, captured, grid, details }, case))
        })
    }

    /// Adds a note to a case.
    ///
    /// # Errors
    /// As [`Engine::add_event`].
    pub fn note_case(&self, case: CaseId, text: &str) -> Result<EventId, FieldError> {
        self.add_event(case, EventKind::Noted, Some(text))
    }

    /// Adds an event to a case: registers, returns or closes it, or adds a note.
    ///
    /// # Errors
    /// [`FieldError::Superseded`] when the case, as this phone knows it, has come to a state in which the event does not apply;
    /// [`FieldError::NotFound`], [`FieldError::Invalid`].
    pub fn add_event(&self, case: CaseId, kind: EventKind, text: Option<&str>) -> Result<EventId, FieldError> {
        let text = text.map(|text| Invalid::check_text("text", text, MOST_WORDS)).transpose()?;
        if kind == EventKind::Noted && text.is_none() {
            return Err(Invalid::new("text", "is empty").into());
        }
        self.command(|state, now| {
            let view = self.view(state, case.into(), "case")?;
            let folded = workflow::fold(view.document.events(), &view.receipts);
            workflow::advance(folded.state.as_ref(), &kind)?;
            let event = EventId::make(now, &mut *state.entropy);
            Ok((Action::AddEvent { event, case, kind, text: text.map(Personal::new) }, event))
        })
    }

    /// A case with its timeline and its conflicts. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn case(&self, id: CaseId) -> Result<CaseDetail, FieldError> {
        let state = self.state();
        let loaded = self.shown(&state, id.into(), "case")?;
        let view = workflow::fold(loaded.document.events(), &loaded.receipts);
        let timeline = view.timeline.iter().map(|entry| timeline_line(&state, entry)).collect();
        let conflicts = loaded.document.conflicts().into_iter().map(|conflict| attributed(&state, conflict)).collect();
        Ok(CaseDetail { case: Case::read(&loaded.document), view, timeline, conflicts, sync: state.sync_state(id.into()) })
    }

    /// The conflicts of a document: every value with who set it and when. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn conflicts(&self, kind: DocKind, doc: DocId) -> Result<Vec<FieldConflict>, FieldError> {
        let state = self.state();
        let view = self.shown(&state, doc, kind.name())?;
        Ok(view.document.conflicts().into_iter().map(|conflict| attributed(&state, conflict)).collect())
    }

    /// The state of a document as a digest, for comparing replicas. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn digest(&self, doc: DocId) -> Result<[u8; 32], FieldError> {
        let state = self.state();
        Ok(self.view(&state, doc, "document")?.document.digest())
    }
}

fn timeline_line(state: &State, entry: &workflow::TimelineEntry) -> TimelineLine {
    TimelineLine {
        event: entry.event.id,
        kind: entry.event.kind.clone(),
        by: entry.event.by,
        by_name: state.name_of(entry.event.by),
        at: entry.event.at,
        accepted_at: match entry.standing {
            Standing::Accepted(receipt) => Some(receipt.at),
            Standing::Provisional => None,
        },
        text: entry.event.text.clone(),
        effect: entry.effect.clone(),
    }
}

fn attributed(state: &State, conflict: Conflict) -> FieldConflict {
    let values = conflict.candidates.into_iter().map(|candidate| {
        let by = state.person_behind(&candidate);
        ConflictValue { value: candidate.value, by, by_name: by.and_then(|person| state.name_of(person)), at: candidate.at }
    });
    FieldConflict { field: conflict.field, values: values.collect() }
}

impl State {
    pub(super) fn name_of(&self, person: PersonId) -> Option<String> {
        let own = self.given().ok().filter(|given| given.person == person).map(|given| given.name.clone());
        own.or_else(|| self.directory.as_ref().and_then(|directory| directory.person(person)).map(|staff| staff.name.clone()))
    }

    fn person_behind(&self, candidate: &Candidate) -> Option<PersonId> {
        let device = candidate.actor?.device;
        let given = self.given().ok()?;
        if given.device.tag() == device {
            return Some(given.person);
        }
        self.directory.as_ref()?.person_of(device).map(|staff| staff.id)
    }
}
