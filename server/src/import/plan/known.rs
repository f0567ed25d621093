//! What a street has already, as far as an import asks.
//!
//! Filled from summaries, which cut long texts: names are compared as far as a summary shows them.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_core::model::{DocId, GridId, PlaceId, PlaceKind};
use doorstep_core::summary::{MOST_EXCERPT, Summary};

/// The places, doors and organisations of a street. About a hundred bytes each.
#[derive(Default)]
pub struct Known {
    documents: BTreeSet<DocId>,
    places: BTreeMap<(GridId, String), Vec<KnownPlace>>,
    estates: BTreeMap<String, Vec<(GridId, PlaceId)>>,
    names: BTreeMap<PlaceId, String>,
    doors: BTreeSet<(PlaceId, String)>,
    organisations: BTreeSet<(GridId, String)>,
}

/// A place under a name of a grid.
#[derive(Clone, Copy)]
struct KnownPlace {
    id: PlaceId,
    parent: Option<PlaceId>,
}

/// Why a name means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotOne {
    /// Nothing has it.
    Unknown,
    /// Several have it.
    Several,
}

impl Known {
    /// Takes note of a document that the street has. What was removed is known by its id alone.
    pub fn note(&mut self, summary: &Summary) {
        self.documents.insert(summary.id());
        if summary.is_removed() {
            return;
        }
        match summary {
            Summary::Place(place) => {
                if let Some(grid) = place.grid {
                    self.note_place(grid, &place.name, place.id, place.parent, place.kind.as_ref());
                }
            }
            Summary::Household(household) => {
                self.doors.extend(household.place.map(|place| (place, shown(&household.door))));
            }
            Summary::Organisation(organisation) => {
                self.organisations.extend(organisation.grid.map(|grid| (grid, shown(&organisation.name))));
            }
            Summary::Resident(_) | Summary::Party(_) | Summary::Case(_) => {}
        }
    }

    /// Takes note of a place, of the street or of the file at hand. The same place twice is one.
    pub(super) fn note_place(&mut self, grid: GridId, name: &str, id: PlaceId, parent: Option<PlaceId>, kind: Option<&PlaceKind>) {
        let name = shown(name);
        let places = self.places.entry((grid, name.clone())).or_default();
        if places.iter().any(|place| place.id == id) {
            return;
        }
        places.push(KnownPlace { id, parent });
        if kind == Some(&PlaceKind::Estate) {
            self.estates.entry(name.clone()).or_default().push((grid, id));
        }
        self.names.insert(id, name);
    }

    /// Whether there is a document of this id, removed or not.
    pub(super) fn has(&self, id: DocId) -> bool {
        self.documents.contains(&id)
    }

    /// Whether a grid has a place of this name in this estate, or in none.
    pub(super) fn has_place(&self, grid: GridId, parent: Option<PlaceId>, name: &str) -> bool {
        self.places.get(&(grid, shown(name))).is_some_and(|places| places.iter().any(|place| place.parent == parent))
    }

    /// Whether a place has this door.
    pub(super) fn has_door(&self, place: PlaceId, door: &str) -> bool {
        self.doors.contains(&(place, shown(door)))
    }

    /// Whether a grid has an organisation of this name.
    pub(super) fn has_organisation(&self, grid: GridId, name: &str) -> bool {
        self.organisations.contains(&(grid, shown(name)))
    }

    /// The estate of a name: that of the grid, else the only one of the street, because a large estate has several grids.
    pub(super) fn estate(&self, grid: GridId, name: &str) -> Result<PlaceId, NotOne> {
        let estates = self.estates.get(&shown(name)).map(Vec::as_slice).unwrap_or_default();
        let own: Vec<PlaceId> = estates.iter().filter(|(of, _)| *of == grid).map(|(_, id)| *id).collect();
        if !own.is_empty() {
            return only(&own);
        }
        only(&estates.iter().map(|(_, id)| *id).collect::<Vec<_>>())
    }

    /// The place of a name in a grid; of several, the one whose estate has the other name.
    pub(super) fn place(&self, grid: GridId, name: &str, estate: Option<&str>) -> Result<PlaceId, NotOne> {
        let places = self.places.get(&(grid, shown(name))).map(Vec::as_slice).unwrap_or_default();
        let estate = estate.map(shown);
        let fitting = places.iter().filter(|place| match &estate {
            Some(estate) => place.parent.and_then(|parent| self.names.get(&parent)) == Some(estate),
            None => true,
        });
        only(&fitting.map(|place| place.id).collect::<Vec<_>>())
    }
}

fn only(ids: &[PlaceId]) -> Result<PlaceId, NotOne> {
    match ids {
        [] => Err(NotOne::Unknown),
        [id] => Ok(*id),
        _ => Err(NotOne::Several),
    }
}

/// A text as far as a summary shows it.
fn shown(text: &str) -> String {
    text.chars().take(MOST_EXCERPT).collect()
}
