//! Parties: who reports or is contacted in a case and is no registered resident.

use std::sync::Arc;

use doorstep_core::field::Listed;
use doorstep_core::model::{PartyDetails as CoreDetails, PartyId, Personal};
use doorstep_core::summary::PartySummary;
use doorstep_core::text::Lang;

use crate::error::DoorstepError;
use crate::rows::{Lock, Note, SyncState, notes, personal, revealed};
use crate::shared::Shared;
use crate::types::{Id, parsed};

/// A row of a list of parties.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PartyRow {
    /// The party.
    pub id: Id,
    /// The grid whose worker took it in.
    pub grid: Option<Id>,
    /// The name.
    pub name: Option<String>,
    /// Whether some field has more than one value.
    pub conflicted: bool,
    /// Whether what is personal in the row can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// What is said of a party.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PartyDetails {
    /// The name.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// A telephone number; the name or this.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// The identity number.
    #[uniffi(default = None)]
    pub id_number: Option<String>,
    /// An address.
    #[uniffi(default = None)]
    pub address: Option<String>,
}

/// A party.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Party {
    /// The party.
    pub id: Id,
    /// The grid whose worker took it in.
    pub grid: Option<Id>,
    /// Its fields.
    pub details: PartyDetails,
    /// Its notes.
    pub notes: Vec<Note>,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// Parties.
#[derive(uniffi::Object)]
pub struct Parties {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Parties {
    /// The parties of a grid, or of all grids on this phone. One scan of rows.
    pub fn list(&self, grid: Option<Id>) -> Result<Vec<PartyRow>, DoorstepError> {
        self.shared.rows(|engine| engine.parties(grid.map(Into::into)), row)
    }

    /// One party. Loads one document.
    pub fn get(&self, id: Id) -> Result<Party, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| {
            let party = engine.party(id.into())?;
            let details = party.details;
            Ok(Party {
                id,
                grid: party.grid.map(Into::into),
                details: PartyDetails {
                    name: revealed(details.name),
                    phone: details.phone.map(|phone| phone.reveal().as_str().to_owned()),
                    id_number: details.id_number.map(|number| number.reveal().as_str().to_owned()),
                    address: revealed(details.address),
                },
                notes: notes(party.notes),
                removed: party.removed,
                lock: party.lock.into(),
                sync: SyncState::of(engine.sync_state(PartyId::from(id)), lang),
            })
        })
    }

    /// Adds a party to a grid, or to the only one of this person.
    pub fn add(&self, grid: Option<Id>, details: PartyDetails) -> Result<Id, DoorstepError> {
        let details = CoreDetails {
            name: personal(details.name),
            phone: parsed(details.phone)?.map(Personal::new),
            id_number: parsed(details.id_number)?.map(Personal::new),
            address: personal(details.address),
        };
        self.shared.with(|engine| engine.add_party(grid.map(Into::into), details).map(Id::from))
    }
}

fn row(listed: Listed<PartySummary>, lang: Lang) -> PartyRow {
    let row = listed.row;
    PartyRow {
        id: row.id.into(),
        grid: row.grid.map(Into::into),
        name: revealed(row.name),
        conflicted: row.conflicted,
        lock: row.lock.into(),
        sync: SyncState::of(listed.sync, lang),
    }
}
