//! Residents: the card of one person.

use std::sync::Arc;

use doorstep_core::docs::DocKind;
use doorstep_core::field::Listed;
use doorstep_core::model::{Personal, ResidentDetails as CoreDetails};
use doorstep_core::summary::ResidentSummary;
use doorstep_core::text::Lang;

use crate::error::DoorstepError;
use crate::rows::{FieldConflict, Lock, Note, SyncState, TagChange, beside, notes, personal, revealed, tag_changes, tags};
use crate::shared::Shared;
use crate::types::{CalendarDay, Id, parsed};

/// A row of a list of residents.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ResidentRow {
    /// The resident.
    pub id: Id,
    /// The grid.
    pub grid: Option<Id>,
    /// Where the person lives.
    pub household: Option<Id>,
    /// The name.
    pub name: Option<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// Whether some field has more than one value.
    pub conflicted: bool,
    /// Whether what is personal in the row can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// What is said of a resident. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ResidentDetails {
    /// The name.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// Where the person lives.
    #[uniffi(default = None)]
    pub household: Option<Id>,
    /// A telephone number.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// The identity number.
    #[uniffi(default = None)]
    pub id_number: Option<String>,
    /// The day of birth.
    #[uniffi(default = None)]
    pub born: Option<CalendarDay>,
    /// What the next visitor should know.
    #[uniffi(default = None)]
    pub remark: Option<String>,
    /// Who answers for the person; nobody under 14 is recorded without.
    #[uniffi(default = None)]
    pub guardian: Option<Id>,
}

/// A resident with everything on the card.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Resident {
    /// The resident.
    pub id: Id,
    /// The grid.
    pub grid: Option<Id>,
    /// The fields.
    pub details: ResidentDetails,
    /// The tags.
    pub tags: Vec<String>,
    /// The notes.
    pub notes: Vec<Note>,
    /// Fields with more than one value.
    pub conflicts: Vec<FieldConflict>,
    /// Whether the card was removed.
    pub removed: bool,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// Residents.
#[derive(uniffi::Object)]
pub struct Residents {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Residents {
    /// The residents of a grid, or of all grids on this phone. One scan of rows.
    pub fn list(&self, grid: Option<Id>) -> Result<Vec<ResidentRow>, DoorstepError> {
        self.shared.rows(|engine| engine.residents(grid.map(Into::into)), row)
    }

    /// One resident. Loads one document.
    pub fn get(&self, id: Id) -> Result<Resident, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| {
            let resident = engine.resident(id.into())?;
            let (conflicts, sync) = beside(engine, DocKind::Resident, id, lang)?;
            let details = resident.details;
            Ok(Resident {
                id,
                grid: resident.grid.map(Into::into),
                details: ResidentDetails {
                    name: revealed(details.name),
                    household: details.household.map(Into::into),
                    phone: details.phone.map(|phone| phone.reveal().as_str().to_owned()),
                    id_number: details.id_number.map(|number| number.reveal().as_str().to_owned()),
                    born: details.born.map(|born| CalendarDay::from(*born.reveal())),
                    remark: revealed(details.remark),
                    guardian: details.guardian.map(Into::into),
                },
                tags: tags(resident.tags),
                notes: notes(resident.notes),
                conflicts,
                removed: resident.removed,
                lock: resident.lock.into(),
                sync,
            })
        })
    }

    /// Adds a resident to a grid, or to the only one of this person.
    pub fn add(&self, grid: Option<Id>, details: ResidentDetails, tags: Vec<TagChange>) -> Result<Id, DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.add_resident(grid.map(Into::into), details, tags).map(Id::from))
    }

    /// Changes fields and tags.
    pub fn change(&self, id: Id, details: ResidentDetails, tags: Vec<TagChange>) -> Result<(), DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.change_resident(id.into(), details, tags))
    }
}

fn row(listed: Listed<ResidentSummary>, lang: Lang) -> ResidentRow {
    let row = listed.row;
    ResidentRow {
        id: row.id.into(),
        grid: row.grid.map(Into::into),
        household: row.household.map(Into::into),
        name: revealed(row.name),
        tags: tags(row.tags),
        conflicted: row.conflicted,
        lock: row.lock.into(),
        sync: SyncState::of(listed.sync, lang),
    }
}

fn core_details(details: ResidentDetails) -> Result<CoreDetails, DoorstepError> {
    Ok(CoreDetails {
        name: personal(details.name),
        household: details.household.map(Into::into),
        phone: parsed(details.phone)?.map(Personal::new),
        id_number: parsed(details.id_number)?.map(Personal::new),
        born: details.born.map(|born| born.day()).transpose().map_err(DoorstepError::invalid)?.map(Personal::new),
        remark: personal(details.remark),
        guardian: details.guardian.map(Into::into),
    })
}
