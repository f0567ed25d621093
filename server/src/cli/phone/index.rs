//! Names and ids of what is on this phone: short ids for lists, labels for references, and what a person meant with a word.

use std::collections::BTreeMap;

use doorstep_core::docs::DocKind;
use doorstep_core::field::{FieldError, Found};
use doorstep_core::model::{Directory, DocId, GridId, HouseholdId, PersonId, PlaceId};
use doorstep_core::summary::{HouseholdSummary, PlaceSummary, Summary};

use super::error::{Candidate, PhoneError};
use super::mark::Ref;
use super::{Phone, page};

/// The shortest id that is shown or taken, in characters.
const LEAST_ID: usize = 4;
/// From here on digits alone are an id and no door: 48 bits of it.
const SURELY_ID: usize = 12;
/// How many records a search may find before one of them is sought among them.
const MOST_FOUND: usize = 500;
/// How many candidates are listed when a name fits several.
const MOST_CANDIDATES: usize = 12;
/// Estate, building, yard: deeper nothing stands. A bound, because two phones can make two places each other's parent.
const MOST_LEVELS: usize = 3;

/// What was read, or nothing where the lease is over: what waits and what was refused is listed also then, under its id.
pub(super) fn unless_locked<T>(read: Result<T, FieldError>) -> Result<Option<T>, FieldError> {
    match read {
        Err(FieldError::LeaseOver) => Ok(None),
        read => read.map(Some),
    }
}

/// What is on this phone, by name and id. Reading it scans the rows once: some milliseconds for a grid.
pub(super) struct Index {
    /// The ids' digits from the end to the beginning, sorted: neighbours share the longest ends.
    ends: BTreeMap<String, (DocKind, DocId)>,
    places: BTreeMap<PlaceId, PlaceSummary>,
    directory: Option<Directory>,
    own: Option<(PersonId, String)>,
}

impl Index {
    pub(super) fn read(phone: &Phone) -> Result<Self, PhoneError> {
        let engine = &phone.engine;
        let mut ends = BTreeMap::new();
        for kind in DocKind::ALL {
            ends.extend(engine.documents(kind)?.into_iter().map(|id| (end_first(&id.to_string()), (kind, id))));
        }
        let places =
            unless_locked(engine.places(None))?.unwrap_or_default().into_iter().map(|listed| (listed.row.id, listed.row)).collect();
        let own = engine.identity().map(|own| (own.person, own.name));
        Ok(Self { ends, places, directory: engine.directory(), own })
    }

    /// The end of an id that no other record on this phone has, with a letter in it.
    pub(super) fn short(&self, id: impl Into<DocId>) -> String {
        let text = id.into().to_string();
        let digits = end_first(&text);
        let before = self.ends.range(..digits.clone()).next_back();
        let after = self.ends.range(digits.clone()..).find(|(other, _)| **other != digits);
        let shared = [before, after].into_iter().flatten().map(|(other, _)| shared_prefix(&digits, other)).max().unwrap_or(0);
        let letter = digits.find(|c: char| c.is_ascii_alphabetic()).map_or(SURELY_ID, |letter| (letter + 1).min(SURELY_ID));
        let length = (shared + 1).max(LEAST_ID).max(letter);
        digits.chars().take(length).collect::<Vec<_>>().into_iter().rev().collect()
    }

    /// What a place is called with what it stands in.
    pub(super) fn place_name(&self, place: PlaceId) -> Option<String> {
        let mut names: Vec<&str> = self.levels(Some(place)).map(|place| place.name.as_str()).collect();
        names.reverse();
        (!names.is_empty()).then(|| names.concat())
    }

    /// A place and what it stands in, from the small to the large.
    fn levels(&self, place: Option<PlaceId>) -> impl Iterator<Item = &PlaceSummary> {
        let first = place.and_then(|place| self.places.get(&place));
        std::iter::successors(first, |place| place.parent.and_then(|parent| self.places.get(&parent))).take(MOST_LEVELS)
    }

    pub(super) fn place(&self, place: Option<PlaceId>) -> Option<Ref> {
        place.map(|place| Ref { id: place.to_string(), name: self.place_name(place) })
    }

    /// Whether a place is another or stands in it.
    pub(super) fn is_within(&self, place: Option<PlaceId>, outer: PlaceId) -> bool {
        let levels = std::iter::successors(place, |place| self.places.get(place).and_then(|place| place.parent));
        levels.take(MOST_LEVELS).any(|place| place == outer)
    }

    /// A door with its place: `3栋 1单元301`.
    pub(super) fn door(&self, row: &HouseholdSummary) -> String {
        match row.place.and_then(|place| self.place_name(place)) {
            Some(place) => format!("{place} {}", row.door),
            None => row.door.clone(),
        }
    }

    pub(super) fn household(&self, phone: &Phone, id: HouseholdId) -> Result<Ref, PhoneError> {
        let name = match unless_locked(phone.engine.summary_of(DocKind::Household, id.into()))?.flatten() {
            Some(Summary::Household(row)) => Some(self.door(&row)),
            _ => None,
        };
        Ok(Ref { id: id.to_string(), name })
    }

    pub(super) fn grid(&self, grid: Option<GridId>) -> Option<Ref> {
        let grid = grid?;
        let name = self.directory.as_ref().and_then(|directory| directory.grid(grid)).map(|grid| grid.name.clone());
        Some(Ref { id: grid.to_string(), name })
    }

    pub(super) fn person(&self, person: PersonId) -> Ref {
        let own = self.own.as_ref().filter(|(own, _)| *own == person).map(|(_, name)| name.clone());
        let known = || self.directory.as_ref().and_then(|directory| directory.person(person)).map(|staff| staff.name.clone());
        let server = || (person == PersonId::SERVER).then(|| "服务器 server".to_owned());
        Ref { id: person.to_string(), name: own.or_else(known).or_else(server) }
    }

    /// What a record is called in lists and among candidates.
    pub(super) fn label(&self, summary: &Summary) -> String {
        let named =
            |name: &Option<doorstep_core::model::Personal<String>>| name.as_ref().map(|name| name.reveal().clone()).unwrap_or_default();
        let label = match summary {
            Summary::Place(row) => self.place_name(row.id).unwrap_or_else(|| row.name.clone()),
            Summary::Household(row) => format!("{} {}", self.door(row), named(&row.contact)),
            Summary::Resident(row) => named(&row.name),
            Summary::Organisation(row) => row.name.clone(),
            Summary::Party(row) => named(&row.name),
            Summary::Case(row) => row.excerpt.as_ref().map(|text| text.reveal().clone()).unwrap_or_default(),
        };
        page::one_line(label.trim())
    }

    pub(super) fn document(&self, phone: &Phone, kind: DocKind, id: DocId) -> Result<Ref, PhoneError> {
        let summary = unless_locked(phone.engine.summary_of(kind, id))?.flatten();
        let name = summary.map(|summary| self.label(&summary));
        Ok(Ref { id: id.to_string(), name })
    }

    /// The record that a person named, by id or by words, among those of some kinds.
    pub(super) fn resolve(&self, phone: &Phone, named: &str, kinds: &[DocKind]) -> Result<(DocKind, DocId), PhoneError> {
        let mut fitting = self.by_id(named, kinds);
        if fitting.is_empty() {
            fitting = self.by_words(phone, named, kinds)?;
        }
        match fitting.as_slice() {
            [] => Err(PhoneError::NoSuch { kinds: kinds.to_vec(), named: named.to_owned() }),
            [only] => Ok(*only),
            several => {
                Err(PhoneError::Ambiguous { named: named.to_owned(), count: several.len(), candidates: self.candidates(phone, several)? })
            }
        }
    }

    fn by_id(&self, named: &str, kinds: &[DocKind]) -> Vec<(DocKind, DocId)> {
        let Some(digits) = id_digits(named) else { return Vec::new() };
        let end: String = digits.chars().rev().collect();
        let by_end = self.ends.range(end.clone()..).take_while(|(other, _)| other.starts_with(&end));
        let by_beginning = self.ends.iter().filter(|(other, _)| other.ends_with(&end) && !other.starts_with(&end));
        by_end.chain(by_beginning).map(|(_, found)| *found).filter(|(kind, _)| kinds.contains(kind)).collect()
    }

    /// The records that words find. Of several the only one that is called just so is meant.
    fn by_words(&self, phone: &Phone, named: &str, kinds: &[DocKind]) -> Result<Vec<(DocKind, DocId)>, PhoneError> {
        let found = phone.engine.search(named, MOST_FOUND)?;
        let fitting: Vec<&Found> = found.iter().filter(|found| kinds.contains(&found.row.row.kind())).collect();
        let exact: Vec<&&Found> = fitting.iter().filter(|found| self.is_called(&found.row.row, &unspaced(named))).collect();
        let pair = |found: &Found| (found.row.row.kind(), found.hit.id);
        Ok(match exact.as_slice() {
            [only] => vec![pair(only)],
            _ => fitting.iter().map(|found| pair(found)).collect(),
        })
    }

    /// Whether this is a record's whole name, blanks aside: of a place or a door also with what it stands in, as far as one says it.
    fn is_called(&self, summary: &Summary, named: &str) -> bool {
        let named_so = |name: &str| unspaced(name) == named;
        let called = |name: &Option<doorstep_core::model::Personal<String>>| name.as_ref().is_some_and(|name| named_so(name.reveal()));
        match summary {
            Summary::Place(row) => self.is_called_within(&row.name, row.parent, named),
            Summary::Household(row) => self.is_called_within(&row.door, row.place, named),
            Summary::Resident(row) => called(&row.name),
            Summary::Organisation(row) => named_so(&row.name),
            Summary::Party(row) => called(&row.name),
            Summary::Case(_) => false,
        }
    }

    fn is_called_within(&self, name: &str, place: Option<PlaceId>, named: &str) -> bool {
        let mut whole = unspaced(name);
        whole == named
            || self.levels(place).any(|place| {
                whole = unspaced(&place.name) + &whole;
                whole == named
            })
    }

    fn candidates(&self, phone: &Phone, several: &[(DocKind, DocId)]) -> Result<Vec<Candidate>, PhoneError> {
        let listed = several.iter().take(MOST_CANDIDATES);
        let candidate = |(kind, id): &(DocKind, DocId)| {
            let label = self.document(phone, *kind, *id)?.word();
            Ok(Candidate { id: id.to_string(), short: self.short(*id), kind: kind.name(), label })
        };
        listed.map(candidate).collect()
    }

    /// The grid that a person named: by its name, a part of it that no other has, or by id.
    pub(super) fn grid_named(&self, named: &str) -> Result<GridId, PhoneError> {
        let grids = self.directory.as_ref().map(|directory| directory.grids.as_slice()).unwrap_or_default();
        if let Some(exact) = grids.iter().find(|grid| grid.name == named || grid.id.to_string() == named) {
            return Ok(exact.id);
        }
        // 17 is 第17网格 and not 第117网格: a number stands for the whole number in the name.
        let number = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
        let is_number = !named.is_empty() && named.bytes().all(|b| b.is_ascii_digit());
        let fits = |name: &str| if is_number { number(name) == named } else { name.contains(named) };
        match grids.iter().filter(|grid| fits(&grid.name)).collect::<Vec<_>>().as_slice() {
            [only] => Ok(only.id),
            _ => Err(PhoneError::NoGrid { named: named.to_owned() }),
        }
    }

    /// The directory of the street, once it has come.
    pub(super) const fn directory(&self) -> Option<&Directory> {
        self.directory.as_ref()
    }
}

/// A name without its blanks: `1栋 1单元101` and `1栋1单元101` are the same door.
fn unspaced(name: &str) -> String {
    name.split_whitespace().collect()
}

/// The digits of what may be an id: hexadecimal, long enough, and not a number that may be a door's.
fn id_digits(named: &str) -> Option<String> {
    let digits: String = named.trim().chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let is_no_number = digits.len() >= SURELY_ID || digits.bytes().any(|b| b.is_ascii_alphabetic());
    (is_hex && is_no_number && digits.len() >= LEAST_ID).then_some(digits)
}

fn end_first(id: &str) -> String {
    id.chars().rev().filter(|c| *c != '-').collect()
}

fn shared_prefix(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index_of(ids: &[[u8; 16]]) -> Index {
        let ends = ids.iter().map(|id| DocId::from_bytes(*id)).map(|id| (end_first(&id.to_string()), (DocKind::Case, id))).collect();
        Index { ends, places: BTreeMap::new(), directory: None, own: None }
    }

    #[test]
    fn a_number_is_a_door_and_a_number_with_a_letter_may_be_an_id() {
        assert_eq!(id_digits("1203"), None);
        assert_eq!(id_digits("3-2-301"), None);
        assert_eq!(id_digits("7F3a").as_deref(), Some("7f3a"));
        assert_eq!(id_digits("301室"), None);
        assert_eq!(id_digits("0193a3c2-0000-7000-8000-000000000001").map(|digits| digits.len()), Some(32));
    }

    proptest! {
        #[test]
        fn a_short_id_names_its_record_and_no_other(
            // Ends that are nearly alike, as an id is shortened from there.
            ids in proptest::collection::btree_set((proptest::array::uniform14(Just(0x11u8)), 0u8..4, any::<u8>()), 1..40),
        ) {
            let ids: Vec<[u8; 16]> = ids.into_iter().map(|(head, one, two)| {
                let mut id = [0; 16];
                id[..14].copy_from_slice(&head);
                (id[14], id[15]) = (one, two);
                id
            }).collect();
            let index = index_of(&ids);
            for id in &ids {
                let short = index.short(DocId::from_bytes(*id));
                prop_assert!(short.len() >= LEAST_ID);
                prop_assert_eq!(index.by_id(&short, &DocKind::ALL), vec![(DocKind::Case, DocId::from_bytes(*id))]);
            }
        }
    }
}
