//! Accepting a push: signature, then group after group, then one commit.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use doorstep_core::docs::{Keyring, Reloaded, Sealing, hash_of};
use doorstep_core::model::{CaseId, ChangeHash, DocId, GroupId, Millis, PersonId, Position, Scope, StreetId};
use doorstep_core::sync::{Group, Leaf, List, Push, PushedChange, Refusal, Verdict};

use super::authenticate::{Authenticated, Keys};
use super::cache::Loaded;
use super::inbox::late_entry;
use super::judge::{Bench, Judged, judge};
use super::working::{Working, WorkingSet};
use super::{Hub, HubError};
use crate::ledger::{AcceptedGroup, ClaimWrite, Commit, InboxEntry, LedgerError, PushProof, QuarantinedGroup};
use crate::telemetry;

/// How often acceptance reads and decides again when the ledger moved on, before the phone is asked to try later. Under the locks of one
/// process it never happens; with several servers each round settles at least one push.
const MOST_ROUNDS: usize = 8;

/// What the reading behind a push must know of it.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// All its changes: the answer leaves them out.
    pub hashes: BTreeSet<ChangeHash>,
    /// The keys that came with it: the answer leaves them out.
    pub keys: Keys,
    /// The documents of groups that were refused because a value does not open: whoever sealed it lacks a key that the record has now.
    pub unreadable: BTreeSet<DocId>,
    /// The documents of groups that had been accepted before. Whoever brings them again may have missed what has happened to them since.
    pub again: BTreeSet<DocId>,
}

/// What judging a push came to.
#[derive(Default)]
pub(super) struct Plan {
    verdicts: Vec<Verdict>,
    again: BTreeSet<DocId>,
    pub(super) documents: WorkingSet,
    groups: Vec<AcceptedGroup>,
    claims: Vec<ClaimWrite>,
    rulings_due: Vec<DocId>,
    pub(super) quarantine: Vec<QuarantinedGroup>,
    pub(super) inbox: Vec<InboxEntry>,
    /// Late work that somebody decided about.
    decided: Vec<GroupId>,
    /// The keys of records that late work is about and that are in no document yet.
    pub(super) late_keys: Vec<(DocId, Keyring)>,
}

impl Plan {
    /// One in which somebody decides about late work.
    pub(super) fn deciding(group: GroupId) -> Self {
        Self { decided: vec![group], ..Self::default() }
    }
}

impl Hub {
    /// Judges a push and commits what is accepted. Returns, once that is durable, a verdict for each group, and what the reading must know.
    pub(super) fn accept(&self, who: &Authenticated, push: &Push) -> Result<(Vec<Verdict>, Brought), HubError> {
        let leaves: Vec<Leaf> = push
            .groups
            .0
            .iter()
            .flat_map(|group| group.changes.0.iter())
            .map(|change| Leaf { doc: change.doc, hash: hash_of(&change.bytes) })
            .collect();
        who.device.key.verify_push(who.device.id, &leaves, &push.signature)?;
        let keys = who.keys()?;
        let _guards = self.locks.lock(leaves.iter().map(|leaf| leaf.doc));
        let mut who = Cow::Borrowed(who);
        for _ in 0..MOST_ROUNDS {
            match self.judge_and_commit(&who, push, &keys, &leaves) {
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => {
                    self.forget(&who, &leaves);
                    who = Cow::Owned(self.authenticate_again(who.request.clone())?);
                }
                judged => {
                    let (verdicts, again) = judged?;
                    let hashes = leaves.iter().map(|leaf| leaf.hash).collect();
                    let unreadable = unreadable(push, &verdicts);
                    return Ok((verdicts, Brought { hashes, keys, unreadable, again }));
                }
            }
        }
        Err(HubError::Busy)
    }

    fn forget(&self, who: &Authenticated, leaves: &[Leaf]) {
        leaves.iter().for_each(|leaf| self.cache.remove(who.street.id, leaf.doc));
    }

    fn judge_and_commit(
        &self,
        who: &Authenticated,
        push: &Push,
        keys: &Keys,
        leaves: &[Leaf],
    ) -> Result<(Vec<Verdict>, BTreeSet<DocId>), HubError> {
        let mut suspects = BTreeSet::new();
        loop {
            let proof = proof_of(who, push, leaves);
            let mut plan = self.plan(who, push, keys, &proof, &suspects)?;
            let (saved, broken) = reload_checked(&plan);
            if broken.is_empty() {
                let again = std::mem::take(&mut plan.again);
                let proof = (!plan.groups.is_empty()).then_some(proof);
                return Ok((self.commit(who, plan, saved, proof)?, again));
            }
            // A document does not survive saving: the groups that wrote to it are judged again, and refused one by one.
            let before = suspects.len();
            suspects.extend(broken);
            if suspects.len() == before {
                return Err(HubError::OutOfOrder);
            }
        }
    }

    /// Judges all groups in order. A document of `suspects` is put through the reload check after each group.
    fn plan(&self, who: &Authenticated, push: &Push, keys: &Keys, proof: &PushProof, suspects: &BTreeSet<DocId>) -> Result<Plan, HubError> {
        let mut plan = Plan::default();
        let (principal, former) = (who.principal(), who.former_principal());
        let mut refused: BTreeMap<ChangeHash, GroupId> = BTreeMap::new();
        let now = self.now();
        for group in &push.groups.0 {
            let verdict = match self.known(who, &plan, group)? {
                Some(verdict) => {
                    if !matches!(verdict, Verdict::Refused { .. }) {
                        plan.again.extend(group.changes.0.iter().map(|change| change.doc));
                    }
                    verdict
                }
                None if who.device.ended.is_some() => refuse(who, &mut plan, group, &Refusal::Revoked, proof, now),
                None => {
                    for change in &group.changes.0 {
                        plan.documents.fetch(self, who.street.id, change.doc)?;
                    }
                    let bench = Bench {
                        street: who.street.id,
                        registrar: who.registrar(),
                        device: who.device.id.tag(),
                        principal: &principal,
                        former: &former,
                        now,
                        keys,
                        refused: &refused,
                        #[cfg(feature = "seeded-bugs")]
                        bugs: self.bugs,
                    };
                    match judge(&bench, &plan.documents, group).and_then(|judged| survives(judged, suspects)) {
                        Ok(judged) => self.take(who, &mut plan, group, judged, None)?,
                        Err(refusal) => {
                            let refusal = self.as_late_work(who, &plan, group, refusal)?;
                            if refusal == Refusal::GrantEnded {
                                plan.inbox.push(late_entry(&plan, who.street.id, group));
                                let docs = group.changes.0.iter().map(|change| change.doc);
                                plan.late_keys.extend(docs.filter_map(|doc| Some((doc, keys.get(&doc)?.clone()))));
                            }
                            refuse(who, &mut plan, group, &refusal, proof, now)
                        }
                    }
                }
            };
            if matches!(verdict, Verdict::Refused { .. }) {
                refused.extend(group.changes.0.iter().map(|change| (hash_of(&change.bytes), group.id)));
            }
            plan.verdicts.push(verdict);
        }
        Ok(plan)
    }

    /// The verdict of a group that came before: it is final.
    fn known(&self, who: &Authenticated, plan: &Plan, group: &Group) -> Result<Option<Verdict>, HubError> {
        let hashes = || group.changes.0.iter().map(|change| (change.doc, hash_of(&change.bytes)));
        if plan.verdicts.iter().any(|verdict| verdict.group() == group.id) {
            return Ok(Some(Verdict::refused(group.id, &Refusal::Repeated)));
        }
        if let Some(accepted) = self.ledger.group(who.street.id, group.id)? {
            let same = accepted.changes.iter().map(|(doc, hash, _)| (*doc, *hash)).eq(hashes());
            return Ok(Some(if same {
                let registrar = who.registrar();
                let seal = |(doc, hash, number): &(DocId, ChangeHash, u64)| registrar.seal(*doc, hash, *number, accepted.at);
                Verdict::Accepted {
                    group: group.id,
                    at: accepted.at,
                    numbers: List(accepted.changes.iter().map(|(_, _, number)| *number).collect()),
                    duplicate_of: accepted.duplicate_of.map(CaseId::from),
                    seals: List(accepted.changes.iter().map(seal).collect()),
                }
            } else {
                Verdict::AcceptedBefore { group: group.id }
            }));
        }
        let quarantined = self.ledger.quarantined(who.street.id, group.id)?;
        Ok(quarantined
            .filter(|old| old.changes.iter().map(|(doc, _, bytes)| (*doc, hash_of(bytes))).eq(hashes()))
            // What became of late work since is no matter of its author's phone.
            .map(|old| if old.proof.is_some() { QuarantinedGroup { code: Refusal::GrantEnded.code().to_owned(), ..old } } else { old })
            .map(|old| Verdict::Refused { group: group.id, code: old.code, offset_ms: old.offset_ms, because_of: old.because_of }))
    }

    /// Takes a judged group into the plan, with the ruling on what it claims.
    pub(super) fn take(
        &self,
        who: &Authenticated,
        plan: &mut Plan,
        group: &Group,
        mut judged: Judged,
        adopted_by: Option<PersonId>,
    ) -> Result<Verdict, HubError> {
        let mut duplicate_of = None;
        if let Some((key, case)) = judged.claim.take() {
            let taken = plan.claims.iter().find(|claim| claim.key == key).map(|claim| claim.case);
            let first = match taken {
                Some(first) => Some(first),
                None => self.ledger.claim(who.street.id, &key)?,
            };
            match first {
                None => plan.claims.push(ClaimWrite { key, case, expected: None }),
                // The one that was first may be among what is still to be given back.
                Some(_) if who.street.is_reconciling => plan.rulings_due.push(case),
                Some(first) => {
                    duplicate_of = Some(first);
                    if let Some(working) = judged.documents.iter_mut().find(|working| working.document.id() == case) {
                        self.rule_duplicate(&who.street, working, first)?;
                    }
                }
            }
        }
        let (numbers, seals) = judged.receipts.iter().map(|receipt| (receipt.number, receipt.seal)).unzip();
        let receipts = group.changes.0.iter().zip(&judged.receipts);
        let changes = receipts.map(|(change, receipt)| (change.doc, hash_of(&change.bytes), receipt.number)).collect();
        plan.groups.push(AcceptedGroup { id: group.id, at: judged.at, changes, duplicate_of, adopted_by });
        for working in judged.documents {
            plan.documents.0.insert(working.document.id(), working);
        }
        let duplicate_of = duplicate_of.map(CaseId::from);
        Ok(Verdict::Accepted { group: group.id, at: judged.at, numbers: List(numbers), duplicate_of, seals: List(seals) })
    }

    /// Commits a plan whose documents were saved; `proof` is the signature of what is accepted in it.
    pub(super) fn commit(
        &self,
        who: &Authenticated,
        plan: Plan,
        mut saved: Saved,
        proof: Option<PushProof>,
    ) -> Result<Vec<Verdict>, HubError> {
        if plan.groups.is_empty() && plan.quarantine.is_empty() && plan.decided.is_empty() {
            return Ok(plan.verdicts);
        }
        let told: BTreeSet<Scope> = plan.inbox.iter().flat_map(|entry| &entry.documents).flat_map(|(_, scopes)| scopes).copied().collect();
        let mut keys: Vec<(DocId, Keyring)> = plan.documents.0.values().filter_map(Working::new_keys).collect();
        for (doc, came) in plan.late_keys {
            let (known, _) = self.ledger.keys(who.street.id, doc)?;
            let learned = known.learn(&came);
            if !keys.iter().any(|(with, _)| *with == doc) && learned != known {
                keys.push((doc, learned));
            }
        }
        let changed = plan.documents.0.into_iter().filter_map(|(id, working)| Some((working, saved.remove(&id)?)));
        let writes = changed.map(|(working, saved)| working.into_write(who.street.id, saved, self.most_logged));
        let (documents, loaded): (Vec<_>, Vec<Loaded>) = writes.unzip();
        let commit = Commit {
            documents,
            groups: plan.groups,
            claims: plan.claims,
            rulings_due: plan.rulings_due,
            rulings_given: Vec::new(),
            quarantine: plan.quarantine,
            inbox: plan.inbox,
            keys,
            decided: plan.decided,
            proof,
            grants: who.grants.clone(),
            // Refusals of a device that has ended are kept as well.
            device: who.device.ended.is_none().then_some(who.device.id),
            directory_version: None,
            directory: None,
        };
        self.commit_documents(who.street.id, commit, loaded)?;
        self.movements.documents(who.street.id, told.iter());
        Ok(plan.verdicts)
    }

    /// Commits documents, keeps them loaded as they are now, and tells who listens.
    pub(super) fn commit_documents(&self, street: StreetId, commit: Commit, loaded: Vec<Loaded>) -> Result<(), HubError> {
        let accepted: usize = commit.documents.iter().map(|document| document.changes.len()).sum();
        let began = std::time::Instant::now();
        let scopes: BTreeSet<Scope> = loaded.iter().flat_map(|loaded| loaded.scopes.iter().chain(&loaded.left)).copied().collect();
        let versions: Vec<Position> = self.ledger.commit(street, commit)?;
        self.movements.documents(street, scopes.iter());
        metrics::histogram!(telemetry::COMMIT_SECONDS).record(began.elapsed());
        metrics::counter!(telemetry::ACCEPTED).increment(accepted as u64);
        for (mut loaded, version) in loaded.into_iter().zip(versions) {
            loaded.version = version;
            self.cache.put(street, Arc::new(loaded));
        }
        Ok(())
    }
}

/// The signature of a push over everything in it.
fn proof_of(who: &Authenticated, push: &Push, leaves: &[Leaf]) -> PushProof {
    PushProof { device: who.device.id, signature: push.signature, leaves: leaves.iter().map(|leaf| (leaf.doc, leaf.hash)).collect() }
}

fn refuse(who: &Authenticated, plan: &mut Plan, group: &Group, refusal: &Refusal, proof: &PushProof, now: Millis) -> Verdict {
    tracing::info!(device = %who.device.id, group = %group.id, code = refusal.code(), "a group was refused");
    metrics::counter!(telemetry::QUARANTINE, "reason" => refusal.code().to_owned()).increment(1);
    plan.quarantine.push(QuarantinedGroup {
        id: group.id,
        at: now,
        device: who.device.id,
        person: who.device.person,
        code: refusal.code().to_owned(),
        offset_ms: refusal.offset_ms(),
        because_of: refusal.because_of(),
        changes: group.changes.0.iter().map(|change| (change.doc, change.kind, kept_of(refusal, change))).collect(),
        proof: (*refusal == Refusal::GrantEnded).then(|| proof.clone()),
    });
    Verdict::refused(group.id, refusal)
}

/// What is kept of a refused change: its bytes, but of one to an erased record its hash alone.
fn kept_of(refusal: &Refusal, change: &PushedChange) -> Vec<u8> {
    if *refusal == Refusal::Erased { hash_of(&change.bytes).0.to_vec() } else { change.bytes.clone() }
}

/// Documents under suspicion are saved and loaded after each group, so that the group that broke one is found.
fn survives(judged: Judged, suspects: &BTreeSet<DocId>) -> Result<Judged, Refusal> {
    for working in judged.documents.iter().filter(|working| suspects.contains(&working.document.id())) {
        working.reload_check()?;
    }
    Ok(judged)
}

/// Changed documents as they were saved.
pub(super) type Saved = BTreeMap<DocId, Reloaded>;

/// The documents that were changed, saved, and those of them that do not survive it.
pub(super) fn reload_checked(plan: &Plan) -> (Saved, Vec<DocId>) {
    let mut checked = Saved::new();
    let mut broken = Vec::new();
    for (id, working) in plan.documents.0.iter().filter(|(_, working)| working.is_changed()) {
        match working.reload_check() {
            Ok(saved) => drop(checked.insert(*id, saved)),
            Err(_) => broken.push(*id),
        }
    }
    (checked, broken)
}

fn unreadable(push: &Push, verdicts: &[Verdict]) -> BTreeSet<DocId> {
    let broken = Refusal::Sealing(Sealing::Broken).code();
    let refused = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Refused { code, .. } if code == broken));
    let groups = refused.filter_map(|verdict| push.groups.0.iter().find(|group| group.id == verdict.group()));
    groups.flat_map(|group| &group.changes.0).map(|change| change.doc).collect()
}
