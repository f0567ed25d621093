//! Places: estates, buildings, alleys, yards.

use crate::model::{Personal, PlaceId, Point, coded};

coded! {
    /// What a place is.
    PlaceKind {
        /// 小区, with its property company, developer and owners' committee, each or none.
        Estate = "estate",
        /// 楼栋
        Building = "building",
        /// 街巷
        Alley = "alley",
        /// 院落
        Yard = "yard",
    }
}

/// The descriptive fields of a place; in a change of a place, `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PlaceDetails {
    /// What it is.
    #[n(0)]
    pub kind: Option<PlaceKind>,
    /// `3栋`, `幸福巷`.
    #[n(1)]
    pub name: Option<String>,
    /// Street and number.
    #[n(2)]
    pub address: Option<String>,
    /// The community 社区 that it belongs to.
    #[n(3)]
    pub community: Option<String>,
    /// The estate that it stands in.
    #[n(4)]
    pub parent: Option<PlaceId>,
    /// Where it is.
    #[n(5)]
    pub point: Option<Point>,
    /// How to get in: codes, keys, dogs.
    #[n(6)]
    pub access: Option<Personal<String>>,
    /// The property company 物业.
    #[n(7)]
    pub property_company: Option<String>,
    /// The developer.
    #[n(8)]
    pub developer: Option<String>,
    /// The owners' committee 业委会.
    #[n(9)]
    pub owners_committee: Option<String>,
}
