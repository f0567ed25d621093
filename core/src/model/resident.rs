//! Residents: the card of one person.

use crate::model::{Day, HouseholdId, IdNumber, Personal, Phone};

/// The descriptive fields of a resident; in a change of a resident, `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct ResidentDetails {
    /// The name.
    #[n(0)]
    pub name: Option<Personal<String>>,
    /// Where the person lives.
    #[n(1)]
    pub household: Option<HouseholdId>,
    /// A telephone number.
    #[n(2)]
    pub phone: Option<Personal<Phone>>,
    /// The identity number.
    #[n(3)]
    pub id_number: Option<Personal<IdNumber>>,
    /// The day of birth.
    #[n(4)]
    pub born: Option<Personal<Day>>,
    /// What one should know.
    #[n(5)]
    pub remark: Option<Personal<String>>,
}
