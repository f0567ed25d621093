//! Building the street: through the same functions of the hub that an administrator's import uses.

use doorstep_core::docs::layout::Container;
use doorstep_core::docs::{DocKind, Scalar, Slot, Write, household_writes, organisation_writes, place_writes};
use doorstep_core::model::{
    Clock, Entropy, GridId, HouseholdDetails, HouseholdId, OrganisationDetails, OrganisationId, PersonId, Personal, PlaceDetails, PlaceId,
    PlaceKind, Role, StreetId,
};

use crate::demo::people::Dice;
use crate::hub::{Hub, HubError, NewDocument, NewPerson};
use crate::system::{SystemClock, SystemEntropy};

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Grids, each with a worker.
    pub grids: usize,
    /// Buildings in each grid.
    pub buildings: usize,
    /// Households in each building.
    pub doors: usize,
    /// Organisations in each grid.
    pub organisations: usize,
}

impl Size {
    /// A street like Yaowan: 40 grids, 16,000 households, 600 organisations.
    pub const FULL: Self = Self { grids: 40, buildings: 10, doors: 40, organisations: 15 };
    /// Enough to check that it all works, within seconds.
    pub const SMALL: Self = Self { grids: 3, buildings: 2, doors: 10, organisations: 2 };

    /// Grids, workers and a centre, and nothing recorded: for whoever builds an app.
    pub const EMPTY: Self = Self { grids: 20, buildings: 0, doors: 0, organisations: 0 };

    /// How many households there are.
    pub const fn households(&self) -> usize {
        self.grids * self.buildings * self.doors
    }
}

/// The street that was built.
#[derive(Debug, Clone)]
pub struct DemoStreet {
    /// The street.
    pub id: StreetId,
    /// Its grids in order.
    pub grids: Vec<GridId>,
    /// The worker of each grid, with the name.
    pub workers: Vec<(PersonId, String)>,
    /// Somebody of the centre.
    pub centre: PersonId,
    /// How many documents were written.
    pub documents: usize,
}

const COMMUNITIES: [&str; 8] = ["窑湾社区", "幸福社区", "桥头社区", "望江社区", "花园社区", "新民社区", "长春社区", "古渡社区"];

/// Builds the street. `progress` is told how many documents of how many are written.
///
/// # Errors
/// When the hub fails.
pub fn build(hub: &Hub, size: Size, progress: &mut dyn FnMut(usize, usize)) -> Result<DemoStreet, HubError> {
    let street = hub.add_street("窑湾街道", &["综合协调中心", "网格服务中心", "快速处置中心"])?.id;
    let names: Vec<(String, String)> = (0..size.grids)
        .map(|index| (format!("第{}网格", index + 1), COMMUNITIES.get(index % COMMUNITIES.len()).copied().unwrap_or_default().to_owned()))
        .collect();
    let grids = hub.add_grids(street, &names)?;
    let mut dice = Dice::of(17);
    let mut workers = Vec::new();
    for grid in &grids {
        let name = dice.name();
        let person = NewPerson { name: name.clone(), role: Role::GridWorker, grids: vec![*grid] };
        workers.push((hub.add_person(street, &person)?, name));
    }
    let centre = hub.add_person(street, &NewPerson { name: dice.name(), role: Role::CentreStaff, grids: Vec::new() })?;
    let mut documents = Vec::new();
    for (number, (grid, (_, community))) in grids.iter().zip(&names).enumerate() {
        fill_grid(&mut documents, size, *grid, number, community);
    }
    let total = documents.len();
    hub.create_documents(street, &documents, &mut |done| progress(done, total))?;
    Ok(DemoStreet { id: street, grids, workers, centre, documents: total })
}

fn fill_grid(documents: &mut Vec<NewDocument>, size: Size, grid: GridId, number: usize, community: &str) {
    let now = SystemClock.now();
    let mut dice = Dice::of(1_000 + number as u64);
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    for building in 0..size.buildings {
        let place = PlaceId::make(now, entropy);
        let details = PlaceDetails {
            kind: Some(PlaceKind::Building),
            name: Some(format!("{}栋", building + 1)),
            address: Some(format!("窑湾路{}号", 10 + number * 2)),
            community: Some(community.to_owned()),
            ..PlaceDetails::default()
        };
        documents.push(document(place, DocKind::Place, grid, place_writes(&details), &[]));
        for door in 0..size.doors {
            let details = HouseholdDetails {
                place: Some(place),
                door: Some(format!("{}单元{}{:02}", door / 20 + 1, door % 20 / 2 + 1, door % 2 + 1)),
                contact: Some(Personal::new(dice.name())),
                phone: dice.phone(),
                remark: None,
                notice: None,
            };
            let tags: &[&str] = match dice.throw(20) {
                0 => &["独居", "高龄"],
                1 => &["低保"],
                2 => &["出租"],
                _ => &[],
            };
            let id = HouseholdId::make(now, entropy);
            documents.push(document(id, DocKind::Household, grid, household_writes(&details), tags));
        }
    }
    for _ in 0..size.organisations {
        let (name, trade) = dice.shop();
        let details = OrganisationDetails {
            name: Some(name),
            trade: Some(trade),
            contact: Some(Personal::new(dice.name())),
            phone: dice.phone(),
            address: Some(format!("窑湾路{}号", 10 + number * 2)),
            ..OrganisationDetails::default()
        };
        documents.push(document(OrganisationId::make(now, entropy), DocKind::Organisation, grid, organisation_writes(&details), &[]));
    }
}

fn document(id: impl Into<doorstep_core::model::DocId>, kind: DocKind, grid: GridId, mut writes: Vec<Write>, tags: &[&str]) -> NewDocument {
    writes.push(Write::set("grid", grid.as_bytes()));
    writes.extend(tags.iter().map(|tag| Write::Set(Slot::In(Container::Tags, (*tag).to_owned()), Scalar::Bool(true))));
    NewDocument { id: id.into(), kind, writes }
}
