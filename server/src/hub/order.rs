//! The order in which a phone that begins gets a scope: what makes it usable first.
//!
//! An order is of a base: what stood in the scope at or before it. A document that moves on meanwhile drops out, since it is found behind the
//! base then; nothing moves within the order and nothing joins it, for precedence is written with the position, and the day of the beginning
//! is in the key. So a key is a place in it for ever, also for another process, and an order that was forgotten is made again from one scan of
//! the feed. Kept are a few, so that each part of a bootstrap need not pay for that scan.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use doorstep_core::model::{Day, DocId, Position, StreetId};
use doorstep_core::summary::{LastVisit, Summary};
use doorstep_core::sync::{Progress, ResumeKey};

use super::read::Sight;
use super::{Hub, HubError, lock};
use crate::ledger::{FeedRow, Precedence};

/// How many orders are kept: phones that begin at the same moment. One of 20,000 documents has a megabyte.
const MOST_ORDERS: usize = 8;
/// How many index rows are read at a time.
const ROWS_AT_ONCE: usize = 1_024;
/// So many days ahead a day to come again makes a document needed soon: this week.
const SOON_DAYS: i32 = 7;
/// The first byte of every key. Whatever changes the order, or how precedence is derived, takes the next number: a phone that was cut in
/// between then begins anew, where with an old key it might be told too little.
const VERSION: u8 = 1;

/// The classes, the first first.
const RECORDS: u8 = 0;
const OPEN: u8 = 1;
const SOON: u8 = 2;
const REST: u8 = 3;

/// How soon a document is needed, by its summary.
pub(super) fn precedence_of(summary: &Summary) -> Precedence {
    use doorstep_core::model::Urgency;
    let due = |last: &LastVisit| last.follow_up.map_or(Precedence::Later, |day| Precedence::Due { day });
    match summary {
        summary if summary.is_removed() => Precedence::Later,
        Summary::Case(case) if case.is_open() => Precedence::Open {
            rank: match case.urgency {
                Urgency::Emergency => 0,
                Urgency::Urgent => 1,
                Urgency::Normal | Urgency::Unknown(_) => 2,
            },
        },
        Summary::Household(row) => due(&row.last_visit),
        Summary::Place(row) => due(&row.last_visit),
        Summary::Organisation(row) => due(&row.last_visit),
        Summary::Case(_) | Summary::Resident(_) | Summary::Party(_) => Precedence::Later,
    }
}

/// A place in an order: class, what counts within it, and the latest position first. A position is of one document only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    class: u8,
    within: u32,
    turned: u64,
}

impl Place {
    fn of(row: &FeedRow, today: Day) -> Option<Self> {
        let (class, within) = match row {
            FeedRow::Left { .. } => return None,
            FeedRow::Record { .. } => (RECORDS, 0),
            FeedRow::Document { precedence: Precedence::Open { rank }, .. } => (OPEN, u32::from(*rank)),
            FeedRow::Document { precedence: Precedence::Due { day }, .. } if *day <= today.plus(SOON_DAYS) => (SOON, ascending(*day)),
            FeedRow::Document { .. } => (REST, 0),
        };
        Some(Self { class, within, turned: !row.position().0 })
    }

    /// Whether a record stands here.
    pub(super) const fn is_record(self) -> bool {
        self.class == RECORDS
    }

    /// Whether what stands here is needed before a phone is usable.
    pub(super) const fn is_needed(self) -> bool {
        self.class < REST
    }
}

/// Days as numbers in the same order.
const fn ascending(day: Day) -> u32 {
    day.0.cast_unsigned() ^ (1 << 31)
}

/// Where a bootstrap stands: its day, and the last place that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub day: Day,
    pub place: Place,
}

impl Mark {
    pub(super) fn key(self) -> Option<ResumeKey> {
        let Place { class, within, turned } = self.place;
        let parts: [&[u8]; 5] = [&[VERSION], &self.day.0.to_be_bytes(), &[class], &within.to_be_bytes(), &turned.to_be_bytes()];
        ResumeKey::new(&parts.concat())
    }

    /// What a key of this version says; `None` for every other.
    pub(super) fn parse(key: &ResumeKey) -> Option<Self> {
        let (front, turned) = key.as_bytes().split_last_chunk::<8>()?;
        let (front, within) = front.split_last_chunk::<4>()?;
        let [VERSION, day @ .., class] = front else { return None };
        let place = Place { class: *class, within: u32::from_be_bytes(*within), turned: u64::from_be_bytes(*turned) };
        Some(Self { day: Day(i32::from_be_bytes(day.try_into().ok()?)), place })
    }
}

/// A row of an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub place: Place,
    pub id: DocId,
    bytes: u32,
}

/// The order of a scope at a base.
#[derive(Debug)]
pub(super) struct Order {
    rows: Vec<Ranked>,
    bytes: u64,
}

impl Order {
    fn of(mut rows: Vec<Ranked>) -> Self {
        rows.sort_unstable_by_key(|ranked| ranked.place);
        let bytes = rows.iter().map(|ranked| u64::from(ranked.bytes)).sum();
        Self { rows, bytes }
    }

    /// What comes behind a place.
    pub(super) fn behind(&self, place: Option<Place>) -> &[Ranked] {
        let first = place.map_or(0, |place| self.rows.partition_point(|ranked| ranked.place <= place));
        self.rows.get(first..).unwrap_or_default()
    }

    /// How far a bootstrap is that still lacks `left`.
    pub(super) fn progress(&self, left: &[Ranked]) -> Progress {
        Progress {
            documents: self.rows.len() as u64,
            bytes: self.bytes,
            documents_left: left.len() as u64,
            bytes_left: left.iter().map(|ranked| u64::from(ranked.bytes)).sum(),
            usable: left.first().is_none_or(|next| !next.place.is_needed()),
        }
    }
}

/// Of what an order is.
type Key = (StreetId, Sight, Position, Day);

/// The orders that were needed last.
#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<VecDeque<(Key, Arc<Order>)>>);

impl Orders {
    fn get(&self, key: &Key) -> Option<Arc<Order>> {
        let mut kept = lock(&self.0);
        let found = kept.iter().position(|(other, _)| other == key).and_then(|index| kept.remove(index))?;
        let order = Arc::clone(&found.1);
        kept.push_back(found);
        Some(order)
    }

    fn put(&self, key: Key, order: Arc<Order>) {
        let mut kept = lock(&self.0);
        kept.push_back((key, order));
        while kept.len() > MOST_ORDERS {
            kept.pop_front();
        }
    }
}

impl Hub {
    /// The order of what stands in a scope at or before `base`. Reads one small row a document, unless the order is kept.
    pub(super) fn order(&self, street: StreetId, sight: &Sight, base: Position, day: Day) -> Result<Arc<Order>, HubError> {
        let key = (street, sight.clone(), base, day);
        if let Some(order) = self.orders.get(&key) {
            return Ok(order);
        }
        let mut rows = Vec::new();
        let mut after = Position(0);
        loop {
            let page = self.ledger.feed(street, sight.scope, after, ROWS_AT_ONCE)?;
            let is_last = page.len() < ROWS_AT_ONCE || page.last().is_some_and(|row| row.position() > base);
            after = page.last().map_or(after, FeedRow::position);
            rows.extend(page.iter().filter(|row| row.position() <= base && sight.has_row(row)).filter_map(|row| {
                let bytes = if let FeedRow::Document { bytes, .. } = row { *bytes } else { 0 };
                Some(Ranked { place: Place::of(row, day)?, id: row.id(), bytes })
            }));
            if is_last {
                break;
            }
        }
        let order = Arc::new(Order::of(rows));
        self.orders.put(key, Arc::clone(&order));
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use doorstep_core::docs::DocKind;

    use super::*;

    const TODAY: Day = Day(20_000);

    fn document(position: u64, precedence: Precedence) -> FeedRow {
        let doc = DocId::from_bytes([position.to_le_bytes()[0]; 16]);
        FeedRow::Document { position: Position(position), doc, kind: DocKind::Case, entered: Position(1), bytes: 100, precedence }
    }

    fn order(rows: &[FeedRow]) -> Order {
        Order::of(rows.iter().map(|row| Ranked { place: Place::of(row, TODAY).unwrap(), id: row.id(), bytes: 100 }).collect())
    }

    fn positions(rows: &[Ranked]) -> Vec<u64> {
        rows.iter().map(|ranked| !ranked.place.turned).collect()
    }

    fn sample() -> Order {
        let due = |day| Precedence::Due { day: Day(TODAY.0 + day) };
        order(&[
            document(2, Precedence::Later),
            document(3, Precedence::Open { rank: 2 }),
            document(4, Precedence::Open { rank: 0 }),
            document(5, due(7)),
            document(6, due(-400)),
            document(7, due(8)),
            document(8, Precedence::Open { rank: 2 }),
            FeedRow::Record { position: Position(9), id: DocId::from_bytes([9; 16]), kind: doorstep_core::sync::RecordKind::Directory },
        ])
    }

    #[test]
    fn the_directory_comes_first_then_open_cases_then_this_week_then_the_rest_the_latest_first() {
        assert_eq!(positions(sample().behind(None)), [9, 4, 8, 3, 6, 5, 7, 2]);
    }

    #[test]
    fn a_key_says_where_to_go_on() {
        let order = sample();
        for (index, ranked) in order.behind(None).iter().enumerate() {
            let mark = Mark { day: TODAY, place: ranked.place };
            assert_eq!(Mark::parse(&mark.key().unwrap()), Some(mark));
            assert_eq!(order.behind(Some(mark.place)).len(), 7 - index);
        }
        for other in [&[][..], &[1, 2, 3], &[VERSION + 1; 18], &[VERSION; 19]] {
            assert_eq!(Mark::parse(&ResumeKey::new(other).unwrap()), None);
        }
    }

    #[test]
    fn a_phone_is_usable_when_only_the_rest_is_left() {
        let order = sample();
        let all = order.behind(None);
        let usable: Vec<bool> = (0..=all.len()).map(|sent| order.progress(&all[sent..]).usable).collect();
        assert_eq!(usable, [false, false, false, false, false, false, true, true, true]);
        let progress = order.progress(&all[6..]);
        assert_eq!((progress.documents, progress.documents_left, progress.bytes, progress.bytes_left), (8, 2, 800, 200));
    }
}
