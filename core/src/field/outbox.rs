//! The outbox: what this phone recorded and the server has not yet acknowledged.
//!
//! Promise: a command that returned is here, on disk, until its acknowledgement is on disk too; nothing else may take it away. Each group
//! keeps the command beside the changes that it made, so that after a refusal the later commands can be run again. Order is that of
//! recording, never of ids. Memory holds an index of it: which document waits for which groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::field::FieldError;
use crate::field::command::Recorded;
use crate::field::tables;
use crate::model::{DocId, GroupId, Millis};
use crate::store::{Batch, Read, chunks};

/// What memory knows of a waiting group.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub group: GroupId,
    pub recorded_at: Millis,
    pub docs: Vec<DocId>,
}

/// The index of the outbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<u64, Waiting>,
    by_doc: BTreeMap<DocId, BTreeSet<u64>>,
    /// The groups of the request that is under way.
    in_flight: BTreeSet<u64>,
    next: u64,
}

impl Outbox {
    /// Reads the index from the store: one read for each waiting group.
    pub(super) fn open(read: &dyn Read) -> Result<Self, FieldError> {
        let mut outbox = Self::default();
        for number in tables::outbox_numbers(read)? {
            let recorded = Self::read(read, number)?;
            outbox.insert(number, &recorded);
        }
        Ok(outbox)
    }

    /// A group as it is on disk.
    pub(super) fn read(read: &dyn Read, number: u64) -> Result<Recorded, FieldError> {
        tables::get_long(read, &tables::outbox(number))?.ok_or(FieldError::Damaged { table: "outbox" })
    }

    /// Writes a group under a number. The index is to be told with [`Outbox::insert`] once the batch is durable.
    pub(super) fn write(batch: &mut Batch, read: &dyn Read, number: u64, recorded: &Recorded) -> Result<(), FieldError> {
        tables::put_long(batch, read, &tables::outbox(number), recorded)
    }

    /// Takes a group off the disk. The index is to be told with [`Outbox::remove`] once the batch is durable.
    pub(super) fn delete(batch: &mut Batch, read: &dyn Read, number: u64) -> Result<(), FieldError> {
        Ok(chunks::delete_chunked_in(batch, read, &tables::outbox(number))?)
    }

    /// The number of the next group.
    pub(super) const fn next_number(&self) -> u64 {
        self.next
    }

    pub(super) fn insert(&mut self, number: u64, recorded: &Recorded) {
        let docs: Vec<DocId> = recorded.changes.iter().map(|change| change.doc).collect();
        for doc in &docs {
            self.by_doc.entry(*doc).or_default().insert(number);
        }
        self.waiting.insert(number, Waiting { group: recorded.command.group, recorded_at: recorded.recorded_at, docs });
        self.next = self.next.max(number + 1);
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.in_flight.remove(&number);
        let Some(waiting) = self.waiting.remove(&number) else { return };
        for doc in waiting.docs {
            if let Some(numbers) = self.by_doc.get_mut(&doc) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_doc.remove(&doc);
                }
            }
        }
    }

    /// The numbers of the groups that wait for a document, in the order of recording.
    pub(super) fn numbers_of(&self, doc: DocId) -> Vec<u64> {
        self.by_doc.get(&doc).map(|numbers| numbers.iter().copied().collect()).unwrap_or_default()
    }

    pub(super) fn has(&self, doc: DocId) -> bool {
        self.by_doc.contains_key(&doc)
    }

    pub(super) fn is_sending(&self, doc: DocId) -> bool {
        self.by_doc.get(&doc).is_some_and(|numbers| numbers.iter().any(|number| self.in_flight.contains(number)))
    }

    /// All waiting groups, in the order of recording.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Waiting)> {
        self.waiting.iter().map(|(number, waiting)| (*number, waiting))
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn oldest(&self) -> Option<Millis> {
        self.waiting.values().map(|waiting| waiting.recorded_at).min()
    }

    pub(super) fn set_in_flight(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.in_flight = numbers.into_iter().collect();
    }

    pub(super) const fn in_flight(&self) -> &BTreeSet<u64> {
        &self.in_flight
    }
}
