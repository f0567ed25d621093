//! `phone note`, `phone tag`, `phone untag`: what is put beside the fields of a record.

use doorstep_core::docs::DocKind;
use doorstep_core::field::TagChange;
use doorstep_core::model::{HouseholdDetails, OrganisationDetails, PlaceDetails, ResidentDetails, Tag};

use super::index::Index;
use super::mark::Recorded;
use super::page::Page;
use super::{Phone, PhoneError};

/// What `note` takes.
#[derive(Debug, clap::Args)]
pub struct NoteArgs {
    /// The record: an id or words that find it
    pub record: String,
    /// What to note
    pub text: String,
}

/// What `tag` and `untag` take.
#[derive(Debug, clap::Args)]
pub struct TagArgs {
    /// The place, household, resident or organisation: an id or words that find it
    pub record: String,
    /// The tags
    #[arg(required = true, value_name = "TAG")]
    pub tags: Vec<Tag>,
}

/// The kinds that have tags.
const TAGGED: [DocKind; 4] = [DocKind::Household, DocKind::Resident, DocKind::Organisation, DocKind::Place];

pub(super) fn note(phone: &Phone, args: &NoteArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let (kind, doc) = Index::read(phone)?.resolve(phone, &args.record, &DocKind::ALL)?;
    let recorded = if kind == DocKind::Case {
        Recorded::new(phone, "event", phone.engine.note_case(doc.into(), &args.text)?, doc)
    } else {
        Recorded::new(phone, "note", phone.engine.add_note(kind, doc, &args.text)?, doc)
    };
    Ok(page.show(&recorded)?)
}

pub(super) fn tag(phone: &Phone, args: &TagArgs, on: bool, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let (kind, doc) = Index::read(phone)?.resolve(phone, &args.record, &TAGGED)?;
    let tags = put_on(args.tags.clone(), on);
    match kind {
        DocKind::Place => phone.engine.change_place(doc.into(), PlaceDetails::default(), tags)?,
        DocKind::Household => phone.engine.change_household(doc.into(), HouseholdDetails::default(), tags)?,
        DocKind::Resident => phone.engine.change_resident(doc.into(), ResidentDetails::default(), tags)?,
        DocKind::Organisation => phone.engine.change_organisation(doc.into(), OrganisationDetails::default(), tags)?,
        DocKind::Party | DocKind::Case => {}
    }
    Ok(page.show(&Recorded::new(phone, kind.name(), doc, doc))?)
}

/// Tags to put on or to take off.
pub(super) fn put_on(tags: Vec<Tag>, on: bool) -> Vec<TagChange> {
    tags.into_iter().map(|tag| TagChange { tag, on }).collect()
}
