//! Queries: lists come from summary rows, never from documents.

use std::collections::{BTreeMap, BTreeSet};

use crate::docs::DocKind;
use crate::field::engine::State;
use crate::field::keys::keyring;
use crate::field::search::{Entry, Hit, RowKind, SearchIndex};
use crate::field::tables;
use crate::field::{Engine, FieldError, SyncState};
use crate::model::{DocId, GridId, Personal, PlaceId};
use crate::store::row;
use crate::summary::{CaseSummary, HouseholdSummary, OrganisationSummary, PartySummary, PlaceSummary, ResidentSummary, Summary};

/// A row of a list: what it shows, and whether it has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The row.
    pub row: T,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// A search hit with its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was found, and in which field.
    pub hit: Hit,
    /// Its row.
    pub row: Listed<Summary>,
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $kind:ident -> $row:ty),+ $(,)?) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// When the store fails or a row does not decode.
        pub fn $name(&self, grid: Option<GridId>) -> Result<Vec<Listed<$row>>, FieldError> {
            self.list(DocKind::$kind, grid, &|_| true, |summary| if let Summary::$kind(row) = summary { Some(row) } else { None })
        }
    )+ };
}

impl Engine {
    lists! {
        /// The places of a grid, or of all grids on this phone. One scan of their rows.
        places: Place -> PlaceSummary,
        /// The households of a grid, or of all grids on this phone. One scan of their rows.
        households: Household -> HouseholdSummary,
        /// The residents of a grid, or of all grids on this phone. One scan of their rows.
        residents: Resident -> ResidentSummary,
        /// The organisations of a grid, or of all grids on this phone. One scan of their rows.
        organisations: Organisation -> OrganisationSummary,
        /// The parties of a grid, or of all grids on this phone. One scan of their rows.
        parties: Party -> PartySummary,
        /// All cases of a grid, or of all grids on this phone, closed ones included. One scan of their rows.
        cases: Case -> CaseSummary,
    }

    /// The open cases: the most urgent first, then the oldest.
    ///
    /// # Errors
    /// When the store fails or a row does not decode.
    pub fn open_cases(&self, grid: Option<GridId>) -> Result<Vec<Listed<CaseSummary>>, FieldError> {
        let is_open = |summary: &Summary| matches!(summary, Summary::Case(row) if row.is_open());
        let mut cases =
            self.list(DocKind::Case, grid, &is_open, |summary| if let Summary::Case(row) = summary { Some(row) } else { None })?;
        cases.sort_by_key(|listed| (std::cmp::Reverse(listed.row.urgency.clone()), listed.row.opened_at, listed.row.id));
        Ok(cases)
    }

    /// Finds by name, pinyin, door and text. The index is built from the summary rows at the first search and kept up to date afterwards.
    ///
    /// # Errors
    /// When the store fails or a row does not decode.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<Found>, FieldError> {
        let mut state = self.state();
        self.may_show(&state)?;
        if state.search.is_none() {
            state.search = Some(self.build_index()?);
        }
        let hits = state.search.as_ref().map(|search| search.index.search(query, limit)).unwrap_or_default();
        let mut found = Vec::new();
        for hit in hits {
            if let Some(row) = self.row_of(kind_of(hit.kind), hit.id)? {
                found.push(Found { hit, row: Listed { row, sync: state.sync_state(hit.id) } });
            }
        }
        Ok(found)
    }

    /// The ids of all documents of a kind on this phone, removed ones included. They show nothing, so that something can be recorded about a document
    /// also when the lease is over.
    ///
    /// # Errors
    /// When the store fails.
    pub fn documents(&self, kind: DocKind) -> Result<BTreeSet<DocId>, FieldError> {
        let mut ids = BTreeSet::new();
        tables::each_summary(&self.store, kind, &mut |doc, _| {
            ids.insert(doc);
            Ok(())
        })?;
        Ok(ids)
    }

    /// The row of one document.
    ///
    /// # Errors
    /// When the store fails or the row does not decode.
    pub fn summary_of(&self, kind: DocKind, doc: DocId) -> Result<Option<Summary>, FieldError> {
        self.may_show(&self.state())?;
        self.row_of(kind, doc)
    }

    fn row_of(&self, kind: DocKind, doc: DocId) -> Result<Option<Summary>, FieldError> {
        let row = self.store.get(&tables::summary(kind, doc))?;
        row.map(|bytes| self.open_summary(doc, &bytes)).transpose()
    }

    /// A summary's row, opened with the keys that are here.
    fn open_summary(&self, doc: DocId, bytes: &[u8]) -> Result<Summary, FieldError> {
        tables::summary_of(row::open(bytes)?, &keyring(&self.store, &self.vault, doc)?)
    }

    /// What a place is called, for lists of what is in it.
    pub(super) fn place_name(&self, place: Option<PlaceId>) -> Result<Option<String>, FieldError> {
        let Some(place) = place else { return Ok(None) };
        Ok(self.row_of(DocKind::Place, place.into())?.and_then(|summary| match summary {
            Summary::Place(row) => Some(row.name),
            _ => None,
        }))
    }

    /// The rows of a kind and a grid, or of all grids, that are not removed and that `is_wanted` by what they say in clear. Of the others neither keys are
    /// read nor seals opened: most cases are closed.
    fn list<T>(
        &self,
        kind: DocKind,
        grid: Option<GridId>,
        is_wanted: &dyn Fn(&Summary) -> bool,
        row_of: impl Fn(Summary) -> Option<T>,
    ) -> Result<Vec<Listed<T>>, FieldError> {
        let state = self.state();
        self.may_show(&state)?;
        let mut rows = Vec::new();
        tables::each_summary(&self.store, kind, &mut |doc, bytes| {
            let sealed = tables::sealed_summary(row::open(bytes)?)?;
            let clear = sealed.clear();
            if !clear.is_removed() && (grid.is_none() || clear.grid() == grid) && is_wanted(clear) {
                let row = row_of(sealed.open(&keyring(&self.store, &self.vault, doc)?));
                rows.extend(row.map(|row| Listed { row, sync: state.sync_state(doc) }));
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// Reads all rows, those of the places first and once more: a door is found by the names of what it stands in.
    fn build_index(&self) -> Result<Search, FieldError> {
        let mut search = Search::default();
        let each = |kind, visit: &mut dyn FnMut(Summary)| {
            tables::each_summary(&self.store, kind, &mut |doc, bytes| {
                visit(self.open_summary(doc, bytes)?);
                Ok(())
            })
        };
        each(DocKind::Place, &mut |summary| {
            search.places.learn(&summary);
        })?;
        for kind in DocKind::ALL {
            each(kind, &mut |summary| search.put(&summary))?;
        }
        Ok(search)
    }
}

impl State {
    /// Keeps the search index up to date, once there is one. A place that came or was renamed has the index built anew at the next search:
    /// the doors in it are found by its name.
    pub(super) fn index(&mut self, summary: &Summary) {
        let Some(search) = &mut self.search else { return };
        if search.places.learn(summary) {
            self.search = None;
        } else {
            search.put(summary);
        }
    }
}

/// The search index with the names that the entries of doors need.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub index: SearchIndex,
    places: PlaceNames,
}

impl Search {
    fn put(&mut self, summary: &Summary) {
        if summary.is_removed() { self.index.remove(summary.id()) } else { self.index.put(entry_of(summary, &self.places)) }
    }
}

/// What places are called, and what they stand in.
#[derive(Debug, Default)]
struct PlaceNames(BTreeMap<PlaceId, (String, Option<PlaceId>)>);

impl PlaceNames {
    /// An estate, a building, a yard in it: no door stands deeper. A bound, because two phones can make two places each other's parent.
    const MOST_LEVELS: usize = 3;

    /// Takes a place's name in and says whether that was news.
    fn learn(&mut self, summary: &Summary) -> bool {
        let Summary::Place(place) = summary else { return false };
        let learnt = (place.name.clone(), place.parent);
        self.0.insert(place.id, learnt.clone()) != Some(learnt)
    }

    /// The names of a place and of what it stands in, from the large to the small.
    fn path(&self, place: Option<PlaceId>) -> Vec<String> {
        let first = place.and_then(|place| self.0.get(&place));
        let mut names: Vec<String> = std::iter::successors(first, |(_, parent)| parent.and_then(|parent| self.0.get(&parent)))
            .map(|(name, _)| name.clone())
            .take(Self::MOST_LEVELS)
            .collect();
        names.reverse();
        names
    }
}

const fn kind_of(kind: RowKind) -> DocKind {
    match kind {
        RowKind::Place => DocKind::Place,
        RowKind::Household => DocKind::Household,
        RowKind::Resident => DocKind::Resident,
        RowKind::Organisation => DocKind::Organisation,
        RowKind::Party => DocKind::Party,
        RowKind::Case => DocKind::Case,
    }
}

/// What of a summary can be found.
fn entry_of(summary: &Summary, places: &PlaceNames) -> Entry {
    let revealed = |text: &Option<Personal<String>>| text.iter().map(|text| text.reveal().clone()).collect::<Vec<_>>();
    let tags = |tags: &[crate::model::Tag]| tags.iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>();
    let (kind, names, doors, texts) = match summary {
        Summary::Place(row) => {
            let doors = places.path(row.parent).into_iter().chain([row.name.clone()]).chain(row.address.clone()).collect();
            (RowKind::Place, vec![row.name.clone()], doors, tags(&row.tags))
        }
        Summary::Household(row) => {
            let doors = places.path(row.place).into_iter().chain([row.door.clone()]).collect();
            (RowKind::Household, revealed(&row.contact), doors, tags(&row.tags))
        }
        Summary::Resident(row) => (RowKind::Resident, revealed(&row.name), Vec::new(), tags(&row.tags)),
        Summary::Organisation(row) => {
            let names = std::iter::once(row.name.clone()).chain(revealed(&row.contact)).collect();
            let texts = tags(&row.tags).into_iter().chain(row.trade.clone()).collect();
            (RowKind::Organisation, names, row.address.clone().into_iter().collect(), texts)
        }
        Summary::Party(row) => (RowKind::Party, revealed(&row.name), Vec::new(), Vec::new()),
        Summary::Case(row) => (RowKind::Case, Vec::new(), Vec::new(), revealed(&row.excerpt)),
    };
    Entry { id: summary.id(), kind, names, doors, texts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::vector::enrolled_engine;
    use crate::store::{Batch, Store as _};

    #[test]
    fn a_list_opens_nothing_of_what_it_does_not_show() {
        let engine = enrolled_engine();
        let household = engine.households(None).unwrap().remove(0).row;
        let key = tables::keys(household.id.into());
        let mut batch = Batch::new();
        batch.put(key.clone(), engine.vault.seal(&key, b"no ring").unwrap());
        engine.store.commit(batch).unwrap();
        assert!(matches!(engine.households(household.grid), Err(FieldError::Damaged { table: "keys" })));
        assert_eq!(engine.households(Some(GridId::from_bytes([0xEE; 16]))).unwrap(), []);
    }
}
