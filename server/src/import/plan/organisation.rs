//! Organisations: each within its grid once.

use std::collections::BTreeMap;

use doorstep_core::docs::{DocKind, organisation_writes};
use doorstep_core::model::{Directory, DocId, GridId, OrganisationDetails, Personal, PlaceId};

use super::{Known, Lengths, MOST_NAME, Plan, Street, derived_id, document};
use crate::hub::NewDocument;
use crate::import::{ImportReport, OrganisationRow};

/// An organisation that is new.
pub(super) struct Draft {
    id: DocId,
    grid: GridId,
    place: Option<PlaceId>,
    row: OrganisationRow,
}

/// Plans the organisations of a file. `known` needs the places and organisations of the street.
///
/// # Errors
/// Every row that cannot be taken.
pub fn plan_organisations(rows: Vec<OrganisationRow>, directory: &Directory, known: &Known) -> Result<Plan, ImportReport> {
    let street = Street { directory, known };
    let (mut report, mut drafts, count) = (ImportReport::default(), Vec::new(), rows.len());
    let (mut already, mut seen) = (0, BTreeMap::new());
    for row in rows {
        check_lengths(&row, &mut report);
        let Some(grid) = street.grid(&row.grid, row.line, &mut report) else { continue };
        let place = match &row.place {
            Some(name) => match street.place(grid, name, row.estate.as_deref(), row.line, &mut report) {
                Some(place) => Some(place),
                None => continue,
            },
            None => None,
        };
        let id = derived_id(street.id(), DocKind::Organisation, &[grid.as_bytes(), row.name.as_bytes()]);
        if let Some(line) = seen.insert(id, row.line) {
            report.refuse(row.line, "name", format!("is that of line {line}, in the same grid"));
        } else if known.has(id) {
            already += 1;
        } else if known.has_organisation(grid, &row.name) {
            report.refuse(row.line, "name", "is there already, not from a file; take this row out");
        } else {
            drafts.push(super::Draft::Organisation(Box::new(Draft { id, grid, place, row })));
        }
    }
    if report.is_empty() { Ok(Plan { rows: count, already, drafts }) } else { Err(report) }
}

fn check_lengths(row: &OrganisationRow, report: &mut ImportReport) {
    let mut lengths = Lengths { line: row.line, report };
    lengths.text("name", Some(&row.name), MOST_NAME);
    lengths.text("credit_code", row.credit_code.as_ref(), MOST_NAME);
    lengths.text("trade", row.trade.as_ref(), MOST_NAME);
    lengths.text("address", row.address.as_ref(), MOST_NAME);
    lengths.text("contact", row.contact.as_ref().map(Personal::reveal), MOST_NAME);
    lengths.tags(&row.tags);
}

impl Draft {
    pub(super) fn into_document(self) -> NewDocument {
        let row = self.row;
        let details = OrganisationDetails {
            name: Some(row.name),
            credit_code: row.credit_code,
            contact: row.contact,
            phone: row.phone,
            trade: row.trade,
            place: self.place,
            address: row.address,
        };
        document(self.id, DocKind::Organisation, self.grid, organisation_writes(&details), &row.tags)
    }
}
