//! Parties: who reports or is contacted and is no registered resident.

use crate::docs::Party;
use crate::field::command::{Action, Details};
use crate::field::place::{MOST_NAME, optional};
use crate::field::{Engine, FieldError};
use crate::model::{GridId, Invalid, PartyDetails, PartyId, Personal};

impl Engine {
    /// Takes a party in, under a grid of this person.
    ///
    /// # Errors
    /// [`FieldError::Invalid`] without a name or a telephone number; [`FieldError::Denied`] for a grid of somebody else.
    pub fn add_party(&self, grid: Option<GridId>, details: PartyDetails) -> Result<PartyId, FieldError> {
        if details.name.is_none() && details.phone.is_none() {
            return Err(Invalid::new("name", "is missing, and so is a telephone number").into());
        }
        let details = checked(details)?;
        self.command(|state, now| {
            let id = PartyId::make(now, &mut *state.entropy);
            let grid = Some(state.grid_or_only(grid)?);
            let details = Details::Party(details);
            Ok((Action::Save { doc: id.into(), grid, details, tags: Vec::new(), members: Vec::new(), removed: None }, id))
        })
    }

    /// A party. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn party(&self, id: PartyId) -> Result<Party, FieldError> {
        let state = self.state();
        Ok(Party::read(&self.shown(&state, id.into(), "party")?.document))
    }
}

fn checked(mut details: PartyDetails) -> Result<PartyDetails, FieldError> {
    let name = details.name.map(|name| Invalid::check_text("name", name.reveal(), MOST_NAME)).transpose()?;
    details.name = name.map(Personal::new);
    details.address = optional("address", details.address.map(Personal::into_inner), MOST_NAME)?.map(Into::into);
    Ok(details)
}
