//! Applying a part of an answer: the entries of one grant, in slices, and the cursor with the last of them.
//!
//! A reading from the start names all that is in the scope. Whatever it names is marked with its generation, in the batch that brings it, so
//! that nothing needs to be rewritten at the end; what is left without the mark then leaves the scope, as if the server had said so. The
//! generation is on disk before the first mark: of a reading that was broken off no mark may count for the next.

use std::collections::BTreeMap;

use crate::docs::{Change, DocumentError, Keyring};
use crate::field::documents::Base;
use crate::field::engine::State;
use crate::field::held::HeldGrant;
use crate::field::tables::{self, Setting};
use crate::field::update::{Applied, Update};
use crate::field::{ChangeNotice, Engine, FieldError, fork};
use crate::model::{Directory, DocId, GrantId, Incarnation, Receipt};
use crate::store::{Batch, Store as _};
use crate::sync::client::SyncFailure;
use crate::sync::{Entry, Part, RecordKind};

/// How many bytes of rows are written in one batch.
const SLICE_BYTES: usize = 512 * 1024;
/// How many documents are dropped in one batch.
const DROPPED_AT_ONCE: usize = 1_024;
/// How often in one exchange a grant is read again from the start, before the engine waits like after a failure.
const MOST_READINGS_ANEW: u32 = 2;

/// What a part came to.
#[derive(Default)]
pub(super) struct Outcome {
    /// Whether to ask again at once, because the grant has to be read from the start.
    pub again: bool,
    /// Whether the phone stands elsewhere than before.
    pub moved: bool,
}

impl Engine {
    /// Has everything read again from the start at the next sync, for a phone that seems to be wrong. What it holds stays until then, what it
    /// recorded stays anyhow. Waits for the disk.
    ///
    /// # Errors
    /// When the store fails.
    pub fn read_everything_again(&self) -> Result<(), FieldError> {
        let mut state = self.state();
        let grants: BTreeMap<GrantId, HeldGrant> = state.grants.iter().map(|(id, held)| (*id, held.anew())).collect();
        let mut batch = Batch::new();
        grants.values().for_each(|held| tables::put(&mut batch, tables::grant(held.grant.id), held));
        self.store.commit(batch)?;
        state.grants = grants;
        state.set_back = true;
        drop(state);
        self.tell(&ChangeNotice { status: true, ..ChangeNotice::default() });
        Ok(())
    }

    /// Applies one part. Changes that do not fit what is here have the grant read again from the start.
    pub(super) fn apply_part(&self, state: &mut State, part: Part, notice: &mut ChangeNotice) -> Result<Outcome, FieldError> {
        let Some(mut held) = state.grants.get(&part.grant).cloned().filter(|held| held.is_continued_by(&part)) else {
            return Ok(Outcome::default()); // of a cursor that is not ours any more
        };
        if held.is_begun_by(&part) {
            held.begin();
            self.keep_grant(state, held.clone())?;
        }
        let completes = held.is_completed_by(&part);
        let mut after = held.clone();
        after.advance(&part);
        let moved = after.reading() != held.reading();
        let received = part.entries.0.len();
        #[cfg(feature = "seeded-bugs")]
        if state.bugs.moves_cursor_first && !completes {
            self.keep_grant(state, after.clone())?;
        }
        let keys = part.keys.unwrap_or_default().0;
        for (doc, keys) in keys.iter().filter(|(_, keys)| keys.is_cut()) {
            self.cut_keys(state, *doc, keys)?;
        }
        match self.apply_entries(state, keys, part.entries.0, &held, (!completes).then_some(&after), notice) {
            Err(FieldError::Document(DocumentError::NotApplied { .. })) => return self.read_anew(state, &held),
            applied => applied?,
        }
        if completes {
            self.sweep(state, &held, notice)?;
            self.keep_grant(state, after)?;
        } else {
            state.grants.insert(after.grant.id, after);
        }
        state.exchanged.received += received;
        Ok(Outcome { again: false, moved })
    }

    /// Applies entries in slices; `after` is what the grant's row says from the last of them on.
    fn apply_entries(
        &self,
        state: &mut State,
        mut keys: Vec<(DocId, Keyring)>,
        entries: Vec<Entry>,
        held: &HeldGrant,
        after: Option<&HeldGrant>,
        notice: &mut ChangeNotice,
    ) -> Result<(), FieldError> {
        let others: Vec<GrantId> = state.grants.keys().copied().collect();
        let mut entries = entries.into_iter().peekable();
        loop {
            let (fresh, now) = (Incarnation::make(&mut *state.entropy), self.now(state));
            #[cfg(feature = "seeded-bugs")]
            let fresh = state.bugs.incarnation(fresh, state.incarnation);
            let mut update = Update::new(&*self.store, state);
            let mut directory = None;
            for (doc, keys) in std::mem::take(&mut keys) {
                update.learn_keys(doc, &keys)?;
            }
            while update.weight() < SLICE_BYTES {
                let Some(entry) = entries.next() else { break };
                apply_entry(&mut update, held, &others, entry, &mut directory)?;
            }
            let is_last = entries.peek().is_none();
            if let Some(after) = after.filter(|_| is_last) {
                tables::put(update.batch(), tables::grant(after.grant.id), after);
            }
            if let Some(directory) = &directory {
                let key = tables::setting(Setting::Directory);
                tables::put_long(update.batch(), &self.store, &key, directory)?;
            }
            let forked = fork::mend(&mut update, &*self.store, state, fresh, now)?;
            let finished = update.finish()?;
            self.commit_update(finished, state, notice)?;
            if forked {
                state.incarnation = fresh;
            }
            if let Some(directory) = directory {
                state.directory = Some(directory);
                notice.directory = true;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Drops what a whole reading of a grant did not name: it left the scope while nobody told this phone.
    fn sweep(&self, state: &mut State, held: &HeldGrant, notice: &mut ChangeNotice) -> Result<(), FieldError> {
        let unnamed = tables::members_before(&self.store, held.grant.id, held.generation)?;
        self.leave_documents(state, held.grant.id, &unnamed, notice)
    }

    /// Takes documents out of a grant's scope, in slices.
    pub(super) fn leave_documents(
        &self,
        state: &mut State,
        grant: GrantId,
        docs: &[DocId],
        notice: &mut ChangeNotice,
    ) -> Result<(), FieldError> {
        let others: Vec<GrantId> = state.grants.keys().copied().filter(|other| *other != grant).collect();
        for slice in docs.chunks(DROPPED_AT_ONCE) {
            let mut update = Update::new(&*self.store, state);
            for doc in slice {
                update.leave(grant, *doc, others.iter().copied())?;
            }
            self.commit_update(update.finish()?, state, notice)?;
        }
        Ok(())
    }

    /// Snapshots of everything repair what does not fit; where they do not, asking once more is of no use.
    fn read_anew(&self, state: &mut State, held: &HeldGrant) -> Result<Outcome, FieldError> {
        if state.anew >= MOST_READINGS_ANEW {
            return Err(SyncFailure::Unfit { what: "changes build on what is not here, and reading anew does not help" }.into());
        }
        state.anew += 1;
        self.keep_grant(state, held.anew())?;
        Ok(Outcome { again: true, moved: true })
    }

    /// Writes a grant with its cursor.
    pub(super) fn keep_grant(&self, state: &mut State, held: HeldGrant) -> Result<(), FieldError> {
        let mut batch = Batch::new();
        tables::put(&mut batch, tables::grant(held.grant.id), &held);
        self.store.commit(batch)?;
        state.grants.insert(held.grant.id, held);
        Ok(())
    }

    pub(super) fn commit_update(&self, finished: (Batch, Applied), state: &mut State, notice: &mut ChangeNotice) -> Result<(), FieldError> {
        let (batch, applied) = finished;
        self.store.commit(batch)?;
        state.take(applied, notice);
        Ok(())
    }
}

fn apply_entry(
    update: &mut Update<'_>,
    held: &HeldGrant,
    others: &[GrantId],
    entry: Entry,
    directory: &mut Option<Directory>,
) -> Result<(), FieldError> {
    match entry {
        Entry::Changes { doc, kind, changes } => {
            let changes: Vec<(Change, Receipt)> = changes
                .0
                .iter()
                .map(|change| {
                    let parsed = Change::parse(&change.bytes).map_err(|_| DocumentError::NotApplied { id: doc })?;
                    Ok((parsed, change.receipt()))
                })
                .collect::<Result<_, FieldError>>()?;
            update.accept(doc, kind, &changes)?;
            update.enter(held, doc);
        }
        Entry::Snapshot { doc, kind, bytes, receipts, summary } => {
            update.replace(doc, Base { kind, bytes, receipts }, &summary)?;
            update.enter(held, doc);
        }
        Entry::Left { doc } => update.leave(held.grant.id, doc, others.iter().copied())?,
        Entry::Record { kind: RecordKind::Directory, bytes, .. } => {
            *directory = Some(minicbor::decode(&bytes).map_err(|_| SyncFailure::Unfit { what: "the directory does not decode" })?);
        }
    }
    Ok(())
}
