//! Households: a door and the people behind it.

use crate::model::{Personal, Phone, PlaceId};

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
}
