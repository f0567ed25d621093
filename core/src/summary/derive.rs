//! Summaries from documents.

use std::cmp::Ordering;

use crate::docs::layout::Container;
use crate::docs::{Case, DocKind, Document, Household, Lock, Object, Organisation, Party, Place, Resident, Written};
use crate::model::{Outcome, Personal, Receipts, Tag, Visit};
use crate::workflow;

use super::{
    CaseSummary, HouseholdSummary, LastVisit, MOST_EXCERPT, MOST_TAGS, OrganisationSummary, PartySummary, PlaceSummary, ResidentSummary,
    Summary,
};

impl Summary {
    /// Derives the summary of a document.
    pub fn of(doc: &Document, receipts: &Receipts) -> Self {
        let conflicted = !doc.conflicts().is_empty();
        let mut summary = match doc.kind() {
            DocKind::Place => Self::Place(of_place(Place::brief(doc), conflicted)),
            DocKind::Household => Self::Household(of_household(Household::brief(doc), conflicted)),
            DocKind::Resident => Self::Resident(of_resident(Resident::brief(doc), conflicted)),
            DocKind::Organisation => Self::Organisation(of_organisation(Organisation::brief(doc), conflicted)),
            DocKind::Party => Self::Party(of_party(Party::brief(doc), conflicted)),
            DocKind::Case => Self::Case(of_case(Case::brief(doc), receipts, conflicted)),
        };
        let lock = match summary.personal() {
            _ if doc.keys().is_erased() => Lock::Erased,
            Some((path, _)) => doc.lock_at(&path),
            None => Lock::Open,
        };
        if let Some(own) = summary.lock_mut() {
            *own = lock;
        }
        summary
    }

    /// What this summary comes to once visits were recorded, and nothing else written: so that a street's many visits do not have all those of before
    /// read again. `None` where that cannot be said, and the summary is to be derived anew.
    pub fn after(&self, doc: &Document) -> Option<Self> {
        let Written::In(objects) = doc.written() else { return None };
        let mut summary = self.clone();
        let last = match &mut summary {
            Self::Place(row) => &mut row.last_visit,
            Self::Household(row) => &mut row.last_visit,
            Self::Organisation(row) => &mut row.last_visit,
            Self::Resident(_) | Self::Party(_) | Self::Case(_) => return None,
        };
        for object in objects {
            match object {
                Object::Container(Container::Visits) => {}
                Object::Entry(Container::Visits, key) => {
                    // One that this version cannot read does not count.
                    if let Some(visit) = doc.visit_in_brief(key) {
                        last.add(&visit)?;
                    }
                }
                _ => return None,
            }
        }
        Some(summary)
    }
}

impl LastVisit {
    /// Counts a further visit. `None` where another one took place at the same moment: which of them was the last, their ids say, which are not here.
    fn add(&mut self, visit: &Visit) -> Option<()> {
        match self.at.map(|at| visit.at.cmp(&at)) {
            Some(Ordering::Equal) => return None,
            Some(Ordering::Less) => {}
            Some(Ordering::Greater) | None => {
                (self.at, self.outcome, self.follow_up) = (Some(visit.at), Some(visit.outcome.clone()), visit.follow_up);
            }
        }
        if visit.outcome == Outcome::Met {
            self.met_at = self.met_at.max(Some(visit.at));
        }
        self.count = self.count.saturating_add(1);
        Some(())
    }
}

fn of_place(place: Place, conflicted: bool) -> PlaceSummary {
    PlaceSummary {
        id: place.id,
        grid: place.grid,
        kind: place.details.kind,
        name: excerpt(place.details.name.unwrap_or_default()),
        address: place.details.address.map(excerpt),
        parent: place.details.parent,
        tags: first_tags(place.tags),
        last_visit: last_visit(&place.visits),
        conflicted,
        removed: place.removed,
    }
}

fn of_household(household: Household, conflicted: bool) -> HouseholdSummary {
    HouseholdSummary {
        id: household.id,
        grid: household.grid,
        place: household.details.place,
        door: excerpt(household.details.door.unwrap_or_default()),
        contact: household.details.contact.map(excerpt_of_personal),
        tags: first_tags(household.tags),
        members: u32::try_from(household.members.len()).unwrap_or(u32::MAX),
        last_visit: last_visit(&household.visits),
        conflicted,
        removed: household.removed,
        lock: Lock::Open,
    }
}

fn of_resident(resident: Resident, conflicted: bool) -> ResidentSummary {
    ResidentSummary {
        id: resident.id,
        grid: resident.grid,
        household: resident.details.household,
        name: resident.details.name.map(excerpt_of_personal),
        tags: first_tags(resident.tags),
        conflicted,
        removed: resident.removed,
        lock: Lock::Open,
    }
}

fn of_organisation(organisation: Organisation, conflicted: bool) -> OrganisationSummary {
    OrganisationSummary {
        id: organisation.id,
        grid: organisation.grid,
        name: excerpt(organisation.details.name.unwrap_or_default()),
        trade: organisation.details.trade.map(excerpt),
        address: organisation.details.address.map(excerpt),
        contact: organisation.details.contact.map(excerpt_of_personal),
        tags: first_tags(organisation.tags),
        last_visit: last_visit(&organisation.visits),
        conflicted,
        removed: organisation.removed,
        lock: Lock::Open,
    }
}

fn of_party(party: Party, conflicted: bool) -> PartySummary {
    PartySummary {
        id: party.id,
        grid: party.grid,
        name: party.details.name.map(excerpt_of_personal),
        conflicted,
        removed: party.removed,
        lock: party.lock,
    }
}

fn of_case(case: Case, receipts: &Receipts, conflicted: bool) -> CaseSummary {
    let view = workflow::fold(case.events, receipts);
    CaseSummary {
        id: case.id,
        grid: case.grid,
        kind: case.kind,
        category: case.details.category,
        place: case.details.place,
        excerpt: Some(case.details.description).filter(|text| !text.reveal().is_empty()).map(excerpt_of_personal),
        urgency: case.details.urgency,
        conflicted,
        removed: case.removed,
        lock: Lock::Open,
        opened_at: view.opened_at(),
        closed_at: view.closed_at(),
        superseded: u32::try_from(view.superseded().count()).unwrap_or(u32::MAX),
        duplicate_of: view.duplicate_of,
        state: view.state,
    }
}

/// `visits` come with the latest first.
fn last_visit(visits: &[Visit]) -> LastVisit {
    let last = visits.first();
    LastVisit {
        at: last.map(|visit| visit.at),
        outcome: last.map(|visit| visit.outcome.clone()),
        met_at: visits.iter().find(|visit| visit.outcome == Outcome::Met).map(|visit| visit.at),
        follow_up: last.and_then(|visit| visit.follow_up),
        count: u32::try_from(visits.len()).unwrap_or(u32::MAX),
    }
}

fn first_tags(mut tags: Vec<Tag>) -> Vec<Tag> {
    tags.truncate(MOST_TAGS);
    tags
}

fn excerpt(text: String) -> String {
    match text.char_indices().nth(MOST_EXCERPT) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

fn excerpt_of_personal(text: Personal<String>) -> Personal<String> {
    Personal::new(excerpt(text.into_inner()))
}
