//! After a calm: every replica of a scope is in the server's state, and every command has come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use doorstep_core::docs::{Case, DocKind, Document, Keyring};
use doorstep_core::field::Engine;
use doorstep_core::model::{DocId, EventKind, Grant, GrantId, Receipts, Scope, StreetId};
use doorstep_core::policy;
use doorstep_core::store::{Read, prefix_end};
use doorstep_core::summary::Summary;
use doorstep_core::sync::Refusal;
use doorstep_core::workflow;
use doorstep_server::hub::HubError;

use super::{brief, of_phone};
use crate::record::{Added, Fate};
use crate::world::{Violation, World, ensure, of_ledger, tail};

/// The phone's tables of bases and members, as `field::tables` lists them: what no query shows may lie there nevertheless.
const BASE_TABLE: u8 = 2;
const MEMBER_TABLE: u8 = 7;

/// A document as the server has it.
struct Held {
    kind: DocKind,
    document: Document,
    receipts: Receipts,
    digest: [u8; 32],
    summary: Vec<u8>,
    scopes: Vec<Scope>,
}

impl World {
    pub fn check_all(&mut self) -> Result<(), Violation> {
        self.check_ledger()?;
        self.check_lost()?;
        for street in self.server.streets.clone() {
            let held = self.held(street)?;
            let (due, awaited) = (self.hub()?.ledger().rulings_due(street, 8), self.hub()?.awaited(street));
            // A restored server waits for devices. Of two phones that are one device to everybody, the second may bring a ruling when the first has
            // come and the claim was ruled on again.
            let may_be_ruled_again = self.record.restored && !self.record.unseen_lives.is_empty();
            check_claims(&held, self.record.restored, if may_be_ruled_again { 2 } else { 1 })
                .map_err(|found| Violation { detail: format!("{}; due {due:?}, awaited {awaited:?}", found.detail), ..found })?;
            self.check_promises(street, &held)?;
            for phone in 0..self.phones.len() {
                if self.phones[phone].street == street {
                    self.check_replica(phone, &held)?;
                }
            }
        }
        Ok(())
    }

    /// Whether what a restore took away may be on no phone any more: the one that held it was set back as well, or has erased itself.
    fn may_be_gone(&self) -> bool {
        let has_ended = self.record.counts.contains_key("phones that erased themselves");
        has_ended || self.phones.iter().any(|phone| phone.has_other_lives)
    }

    /// Everything that a restore took away from what phones were told is acknowledged has come back. Where the answer never arrived the work
    /// waited on, and was judged anew.
    fn check_lost(&self) -> Result<(), Violation> {
        if self.may_be_gone() {
            return Ok(());
        }
        let was_heard = |group| self.record.heard.values().any(|heard| heard.contains(group));
        for (group, (street, changes)) in self.record.lost.iter().filter(|(group, _)| was_heard(group)) {
            for (doc, hash) in changes {
                let back = self
                    .hub()?
                    .document(*street, *doc)
                    .is_ok_and(|(document, receipts)| document.contains(hash) && receipts.get(hash).is_some());
                ensure(back, "what a restore took away comes back", || format!("group {group:?}, {doc:?}"))?;
            }
        }
        Ok(())
    }

    fn held(&self, street: StreetId) -> Result<BTreeMap<DocId, Held>, Violation> {
        let hub = self.hub()?;
        let failed = |error: HubError| Violation { invariant: "the ledger can be read", detail: format!("{error:?}") };
        let mut held = BTreeMap::new();
        for kind in DocKind::ALL {
            let mut rows = Vec::new();
            hub.each_summary(street, kind, &mut |summary| rows.push(summary.id())).map_err(failed)?;
            for doc in rows {
                let (document, receipts) = hub.document(street, doc).map_err(failed)?;
                let stored = of_ledger(hub.ledger().document(street, doc))?;
                let (scopes, summary) = stored.map(|stored| (stored.scopes, stored.summary)).unwrap_or_default();
                let digest = document.digest();
                let said: BTreeSet<Scope> = document.grids().into_iter().map(Scope::Grid).chain([Scope::Street(street)]).collect();
                let lasting = scopes.iter().filter(|scope| !matches!(scope, Scope::Case(_)));
                ensure(said == lasting.copied().collect(), "a document is in the scopes that it names", || format!("{doc:?}"))?;
                held.insert(doc, Held { kind, document, receipts, digest, summary, scopes });
            }
        }
        Ok(held)
    }

    /// Every command that returned is in the server's documents, or among the refused with a reason, or had nothing to write.
    fn check_promises(&self, street: StreetId, held: &BTreeMap<DocId, Held>) -> Result<(), Violation> {
        let hub = self.hub()?;
        for (group, promise) in self.record.promises.iter().filter(|(_, promise)| self.phones[promise.phone].street == street) {
            let detail = || format!("{group:?}: {promise:?}");
            ensure(promise.fate != Fate::Waiting, "after a calm no command waits", detail)?;
            if let Fate::Refused(code) = &promise.fate
                && Refusal::from_wire(code, None, None) == Refusal::GrantEnded
                && !self.record.restored
            {
                let kept = of_ledger(hub.ledger().quarantined(street, *group))?.is_some();
                ensure(kept, "late work that its author's phone handed over is kept by the server", detail)?;
            }
            let is_there = match promise.fate {
                Fate::Accepted => true,
                Fate::Forgotten => self.record.acknowledged.contains_key(group),
                _ => false,
            };
            if !is_there {
                continue;
            }
            let came_back = self.record.lost.contains_key(group);
            if came_back && self.may_be_gone() {
                continue;
            }
            let kept = of_ledger(hub.ledger().group(street, *group))?;
            ensure(kept.is_some() || came_back, "what a phone saw accepted is in the ledger", detail)?;
            let document = held.get(&promise.doc).filter(|held| held.kind == promise.kind);
            let present = document.is_some_and(|held| promise.added.is_none_or(|added| holds(&held.document, added)));
            ensure(present, "what a phone saw accepted is in the document", detail)?;
        }
        Ok(())
    }

    /// A phone holds exactly the documents of its scopes, each in the server's state.
    fn check_replica(&self, phone: usize, held: &BTreeMap<DocId, Held>) -> Result<(), Violation> {
        let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
        ensure(!engine.is_lease_over(), "an answer lends anew", || format!("phone {phone}"))?;
        let hub = self.hub()?;
        let (street, person) = (self.phones[phone].street, self.phones[phone].person);
        let grants = of_ledger(hub.ledger().grants(street, person))?;
        let now = hub.clock_now();
        let grants: Vec<Grant> = grants.into_iter().filter(|grant| grant.holds(now)).collect();
        let in_scope = |doc: &Held| grants.iter().any(|grant| is_for(grant, doc));
        let expected: BTreeSet<DocId> = held.iter().filter(|(_, doc)| in_scope(doc)).map(|(id, _)| *id).collect();
        let mut found = BTreeSet::new();
        for kind in DocKind::ALL {
            found.extend(engine.documents(kind).map_err(|error| of_phone(phone, &error))?);
        }
        same_documents(phone, "a phone holds the documents of its scopes and no others", &expected, &found)?;
        same_documents(phone, "a phone keeps no copy that no screen shows", &expected, &self.bases_of(phone))?;
        self.check_members(phone, &grants, held)?;
        for doc in &expected {
            same_document(phone, engine, &grants, *doc, &held[doc])?;
        }
        if !grants.is_empty() {
            let directory = hub.directory(street).ok();
            ensure(engine.directory() == directory, "a phone has the street's directory", || format!("phone {phone}"))?;
        }
        let status = engine.status();
        let at_rest = status.pending == 0 && status.next_attempt.is_none() && status.failed_attempts == 0;
        ensure(at_rest, "after a calm a phone is at rest", || format!("phone {phone}: {status:?}"))
    }

    fn bases_of(&self, phone: usize) -> BTreeSet<DocId> {
        self.keys_of(phone, BASE_TABLE).iter().filter_map(|key| DocId::try_from(key.get(1..17)?).ok()).collect()
    }

    fn check_members(&self, phone: usize, grants: &[Grant], held: &BTreeMap<DocId, Held>) -> Result<(), Violation> {
        let ids = |key: &Vec<u8>| Some((GrantId::try_from(key.get(1..17)?).ok()?, DocId::try_from(key.get(17..33)?).ok()?));
        let found: BTreeSet<(GrantId, DocId)> = self.keys_of(phone, MEMBER_TABLE).iter().filter_map(ids).collect();
        let in_grant = |grant: &Grant| held.iter().filter(|(_, doc)| is_for(grant, doc)).map(|(id, _)| (grant.id, *id)).collect();
        let expected: BTreeSet<(GrantId, DocId)> = grants.iter().flat_map(|grant| -> Vec<_> { in_grant(grant) }).collect();
        ensure(found == expected, "a phone knows which document is in which scope", || {
            let missing: Vec<_> = expected.difference(&found).collect();
            format!("phone {phone}: missing {missing:?}, too many {:?}", found.difference(&expected).collect::<Vec<_>>())
        })
    }

    fn keys_of(&self, phone: usize, table: u8) -> Vec<Vec<u8>> {
        let end = prefix_end(&[table]);
        let rows = self.phones[phone].store.range(Bound::Included(&[table]), end.as_ref().map(Vec::as_slice), usize::MAX);
        rows.unwrap_or_default().into_iter().map(|(key, _)| key).collect()
    }
}

/// Whether a grant lets its person have a document.
fn is_for(grant: &Grant, doc: &Held) -> bool {
    doc.scopes.contains(&grant.scope) && policy::receives(&grant.role, doc.kind)
}

fn same_documents(phone: usize, invariant: &'static str, expected: &BTreeSet<DocId>, found: &BTreeSet<DocId>) -> Result<(), Violation> {
    ensure(expected == found, invariant, || {
        let names = |ids: Vec<&DocId>| ids.iter().map(|id| tail(id.as_bytes())).collect::<Vec<_>>();
        let (missing, surplus) = (names(expected.difference(found).collect()), names(found.difference(expected).collect()));
        format!("phone {phone}: missing {missing:?}, too many {surplus:?}")
    })
}

fn same_document(phone: usize, engine: &Engine, grants: &[Grant], doc: DocId, held: &Held) -> Result<(), Violation> {
    let detail = |what: &str| format!("phone {phone}, {:?} {}: {what}", held.kind, tail(doc.as_bytes()));
    const INVARIANT: &str = "replicas of a scope are in the same state";
    let digest = engine.digest(doc).map_err(|error| of_phone(phone, &error))?;
    ensure(digest == held.digest, INVARIANT, || detail("documents differ"))?;
    let summary = engine.summary_of(held.kind, doc).map_err(|error| of_phone(phone, &error))?;
    // Who may read some fields has the keys of these and of no others.
    let roles = grants.iter().filter(|grant| is_for(grant, held)).map(|grant| &grant.role);
    let keys = roles.fold(Keyring::default(), |all, role| all.union(&policy::opened(role, held.kind, held.document.keys())));
    let expected = Summary::from_row(&held.summary, &keys).ok();
    ensure(summary == expected, "nobody reads more or less of a record than policy says", || {
        detail(&format!("{summary:?} and {expected:?}"))
    })?;
    if held.kind == DocKind::Case {
        let view = engine.case(doc.into()).map_err(|error| of_phone(phone, &error))?.view;
        let folded = workflow::fold(held.document.clone().with_keys(keys).events(), &held.receipts);
        ensure(view == folded, "the fold of a case is the same on all replicas", || {
            detail(&format!("{} and {}", brief(&view.timeline), brief(&folded.timeline)))
        })?;
    }
    Ok(())
}

/// Of all cases that claim the same, exactly one is no duplicate, and the others lead to it: they name it, or after a restore one that was ruled
/// on later. No case has more than `most` rulings.
fn check_claims(held: &BTreeMap<DocId, Held>, restored: bool, most: usize) -> Result<(), Violation> {
    let mut claims: BTreeMap<_, BTreeMap<DocId, Option<DocId>>> = BTreeMap::new();
    for (id, doc) in held.iter().filter(|(_, doc)| doc.kind == DocKind::Case) {
        if let Some(claim) = Case::read(&doc.document).details.claim {
            let rulings: Vec<_> = doc.document.events().into_iter().filter(|event| event.value.kind == EventKind::DuplicateOf).collect();
            ensure(rulings.len() <= most, "a ruling is given once", || format!("{claim:?}, {id:?}: {rulings:?}"))?;
            let duplicate_of = workflow::fold(doc.document.events(), &doc.receipts).duplicate_of;
            claims.entry(claim).or_default().insert(*id, duplicate_of.map(DocId::from));
        }
    }
    for (claim, cases) in claims {
        let firsts: Vec<DocId> = cases.iter().filter(|(_, of)| of.is_none()).map(|(id, _)| *id).collect();
        let leads = |id: &DocId| {
            let mut place = *id;
            let steps = if restored { cases.len() } else { 1 };
            for _ in 0..steps {
                place = cases.get(&place).copied().flatten().unwrap_or(place);
            }
            firsts == [place]
        };
        let all_lead = cases.keys().all(leads);
        ensure(firsts.len() == 1 && all_lead, "of all cases that claim the same one is the first", || format!("{claim:?}: {cases:?}"))?;
    }
    Ok(())
}

fn holds(document: &Document, added: Added) -> bool {
    match added {
        Added::Visit(id) => document.visits().iter().any(|visit| visit.id == id),
        Added::Amendment(visit, id) => {
            document.visits().iter().any(|other| other.id == visit && other.amendments.iter().any(|amendment| amendment.id == id))
        }
        Added::Note(id) => document.notes().iter().any(|note| note.id == id),
        Added::Event(id) => document.events().iter().any(|event| event.value.id == id),
        Added::Attachment(sha256) => document.attachments().iter().any(|file| file.sha256 == sha256),
    }
}
