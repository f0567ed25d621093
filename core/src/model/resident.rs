//! Residents: the card of one person.

use crate::model::{Day, HouseholdId, IdNumber, Personal, Phone, ResidentId};

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
    /// Who answers for the person: a parent, another guardian.
    #[n(6)]
    pub guardian: Option<ResidentId>,
}

impl ResidentDetails {
    /// Until this age nobody is recorded without a guardian, in years (个人信息保护法, article 31).
    pub const GUARDED_YEARS: i32 = 14;

    /// Whether somebody born on this day needs a guardian on another.
    pub fn is_guarded(born: Day, today: Day) -> bool {
        today < born.plus_years(Self::GUARDED_YEARS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_guarded_until_the_fourteenth_birthday() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert!(ResidentDetails::is_guarded(day("2012-11-25"), day("2026-11-24")));
        assert!(!ResidentDetails::is_guarded(day("2012-11-24"), day("2026-11-24")));
        // Who was born on a leap day is fourteen on the last of February.
        assert!(ResidentDetails::is_guarded(day("2012-02-29"), day("2026-02-27")));
        assert!(!ResidentDetails::is_guarded(day("2012-02-29"), day("2026-02-28")));
    }
}
