//! Organisations: the enterprises, shops, schools and institutions of a grid.

use crate::model::{Personal, Phone, PlaceId};

/// The descriptive fields of an organisation; in a change of an organisation, `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct OrganisationDetails {
    /// The registered name or the sign over the door.
    #[n(0)]
    pub name: Option<String>,
    /// The unified social credit code 统一社会信用代码.
    #[n(1)]
    pub credit_code: Option<String>,
    /// Whom to ask for.
    #[n(2)]
    pub contact: Option<Personal<String>>,
    /// A telephone number.
    #[n(3)]
    pub phone: Option<Personal<Phone>>,
    /// What it does: `restaurant`, `餐饮`.
    #[n(4)]
    pub trade: Option<String>,
    /// Where it is.
    #[n(5)]
    pub place: Option<PlaceId>,
    /// Street and number.
    #[n(6)]
    pub address: Option<String>,
}
