//! Boundaries: places go over from one grid to another, and with them whoever lives and works there, and what is open about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorstep_core::docs::layout::GRID_KEY;
use doorstep_core::docs::{DocKind, Organisation, Write};
use doorstep_core::model::{DocId, GridId, Hlc, HouseholdId, PlaceId, StreetId};
use doorstep_core::summary::Summary;

use super::cache::Loaded;
use super::registrar::Registrar;
use super::working::WorkingSet;
use super::{Hub, HubError};
use crate::ledger::{Commit, LedgerError, Street};

/// How many documents are moved together.
const DOCUMENTS_AT_ONCE: usize = 200;
/// How often a part is tried when documents move on meanwhile.
const MOST_ROUNDS: usize = 8;

impl Hub {
    /// Moves places to a grid, with what stands in them, the households, residents and organisations there, and the open cases about them.
    /// What is there already stays as it is, so that it can be called again after a failure. How many documents were moved.
    ///
    /// # Errors
    /// [`HubError::NotFound`] when there is no such grid or place; or when the ledger fails: what was moved before stays moved.
    pub fn move_places(&self, street: StreetId, places: &[PlaceId], to: GridId) -> Result<usize, HubError> {
        let of = self.street(street)?;
        self.ledger.directory(street)?.grid(to).ok_or(HubError::NotFound { what: "grid" })?;
        let moving: Vec<DocId> = self.concerned(street, places)?.into_iter().collect();
        let mut moved = 0;
        for docs in moving.chunks(DOCUMENTS_AT_ONCE) {
            moved += self.move_documents(&of, docs, to)?;
        }
        Ok(moved)
    }

    /// What belongs to places: one scan of the summaries.
    fn concerned(&self, street: StreetId, places: &[PlaceId]) -> Result<BTreeSet<DocId>, HubError> {
        let places = self.with_parts(street, places)?;
        let is_there = |place: Option<PlaceId>| place.is_some_and(|place| places.contains(&place));
        let mut concerned: BTreeSet<DocId> = places.iter().copied().map(DocId::from).collect();
        let mut households: BTreeSet<HouseholdId> = BTreeSet::new();
        let mut organisations = Vec::new();
        for kind in [DocKind::Household, DocKind::Resident, DocKind::Organisation, DocKind::Case] {
            self.each_summary(street, kind, &mut |summary| match summary {
                Summary::Household(row) if is_there(row.place) => drop(households.insert(row.id)),
                Summary::Resident(row) if row.household.is_some_and(|household| households.contains(&household)) => {
                    concerned.insert(row.id.into());
                }
                Summary::Organisation(row) => organisations.push(row.id),
                Summary::Case(row) if row.is_open() && is_there(row.place) => drop(concerned.insert(row.id.into())),
                _ => {}
            })?;
        }
        concerned.extend(households.into_iter().map(DocId::from));
        // Their summaries do not say where they are.
        for organisation in organisations {
            let Some(loaded) = self.load(street, organisation.into())? else { continue };
            if is_there(Organisation::read(&loaded.document).details.place) {
                concerned.insert(organisation.into());
            }
        }
        Ok(concerned)
    }

    /// The places, with the buildings, alleys and yards of those that are estates.
    fn with_parts(&self, street: StreetId, places: &[PlaceId]) -> Result<BTreeSet<PlaceId>, HubError> {
        let mut all: BTreeSet<PlaceId> = places.iter().copied().collect();
        let mut known: BTreeSet<PlaceId> = BTreeSet::new();
        self.each_summary(street, DocKind::Place, &mut |summary| {
            if let Summary::Place(row) = summary {
                known.insert(row.id);
                if row.parent.is_some_and(|parent| places.contains(&parent)) {
                    all.insert(row.id);
                }
            }
        })?;
        if all.is_subset(&known) { Ok(all) } else { Err(HubError::NotFound { what: "place" }) }
    }

    fn move_documents(&self, street: &Street, docs: &[DocId], to: GridId) -> Result<usize, HubError> {
        let _guards = self.locks.lock(docs.iter().copied());
        for _ in 0..MOST_ROUNDS {
            let (commit, loaded) = self.moved(street, docs, to)?;
            let count = loaded.len();
            if count == 0 {
                return Ok(0);
            }
            match self.commit_documents(street.id, commit, loaded) {
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => docs.iter().for_each(|doc| self.cache.remove(street.id, *doc)),
                committed => return committed.map(|()| count),
            }
        }
        Err(HubError::Busy)
    }

    fn moved(&self, street: &Street, docs: &[DocId], to: GridId) -> Result<(Commit, Vec<Loaded>), HubError> {
        let mut documents = WorkingSet::default();
        for doc in docs {
            documents.fetch(self, street.id, *doc)?;
        }
        let (now, writes) = (self.now(), [Write::set(GRID_KEY, to.as_bytes())]);
        let (mut commit, mut loaded) = (Commit::default(), Vec::new());
        for mut working in documents.0.into_values().filter(|working| working.document.grids() != [to]) {
            let edited = Arc::make_mut(&mut working.document).edit(self.server_actor(street.ledger), Hlc::new(now, 0), &writes)?;
            let Some(change) = edited else { continue };
            working.take(&change, &Registrar::of(street), now);
            let (write, as_loaded) = self.written(street.id, working)?;
            commit.documents.push(write);
            loaded.push(as_loaded);
        }
        Ok((commit, loaded))
    }
}
