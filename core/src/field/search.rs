//! The search index: names, pinyin, door numbers and texts of what this phone holds, found as they are typed.
//!
//! Promise: whatever was [put](SearchIndex::put) is found by every part of its names, doors and texts, by every reading of its names and
//! by the runs of its door numbers, in an order that is the same on every phone with the same entries. It is kept in memory only: no
//! name and no pinyin reaches the disk from here. The engine hands in all rows when the first search happens and each changed row
//! afterwards; what of a document can be found, and by whom, is decided there.
//!
//! There is no inverted index. An entry is about 60 bytes of folded text and a signature of its characters, 20,000 of them a few
//! megabytes that are looked through in a few milliseconds; so a change of a row costs that row alone, and nothing can go stale.

mod door;
mod fold;
mod pinyin;
mod query;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::model::DocId;
use record::{Rank, Record};

/// What of a document can be found.
#[derive(Clone)]
pub struct Entry {
    /// The document; an index holds one entry of it.
    pub id: DocId,
    /// What the document is.
    pub kind: RowKind,
    /// People and organisations: found by their parts, by pinyin and by initials.
    pub names: Vec<String>,
    /// Door numbers, buildings, addresses, from the large to the small: found by their parts and by their numbers in order.
    pub doors: Vec<String>,
    /// Free text and tags: found by their parts.
    pub texts: Vec<String>,
}

/// Shows neither names nor texts: they are personal.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a found document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// An estate, a building, an alley or a yard.
    Place,
    /// A household.
    Household,
    /// A registered resident.
    Resident,
    /// An organisation.
    Organisation,
    /// Somebody in a case who is no registered resident.
    Party,
    /// A case.
    Case,
}

/// By what a document was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchedField {
    /// A part of a name, as written.
    Name,
    /// The sound of a name, or its initials.
    Pinyin,
    /// A door number, building or address.
    Door,
    /// Free text or a tag.
    Text,
}

/// A document that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The document.
    pub id: DocId,
    /// What it is.
    pub kind: RowKind,
    /// By what it was found; of several words, what was found best.
    pub field: MatchedField,
}

/// How well an entry answers a query; less is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// The best of its words.
    best: Rank,
    /// Of all words together.
    sum: usize,
    /// Characters of the fields in which they were found.
    length: usize,
}

/// The index. Pure and in memory; not shared between threads by itself.
#[derive(Default)]
pub struct SearchIndex {
    records: BTreeMap<DocId, Record>,
}

impl SearchIndex {
    /// An index of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an entry in, in place of an earlier one of the same document. Costs microseconds; no disk.
    pub fn put(&mut self, entry: Entry) {
        self.records.insert(entry.id, Record::new(&entry));
    }

    /// Forgets a document; nothing happens if it is not here.
    pub fn remove(&mut self, id: DocId) {
        self.records.remove(&id);
    }

    /// How many documents can be found.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// About how many bytes of memory the index takes.
    pub fn memory_bytes(&self) -> usize {
        let row = size_of::<DocId>() + size_of::<Record>();
        self.records.values().map(|record| row + record.text_bytes()).sum()
    }

    /// The best `limit` documents that have every word of the query, each in any of their fields; none for a query without words.
    ///
    /// Words are parted by white space. Letters may be of either case and of full width; Chinese numerals are text. Best is a whole
    /// name, then the beginning of one, another part of one, pinyin, a door, a text; among equals the shorter field, then the id.
    /// Looks at every entry: some milliseconds for 20,000, no disk.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let words = query::words(query);
        if words.is_empty() || limit == 0 {
            return Vec::new();
        }
        let mut found: Vec<(Score, DocId, RowKind)> =
            self.records.iter().filter_map(|(id, record)| Some((score(record, &words)?, *id, record.kind))).collect();
        if limit < found.len() {
            found.select_nth_unstable(limit);
            found.truncate(limit);
        }
        found.sort_unstable();
        found.into_iter().map(|(score, id, kind)| Hit { id, kind, field: score.best.field() }).collect()
    }
}

/// Shows no more than how much it holds: what it holds is personal.
impl std::fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchIndex").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// How well the record answers all words; none if one of them is not there.
fn score(record: &Record, words: &[query::Word]) -> Option<Score> {
    let mut score: Option<Score> = None;
    for word in words {
        let (rank, length) = record.fit(word)?;
        let before = score.unwrap_or(Score { best: rank, sum: 0, length: 0 });
        score = Some(Score { best: before.best.min(rank), sum: before.sum + rank as usize, length: before.length + length });
    }
    score
}
