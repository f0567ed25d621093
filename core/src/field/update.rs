//! An update of bases, outbox and summaries that becomes durable as one batch.
//!
//! It collects what an answer of the server changes, each document loaded once, and writes every row once at the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::docs::{Change, DocKind, Document, DocumentError, Keyring, hash_of};
use crate::field::ChangeNotice;
use crate::field::FieldError;
use crate::field::command::{Recorded, RecordedChange};
use crate::field::documents::{Base, View};
use crate::field::engine::State;
use crate::field::held::HeldGrant;
use crate::field::kept::{Kept, accepted_changes};
use crate::field::keys::{keyring, put_keyring};
use crate::field::outbox::Outbox;
use crate::field::refused::Refused;
use crate::field::tables;
use crate::model::{ChangeHash, DocId, GrantId, Receipt, Receipts};
use crate::policy;
use crate::store::{Batch, Store, chunks, row};
use crate::summary::Summary;

/// A base that was loaded and perhaps changed.
struct LoadedBase {
    document: Document,
    receipts: Receipts,
    changed: bool,
}

/// What happens to a waiting group.
enum GroupFate {
    /// Its command was run again.
    Rewritten(Box<Recorded>),
    /// It leaves the outbox: accepted, or without effect.
    Gone,
}

/// The update.
pub(super) struct Update<'a> {
    store: &'a dyn Store,
    state: &'a State,
    bases: BTreeMap<DocId, Option<LoadedBase>>,
    fates: BTreeMap<u64, GroupFate>,
    refused: Vec<Refused>,
    touched: BTreeSet<DocId>,
    dropped: BTreeMap<DocId, DocKind>,
    /// Snapshots that are stored without being loaded, with their summaries.
    whole: BTreeMap<DocId, (Base, Vec<u8>)>,
    /// Keys that came.
    keys: BTreeMap<DocId, Keyring>,
    batch: Batch,
}

/// What is to be done with the state once the batch is durable.
#[derive(Default)]
pub(super) struct Applied {
    pub notice: ChangeNotice,
    pub summaries: Vec<Summary>,
    pub dropped: Vec<DocId>,
    pub gone: Vec<u64>,
    pub rewritten: Vec<(u64, Recorded)>,
    pub refused: Vec<Refused>,
}

impl<'a> Update<'a> {
    pub(super) fn new(store: &'a dyn Store, state: &'a State) -> Self {
        Self {
            store,
            state,
            bases: BTreeMap::new(),
            fates: BTreeMap::new(),
            refused: Vec::new(),
            touched: BTreeSet::new(),
            dropped: BTreeMap::new(),
            whole: BTreeMap::new(),
            keys: BTreeMap::new(),
            batch: Batch::new(),
        }
    }

    /// Takes keys that came for a record; what is here of it is read with them from now on.
    pub(super) fn learn_keys(&mut self, doc: DocId, came: &Keyring) -> Result<(), FieldError> {
        let known = self.keys(doc)?;
        let keys = known.union(came);
        // What was erased or redacted is destroyed already: what shows of it is not.
        if keys != known || came.is_cut() {
            self.keys.insert(doc, keys);
            // The summary of a snapshot that comes with them fits them already.
            if self.has_base(doc)? || self.state.outbox.has(doc) {
                self.touched.insert(doc);
            }
        }
        Ok(())
    }

    /// The keys of a record, as this update leaves them.
    pub(super) fn keys(&self, doc: DocId) -> Result<Keyring, FieldError> {
        self.keys.get(&doc).map_or_else(|| keyring(&self.store, &self.state.vault, doc), |keys| Ok(keys.clone()))
    }

    /// The rows that are written beside.
    pub(super) const fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// Whether the document has a base already.
    pub(super) fn has_base(&mut self, doc: DocId) -> Result<bool, FieldError> {
        Ok(self.whole.contains_key(&doc) || self.base(doc)?.is_some())
    }

    /// Adds accepted changes with their receipts to a base, which is begun if there is none.
    pub(super) fn accept(&mut self, doc: DocId, kind: DocKind, changes: &[(Change, Receipt)]) -> Result<(), FieldError> {
        if self.base(doc)?.is_none() {
            let document = Document::new(kind, doc)?;
            self.bases.insert(doc, Some(LoadedBase { document, receipts: Receipts::default(), changed: true }));
        }
        if let Some(Some(base)) = self.bases.get_mut(&doc) {
            // What the document holds already is left out: an answer that was lost may come twice.
            let new: Vec<&Change> =
                changes.iter().map(|(change, _)| change).filter(|change| !base.document.contains(&change.hash())).collect();
            let missing = new
                .iter()
                .flat_map(|change| change.deps())
                .any(|dep| !base.document.contains(&dep) && !new.iter().any(|change| change.hash() == dep));
            if missing {
                return Err(DocumentError::NotApplied { id: doc }.into());
            }
            if !new.is_empty() {
                base.document.apply(new)?;
            }
            changes.iter().for_each(|(change, receipt)| base.receipts.insert(change.hash(), *receipt));
            base.changed = true;
        }
        self.touched.insert(doc);
        Ok(())
    }

    /// Takes a snapshot in the place of the base. Stored without being loaded when nothing of this phone waits for the document.
    pub(super) fn replace(&mut self, doc: DocId, base: Base, summary: &[u8]) -> Result<(), FieldError> {
        let fits = Summary::from_row(summary, &Keyring::default()).is_ok_and(|summary| summary.id() == doc && summary.kind() == base.kind);
        if fits && !self.state.outbox.has(doc) {
            self.bases.remove(&doc);
            self.whole.insert(doc, (base, summary.to_vec()));
            return Ok(());
        }
        let document = base.load(doc)?;
        self.bases.insert(doc, Some(LoadedBase { document, receipts: base.receipts, changed: true }));
        self.touched.insert(doc);
        Ok(())
    }

    /// Takes a group off the outbox; its documents' summaries are derived again.
    pub(super) fn remove_group(&mut self, number: u64, docs: &[DocId]) {
        self.fates.insert(number, GroupFate::Gone);
        self.touched.extend(docs);
    }

    /// Puts the outcome of a command that was run again into the outbox.
    pub(super) fn rewrite_group(&mut self, number: u64, recorded: Recorded) {
        self.touched.extend(recorded.changes.iter().map(|change| change.doc));
        self.fates.insert(number, GroupFate::Rewritten(Box::new(recorded)));
    }

    /// Keeps a refused group for its author.
    pub(super) fn keep_refused(&mut self, refused: Refused) {
        self.refused.push(refused);
    }

    /// Notes that a document is in a grant's scope, as the present reading of it says.
    pub(super) fn enter(&mut self, held: &HeldGrant, doc: DocId) {
        tables::put(&mut self.batch, tables::member(held.grant.id, doc), &held.generation);
    }

    /// Drops a document that is in no scope any more; one that still has unsent work stays until that is acknowledged.
    pub(super) fn leave(&mut self, grant: GrantId, doc: DocId, others: impl IntoIterator<Item = GrantId>) -> Result<(), FieldError> {
        self.batch.delete(tables::member(grant, doc));
        let mut remaining = Vec::new();
        for other in others.into_iter().filter(|other| *other != grant) {
            if self.store.get(&tables::member(other, doc))?.is_some() {
                remaining.push(other);
            }
        }
        if remaining.is_empty() { self.drop_if_idle(doc) } else { self.narrow_keys(doc, &remaining) }
    }

    /// Keeps of a record's keys what the roles of these grants may read. What waits for it is sealed with the others, and keeps them.
    fn narrow_keys(&mut self, doc: DocId, grants: &[GrantId]) -> Result<(), FieldError> {
        let held = self.keys(doc)?;
        let Some(kind) = self.base(doc)?.map(|base| base.document.kind()).filter(|_| !self.state.outbox.has(doc)) else { return Ok(()) };
        let roles = grants.iter().filter_map(|grant| self.state.grants.get(grant)).map(|held| &held.grant.role);
        let narrowed = roles.fold(Keyring::default(), |all, role| all.union(&policy::opened(role, kind, &held)));
        if !held.is_erased() && narrowed != held {
            self.keys.insert(doc, narrowed);
            self.touched.insert(doc);
        }
        Ok(())
    }

    /// Whether a document with a base is in none of these grants' scopes, this update's entries included.
    pub(super) fn is_orphan(&mut self, doc: DocId, grants: impl IntoIterator<Item = GrantId>) -> Result<bool, FieldError> {
        for grant in grants {
            let key = tables::member(grant, doc);
            let entered = self.batch.iter().any(|(written, value)| written == key && value.is_some());
            if entered || self.store.get(&key)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Drops a document unless this phone still has unsent work on it.
    pub(super) fn drop_if_idle(&mut self, doc: DocId) -> Result<(), FieldError> {
        let waits = self.state.outbox.numbers_of(doc).iter().any(|number| !matches!(self.fates.get(number), Some(GroupFate::Gone)));
        #[cfg(feature = "seeded-bugs")]
        let waits = waits && !self.forgets_unsent_work(doc);
        if waits {
            return Ok(());
        }
        let (state, store) = (self.state, self.store);
        if let Some(base) = self.base(doc)? {
            let (kind, mut kept) = (base.document.kind(), Batch::new());
            // What this person recorded stays with them until the server is known to have a copy of it.
            let own = state.given()?.device.tag();
            for (hash, change) in accepted_changes(&base.document, &base.receipts, &[], |change| change.actor().device == own)? {
                Kept { kind, change, held: state.held_by() }.write(&mut kept, &store, doc, &hash)?;
            }
            self.batch.append(kept);
            self.dropped.insert(doc, kind);
        }
        Ok(())
    }

    #[cfg(feature = "seeded-bugs")]
    fn forgets_unsent_work(&mut self, doc: DocId) -> bool {
        if self.state.bugs.drops_unsent_work {
            self.state.outbox.numbers_of(doc).into_iter().for_each(|number| self.remove_group(number, &[doc]));
        }
        self.state.bugs.drops_unsent_work
    }

    /// The base of a document, as far as this update has brought it, with its keys.
    pub(super) fn base_document(&mut self, doc: DocId) -> Result<Option<(Document, Receipts)>, FieldError> {
        let keys = self.keys(doc)?;
        Ok(self.base(doc)?.map(|base| (base.document.clone().with_keys(keys), base.receipts.clone())))
    }

    fn base(&mut self, doc: DocId) -> Result<Option<&LoadedBase>, FieldError> {
        if !self.bases.contains_key(&doc) {
            let base = match self.whole.remove(&doc) {
                Some((base, _)) => Some((base, true)),
                None => Base::read(&self.store, doc)?.map(|base| (base, false)),
            };
            let loaded = base
                .map(|(base, changed)| Ok::<_, FieldError>(LoadedBase { document: base.load(doc)?, receipts: base.receipts, changed }))
                .transpose()?;
            if loaded.as_ref().is_some_and(|base| base.changed) {
                self.touched.insert(doc);
            }
            self.bases.insert(doc, loaded);
        }
        Ok(self.bases.get(&doc).and_then(Option::as_ref))
    }

    /// The groups that still wait for a document, as this update leaves them.
    pub(super) fn waiting_changes(&self, doc: DocId) -> Result<Vec<RecordedChange>, FieldError> {
        let mut changes = Vec::new();
        for number in self.state.outbox.numbers_of(doc) {
            let recorded = match self.fates.get(&number) {
                Some(GroupFate::Gone) => continue,
                Some(GroupFate::Rewritten(recorded)) => recorded.as_ref().clone(),
                None => Outbox::read(&self.store, number)?,
            };
            changes.extend(recorded.changes.into_iter().filter(|change| change.doc == doc));
        }
        Ok(changes)
    }

    /// The documents whose base waiting changes do not fit: a number that one bears was given to another change of the same actor, or one builds
    /// on what is not there any more.
    pub(super) fn unfit(&mut self) -> Result<Vec<DocId>, FieldError> {
        let mut unfit = Vec::new();
        for doc in self.touched.clone().into_iter().filter(|doc| self.state.outbox.has(*doc)) {
            let waiting = self.waiting_changes(doc)?;
            let Some(base) = self.base(doc)? else { continue };
            let mut known = BTreeSet::new();
            let changes = waiting.iter().filter_map(|change| Change::parse(&change.bytes).ok());
            let is_unfit = changes.into_iter().any(|change| {
                let is_held = base.document.contains(&change.hash());
                let has_ground = change.deps().all(|dep| known.contains(&dep) || base.document.contains(&dep));
                known.insert(change.hash());
                !is_held && (base.document.is_forked_by(&change) || !has_ground)
            });
            if is_unfit {
                unfit.push(doc);
            }
        }
        Ok(unfit)
    }

    /// Whether the bases hold all that a group brought, as far as this update has brought them.
    pub(super) fn holds_all(&mut self, recorded: &Recorded) -> Result<bool, FieldError> {
        for change in &recorded.changes {
            if !self.base(change.doc)?.is_some_and(|base| base.document.contains(&hash_of(&change.bytes))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Base and outbox of a document together, as this update leaves them.
    fn view(&mut self, doc: DocId) -> Result<Option<View>, FieldError> {
        let waiting = self.waiting_changes(doc)?;
        let kind = waiting.first().map(|change| change.kind);
        let (mut document, receipts) = match (self.base_document(doc)?, kind) {
            (Some(base), _) => base,
            (None, Some(kind)) => (Document::new(kind, doc)?.with_keys(self.keys(doc)?), Receipts::default()),
            (None, None) => return Ok(None),
        };
        let changes: Vec<Change> = waiting
            .iter()
            .map(|change| Change::parse(&change.bytes).map_err(|_| DocumentError::Unloadable { id: doc }))
            .collect::<Result<_, _>>()?;
        document.apply(changes.iter().filter(|change| !receipts_have(&receipts, &change.hash())))?;
        Ok(Some(View { document, receipts }))
    }

    /// Bytes that the batch will have, about: so that a long answer is written in slices.
    pub(super) fn weight(&self) -> usize {
        /// What a document that changed adds, when nothing better is known.
        const A_DOCUMENT: usize = 4_096;
        self.batch.bytes()
            + self.whole.values().map(|(base, summary)| base.bytes.len() + summary.len()).sum::<usize>()
            + self.touched.len() * A_DOCUMENT
    }

    /// Derives the summaries and writes everything into one batch.
    pub(super) fn finish(mut self) -> Result<(Batch, Applied), FieldError> {
        let mut applied = Applied::default();
        for doc in std::mem::take(&mut self.touched) {
            if self.dropped.contains_key(&doc) {
                continue;
            }
            match self.view(doc)? {
                Some(view) => {
                    let summary = view.summary();
                    tables::put_summary(&mut self.batch, &summary, view.document.keys());
                    applied.notice.documents.push((summary.kind(), doc));
                    applied.summaries.push(summary);
                }
                // A document that only a refused command would have begun.
                None => {
                    for kind in DocKind::ALL {
                        self.batch.delete(tables::summary(kind, doc));
                        applied.notice.documents.push((kind, doc));
                    }
                    applied.dropped.push(doc);
                }
            }
        }
        self.write_bases(&mut applied)?;
        for (doc, keys) in &self.keys {
            put_keyring(&mut self.batch, &self.state.vault, *doc, keys)?;
        }
        self.write_groups(&mut applied)?;
        Ok((self.batch, applied))
    }

    fn write_bases(&mut self, applied: &mut Applied) -> Result<(), FieldError> {
        for (doc, base) in std::mem::take(&mut self.bases) {
            let Some(base) = base.filter(|base| base.changed && !self.dropped.contains_key(&doc)) else { continue };
            let base = Base { kind: base.document.kind(), bytes: base.document.save(), receipts: base.receipts };
            base.write(&mut self.batch, &self.store, doc)?;
        }
        for (doc, (base, summary)) in std::mem::take(&mut self.whole) {
            base.write(&mut self.batch, &self.store, doc)?;
            self.batch.put(tables::summary(base.kind, doc), row::seal(&summary));
            applied.notice.documents.push((base.kind, doc));
            applied.summaries.push(tables::summary_of(&summary, &self.keys(doc)?)?);
        }
        for (doc, kind) in std::mem::take(&mut self.dropped) {
            chunks::delete_chunked_in(&mut self.batch, &self.store, &tables::base(doc))?;
            self.batch.delete(tables::summary(kind, doc));
            self.batch.delete(tables::keys(doc));
            self.keys.remove(&doc);
            applied.notice.documents.push((kind, doc));
            applied.dropped.push(doc);
        }
        Ok(())
    }

    fn write_groups(&mut self, applied: &mut Applied) -> Result<(), FieldError> {
        for (number, fate) in std::mem::take(&mut self.fates) {
            match fate {
                GroupFate::Gone => {
                    Outbox::delete(&mut self.batch, &self.store, number)?;
                    applied.gone.push(number);
                }
                GroupFate::Rewritten(recorded) => {
                    Outbox::write(&mut self.batch, &self.store, number, &recorded)?;
                    applied.rewritten.push((number, *recorded));
                }
            }
        }
        for refused in std::mem::take(&mut self.refused) {
            let group = refused.group().ok_or(FieldError::Damaged { table: "refused" })?;
            tables::put_long(&mut self.batch, &self.store, &tables::refused(group), &refused)?;
            applied.refused.push(refused);
        }
        Ok(())
    }
}

fn receipts_have(receipts: &Receipts, hash: &ChangeHash) -> bool {
    receipts.get(hash).is_some()
}
