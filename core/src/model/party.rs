//! Parties: who reports or is contacted in a case and is no registered resident.

use crate::model::{IdNumber, Personal, Phone};

/// The descriptive fields of a party; in a change of a party, `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PartyDetails {
    /// The name that was given.
    #[n(0)]
    pub name: Option<Personal<String>>,
    /// A telephone number.
    #[n(1)]
    pub phone: Option<Personal<Phone>>,
    /// The identity number.
    #[n(2)]
    pub id_number: Option<Personal<IdNumber>>,
    /// Where to write to.
    #[n(3)]
    pub address: Option<Personal<String>>,
}
