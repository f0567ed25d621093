//! Households: a door and the people behind it.

use std::sync::Arc;

use doorstep_core::docs::{DocKind, Household as CoreHousehold};
use doorstep_core::field::{DueRule as CoreDueRule, Listed};
use doorstep_core::model::{HouseholdDetails as CoreDetails, Personal};
use doorstep_core::summary::HouseholdSummary;
use doorstep_core::text::Lang;

use crate::error::DoorstepError;
use crate::rows::{
    Attachment, FieldConflict, LastVisit, Lock, Note, SyncState, TagChange, attachments, beside, notes, personal, revealed, tag_changes,
    tags,
};
use crate::shared::Shared;
use crate::types::{CalendarDay, Id, Timestamp, parsed};
use crate::visits::{Visit, visits};

/// A row of a list of households.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HouseholdRow {
    /// The household.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// The building, alley or yard.
    pub place: Option<Id>,
    /// The door.
    pub door: String,
    /// Under whose name the door is known.
    pub contact: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// How many residents are registered here.
    pub members: u32,
    /// The last visit.
    pub last_visit: LastVisit,
    /// Whether some field has more than one value.
    pub conflicted: bool,
    /// Whether what is personal in the row can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// What is said of a household. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HouseholdDetails {
    /// The building, alley or yard.
    #[uniffi(default = None)]
    pub place: Option<Id>,
    /// The door: 1单元301.
    #[uniffi(default = None)]
    pub door: Option<String>,
    /// Under whose name the door is known.
    #[uniffi(default = None)]
    pub contact: Option<String>,
    /// A telephone number.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// What the next visitor should know.
    #[uniffi(default = None)]
    pub remark: Option<String>,
}

/// That people were told what is recorded of them and what for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Notice {
    /// Which text they were given.
    pub version: String,
    /// What the record is for.
    pub purpose: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Id,
}

/// A household with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Household {
    /// The household.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// Its fields.
    pub details: HouseholdDetails,
    /// The notice that the people here were last given.
    pub notice: Option<Notice>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The residents registered here.
    pub members: Vec<Id>,
    /// Its visits, the latest first.
    pub visits: Vec<Visit>,
    /// Its notes.
    pub notes: Vec<Note>,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// Fields with more than one value.
    pub conflicts: Vec<FieldConflict>,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// How often households with a tag are visited.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DueRule {
    /// The tag; all households where there is none.
    pub tag: Option<String>,
    /// At the latest so many days after somebody was last met.
    pub every_days: u16,
}

/// A door that wants to be visited.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DueDoor {
    /// The household.
    pub household: HouseholdRow,
    /// The place's name, if it is on this phone.
    pub place: Option<String>,
    /// Since which day.
    pub due_on: CalendarDay,
}

/// Households.
#[derive(uniffi::Object)]
pub struct Households {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Households {
    /// The households of a grid, or of all grids on this phone. One scan of rows.
    pub fn list(&self, grid: Option<Id>) -> Result<Vec<HouseholdRow>, DoorstepError> {
        self.shared.rows(|engine| engine.households(grid.map(Into::into)), row)
    }

    /// The doors that are due today or before, the longest overdue first.
    pub fn due(&self, grid: Option<Id>, rules: Vec<DueRule>) -> Result<Vec<DueDoor>, DoorstepError> {
        let lang = self.shared.lang;
        let rule = |rule: DueRule| Ok(CoreDueRule { tag: parsed(rule.tag)?, every_days: rule.every_days });
        let rules = rules.into_iter().map(rule).collect::<Result<Vec<_>, DoorstepError>>()?;
        self.shared.with(|engine| {
            let due = engine.due(grid.map(Into::into), &rules, engine.today())?;
            let door = |door: doorstep_core::field::DueDoor| DueDoor {
                household: row(door.household, lang),
                place: door.place,
                due_on: door.due_on.into(),
            };
            Ok(due.into_iter().map(door).collect())
        })
    }

    /// One household. Loads one document.
    pub fn get(&self, id: Id) -> Result<Household, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| {
            let household = engine.household(id.into())?;
            let (conflicts, sync) = beside(engine, DocKind::Household, id, lang)?;
            Ok(detail(household, conflicts, sync))
        })
    }

    /// Adds a household to a grid, or to the only one of this person.
    pub fn add(&self, grid: Option<Id>, details: HouseholdDetails, tags: Vec<TagChange>) -> Result<Id, DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.add_household(grid.map(Into::into), details, tags).map(Id::from))
    }

    /// Changes fields and tags.
    pub fn change(&self, id: Id, details: HouseholdDetails, tags: Vec<TagChange>) -> Result<(), DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.change_household(id.into(), details, tags))
    }

    /// Notes that a resident lives here, or no longer does.
    pub fn set_member(&self, id: Id, resident: Id, in_household: bool) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.set_member(id.into(), resident.into(), in_household))
    }

    /// Notes that the people here were told by this person, now, what is recorded of them and what for.
    pub fn give_notice(&self, id: Id, version: String, purpose: String) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.give_notice(id.into(), &version, &purpose))
    }

    /// Moves a household to another grid of this person.
    pub fn move_to(&self, id: Id, grid: Id) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.move_household(id.into(), grid.into()))
    }

    /// Removes a household: a mark that can be taken back.
    pub fn remove(&self, id: Id) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.remove_household(id.into()))
    }
}

fn row(listed: Listed<HouseholdSummary>, lang: Lang) -> HouseholdRow {
    let row = listed.row;
    HouseholdRow {
        id: row.id.into(),
        grid: row.grid.map(Into::into),
        place: row.place.map(Into::into),
        door: row.door,
        contact: revealed(row.contact),
        tags: tags(row.tags),
        members: row.members,
        last_visit: row.last_visit.into(),
        conflicted: row.conflicted,
        lock: row.lock.into(),
        sync: SyncState::of(listed.sync, lang),
    }
}

fn detail(household: CoreHousehold, conflicts: Vec<FieldConflict>, sync: SyncState) -> Household {
    let details = household.details;
    Household {
        id: household.id.into(),
        grid: household.grid.map(Into::into),
        details: HouseholdDetails {
            place: details.place.map(Into::into),
            door: details.door,
            contact: revealed(details.contact),
            phone: details.phone.map(|phone| phone.reveal().as_str().to_owned()),
            remark: revealed(details.remark),
        },
        notice: details.notice.map(|notice| Notice {
            version: notice.version,
            purpose: notice.purpose,
            at: notice.at.into(),
            by: notice.by.into(),
        }),
        tags: tags(household.tags),
        members: household.members.into_iter().map(Id::from).collect(),
        visits: visits(household.visits),
        notes: notes(household.notes),
        attachments: attachments(household.attachments),
        conflicts,
        removed: household.removed,
        lock: household.lock.into(),
        sync,
    }
}

fn core_details(details: HouseholdDetails) -> Result<CoreDetails, DoorstepError> {
    Ok(CoreDetails {
        place: details.place.map(Into::into),
        door: details.door,
        contact: personal(details.contact),
        phone: parsed(details.phone)?.map(Personal::new),
        remark: personal(details.remark),
        notice: None,
    })
}
