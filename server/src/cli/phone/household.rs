//! `phone household`: adding, changing and removing households, and who lives there.

use doorstep_core::docs::DocKind;
use doorstep_core::field::TagChange;
use doorstep_core::model::{HouseholdDetails, HouseholdId, Personal, Phone as Number, ResidentId, Tag};

use super::index::Index;
use super::mark::Recorded;
use super::note::put_on;
use super::page::Page;
use super::value::personal;
use super::{Phone, PhoneError};

/// What can be done to households.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a household
    Add {
        /// Its door: 2单元301
        #[arg(long)]
        door: String,
        /// Its grid, if you have several: its name, a part of it, or its number
        #[arg(long, value_name = "GRID")]
        grid: Option<String>,
        /// Its fields.
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a household; what is not named stays, an empty text takes a field away
    Change {
        /// The household: an id, or a door or words that find it
        household: String,
        /// Its door
        #[arg(long)]
        door: Option<String>,
        /// Its fields.
        #[command(flatten)]
        fields: Fields,
    },
    /// Remove a household that is not there any more
    Remove {
        /// The household: an id, or a door or words that find it
        household: String,
    },
    /// Note that a resident lives here
    MoveIn {
        /// The household: an id, or a door or words that find it
        household: String,
        /// The resident: an id, or a name or words that find it
        resident: String,
    },
    /// Note that a resident lives here no longer
    MoveOut {
        /// The household: an id, or a door or words that find it
        household: String,
        /// The resident: an id, or a name or words that find it
        resident: String,
    },
    /// Note that the people there were told what is recorded of them and what for
    Notice {
        /// The household: an id, or a door or words that find it
        household: String,
        /// Which text they were given, such as 2026-01
        #[arg(long)]
        version: String,
        /// What the record is for
        #[arg(long)]
        purpose: String,
    },
    /// Move a household to another of your grids
    ToGrid {
        /// The household: an id, or a door or words that find it
        household: String,
        /// The grid: its name, a part of it, or its number
        grid: String,
    },
}

/// The fields of a household that may be left out.
#[derive(Debug, Default, clap::Args)]
pub struct Fields {
    /// The building, alley or yard: an id or words that find it
    #[arg(long, value_name = "PLACE")]
    pub place: Option<String>,
    /// Under whose name the door is known
    #[arg(long, value_name = "NAME")]
    pub contact: Option<String>,
    /// A number under which somebody answers
    #[arg(long, value_name = "NUMBER", value_parser = personal::<Number>)]
    pub phone: Option<Personal<Number>>,
    /// What one should know before knocking
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
    /// A tag to put on; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<Tag>,
}

impl Fields {
    fn details(self, phone: &Phone, index: &Index, door: Option<String>) -> Result<(HouseholdDetails, Vec<TagChange>), PhoneError> {
        let place = self.place.map(|named| index.resolve(phone, &named, &[DocKind::Place])).transpose()?;
        let details = HouseholdDetails {
            place: place.map(|(_, id)| id.into()),
            door,
            contact: self.contact.map(Personal::new),
            phone: self.phone,
            remark: self.remark.map(Personal::new),
            notice: None,
        };
        Ok((details, put_on(self.tags, true)))
    }
}

pub(super) fn perform(phone: &Phone, command: Command, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let find = |named: &str| index.resolve(phone, named, &[DocKind::Household]).map(|(_, id)| HouseholdId::from(id));
    let find_resident = |named: &str| index.resolve(phone, named, &[DocKind::Resident]).map(|(_, id)| ResidentId::from(id));
    let id = match command {
        Command::Add { door, grid, fields } => {
            let grid = grid.map(|named| index.grid_named(&named)).transpose()?;
            let (details, tags) = fields.details(phone, &index, Some(door))?;
            phone.engine.add_household(grid, details, tags)?
        }
        Command::Change { household, door, fields } => {
            let id = find(&household)?;
            let (details, tags) = fields.details(phone, &index, door)?;
            if details == HouseholdDetails::default() && tags.is_empty() {
                return Err(PhoneError::NothingToChange);
            }
            phone.engine.change_household(id, details, tags)?;
            id
        }
        Command::Remove { household } => {
            let id = find(&household)?;
            phone.engine.remove_household(id)?;
            id
        }
        Command::MoveIn { household, resident } => {
            let id = find(&household)?;
            phone.engine.set_member(id, find_resident(&resident)?, true)?;
            id
        }
        Command::MoveOut { household, resident } => {
            let id = find(&household)?;
            phone.engine.set_member(id, find_resident(&resident)?, false)?;
            id
        }
        Command::Notice { household, version, purpose } => {
            let id = find(&household)?;
            phone.engine.give_notice(id, &version, &purpose)?;
            id
        }
        Command::ToGrid { household, grid } => {
            let id = find(&household)?;
            phone.engine.move_household(id, index.grid_named(&grid)?)?;
            id
        }
    };
    Ok(page.show(&Recorded::new(phone, "household", id, id))?)
}
