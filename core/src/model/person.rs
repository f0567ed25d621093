//! What is known of people: roles of staff, telephone and identity numbers.

use crate::model::{Invalid, coded};

coded! {
    /// What a person is, in one grant or as a member of staff. What each may do and see stands in [`crate::policy`].
    Role {
        /// 网格员: answers for a grid.
        GridWorker = "grid-worker",
        /// 代班: stands in for a grid worker.
        Deputy = "deputy",
        /// 协管员: looks after the streets of a grid; reports, and imposes nothing.
        Auxiliary = "auxiliary",
        /// 执法队员: acts on what was reported.
        EnforcementOfficer = "enforcement-officer",
        /// 中心: works in a centre and reads the whole street.
        CentreStaff = "centre-staff",
        /// 审批窗口: decides applications.
        ApprovalClerk = "approval-clerk",
        /// 维修负责人: plans emergency repairs.
        RepairManager = "repair-manager",
        /// 施工队: carries repairs out.
        Crew = "crew",
        /// 财务: settles money.
        Finance = "finance",
        /// 访问员: asks the questions of a survey.
        Interviewer = "interviewer",
        /// 社会组织: a community organisation that helps in a case.
        AssociationMember = "association-member",
        /// 志愿者: helps in a case.
        Volunteer = "volunteer",
        /// 区级: watches over the streets of a district.
        DistrictManager = "district-manager",
        /// 系统管理员: one of the three administrators; sees nothing of residents.
        SystemAdministrator = "system-administrator",
        /// 安全管理员: gives rights.
        SecurityAdministrator = "security-administrator",
        /// 审计员: reads who did what.
        Auditor = "auditor",
    }
}

impl Role {
    /// Whether somebody of this role is accountable for a grid, for as long as the grant lasts.
    pub const fn answers_for_a_grid(&self) -> bool {
        matches!(self, Self::GridWorker | Self::Deputy)
    }
}

/// A telephone number: digits, with `+`, spaces and dashes taken out.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Phone(#[n(0)] String);

impl Phone {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Phone {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '+')).collect();
        if !(5..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Invalid::new("phone", "is not a number of 5 to 15 digits"));
        }
        Ok(Self(digits))
    }
}

/// A resident identity number (GB 11643-1999): 17 digits and a check character.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct IdNumber(#[n(0)] String);

impl IdNumber {
    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for IdNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        /// ISO 7064, MOD 11-2: weights of the first 17 digits, and the check character by the remainder.
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        const CHECK: [u8; 11] = *b"10X98765432";

        let text = text.trim().to_ascii_uppercase();
        let wrong = || Invalid::new("id_number", "is not an identity number of 18 characters with a right check character");
        let (digits, check) = match text.as_bytes() {
            [digits @ .., check] if digits.len() == WEIGHTS.len() => (digits, *check),
            _ => return Err(wrong()),
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(wrong());
        }
        let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        if CHECK.get((sum % 11) as usize) != Some(&check) {
            return Err(wrong());
        }
        Ok(Self(text))
    }
}

macro_rules! hidden {
    ($($name:ident),+) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+ };
}

hidden!(Phone, IdNumber);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_number_with_a_wrong_check_character_is_none() {
        assert!("11010519491231002X".parse::<IdNumber>().is_ok()); // the example of the standard
        assert!("110105194912310021".parse::<IdNumber>().is_err());
        assert!("".parse::<IdNumber>().is_err());
    }

    #[test]
    fn a_telephone_number_is_its_digits() {
        assert_eq!("+86 138-0000-0000".parse::<Phone>().unwrap().as_str(), "8613800000000");
        assert!("一三八".parse::<Phone>().is_err());
    }
}
