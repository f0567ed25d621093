//! What this person may do with a case now: asked of the same rules that a command and the hub ask, so that no screen rebuilds them.

use crate::field::command::{Action, Command};
use crate::field::plan::plan;
use crate::field::{Engine, FieldError};
use crate::model::{CaseId, EventId, EventKind, GroupId, Personal};
use crate::workflow;

impl Engine {
    /// The events that this person may add to a case, as it is known here: those that apply to its state and that policy allows. Captures and
    /// rulings are nobody's to add. Loads one document and writes nothing.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::NotEnrolled`].
    pub fn possible_events(&self, case: CaseId) -> Result<Vec<EventKind>, FieldError> {
        let mut state = self.state();
        let by = state.given()?.person;
        let view = self.view(&state, case.into(), "case")?;
        let folded = workflow::fold(view.document.events(), &view.receipts);
        let now = self.now(&state);
        let at = state.hlc.clone().stamp(now);
        let mut possible = Vec::new();
        for kind in EventKind::KNOWN.iter().filter(|kind| !matches!(kind, EventKind::Captured | EventKind::DuplicateOf)) {
            if workflow::advance(folded.state.as_ref(), kind).is_err() {
                continue;
            }
            let event = EventId::make(now, &mut *state.entropy);
            let action = Action::AddEvent { event, case, kind: kind.clone(), text: Some(Personal::new("-".to_owned())) };
            let command = Command { group: GroupId::make(now, &mut *state.entropy), by, action };
            let mut tried = view.document.clone();
            let change = tried.edit(state.actor()?, at, &plan(&command, at).writes)?;
            if change.is_some_and(|change| self.check(&state, &view.document, &tried, &change).is_ok()) {
                possible.push(kind.clone());
            }
        }
        Ok(possible)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::vector::enrolled_engine;

    #[test]
    fn who_captured_a_case_may_note_return_and_close_it_but_not_register_it() {
        let engine = enrolled_engine();
        let case = engine.open_cases(None).unwrap()[0].row.id;
        assert_eq!(engine.possible_events(case).unwrap(), [EventKind::Noted, EventKind::Returned, EventKind::Closed]);
        engine.add_event(case, EventKind::Closed, None).unwrap();
        assert_eq!(engine.possible_events(case).unwrap(), [EventKind::Noted]);
    }
}
