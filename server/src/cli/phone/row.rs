//! The rows of lists, as JSON and as lines.

use doorstep_core::docs::Lock;
use doorstep_core::field::Listed;
use doorstep_core::model::{Personal, Tag};
use doorstep_core::summary::{CaseSummary, HouseholdSummary, OrganisationSummary, PartySummary, PlaceSummary, ResidentSummary, Summary};
use serde::Serialize;

use super::index::Index;
use super::mark::{LastVisitRow, Mark, Ref, lock_code, word_of};
use super::{Phone, PhoneError};
use crate::cli::text::{Lang, Text};

/// What every row begins and ends with.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Head {
    pub id: String,
    pub short: String,
    pub kind: &'static str,
    pub grid: Option<Ref>,
    pub conflicted: bool,
    #[serde(serialize_with = "lock_code")]
    lock: Lock,
    #[serde(flatten)]
    pub mark: Mark,
}

impl Head {
    fn of(index: &Index, summary: &Summary, conflicted: bool, mark: Mark) -> Self {
        Self {
            id: summary.id().to_string(),
            short: index.short(summary.id()),
            kind: summary.kind().name(),
            grid: index.grid(summary.grid()),
            conflicted,
            lock: summary.lock(),
            mark,
        }
    }

    /// The first two columns of every list.
    fn cells(&self, lang: Lang) -> Vec<String> {
        let conflict = if self.conflicted { format!(" {}", lang.say(Text::Conflicted)) } else { String::new() };
        vec![self.short.clone(), format!("{}{conflict}", self.mark.word(lang))]
    }

    /// The cell of what is personal in the row: what cannot be read is said to be locked or gone, and not left empty.
    fn personal(&self, text: Option<&str>, lang: Lang) -> String {
        match (text, self.lock) {
            (Some(text), _) => text.to_owned(),
            (None, Lock::Open) => String::new(),
            (None, lock) => format!("({})", lang.lock(lock.code())),
        }
    }
}

/// A row of a list: one line.
pub(super) trait Row: Serialize {
    /// The heading of its list.
    const HEADING: &'static [Text];
    /// The cells of its line.
    fn cells(&self, lang: Lang) -> Vec<String>;
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PlaceRow {
    #[serde(flatten)]
    head: Head,
    place_kind: Option<String>,
    name: String,
    path: Option<String>,
    parent: Option<Ref>,
    address: Option<String>,
    tags: Vec<String>,
    last_visit: LastVisitRow,
    #[serde(skip)]
    kind: Option<doorstep_core::model::PlaceKind>,
}

impl PlaceRow {
    pub(super) fn of(index: &Index, listed: Listed<PlaceSummary>) -> Self {
        let row = listed.row;
        Self {
            head: Head::of(index, &Summary::Place(row.clone()), row.conflicted, listed.sync.into()),
            place_kind: row.kind.as_ref().map(|kind| kind.code().to_owned()),
            path: index.place_name(row.id),
            parent: index.place(row.parent),
            name: row.name,
            address: row.address,
            tags: words(&row.tags),
            last_visit: row.last_visit.into(),
            kind: row.kind,
        }
    }
}

impl Row for PlaceRow {
    const HEADING: &'static [Text] = &[
        Text::ColumnId,
        Text::ColumnSync,
        Text::ColumnName,
        Text::ColumnKind,
        Text::ColumnAddress,
        Text::ColumnTags,
        Text::ColumnLastPatrol,
    ];

    fn cells(&self, lang: Lang) -> Vec<String> {
        let mut cells = self.head.cells(lang);
        let kind = self.kind.as_ref().map(|kind| lang.place_kind(kind)).unwrap_or_default();
        cells.extend([self.path.clone().unwrap_or_else(|| self.name.clone()), kind, self.address.clone().unwrap_or_default()]);
        cells.extend([self.tags.join(" "), self.last_visit.word(lang)]);
        cells
    }
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct HouseholdRow {
    #[serde(flatten)]
    head: Head,
    door: String,
    place: Option<Ref>,
    contact: Option<String>,
    members: u32,
    tags: Vec<String>,
    last_visit: LastVisitRow,
    #[serde(skip)]
    whole_door: String,
}

impl HouseholdRow {
    pub(super) fn of(index: &Index, listed: Listed<HouseholdSummary>) -> Self {
        let row = listed.row;
        Self {
            head: Head::of(index, &Summary::Household(row.clone()), row.conflicted, listed.sync.into()),
            whole_door: index.door(&row),
            place: index.place(row.place),
            door: row.door,
            contact: revealed(row.contact),
            members: row.members,
            tags: words(&row.tags),
            last_visit: row.last_visit.into(),
        }
    }
}

impl Row for HouseholdRow {
    const HEADING: &'static [Text] =
        &[Text::ColumnId, Text::ColumnSync, Text::ColumnDoor, Text::ColumnContact, Text::ColumnTags, Text::ColumnLastVisit];

    fn cells(&self, lang: Lang) -> Vec<String> {
        let mut cells = self.head.cells(lang);
        let contact = self.head.personal(self.contact.as_deref(), lang);
        cells.extend([self.whole_door.clone(), contact, self.tags.join(" "), self.last_visit.word(lang)]);
        cells
    }
}

/// A household with the day since which it is due.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DueRow {
    #[serde(flatten)]
    pub household: HouseholdRow,
    /// `null` where nobody was ever met and no day was named.
    pub due_on: Option<String>,
    pub days_overdue: Option<i32>,
}

impl Row for DueRow {
    const HEADING: &'static [Text] = &[
        Text::ColumnId,
        Text::ColumnSync,
        Text::ColumnDoor,
        Text::ColumnContact,
        Text::ColumnTags,
        Text::ColumnLastVisit,
        Text::ColumnDue,
    ];

    fn cells(&self, lang: Lang) -> Vec<String> {
        let mut cells = self.household.cells(lang);
        cells.push(match (&self.due_on, self.days_overdue) {
            (Some(day), Some(days)) if days > 0 => format!("{day} {}", lang.fill(Text::DaysOverdue, &[("n", &days)])),
            (Some(day), _) => day.clone(),
            (None, _) => lang.say(Text::NeverMet).to_owned(),
        });
        cells
    }
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ResidentRow {
    #[serde(flatten)]
    head: Head,
    name: Option<String>,
    household: Option<Ref>,
    tags: Vec<String>,
}

impl ResidentRow {
    pub(super) fn of(phone: &Phone, index: &Index, listed: Listed<ResidentSummary>) -> Result<Self, PhoneError> {
        let row = listed.row;
        Ok(Self {
            head: Head::of(index, &Summary::Resident(row.clone()), row.conflicted, listed.sync.into()),
            name: revealed(row.name),
            household: row.household.map(|household| index.household(phone, household)).transpose()?,
            tags: words(&row.tags),
        })
    }
}

impl Row for ResidentRow {
    const HEADING: &'static [Text] = &[Text::ColumnId, Text::ColumnSync, Text::ColumnName, Text::ColumnDoor, Text::ColumnTags];

    fn cells(&self, lang: Lang) -> Vec<String> {
        let mut cells = self.head.cells(lang);
        cells.extend([self.head.personal(self.name.as_deref(), lang), word_of(&self.household), self.tags.join(" ")]);
        cells
    }
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct OrganisationRow {
    #[serde(flatten)]
    head: Head,
    name: String,
    trade: Option<String>,
    address: Option<String>,
    contact: Option<String>,
    tags: Vec<String>,
    last_visit: LastVisitRow,
}

impl OrganisationRow {
    pub(super) fn of(index: &Index, listed: Listed<OrganisationSummary>) -> Self {
        let row = listed.row;
        Self {
            head: Head::of(index, &Summary::Organisation(row.clone()), row.conflicted, listed.sync.into()),
            name: row.name,
            trade: row.trade,
            address: row.address,
            contact: revealed(row.contact),
            tags: words(&row.tags),
            last_visit: row.last_visit.into(),
        }
    }
}

impl Row for OrganisationRow {
    const HEADING: &'static [Text] = &[
        Text::ColumnId,
        Text::ColumnSync,
        Text::ColumnName,
        Text::ColumnTrade,
        Text::ColumnContact,
        Text::ColumnAddress,
        Text::ColumnTags,
        Text::ColumnLastVisit,
    ];

    fn cells(&self, lang: Lang) -> Vec<String> {
        let mut cells = self.head.cells(lang);
        cells.push(self.name.clone());
        let contact = self.head.personal(self.contact.as_deref(), lang);
        cells.extend([self.trade.clone().unwrap_or_default(), contact, self.address.clone().unwrap_or_default()]);
        cells.extend([self.tags.join(" "), self.last_visit.word(lang)]);
        cells
    }
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PartyRow {
    #[serde(flatten)]
    head: Head,
    name: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct CaseRow {
    #[serde(flatten)]
    head: Head,
    category: String,
    urgency: String,
    state: Option<String>,
    place: Option<Ref>,
    excerpt: String,
    opened_at: Option<i64>,
    closed_at: Option<i64>,
    superseded: u32,
    duplicate_of: Option<String>,
    #[serde(skip)]
    row: CaseSummary,
}

impl CaseRow {
    pub(super) fn of(index: &Index, listed: Listed<CaseSummary>) -> Self {
        let row = listed.row;
        Self {
            head: Head::of(index, &Summary::Case(row.clone()), row.conflicted, listed.sync.into()),
            category: row.category.code().to_owned(),
            urgency: row.urgency.code().to_owned(),
            state: row.state.as_ref().map(|state| state.code().to_owned()),
            place: index.place(row.place),
            excerpt: row.excerpt.as_ref().map(|text| text.reveal().clone()).unwrap_or_default(),
            opened_at: row.opened_at.map(|at| at.0),
            closed_at: row.closed_at.map(|at| at.0),
            superseded: row.superseded,
            duplicate_of: row.duplicate_of.map(|case| case.to_string()),
            row,
        }
    }
}

impl Row for CaseRow {
    const HEADING: &'static [Text] = &[
        Text::ColumnId,
        Text::ColumnSync,
        Text::ColumnState,
        Text::ColumnUrgency,
        Text::ColumnCategory,
        Text::ColumnPlace,
        Text::ColumnOpened,
        Text::ColumnDescription,
    ];

    fn cells(&self, lang: Lang) -> Vec<String> {
        let mut cells = self.head.cells(lang);
        let late =
            if self.superseded > 0 { format!(" {}", lang.fill(Text::LateEvents, &[("n", &self.superseded)])) } else { String::new() };
        let state = self.row.state.as_ref().map(|state| lang.case_state(state)).unwrap_or_default();
        cells.extend([format!("{state}{late}"), lang.urgency(&self.row.urgency), lang.category(&self.row.category)]);
        let excerpt = self.head.personal(self.row.excerpt.as_ref().map(|text| text.reveal().as_str()), lang);
        cells.extend([word_of(&self.place), self.row.opened_at.map(|at| at.to_string()).unwrap_or_default(), excerpt]);
        cells
    }
}

/// A row of any kind, for what searches find.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum AnyRow {
    Place(PlaceRow),
    Household(HouseholdRow),
    Resident(ResidentRow),
    Organisation(OrganisationRow),
    Party(PartyRow),
    Case(Box<CaseRow>),
}

impl AnyRow {
    pub(super) fn of(phone: &Phone, index: &Index, listed: Listed<Summary>) -> Result<Self, PhoneError> {
        let sync = listed.sync;
        Ok(match listed.row {
            Summary::Place(row) => Self::Place(PlaceRow::of(index, Listed { row, sync })),
            Summary::Household(row) => Self::Household(HouseholdRow::of(index, Listed { row, sync })),
            Summary::Resident(row) => Self::Resident(ResidentRow::of(phone, index, Listed { row, sync })?),
            Summary::Organisation(row) => Self::Organisation(OrganisationRow::of(index, Listed { row, sync })),
            Summary::Party(row) => Self::Party(party_row(index, Listed { row, sync })),
            Summary::Case(row) => Self::Case(Box::new(CaseRow::of(index, Listed { row, sync }))),
        })
    }

    pub(super) fn head(&self) -> &Head {
        match self {
            Self::Place(row) => &row.head,
            Self::Household(row) => &row.head,
            Self::Resident(row) => &row.head,
            Self::Organisation(row) => &row.head,
            Self::Party(row) => &row.head,
            Self::Case(row) => &row.head,
        }
    }
}

/// What was found, and by what.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FoundRow {
    #[serde(flatten)]
    pub row: AnyRow,
    pub found_in: &'static str,
    #[serde(skip)]
    pub label: String,
}

impl Row for FoundRow {
    const HEADING: &'static [Text] = &[Text::ColumnId, Text::ColumnSync, Text::ColumnKind, Text::ColumnName, Text::ColumnGrid];

    fn cells(&self, lang: Lang) -> Vec<String> {
        let head = self.row.head();
        let mut cells = head.cells(lang);
        cells.extend([lang.kind(head.kind).to_owned(), self.label.clone(), word_of(&head.grid)]);
        cells
    }
}

fn party_row(index: &Index, listed: Listed<PartySummary>) -> PartyRow {
    let row = listed.row;
    PartyRow { head: Head::of(index, &Summary::Party(row.clone()), row.conflicted, listed.sync.into()), name: revealed(row.name) }
}

fn revealed(text: Option<Personal<String>>) -> Option<String> {
    text.map(Personal::into_inner)
}

pub(super) fn words(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(|tag| tag.as_str().to_owned()).collect()
}
