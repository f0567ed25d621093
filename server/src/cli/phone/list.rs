//! The lists: places, households, residents, organisations, what is due, cases, and what a search finds.

use std::io::{self, Write};

use doorstep_core::docs::DocKind;
use doorstep_core::field::search::MatchedField;
use doorstep_core::model::{Day, GridId, Millis};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::index::Index;
use super::order::natural;
use super::page::{Page, Show, Table};
use super::row::{AnyRow, CaseRow, DueRow, FoundRow, HouseholdRow, OrganisationRow, PlaceRow, ResidentRow, Row};
use super::value::{DaysArg, usual_rules};
use super::{Phone, PhoneError};
use crate::cli::text::Lang;

/// A list of one grid.
#[derive(Debug, clap::Args)]
pub struct GridArgs {
    /// Only of this grid: its name, a part of it, or its number
    #[arg(long, value_name = "GRID")]
    pub grid: Option<String>,
}

/// What `households` takes.
#[derive(Debug, clap::Args)]
pub struct HouseholdsArgs {
    /// Only of this grid: its name, a part of it, or its number
    #[arg(long, value_name = "GRID")]
    pub grid: Option<String>,
    /// Only of this place or what stands in it
    #[arg(long, value_name = "PLACE")]
    pub place: Option<String>,
}

/// What `due` takes.
#[derive(Debug, clap::Args)]
pub struct DueArgs {
    /// Only of this grid: its name, a part of it, or its number
    #[arg(long, value_name = "GRID")]
    pub grid: Option<String>,
    /// How often doors are visited: 90, or for those with a tag 独居=7; may be repeated [default: 90, 独居=7, 低保=30]
    #[arg(long, value_name = "[TAG=]DAYS")]
    pub days: Vec<DaysArg>,
    /// As of this day instead of today
    #[arg(long, value_name = "DAY")]
    pub on: Option<Day>,
}

/// What `cases` takes.
#[derive(Debug, clap::Args)]
pub struct CasesArgs {
    /// Only of this grid: its name, a part of it, or its number
    #[arg(long, value_name = "GRID")]
    pub grid: Option<String>,
    /// Closed ones as well
    #[arg(long)]
    pub all: bool,
}

/// What `search` takes.
#[derive(Debug, clap::Args)]
pub struct SearchArgs {
    /// Names, initials or whole pinyin, door numbers, words of a text; all of them must fit
    #[arg(required = true, value_name = "WORDS")]
    pub words: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
}

/// A list under its name.
struct List<R> {
    name: &'static str,
    rows: Vec<R>,
}

impl<R: Row> Serialize for List<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry(self.name, &self.rows)?;
        object.end()
    }
}

impl<R: Row> Show for List<R> {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(lang, R::HEADING);
        self.rows.iter().for_each(|row| table.row(row.cells(lang)));
        table.write(lang, out)
    }
}

pub(super) fn places(phone: &Phone, args: &GridArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let mut places = phone.engine.places(grid(&index, &args.grid)?)?;
    places.sort_by_cached_key(|listed| natural(&index.place_name(listed.row.id).unwrap_or_default()));
    let rows = places.into_iter().map(|place| PlaceRow::of(&index, place)).collect();
    Ok(page.show(&List { name: "places", rows })?)
}

pub(super) fn households(phone: &Phone, args: &HouseholdsArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let mut households = phone.engine.households(grid(&index, &args.grid)?)?;
    if let Some(named) = &args.place {
        let (_, place) = index.resolve(phone, named, &[DocKind::Place])?;
        households.retain(|listed| index.is_within(listed.row.place, place.into()));
    }
    households.sort_by_cached_key(|listed| natural(&index.door(&listed.row)));
    let rows = households.into_iter().map(|household| HouseholdRow::of(&index, household)).collect();
    Ok(page.show(&List { name: "households", rows })?)
}

pub(super) fn residents(phone: &Phone, args: &GridArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let residents = phone.engine.residents(grid(&index, &args.grid)?)?;
    let rows = residents.into_iter().map(|resident| ResidentRow::of(phone, &index, resident)).collect::<Result<_, _>>()?;
    Ok(page.show(&List { name: "residents", rows })?)
}

pub(super) fn organisations(phone: &Phone, args: &GridArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let organisations = phone.engine.organisations(grid(&index, &args.grid)?)?;
    let rows = organisations.into_iter().map(|organisation| OrganisationRow::of(&index, organisation)).collect();
    Ok(page.show(&List { name: "organisations", rows })?)
}

pub(super) fn due(phone: &Phone, args: &DueArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let today = args.on.unwrap_or_else(|| phone.engine.today());
    let rules = if args.days.is_empty() { usual_rules() } else { args.days.iter().map(|days| days.0.clone()).collect() };
    let doors = phone.engine.due(grid(&index, &args.grid)?, &rules, today)?;
    let rows = doors
        .into_iter()
        .map(|door| {
            // Where nobody was ever met the engine counts from 1970, so that such doors come first; as a day that means nothing.
            let last = &door.household.row.last_visit;
            let known = last.met_at.is_some_and(|at| at > Millis(0)) || last.follow_up == Some(door.due_on);
            let due_on = known.then_some(door.due_on);
            DueRow {
                household: HouseholdRow::of(&index, door.household),
                due_on: due_on.map(|day| day.to_string()),
                days_overdue: due_on.map(|day| today.0.saturating_sub(day.0)),
            }
        })
        .collect();
    Ok(page.show(&List { name: "due", rows })?)
}

pub(super) fn cases(phone: &Phone, args: &CasesArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let grid = grid(&index, &args.grid)?;
    let cases = if args.all { phone.engine.cases(grid)? } else { phone.engine.open_cases(grid)? };
    let rows = cases.into_iter().map(|case| CaseRow::of(&index, case)).collect();
    Ok(page.show(&List { name: "cases", rows })?)
}

pub(super) fn search(phone: &Phone, args: &SearchArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let found = phone.engine.search(&args.words.join(" "), args.limit)?;
    let rows = found
        .into_iter()
        .map(|found| {
            let label = index.label(&found.row.row);
            Ok(FoundRow { row: AnyRow::of(phone, &index, found.row)?, found_in: found_in(found.hit.field), label })
        })
        .collect::<Result<_, PhoneError>>()?;
    Ok(page.show(&List { name: "found", rows })?)
}

const fn found_in(field: MatchedField) -> &'static str {
    match field {
        MatchedField::Name => "name",
        MatchedField::Pinyin => "pinyin",
        MatchedField::Door => "door",
        MatchedField::Text => "text",
    }
}

fn grid(index: &Index, named: &Option<String>) -> Result<Option<GridId>, PhoneError> {
    named.as_deref().map(|named| index.grid_named(named)).transpose()
}
