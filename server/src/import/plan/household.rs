//! Households, each with the residents that its row names.

use std::collections::BTreeMap;

use doorstep_core::docs::layout::Container;
use doorstep_core::docs::{DocKind, household_writes, resident_writes};
use doorstep_core::model::{Directory, DocId, GridId, HouseholdDetails, HouseholdId, Personal, PlaceId, ResidentDetails, ResidentId};

use super::{Known, Lengths, MOST_DOOR, MOST_NAME, MOST_REMARK, MOST_RESIDENTS, Plan, Street, derived_id, document, set};
use crate::hub::NewDocument;
use crate::import::{HouseholdRow, ImportReport};

/// A household that is new.
pub(super) struct Draft {
    id: DocId,
    grid: GridId,
    place: PlaceId,
    residents: Vec<DocId>,
    row: HouseholdRow,
}

/// Plans the households of a file. `known` needs the places and households of the street.
///
/// # Errors
/// Every row that cannot be taken.
pub fn plan_households(rows: Vec<HouseholdRow>, directory: &Directory, known: &Known) -> Result<Plan, ImportReport> {
    let street = Street { directory, known };
    let (mut report, mut drafts, count) = (ImportReport::default(), Vec::new(), rows.len());
    let (mut already, mut seen) = (0, BTreeMap::new());
    for row in rows {
        check_lengths(&row, &mut report);
        let Some(grid) = street.grid(&row.grid, row.line, &mut report) else { continue };
        let Some(place) = street.place(grid, &row.place, row.estate.as_deref(), row.line, &mut report) else { continue };
        let id = derived_id(street.id(), DocKind::Household, &[place.as_bytes(), row.door.as_bytes()]);
        if let Some(line) = seen.insert(id, row.line) {
            report.refuse(row.line, "door", format!("is that of line {line}, at the same place"));
        } else if known.has(id) {
            already += 1;
        } else if known.has_door(place, &row.door) {
            report.refuse(row.line, "door", "is there already, not from a file; take this row out");
        } else {
            let residents = (0..row.residents.len() as u64).map(|number| resident_id(&street, id, number)).collect();
            drafts.push(super::Draft::Household(Box::new(Draft { id, grid, place, residents, row })));
        }
    }
    if report.is_empty() { Ok(Plan { rows: count, already, drafts }) } else { Err(report) }
}

/// Residents are numbered within their household: an id says nothing of a name.
fn resident_id(street: &Street<'_>, household: DocId, number: u64) -> DocId {
    derived_id(street.id(), DocKind::Resident, &[household.as_bytes(), &number.to_be_bytes()])
}

fn check_lengths(row: &HouseholdRow, report: &mut ImportReport) {
    let mut lengths = Lengths { line: row.line, report };
    lengths.text("door", Some(&row.door), MOST_DOOR);
    lengths.text("contact", row.contact.as_ref().map(Personal::reveal), MOST_NAME);
    lengths.text("remark", row.remark.as_ref().map(Personal::reveal), MOST_REMARK);
    row.residents.iter().for_each(|name| lengths.text("residents", Some(name.reveal()), MOST_NAME));
    lengths.tags(&row.tags);
    if row.residents.len() > MOST_RESIDENTS {
        report.refuse(row.line, "residents", format!("are more than {MOST_RESIDENTS}"));
    }
}

impl Draft {
    pub(super) fn documents(&self) -> usize {
        1 + self.residents.len()
    }

    pub(super) fn write(self, batch: &mut Vec<NewDocument>) {
        let Self { id, grid, place, residents, row } = self;
        let details = HouseholdDetails {
            place: Some(place),
            door: Some(row.door),
            contact: row.contact,
            phone: row.phone,
            remark: row.remark,
            notice: None,
        };
        let mut writes = household_writes(&details);
        writes.extend(residents.iter().map(|resident| set(Container::Members, &ResidentId::from(*resident).to_string())));
        batch.push(document(id, DocKind::Household, grid, writes, &row.tags));
        for (resident, name) in residents.into_iter().zip(row.residents) {
            let details = ResidentDetails { name: Some(name), household: Some(HouseholdId::from(id)), ..ResidentDetails::default() };
            batch.push(document(resident, DocKind::Resident, grid, resident_writes(&details), &[]));
        }
    }
}
