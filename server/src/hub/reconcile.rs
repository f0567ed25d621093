//! Reconciliation: what this server lost when it was set up again from a backup is given back by the phones that hold it.
//!
//! A phone offers what it holds, is told what of it is lacking here, and relays those changes, its own and others', with their receipts. What
//! counts is the seal of a receipt: it says that this server accepted the change once, after all checks, so nothing is asked of who brings it.
//! The change keeps its number and its time, and with them its place before all that was accepted since. Looked at again is only what the
//! document could not bear: what it builds on, its author's sequence, and whether the document still loads.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorstep_core::docs::wellformed::{self, Malformed};
use doorstep_core::docs::{Case, Change, DocKind, hash_of};
use doorstep_core::model::{DeviceTag, EventId, StreetId};
use doorstep_core::policy;
use doorstep_core::sync::server::Reconciled;
use doorstep_core::sync::{List, MOST_GROUP_CHANGES, Offer, Relay};
use doorstep_core::workflow;

use super::authenticate::{Authenticated, Keys};
use super::cache::Loaded;
use super::registrar::Registrar;
use super::rulings::is_ruled;
use super::working::{Working, WorkingSet};
use super::{Hub, HubError};
use crate::ledger::{ClaimWrite, Commit, LedgerError};

/// How often relays are taken anew when documents move on meanwhile.
const MOST_ROUNDS: usize = 8;

impl Hub {
    /// Takes back what relays bring, and says of what was relayed or offered what is lacking.
    pub(super) fn reconcile(&self, who: &Authenticated, offers: &[Offer], relays: &[Relay]) -> Result<Reconciled, HubError> {
        self.take_back(who, relays)?;
        if !relays.is_empty() {
            self.rule_if_reconciled(who.street.id)?;
        }
        self.take_keys(who, offers)?;
        let mut lacking = Vec::new();
        for offer in offers {
            lacking.extend(self.lacking(who, offer)?);
        }
        for relay in relays {
            let heads = relay.changes.0.iter().map(|change| hash_of(&change.bytes)).collect();
            lacking.extend(self.lacking(who, &Offer { doc: relay.doc, kind: relay.kind, heads: List(heads) })?);
        }
        Ok(Reconciled { lacking, accepted_by: self.ledger.newest(who.street.id)? })
    }

    /// Takes the keys of what is offered that were lost here, or came back from somebody who had but a part of them.
    fn take_keys(&self, who: &Authenticated, offers: &[Offer]) -> Result<(), HubError> {
        let street = who.street.id;
        let keys = who.keys()?;
        for offer in offers {
            let Some(came) = keys.get(&offer.doc).filter(|came| came.can_seal() || came.is_redacted()) else { continue };
            let _guard = self.locks.lock([offer.doc]);
            for _ in 0..MOST_ROUNDS {
                let mut documents = WorkingSet::default();
                documents.fetch(self, street, offer.doc)?;
                let Some(mut working) = documents.0.remove(&offer.doc) else { break };
                let may_know =
                    who.had.iter().any(|right| policy::receives(&right.role, offer.kind) && working.scopes.contains(&right.scope));
                if !may_know || !working.learn_keys_alone(came) {
                    break;
                }
                let keys = working.new_keys().into_iter().collect();
                let (write, as_loaded) = self.written(street, working)?;
                match self.commit_documents(street, Commit { documents: vec![write], keys, ..Commit::default() }, vec![as_loaded]) {
                    Err(HubError::Ledger(LedgerError::Conflict { .. })) => self.cache.remove(street, offer.doc),
                    done => {
                        done?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// What is here of a document, if something of what is offered is not.
    fn lacking(&self, who: &Authenticated, offer: &Offer) -> Result<Option<Offer>, HubError> {
        let Offer { doc, kind, .. } = *offer;
        let Some(stored) = self.ledger.document(who.street.id, doc)? else {
            return Ok(Some(Offer { doc, kind, heads: List::default() }));
        };
        if stored.kind != kind || offer.heads.0.iter().all(|head| stored.receipts.get(head).is_some()) {
            return Ok(None);
        }
        // Who never had a right to it is told nothing, and brings all that it has.
        let may_know = who.had.iter().any(|right| policy::receives(&right.role, kind) && stored.scopes.contains(&right.scope));
        let mut heads = if may_know { stored.load(doc)?.heads() } else { Vec::new() };
        heads.truncate(MOST_GROUP_CHANGES);
        Ok(Some(Offer { doc, kind, heads: List(heads) }))
    }

    fn take_back(&self, who: &Authenticated, relays: &[Relay]) -> Result<(), HubError> {
        if relays.is_empty() {
            return Ok(());
        }
        let street = who.street.id;
        let _guards = self.locks.lock(relays.iter().map(|relay| relay.doc));
        for _ in 0..MOST_ROUNDS {
            let (commit, loaded) = self.taken_back(who, relays)?;
            if loaded.is_empty() {
                return Ok(());
            }
            match self.commit_documents(street, commit, loaded) {
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => relays.iter().for_each(|relay| self.cache.remove(street, relay.doc)),
                committed => return committed,
            }
        }
        Err(HubError::Busy)
    }

    fn taken_back(&self, who: &Authenticated, relays: &[Relay]) -> Result<(Commit, Vec<Loaded>), HubError> {
        let street = who.street.id;
        let (mut commit, mut taken) = (Commit::default(), Vec::new());
        let mut seen = BTreeSet::new();
        let keys = who.keys()?;
        // A document stands once in a commit: a second relay of it is not looked at.
        for relay in relays.iter().filter(|relay| seen.insert(relay.doc)) {
            let Some(working) = self.with_relay(street, &who.registrar(), relay, &keys)? else { continue };
            let Ok(saved) = working.reload_check() else { continue };
            self.claim_again(street, &working, &mut commit)?;
            commit.keys.extend(working.new_keys());
            let (write, loaded) = working.into_write(street, saved, self.most_logged);
            commit.documents.push(write);
            taken.push(loaded);
        }
        Ok((commit, taken))
    }

    /// The document with as much of a relay as counts; `None` if that is nothing.
    fn with_relay(&self, street: StreetId, registrar: &Registrar, relay: &Relay, keys: &Keys) -> Result<Option<Working>, HubError> {
        let mut documents = WorkingSet::default();
        documents.fetch(self, street, relay.doc)?;
        let begun = documents.0.remove(&relay.doc).map_or_else(|| documents.begin(relay.kind, relay.doc), Ok);
        let Some(mut working) = begun.ok().filter(|working| working.document.kind() == relay.kind) else { return Ok(None) };
        if let Some(keys) = keys.get(&relay.doc) {
            working.learn_keys(keys);
        }
        let superseded_before = superseded(&working);
        for relayed in &relay.changes.0 {
            let Ok(change) = Change::parse(&relayed.bytes) else { break };
            if working.document.contains(&change.hash()) {
                continue;
            }
            let receipt = relayed.receipt();
            if !registrar.gave(relay.doc, &change.hash(), &receipt) || !fits(&working, &change) {
                tracing::warn!(document = %relay.doc, change = %change.hash(), "a change that was given back does not count");
                break;
            }
            if Arc::make_mut(&mut working.document).apply([&change]).is_err() {
                return Ok(None);
            }
            working.take_back(&change, receipt);
        }
        let late: Vec<EventId> = superseded(&working).difference(&superseded_before).copied().collect();
        working.note_late(late);
        Ok(working.is_changed().then_some(working))
    }

    /// What a case that came back claims is its own again, unless another case has it by now: which of them was first is ruled later.
    fn claim_again(&self, street: StreetId, working: &Working, commit: &mut Commit) -> Result<(), HubError> {
        // One that was ruled on is the duplicate of another, whose the claim is.
        if working.version.is_some() || working.document.kind() != DocKind::Case || is_ruled(working) {
            return Ok(());
        }
        let Some(key) = Case::brief(&working.document).details.claim else { return Ok(()) };
        let case = working.document.id();
        if commit.claims.iter().any(|claim| claim.key == key) || self.ledger.claim(street, &key)?.is_some() {
            commit.rulings_due.push(case);
        } else {
            commit.claims.push(ClaimWrite { key, case, expected: None });
        }
        Ok(())
    }

    /// Notes that a device reads as usual in a street that is reconciling: it has given back what it holds, or never held anything. With the last
    /// of them it ends.
    pub(super) fn note_reconciled(&self, who: &Authenticated) -> Result<(), HubError> {
        let (street, device) = (who.street.id, who.device.id.tag());
        if !who.street.is_reconciling {
            return Ok(());
        }
        if !self.ledger.reconciled(street)?.contains(&device) {
            self.ledger.note_reconciled(street, device)?;
        }
        // Asked also of one that was noted before: the end that its coming was to bring may have been cut off.
        self.end_if_nobody_is_awaited(street)
    }

    /// Ends a reconciliation for which nobody is waited for any more.
    pub(super) fn end_if_nobody_is_awaited(&self, street: StreetId) -> Result<(), HubError> {
        if self.street(street)?.is_reconciling && self.awaited(street)?.is_empty() {
            self.end_reconciliation(street)?;
        }
        Ok(())
    }

    /// The devices of a street that is reconciling which have not yet given back what they hold; of any other, none. Of one that has ended nothing is
    /// taken back, so nobody waits for it.
    ///
    /// # Errors
    /// [`HubError::NotFound`], or when the ledger fails.
    pub fn awaited(&self, street: StreetId) -> Result<Vec<DeviceTag>, HubError> {
        if !self.street(street)?.is_reconciling {
            return Ok(Vec::new());
        }
        let came: BTreeSet<_> = self.ledger.reconciled(street)?.into_iter().collect();
        let mut awaited = Vec::new();
        for device in self.ledger.directory(street)?.staff.iter().flat_map(|staff| &staff.devices).filter(|device| !came.contains(device)) {
            if self.ledger.device_of(*device)?.is_none_or(|device| device.ended.is_none()) {
                awaited.push(*device);
            }
        }
        Ok(awaited)
    }
}

/// Whether a document can bear a change that was accepted before: all but that its entry may be there already, by a change of the same command
/// that was accepted since.
fn fits(working: &Working, change: &Change) -> bool {
    matches!(wellformed::check(&working.document, change), Ok(_) | Err(Malformed::AlreadyThere { .. }))
}

/// The events of a case that came too late.
fn superseded(working: &Working) -> BTreeSet<EventId> {
    if working.document.kind() != DocKind::Case {
        return BTreeSet::new();
    }
    workflow::fold(working.document.events_in_brief(), &working.receipts).superseded().map(|entry| entry.event.id).collect()
}
