//! `phone visit`: recording a visit, and amending one.

use std::cmp::Reverse;

use doorstep_core::docs::DocKind;
use doorstep_core::model::{Day, DocId, Outcome, Personal, Purpose, VisitDraft, VisitId, VisitSubject};

use super::index::Index;
use super::mark::Recorded;
use super::page::Page;
use super::value::{PointArg, one_of};
use super::{Phone, PhoneError};

/// What `visit` takes.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct VisitArgs {
    /// Amend one instead.
    #[command(subcommand)]
    pub amend: Option<Amend>,
    /// The household, organisation or place: an id, or a door or words that find it
    #[arg(required = true, value_name = "DOOR")]
    pub door: Option<String>,
    /// How it went
    #[arg(long, value_parser = one_of!(Outcome), default_value = "met")]
    pub outcome: Outcome,
    /// Why it was made [default: patrol of a place, routine of a door]
    #[arg(long, value_parser = one_of!(Purpose))]
    pub purpose: Option<Purpose>,
    /// What was found
    #[arg(long, value_name = "TEXT")]
    pub findings: Option<String>,
    /// Who came along; may be repeated
    #[arg(long = "with", value_name = "NAME")]
    pub companions: Vec<String>,
    /// When to come again
    #[arg(long, value_name = "DAY")]
    pub follow_up: Option<Day>,
    /// Where it was, in WGS-84: 31.2304,121.4737
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    pub point: Option<PointArg>,
}

/// Amending.
#[derive(Debug, clap::Subcommand)]
pub enum Amend {
    /// Add to a visit of your own, or correct it; the visit itself stays
    Amend {
        /// The visit: its id, or the end of it that `show` shows
        visit: String,
        /// What is to be added or corrected
        text: String,
    },
}

/// The kinds that are visited.
const VISITED: [DocKind; 3] = [DocKind::Household, DocKind::Organisation, DocKind::Place];

pub(super) fn perform(phone: &Phone, args: VisitArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    if let Some(Amend::Amend { visit, text }) = args.amend {
        let (subject, visit) = find(phone, &visit)?;
        let amendment = phone.engine.amend_visit(subject, visit, &text)?;
        return Ok(page.show(&Recorded::new(phone, "amendment", amendment, document(subject)))?);
    }
    let named = args.door.unwrap_or_default();
    // Doors first: what is visited is a door far more often than the building that is called alike.
    let (kind, doc) = match index.resolve(phone, &named, &[DocKind::Household]) {
        Err(PhoneError::NoSuch { .. }) => index.resolve(phone, &named, &VISITED)?,
        found => found?,
    };
    let subject = subject(kind, doc);
    let usual = if kind == DocKind::Place { Purpose::Patrol } else { Purpose::Routine };
    let visit = phone.engine.record_visit(VisitDraft {
        purpose: args.purpose.unwrap_or(usual),
        outcome: args.outcome,
        findings: Personal::new(args.findings.unwrap_or_default()),
        companions: args.companions,
        follow_up: args.follow_up,
        point: args.point.map(|point| point.0),
        ..VisitDraft::routine(subject)
    })?;
    Ok(page.show(&Recorded::new(phone, "visit", visit, doc))?)
}

fn subject(kind: DocKind, doc: DocId) -> VisitSubject {
    match kind {
        DocKind::Organisation => VisitSubject::Organisation(doc.into()),
        DocKind::Place => VisitSubject::Place(doc.into()),
        _ => VisitSubject::Household(doc.into()),
    }
}

fn document(subject: VisitSubject) -> DocId {
    match subject {
        VisitSubject::Household(id) => id.into(),
        VisitSubject::Organisation(id) => id.into(),
        VisitSubject::Place(id) => id.into(),
    }
}

/// The visit that an id or an end of one names. Visits have no rows of their own, so what was visited is looked through, the latest first.
fn find(phone: &Phone, named: &str) -> Result<(VisitSubject, VisitId), PhoneError> {
    let no_visit = || PhoneError::NoVisit { named: named.to_owned() };
    let digits: String = named.trim().chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    if digits.len() < LEAST_VISIT_ID || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(no_visit());
    }
    for subject in visited(phone)? {
        let visits = phone.engine.visits(subject)?;
        let mut fitting = visits.iter().filter(|visit| {
            let id: String = visit.id.to_string().chars().filter(|c| *c != '-').collect();
            id.ends_with(&digits) || id == digits
        });
        if let Some(visit) = fitting.next() {
            return Ok((subject, visit.id));
        }
    }
    Err(no_visit())
}

/// `show` shows eight characters of a visit's id, which no two visits of a grid share; fewer are not taken.
const LEAST_VISIT_ID: usize = 8;

/// What was visited at all, the latest first.
fn visited(phone: &Phone) -> Result<Vec<VisitSubject>, PhoneError> {
    let engine = &phone.engine;
    let mut visited = Vec::new();
    visited.extend(engine.households(None)?.into_iter().map(|listed| (listed.row.last_visit.at, VisitSubject::Household(listed.row.id))));
    visited.extend(
        engine.organisations(None)?.into_iter().map(|listed| (listed.row.last_visit.at, VisitSubject::Organisation(listed.row.id))),
    );
    visited.extend(engine.places(None)?.into_iter().map(|listed| (listed.row.last_visit.at, VisitSubject::Place(listed.row.id))));
    visited.retain(|(at, _)| at.is_some());
    visited.sort_by_key(|(at, _)| Reverse(*at));
    Ok(visited.into_iter().map(|(_, subject)| subject).collect())
}
