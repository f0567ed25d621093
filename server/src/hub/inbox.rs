//! Late work: what somebody recorded who had lost the right to it before it arrived. It is refused, for rights are judged at receipt, and kept with
//! its signature; whoever answers for its scope now is sent it and decides. What is adopted is judged once more, with the rights of who adopts
//! it, and accepted in its author's name, under its author's signature.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_core::docs::{Change, Document, Keyring, hash_of, wellformed};
use doorstep_core::model::{ChangeHash, DocId, GroupId, Scope, StreetId};
use doorstep_core::policy::{self, Principal};
use doorstep_core::sync::{Decision, Group, InboxDigest, LATE_BYTES, LateWork, List, MOST_LATE, PushedChange, Refusal};

use super::accept::{Plan, reload_checked};
use super::authenticate::{Authenticated, Keys};
use super::judge::{Bench, judge, scopes_after};
use super::{Hub, HubError};
use crate::ledger::{InboxEntry, LedgerError, QuarantinedGroup};

/// How much late work is looked through for one phone: more than that waits in no street that somebody looks after.
const ROWS_AT_ONCE: usize = 4_096;
/// How often a decision is tried when documents move on meanwhile.
const MOST_ROUNDS: usize = 8;
/// The codes that a quarantined group has once somebody decided about it.
const ADOPTED: &str = "inbox.adopted";
const TURNED_DOWN: &str = "inbox.turned_down";

impl Hub {
    /// What a refusal means for work that builds on late work: it goes the same way, or whoever adopts the one would never see the other.
    pub(super) fn as_late_work(&self, who: &Authenticated, plan: &Plan, group: &Group, refusal: Refusal) -> Result<Refusal, HubError> {
        if !matches!(refusal, Refusal::DependsOnRefused { .. }) {
            return Ok(refusal);
        }
        let mut waiting: BTreeSet<ChangeHash> = plan.quarantine.iter().filter(|group| is_late(group)).flat_map(hashes_of).collect();
        let lacks = |waiting: &BTreeSet<ChangeHash>, plan: &Plan| {
            group.changes.0.iter().any(|pushed| {
                let document = plan.documents.0.get(&pushed.doc).map(|working| &working.document);
                let is_here = |dep: &ChangeHash| document.is_some_and(|document| document.contains(dep));
                let deps = Change::parse(&pushed.bytes).map(|change| change.deps().collect::<Vec<_>>()).unwrap_or_default();
                deps.iter().any(|dep| !is_here(dep) && !waiting.contains(dep) && !is_genesis(pushed, dep))
            })
        };
        if lacks(&waiting, plan) {
            for entry in self.ledger.inbox(who.street.id, ROWS_AT_ONCE)? {
                let kept = self.ledger.quarantined(who.street.id, entry.group)?;
                waiting.extend(kept.iter().filter(|kept| kept.person == who.device.person).flat_map(hashes_of));
            }
        }
        let builds_on_late = group
            .changes
            .0
            .iter()
            .any(|pushed| Change::parse(&pushed.bytes).is_ok_and(|change| change.deps().any(|dep| waiting.contains(&dep))));
        Ok(if builds_on_late && !lacks(&waiting, plan) { Refusal::GrantEnded } else { refusal })
    }

    /// The late work that waits for a decision of this person, if it is other than what the phone says that it holds.
    pub(super) fn inbox_for(&self, who: &Authenticated) -> Result<Option<Vec<LateWork>>, HubError> {
        let (street, principal) = (who.street.id, who.principal());
        let mut late = Vec::new();
        let mut bytes = 0;
        for entry in self.ledger.inbox(street, ROWS_AT_ONCE)? {
            if late.len() == MOST_LATE || bytes >= LATE_BYTES {
                break;
            }
            if !self.may_adopt(street, &principal, &entry)? {
                continue;
            }
            let Some(group) = self.ledger.quarantined(street, entry.group)? else { continue };
            bytes += group.changes.iter().map(|(_, _, bytes)| bytes.len()).sum::<usize>();
            let mut keys = Vec::new();
            for (doc, kind, _) in &group.changes {
                let held = self.ledger.keys(street, *doc)?.0;
                let opened = principal.rights.iter().map(|right| policy::opened(&right.role, *kind, &held));
                keys.push((*doc, opened.fold(Keyring::default(), |all, some| all.union(&some))));
            }
            keys.retain(|(_, keys)| !keys.is_empty());
            let keys = (!keys.is_empty()).then_some(List(keys));
            late.push(LateWork { group: group.id, author: group.person, arrived_at: group.at, changes: List(pushed(group)), keys });
        }
        let differs = InboxDigest::of(late.iter().map(|late| late.group)) != who.request.inbox;
        Ok(differs.then_some(late))
    }

    /// Whether all documents of late work are in scopes that somebody may adopt for: those that they are in now; of one that does not exist, those
    /// that it would have been in.
    fn may_adopt(&self, street: StreetId, principal: &Principal, entry: &InboxEntry) -> Result<bool, HubError> {
        for (doc, scopes) in &entry.documents {
            let now = self.ledger.scopes(street, *doc)?.map(|(_, scopes)| scopes);
            if !policy::may_adopt(&principal.rights, now.as_ref().unwrap_or(scopes)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does what somebody decided about late work. What does not wait, or not for them, is passed over: somebody else was first.
    pub(super) fn decide(&self, who: &Authenticated, decisions: &[Decision]) -> Result<(), HubError> {
        let waiting: BTreeMap<GroupId, InboxEntry> =
            self.ledger.inbox(who.street.id, ROWS_AT_ONCE)?.into_iter().map(|entry| (entry.group, entry)).collect();
        for Decision { group, adopts } in decisions {
            let Some(entry) = waiting.get(group) else { continue };
            if self.may_adopt(who.street.id, &who.principal(), entry)? {
                self.decide_one(who, entry, *adopts)?;
            }
        }
        Ok(())
    }

    fn decide_one(&self, who: &Authenticated, entry: &InboxEntry, adopts: bool) -> Result<(), HubError> {
        let street = who.street.id;
        let docs: Vec<DocId> = entry.documents.iter().map(|(doc, _)| *doc).collect();
        let _guards = self.locks.lock(docs.iter().copied());
        for _ in 0..MOST_ROUNDS {
            let Some(kept) = self.ledger.quarantined(street, entry.group)? else { return Ok(()) };
            let mut plan = Plan::deciding(entry.group);
            let proof = kept.proof.clone();
            let outcome = if adopts { Some(self.adopt(who, &mut plan, &kept)?) } else { None };
            let code = match outcome {
                Some(Ok(())) => ADOPTED.to_owned(),
                Some(Err(refusal)) => refusal.code().to_owned(),
                None => TURNED_DOWN.to_owned(),
            };
            tracing::info!(group = %kept.id, code, "late work was decided about");
            plan.quarantine.push(QuarantinedGroup { code, ..kept });
            let (saved, broken) = reload_checked(&plan);
            if !broken.is_empty() {
                return Err(HubError::OutOfOrder);
            }
            match self.commit(who, plan, saved, proof.filter(|_| adopts)) {
                // Somebody else decided about it meanwhile: what they did stands.
                Err(HubError::Ledger(LedgerError::Conflict { what: "inbox" })) => return Ok(()),
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => docs.iter().for_each(|doc| self.cache.remove(street, *doc)),
                decided => return decided.map(drop),
            }
        }
        Err(HubError::Busy)
    }

    /// Takes late work into a plan, in its author's name, by the rights of who adopts it. The inner error is why it does not fit any more.
    fn adopt(&self, who: &Authenticated, plan: &mut Plan, kept: &QuarantinedGroup) -> Result<Result<(), Refusal>, HubError> {
        // Its author may have got the right back and sent it again.
        if self.ledger.group(who.street.id, kept.id)?.is_some() {
            return Ok(Ok(()));
        }
        let group = Group { id: kept.id, changes: List(pushed(kept.clone())) };
        for change in &group.changes.0 {
            plan.documents.fetch(self, who.street.id, change.doc)?;
        }
        let mut keys = Keys::new();
        for change in &group.changes.0 {
            // A record that late work begins is in no document, but its keys are here.
            keys.insert(change.doc, self.ledger.keys(who.street.id, change.doc)?.0);
        }
        let author = Principal { person: kept.person, rights: who.principal().rights };
        let bench = Bench {
            street: who.street.id,
            registrar: who.registrar(),
            device: kept.device.tag(),
            former: &author,
            principal: &author,
            now: self.now(),
            keys: &keys,
            refused: &BTreeMap::new(),
            #[cfg(feature = "seeded-bugs")]
            bugs: self.bugs,
        };
        let judged = judge(&bench, &plan.documents, &group).and_then(|judged| {
            judged.documents.iter().try_for_each(|working| working.reload_check().map(drop))?;
            Ok(judged)
        });
        Ok(match judged {
            Ok(judged) => {
                self.take(who, plan, &group, judged, Some(who.device.person))?;
                Ok(())
            }
            Err(refusal) => Err(refusal),
        })
    }
}

fn is_late(group: &QuarantinedGroup) -> bool {
    group.code == Refusal::GrantEnded.code()
}

fn hashes_of(group: &QuarantinedGroup) -> impl Iterator<Item = ChangeHash> + '_ {
    group.changes.iter().map(|(_, _, bytes)| hash_of(bytes))
}

fn is_genesis(pushed: &PushedChange, dep: &ChangeHash) -> bool {
    Document::new(pushed.kind, pushed.doc).is_ok_and(|document| document.contains(dep))
}

fn pushed(group: QuarantinedGroup) -> Vec<PushedChange> {
    group.changes.into_iter().map(|(doc, kind, bytes)| PushedChange { doc, kind, bytes }).collect()
}

/// What is noted of late work: for each document the scopes that it is in; for one that does not exist those that the group says, or late work
/// before it.
pub(super) fn late_entry(plan: &Plan, street: StreetId, group: &Group) -> InboxEntry {
    let scopes = |pushed: &PushedChange| -> Vec<Scope> {
        if let Some(working) = plan.documents.0.get(&pushed.doc) {
            return working.scopes.clone();
        }
        let earlier = plan.inbox.iter().flat_map(|entry| &entry.documents).find(|(doc, _)| *doc == pushed.doc);
        let begun = Document::new(pushed.kind, pushed.doc).ok().zip(Change::parse(&pushed.bytes).ok());
        match (begun.map(|(document, change)| wellformed::check(&document, &change)), earlier) {
            (Some(Ok(operations)), _) => scopes_after(street, &[], &operations),
            (_, Some((_, scopes))) => scopes.clone(),
            (_, None) => vec![Scope::Street(street)],
        }
    };
    let documents = group.changes.0.iter().map(|pushed| (pushed.doc, scopes(pushed))).collect();
    InboxEntry { group: group.id, documents }
}
