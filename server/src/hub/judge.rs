//! Judging one group: pure functions over the documents under work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use doorstep_core::docs::layout::Path;
use doorstep_core::docs::wellformed::{self, Action, Malformed, Operation};
use doorstep_core::docs::{Case, Change, DocKind, Keyring, Scalar};
use doorstep_core::model::{
    CLOCK_TOLERANCE, ChangeHash, ClaimKey, DeviceTag, DocId, EventId, GridId, GroupId, Millis, Receipt, Scope, StreetId,
};
use doorstep_core::policy::{self, Denied, Principal, Subject};
use doorstep_core::sync::{Group, MOST_GROUP_CHANGES, Refusal};
use doorstep_core::workflow;

use super::registrar::Registrar;
use super::working::{Working, WorkingSet};

/// What judging needs to know beside the documents.
pub struct Bench<'a> {
    pub street: StreetId,
    pub registrar: Registrar,
    pub device: DeviceTag,
    pub principal: &'a Principal,
    /// The same with all the rights that it ever had.
    pub former: &'a Principal,
    pub now: Millis,
    /// Keys of records that came along.
    pub keys: &'a BTreeMap<DocId, Keyring>,
    /// Changes of this push that were refused, with their groups: what builds on them is refused with that reason.
    pub refused: &'a BTreeMap<ChangeHash, GroupId>,
    #[cfg(feature = "seeded-bugs")]
    pub bugs: super::SeededBugs,
}

/// A group that may be accepted: its documents with its changes applied, and the receipts of these in order.
pub struct Judged {
    /// When it is accepted: now, or when it was in an earlier life of the ledger.
    pub at: Millis,
    pub documents: Vec<Working>,
    pub receipts: Vec<Receipt>,
    /// The new case of the group that claims something, and what.
    pub claim: Option<(ClaimKey, DocId)>,
}

/// Judges a group against documents that were fetched. Changes nothing: the result holds copies.
pub fn judge(bench: &Bench<'_>, documents: &WorkingSet, group: &Group) -> Result<Judged, Refusal> {
    let changes = parse(bench, group)?;
    let former = changes.iter().find_map(|(doc, _, change)| former_receipt(bench, documents, doc, change));
    let at = former.map_or(bench.now, |receipt| receipt.at);
    let mut judged = Judged { at, documents: Vec::new(), receipts: Vec::new(), claim: None };
    for (doc, kind, change) in &changes {
        // Somebody gave it back before its author came by, who never heard that it was accepted.
        if let Some(receipt) = former_receipt(bench, documents, doc, change) {
            judged.receipts.push(receipt);
            // Who gave it back may have had but a part of its key, or none.
            if let (Some(known), Some(keys)) = (documents.0.get(doc), bench.keys.get(doc)) {
                let mut working = known.clone();
                if working.learn_keys_alone(keys) {
                    judged.documents.push(working);
                }
            }
            continue;
        }
        let mut working = match documents.0.get(doc) {
            Some(working) => working.clone(),
            None => documents.begin(*kind, *doc)?,
        };
        if let Some(keys) = bench.keys.get(doc) {
            working.learn_keys(keys);
        }
        let is_new = working.receipts.is_empty();
        judge_change(bench, &mut working, *kind, change)?;
        judged.receipts.push(working.take(change, &bench.registrar, at));
        note_late(&mut working, change);
        // Only what opens a case can claim: a later change of the same push finds the claim made, by this very case.
        if is_new && *kind == DocKind::Case {
            judged.claim = Case::brief(&working.document).details.claim.map(|key| (key, *doc));
        }
        judged.documents.push(working);
    }
    Ok(judged)
}

/// The receipt that a change of this group had in an earlier life of the ledger, if it is here again.
fn former_receipt(bench: &Bench<'_>, documents: &WorkingSet, doc: &DocId, change: &Change) -> Option<Receipt> {
    let receipt = documents.0.get(doc)?.receipts.get(&change.hash())?;
    bench.registrar.is_earlier(&receipt).then_some(receipt)
}

/// Size, strict parse, repetition, actor and clock: all that can be said without a document.
fn parse(bench: &Bench<'_>, group: &Group) -> Result<Vec<(DocId, DocKind, Change)>, Refusal> {
    if group.changes.0.is_empty() || group.changes.0.len() > MOST_GROUP_CHANGES {
        return Err(Refusal::GroupSize);
    }
    let mut documents = BTreeSet::new();
    let mut changes = Vec::new();
    for pushed in &group.changes.0 {
        let change = Change::parse(&pushed.bytes)?;
        if !documents.insert(pushed.doc) {
            return Err(Refusal::Repeated);
        }
        if change.actor().device != bench.device {
            return Err(Refusal::ForeignActor);
        }
        let offset_ms = change.at().millis().since(bench.now);
        if offset_ms > CLOCK_TOLERANCE {
            return Err(Refusal::ClockAhead { offset_ms });
        }
        changes.push((pushed.doc, pushed.kind, change));
    }
    Ok(changes)
}

fn judge_change(bench: &Bench<'_>, working: &mut Working, kind: DocKind, change: &Change) -> Result<(), Refusal> {
    if working.document.kind() != kind {
        return Err(Refusal::ForeignDocument);
    }
    if working.document.contains(&change.hash()) {
        return Err(Refusal::Repeated);
    }
    #[cfg(feature = "seeded-bugs")]
    if bench.bugs.takes_edits_of_erased && working.document.keys().is_erased() {
        let came = bench.keys.get(&working.document.id()).cloned().unwrap_or_default();
        Arc::make_mut(&mut working.document).set_keyring(came);
    }
    if working.document.keys().is_erased() {
        return Err(Refusal::Erased);
    }
    let operations = wellformed::check(&working.document, change).map_err(|malformed| explain(bench, change, malformed))?;
    let after = scopes_after(bench.street, &working.scopes, &operations);
    let subject = Subject { document: &working.document, before: &working.scopes, after: &after };
    #[cfg(feature = "seeded-bugs")]
    let is_asked = !bench.bugs.skip_policy(&operations);
    #[cfg(not(feature = "seeded-bugs"))]
    let is_asked = true;
    if is_asked {
        policy::may_write(bench.principal, subject, &operations)
            .map_err(|denied| late_or_denied(bench, working, &after, &operations, denied))?;
    }
    for operation in &operations {
        if let Action::Put(value) = &operation.action {
            working.document.keys().check(kind, working.document.id(), &operation.path, value)?;
        }
    }
    Arc::make_mut(&mut working.document).apply_checked(change, &operations)?;
    // What comes next in the same push is judged by where the document is now: a new one is in no scope but by its first change.
    working.scopes = working.scopes_now(bench.street);
    Ok(())
}

/// What a structural fault means for an honest phone.
fn explain(bench: &Bench<'_>, change: &Change, malformed: Malformed) -> Refusal {
    match malformed {
        Malformed::MissingDependencies { .. } => match change.deps().find_map(|dep| bench.refused.get(&dep)) {
            Some(group) => Refusal::DependsOnRefused { group: Some(*group) },
            // It may build on what was refused in an earlier push: the phone runs the command again on what is here.
            None => Refusal::DependsOnRefused { group: None },
        },
        Malformed::Sequence { expected, found } if found < expected => Refusal::ActorForked,
        // Run again on the present state, the command has one head to build on.
        Malformed::TooManyHeads => Refusal::DependsOnRefused { group: None },
        // In a street that was set up again its author may not know that it was accepted with other bytes. Run again on what is there, it has
        // nothing left to write.
        Malformed::AlreadyThere { .. } if bench.registrar.is_restored() => Refusal::DependsOnRefused { group: None },
        malformed => Refusal::Malformed(malformed),
    }
}

/// What a denial means for an honest phone: the work was recorded while the person had the right, or while the document was where the person
/// has it still.
fn late_or_denied(bench: &Bench<'_>, working: &Working, after: &[Scope], operations: &[Operation], denied: Denied) -> Refusal {
    let subject = Subject { document: &working.document, before: &working.scopes_ever(), after };
    let was_allowed = policy::may_write(bench.former, subject, operations).is_ok();
    if was_allowed { Refusal::GrantEnded } else { denied.into() }
}

/// The scopes that a document will be in by what a change sets; the rest stay.
pub(super) fn scopes_after(street: StreetId, before: &[Scope], operations: &[Operation]) -> Vec<Scope> {
    let grid = operations.iter().find_map(|operation| match (&operation.path, &operation.action) {
        (Path::Root(key), Action::Put(Scalar::Bytes(bytes))) if key == "grid" => GridId::try_from(bytes.as_slice()).ok(),
        _ => None,
    });
    match grid {
        Some(grid) => vec![Scope::Street(street), Scope::Grid(grid)],
        None if before.is_empty() => vec![Scope::Street(street)],
        None => before.to_vec(),
    }
}

/// Notes the events of this change that came too late: the centre is shown them.
pub(super) fn note_late(working: &mut Working, change: &Change) {
    if working.document.kind() != DocKind::Case {
        return;
    }
    let events = working.document.events_in_brief();
    let own: BTreeSet<EventId> = events.iter().filter(|event| event.change == change.hash()).map(|event| event.value.id).collect();
    if own.is_empty() {
        return;
    }
    let view = workflow::fold(events, &working.receipts);
    let late: Vec<EventId> = view.superseded().map(|entry| entry.event.id).filter(|id| own.contains(id)).collect();
    working.note_late(late);
}
