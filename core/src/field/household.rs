//! Households: adding, changing, who lives there, reading.

use crate::docs::Household;
use crate::field::command::{Action, Details, MemberChange, TagChange};
use crate::field::place::{MOST_NAME, MOST_REMARK, optional};
use crate::field::{Engine, FieldError};
use crate::model::{GridId, HouseholdDetails, HouseholdId, Invalid, Notice, Personal, ResidentId};

/// The longest door, in characters.
const MOST_DOOR: usize = 40;
/// The longest name of a text that people are given, and the longest purpose, in characters.
const MOST_NOTICE: usize = 40;
const MOST_PURPOSE: usize = 200;

impl Engine {
    /// Adds a household to a grid, or to the only one of this person.
    ///
    /// # Errors
    /// [`FieldError::Invalid`] without a door; [`FieldError::Denied`] for a grid of somebody else.
    pub fn add_household(&self, grid: Option<GridId>, details: HouseholdDetails, tags: Vec<TagChange>) -> Result<HouseholdId, FieldError> {
        if details.door.is_none() {
            return Err(Invalid::new("door", "is missing").into());
        }
        let details = checked(details)?;
        self.command(|state, now| {
            let id = HouseholdId::make(now, &mut *state.entropy);
            let grid = Some(state.grid_or_only(grid)?);
            Ok((save(id, grid, details, tags, Vec::new(), None), id))
        })
    }

    /// Changes fields and tags of a household; what is `None` stays.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Invalid`], [`FieldError::Denied`].
    pub fn change_household(&self, id: HouseholdId, details: HouseholdDetails, tags: Vec<TagChange>) -> Result<(), FieldError> {
        let details = checked(details)?;
        self.command(|state, _| {
            self.view(state, id.into(), "household")?;
            Ok((save(id, None, details, tags, Vec::new(), None), ()))
        })
    }

    /// Notes that a resident lives in a household, or no longer does.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Denied`].
    pub fn set_member(&self, id: HouseholdId, resident: ResidentId, in_household: bool) -> Result<(), FieldError> {
        self.command(|state, _| {
            self.view(state, id.into(), "household")?;
            self.view(state, resident.into(), "resident")?;
            Ok((save(id, None, HouseholdDetails::default(), Vec::new(), vec![MemberChange { resident, in_household }], None), ()))
        })
    }

    /// Moves a household to another grid of this person.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Denied`].
    pub fn move_household(&self, id: HouseholdId, grid: GridId) -> Result<(), FieldError> {
        self.command(|state, _| {
            self.view(state, id.into(), "household")?;
            Ok((save(id, Some(grid), HouseholdDetails::default(), Vec::new(), Vec::new(), None), ()))
        })
    }

    /// Removes a household: a tombstone that can be taken back.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Denied`].
    pub fn remove_household(&self, id: HouseholdId) -> Result<(), FieldError> {
        self.command(|state, _| {
            self.view(state, id.into(), "household")?;
            Ok((save(id, None, HouseholdDetails::default(), Vec::new(), Vec::new(), Some(true)), ()))
        })
    }

    /// Notes that the people of a household were told by this person, now, what is recorded of them and what for.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Invalid`], [`FieldError::Denied`].
    pub fn give_notice(&self, id: HouseholdId, version: &str, purpose: &str) -> Result<(), FieldError> {
        let version = Invalid::check_text("notice", version, MOST_NOTICE)?;
        let purpose = Invalid::check_text("purpose", purpose, MOST_PURPOSE)?;
        self.command(|state, now| {
            self.view(state, id.into(), "household")?;
            let notice = Notice { version, purpose, at: now, by: state.given()?.person };
            let details = HouseholdDetails { notice: Some(notice), ..HouseholdDetails::default() };
            Ok((save(id, None, details, Vec::new(), Vec::new(), None), ()))
        })
    }

    /// A household with its visits and notes. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn household(&self, id: HouseholdId) -> Result<Household, FieldError> {
        let state = self.state();
        Ok(Household::read(&self.shown(&state, id.into(), "household")?.document))
    }
}

fn save(
    id: HouseholdId,
    grid: Option<GridId>,
    details: HouseholdDetails,
    tags: Vec<TagChange>,
    members: Vec<MemberChange>,
    removed: Option<bool>,
) -> Action {
    Action::Save { doc: id.into(), grid, details: Details::Household(details), tags, members, removed }
}

fn checked(mut details: HouseholdDetails) -> Result<HouseholdDetails, FieldError> {
    details.door = details.door.map(|door| Invalid::check_text("door", &door, MOST_DOOR)).transpose()?;
    details.contact = optional("contact", details.contact.map(Personal::into_inner), MOST_NAME)?.map(Into::into);
    details.remark = optional("remark", details.remark.map(Personal::into_inner), MOST_REMARK)?.map(Into::into);
    Ok(details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::vector::enrolled_engine;

    #[test]
    fn a_notice_says_which_text_was_given_what_for_when_and_by_whom() {
        let engine = enrolled_engine();
        let door = engine.households(None).unwrap()[0].row.id;
        assert_eq!(engine.household(door).unwrap().details.notice, None);
        assert!(matches!(engine.give_notice(door, "2026-01", " "), Err(FieldError::Invalid(_))));
        engine.give_notice(door, "2026-01", "走访与求助").unwrap();
        let notice = engine.household(door).unwrap().details.notice.unwrap();
        assert_eq!((notice.version.as_str(), notice.purpose.as_str()), ("2026-01", "走访与求助"));
        assert_eq!(notice.by, engine.identity().unwrap().person);
        assert_eq!(notice.at.day(), engine.today());
        engine.give_notice(door, "2026-02", "走访与求助").unwrap();
        assert_eq!(engine.household(door).unwrap().details.notice.unwrap().version, "2026-02");
    }
}
