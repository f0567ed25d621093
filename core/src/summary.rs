//! Summaries: what lists, searches and the first screen show of a document, in a row of its own.
//!
//! A loaded document costs tens of kilobytes and up to half a millisecond, so lists never load one. Hub and phone derive the summary with
//! this code whenever a document changes and store it in the same batch; a phone that starts gets it along with the snapshot. What is personal in it
//! is sealed as it is in the document, so that it goes with the record's key.

mod derive;
mod row;
#[cfg(test)]
mod tests;

use crate::docs::layout::Path;
use crate::docs::{DocKind, Lock};
use crate::model::{
    CaseId, CaseKind, CaseState, Category, Day, DocId, GridId, HouseholdId, Millis, OrganisationId, Outcome, PartyId, Personal, PlaceId,
    PlaceKind, ResidentId, Tag, Urgency,
};

pub use row::SealedSummary;

/// The longest text in a summary, in characters; longer ones are cut. A summary stays well under the 4,096 bytes of a row.
pub const MOST_EXCERPT: usize = 60;
/// The most tags in a summary. More than that nobody reads in a list.
pub const MOST_TAGS: usize = 12;

/// The summary of a document.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Summary {
    /// Of a place.
    #[n(1)]
    Place(#[n(0)] PlaceSummary),
    /// Of a household.
    #[n(2)]
    Household(#[n(0)] HouseholdSummary),
    /// Of a resident.
    #[n(3)]
    Resident(#[n(0)] ResidentSummary),
    /// Of an organisation.
    #[n(4)]
    Organisation(#[n(0)] OrganisationSummary),
    /// Of a party.
    #[n(5)]
    Party(#[n(0)] PartySummary),
    /// Of a case.
    #[n(6)]
    Case(#[n(0)] CaseSummary),
}

/// When somebody was last here, and when to come again.
#[derive(Debug, Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct LastVisit {
    /// When the last visit took place.
    #[n(0)]
    pub at: Option<Millis>,
    /// How it went.
    #[n(1)]
    pub outcome: Option<Outcome>,
    /// When somebody was last met.
    #[n(2)]
    pub met_at: Option<Millis>,
    /// The day to come again that the last visit named.
    #[n(3)]
    pub follow_up: Option<Day>,
    /// How many visits there were.
    #[n(4)]
    pub count: u32,
}

/// The summary of a place.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PlaceSummary {
    /// The place.
    #[n(0)]
    pub id: PlaceId,
    /// Its grid.
    #[n(1)]
    pub grid: Option<GridId>,
    /// What it is.
    #[n(2)]
    pub kind: Option<PlaceKind>,
    /// Its name.
    #[n(3)]
    pub name: String,
    /// Its address.
    #[n(4)]
    pub address: Option<String>,
    /// The estate that it stands in.
    #[n(5)]
    pub parent: Option<PlaceId>,
    /// Its tags.
    #[n(6)]
    pub tags: Vec<Tag>,
    /// The last patrol.
    #[n(7)]
    pub last_visit: LastVisit,
    /// Whether some field has more than one value.
    #[n(8)]
    pub conflicted: bool,
    /// Whether it was removed.
    #[n(9)]
    pub removed: bool,
}

/// The summary of a household.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct HouseholdSummary {
    /// The household.
    #[n(0)]
    pub id: HouseholdId,
    /// Its grid.
    #[n(1)]
    pub grid: Option<GridId>,
    /// The building, alley or yard.
    #[n(2)]
    pub place: Option<PlaceId>,
    /// The door.
    #[n(3)]
    pub door: String,
    /// Under whose name the door is known.
    #[n(4)]
    pub contact: Option<Personal<String>>,
    /// Its tags.
    #[n(5)]
    pub tags: Vec<Tag>,
    /// How many residents are registered here.
    #[n(6)]
    pub members: u32,
    /// The last visit.
    #[n(7)]
    pub last_visit: LastVisit,
    /// Whether some field has more than one value.
    #[n(8)]
    pub conflicted: bool,
    /// Whether it was removed.
    #[n(9)]
    pub removed: bool,
    /// Whether what is personal in this row can be read.
    #[n(15)]
    #[cbor(default)]
    pub lock: Lock,
}

/// The summary of a resident.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct ResidentSummary {
    /// The resident.
    #[n(0)]
    pub id: ResidentId,
    /// The grid.
    #[n(1)]
    pub grid: Option<GridId>,
    /// Where the person lives.
    #[n(2)]
    pub household: Option<HouseholdId>,
    /// The name.
    #[n(3)]
    pub name: Option<Personal<String>>,
    /// The tags.
    #[n(4)]
    pub tags: Vec<Tag>,
    /// Whether some field has more than one value.
    #[n(8)]
    pub conflicted: bool,
    /// Whether the card was removed.
    #[n(9)]
    pub removed: bool,
    /// Whether what is personal in this row can be read.
    #[n(15)]
    #[cbor(default)]
    pub lock: Lock,
}

/// The summary of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct OrganisationSummary {
    /// The organisation.
    #[n(0)]
    pub id: OrganisationId,
    /// Its grid.
    #[n(1)]
    pub grid: Option<GridId>,
    /// Its name.
    #[n(2)]
    pub name: String,
    /// What it does.
    #[n(3)]
    pub trade: Option<String>,
    /// Where it is.
    #[n(4)]
    pub address: Option<String>,
    /// Whom to ask for.
    #[n(5)]
    pub contact: Option<Personal<String>>,
    /// Its tags.
    #[n(6)]
    pub tags: Vec<Tag>,
    /// The last visit.
    #[n(7)]
    pub last_visit: LastVisit,
    /// Whether some field has more than one value.
    #[n(8)]
    pub conflicted: bool,
    /// Whether it was removed.
    #[n(9)]
    pub removed: bool,
    /// Whether what is personal in this row can be read.
    #[n(15)]
    #[cbor(default)]
    pub lock: Lock,
}

/// The summary of a party.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PartySummary {
    /// The party.
    #[n(0)]
    pub id: PartyId,
    /// The grid whose worker took it in.
    #[n(1)]
    pub grid: Option<GridId>,
    /// The name.
    #[n(2)]
    pub name: Option<Personal<String>>,
    /// Whether some field has more than one value.
    #[n(8)]
    pub conflicted: bool,
    /// Whether it was removed.
    #[n(9)]
    pub removed: bool,
    /// Whether what is personal in this row can be read.
    #[n(15)]
    #[cbor(default)]
    pub lock: Lock,
}

/// The summary of a case.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct CaseSummary {
    /// The case.
    #[n(0)]
    pub id: CaseId,
    /// Its grid.
    #[n(1)]
    pub grid: Option<GridId>,
    /// What kind of case it is.
    #[n(2)]
    pub kind: CaseKind,
    /// What it is about.
    #[n(3)]
    pub category: Category,
    /// Where.
    #[n(4)]
    pub place: Option<PlaceId>,
    /// The beginning of its description, if that can be read.
    #[n(5)]
    pub excerpt: Option<Personal<String>>,
    /// How soon.
    #[n(6)]
    pub urgency: Urgency,
    /// Where it stands.
    #[n(7)]
    pub state: Option<CaseState>,
    /// Whether some field has more than one value.
    #[n(8)]
    pub conflicted: bool,
    /// Whether it was removed.
    #[n(9)]
    pub removed: bool,
    /// When it was captured: server time once accepted, the device's before.
    #[n(10)]
    pub opened_at: Option<Millis>,
    /// When it was closed.
    #[n(11)]
    pub closed_at: Option<Millis>,
    /// How many of its events came too late.
    #[n(12)]
    pub superseded: u32,
    /// The case of which this one is a duplicate.
    #[n(13)]
    pub duplicate_of: Option<CaseId>,
    /// Whether what is personal in this row can be read.
    #[n(15)]
    #[cbor(default)]
    pub lock: Lock,
}

impl CaseSummary {
    /// Whether it still has to be followed to its end.
    pub fn is_open(&self) -> bool {
        !self.removed && self.state != Some(CaseState::Closed)
    }
}

impl Summary {
    /// What is personal in it, and the field that it is of.
    fn personal(&mut self) -> Option<(Path, &mut Option<Personal<String>>)> {
        let (name, text) = match self {
            Self::Place(_) => return None,
            Self::Household(row) => ("contact", &mut row.contact),
            Self::Resident(row) => ("name", &mut row.name),
            Self::Organisation(row) => ("contact", &mut row.contact),
            Self::Party(row) => ("name", &mut row.name),
            Self::Case(row) => ("description", &mut row.excerpt),
        };
        Some((Path::Root(name.to_owned()), text))
    }

    const fn lock_mut(&mut self) -> Option<&mut Lock> {
        match self {
            Self::Place(_) => None,
            Self::Household(row) => Some(&mut row.lock),
            Self::Resident(row) => Some(&mut row.lock),
            Self::Organisation(row) => Some(&mut row.lock),
            Self::Party(row) => Some(&mut row.lock),
            Self::Case(row) => Some(&mut row.lock),
        }
    }

    /// Whether what is personal in it can be read.
    pub const fn lock(&self) -> Lock {
        match self {
            Self::Place(_) => Lock::Open,
            Self::Household(row) => row.lock,
            Self::Resident(row) => row.lock,
            Self::Organisation(row) => row.lock,
            Self::Party(row) => row.lock,
            Self::Case(row) => row.lock,
        }
    }

    /// The kind of the document.
    pub const fn kind(&self) -> DocKind {
        match self {
            Self::Place(_) => DocKind::Place,
            Self::Household(_) => DocKind::Household,
            Self::Resident(_) => DocKind::Resident,
            Self::Organisation(_) => DocKind::Organisation,
            Self::Party(_) => DocKind::Party,
            Self::Case(_) => DocKind::Case,
        }
    }

    /// The document.
    pub fn id(&self) -> DocId {
        match self {
            Self::Place(row) => row.id.into(),
            Self::Household(row) => row.id.into(),
            Self::Resident(row) => row.id.into(),
            Self::Organisation(row) => row.id.into(),
            Self::Party(row) => row.id.into(),
            Self::Case(row) => row.id.into(),
        }
    }

    /// The grid that is shown.
    pub const fn grid(&self) -> Option<GridId> {
        match self {
            Self::Place(row) => row.grid,
            Self::Household(row) => row.grid,
            Self::Resident(row) => row.grid,
            Self::Organisation(row) => row.grid,
            Self::Party(row) => row.grid,
            Self::Case(row) => row.grid,
        }
    }

    /// Whether the document was removed.
    pub const fn is_removed(&self) -> bool {
        match self {
            Self::Place(row) => row.removed,
            Self::Household(row) => row.removed,
            Self::Resident(row) => row.removed,
            Self::Organisation(row) => row.removed,
            Self::Party(row) => row.removed,
            Self::Case(row) => row.removed,
        }
    }
}
