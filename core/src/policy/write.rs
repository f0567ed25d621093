//! The write half: a table, and its one reader.

use super::target::{What, field_of};
use super::{Denied, Principal, Subject};
use crate::docs::layout::{Container, Path};
use crate::docs::wellformed::{Action, Operation};
use crate::docs::{AUTHOR_FIELD, DocKind, Scalar};
use crate::model::{EventKind, PersonId, Right, Role, Scope, VisitId};

/// On what condition a row of the table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// When the case was captured, or the visit made, by who writes.
    Own,
}

/// A row: these roles may write this to these kinds of documents.
#[derive(Debug)]
pub struct WriteRule {
    /// Who.
    pub roles: &'static [Role],
    /// To which kinds.
    pub kinds: &'static [DocKind],
    /// What.
    pub what: &'static [What],
    /// On what condition.
    pub when: When,
}

use DocKind::{Case, Household, Organisation, Party, Place, Resident};
use Role::{
    ApprovalClerk, AssociationMember, Auxiliary, CentreStaff, Crew, Deputy, DistrictManager, EnforcementOfficer, GridWorker, RepairManager,
    Volunteer,
};
use What::{Amend, Attach, Begin, Describe, Event, Member, Move, Note, Remove, Tag, Visit};

const ANSWERING: &[Role] = &[GridWorker, Deputy, CentreStaff];
const RECORDS: &[DocKind] = &[Place, Household, Resident, Organisation, Party];
const PLACES_AND_SHOPS: &[DocKind] = &[Place, Organisation];

/// The table of writes. Finance, interviewers and administrators stand in no row: they write no documents.
pub static WRITES: &[WriteRule] = &[
    WriteRule {
        roles: ANSWERING,
        kinds: RECORDS,
        what: &[Begin, Describe, Move, Remove, Tag, Member, Visit, Note, Attach],
        when: When::Always,
    },
    WriteRule { roles: ANSWERING, kinds: RECORDS, what: &[Amend], when: When::Own },
    WriteRule {
        roles: ANSWERING,
        kinds: &[Case],
        what: &[Begin, Describe, Move, Attach, Event(EventKind::Captured), Event(EventKind::Noted), Event(EventKind::Returned)],
        when: When::Always,
    },
    // Settled on the spot, by who captured it; everything else is the centre's to end.
    WriteRule { roles: &[GridWorker, Deputy], kinds: &[Case], what: &[Event(EventKind::Closed)], when: When::Own },
    WriteRule {
        roles: &[CentreStaff],
        kinds: &[Case],
        what: &[Event(EventKind::Registered), Event(EventKind::Closed)],
        when: When::Always,
    },
    WriteRule {
        roles: &[Auxiliary],
        kinds: &[Case],
        what: &[Begin, Attach, Event(EventKind::Captured), Event(EventKind::Noted)],
        when: When::Always,
    },
    WriteRule { roles: &[Auxiliary], kinds: &[Case], what: &[Describe], when: When::Own },
    WriteRule { roles: &[Auxiliary, ApprovalClerk], kinds: &[Party], what: &[Begin, Describe, Note], when: When::Always },
    WriteRule { roles: &[Auxiliary], kinds: &[Place], what: &[Tag], when: When::Always },
    WriteRule { roles: &[Auxiliary, EnforcementOfficer], kinds: PLACES_AND_SHOPS, what: &[Visit, Note, Attach], when: When::Always },
    WriteRule { roles: &[Auxiliary, EnforcementOfficer], kinds: PLACES_AND_SHOPS, what: &[Amend], when: When::Own },
    WriteRule { roles: &[RepairManager], kinds: &[Place], what: &[Note, Attach], when: When::Always },
    WriteRule {
        roles: &[EnforcementOfficer, ApprovalClerk, RepairManager, Crew, AssociationMember, Volunteer],
        kinds: &[Case],
        what: &[Attach, Event(EventKind::Noted)],
        when: When::Always,
    },
    WriteRule { roles: &[DistrictManager], kinds: &[Case], what: &[Event(EventKind::Noted)], when: When::Always },
];

/// What a case is and what it claims is said once: a claim that came later would not be seen by the ledger's uniqueness.
const FIXED_AFTER_OPENING: [&str; 2] = ["case_kind", "claim"];
/// The field of an amendment that says which visit it amends.
const VISIT_FIELD: &str = "visit";

/// Whether somebody with these rights may adopt late work on a document that is in `scopes`: whoever answers for one of them, or the centre. What
/// they adopt is judged as if its author had their rights.
pub fn may_adopt(rights: &[Right], scopes: &[Scope]) -> bool {
    let answers = |role: &Role| role.answers_for_a_grid() || *role == CentreStaff;
    rights.iter().any(|right| scopes.contains(&right.scope) && answers(&right.role))
}

/// Whether `principal` may do the `operations` of one change to a document.
///
/// # Errors
/// What is denied first.
pub fn may_write(principal: &Principal, subject: Subject<'_>, operations: &[Operation]) -> Result<(), Denied> {
    let judged_by = if subject.is_new() { subject.after } else { subject.before };
    let roles: Vec<&Role> = principal.rights.iter().filter(|right| judged_by.contains(&right.scope)).map(|right| &right.role).collect();
    if roles.is_empty() {
        return Err(Denied::NotInScope);
    }
    for operation in operations {
        keeps_what_is_fixed(subject, operation)?;
        is_signed_by_its_author(principal.person, operation, operations)?;
        is_allowed(principal.person, &roles, subject, operation, operations)?;
    }
    Ok(())
}

/// Whether a row of the table allows an operation to one of the roles.
fn is_allowed(person: PersonId, roles: &[&Role], subject: Subject<'_>, operation: &Operation, change: &[Operation]) -> Result<(), Denied> {
    let path = || operation.path.clone();
    let what = match What::of(operation, change) {
        Some(Event(EventKind::DuplicateOf)) => return Err(Denied::Ruling { path: path() }),
        None | Some(Event(EventKind::Unknown(_))) => return Err(Denied::UnknownEvent { path: path() }),
        // A case is captured with its opening, by who opens it: that makes it the person's own.
        Some(Event(EventKind::Captured)) if !subject.is_new() => return Err(Denied::Fixed { path: path() }),
        Some(Describe | Move) if subject.is_new() => Begin,
        Some(what) => what,
    };
    let kind = subject.document.kind();
    let rows = || WRITES.iter().filter(|rule| rule.allows(roles, kind, &what));
    if rows().any(|rule| rule.when == When::Always) {
        return Ok(());
    }
    match rows().next() {
        Some(_) if is_own(person, subject, operation, change) => Ok(()),
        Some(_) => Err(Denied::NotOwn { path: path() }),
        None => Err(Denied::NotForRole { path: path() }),
    }
}

impl WriteRule {
    fn allows(&self, roles: &[&Role], kind: DocKind, what: &What) -> bool {
        self.kinds.contains(&kind) && self.what.contains(what) && roles.iter().any(|role| self.roles.contains(role))
    }
}

/// Whether what is written to is the person's own: the visit that is amended, else the case.
fn is_own(person: PersonId, subject: Subject<'_>, operation: &Operation, change: &[Operation]) -> bool {
    match &operation.path {
        Path::Entry(Container::Amendments, key) | Path::Field(Container::Amendments, key, _) => {
            let visit = match field_of(change, Container::Amendments, key, VISIT_FIELD) {
                Some(Scalar::Bytes(id)) => VisitId::try_from(id.as_slice()).ok(),
                _ => None,
            };
            visit.is_some_and(|visit| subject.document.author_of(Container::Visits, &visit.to_string()) == Some(person))
        }
        _ => subject.is_new() || subject.document.captured_by(person),
    }
}

/// An entry says who made it, and that is who signs.
fn is_signed_by_its_author(person: PersonId, operation: &Operation, change: &[Operation]) -> Result<(), Denied> {
    let (Path::Entry(container, key), Action::CreateEntry) = (&operation.path, &operation.action) else { return Ok(()) };
    if field_of(change, *container, key, AUTHOR_FIELD) == Some(&Scalar::from(person.as_bytes())) {
        return Ok(());
    }
    Err(Denied::AnothersName { path: Path::Field(*container, key.clone(), AUTHOR_FIELD.to_owned()) })
}

fn keeps_what_is_fixed(subject: Subject<'_>, operation: &Operation) -> Result<(), Denied> {
    match &operation.path {
        Path::Root(key) if !subject.is_new() && FIXED_AFTER_OPENING.contains(&key.as_str()) => {
            Err(Denied::Fixed { path: operation.path.clone() })
        }
        _ => Ok(()),
    }
}
