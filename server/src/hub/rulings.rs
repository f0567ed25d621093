//! Rulings: what the server decides once, and writes itself. Today: which of two cases that claim the same is the duplicate.
//!
//! In a street that is reconciling none are given: what was decided before may be among what phones are still to give back. The cases wait in
//! a list, and are ruled on when everybody has come by or an operator says that nobody else will.

use std::sync::Arc;

use doorstep_core::docs::{Case, event_write};
use doorstep_core::model::{CaseEvent, CaseId, DocId, EventId, EventKind, Hlc, Millis, PersonId, StreetId};

use super::cache::Loaded;
use super::registrar::Registrar;
use super::working::{Working, WorkingSet};
use super::{Hub, HubError, lock};
use crate::ledger::{ClaimWrite, Commit, LedgerError, Street};

/// How many cases are read from the list at a time.
const CASES_AT_ONCE: usize = 64;
/// How often a ruling is tried when the case moves on meanwhile.
const MOST_ROUNDS: usize = 8;

impl Hub {
    /// Writes the server's own event into a case whose claim another case made before.
    pub(super) fn rule_duplicate(&self, street: &Street, working: &mut Working, first: DocId) -> Result<(), HubError> {
        let now = self.now();
        let event = CaseEvent {
            id: EventId::make(now, &mut *lock(&self.entropy)),
            kind: EventKind::DuplicateOf,
            by: PersonId::SERVER,
            at: now,
            text: None,
            other: Some(CaseId::from(first)),
        };
        let actor = self.server_actor(street.ledger);
        if let Some(change) = Arc::make_mut(&mut working.document).edit(actor, Hlc::new(now, 0), &[event_write(&event)])? {
            working.take(&change, &Registrar::of(street), now);
        }
        Ok(())
    }

    /// Ends the reconciliation of a street: nobody else is waited for. Gives the rulings that are due.
    ///
    /// # Errors
    /// [`HubError::NotFound`], or when the ledger fails.
    pub fn end_reconciliation(&self, street: StreetId) -> Result<(), HubError> {
        self.street(street)?;
        self.ledger.end_reconciliation(street)?;
        self.rule_if_reconciled(street)
    }

    /// Gives the rulings that are due, unless the street is reconciling. Whoever notes one while the reconciliation ends calls this behind it.
    pub(super) fn rule_if_reconciled(&self, id: StreetId) -> Result<(), HubError> {
        let street = self.street(id)?;
        if street.is_reconciling {
            return Ok(());
        }
        loop {
            let due = self.ledger.rulings_due(id, CASES_AT_ONCE)?;
            if due.is_empty() {
                return Ok(());
            }
            due.into_iter().try_for_each(|case| self.rule(&street, case))?;
        }
    }

    fn rule(&self, street: &Street, case: DocId) -> Result<(), HubError> {
        for _ in 0..MOST_ROUNDS {
            let holder = self.holder(street, case)?;
            let _guards = self.locks.lock([case].into_iter().chain(holder));
            let (commit, loaded) = self.ruling(street, case, holder)?;
            match self.commit_documents(street.id, commit, loaded) {
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => {
                    [Some(case), holder].into_iter().flatten().for_each(|doc| self.cache.remove(street.id, doc));
                }
                ruled => return ruled,
            }
        }
        Err(HubError::Busy)
    }

    /// Who has what a case claims, if that is another.
    fn holder(&self, street: &Street, case: DocId) -> Result<Option<DocId>, HubError> {
        let Some(loaded) = self.load(street.id, case)? else { return Ok(None) };
        let Some(key) = Case::brief(&loaded.document).details.claim else { return Ok(None) };
        Ok(self.ledger.claim(street.id, &key)?.filter(|holder| *holder != case))
    }

    /// The ruling on two cases that claim the same: the one whose beginning was accepted later is the duplicate. None where that was ruled before.
    fn ruling(&self, street: &Street, case: DocId, holder: Option<DocId>) -> Result<(Commit, Vec<Loaded>), HubError> {
        let mut commit = Commit { rulings_given: vec![case], ..Commit::default() };
        let mut documents = WorkingSet::default();
        for doc in [Some(case), holder].into_iter().flatten() {
            documents.fetch(self, street.id, doc)?;
        }
        let (Some(contender), Some(held)) = (documents.0.get(&case), holder.and_then(|holder| documents.0.get(&holder))) else {
            return Ok((commit, Vec::new()));
        };
        let (first, mut later) =
            if beginning(contender) < beginning(held) { (case, held.clone()) } else { (held.document.id(), contender.clone()) };
        if let Some(key) = Case::brief(&later.document).details.claim.filter(|_| first == case) {
            commit.claims.push(ClaimWrite { key, case, expected: holder });
        }
        if is_ruled(&later) {
            return Ok((commit, Vec::new()));
        }
        self.rule_duplicate(street, &mut later, first)?;
        let (write, loaded) = self.written(street.id, later)?;
        commit.documents.push(write);
        Ok((commit, vec![loaded]))
    }
}

/// Whether a case was ruled on.
pub(super) fn is_ruled(working: &Working) -> bool {
    working.document.events_in_brief().iter().any(|event| event.value.kind == EventKind::DuplicateOf)
}

/// When the first change of a case was accepted. Of two at one time the one that has the claim is first.
fn beginning(working: &Working) -> Option<Millis> {
    working.receipts.iter().map(|(_, receipt)| receipt.at).min()
}
