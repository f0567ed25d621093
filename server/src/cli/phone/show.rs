//! `phone show`: one record with everything that belongs to it.

mod case;
mod part;
mod record;

use doorstep_core::docs::DocKind;

use super::index::Index;
use super::page::Page;
use super::{Phone, PhoneError};

/// What `show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The record: an id or words that find it
    pub record: String,
    /// Show the telephone and identity numbers of this record in full
    #[arg(long)]
    pub reveal: bool,
}

pub(super) fn show(phone: &Phone, args: &ShowArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let (kind, id) = index.resolve(phone, &args.record, &DocKind::ALL)?;
    let reader = part::Reader { phone, index: &index, reveals: args.reveal };
    match kind {
        DocKind::Case => Ok(page.show(&case::read(&reader, id.into())?)?),
        kind => Ok(page.show(&record::read(&reader, kind, id)?)?),
    }
}
