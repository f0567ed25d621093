//! Reading the feed for a phone: which grants it has, and what changed in them behind its cursors.

use std::collections::BTreeSet;

use doorstep_core::docs::{DocKind, Keyring};
use doorstep_core::model::{DocId, Position, Right, Role, Scope, StreetId};
use doorstep_core::policy;
use doorstep_core::sync::server::Page;
use doorstep_core::sync::{
    Entered, Entry, EntryChange, List, MOST_ENTRIES, MOST_ENTRY_CHANGES, MOST_PUSH_BYTES, Part, Reading, RecordKind,
};

use super::accept::Brought;
use super::authenticate::Authenticated;
use super::{Hub, HubError, bootstrap};
use crate::ledger::{FeedRow, LoggedChange, StoredDocument};

/// Ids, keys and lengths of an entry, and of a change in it, in bytes.
const AROUND: usize = 64;
/// How many index rows are read at a time.
const ROWS_AT_ONCE: usize = 256;

/// What a reader sees of a scope: documents of the kinds that its role receives, with the keys of the fields that it may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) scope: Scope,
    role: Role,
    kinds: Vec<DocKind>,
}

impl Sight {
    fn of(right: &Right) -> Self {
        let kinds = DocKind::ALL.into_iter().filter(|kind| policy::receives(&right.role, *kind)).collect();
        Self { scope: right.scope, role: right.role.clone(), kinds }
    }

    pub(super) fn has(&self, kind: DocKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The keys of a record that this reader is given.
    fn keys(&self, kind: DocKind, keys: &Keyring) -> Keyring {
        policy::opened(&self.role, kind, keys)
    }

    /// Whether a row of the feed is one for this reader. That a document left is told also to who never saw it: its id says nothing.
    pub(super) fn has_row(&self, row: &FeedRow) -> bool {
        match row {
            FeedRow::Document { kind, .. } => self.has(*kind),
            FeedRow::Record { .. } | FeedRow::Left { .. } => true,
        }
    }
}

/// What is left of the size that one answer aims at.
pub(super) struct Budget {
    bytes: usize,
    entries: usize,
}

impl Budget {
    pub(super) const fn is_spent(&self) -> bool {
        self.bytes == 0 || self.entries == 0
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn spend(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.entries = self.entries.saturating_sub(1);
    }
}

/// The entries of a part: each document once.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) entries: Vec<Entry>,
    keys: Vec<(DocId, Keyring)>,
    seen: BTreeSet<DocId>,
}

impl Answer {
    pub(super) fn take(&mut self, entry: Entry) {
        self.seen.insert(entry.id());
        self.entries.push(entry);
    }

    /// Takes the keys of a record along, if the reader is to have any of them.
    pub(super) fn take_keys(&mut self, doc: DocId, keys: Keyring) {
        if keys.is_erased() || !keys.is_empty() {
            self.keys.push((doc, keys));
        }
    }

    /// Takes those that the reader did not bring. A copy of a phone may have pushed all there is of a record without having all its keys.
    fn take_keys_but(&mut self, own: &Brought, doc: DocId, keys: Keyring) {
        if keys.is_cut() || !own.keys.get(&doc).is_some_and(|brought| brought.covers(&keys)) {
            self.take_keys(doc, keys);
        }
    }

    /// The keys for the part that the entries make.
    pub(super) fn keys(&mut self) -> Option<List<(DocId, Keyring), MOST_ENTRIES>> {
        (!self.keys.is_empty()).then(|| List(std::mem::take(&mut self.keys)))
    }
}

impl Hub {
    /// What a request's cursors lack, leaving out the changes of its own push. What phones read on comes first, then what they cannot be used
    /// without, then the rest of what they have begun.
    pub(super) fn read(&self, who: &Authenticated, cursors: &[Reading], brought: &Brought) -> Result<Page, HubError> {
        let none = Brought::default();
        let left = cursors.iter().map(|cursor| cursor.grant).filter(|id| !who.grants.iter().any(|grant| grant.id == *id)).collect();
        let mut page = Page { left, backed_up_to: who.street.backed_up_to, ..Page::default() };
        let mut readings = Vec::new();
        for grant in &who.grants {
            readings.push(match cursors.iter().find(|cursor| cursor.grant == grant.id) {
                Some(cursor) => (Sight::of(&grant.right()), *cursor, brought),
                // The phone could not note that what it pushed is in this scope, so it is told all of it.
                None => {
                    page.entered.push(Entered { grant: grant.clone() });
                    (Sight::of(&grant.right()), Reading::at(grant.id, Position(0)), &none)
                }
            });
        }
        readings.sort_by_key(|(_, reading, _)| (reading.position == Position(0), !bootstrap::is_urgent(reading)));
        let mut urgent = readings.iter().filter(|(_, reading, _)| bootstrap::is_urgent(reading)).count();
        let mut budget = Budget { bytes: self.answer_bytes, entries: MOST_ENTRIES };
        for (sight, reading, brought) in &readings {
            urgent -= usize::from(bootstrap::is_urgent(reading));
            let part = if reading.position == Position(0) {
                Some(self.bootstrap(who.street.id, sight, reading, brought, &mut budget, urgent > 0)?)
            } else {
                self.read_grant(who.street.id, sight, reading, brought, &mut budget)?
            };
            page.parts.extend(part);
        }
        page.inbox = self.inbox_for(who)?;
        Ok(page)
    }

    /// One part: from the cursor to wherever the budget reaches. `None` when nothing stands behind the cursor.
    ///
    /// A document that the phone brought once more may have left the scope before the cursor, or have passed through it within one push, which
    /// no row says: the phone, which goes by what it brought, is told.
    fn read_grant(
        &self,
        street: StreetId,
        sight: &Sight,
        reading: &Reading,
        brought: &Brought,
        budget: &mut Budget,
    ) -> Result<Option<Part>, HubError> {
        let newest = self.ledger.newest(street)?;
        let (grant, from) = (reading.grant, reading.position);
        let mut answer = Answer::default();
        for doc in &brought.again {
            if self.seen_as(street, sight, *doc)?.is_none() {
                answer.take(Entry::Left { doc: *doc });
            }
        }
        self.take_lacking_keys(street, sight, brought, &mut answer)?;
        let (to, more) = self.read_on(street, sight, reading, brought, budget, &mut answer)?;
        // With the budget spent by another grant, the phone must still come back for this one, even when nothing was read.
        let to = to.min(newest).max(from);
        let keys = answer.keys();
        let part = Part { grant, from, to, entries: List(answer.entries), more: more.then_some(true), bootstrap: None, keys };
        // A phone that was told of more hears that it was all, even where nothing is left of it.
        let says_something = part.to > from || more || part.keys.is_some() || reading.since.is_some() || !part.entries.0.is_empty();
        Ok(says_something.then_some(part))
    }

    /// The kind of a document that stands in what is seen here; `None` for any other.
    fn seen_as(&self, street: StreetId, sight: &Sight, doc: DocId) -> Result<Option<DocKind>, HubError> {
        let stands = |(kind, scopes): &(DocKind, Vec<Scope>)| sight.has(*kind) && scopes.contains(&sight.scope);
        Ok(self.ledger.scopes(street, doc)?.filter(stands).map(|(kind, _)| kind))
    }

    /// Takes the keys of records for which something was sealed that does not open, wherever the cursor stands: with them the phone seals it anew at
    /// once, and does not try again and again while a long reading has yet to come to the record.
    pub(super) fn take_lacking_keys(
        &self,
        street: StreetId,
        sight: &Sight,
        brought: &Brought,
        answer: &mut Answer,
    ) -> Result<(), HubError> {
        for doc in &brought.unreadable {
            if let Some(kind) = self.seen_as(street, sight, *doc)? {
                answer.take_keys(*doc, sight.keys(kind, &self.ledger.keys(street, *doc)?.0));
            }
        }
        Ok(())
    }

    /// Reads on behind a cursor, as far as the budget reaches: up to where, and whether there is more.
    ///
    /// A document that is changed meanwhile moves behind what was the newest position, where it must still be found: the cursor may pass only
    /// what was read. So the reading goes to the end of the feed, and the caller lets the cursor go only to what was the newest position
    /// before; what lies beyond comes again the next time. A part that the budget cuts always has `more`, even where all that is left lies
    /// beyond: it may be what moved, with changes that the phone has not yet had.
    pub(super) fn read_on(
        &self,
        street: StreetId,
        sight: &Sight,
        reading: &Reading,
        own: &Brought,
        budget: &mut Budget,
        answer: &mut Answer,
    ) -> Result<(Position, bool), HubError> {
        let mut to = reading.position;
        loop {
            let rows = self.ledger.feed(street, sight.scope, to, ROWS_AT_ONCE)?;
            let last_page = rows.len() < ROWS_AT_ONCE;
            for row in rows {
                if budget.is_spent() {
                    return Ok((to, true));
                }
                to = row.position();
                if !sight.has_row(&row) || answer.seen.contains(&row.id()) {
                    continue;
                }
                let keys_before = answer.keys.len();
                match self.entry(street, sight, reading, &row, own, answer)? {
                    Some(entry) => {
                        budget.spend(size_of(&entry));
                        answer.take(entry);
                    }
                    // That a record was erased comes without an entry, and a part has a bound for these as well.
                    None if answer.keys.len() > keys_before => budget.spend(AROUND),
                    None => {}
                }
            }
            if last_page {
                return Ok((to, false));
            }
        }
    }

    /// What a row means for a reader; `None` if that is nothing but its own push.
    fn entry(
        &self,
        street: StreetId,
        sight: &Sight,
        reading: &Reading,
        row: &FeedRow,
        own: &Brought,
        answer: &mut Answer,
    ) -> Result<Option<Entry>, HubError> {
        let complete = reading.complete_up_to();
        match row {
            FeedRow::Left { doc, .. } => Ok(Some(Entry::Left { doc: *doc })),
            FeedRow::Record { id, kind: RecordKind::Directory, .. } => Ok(Some(self.directory_entry(street, *id)?)),
            FeedRow::Document { doc, kind, entered, .. } if *entered <= complete => {
                let logged = self.ledger.changes_after(street, *doc, complete, MOST_ENTRY_CHANGES + 1)?;
                let fits = |changes: &Vec<LoggedChange>| {
                    changes.len() <= MOST_ENTRY_CHANGES && changes.iter().map(|change| change.bytes.len()).sum::<usize>() <= MOST_PUSH_BYTES
                };
                let Some(changes) = logged.filter(fits) else { return self.whole(street, sight, *doc, &Brought::default(), answer) };
                let changes: Vec<EntryChange> =
                    changes.into_iter().filter(|change| !own.hashes.contains(&change.hash)).map(to_entry).collect();
                let (keys, keys_at) = self.ledger.keys(street, *doc)?;
                if keys_at > complete {
                    answer.take_keys_but(own, *doc, sight.keys(*kind, &keys));
                }
                Ok((!changes.is_empty()).then_some(Entry::Changes { doc: *doc, kind: *kind, changes: List(changes) }))
            }
            // The document came into the scope behind the cursor: all of it, unless all of it was just pushed.
            FeedRow::Document { doc, .. } => self.whole(street, sight, *doc, own, answer),
        }
    }

    /// All of a document, unless all of it is in `own`; then its keys, unless they are as well.
    fn whole(&self, street: StreetId, sight: &Sight, doc: DocId, own: &Brought, answer: &mut Answer) -> Result<Option<Entry>, HubError> {
        let Some(stored) = self.ledger.document(street, doc)? else { return Ok(None) };
        if stored.receipts.iter().any(|(hash, _)| !own.hashes.contains(hash)) {
            return self.snapshot(street, sight, doc, stored, answer).map(Some);
        }
        answer.take_keys_but(own, doc, sight.keys(stored.kind, &stored.keys));
        Ok(None)
    }

    /// A document as it is in the ledger. Where that has nothing but a snapshot it is sent as it lies; else it is loaded, 400 µs and more.
    pub(super) fn snapshot(
        &self,
        street: StreetId,
        sight: &Sight,
        doc: DocId,
        stored: StoredDocument,
        answer: &mut Answer,
    ) -> Result<Entry, HubError> {
        let StoredDocument { kind, version, .. } = stored;
        answer.take_keys(doc, sight.keys(kind, &stored.keys));
        #[cfg(feature = "seeded-bugs")]
        if let Some(bytes) = stored.snapshot.clone().filter(|_| self.bugs.snapshots_lack_log) {
            return Ok(Entry::Snapshot { doc, kind, bytes, receipts: stored.receipts, summary: stored.summary });
        }
        let bytes = match stored.snapshot {
            Some(bytes) if stored.log.is_empty() => bytes,
            // What the cache holds counts only if it is what was read just now: it learns of a commit later than readers do.
            _ => match self.cache.get(street, doc).filter(|loaded| loaded.version == version) {
                Some(loaded) => loaded.document.save(),
                None => stored.load(doc)?.save(),
            },
        };
        Ok(Entry::Snapshot { doc, kind, bytes, receipts: stored.receipts, summary: stored.summary })
    }

    pub(super) fn directory_entry(&self, street: StreetId, id: DocId) -> Result<Entry, HubError> {
        let bytes = minicbor::to_vec(self.ledger.directory(street)?).unwrap_or_default();
        Ok(Entry::Record { id, kind: RecordKind::Directory, bytes })
    }
}

fn to_entry(change: LoggedChange) -> EntryChange {
    EntryChange::new(change.bytes, change.receipt)
}

/// About as many bytes as the entry takes on the wire, before compression.
pub(super) fn size_of(entry: &Entry) -> usize {
    AROUND
        + match entry {
            Entry::Changes { changes, .. } => changes.0.iter().map(|change| change.bytes.len() + AROUND).sum(),
            Entry::Snapshot { bytes, receipts, summary, .. } => bytes.len() + summary.len() + receipts.len() * AROUND,
            Entry::Record { bytes, .. } => bytes.len(),
            Entry::Left { .. } => 0,
        }
}
