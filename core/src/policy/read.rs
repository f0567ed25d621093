//! The read half: a table of what each role sees of each field, and what follows for its feed.

use crate::docs::layout::fields;
use crate::docs::{DocKind, Keyring};
use crate::model::Role;

/// How a field is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Not at all.
    Absent,
    /// Its last four characters.
    Masked,
    /// As it is.
    Clear,
}

/// Which fields a row speaks of.
#[derive(Debug)]
pub enum Of {
    /// All that this version knows, and those of later versions.
    All,
    /// All that are not personal.
    Open,
    /// These, by the names of [`crate::docs::layout::fields`].
    These(&'static [&'static str]),
}

/// A row: these roles see these fields of these kinds so. Of several rows for one field the one that shows most counts.
#[derive(Debug)]
pub struct ReadRule {
    /// Who.
    pub roles: &'static [Role],
    /// Of which kinds.
    pub kinds: &'static [DocKind],
    /// Which fields.
    pub of: Of,
    /// How.
    pub access: Access,
}

use DocKind::{Case, Household, Organisation, Party, Place, Resident};
use Role::{
    ApprovalClerk, AssociationMember, Auxiliary, CentreStaff, Crew, Deputy, DistrictManager, EnforcementOfficer, GridWorker, RepairManager,
    Volunteer,
};

const EVERYTHING: &[DocKind] = &[Place, Household, Resident, Organisation, Party, Case];

/// The table of reads. What stands in no row is absent: finance, interviewers and administrators see no documents.
///
/// Who helps in a case sees the place and the task, never who reported it; who is reported never learns it either, so neither does the officer
/// who calls on them.
pub static READS: &[ReadRule] = &[
    ReadRule { roles: &[GridWorker, Deputy, CentreStaff], kinds: EVERYTHING, of: Of::All, access: Access::Clear },
    ReadRule { roles: &[Auxiliary], kinds: &[Place, Organisation, Party, Case], of: Of::All, access: Access::Clear },
    ReadRule { roles: &[EnforcementOfficer], kinds: &[Place, Organisation], of: Of::All, access: Access::Clear },
    ReadRule { roles: &[ApprovalClerk], kinds: &[Place, Party, Case], of: Of::All, access: Access::Clear },
    ReadRule { roles: &[RepairManager], kinds: &[Place, Case], of: Of::All, access: Access::Clear },
    ReadRule { roles: &[RepairManager], kinds: &[Household], of: Of::These(&["contact", "phone"]), access: Access::Clear },
    ReadRule { roles: &[Auxiliary, RepairManager], kinds: &[Household], of: Of::Open, access: Access::Clear },
    ReadRule { roles: &[Crew, AssociationMember, Volunteer], kinds: &[Place], of: Of::All, access: Access::Clear },
    ReadRule {
        roles: &[EnforcementOfficer, Crew, AssociationMember, Volunteer, DistrictManager],
        kinds: &[Case],
        of: Of::Open,
        access: Access::Clear,
    },
    ReadRule {
        roles: &[EnforcementOfficer, Crew, AssociationMember, Volunteer, DistrictManager],
        kinds: &[Case],
        of: Of::These(&["description", "events.text"]),
        access: Access::Clear,
    },
    ReadRule { roles: &[DistrictManager], kinds: EVERYTHING, of: Of::Open, access: Access::Clear },
    ReadRule { roles: &[DistrictManager], kinds: &[Household, Organisation], of: Of::These(&["contact", "phone"]), access: Access::Masked },
    ReadRule {
        roles: &[DistrictManager, ApprovalClerk],
        kinds: &[Resident],
        of: Of::These(&["name", "phone", "id_number"]),
        access: Access::Masked,
    },
];

/// How a role sees a field.
pub fn access(role: &Role, kind: DocKind, field: &str) -> Access {
    let is_personal = fields(kind).iter().find(|known| known.name == field).is_none_or(|known| known.is_personal);
    let shown: Vec<Access> = READS
        .iter()
        .filter(|rule| rule.roles.contains(role) && rule.kinds.contains(&kind))
        .filter(|rule| match rule.of {
            Of::All => true,
            Of::Open => !is_personal,
            Of::These(names) => names.contains(&field),
        })
        .map(|rule| rule.access)
        .collect();
    match shown.as_slice() {
        rows if rows.contains(&Access::Clear) => Access::Clear,
        [] => Access::Absent,
        _ => Access::Masked,
    }
}

/// Whether documents of a kind are sent to somebody of this role: those of which all that is not personal is clear to the role. What is personal
/// is sealed field by field, and its keys go along as far as [`opened`] says.
pub fn receives(role: &Role, kind: DocKind) -> bool {
    fields(kind).iter().filter(|field| !field.is_personal).all(|field| access(role, kind, field.name) == Access::Clear)
}

/// The keys of a record that somebody of this role is given.
pub fn opened(role: &Role, kind: DocKind, keys: &Keyring) -> Keyring {
    keys.only(kind, |field| access(role, kind, field) == Access::Clear)
}
