//! Residents: the cards of persons.

use crate::docs::Resident;
use crate::field::command::{Action, Details, TagChange};
use crate::field::place::{MOST_NAME, MOST_REMARK, optional};
use crate::field::{Engine, FieldError};
use crate::model::{GridId, Invalid, Personal, ResidentDetails, ResidentId};

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
        self.command(|state, _| {
            self.view(state, id.into(), "resident")?;
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

fn checked(mut details: ResidentDetails) -> Result<ResidentDetails, FieldError> {
    let name = details.name.map(|name| Invalid::check_text("name", name.reveal(), MOST_NAME)).transpose()?;
    details.name = name.map(Personal::new);
    details.remark = optional("remark", details.remark.map(Personal::into_inner), MOST_REMARK)?.map(Into::into);
    Ok(details)
}
