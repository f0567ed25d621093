//! Policy: who may read and write what. Pure functions over what is known at the moment of receipt, asked by phone and hub alike.
//!
//! Two rules stand so far: a document may be written by whoever has a right to a scope that it is in, and an entry is signed by whoever it
//! says. The table of roles, document kinds and paths comes with the trust issue; it takes the place of [`may_write`].

use crate::docs::layout::{Container, Path};
use crate::docs::wellformed::{Action, Operation};
use crate::docs::{AUTHOR_FIELD, Scalar};
use crate::model::{EventKind, PersonId, Scope};

/// Why somebody may not write something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// None of the person's grants covers the document.
    #[error("the document is in no scope of this person")]
    NotInScope,
    /// An entry that claims another author.
    #[error("{path} is not in the name of who signed it")]
    AnothersName {
        /// The field that says the author.
        path: Path,
    },
    /// A field that is set when a case is opened and never again.
    #[error("{path} is set when the document begins and never again")]
    Fixed {
        /// The field.
        path: Path,
    },
    /// An event that only the server writes.
    #[error("{path} is a ruling of the server")]
    Ruling {
        /// The field that says the kind.
        path: Path,
    },
}

impl Denied {
    /// The code on the wire, in the log and in the apps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotInScope => "policy.not_in_scope",
            Self::AnothersName { .. } => "policy.anothers_name",
            Self::Fixed { .. } => "policy.fixed",
            Self::Ruling { .. } => "policy.ruling",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The person.
    pub person: PersonId,
    /// The scopes that the person has a right to at this moment, by the server's clock.
    pub scopes: Vec<Scope>,
}

/// Whether `principal` may do `operations` to a document that is in `before` (empty for a new one) and will be in `after`.
///
/// # Errors
/// The first operation that is denied.
pub fn may_write(principal: &Principal, before: &[Scope], after: &[Scope], operations: &[Operation]) -> Result<(), Denied> {
    let judged_by = if before.is_empty() { after } else { before };
    if !judged_by.iter().any(|scope| principal.scopes.contains(scope)) {
        return Err(Denied::NotInScope);
    }
    if !before.is_empty() {
        operations.iter().try_for_each(keeps_what_is_fixed)?;
    }
    operations
        .iter()
        .filter(|operation| operation.action == Action::CreateEntry)
        .try_for_each(|entry| is_signed_by_its_author(principal, entry, operations))?;
    operations.iter().try_for_each(rules_nothing)
}

/// An entry says who made it, and that is who signs.
fn is_signed_by_its_author(principal: &Principal, entry: &Operation, operations: &[Operation]) -> Result<(), Denied> {
    let Path::Entry(container, key) = &entry.path else { return Ok(()) };
    let author = Path::Field(*container, key.clone(), AUTHOR_FIELD.to_owned());
    let own = Action::Put(Scalar::from(principal.person.as_bytes()));
    let says_so = operations.iter().any(|operation| operation.path == author && operation.action == own);
    if says_so { Ok(()) } else { Err(Denied::AnothersName { path: author }) }
}

/// What a case is and what it claims is said once: a claim that came later would not be seen by the ledger's uniqueness.
const FIXED_AFTER_OPENING: [&str; 2] = ["case_kind", "claim"];

fn keeps_what_is_fixed(operation: &Operation) -> Result<(), Denied> {
    match &operation.path {
        Path::Root(key) if FIXED_AFTER_OPENING.contains(&key.as_str()) => Err(Denied::Fixed { path: operation.path.clone() }),
        _ => Ok(()),
    }
}

/// Rulings are the server's.
fn rules_nothing(operation: &Operation) -> Result<(), Denied> {
    match (&operation.path, &operation.action) {
        (Path::Field(Container::Events, _, field), Action::Put(value))
            if field == "kind" && *value == Scalar::from(EventKind::DuplicateOf.code()) =>
        {
            Err(Denied::Ruling { path: operation.path.clone() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GridId;

    fn me() -> Principal {
        Principal { person: PersonId::from_bytes([1; 16]), scopes: vec![Scope::Grid(GridId::from_bytes([7; 16]))] }
    }

    fn event(fields: &[(&str, Scalar)]) -> Vec<Operation> {
        let entry = Operation { path: Path::Entry(Container::Events, "e".into()), action: Action::CreateEntry };
        let fields = fields.iter().map(|(field, value)| Operation {
            path: Path::Field(Container::Events, "e".into(), (*field).into()),
            action: Action::Put(value.clone()),
        });
        std::iter::once(entry).chain(fields).collect()
    }

    fn asked(operations: &[Operation]) -> Result<(), Denied> {
        let mine = [Scope::Grid(GridId::from_bytes([7; 16]))];
        may_write(&me(), &mine, &mine, operations)
    }

    #[test]
    fn an_entry_is_in_the_name_of_who_signs_it() {
        assert_eq!(asked(&event(&[("by", Scalar::from(&[1; 16]))])), Ok(()));
        assert!(matches!(asked(&event(&[("by", Scalar::from(&[2; 16]))])), Err(Denied::AnothersName { .. })));
        assert!(matches!(asked(&event(&[("at", Scalar::Int(3))])), Err(Denied::AnothersName { .. })));
    }

    #[test]
    fn a_ruling_is_not_for_phones() {
        let forged = event(&[("by", Scalar::from(&[1; 16])), ("kind", Scalar::from("duplicate-of"))]);
        assert!(matches!(asked(&forged), Err(Denied::Ruling { .. })));
    }

    #[test]
    fn a_document_of_another_grid_and_a_claim_made_later_are_denied() {
        let put = |key: &str| [Operation { path: Path::Root(key.into()), action: Action::Put(Scalar::from("x")) }];
        let theirs = [Scope::Grid(GridId::from_bytes([8; 16]))];
        assert_eq!(may_write(&me(), &theirs, &theirs, &put("door")), Err(Denied::NotInScope));
        assert_eq!(may_write(&me(), &[], &theirs, &put("door")), Err(Denied::NotInScope));
        assert!(matches!(asked(&put("claim")), Err(Denied::Fixed { .. })));
        assert_eq!(asked(&put("door")), Ok(()));
    }
}
