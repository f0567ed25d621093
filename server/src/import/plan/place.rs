//! Places: estates first, so that buildings of the same file can stand in them.

use std::collections::BTreeMap;

use doorstep_core::docs::{DocKind, place_writes};
use doorstep_core::model::{Directory, DocId, GridId, PlaceDetails, PlaceId, PlaceKind};

use super::known::NotOne;
use super::{Known, Lengths, MOST_NAME, Plan, Street, derived_id, document};
use crate::hub::NewDocument;
use crate::import::{ImportReport, PlaceRow};

/// A place that is new.
pub(super) struct Draft {
    id: DocId,
    grid: GridId,
    parent: Option<PlaceId>,
    row: PlaceRow,
}

/// Plans the places of a file. `known` needs the places of the street, and learns those of the file.
///
/// # Errors
/// Every row that cannot be taken.
pub fn plan_places(mut rows: Vec<PlaceRow>, directory: &Directory, known: &mut Known) -> Result<Plan, ImportReport> {
    let (mut report, mut drafts, count) = (ImportReport::default(), Vec::new(), rows.len());
    let (mut already, mut seen) = (0, BTreeMap::new());
    rows.sort_by_key(|row| row.kind != PlaceKind::Estate);
    for row in rows {
        check_lengths(&row, &mut report);
        let street = Street { directory, known };
        let Some(grid) = street.grid(&row.grid, row.line, &mut report) else { continue };
        let Some(parent) = parent(&street, grid, &row, &mut report) else { continue };
        let id = id_of(&street, grid, parent, &row.name);
        if let Some(line) = seen.insert(id, row.line) {
            report.refuse(row.line, "name", format!("is that of line {line}, in the same grid and estate"));
        } else if known.has(id) {
            already += 1;
        } else if known.has_place(grid, parent, &row.name) {
            report.refuse(row.line, "name", "is that of a place which is there already, not from a file; take this row out");
        } else {
            known.note_place(grid, &row.name, id.into(), parent, Some(&row.kind));
            drafts.push(super::Draft::Place(Box::new(Draft { id, grid, parent, row })));
        }
    }
    report.rows.sort_by_key(|row| row.line);
    if report.is_empty() { Ok(Plan { rows: count, already, drafts }) } else { Err(report) }
}

/// The estate of a row: `Some(None)` where none is named, `None` where the name is a fault.
fn parent(street: &Street<'_>, grid: GridId, row: &PlaceRow, report: &mut ImportReport) -> Option<Option<PlaceId>> {
    let Some(estate) = &row.estate else { return Some(None) };
    match street.known.estate(grid, estate) {
        Ok(id) => Some(Some(id)),
        Err(NotOne::Unknown) => {
            report.refuse(row.line, "estate", "is no estate of the street or of this file");
            None
        }
        Err(NotOne::Several) => {
            report.refuse(row.line, "estate", "is the name of several estates of the street");
            None
        }
    }
}

fn id_of(street: &Street<'_>, grid: GridId, parent: Option<PlaceId>, name: &str) -> DocId {
    let parent = parent.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    derived_id(street.id(), DocKind::Place, &[grid.as_bytes(), &parent, name.as_bytes()])
}

fn check_lengths(row: &PlaceRow, report: &mut ImportReport) {
    let mut lengths = Lengths { line: row.line, report };
    lengths.text("name", Some(&row.name), MOST_NAME);
    lengths.text("address", row.address.as_ref(), MOST_NAME);
    lengths.text("community", row.community.as_ref(), MOST_NAME);
    lengths.text("property_company", row.property_company.as_ref(), MOST_NAME);
    lengths.text("developer", row.developer.as_ref(), MOST_NAME);
    lengths.text("owners_committee", row.owners_committee.as_ref(), MOST_NAME);
    lengths.tags(&row.tags);
}

impl Draft {
    pub(super) fn into_document(self) -> NewDocument {
        let row = self.row;
        let details = PlaceDetails {
            kind: Some(row.kind),
            name: Some(row.name),
            address: row.address,
            community: row.community,
            parent: self.parent,
            point: row.point,
            access: None,
            property_company: row.property_company,
            developer: row.developer,
            owners_committee: row.owners_committee,
        };
        document(self.id, DocKind::Place, self.grid, place_writes(&details), &row.tags)
    }
}
