//! How long what is said of people is kept: records whose time is over are erased, on the server and on every phone, as if somebody had asked for it.
//!
//! A record's time begins when its work is done: a case when it was closed, any other when it was removed, counted from the last that was written to
//! it. What stands under a legal hold is kept, and so is everything of a kind for which no time is set.

use doorstep_core::docs::DocKind;
use doorstep_core::model::{DocId, Millis, StreetId};
use doorstep_core::summary::Summary;

use super::{Hub, HubError};
use crate::ledger::Hold;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;
/// The longest reason of a hold, in characters.
const MOST_REASON: usize = 500;

/// For how many days each kind of record is kept behind its end; those that are not named, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retention(Vec<(DocKind, u32)>);

impl Retention {
    /// With these days for these kinds.
    pub fn of(days: impl IntoIterator<Item = (DocKind, u32)>) -> Self {
        Self(days.into_iter().collect())
    }

    /// For how many days a kind is kept.
    pub fn days(&self, kind: DocKind) -> Option<u32> {
        self.0.iter().find(|(own, _)| *own == kind).map(|(_, days)| *days)
    }

    /// The kinds that are not kept for ever.
    pub fn kinds(&self) -> impl Iterator<Item = (DocKind, u32)> {
        self.0.iter().copied()
    }

    /// Whether the time of a record is over.
    fn is_over(&self, kind: DocKind, ended_at: Millis, now: Millis) -> bool {
        self.days(kind).is_some_and(|days| now.since(ended_at) > i64::from(days) * DAY)
    }
}

impl Hub {
    /// Keeps a record from being erased, whoever asks for it and whatever its age.
    ///
    /// # Errors
    /// [`HubError::NotFound`] where there is no such record; [`HubError::Invalid`] for a reason that says nothing.
    pub fn hold(&self, street: StreetId, doc: DocId, reason: &str) -> Result<(), HubError> {
        let reason = doorstep_core::model::Invalid::check_text("reason", reason, MOST_REASON)?;
        self.document(street, doc)?;
        Ok(self.ledger.set_hold(street, doc, Some(Hold { reason, since: self.now() }))?)
    }

    /// Ends a hold.
    ///
    /// # Errors
    /// [`HubError::NotFound`] where there is none.
    pub fn end_hold(&self, street: StreetId, doc: DocId) -> Result<(), HubError> {
        self.hold_of(street, doc)?.ok_or(HubError::NotFound { what: "hold" })?;
        Ok(self.ledger.set_hold(street, doc, None)?)
    }

    /// The holds of a street, by record.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn holds(&self, street: StreetId) -> Result<Vec<(DocId, Hold)>, HubError> {
        Ok(self.ledger.holds(street)?)
    }

    pub(super) fn hold_of(&self, street: StreetId, doc: DocId) -> Result<Option<Hold>, HubError> {
        Ok(self.holds(street)?.into_iter().find(|(held, _)| *held == doc).map(|(_, hold)| hold))
    }

    /// Erases what is older than it may become. Costs a scan of the summaries of each kind that has a time, and a document for each that was
    /// removed. How many were erased.
    ///
    /// # Errors
    /// When the ledger or the list of erasures fail: the rest is done the next time.
    pub fn retire(&self, retention: &Retention) -> Result<usize, HubError> {
        let now = self.now();
        let mut retired = 0;
        for street in self.ledger.streets()?.into_iter().map(|street| street.id) {
            let held: Vec<DocId> = self.holds(street)?.into_iter().map(|(doc, _)| doc).collect();
            for (kind, _) in retention.kinds() {
                let mut ended = Vec::new();
                self.each_summary(street, kind, &mut |summary| {
                    if is_at_its_end(&summary) && !held.contains(&summary.id()) {
                        ended.push(summary);
                    }
                })?;
                for summary in ended {
                    // Asked of the keys: the row of a place says nothing of them.
                    let is_erased = self.ledger.keys(street, summary.id())?.0.is_erased();
                    if !is_erased && retention.is_over(kind, self.ended_at(street, &summary)?, now) {
                        self.erase_for_good(street, summary.id())?;
                        retired += 1;
                    }
                }
            }
        }
        Ok(retired)
    }

    fn ended_at(&self, street: StreetId, summary: &Summary) -> Result<Millis, HubError> {
        if let Summary::Case(case) = summary
            && let Some(closed_at) = case.closed_at
        {
            return Ok(closed_at);
        }
        let (_, receipts) = self.document(street, summary.id())?;
        Ok(receipts.iter().map(|(_, receipt)| receipt.at).max().unwrap_or(self.now()))
    }
}

/// Whether the work on a record is done.
fn is_at_its_end(summary: &Summary) -> bool {
    match summary {
        Summary::Case(case) => !case.is_open(),
        other => other.is_removed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_over_when_the_last_of_its_days_is() {
        let retention = Retention::of([(DocKind::Case, 30)]);
        let end = Millis(0);
        assert!(!retention.is_over(DocKind::Case, end, Millis(30 * DAY)));
        assert!(retention.is_over(DocKind::Case, end, Millis(30 * DAY + 1)));
        assert!(!retention.is_over(DocKind::Household, end, Millis(i64::MAX)), "of which nothing was said");
    }
}
