//! `phone organisation`: the enterprises, shops and institutions of a grid.

use doorstep_core::docs::DocKind;
use doorstep_core::field::TagChange;
use doorstep_core::model::{OrganisationDetails, Personal, Phone as Number, Tag};

use super::index::Index;
use super::mark::Recorded;
use super::note::put_on;
use super::page::Page;
use super::value::personal;
use super::{Phone, PhoneError};

/// What can be done to organisations.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add an organisation
    Add {
        /// The registered name or the sign over the door
        #[arg(long)]
        name: String,
        /// The grid, if you have several: its name, a part of it, or its number
        #[arg(long, value_name = "GRID")]
        grid: Option<String>,
        /// The fields.
        #[command(flatten)]
        fields: Fields,
    },
    /// Change an organisation; what is not named stays, an empty text takes a field away
    Change {
        /// The organisation: an id, or a name or words that find it
        organisation: String,
        /// The name
        #[arg(long)]
        name: Option<String>,
        /// The fields.
        #[command(flatten)]
        fields: Fields,
    },
}

/// The fields of an organisation that may be left out.
#[derive(Debug, Default, clap::Args)]
pub struct Fields {
    /// The unified social credit code 统一社会信用代码
    #[arg(long, value_name = "CODE")]
    pub credit_code: Option<String>,
    /// Whom to ask for
    #[arg(long, value_name = "NAME")]
    pub contact: Option<String>,
    /// A telephone number
    #[arg(long, value_name = "NUMBER", value_parser = personal::<Number>)]
    pub phone: Option<Personal<Number>>,
    /// What it does: 餐饮
    #[arg(long)]
    pub trade: Option<String>,
    /// Where it is: an id of a place or words that find it
    #[arg(long, value_name = "PLACE")]
    pub place: Option<String>,
    /// Street and number
    #[arg(long)]
    pub address: Option<String>,
    /// A tag to put on; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<Tag>,
}

impl Fields {
    fn details(self, phone: &Phone, index: &Index, name: Option<String>) -> Result<(OrganisationDetails, Vec<TagChange>), PhoneError> {
        let place = self.place.map(|named| index.resolve(phone, &named, &[DocKind::Place])).transpose()?;
        let details = OrganisationDetails {
            name,
            credit_code: self.credit_code,
            contact: self.contact.map(Personal::new),
            phone: self.phone,
            trade: self.trade,
            place: place.map(|(_, id)| id.into()),
            address: self.address,
        };
        Ok((details, put_on(self.tags, true)))
    }
}

pub(super) fn perform(phone: &Phone, command: Command, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let id = match command {
        Command::Add { name, grid, fields } => {
            let grid = grid.map(|named| index.grid_named(&named)).transpose()?;
            let (details, tags) = fields.details(phone, &index, Some(name))?;
            phone.engine.add_organisation(grid, details, tags)?
        }
        Command::Change { organisation, name, fields } => {
            let (_, id) = index.resolve(phone, &organisation, &[DocKind::Organisation])?;
            let (details, tags) = fields.details(phone, &index, name)?;
            if details == OrganisationDetails::default() && tags.is_empty() {
                return Err(PhoneError::NothingToChange);
            }
            phone.engine.change_organisation(id.into(), details, tags)?;
            id.into()
        }
    };
    Ok(page.show(&Recorded::new(phone, "organisation", id, id))?)
}
