//! Residents: the cards of persons.

use crate::docs::Resident;
use crate::field::command::{Action, Details, TagChange};
use crate::field::place::{MOST_NAME, MOST_REMARK, optional};
use crate::field::{Engine, FieldError};
use crate::model::{GridId, Invalid, Millis, Personal, ResidentDetails, ResidentId};

impl Engine {
    /// Adds the card of a resident to a grid, or to the only one of this person.
    ///
    /// # Errors
    /// [`FieldError::Invalid`] without a name; [`FieldError::Denied`] for a grid of somebody else.
    pub fn add_resident(&self, grid: Option<GridId>, details: ResidentDetails, tags: Vec<TagChange>) -> Result<ResidentId, FieldError> {
        if details.name.is_none() {
            return Err(Invalid::new("name", "is missing").into());
        }
        let details = checked(details)?;
        self.command(|state, now| {
            guarded(&details, None, now)?;
            let id = ResidentId::make(now, &mut *state.entropy);
            let grid = Some(state.grid_or_only(grid)?);
            Ok((save(id, grid, details, tags), id))
        })
    }

    /// Changes fields and tags of a resident; what is `None` stays.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Invalid`], [`FieldError::Denied`].
    pub fn change_resident(&self, id: ResidentId, details: ResidentDetails, tags: Vec<TagChange>) -> Result<(), FieldError> {
        let details = checked(details)?;
        self.command(|state, now| {
            let view = self.view(state, id.into(), "resident")?;
            guarded(&details, Resident::brief(&view.document).details.guardian, now)?;
            Ok((save(id, None, details, tags), ()))
        })
    }

    /// The card of a resident. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn resident(&self, id: ResidentId) -> Result<Resident, FieldError> {
        let state = self.state();
        Ok(Resident::read(&self.shown(&state, id.into(), "resident")?.document))
    }
}

fn save(id: ResidentId, grid: Option<GridId>, details: ResidentDetails, tags: Vec<TagChange>) -> Action {
    Action::Save { doc: id.into(), grid, details: Details::Resident(details), tags, members: Vec::new(), removed: None }
}

/// Whether a child is recorded with a guardian, or has one already.
fn guarded(details: &ResidentDetails, guardian: Option<ResidentId>, now: Millis) -> Result<(), FieldError> {
    let is_child = details.born.as_ref().is_some_and(|born| ResidentDetails::is_guarded(*born.reveal(), now.day()));
    if is_child && details.guardian.or(guardian).is_none() {
        return Err(Invalid::new("guardian", "is missing for somebody under 14").into());
    }
    Ok(())
}

fn checked(mut details: ResidentDetails) -> Result<ResidentDetails, FieldError> {
    let name = details.name.map(|name| Invalid::check_text("name", name.reveal(), MOST_NAME)).transpose()?;
    details.name = name.map(Personal::new);
    details.remark = optional("remark", details.remark.map(Personal::into_inner), MOST_REMARK)?.map(Into::into);
    Ok(details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::vector::enrolled_engine;
    use crate::model::Day;

    fn card(name: &str, born: Option<&str>, guardian: Option<ResidentId>) -> ResidentDetails {
        let born = born.map(|day| Personal::new(day.parse::<Day>().unwrap()));
        ResidentDetails { name: Some(name.to_owned().into()), born, guardian, ..ResidentDetails::default() }
    }

    #[test]
    fn a_child_is_recorded_with_a_guardian_and_not_without() {
        let engine = enrolled_engine();
        let child = engine.today().plus(-10 * 365).to_string();
        let missing = FieldError::Invalid(Invalid::new("guardian", "is missing for somebody under 14"));
        assert_eq!(engine.add_resident(None, card("小明", Some(&child), None), Vec::new()), Err(missing.clone()));
        let mother = engine.add_resident(None, card("李芳", Some("1990-05-01"), None), Vec::new()).unwrap();
        let boy = engine.add_resident(None, card("小明", None, None), Vec::new()).unwrap();
        let born = |guardian| ResidentDetails { name: None, ..card("", Some(&child), guardian) };
        assert_eq!(engine.change_resident(boy, born(None), Vec::new()), Err(missing));
        engine.change_resident(boy, born(Some(mother)), Vec::new()).unwrap();
        engine.change_resident(boy, born(None), Vec::new()).unwrap();
        assert_eq!(engine.resident(boy).unwrap().details.guardian, Some(mother));
    }
}
