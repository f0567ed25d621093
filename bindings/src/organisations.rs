//! Organisations: the enterprises, shops, schools and institutions of a grid.

use std::sync::Arc;

use doorstep_core::docs::DocKind;
use doorstep_core::field::Listed;
use doorstep_core::model::{OrganisationDetails as CoreDetails, Personal};
use doorstep_core::summary::OrganisationSummary;
use doorstep_core::text::Lang;

use crate::error::DoorstepError;
use crate::rows::{
    Attachment, FieldConflict, LastVisit, Lock, Note, SyncState, TagChange, attachments, beside, notes, personal, revealed, tag_changes,
    tags,
};
use crate::shared::Shared;
use crate::types::{Id, parsed};
use crate::visits::{Visit, visits};

/// A row of a list of organisations.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OrganisationRow {
    /// The organisation.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// Its name.
    pub name: String,
    /// What it does.
    pub trade: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// Whom to ask for.
    pub contact: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The last visit.
    pub last_visit: LastVisit,
    /// Whether some field has more than one value.
    pub conflicted: bool,
    /// Whether what is personal in the row can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// What is said of an organisation. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OrganisationDetails {
    /// Its name.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// Its unified social credit code.
    #[uniffi(default = None)]
    pub credit_code: Option<String>,
    /// Whom to ask for.
    #[uniffi(default = None)]
    pub contact: Option<String>,
    /// A telephone number.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// What it does.
    #[uniffi(default = None)]
    pub trade: Option<String>,
    /// The building, alley or yard.
    #[uniffi(default = None)]
    pub place: Option<Id>,
    /// Where it is.
    #[uniffi(default = None)]
    pub address: Option<String>,
}

/// An organisation with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Organisation {
    /// The organisation.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// Its fields.
    pub details: OrganisationDetails,
    /// Its tags.
    pub tags: Vec<String>,
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

/// Organisations.
#[derive(uniffi::Object)]
pub struct Organisations {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Organisations {
    /// The organisations of a grid, or of all grids on this phone. One scan of rows.
    pub fn list(&self, grid: Option<Id>) -> Result<Vec<OrganisationRow>, DoorstepError> {
        self.shared.rows(|engine| engine.organisations(grid.map(Into::into)), row)
    }

    /// One organisation. Loads one document.
    pub fn get(&self, id: Id) -> Result<Organisation, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| {
            let organisation = engine.organisation(id.into())?;
            let (conflicts, sync) = beside(engine, DocKind::Organisation, id, lang)?;
            let details = organisation.details;
            Ok(Organisation {
                id,
                grid: organisation.grid.map(Into::into),
                details: OrganisationDetails {
                    name: details.name,
                    credit_code: details.credit_code,
                    contact: revealed(details.contact),
                    phone: details.phone.map(|phone| phone.reveal().as_str().to_owned()),
                    trade: details.trade,
                    place: details.place.map(Into::into),
                    address: details.address,
                },
                tags: tags(organisation.tags),
                visits: visits(organisation.visits),
                notes: notes(organisation.notes),
                attachments: attachments(organisation.attachments),
                conflicts,
                removed: organisation.removed,
                lock: organisation.lock.into(),
                sync,
            })
        })
    }

    /// Adds an organisation to a grid, or to the only one of this person.
    pub fn add(&self, grid: Option<Id>, details: OrganisationDetails, tags: Vec<TagChange>) -> Result<Id, DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.add_organisation(grid.map(Into::into), details, tags).map(Id::from))
    }

    /// Changes fields and tags.
    pub fn change(&self, id: Id, details: OrganisationDetails, tags: Vec<TagChange>) -> Result<(), DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.change_organisation(id.into(), details, tags))
    }
}

fn row(listed: Listed<OrganisationSummary>, lang: Lang) -> OrganisationRow {
    let row = listed.row;
    OrganisationRow {
        id: row.id.into(),
        grid: row.grid.map(Into::into),
        name: row.name,
        trade: row.trade,
        address: row.address,
        contact: revealed(row.contact),
        tags: tags(row.tags),
        last_visit: row.last_visit.into(),
        conflicted: row.conflicted,
        lock: row.lock.into(),
        sync: SyncState::of(listed.sync, lang),
    }
}

fn core_details(details: OrganisationDetails) -> Result<CoreDetails, DoorstepError> {
    Ok(CoreDetails {
        name: details.name,
        credit_code: details.credit_code,
        contact: personal(details.contact),
        phone: parsed(details.phone)?.map(Personal::new),
        trade: details.trade,
        place: details.place.map(Into::into),
        address: details.address,
    })
}
