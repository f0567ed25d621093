//! Rights: who is granted what, and from when until when. Each is one row of the ledger; commits are conditional on those that policy read.

use doorstep_core::docs::{Case, DocKind};
use doorstep_core::model::{CaseId, DocId, Grant, GrantId, GridId, Invalid, Millis, PersonId, Right, Role, Scope, StreetId};
use doorstep_core::sync::MOST_GRANTS;

use super::working::WorkingSet;
use super::{Hub, HubError, lock};
use crate::ledger::{Commit, LedgerError};

/// How often documents are put into a scope when they move on meanwhile.
const MOST_ROUNDS: usize = 8;

/// From when until when a right is given, by the server's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Term {
    /// From now on if absent.
    pub from: Option<Millis>,
    /// Until it is ended if absent.
    pub until: Option<Millis>,
}

impl Term {
    /// From now on, until it is ended.
    pub const OPEN: Self = Self { from: None, until: None };
}

impl Hub {
    /// Gives a person a right for a term.
    ///
    /// # Errors
    /// [`HubError::NotFound`] when there is no such person, grid or case; [`HubError::Invalid`] for a term that ends before it begins or has
    /// ended, for a role that this version does not know, and for more grants than a phone can hold; or when the ledger fails.
    pub fn grant(&self, street: StreetId, person: PersonId, right: &Right, term: Term) -> Result<GrantId, HubError> {
        let now = self.now();
        let from = term.from.unwrap_or(now);
        if term.until.is_some_and(|until| until <= from || until <= now) {
            return Err(Invalid::new("until", "is not behind the beginning of the term, or has gone by").into());
        }
        if matches!(right.role, Role::Unknown(_)) {
            return Err(Invalid::new("role", "is not known").into());
        }
        let directory = self.ledger.directory(street)?;
        directory.person(person).ok_or(HubError::NotFound { what: "person" })?;
        if self.ledger.grants(street, person)?.iter().filter(|grant| grant.until.is_none_or(|until| now < until)).count() >= MOST_GRANTS {
            return Err(Invalid::new("grants", format!("are {MOST_GRANTS} already")).into());
        }
        match right.scope {
            Scope::Grid(grid) => drop(directory.grid(grid).ok_or(HubError::NotFound { what: "grid" })?),
            Scope::Case(case) => self.reach(street, case)?,
            Scope::Street(_) | Scope::Assigned(_) => {}
        }
        let id = GrantId::make(now, &mut *lock(&self.entropy));
        let Right { role, scope } = right.clone();
        self.ledger.add_grant(street, &Grant { id, person, scope, from, until: term.until, role })?;
        self.movements.rights(street, person);
        Ok(id)
    }

    /// Ends a person's rights to a scope, in whatever role, now.
    ///
    /// # Errors
    /// [`HubError::NotFound`] when there is none; or when the ledger fails.
    pub fn revoke(&self, street: StreetId, person: PersonId, scope: Scope) -> Result<(), HubError> {
        self.end_grants(street, person, |grant| grant.scope == scope)?.then_some(()).ok_or(HubError::NotFound { what: "grant" })
    }

    /// Gives a grid to another worker: whoever answered for it does so no longer, whoever stood in for them neither.
    ///
    /// # Errors
    /// As [`Hub::grant`]. Ended grants stay ended when giving the new one fails; calling it again goes on.
    pub fn reassign_grid(&self, street: StreetId, grid: GridId, to: PersonId) -> Result<GrantId, HubError> {
        let directory = self.ledger.directory(street)?;
        directory.grid(grid).ok_or(HubError::NotFound { what: "grid" })?;
        directory.person(to).ok_or(HubError::NotFound { what: "person" })?;
        for staff in &directory.staff {
            self.end_grants(street, staff.id, |grant| grant.scope == Scope::Grid(grid) && grant.role.answers_for_a_grid())?;
        }
        self.change_directory(street, |directory| {
            for staff in &mut directory.staff {
                staff.grids.retain(|own| *own != grid);
                if staff.id == to {
                    staff.grids.push(grid);
                }
            }
            Ok(())
        })?;
        self.grant(street, to, &Right { role: Role::GridWorker, scope: Scope::Grid(grid) }, Term::OPEN)
    }

    /// Ends those of a person's grants that have not ended and are meant. Whether there were any.
    fn end_grants(&self, street: StreetId, person: PersonId, is_meant: impl Fn(&Grant) -> bool) -> Result<bool, HubError> {
        let now = self.now();
        let mut grants = self.ledger.grants(street, person)?;
        grants.retain(|grant| grant.until.is_none_or(|until| now < until) && is_meant(grant));
        if grants.is_empty() {
            return Ok(false);
        }
        let ended = grants.iter().try_for_each(|grant| Ok::<_, HubError>(self.ledger.end_grant(street, person, grant.id, now)?));
        self.movements.rights(street, person);
        ended.map(|()| true)
    }

    /// Puts a case, and the place that it is about, into the scope of the case.
    fn reach(&self, street: StreetId, case: CaseId) -> Result<(), HubError> {
        for _ in 0..MOST_ROUNDS {
            let place = self.load(street, case.into())?.filter(|loaded| loaded.document.kind() == DocKind::Case);
            let place = Case::brief(&place.ok_or(HubError::NotFound { what: "case" })?.document).details.place;
            let docs: Vec<DocId> = std::iter::once(case.into()).chain(place.map(DocId::from)).collect();
            let _guards = self.locks.lock(docs.iter().copied());
            let mut documents = WorkingSet::default();
            for doc in &docs {
                documents.fetch(self, street, *doc)?;
            }
            let (mut commit, mut loaded) = (Commit::default(), Vec::new());
            for mut working in documents.0.into_values() {
                if working.scopes.contains(&Scope::Case(case)) {
                    continue;
                }
                working.scopes.push(Scope::Case(case));
                let (write, as_loaded) = self.written(street, working)?;
                commit.documents.push(write);
                loaded.push(as_loaded);
            }
            if loaded.is_empty() {
                return Ok(());
            }
            match self.commit_documents(street, commit, loaded) {
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => docs.iter().for_each(|doc| self.cache.remove(street, *doc)),
                committed => return committed,
            }
        }
        Err(HubError::Busy)
    }
}
