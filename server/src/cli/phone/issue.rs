//! `phone issue`: what a resident wants seen to.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{CaseDetails, Category, Channel, PartyDetails, Personal, Phone as Number, Reporter, Urgency};

use super::index::Index;
use super::mark::Recorded;
use super::page::Page;
use super::value::{PointArg, one_of, personal};
use super::{Phone, PhoneError};

/// What `issue` takes.
#[derive(Debug, clap::Args)]
pub struct IssueArgs {
    /// What is the matter, in the words of whoever reported it
    pub text: String,
    /// What it is about
    #[arg(long, value_parser = one_of!(Category))]
    pub category: Category,
    /// Where: an id of a place or words that find it
    #[arg(long, value_name = "PLACE")]
    pub place: Option<String>,
    /// How soon
    #[arg(long, value_parser = one_of!(Urgency), default_value = "normal")]
    pub urgency: Urgency,
    /// How it came in
    #[arg(long, value_parser = one_of!(Channel), default_value = "worker")]
    pub channel: Channel,
    /// The registered resident who reported it: an id, or a name or words that find it
    #[arg(long, value_name = "RESIDENT", conflicts_with_all = ["reporter", "reporter_phone"])]
    pub resident: Option<String>,
    /// The name of somebody else who reported it
    #[arg(long, value_name = "NAME")]
    pub reporter: Option<String>,
    /// The number of somebody else who reported it
    #[arg(long, value_name = "NUMBER", value_parser = personal::<Number>)]
    pub reporter_phone: Option<Personal<Number>>,
    /// The case from which it is opened: an id or words that find it
    #[arg(long, value_name = "CASE")]
    pub parent: Option<String>,
    /// The grid, if you have several and name no place: its name, a part of it, or its number
    #[arg(long, value_name = "GRID")]
    pub grid: Option<String>,
    /// Where it was seen, in WGS-84: 31.2304,121.4737
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    pub point: Option<PointArg>,
}

pub(super) fn report(phone: &Phone, args: IssueArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let find = |named: Option<&String>, kind| named.map(|named| index.resolve(phone, named, &[kind]).map(|(_, id)| id)).transpose();
    let place = find(args.place.as_ref(), DocKind::Place)?;
    let resident = find(args.resident.as_ref(), DocKind::Resident)?;
    let parent = find(args.parent.as_ref(), DocKind::Case)?;
    let grid = args.grid.as_deref().map(|named| index.grid_named(named)).transpose()?;
    let mut details = CaseDetails {
        place: place.map(Into::into),
        urgency: args.urgency,
        channel: args.channel,
        parent: parent.map(Into::into),
        point: args.point.map(|point| point.0),
        reporter: resident.map(|id| Reporter::Resident(id.into())),
        ..CaseDetails::issue(args.category, args.text)
    };
    if details.description.reveal().trim().is_empty() {
        // Before a party is taken in: a command that fails has recorded nothing.
        return Err(doorstep_core::model::Invalid::new("description", "is empty").into());
    }
    if args.reporter.is_some() || args.reporter_phone.is_some() {
        let party = PartyDetails { name: args.reporter.map(Personal::new), phone: args.reporter_phone, ..PartyDetails::default() };
        let grid = grid.or(grid_of_place(phone, place)?);
        details.reporter = Some(Reporter::Party(phone.engine.add_party(grid, party)?));
    }
    let case = phone.engine.report_issue(grid, details)?;
    Ok(page.show(&Recorded::new(phone, "case", case, case))?)
}

/// The party belongs where the case does.
fn grid_of_place(phone: &Phone, place: Option<doorstep_core::model::DocId>) -> Result<Option<doorstep_core::model::GridId>, PhoneError> {
    let Some(place) = place else { return Ok(None) };
    Ok(phone.engine.summary_of(DocKind::Place, place)?.and_then(|summary| summary.grid()))
}
