//! Reading the feed: the documents of a scope and the records of its street, in one order.

use std::ops::Bound;

use doorstep_core::docs::DocKind;
use doorstep_core::model::{DocId, Position, Scope, StreetId};
use doorstep_core::store::{Entry, Read};

use super::keys::{self, Table};
use super::rows::{self, Counters, FeedRowValue, RecordFeedRow};
use crate::ledger::{FeedRow, LedgerError, Precedence};

/// Rows behind `after`. A range is read upwards and a row moves only upwards, so that none is missed; no bound is set above, since a row that
/// moved beyond one while this reads would be.
pub(super) fn read(read: &dyn Read, street: StreetId, scope: Scope, after: Position, limit: usize) -> Result<Vec<FeedRow>, LedgerError> {
    Counters::read(read, street)?; // the street is there
    const LAST: Position = Position(u64::MAX);
    let between = |key: &dyn Fn(Position) -> Vec<u8>| -> Result<Vec<Entry>, LedgerError> {
        Ok(read.range(Bound::Excluded(&key(after)), Bound::Included(&key(LAST)), limit)?)
    };
    let documents = between(&|position| keys::feed(street, scope, position))?;
    let records = between(&|position| keys::at_position(keys::RECORD_FEED, street, position))?;
    let documents = rows::each(keys::FEED, documents).map(|entry| document_row(entry?));
    let records = rows::each(keys::RECORD_FEED, records).map(|entry| record_row(entry?));
    let mut merged = documents.chain(records).collect::<Result<Vec<_>, _>>()?;
    merged.sort_by_key(FeedRow::position);
    merged.truncate(limit);
    Ok(merged)
}

fn position(table: Table, key: &[u8]) -> Result<Position, LedgerError> {
    keys::position(key).ok_or(rows::damaged(table))
}

fn document_row((key, row): (Vec<u8>, FeedRowValue)) -> Result<FeedRow, LedgerError> {
    let position = position(keys::FEED, &key)?;
    match row {
        FeedRowValue { doc, kind: Some(kind), entered: Some(entered), bytes, open, due } => {
            let precedence = match (open, due) {
                (Some(rank), _) => Precedence::Open { rank },
                (None, Some(day)) => Precedence::Due { day },
                (None, None) => Precedence::Later,
            };
            Ok(FeedRow::Document { position, doc, kind, entered, bytes: bytes.unwrap_or(0), precedence })
        }
        FeedRowValue { doc, kind: None, entered: None, .. } => Ok(FeedRow::Left { position, doc }),
        _ => Err(rows::damaged(keys::FEED)),
    }
}

fn record_row((key, row): (Vec<u8>, RecordFeedRow)) -> Result<FeedRow, LedgerError> {
    let position = position(keys::RECORD_FEED, &key)?;
    Ok(FeedRow::Record { position, id: row.id, kind: row.kind })
}

/// The row of a document that is in a scope.
pub(super) const fn standing(doc: DocId, kind: DocKind, entered: Position, bytes: u32, precedence: Precedence) -> FeedRowValue {
    let (open, due) = match precedence {
        Precedence::Open { rank } => (Some(rank), None),
        Precedence::Due { day } => (None, Some(day)),
        Precedence::Later => (None, None),
    };
    FeedRowValue { doc, kind: Some(kind), entered: Some(entered), bytes: Some(bytes), open, due }
}

/// The row of a document that left a scope.
pub(super) const fn left(doc: DocId) -> FeedRowValue {
    FeedRowValue { doc, kind: None, entered: None, bytes: None, open: None, due: None }
}
