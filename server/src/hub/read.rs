//! Reading the feed for a phone: which grants it has, and what changed in them behind its cursors.

use std::collections::BTreeSet;

use doorstep_core::model::{ChangeHash, DocId, Position, Scope, StreetId};
use doorstep_core::sync::server::Page;
use doorstep_core::sync::{
    Entered, Entry, EntryChange, List, MOST_ENTRIES, MOST_ENTRY_CHANGES, MOST_PUSH_BYTES, Part, Reading, RecordKind,
};

use super::authenticate::Authenticated;
use super::{Hub, HubError};
use crate::ledger::{FeedRow, LoggedChange};

/// How many index rows are read at a time.
const ROWS_AT_ONCE: usize = 256;

/// What is left of the size that one answer aims at.
struct Budget {
    bytes: usize,
    entries: usize,
}

impl Budget {
    const fn is_spent(&self) -> bool {
        self.bytes == 0 || self.entries == 0
    }

    fn spend(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.entries = self.entries.saturating_sub(1);
    }
}

impl Hub {
    /// What a request's cursors lack, leaving out the changes of its own push.
    pub(super) fn read(&self, who: &Authenticated, cursors: &[Reading], pushed: &[ChangeHash]) -> Result<Page, HubError> {
        let own: BTreeSet<ChangeHash> = pushed.iter().copied().collect();
        let none = BTreeSet::new();
        let left = cursors.iter().map(|cursor| cursor.grant).filter(|id| !who.grants.iter().any(|grant| grant.id == *id)).collect();
        let mut page = Page { left, ..Page::default() };
        let mut budget = Budget { bytes: self.answer_bytes, entries: MOST_ENTRIES };
        for grant in &who.grants {
            let (reading, own) = match cursors.iter().find(|cursor| cursor.grant == grant.id) {
                Some(cursor) => (*cursor, &own),
                // The phone could not note that what it pushed is in this scope, so it is told all of it.
                None => {
                    page.entered.push(Entered { grant: *grant });
                    (Reading::at(grant.id, Position(0)), &none)
                }
            };
            page.parts.extend(self.read_grant(who.street.id, grant.scope, &reading, own, &mut budget)?);
        }
        Ok(page)
    }

    /// One part: from the cursor to wherever the budget reaches. `None` when nothing stands behind the cursor.
    ///
    /// A document that is changed meanwhile moves behind `newest`, where it must still be found: the cursor may pass only what was read. So the
    /// reading goes to the end of the feed, and the cursor only to `newest`; what lies beyond comes again the next time. A part that the budget
    /// cuts always has `more`, even where all that is left lies beyond: it may be what moved, with changes that the phone has not yet had.
    fn read_grant(
        &self,
        street: StreetId,
        scope: Scope,
        reading: &Reading,
        own: &BTreeSet<ChangeHash>,
        budget: &mut Budget,
    ) -> Result<Option<Part>, HubError> {
        let newest = self.ledger.newest(street)?;
        let (grant, from) = (reading.grant, reading.position);
        let mut entries = Vec::new();
        let mut seen: BTreeSet<DocId> = BTreeSet::new();
        let mut to = from;
        let mut more = false;
        'pages: loop {
            let rows = self.ledger.feed(street, scope, to, ROWS_AT_ONCE)?;
            let last_page = rows.len() < ROWS_AT_ONCE;
            for row in rows {
                if budget.is_spent() {
                    more = true;
                    break 'pages;
                }
                to = row.position();
                if !seen.contains(&row.id())
                    && let Some(entry) = self.entry(street, reading, &row, own)?
                {
                    seen.insert(entry.id());
                    budget.spend(size_of(&entry));
                    entries.push(entry);
                }
            }
            if last_page {
                break;
            }
        }
        // With the budget spent by another grant, the phone must still come back for this one, even when nothing was read.
        let part = Part { grant, from, to: to.min(newest).max(from), entries: List(entries), more: more.then_some(true) };
        Ok((part.to > from || more).then_some(part))
    }

    /// What a row means for a reader; `None` if that is nothing but its own push.
    fn entry(&self, street: StreetId, reading: &Reading, row: &FeedRow, own: &BTreeSet<ChangeHash>) -> Result<Option<Entry>, HubError> {
        let complete = reading.complete_up_to();
        Ok(match row {
            // Whoever has read nothing yet holds nothing, but what it pushes itself.
            FeedRow::Left { doc, .. } => (reading.position != Position(0) || !own.is_empty()).then_some(Entry::Left { doc: *doc }),
            FeedRow::Record { id, kind: RecordKind::Directory, .. } => {
                let directory = self.ledger.directory(street)?;
                let bytes = minicbor::to_vec(&directory).unwrap_or_default();
                Some(Entry::Record { id: *id, kind: RecordKind::Directory, bytes })
            }
            FeedRow::Document { doc, kind, entered, .. } if *entered <= complete => {
                let changes = self.ledger.changes_after(street, *doc, complete, MOST_ENTRY_CHANGES + 1)?;
                let bytes: usize = changes.iter().map(|change| change.bytes.len()).sum();
                if changes.len() > MOST_ENTRY_CHANGES || bytes > MOST_PUSH_BYTES {
                    return self.snapshot(street, *doc);
                }
                let changes: Vec<EntryChange> = changes.into_iter().filter(|change| !own.contains(&change.hash)).map(to_entry).collect();
                (!changes.is_empty()).then_some(Entry::Changes { doc: *doc, kind: *kind, changes: List(changes) })
            }
            // The document came into the scope behind the cursor: all of it, unless all of it was just pushed.
            FeedRow::Document { doc, .. } => match self.load(street, *doc)? {
                Some(loaded) if loaded.receipts.iter().all(|(hash, _)| own.contains(hash)) => None,
                _ => self.snapshot(street, *doc)?,
            },
        })
    }

    fn snapshot(&self, street: StreetId, doc: DocId) -> Result<Option<Entry>, HubError> {
        let Some(loaded) = self.load(street, doc)? else { return Ok(None) };
        let summary = doorstep_core::summary::Summary::of(&loaded.document, &loaded.receipts);
        Ok(Some(Entry::Snapshot {
            doc,
            kind: loaded.document.kind(),
            bytes: loaded.document.save(),
            receipts: loaded.receipts.clone(),
            summary: minicbor::to_vec(&summary).unwrap_or_default(),
        }))
    }
}

fn to_entry(change: LoggedChange) -> EntryChange {
    EntryChange { bytes: change.bytes, number: change.receipt.number, at: change.receipt.at }
}

/// About as many bytes as the entry takes on the wire, before compression.
fn size_of(entry: &Entry) -> usize {
    /// Ids, keys and lengths of an entry, and of a change in it.
    const AROUND: usize = 64;
    AROUND
        + match entry {
            Entry::Changes { changes, .. } => changes.0.iter().map(|change| change.bytes.len() + AROUND).sum(),
            Entry::Snapshot { bytes, receipts, summary, .. } => bytes.len() + summary.len() + receipts.len() * AROUND,
            Entry::Record { bytes, .. } => bytes.len(),
            Entry::Left { .. } => 0,
        }
}
