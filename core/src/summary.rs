//! Summaries: what lists, searches and the first screen show of a document, in a row of its own.
//!
//! A loaded document costs tens of kilobytes and up to half a millisecond, so lists never load one. Hub and phone derive the summary with
//! this code whenever a document changes and store it in the same batch; a phone that starts gets it along with the snapshot. What is personal in it
//! is sealed as it is in the document, so that it goes with the record's key.

use crate::docs::layout::Path;
use crate::docs::{Case, DocKind, Document, Household, Keyring, Lock, Organisation, Party, Place, Resident, Scalar};
use crate::model::{
    CaseId, CaseKind, CaseState, Category, Day, DocId, GridId, HouseholdId, Millis, OrganisationId, Outcome, PartyId, Personal, PlaceId,
    PlaceKind, Receipts, ResidentId, Tag, Urgency, Visit,
};
use crate::workflow;

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

/// What a row begins with: no number of a kind.
const ROW: u8 = 16;

/// A summary as rows and snapshots hold it.
#[derive(minicbor::Encode, minicbor::Decode)]
struct Row {
    #[n(0)]
    format: u8,
    #[n(1)]
    summary: Summary,
    #[n(2)]
    sealed: Option<minicbor::bytes::ByteVec>,
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

    /// The summary as rows and snapshots hold it: what is personal in it sealed with the record's keys.
    ///
    /// ```text
    /// [16, the summary without what is personal, that sealed or null]
    /// ```
    pub fn to_row(&self, keys: &Keyring) -> Vec<u8> {
        let mut open = self.clone();
        let (kind, doc) = (self.kind(), self.id());
        let sealed = open.personal().and_then(|(path, text)| {
            let text = Scalar::Text(text.take()?.into_inner());
            match keys.seal(kind, doc, &path, &text) {
                Some(Scalar::Bytes(sealed)) => Some(sealed),
                _ => None,
            }
        });
        minicbor::to_vec(Row { format: ROW, summary: open, sealed: sealed.map(Into::into) }).unwrap_or_default()
    }

    /// Reads a row, as far as these keys open it.
    ///
    /// # Errors
    /// When it does not decode.
    pub fn from_row(row: &[u8], keys: &Keyring) -> Result<Self, minicbor::decode::Error> {
        // Rows of before there were keys are the summary alone, which begins with the number of its kind.
        let mut head = minicbor::Decoder::new(row);
        head.array()?;
        if head.u8()? != ROW {
            return minicbor::decode(row);
        }
        let Row { mut summary, sealed, .. } = minicbor::decode(row)?;
        let (kind, doc) = (summary.kind(), summary.id());
        let mut lock = if keys.is_erased() { Some(Lock::Erased) } else { None };
        if let Some((path, text)) = summary.personal()
            && let Some(sealed) = sealed
        {
            let sealed = Scalar::Bytes(sealed.into());
            match keys.open(kind, doc, &path, &sealed) {
                Ok(Scalar::Text(opened)) => *text = Some(Personal::new(opened)),
                // What opens to something else is of a later version.
                _ => drop(lock.get_or_insert(match keys.lock(kind, &path, &sealed) {
                    Lock::Open => Lock::Locked,
                    lock => lock,
                })),
            }
        }
        if let (Some(own), Some(lock)) = (summary.lock_mut(), lock) {
            *own = lock;
        }
        Ok(summary)
    }

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
