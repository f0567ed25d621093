//! Organisations: adding, changing, reading.

use crate::docs::Organisation;
use crate::field::command::{Action, Details, TagChange};
use crate::field::place::{MOST_NAME, optional};
use crate::field::{Engine, FieldError};
use crate::model::{GridId, Invalid, OrganisationDetails, OrganisationId, Personal};

impl Engine {
    /// Adds an organisation to a grid, or to the only one of this person.
    ///
    /// # Errors
    /// [`FieldError::Invalid`] without a name; [`FieldError::Denied`] for a grid of somebody else.
    pub fn add_organisation(
        &self,
        grid: Option<GridId>,
        details: OrganisationDetails,
        tags: Vec<TagChange>,
    ) -> Result<OrganisationId, FieldError> {
        if details.name.is_none() {
            return Err(Invalid::new("name", "is missing").into());
        }
        let details = checked(details)?;
        self.command(|state, now| {
            let id = OrganisationId::make(now, &mut *state.entropy);
            let grid = Some(state.grid_or_only(grid)?);
            Ok((save(id, grid, details, tags), id))
        })
    }

    /// Changes fields and tags of an organisation; what is `None` stays.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Invalid`], [`FieldError::Denied`].
    pub fn change_organisation(&self, id: OrganisationId, details: OrganisationDetails, tags: Vec<TagChange>) -> Result<(), FieldError> {
        let details = checked(details)?;
        self.command(|state, _| {
            self.view(state, id.into(), "organisation")?;
            Ok((save(id, None, details, tags), ()))
        })
    }

    /// An organisation with its visits and notes. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn organisation(&self, id: OrganisationId) -> Result<Organisation, FieldError> {
        let state = self.state();
        Ok(Organisation::read(&self.shown(&state, id.into(), "organisation")?.document))
    }
}

fn save(id: OrganisationId, grid: Option<GridId>, details: OrganisationDetails, tags: Vec<TagChange>) -> Action {
    Action::Save { doc: id.into(), grid, details: Details::Organisation(details), tags, members: Vec::new(), removed: None }
}

fn checked(mut details: OrganisationDetails) -> Result<OrganisationDetails, FieldError> {
    details.name = details.name.map(|name| Invalid::check_text("name", &name, MOST_NAME)).transpose()?;
    for (field, text) in [("credit_code", &mut details.credit_code), ("trade", &mut details.trade), ("address", &mut details.address)] {
        *text = optional(field, text.take(), MOST_NAME)?;
    }
    details.contact = optional("contact", details.contact.map(Personal::into_inner), MOST_NAME)?.map(Into::into);
    Ok(details)
}
