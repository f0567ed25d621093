//! Changing what is described: places, households, residents, organisations, parties.

use doorstep_core::docs::DocKind;
use doorstep_core::field::{FieldError, TagChange};
use doorstep_core::model::{
    DocId, HouseholdDetails, HouseholdId, OrganisationDetails, OrganisationId, PartyDetails, PlaceDetails, PlaceId, PlaceKind,
    ResidentDetails, ResidentId, Tag,
};

use super::{Action, Done};
use crate::world::World;

const DOORS: [&str; 3] = ["1单元101", "1单元102", "2单元301"];
const TAGS: [&str; 3] = ["独居", "低保", "elderly"];

impl World {
    pub(super) fn write_card(&mut self, phone: usize, action: Action) -> Result<Option<Done>, FieldError> {
        match action {
            Action::AddPlace => self.add_place(phone),
            Action::ChangePlace => self.change_place(phone),
            Action::AddHousehold => self.add_household(phone),
            Action::ChangeHousehold => self.change_household(phone),
            Action::AddResident => self.add_resident(phone),
            Action::SetMember => self.set_member(phone),
            Action::AddOrganisation => self.add_organisation(phone),
            Action::ChangeOrganisation => self.change_organisation(phone),
            Action::AddParty => self.add_party(phone),
            Action::Tag => self.tag(phone),
            Action::Remove => self.remove(phone),
            Action::Settle => self.settle_conflict(phone),
            _ => self.move_household(phone),
        }
    }

    fn add_place(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let grid = self.some_grid(phone)?;
        let details = PlaceDetails { kind: Some(PlaceKind::Building), name: Some(self.short_text()), ..Default::default() };
        let id = self.engine(phone)?.add_place(grid, details, Vec::new())?;
        Ok(Some(Done::changed(DocKind::Place, id)))
    }

    fn change_place(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some(id) = self.some::<PlaceId>(phone, DocKind::Place)? else { return Ok(None) };
        let mut details = PlaceDetails { access: Some(self.short_text().into()), ..Default::default() };
        if self.dice.chance(300) {
            details.name = Some(self.short_text());
        }
        self.engine(phone)?.change_place(id, details, Vec::new())?;
        Ok(Some(Done::changed(DocKind::Place, id)))
    }

    fn add_household(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let grid = self.some_grid(phone)?;
        let place = self.some::<PlaceId>(phone, DocKind::Place)?;
        let details = HouseholdDetails { place, door: Some(self.door()), contact: Some(self.short_text().into()), ..Default::default() };
        let tags = self.some_tags();
        let id = self.engine(phone)?.add_household(grid, details, tags)?;
        Ok(Some(Done::changed(DocKind::Household, id)))
    }

    fn change_household(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some(id) = self.some::<HouseholdId>(phone, DocKind::Household)? else { return Ok(None) };
        let mut details = HouseholdDetails { remark: Some(self.short_text().into()), ..Default::default() };
        if self.dice.chance(400) {
            details.door = Some(self.door());
        }
        let tags = self.some_tags();
        self.engine(phone)?.change_household(id, details, tags)?;
        Ok(Some(Done::changed(DocKind::Household, id)))
    }

    fn add_resident(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let grid = self.some_grid(phone)?;
        let household = self.some::<HouseholdId>(phone, DocKind::Household)?;
        let details = ResidentDetails { name: Some(self.short_text().into()), household, ..Default::default() };
        let id = self.engine(phone)?.add_resident(grid, details, Vec::new())?;
        Ok(Some(Done::changed(DocKind::Resident, id)))
    }

    fn set_member(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let household = self.some::<HouseholdId>(phone, DocKind::Household)?;
        let resident = self.some::<ResidentId>(phone, DocKind::Resident)?;
        let (Some(household), Some(resident)) = (household, resident) else { return Ok(None) };
        let lives_here = self.dice.chance(700);
        self.engine(phone)?.set_member(household, resident, lives_here)?;
        Ok(Some(Done::perhaps(DocKind::Household, household)))
    }

    fn add_organisation(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let grid = self.some_grid(phone)?;
        let details = OrganisationDetails { name: Some(self.short_text()), ..Default::default() };
        let id = self.engine(phone)?.add_organisation(grid, details, Vec::new())?;
        Ok(Some(Done::changed(DocKind::Organisation, id)))
    }

    fn change_organisation(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some(id) = self.some::<OrganisationId>(phone, DocKind::Organisation)? else { return Ok(None) };
        let details = OrganisationDetails { trade: Some(self.short_text()), ..Default::default() };
        let tags = self.some_tags();
        self.engine(phone)?.change_organisation(id, details, tags)?;
        Ok(Some(Done::changed(DocKind::Organisation, id)))
    }

    fn add_party(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let grid = self.some_grid(phone)?;
        let details = PartyDetails { name: Some(self.short_text().into()), ..Default::default() };
        let id = self.engine(phone)?.add_party(grid, details)?;
        Ok(Some(Done::changed(DocKind::Party, id)))
    }

    fn tag(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some(id) = self.some::<ResidentId>(phone, DocKind::Resident)? else { return Ok(None) };
        let tags = vec![self.one_tag()];
        self.engine(phone)?.change_resident(id, ResidentDetails::default(), tags)?;
        Ok(Some(Done::perhaps(DocKind::Resident, id)))
    }

    fn remove(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        if self.dice.chance(300) {
            let Some(id) = self.some::<PlaceId>(phone, DocKind::Place)? else { return Ok(None) };
            self.engine(phone)?.remove_place(id)?;
            return Ok(Some(Done::perhaps(DocKind::Place, id)));
        }
        let Some(id) = self.some::<HouseholdId>(phone, DocKind::Household)? else { return Ok(None) };
        self.engine(phone)?.remove_household(id)?;
        Ok(Some(Done::perhaps(DocKind::Household, id)))
    }

    /// Somebody looks at a conflict and says that the value that is shown is right, or another.
    fn settle_conflict(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let engine = self.engine(phone)?;
        let mut conflicted: Vec<DocId> = Vec::new();
        for doc in engine.documents(DocKind::Household)? {
            if engine.conflicts(DocKind::Household, doc)?.iter().any(|conflict| conflict.field == "door") {
                conflicted.push(doc);
            }
        }
        let Some(doc) = self.dice.pick(&conflicted).copied() else { return Ok(None) };
        let shown = self.engine(phone)?.household(doc.into())?.details.door;
        let door = if self.dice.chance(600) { shown } else { Some(self.door()) };
        let details = HouseholdDetails { door, ..Default::default() };
        self.engine(phone)?.change_household(doc.into(), details, Vec::new())?;
        Ok(Some(Done::perhaps(DocKind::Household, doc)))
    }

    fn move_household(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some(id) = self.some::<HouseholdId>(phone, DocKind::Household)? else { return Ok(None) };
        let grids = self.all_grids(phone)?;
        let Some(grid) = self.dice.pick(&grids).copied() else { return Ok(None) };
        self.engine(phone)?.move_household(id, grid)?;
        Ok(Some(Done::perhaps(DocKind::Household, id)))
    }

    fn door(&mut self) -> String {
        self.dice.pick(&DOORS).copied().unwrap_or_default().to_owned()
    }

    fn one_tag(&mut self) -> TagChange {
        let tag: Tag = self.dice.pick(&TAGS).copied().unwrap_or_default().parse().unwrap();
        TagChange { tag, on: self.dice.chance(700) }
    }

    fn some_tags(&mut self) -> Vec<TagChange> {
        if self.dice.chance(300) { vec![self.one_tag()] } else { Vec::new() }
    }

    /// A name that was never given before.
    fn short_text(&mut self) -> String {
        format!("名{}", self.dice.below(1 << 40))
    }
}
