//! The directory: the staff, grids and centres of a street. It has one writer, the server, which replaces it whole.

use crate::model::{CentreId, DeviceTag, GridId, PersonId, Role, StreetId};

/// The directory record of a street. It travels in the feed to every scope of the street.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Directory {
    /// The version of this record's shape.
    #[n(0)]
    pub schema: u32,
    /// Counts the replacements; a phone keeps the greatest.
    #[n(1)]
    pub version: u64,
    /// The street.
    #[n(2)]
    pub street: StreetId,
    /// Its name: `窑湾街道`.
    #[n(3)]
    pub name: String,
    /// The centres of the street.
    #[n(4)]
    pub centres: Vec<Centre>,
    /// The grids of the street.
    #[n(5)]
    pub grids: Vec<Grid>,
    /// Everybody who works for the street.
    #[n(6)]
    pub staff: Vec<Staff>,
}

impl Directory {
    /// The shape that this version writes.
    pub const SCHEMA: u32 = 1;

    /// Who writes from a device.
    pub fn person_of(&self, device: DeviceTag) -> Option<&Staff> {
        self.staff.iter().find(|staff| staff.devices.contains(&device))
    }

    /// A member of staff.
    pub fn person(&self, id: PersonId) -> Option<&Staff> {
        self.staff.iter().find(|staff| staff.id == id)
    }

    /// A grid.
    pub fn grid(&self, id: GridId) -> Option<&Grid> {
        self.grids.iter().find(|grid| grid.id == id)
    }
}

/// A centre of the street.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Centre {
    /// The centre.
    #[n(0)]
    pub id: CentreId,
    /// `综合协调中心`.
    #[n(1)]
    pub name: String,
}

/// A grid: what one worker answers for.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Grid {
    /// The grid.
    #[n(0)]
    pub id: GridId,
    /// `第17网格`.
    #[n(1)]
    pub name: String,
    /// The community that it belongs to.
    #[n(2)]
    pub community: String,
}

/// A member of staff, and the devices that write in the person's name.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Staff {
    /// The person.
    #[n(0)]
    pub id: PersonId,
    /// The name, as colleagues see it.
    #[n(1)]
    pub name: String,
    /// What the person is.
    #[n(2)]
    pub role: Role,
    /// The grids that the person answers for.
    #[n(3)]
    pub grids: Vec<GridId>,
    /// The tags of the person's devices, so that a change can be attributed offline.
    #[n(4)]
    pub devices: Vec<DeviceTag>,
}
