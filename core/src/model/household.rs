//! Households: a door and the people behind it.

use crate::model::{Millis, PersonId, Personal, Phone, PlaceId};

/// The descriptive fields of a household; in a change of a household, `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct HouseholdDetails {
    /// The building, alley or yard.
    #[n(0)]
    pub place: Option<PlaceId>,
    /// The door: `2单元301`, `17号附1`.
    #[n(1)]
    pub door: Option<String>,
    /// Under whose name the door is known.
    #[n(2)]
    pub contact: Option<Personal<String>>,
    /// A number under which somebody answers.
    #[n(3)]
    pub phone: Option<Personal<Phone>>,
    /// What one should know before knocking.
    #[n(4)]
    pub remark: Option<Personal<String>>,
    /// The notice that the people here were last given.
    #[n(5)]
    pub notice: Option<Notice>,
}

/// That people were told what is recorded of them and what for (告知, 个人信息保护法, article 17).
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Notice {
    /// Which text they were given: `2026-01`.
    #[n(0)]
    pub version: String,
    /// What the record is for.
    #[n(1)]
    pub purpose: String,
    /// When.
    #[n(2)]
    pub at: Millis,
    /// By whom.
    #[n(3)]
    pub by: PersonId,
}
