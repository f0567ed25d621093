//! Reconciliation with a server that was set up again from a backup: what this phone holds and the server lost is given back before anything
//! else, its own work and others', with the receipts that the former ledger gave.
//!
//! Document after document is offered, by id, some at a time; of what the server says it lacks, the changes are relayed. Then the next slice.
//! Only when all are through is anything sent or read as usual: a reading would put what the server has in the place of what it lost. How far
//! this has come is on disk, so that it goes on after a restart; a slice that was broken off comes again. What the server does not take, because
//! what it builds on is not there yet, stays here as [kept](super::kept) and is offered again with each exchange.

use std::collections::{BTreeSet, VecDeque};

use crate::docs::DocKind;
use crate::field::documents::Base;
use crate::field::engine::State;
use crate::field::kept::{HeldBy, Kept, accepted_changes};
use crate::field::tables::{self, Setting};
use crate::field::{Engine, FieldError};
use crate::model::{ChangeHash, DocId, LedgerId, Position};
use crate::store::{Batch, Store};
use crate::sync::{EntryChange, List, MOST_ENTRY_CHANGES, MOST_GROUP_CHANGES, MOST_GROUPS, MOST_PUSH_BYTES, Offer, Relay, Response};

/// How many documents are offered at a time. Each is loaded for its heads, some 200 µs, while commands wait.
const OFFERS_AT_ONCE: usize = 512;

/// How far a reconciliation has come, as it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Progress {
    /// Up to this document everything was offered and given back.
    #[n(0)]
    pub after: Option<DocId>,
    /// Only what no base holds is offered.
    #[n(1)]
    pub kept_only: Option<bool>,
}

/// A reconciliation that is under way.
#[derive(Debug)]
pub(super) struct Reconciliation {
    progress: Progress,
    /// The last document of the slice that was offered.
    offered: Option<DocId>,
    /// What the server lacks of the slice.
    owed: VecDeque<Owed>,
    /// What the request brings that is under way: only its answer says anything of it.
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
enum UnderWay {
    Offers,
    Relays(Vec<Sent>),
}

/// A document of which the server lacks something.
#[derive(Debug)]
struct Owed {
    doc: DocId,
    /// What the server has, as far as is known.
    known: Vec<ChangeHash>,
}

/// What was relayed of a document.
#[derive(Debug)]
struct Sent {
    doc: DocId,
    hashes: Vec<ChangeHash>,
    /// There was no room for all.
    is_cut: bool,
}

impl Reconciliation {
    pub(super) const fn from(progress: Progress) -> Self {
        Self { progress, offered: None, owed: VecDeque::new(), under_way: None }
    }

    /// One of what a server did not take back so far.
    pub(super) const fn of_what_is_owed() -> Self {
        Self::from(Progress { after: None, kept_only: Some(true) })
    }
}

/// What a request brings of a reconciliation.
#[derive(Default)]
pub(super) struct Turn {
    pub offers: Vec<Offer>,
    pub relays: Vec<Relay>,
}

impl Engine {
    /// Begins a reconciliation with a new life of the ledger, in the batch in which that is noted.
    pub(super) fn begin_reconciliation(batch: &mut Batch) -> Reconciliation {
        let progress = Progress::default();
        tables::put(batch, tables::setting(Setting::Reconciliation), &progress);
        Reconciliation::from(progress)
    }

    /// What the next request gives back; `None` once everything was, which is noted.
    pub(super) fn next_turn(&self, state: &mut State) -> Result<Option<Turn>, FieldError> {
        let Some(reconciliation) = state.reconciliation.as_mut() else { return Ok(None) };
        let store: &dyn Store = &*self.store;
        let relays = reconciliation.relays(store)?;
        if !relays.is_empty() {
            return Ok(Some(Turn { offers: Vec::new(), relays }));
        }
        let offers = reconciliation.offers(store)?;
        if !offers.is_empty() {
            return Ok(Some(Turn { offers, relays }));
        }
        let mut batch = Batch::new();
        batch.delete(tables::setting(Setting::Reconciliation));
        self.store.commit(batch)?;
        state.reconciliation = None;
        state.is_owing = Kept::any_owed(&store)?;
        Ok(None)
    }

    /// Takes the answer to a turn. A response that answers none says nothing of what is owed.
    pub(super) fn take_turn(&self, state: &mut State, response: &Response) -> Result<(), FieldError> {
        let Some(reconciliation) = state.reconciliation.as_mut() else { return Ok(()) };
        let Some(under_way) = reconciliation.under_way.take() else { return Ok(()) };
        let store: &dyn Store = &*self.store;
        let lacking: &[Offer] = response.lacking.as_ref().map_or(&[], |lacking| lacking.0.as_slice());
        let held = response.accepted_by.map(|by| HeldBy { ledger: response.ledger, by });
        let mut batch = Batch::new();
        let kept = tables::kept_changes(&store)?;
        if let UnderWay::Relays(sent) = under_way {
            reconciliation.take_relayed(store, &mut batch, &kept, sent, lacking, held)?;
        } else {
            reconciliation.owed = lacking.iter().map(|offer| Owed { doc: offer.doc, known: offer.heads.0.clone() }).collect();
            let owed: BTreeSet<DocId> = lacking.iter().map(|offer| offer.doc).collect();
            let (after, offered) = (reconciliation.progress.after, reconciliation.offered);
            let in_slice = |doc: &DocId| Some(*doc) > after && Some(*doc) <= offered && !owed.contains(doc);
            arrived(store, &mut batch, kept.iter().filter(|(doc, _)| in_slice(doc)), held)?;
        }
        if reconciliation.owed.is_empty() {
            reconciliation.progress.after = reconciliation.offered;
            tables::put(&mut batch, tables::setting(Setting::Reconciliation), &reconciliation.progress);
        }
        Ok(self.store.commit(batch)?)
    }
}

impl Reconciliation {
    /// The relays of the next request; none when nothing is owed.
    fn relays(&mut self, store: &dyn Store) -> Result<Vec<Relay>, FieldError> {
        let mut sent = Vec::new();
        let kept = tables::kept_changes(&store)?;
        let (mut relays, mut bytes) = (Vec::new(), 0);
        while relays.len() < MOST_GROUPS && bytes < MOST_PUSH_BYTES {
            let Some(owed) = self.owed.get(relays.len()) else { break };
            let (kind, changes) = lacked(store, &kept, owed)?;
            let all = changes.len();
            let room = |(_, change): &(ChangeHash, EntryChange)| {
                let before = bytes;
                bytes += change.bytes.len();
                // One change more than there is room for always goes: a limit must not stop everything.
                before < MOST_PUSH_BYTES
            };
            let taken: Vec<(ChangeHash, EntryChange)> = changes.into_iter().take(MOST_ENTRY_CHANGES).take_while(room).collect();
            sent.push(Sent { doc: owed.doc, hashes: taken.iter().map(|(hash, _)| *hash).collect(), is_cut: taken.len() < all });
            let changes = List(taken.into_iter().map(|(_, change)| change).collect());
            relays.push(Relay { doc: owed.doc, kind, changes });
        }
        self.under_way = (!relays.is_empty()).then_some(UnderWay::Relays(sent));
        Ok(relays)
    }

    /// The offers of the next slice; none when all documents are through.
    fn offers(&mut self, store: &dyn Store) -> Result<Vec<Offer>, FieldError> {
        let after = self.progress.after;
        let kept = tables::kept_changes(&store)?;
        let mut documents: BTreeSet<DocId> = kept.iter().map(|(doc, _)| *doc).filter(|doc| Some(*doc) > after).collect();
        if self.progress.kept_only != Some(true) {
            documents.extend(tables::based_documents(&store, after, OFFERS_AT_ONCE)?);
        }
        let mut offers = Vec::new();
        for doc in documents.into_iter().take(OFFERS_AT_ONCE) {
            self.offered = Some(doc);
            let base = Base::read(&store, doc)?;
            let kept = Kept::of(&store, &kept, doc)?;
            let kind = base.as_ref().map(|base| base.kind).or_else(|| kept.first().map(|(_, kept)| kept.kind));
            let Some(kind) = kind else { continue };
            let document = base.map(|base| base.load(doc)).transpose()?;
            let mut heads = document.as_ref().map(crate::docs::Document::heads).unwrap_or_default();
            heads.extend(
                kept.iter().map(|(hash, _)| *hash).filter(|hash| document.as_ref().is_none_or(|document| !document.contains(hash))),
            );
            // With more than this, what is told of is the latest: the server lacks what those build on if it lacks anything.
            let first = heads.len().saturating_sub(MOST_GROUP_CHANGES);
            offers.push(Offer { doc, kind, heads: List(heads.split_off(first)) });
        }
        self.under_way = (!offers.is_empty()).then_some(UnderWay::Offers);
        Ok(offers)
    }

    /// What came of relays. What the server lacks still, though all was sent, it does not take: that is kept.
    fn take_relayed(
        &mut self,
        store: &dyn Store,
        batch: &mut Batch,
        kept: &[(DocId, ChangeHash)],
        sent: Vec<Sent>,
        lacking: &[Offer],
        held: Option<HeldBy>,
    ) -> Result<(), FieldError> {
        for Sent { doc, hashes, is_cut } in sent {
            let Some(index) = self.owed.iter().position(|owed| owed.doc == doc) else { continue };
            let Some(mut owed) = self.owed.remove(index) else { continue };
            let still = lacking.iter().find(|offer| offer.doc == doc);
            if let Some(still) = still {
                owed.known.clone_from(&still.heads.0);
                let (kind, changes) = lacked(store, kept, &owed)?;
                for (hash, change) in changes {
                    Kept { kind, change, held: None }.write(batch, &store, doc, &hash)?;
                }
            } else if is_cut {
                owed.known.extend(hashes);
                self.owed.push_front(owed);
            } else {
                arrived(store, batch, kept.iter().filter(|(other, _)| *other == doc), held)?;
            }
        }
        Ok(())
    }
}

/// The accepted changes of a document that the server lacks, each behind what it builds on.
fn lacked(store: &dyn Store, kept: &[(DocId, ChangeHash)], owed: &Owed) -> Result<(DocKind, Vec<(ChangeHash, EntryChange)>), FieldError> {
    let kept = Kept::of(&store, kept, owed.doc)?;
    let base = Base::read(&store, owed.doc)?;
    let kind = base.as_ref().map(|base| base.kind).or_else(|| kept.first().map(|(_, kept)| kept.kind));
    let kind = kind.ok_or(FieldError::Damaged { table: "base" })?;
    let mut changes = match &base {
        Some(base) => accepted_changes(&base.load(owed.doc)?, &base.receipts, &owed.known, |_| true)?,
        None => Vec::new(),
    };
    let seen: BTreeSet<ChangeHash> = changes.iter().map(|(hash, _)| *hash).chain(owed.known.iter().copied()).collect();
    let in_base = |hash: &ChangeHash| base.as_ref().is_some_and(|base| base.receipts.get(hash).is_some());
    changes.extend(kept.into_iter().filter(|(hash, _)| !seen.contains(hash) && !in_base(hash)).map(|(hash, kept)| (hash, kept.change)));
    Ok((kind, changes))
}

/// Notes that the server has kept changes again; they stay until a backup has them.
fn arrived<'a>(
    store: &dyn Store,
    batch: &mut Batch,
    changes: impl Iterator<Item = &'a (DocId, ChangeHash)>,
    held: Option<HeldBy>,
) -> Result<(), FieldError> {
    for (doc, hash) in changes {
        let kept = Kept::read(&store, *doc, hash)?;
        Kept { held, ..kept }.write(batch, &store, *doc, hash)?;
    }
    Ok(())
}

impl State {
    /// Where the ledger is known to have come at least, for what is accepted of a document that is dropped.
    pub(super) fn held_by(&self) -> Option<HeldBy> {
        let ledger: LedgerId = self.ledger?;
        let read = self.grants.values().map(|held| held.position).max().unwrap_or(Position(0));
        Some(HeldBy { ledger, by: read.max(self.accepted_by) })
    }
}
