//! From rows to documents: what the names of a file mean in a street, and what of it is to be written.
//!
//! Pure like the rest of the import: rows, the street's directory and what the street has already ([`Known`]) come in, a [`Plan`] or a
//! report goes out. All or nothing here too: a grid or a place that is not found, or a name that fits several, refuses the file, and the
//! report says the line.
//!
//! The same file again adds nothing: ids are derived from the street and from what makes a row unique in it (a place by grid, estate and
//! name, a household by place and door, an organisation by grid and name), so a row that was imported before is found under its own id and
//! left as it is, whatever phones made of it since. A row for something that a phone recorded on its own, under another id, is refused: the
//! street would have it twice. Residents are numbered within their household; their ids say nothing of their names.
//!
//! A household comes with its residents and is committed with them: see [`Plan::into_batches`].

mod household;
mod known;
mod organisation;
mod place;

pub use household::plan_households;
pub use known::Known;
use known::NotOne;
pub use organisation::plan_organisations;
pub use place::plan_places;

use doorstep_core::docs::layout::Container;
use doorstep_core::docs::{DocKind, Scalar, Slot, Write, hash_of};
use doorstep_core::model::{Directory, DocId, GridId, PlaceId, StreetId, Tag};

use super::ImportReport;
use crate::hub::NewDocument;

/// The longest name of a place, an organisation or a person, and of an address or a trade, in characters: that of the field app.
const MOST_NAME: usize = 80;
/// The longest door, in characters: that of the field app.
const MOST_DOOR: usize = 40;
/// The longest remark, in characters: that of the field app.
const MOST_REMARK: usize = 1_000;
/// The most tags of one row: more than twice what a list shows.
const MOST_TAGS: usize = 32;
/// The most residents of one household: a dormitory. They are written by one change, which has at most 512 operations.
const MOST_RESIDENTS: usize = 100;
/// A batch is full when it has this many documents: what the hub commits together.
const DOCUMENTS_AT_ONCE: usize = 200;

/// What an import will write.
pub struct Plan {
    rows: usize,
    already: usize,
    drafts: Vec<Draft>,
}

/// One row that is new.
enum Draft {
    Place(Box<place::Draft>),
    Household(Box<household::Draft>),
    Organisation(Box<organisation::Draft>),
}

impl Plan {
    /// How many rows the file has.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// How many of them were imported before.
    pub const fn already(&self) -> usize {
        self.already
    }

    /// How many documents are to be written.
    pub fn documents(&self) -> usize {
        self.drafts.iter().map(Draft::documents).sum()
    }

    /// The documents in batches for [`crate::hub::Hub::create_documents`], made one batch at a time. A row's documents stand in one batch of
    /// at most 200, which is committed whole: an import that was cut can be run again, and no household is without its residents.
    pub fn into_batches(self) -> impl Iterator<Item = Vec<NewDocument>> + Send {
        let mut drafts = self.drafts.into_iter().peekable();
        std::iter::from_fn(move || {
            let mut batch = Vec::new();
            while let Some(draft) = drafts.next_if(|draft| batch.is_empty() || batch.len() + draft.documents() <= DOCUMENTS_AT_ONCE) {
                draft.write(&mut batch);
            }
            (!batch.is_empty()).then_some(batch)
        })
    }
}

impl Draft {
    fn documents(&self) -> usize {
        match self {
            Self::Place(_) | Self::Organisation(_) => 1,
            Self::Household(draft) => draft.documents(),
        }
    }

    fn write(self, batch: &mut Vec<NewDocument>) {
        match self {
            Self::Place(draft) => batch.push(draft.into_document()),
            Self::Household(draft) => draft.write(batch),
            Self::Organisation(draft) => batch.push(draft.into_document()),
        }
    }
}

/// The street of an import, as the rows of all kinds ask for it.
struct Street<'a> {
    directory: &'a Directory,
    known: &'a Known,
}

impl Street<'_> {
    fn id(&self) -> StreetId {
        self.directory.street
    }

    /// The grid of a name, or a fault of the row.
    fn grid(&self, name: &str, line: u64, report: &mut ImportReport) -> Option<GridId> {
        let grid = self.directory.grids.iter().find(|grid| grid.name == name).map(|grid| grid.id);
        if grid.is_none() {
            report.refuse(line, "grid", "is none of the street's grids; add it first, or write it as in the list of grids");
        }
        grid
    }

    /// The place of a name in a grid, or a fault of the row.
    fn place(&self, grid: GridId, name: &str, estate: Option<&str>, line: u64, report: &mut ImportReport) -> Option<PlaceId> {
        match self.known.place(grid, name, estate) {
            Ok(place) => Some(place),
            Err(NotOne::Unknown) => {
                report.refuse(line, "place", "is no place of this grid; import the places first");
                None
            }
            Err(NotOne::Several) => {
                report.refuse(line, "place", "is the name of several places of this grid; say in which estate");
                None
            }
        }
    }
}

/// The id of a row's document: a UUID of version 8 (RFC 9562) over SHA-256 of the street, the kind and what makes the row unique there.
fn derived_id(street: StreetId, kind: DocKind, parts: &[&[u8]]) -> DocId {
    /// What is hashed begins with eight bytes that [`hash_of`] leaves out: they stand where a change has its magic bytes and checksum.
    const LEFT_OUT: [u8; 8] = [0; 8];
    let mut text = LEFT_OUT.to_vec();
    text.extend_from_slice(b"doorstep import v1\0");
    text.extend_from_slice(street.as_bytes());
    text.push(kind.number());
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = hash_of(&text).0;
    DocId::from_bytes([a, b, c, d, e, f, 0x80 | (g & 0x0f), h, 0x80 | (i & 0x3f), j, k, l, m, n, o, p])
}

/// Adds what every document of an import has: its grid and its tags.
fn document(id: DocId, kind: DocKind, grid: GridId, mut writes: Vec<Write>, tags: &[Tag]) -> NewDocument {
    writes.push(Write::set("grid", grid.as_bytes()));
    writes.extend(tags.iter().map(|tag| set(Container::Tags, tag.as_str())));
    NewDocument { id, kind, writes }
}

fn set(container: Container, key: &str) -> Write {
    Write::Set(Slot::In(container, key.to_owned()), Scalar::Bool(true))
}

/// Notes what is longer than a phone would take it, so that every document of an import can be changed there.
struct Lengths<'a> {
    line: u64,
    report: &'a mut ImportReport,
}

impl Lengths<'_> {
    fn text(&mut self, column: &'static str, text: Option<&String>, most: usize) {
        if text.is_some_and(|text| text.chars().count() > most) {
            self.report.refuse(self.line, column, format!("is longer than {most} characters"));
        }
    }

    fn tags(&mut self, tags: &[Tag]) {
        if tags.len() > MOST_TAGS {
            self.report.refuse(self.line, "tags", format!("are more than {MOST_TAGS}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{parse_households, parse_places};
    use doorstep_core::model::Grid;

    fn directory() -> Directory {
        let grid = Grid { id: GridId::from_bytes([1; 16]), name: "第1网格".into(), community: String::new() };
        let street = StreetId::from_bytes([9; 16]);
        Directory { schema: 1, version: 1, street, name: "窑湾街道".into(), centres: Vec::new(), grids: vec![grid], staff: Vec::new() }
    }

    const PLACES: &str = "名称,类型,网格,小区\n3栋,楼栋,第1网格,翠园\n翠园,小区,第1网格,\n";

    #[test]
    fn a_building_stands_in_an_estate_of_a_later_row_of_the_same_file() {
        let plan = plan_places(parse_places(PLACES.as_bytes()).unwrap(), &directory(), &mut Known::default()).unwrap();
        assert_eq!((plan.rows(), plan.documents(), plan.already()), (2, 2, 0));
    }

    #[test]
    fn the_same_row_has_the_same_id_whenever_it_is_imported() {
        let ids = || {
            let plan = plan_places(parse_places(PLACES.as_bytes()).unwrap(), &directory(), &mut Known::default()).unwrap();
            plan.into_batches().flatten().map(|document| document.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(), ids());
    }

    #[test]
    fn unknown_grids_and_places_are_reported_by_line_and_nothing_is_planned() {
        let mut known = Known::default();
        plan_places(parse_places(PLACES.as_bytes()).unwrap(), &directory(), &mut known).unwrap();
        let file = "地点,网格,门牌,居民\n3栋,第1网格,301,张三;李四\n4栋,第1网格,301,\n3栋,第2网格,302,\n";
        let report = plan_households(parse_households(file.as_bytes()).unwrap(), &directory(), &known).map(|_| ()).unwrap_err();
        assert_eq!(report.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4]);
        let good = plan_households(parse_households(&file.as_bytes()[..file.find("4栋").unwrap()]).unwrap(), &directory(), &known).unwrap();
        assert_eq!(good.documents(), 3);
        assert_eq!(good.into_batches().count(), 1);
    }
}
