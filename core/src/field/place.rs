//! Places: adding, changing, reading.

use crate::docs::Place;
use crate::field::command::{Action, Details, TagChange};
use crate::field::{Engine, FieldError};
use crate::model::{GridId, Invalid, PlaceDetails, PlaceId};

/// The longest name, address or company name, in characters.
pub(super) const MOST_NAME: usize = 80;
/// The longest remark, in characters.
pub(super) const MOST_REMARK: usize = 1_000;

impl Engine {
    /// Adds a place to a grid, or to the only one of this person.
    ///
    /// # Errors
    /// [`FieldError::Invalid`] without a kind and a name; [`FieldError::Denied`] for a grid of somebody else.
    pub fn add_place(&self, grid: Option<GridId>, details: PlaceDetails, tags: Vec<TagChange>) -> Result<PlaceId, FieldError> {
        if details.kind.is_none() {
            return Err(Invalid::new("kind", "is missing").into());
        }
        if details.name.is_none() {
            return Err(Invalid::new("name", "is missing").into());
        }
        let details = checked(details)?;
        self.command(|state, now| {
            let id = PlaceId::make(now, &mut *state.entropy);
            let grid = Some(state.grid_or_only(grid)?);
            Ok((save(id, grid, details, tags, None), id))
        })
    }

    /// Changes fields and tags of a place; what is `None` stays.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Invalid`], [`FieldError::Denied`].
    pub fn change_place(&self, id: PlaceId, details: PlaceDetails, tags: Vec<TagChange>) -> Result<(), FieldError> {
        let details = checked(details)?;
        self.command(|state, _| {
            self.view(state, id.into(), "place")?;
            Ok((save(id, None, details, tags, None), ()))
        })
    }

    /// Removes a place: a tombstone that can be taken back.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Denied`].
    pub fn remove_place(&self, id: PlaceId) -> Result<(), FieldError> {
        self.command(|state, _| {
            self.view(state, id.into(), "place")?;
            Ok((save(id, None, PlaceDetails::default(), Vec::new(), Some(true)), ()))
        })
    }

    /// A place with its patrols and notes. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn place(&self, id: PlaceId) -> Result<Place, FieldError> {
        let state = self.state();
        Ok(Place::read(&self.shown(&state, id.into(), "place")?.document))
    }
}

fn save(id: PlaceId, grid: Option<GridId>, details: PlaceDetails, tags: Vec<TagChange>, removed: Option<bool>) -> Action {
    Action::Save { doc: id.into(), grid, details: Details::Place(details), tags, members: Vec::new(), removed }
}

fn checked(mut details: PlaceDetails) -> Result<PlaceDetails, FieldError> {
    details.name = details.name.map(|name| Invalid::check_text("name", &name, MOST_NAME)).transpose()?;
    for (field, text) in [
        ("address", &mut details.address),
        ("community", &mut details.community),
        ("property_company", &mut details.property_company),
        ("developer", &mut details.developer),
        ("owners_committee", &mut details.owners_committee),
    ] {
        *text = optional(field, text.take(), MOST_NAME)?;
    }
    details.access = optional("access", details.access.map(crate::model::Personal::into_inner), MOST_REMARK)?.map(Into::into);
    Ok(details)
}

/// A text that may be empty: then it takes the field away.
pub(super) fn optional(field: &'static str, text: Option<String>, most: usize) -> Result<Option<String>, Invalid> {
    match text {
        Some(text) if text.trim().is_empty() => Ok(Some(String::new())),
        Some(text) => Invalid::check_text(field, &text, most).map(Some),
        None => Ok(None),
    }
}
