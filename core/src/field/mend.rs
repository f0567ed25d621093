//! Mending: running commands again after a refusal that needs no person, or after one that took away what they were built on.
//!
//! The document is rebuilt from what the server accepted and from the waiting groups that are not concerned; then the commands run again, in
//! the order of recording, under a new incarnation, so that no sequence number is ever used twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::docs::{Actor, Change, Document, DocumentError};
use crate::field::FieldError;
use crate::field::command::{Recorded, RecordedChange};
use crate::field::plan::{has_ground, plan};
use crate::field::refused::Refused;
use crate::field::update::Update;
use crate::model::{DocId, Hlc, HlcClock, Millis};
use crate::sync::Refusal;

/// A group whose command is to run again.
pub(super) struct Rerun {
    pub number: u64,
    pub recorded: Recorded,
}

/// How times that lie ahead are corrected.
#[derive(Clone, Copy)]
pub(super) struct Restamp {
    /// The present time, as the server says. Nothing is stamped later: how a time came to lie ahead is not always known, for the clock may
    /// have been set since.
    pub now: Millis,
    /// By how much this phone's clock was found to be wrong, in milliseconds.
    pub shift_ms: i64,
}

impl Restamp {
    /// The time for a command of the time `at`, behind `last`, the time of the one before it.
    fn correct(self, at: Hlc, last: Hlc) -> Hlc {
        let corrected = if at.millis() > self.now { Hlc::new(at.millis().plus(self.shift_ms).min(self.now), at.counter()) } else { at };
        if corrected > last { corrected } else { HlcClock::resume(last).stamp(last.millis()) }
    }
}

/// Runs commands again, into `update`. Returns the greatest time that was given.
pub(super) fn rerun(update: &mut Update<'_>, actor: Actor, groups: Vec<Rerun>, restamp: Restamp) -> Result<Hlc, FieldError> {
    // Taken out first: what is rebuilt must not hold what is about to be replaced.
    for group in &groups {
        let docs: Vec<DocId> = group.recorded.changes.iter().map(|change| change.doc).collect();
        update.remove_group(group.number, &docs);
    }
    let mut documents: BTreeMap<DocId, Document> = BTreeMap::new();
    let mut greatest = Hlc::default();
    for Rerun { number, recorded } in groups {
        let at = restamp.correct(recorded.at, greatest);
        let plan = plan(&recorded.command, at);
        let document = match documents.entry(plan.doc) {
            Entry::Occupied(rebuilt) => rebuilt.into_mut(),
            Entry::Vacant(slot) => slot.insert(rebuild(update, &plan.doc, plan.kind)?),
        };
        if !has_ground(&recorded.command.action, document) {
            // What it builds on was refused, and waits for its author; so does this.
            let code = Refusal::DependsOnRefused { group: None }.code().to_owned();
            update.keep_refused(Refused::new(recorded, code, restamp.now));
            continue;
        }
        // Nothing left to write: what it asked for is so already.
        let Some(change) = document.edit(actor, at, &plan.writes)? else { continue };
        greatest = at;
        let changes = vec![RecordedChange { doc: plan.doc, kind: plan.kind, bytes: change.bytes().to_vec() }];
        // The keys go along once more: that the server lacked them may be why it was refused.
        update.rewrite_group(number, Recorded { at, changes, brings_key: true, ..recorded });
    }
    Ok(greatest)
}

fn rebuild(update: &mut Update<'_>, doc: &DocId, kind: crate::docs::DocKind) -> Result<Document, FieldError> {
    let mut document = match update.base_document(*doc)? {
        Some((document, _)) => document,
        None => Document::new(kind, *doc)?.with_keys(update.keys(*doc)?),
    };
    let waiting: Vec<Change> = update
        .waiting_changes(*doc)?
        .iter()
        .map(|change| Change::parse(&change.bytes).map_err(|_| DocumentError::Unloadable { id: *doc }))
        .collect::<Result<_, _>>()?;
    let new: Vec<&Change> = waiting.iter().filter(|change| !document.contains(&change.hash())).collect();
    document.apply(new)?;
    Ok(document)
}
