//! What must always hold, and what must hold once everything has calmed down.

mod agreement;

use std::collections::{BTreeMap, BTreeSet};

use doorstep_core::docs::DocKind;
use doorstep_core::field::{Engine, FieldError};
use doorstep_core::model::{
    CaseId, DocId, GroupId, HouseholdId, Millis, OrganisationId, PlaceId, ResidentId, Scope, StreetId, VisitSubject,
};
use doorstep_core::sync::{PushedChange, Refusal};
use doorstep_core::workflow::{self, Standing, TimelineEntry};

use crate::record::{Added, Fate, Promise};
use crate::world::{Violation, World, ensure, of_ledger, tail};

impl World {
    /// Nothing acknowledged is ever lost: the group and each of its changes are in the ledger.
    pub fn check_acknowledged(&self, group: GroupId) -> Result<(), Violation> {
        const INVARIANT: &str = "nothing acknowledged is ever lost";
        let Some((street, changes)) = self.record.acknowledged.get(&group) else { return Ok(()) };
        let hub = self.hub()?;
        let kept = of_ledger(hub.ledger().group(*street, group))?;
        ensure(kept.is_some(), INVARIANT, || format!("group {group:?} is not in the ledger"))?;
        for (doc, hash) in changes {
            let (document, receipts) = hub
                .document(*street, *doc)
                .map_err(|error| Violation { invariant: INVARIANT, detail: format!("{group:?}, {doc:?}: {error:?}") })?;
            let present = document.contains(hash) && receipts.get(hash).is_some();
            ensure(present, INVARIANT, || format!("a change of group {group:?} is not in {doc:?}"))?;
        }
        Ok(())
    }

    /// What is newly accepted comes from somebody who has a right to a scope of the document at this moment, and never speaks of the erased.
    pub fn check_right(&self, phone: usize, at: Millis, changes: &[PushedChange]) -> Result<(), Violation> {
        let (street, person) = (self.phones[phone].street, self.phones[phone].person);
        let hub = self.hub()?;
        if at != hub.clock_now() {
            return Ok(()); // accepted before, and said again
        }
        let grants = of_ledger(hub.ledger().grants(street, person))?;
        for change in changes {
            // The push itself may have moved it out of the scope that its author had a right to.
            let document = of_ledger(hub.ledger().document(street, change.doc))?;
            let is_of =
                |scope: &Scope| document.as_ref().is_some_and(|stored| stored.scopes.iter().chain(&stored.left).any(|own| own == scope));
            // Of one that this very push began nothing is kept of where it was within it.
            if document.as_ref().is_some_and(|stored| stored.receipts.iter().all(|(_, receipt)| receipt.at == at)) {
                continue;
            }
            let has_right = grants.iter().any(|grant| grant.holds(at) && is_of(&grant.scope));
            ensure(has_right, "what is accepted comes from somebody with a right to it", || {
                let scopes = document.as_ref().map(|stored| (stored.scopes.clone(), stored.left.clone()));
                format!("phone {phone}, {:?}: {grants:?} and {scopes:?}", change.doc)
            })?;
            let is_erased = self.record.erased.get(&change.doc).is_some_and(|(_, erased_at)| at.0 > *erased_at);
            ensure(!is_erased, "the erased never come back", || format!("phone {phone} wrote to {:?}", change.doc))?;
        }
        Ok(())
    }

    /// After a start of the server: everything that was acknowledged is there, and no case reads otherwise than before.
    pub fn check_ledger(&mut self) -> Result<(), Violation> {
        let groups: Vec<GroupId> = self.record.acknowledged.keys().copied().collect();
        groups.into_iter().try_for_each(|group| self.check_acknowledged(group))?;
        self.check_erased()?;
        self.server.streets.clone().into_iter().try_for_each(|street| self.check_timelines_of(street))
    }

    /// The same of all cases of a street.
    pub fn check_timelines_of(&mut self, street: StreetId) -> Result<(), Violation> {
        let mut cases = Vec::new();
        self.hub()?
            .each_summary(street, DocKind::Case, &mut |summary| cases.push((DocKind::Case, summary.id())))
            .map_err(|error| Violation { invariant: "the ledger can be read", detail: format!("{error:?}") })?;
        self.check_timelines(street, cases.into_iter())
    }

    /// An accepted transition never changes its meaning: the server's timeline of a case only grows at its end.
    pub fn check_timelines(&mut self, street: StreetId, documents: impl Iterator<Item = (DocKind, DocId)>) -> Result<(), Violation> {
        if self.record.restored {
            return Ok(());
        }
        let cases: BTreeSet<DocId> = documents.filter(|(kind, _)| *kind == DocKind::Case).map(|(_, doc)| doc).collect();
        for case in cases {
            let Ok((document, receipts)) = self.hub()?.document(street, case) else { continue };
            let timeline = without_words(workflow::fold(document.events(), &receipts).timeline);
            let before = self.record.timelines.insert(case, timeline.clone()).unwrap_or_default();
            ensure(timeline.starts_with(&before), "an accepted transition never changes its meaning", || {
                format!("on the server, case {}", tail(case.as_bytes()))
            })?;
        }
        Ok(())
    }

    /// After anything that a phone did: what became of its commands, and what its screens show of them.
    pub fn check_phone(&mut self, phone: usize) -> Result<(), Violation> {
        if self.phones[phone].engine().is_none() {
            return Ok(());
        }
        self.follow_promises(phone)?;
        let changed = self.phones[phone].take_changed();
        for (kind, doc) in changed {
            self.check_view(phone, kind, doc)?;
        }
        Ok(())
    }

    /// A command leaves the outbox by a verdict that the phone was told, or because it has nothing left to write; what was refused stays
    /// among the refused until its author answers.
    fn follow_promises(&mut self, phone: usize) -> Result<(), Violation> {
        let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
        let waiting: BTreeSet<GroupId> = engine.waiting().into_iter().map(|record| record.group).collect();
        let listed = engine.refused().map_err(|error| of_phone(phone, &error))?;
        let refused: BTreeMap<GroupId, String> = listed.into_iter().map(|record| (record.group, record.code)).collect();
        let heard = self.record.heard.get(&phone);
        let mended = self.record.mended.get(&phone).copied().unwrap_or_default();
        let restored = self.record.restored;
        let (acknowledged, lost) = (&self.record.acknowledged, &self.record.lost);
        let was_delivered = |group: &GroupId| acknowledged.contains_key(group) || lost.contains_key(group);
        let has_others = self.phones[phone].has_other_lives;
        let mut fates = Vec::new();
        for (group, promise) in self.record.promises.iter().filter(|(_, promise)| promise.phone == phone) {
            let detail = || format!("phone {phone}, group {group:?}: {promise:?}");
            match &promise.fate {
                Fate::Waiting if waiting.contains(group) => {
                    ensure(!refused.contains_key(group), "a command waits or is refused, not both", detail)?;
                }
                Fate::Waiting => {
                    let by_others = has_others.then(|| was_delivered(group));
                    fates.push((*group, fate(promise, *group, refused.get(group), heard, mended, by_others, restored)?));
                }
                Fate::InDoubt => {
                    let listed = refused.get(group).cloned();
                    fates.push((*group, listed.map_or(Fate::LetGo, Fate::Refused)));
                }
                Fate::Refused(_) => ensure(refused.contains_key(group), "what was refused stays until its author answers", detail)?,
                Fate::Accepted | Fate::WithoutEffect | Fate::LetGo | Fate::Forgotten => {
                    ensure(!waiting.contains(group), "what was settled does not come back", detail)?;
                }
            }
        }
        for (group, fate) in fates {
            if let Fate::Refused(_) = fate {
                self.record.count("refused");
            }
            if let Some(promise) = self.record.promises.get_mut(&group) {
                promise.fate = fate;
            }
        }
        Ok(())
    }

    /// A phone's own command never disappears from its own view, and its view of a case is a beginning of the server's.
    fn check_view(&self, phone: usize, kind: DocKind, doc: DocId) -> Result<(), Violation> {
        let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
        if engine.is_lease_over() {
            let shows = engine.households(None).is_ok() || engine.open_cases(None).is_ok() || engine.summary_of(kind, doc).is_ok();
            return ensure(!shows, "what was lent is not shown when the lease is over", || format!("phone {phone}"));
        }
        if engine.summary_of(kind, doc).map_err(|error| of_phone(phone, &error))?.is_none() {
            let waits = self
                .record
                .promises
                .values()
                .find(|promise| promise.phone == phone && promise.doc == doc && promise.kind == kind && promise.fate == Fate::Waiting);
            return ensure(waits.is_none(), "a phone's own command stays in its own view", || format!("phone {phone}: {waits:?}"));
        }
        let own = self.record.promises.iter().filter(|(_, promise)| promise.phone == phone && promise.doc == doc);
        for (group, promise) in own.filter(|(_, promise)| matches!(promise.fate, Fate::Waiting | Fate::Accepted)) {
            let Some(added) = promise.added else { continue };
            if self.record.lost.contains_key(group) {
                continue; // it may be on its way back
            }
            let shows = shows(engine, promise, added).map_err(|error| of_phone(phone, &error))?;
            ensure(shows, "a phone's own command stays in its own view", || format!("phone {phone}: {promise:?}"))?;
        }
        if kind == DocKind::Case && !self.record.restored {
            let timeline = engine.case(doc.into()).map_err(|error| of_phone(phone, &error))?.view.timeline;
            let accepted = timeline.into_iter().filter(|entry| matches!(entry.standing, Standing::Accepted(_)));
            let accepted = without_words(accepted.collect());
            let known = self.record.timelines.get(&doc).map(Vec::as_slice).unwrap_or_default();
            ensure(known.starts_with(&accepted), "an accepted transition never changes its meaning", || {
                format!("phone {phone}, case {}: {} is no beginning of {}", tail(doc.as_bytes()), brief(&accepted), brief(known))
            })?;
        }
        Ok(())
    }
}

/// A timeline without the words of its events, which may be redacted.
fn without_words(mut timeline: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    timeline.iter_mut().for_each(|entry| entry.event.text = None);
    timeline
}

/// A timeline in a line.
pub fn brief(timeline: &[TimelineEntry]) -> String {
    let number = |entry: &TimelineEntry| match entry.standing {
        Standing::Accepted(receipt) => receipt.number,
        Standing::Provisional => 0,
    };
    let entries = timeline.iter().map(|entry| format!("{}:{}:{:?}", number(entry), entry.event.kind.code(), entry.effect));
    entries.collect::<Vec<_>>().join(", ")
}

/// What became of a command that waits no longer; `by_others` is whether another life of its phone's store had delivered it, if there is one.
fn fate(
    promise: &Promise,
    group: GroupId,
    refused: Option<&String>,
    heard: Option<&BTreeSet<GroupId>>,
    mended: bool,
    by_others: Option<bool>,
    restored: bool,
) -> Result<Fate, Violation> {
    let phone = promise.phone;
    if let Some(code) = refused {
        // A server that lost a grant cannot know that there was one.
        let of_list = Refusal::from_wire(code, None, None).is_of_closed_list() || (restored && code.starts_with("policy.not_"));
        let needs_a_person = !matches!(Refusal::from_wire(code, None, None), Refusal::ActorForked | Refusal::ClockAhead { .. });
        ensure(needs_a_person, "what the engine mends by itself troubles nobody", || format!("phone {phone}, {code}: {promise:?}"))?;
        ensure(of_list, "honest work is refused only for a reason of the closed list", || format!("phone {phone}, {code}: {promise:?}"))?;
        return Ok(Fate::Refused(code.clone()));
    }
    if heard.is_some_and(|heard| heard.contains(&group)) {
        return Ok(Fate::Accepted);
    }
    // Another life of the store may have delivered it, and what it wrote has come without a verdict, also by way of a server that lost it between.
    if by_others == Some(true) {
        return Ok(Fate::Accepted);
    }
    ensure(promise.may_vanish && (mended || by_others.is_some()), "a command leaves the outbox by a verdict only", || {
        format!("phone {phone}, {group:?}: {promise:?}")
    })?;
    Ok(Fate::WithoutEffect)
}

/// Whether a phone shows what a command of its own added.
fn shows(engine: &Engine, promise: &Promise, added: Added) -> Result<bool, FieldError> {
    let doc = promise.doc;
    let subject = match promise.kind {
        DocKind::Household => Some(VisitSubject::Household(HouseholdId::from(doc))),
        DocKind::Organisation => Some(VisitSubject::Organisation(OrganisationId::from(doc))),
        DocKind::Place => Some(VisitSubject::Place(PlaceId::from(doc))),
        _ => None,
    };
    let visits = || subject.map_or(Ok(Vec::new()), |subject| engine.visits(subject));
    Ok(match added {
        Added::Visit(id) => visits()?.iter().any(|visit| visit.id == id),
        Added::Amendment(visit, id) => {
            visits()?.iter().any(|other| other.id == visit && other.amendments.iter().any(|amendment| amendment.id == id))
        }
        Added::Event(id) => engine.case(CaseId::from(doc))?.timeline.iter().any(|line| line.event == id),
        Added::Note(id) => match promise.kind {
            DocKind::Household => engine.household(doc.into())?.notes.iter().any(|note| note.id == id),
            DocKind::Organisation => engine.organisation(doc.into())?.notes.iter().any(|note| note.id == id),
            DocKind::Place => engine.place(doc.into())?.notes.iter().any(|note| note.id == id),
            _ => engine.resident(ResidentId::from(doc))?.notes.iter().any(|note| note.id == id),
        },
        Added::Attachment(sha256) => match promise.kind {
            DocKind::Household => engine.household(doc.into())?.attachments.iter().any(|file| file.sha256 == sha256),
            DocKind::Organisation => engine.organisation(doc.into())?.attachments.iter().any(|file| file.sha256 == sha256),
            _ => engine.place(doc.into())?.attachments.iter().any(|file| file.sha256 == sha256),
        },
    })
}

fn of_phone(phone: usize, error: &FieldError) -> Violation {
    Violation { invariant: "a phone can be read", detail: format!("phone {phone}: {error:?}") }
}
