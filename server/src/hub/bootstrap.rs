//! The bootstrap: how a grant of which a phone has read nothing is sent to it.
//!
//! A part sends, from where the key says, what stood in the scope at the base and still stands there, as snapshots. What has moved on since,
//! whether it was sent before or not, is passed over: it is found behind the base, and the reading that follows the order begins there as one
//! that had nothing before (`since` 0), so that it sends each of them whole. So nothing is lost between two parts whatever happens there, and
//! the hub keeps nothing for a phone. Where there is room for it, that reading is in the same part: a small scope comes in one round trip.

use doorstep_core::model::{Position, StreetId};

use doorstep_core::store::StoreError;
use doorstep_core::sync::{Bootstrap, Entry, List, Part, Reading, Resume, ResumeKey};

use super::accept::Brought;
use super::order::{Mark, Ranked};
use super::read::{Answer, Budget, Sight, size_of};
use super::{Hub, HubError};
use crate::ledger::{Commit, DocumentWrite, LedgerError};

/// Where a bootstrap begins or goes on.
struct Begun {
    base: Position,
    /// The key that the phone gave; `None` where it begins, also where the key is not of this server's order.
    after: Option<ResumeKey>,
    mark: Option<Mark>,
}

impl Begun {
    fn of(reading: &Reading, newest: Position) -> Self {
        let resumed = |Resume { base, key }: Resume| Some(Self { base, after: Some(key), mark: Some(Mark::parse(&key)?) });
        reading.resume.filter(|resume| resume.base > Position(0) && resume.base <= newest).and_then(resumed).unwrap_or(Self {
            base: newest,
            after: None,
            mark: None,
        })
    }
}

/// Whether a reading is that of a phone that cannot be worked with yet.
pub(super) fn is_urgent(reading: &Reading) -> bool {
    let mark = reading.resume.and_then(|resume| Mark::parse(&resume.key));
    reading.position == Position(0) && mark.is_none_or(|mark| mark.place.is_needed())
}

impl Hub {
    /// One part of a bootstrap. `others_wait`: with what makes this grant usable through, room is left for grants that are not yet so far.
    pub(super) fn bootstrap(
        &self,
        street: StreetId,
        sight: &Sight,
        reading: &Reading,
        own: &Brought,
        budget: &mut Budget,
        others_wait: bool,
    ) -> Result<Part, HubError> {
        let grant = reading.grant;
        let nothing =
            Part { grant, from: Position(0), to: Position(0), entries: List::default(), more: Some(true), bootstrap: None, keys: None };
        if budget.is_spent() {
            return Ok(nothing);
        }
        let newest = self.ledger.newest(street)?;
        let Begun { base, after, mark } = Begun::of(reading, newest);
        let day = mark.map_or_else(|| self.now().day(), |mark| mark.day);
        let order = self.order(street, sight, base, day)?;
        let behind = order.behind(mark.map(|mark| mark.place));
        let holds_back = others_wait && order.progress(behind).bytes_left > budget.bytes() as u64 / 2;
        let mut answer = Answer::default();
        self.take_lacking_keys(street, sight, own, &mut answer)?;
        let held_back = behind.iter().position(|ranked| holds_back && !ranked.place.is_needed());
        let sendable = held_back.and_then(|count| behind.get(..count)).unwrap_or(behind);
        let sent = self.send_ranked(street, sight, base, sendable, budget, &mut answer)?;
        let left = behind.get(sent..).unwrap_or_default();
        let last = behind.get(..sent).and_then(<[Ranked]>::last).map(|ranked| Mark { day, place: ranked.place });
        let progress = order.progress(left);
        let bootstrap = |next| Some(Bootstrap { base, after, next, progress });
        if !left.is_empty() {
            let next = last.or(mark).and_then(Mark::key);
            let keys = answer.keys();
            return Ok(Part { entries: List(answer.entries), keys, bootstrap: next.and(bootstrap(next)), ..nothing });
        }
        let following = Reading { since: Some(Position(0)), ..Reading::at(grant, base) };
        let (to, more) = self.read_on(street, sight, &following, own, budget, &mut answer)?;
        let to = to.min(newest).max(base);
        let keys = answer.keys();
        Ok(Part { to, entries: List(answer.entries), keys, more: more.then_some(true), bootstrap: bootstrap(None), ..nothing })
    }

    /// Sends rows of an order until the budget is spent; how many are through.
    fn send_ranked(
        &self,
        street: StreetId,
        sight: &Sight,
        base: Position,
        rows: &[Ranked],
        budget: &mut Budget,
        answer: &mut Answer,
    ) -> Result<usize, HubError> {
        let mut compacted = Vec::new();
        let mut through = 0;
        for ranked in rows {
            if budget.is_spent() {
                break;
            }
            through += 1;
            let entry = if ranked.place.is_record() {
                Some(self.directory_entry(street, ranked.id)?)
            } else {
                self.snapshot_at(street, sight, ranked, base, &mut compacted, answer)?
            };
            if let Some(entry) = entry {
                budget.spend(size_of(&entry));
                answer.take(entry);
            }
        }
        self.compact(street, compacted)?;
        Ok(through)
    }

    /// The document if it has not moved on since `base`. One that had to be loaded is noted for compaction: the next phone gets it as it lies.
    fn snapshot_at(
        &self,
        street: StreetId,
        sight: &Sight,
        ranked: &Ranked,
        base: Position,
        compacted: &mut Vec<DocumentWrite>,
        answer: &mut Answer,
    ) -> Result<Option<Entry>, HubError> {
        let Some(stored) = self.ledger.document(street, ranked.id)?.filter(|stored| stored.version <= base) else { return Ok(None) };
        let is_loaded = stored.snapshot.is_none() || !stored.log.is_empty();
        let write = is_loaded.then(|| DocumentWrite::compaction(ranked.id, &stored));
        let entry = self.snapshot(street, sight, ranked.id, stored, answer)?;
        if let (Some(write), Entry::Snapshot { bytes, .. }) = (write, &entry) {
            compacted.push(DocumentWrite { snapshot: Some(bytes.clone()), ..write });
        }
        Ok(Some(entry))
    }

    /// Keeps what was saved anyway. That a document has moved on meanwhile is no harm, its own commit decides; nor is a disk without room.
    fn compact(&self, street: StreetId, documents: Vec<DocumentWrite>) -> Result<(), HubError> {
        if documents.is_empty() {
            return Ok(());
        }
        match self.ledger.commit(street, Commit { documents, ..Commit::default() }) {
            Ok(_) | Err(LedgerError::Conflict { .. } | LedgerError::Store(StoreError::Full)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
