//! `phone place`: adding, changing and removing places.

use doorstep_core::docs::DocKind;
use doorstep_core::field::TagChange;
use doorstep_core::model::{Personal, PlaceDetails, PlaceId, PlaceKind, Tag};

use super::index::Index;
use super::mark::Recorded;
use super::note::put_on;
use super::page::Page;
use super::value::{PointArg, one_of};
use super::{Phone, PhoneError};

/// What can be done to places.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a place
    Add {
        /// What it is
        #[arg(long, value_parser = one_of!(PlaceKind))]
        kind: PlaceKind,
        /// Its name: 3栋, 幸福巷
        #[arg(long)]
        name: String,
        /// Its grid, if you have several: its name, a part of it, or its number
        #[arg(long, value_name = "GRID")]
        grid: Option<String>,
        /// Its fields.
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a place; what is not named stays, an empty text takes a field away
    Change {
        /// The place: an id or words that find it
        place: String,
        /// What it is
        #[arg(long, value_parser = one_of!(PlaceKind))]
        kind: Option<PlaceKind>,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// Its fields.
        #[command(flatten)]
        fields: Fields,
    },
    /// Remove a place that is not there any more
    Remove {
        /// The place: an id or words that find it
        place: String,
    },
}

/// The fields of a place that may be left out.
#[derive(Debug, Default, clap::Args)]
pub struct Fields {
    /// Street and number
    #[arg(long)]
    pub address: Option<String>,
    /// The community 社区
    #[arg(long)]
    pub community: Option<String>,
    /// The estate that it stands in: an id or words that find it
    #[arg(long, value_name = "PLACE")]
    pub parent: Option<String>,
    /// Where it is, in WGS-84: 31.2304,121.4737
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    pub point: Option<PointArg>,
    /// How to get in
    #[arg(long, value_name = "TEXT")]
    pub access: Option<String>,
    /// The property company 物业
    #[arg(long, value_name = "NAME")]
    pub property_company: Option<String>,
    /// The developer
    #[arg(long, value_name = "NAME")]
    pub developer: Option<String>,
    /// The owners' committee 业委会
    #[arg(long, value_name = "NAME")]
    pub owners_committee: Option<String>,
    /// A tag to put on; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<Tag>,
}

impl Fields {
    fn details(
        self,
        phone: &Phone,
        index: &Index,
        kind: Option<PlaceKind>,
        name: Option<String>,
    ) -> Result<(PlaceDetails, Vec<TagChange>), PhoneError> {
        let parent = self.parent.map(|named| index.resolve(phone, &named, &[DocKind::Place])).transpose()?;
        let details = PlaceDetails {
            kind,
            name,
            address: self.address,
            community: self.community,
            parent: parent.map(|(_, id)| id.into()),
            point: self.point.map(|point| point.0),
            access: self.access.map(Personal::new),
            property_company: self.property_company,
            developer: self.developer,
            owners_committee: self.owners_committee,
        };
        Ok((details, put_on(self.tags, true)))
    }
}

pub(super) fn perform(phone: &Phone, command: Command, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let find = |named: &str| index.resolve(phone, named, &[DocKind::Place]).map(|(_, id)| PlaceId::from(id));
    let id = match command {
        Command::Add { kind, name, grid, fields } => {
            let grid = grid.map(|named| index.grid_named(&named)).transpose()?;
            let (details, tags) = fields.details(phone, &index, Some(kind), Some(name))?;
            phone.engine.add_place(grid, details, tags)?
        }
        Command::Change { place, kind, name, fields } => {
            let id = find(&place)?;
            let (details, tags) = fields.details(phone, &index, kind, name)?;
            if details == PlaceDetails::default() && tags.is_empty() {
                return Err(PhoneError::NothingToChange);
            }
            phone.engine.change_place(id, details, tags)?;
            id
        }
        Command::Remove { place } => {
            let id = find(&place)?;
            phone.engine.remove_place(id)?;
            id
        }
    };
    Ok(page.show(&Recorded::new(phone, "place", id, id))?)
}
