//! `phone resident`: the cards of persons.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{Day, HouseholdId, IdNumber, Personal, Phone as Number, ResidentDetails, ResidentId, Tag};

use super::index::Index;
use super::mark::Recorded;
use super::note::put_on;
use super::page::Page;
use super::value::personal;
use super::{Phone, PhoneError};

/// What can be done to the cards of residents.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add the card of a resident
    Add {
        /// The name
        #[arg(long)]
        name: String,
        /// The grid, if you have several: its name, a part of it, or its number
        #[arg(long, value_name = "GRID")]
        grid: Option<String>,
        /// The fields.
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a card; what is not named stays
    Change {
        /// The resident: an id, or a name or words that find it
        resident: String,
        /// The name
        #[arg(long)]
        name: Option<String>,
        /// The fields.
        #[command(flatten)]
        fields: Fields,
    },
}

/// The fields of a card that may be left out.
#[derive(Debug, Default, clap::Args)]
pub struct Fields {
    /// Where the person lives; becomes a member of that household: an id, or a door or words that find it
    #[arg(long, value_name = "HOUSEHOLD")]
    pub household: Option<String>,
    /// A telephone number
    #[arg(long, value_name = "NUMBER", value_parser = personal::<Number>)]
    pub phone: Option<Personal<Number>>,
    /// The identity number
    #[arg(long, value_name = "NUMBER", value_parser = personal::<IdNumber>)]
    pub id_number: Option<Personal<IdNumber>>,
    /// The day of birth
    #[arg(long, value_name = "DAY")]
    pub born: Option<Day>,
    /// What one should know
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
    /// Who answers for somebody under 14: an id, or a name or words that find the card
    #[arg(long, value_name = "RESIDENT")]
    pub guardian: Option<String>,
    /// A tag to put on; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<Tag>,
}

impl Fields {
    fn details(self, name: Option<String>, household: Option<HouseholdId>, guardian: Option<ResidentId>) -> ResidentDetails {
        ResidentDetails {
            name: name.map(Personal::new),
            household,
            phone: self.phone,
            id_number: self.id_number,
            born: self.born.map(Personal::new),
            remark: self.remark.map(Personal::new),
            guardian,
        }
    }
}

pub(super) fn perform(phone: &Phone, command: Command, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let household_of = |fields: &Fields| match &fields.household {
        Some(named) => index.resolve(phone, named, &[DocKind::Household]).map(|(_, id)| Some(HouseholdId::from(id))),
        None => Ok(None),
    };
    let guardian_of = |fields: &Fields| match &fields.guardian {
        Some(named) => index.resolve(phone, named, &[DocKind::Resident]).map(|(_, id)| Some(ResidentId::from(id))),
        None => Ok(None),
    };
    let (id, household) = match command {
        Command::Add { name, grid, mut fields } => {
            let grid = grid.map(|named| index.grid_named(&named)).transpose()?;
            let household = household_of(&fields)?;
            let guardian = guardian_of(&fields)?;
            let tags = put_on(std::mem::take(&mut fields.tags), true);
            (phone.engine.add_resident(grid, fields.details(Some(name), household, guardian), tags)?, household)
        }
        Command::Change { resident, name, mut fields } => {
            let (_, id) = index.resolve(phone, &resident, &[DocKind::Resident])?;
            let household = household_of(&fields)?;
            let guardian = guardian_of(&fields)?;
            let tags = put_on(std::mem::take(&mut fields.tags), true);
            let details = fields.details(name, household, guardian);
            if details == ResidentDetails::default() && tags.is_empty() {
                return Err(PhoneError::NothingToChange);
            }
            phone.engine.change_resident(id.into(), details, tags)?;
            (ResidentId::from(id), household)
        }
    };
    if let Some(household) = household {
        phone.engine.set_member(household, id, true)?;
    }
    Ok(page.show(&Recorded::new(phone, "resident", id, id))?)
}
