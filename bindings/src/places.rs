//! Places: estates, buildings, alleys, yards.

use std::sync::Arc;

use doorstep_core::docs::{DocKind, Place as CorePlace};
use doorstep_core::field::Listed;
use doorstep_core::model::PlaceDetails as CoreDetails;
use doorstep_core::summary::PlaceSummary;
use doorstep_core::text::Lang;

use crate::codes::PlaceKind;
use crate::error::DoorstepError;
use crate::rows::{
    Attachment, FieldConflict, LastVisit, Lock, Note, SyncState, TagChange, attachments, beside, notes, personal, revealed, tag_changes,
    tags,
};
use crate::shared::Shared;
use crate::types::{Id, Point};
use crate::visits::{Visit, visits};

/// A row of a list of places.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PlaceRow {
    /// The place.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// What it is.
    pub kind: Option<PlaceKind>,
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Option<String>,
    /// The estate that it stands in.
    pub parent: Option<Id>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The last patrol.
    pub last_visit: LastVisit,
    /// Whether some field has more than one value.
    pub conflicted: bool,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// What is said of a place. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct PlaceDetails {
    /// What it is.
    #[uniffi(default = None)]
    pub kind: Option<PlaceKind>,
    /// Its name: 3栋.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// Its address.
    #[uniffi(default = None)]
    pub address: Option<String>,
    /// The community.
    #[uniffi(default = None)]
    pub community: Option<String>,
    /// The estate that it stands in.
    #[uniffi(default = None)]
    pub parent: Option<Id>,
    /// Where it is.
    #[uniffi(default = None)]
    pub point: Option<Point>,
    /// How to get in.
    #[uniffi(default = None)]
    pub access: Option<String>,
    /// The property company.
    #[uniffi(default = None)]
    pub property_company: Option<String>,
    /// The developer.
    #[uniffi(default = None)]
    pub developer: Option<String>,
    /// The owners' committee.
    #[uniffi(default = None)]
    pub owners_committee: Option<String>,
}

/// A place with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Place {
    /// The place.
    pub id: Id,
    /// Its grid.
    pub grid: Option<Id>,
    /// Its fields.
    pub details: PlaceDetails,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its patrols, the latest first.
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

/// Places.
#[derive(uniffi::Object)]
pub struct Places {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Places {
    /// The places of a grid, or of all grids on this phone. One scan of rows.
    pub fn list(&self, grid: Option<Id>) -> Result<Vec<PlaceRow>, DoorstepError> {
        self.shared.rows(|engine| engine.places(grid.map(Into::into)), row)
    }

    /// One place. Loads one document.
    pub fn get(&self, id: Id) -> Result<Place, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| {
            let place = engine.place(id.into())?;
            let (conflicts, sync) = beside(engine, DocKind::Place, id, lang)?;
            Ok(detail(place, conflicts, sync))
        })
    }

    /// Adds a place to a grid, or to the only one of this person.
    pub fn add(&self, grid: Option<Id>, details: PlaceDetails, tags: Vec<TagChange>) -> Result<Id, DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.add_place(grid.map(Into::into), details, tags).map(Id::from))
    }

    /// Changes fields and tags.
    pub fn change(&self, id: Id, details: PlaceDetails, tags: Vec<TagChange>) -> Result<(), DoorstepError> {
        let (details, tags) = (core_details(details)?, tag_changes(tags)?);
        self.shared.with(|engine| engine.change_place(id.into(), details, tags))
    }

    /// Removes a place: a mark that can be taken back.
    pub fn remove(&self, id: Id) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.remove_place(id.into()))
    }
}

fn row(listed: Listed<PlaceSummary>, lang: Lang) -> PlaceRow {
    let row = listed.row;
    PlaceRow {
        id: row.id.into(),
        grid: row.grid.map(Into::into),
        kind: row.kind.map(Into::into),
        name: row.name,
        address: row.address,
        parent: row.parent.map(Into::into),
        tags: tags(row.tags),
        last_visit: row.last_visit.into(),
        conflicted: row.conflicted,
        sync: SyncState::of(listed.sync, lang),
    }
}

fn detail(place: CorePlace, conflicts: Vec<FieldConflict>, sync: SyncState) -> Place {
    let details = place.details;
    Place {
        id: place.id.into(),
        grid: place.grid.map(Into::into),
        details: PlaceDetails {
            kind: details.kind.map(Into::into),
            name: details.name,
            address: details.address,
            community: details.community,
            parent: details.parent.map(Into::into),
            point: details.point.map(Into::into),
            access: revealed(details.access),
            property_company: details.property_company,
            developer: details.developer,
            owners_committee: details.owners_committee,
        },
        tags: tags(place.tags),
        visits: visits(place.visits),
        notes: notes(place.notes),
        attachments: attachments(place.attachments),
        conflicts,
        removed: place.removed,
        lock: place.lock.into(),
        sync,
    }
}

fn core_details(details: PlaceDetails) -> Result<CoreDetails, DoorstepError> {
    Ok(CoreDetails {
        kind: details.kind.map(Into::into),
        name: details.name,
        address: details.address,
        community: details.community,
        parent: details.parent.map(Into::into),
        point: details.point.map(TryInto::try_into).transpose().map_err(DoorstepError::invalid)?,
        access: personal(details.access),
        property_company: details.property_company,
        developer: details.developer,
        owners_committee: details.owners_committee,
    })
}
