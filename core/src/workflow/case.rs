//! Issues: captured, registered, closed, with returns between them.

use crate::docs::Stamped;
use crate::model::{CaseEvent, CaseId, CaseState, EventKind, Hlc, Millis, Receipt, Receipts};

/// Why an event no longer applies. It stays in the case, marked so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Superseded {
    /// The case had come to a state from which this event does not lead on.
    #[error("the case was {} already", .0.code())]
    NotFrom(CaseState),
    /// A case is captured once.
    #[error("the case had been captured already")]
    CapturedAlready,
}

impl Superseded {
    /// The code on the wire and in the apps.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFrom(_) => "case.superseded",
            Self::CapturedAlready => "case.captured_already",
        }
    }
}

/// What an event does to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The case is in this state from now on.
    To(CaseState),
    /// The event stands in the timeline and moves nothing.
    Beside,
}

/// Moves a case on by one event, or says why the event no longer applies. `state` is `None` before the first event.
///
/// | from | captured | registered | returned | closed | noted, duplicate, unknown |
/// |---|---|---|---|---|---|
/// | nothing | captured | | | | beside |
/// | captured | superseded | registered | captured | closed | beside |
/// | registered | superseded | superseded | captured | closed | beside |
/// | closed | superseded | superseded | superseded | superseded | beside |
///
/// # Errors
/// [`Superseded`], which is no failure: the event is kept and shown.
pub fn advance(state: Option<&CaseState>, event: &EventKind) -> Result<Step, Superseded> {
    use CaseState::{Captured, Closed, Registered};
    match (state, event) {
        (_, EventKind::Noted | EventKind::DuplicateOf | EventKind::Unknown(_)) => Ok(Step::Beside),
        (None, EventKind::Captured) => Ok(Step::To(Captured)),
        (Some(_), EventKind::Captured) => Err(Superseded::CapturedAlready),
        (Some(Captured), EventKind::Registered) => Ok(Step::To(Registered)),
        (Some(Captured | Registered), EventKind::Returned) => Ok(Step::To(Captured)),
        (Some(Captured | Registered), EventKind::Closed) => Ok(Step::To(Closed)),
        // A state of a newer version: this version leaves the case where it is.
        (Some(CaseState::Unknown(_)), _) => Ok(Step::Beside),
        (None, EventKind::Registered | EventKind::Returned | EventKind::Closed) => Err(Superseded::NotFrom(Captured)),
        (Some(from), _) => Err(Superseded::NotFrom(from.clone())),
    }
}

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The server accepted it.
    Accepted(Receipt),
    /// It waits on this phone.
    Provisional,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It moved the case.
    Applied {
        /// From where; `None` for the first.
        from: Option<CaseState>,
        /// To where.
        to: CaseState,
    },
    /// It stands beside the states.
    Beside,
    /// It came too late or twice.
    Superseded(Superseded),
}

/// One line of a case's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// The event.
    pub event: CaseEvent,
    /// Its hybrid time.
    pub hlc: Hlc,
    /// How far it has come.
    pub standing: Standing,
    /// What became of it.
    pub effect: Effect,
}

/// A case as its events make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseView {
    /// Where it stands; `None` if no event has captured it yet.
    pub state: Option<CaseState>,
    /// All events in the order of the fold.
    pub timeline: Vec<TimelineEntry>,
    /// The case of which this one is a duplicate, by ruling.
    pub duplicate_of: Option<CaseId>,
}

impl CaseView {
    /// When it was captured: server time once accepted, the device's before.
    pub fn opened_at(&self) -> Option<Millis> {
        self.timeline.first().map(TimelineEntry::at)
    }

    /// When it was closed, if it is.
    pub fn closed_at(&self) -> Option<Millis> {
        self.timeline.iter().find(|entry| matches!(&entry.effect, Effect::Applied { to: CaseState::Closed, .. })).map(TimelineEntry::at)
    }

    /// The events that came too late.
    pub fn superseded(&self) -> impl Iterator<Item = &TimelineEntry> {
        self.timeline.iter().filter(|entry| matches!(entry.effect, Effect::Superseded(_)))
    }
}

impl TimelineEntry {
    /// When it counts as done: server time once accepted, the device's before.
    pub const fn at(&self) -> Millis {
        match self.standing {
            Standing::Accepted(receipt) => receipt.at,
            Standing::Provisional => self.event.at,
        }
    }
}

/// Folds the events of a case: accepted ones in the order of their receipt numbers, the others last by hybrid time. Equal on all replicas
/// that hold the same events and receipts, in whatever order they came.
///
/// Behind a gap in the receipts an event stays provisional: what came in between is not here yet, and could decide what became of it.
pub fn fold(events: Vec<Stamped<CaseEvent>>, receipts: &Receipts) -> CaseView {
    let unbroken = receipts.unbroken();
    let standing = |event: &Stamped<CaseEvent>| match receipts.get(&event.change) {
        Some(receipt) if receipt.number <= unbroken => Standing::Accepted(receipt),
        _ => Standing::Provisional,
    };
    let mut ordered: Vec<(Standing, Stamped<CaseEvent>)> = events.into_iter().map(|event| (standing(&event), event)).collect();
    ordered.sort_by_key(|(standing, event)| match standing {
        Standing::Accepted(receipt) => (receipt.number, Hlc::default(), event.value.id),
        Standing::Provisional => (u64::MAX, event.hlc, event.value.id),
    });
    let mut view = CaseView { state: None, timeline: Vec::new(), duplicate_of: None };
    for (standing, event) in ordered {
        let effect = match advance(view.state.as_ref(), &event.value.kind) {
            Ok(Step::To(to)) => Effect::Applied { from: view.state.replace(to.clone()), to },
            Ok(Step::Beside) => Effect::Beside,
            Err(superseded) => Effect::Superseded(superseded),
        };
        if event.value.kind == EventKind::DuplicateOf {
            view.duplicate_of = view.duplicate_of.or(event.value.other);
        }
        view.timeline.push(TimelineEntry { hlc: event.hlc, event: event.value, standing, effect });
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeHash, EventId, PersonId, Seal};
    use proptest::prelude::*;

    fn event(n: u8, kind: EventKind, minute: i64) -> Stamped<CaseEvent> {
        let at = Millis(1_764_000_000_000).plus(minute * 60_000);
        Stamped {
            value: CaseEvent { id: EventId::from_bytes([n; 16]), kind, by: PersonId::from_bytes([1; 16]), at, text: None, other: None },
            change: ChangeHash([n; 32]),
            hlc: Hlc::new(at, 0),
        }
    }

    fn receipt(n: u8, number: u64) -> (ChangeHash, Receipt) {
        (ChangeHash([n; 32]), Receipt { number, at: Millis(1_764_000_000_000).plus(number as i64 * 3_600_000), seal: Seal::default() })
    }

    #[test]
    fn a_return_made_before_the_closing_and_accepted_after_it_is_superseded() {
        let events = vec![event(3, EventKind::Returned, 30), event(1, EventKind::Captured, 0), event(2, EventKind::Closed, 60)];
        let view = fold(events, &[receipt(1, 1), receipt(2, 2), receipt(3, 3)].into_iter().collect());
        assert_eq!(view.state, Some(CaseState::Closed));
        assert_eq!(view.superseded().map(|late| late.event.id).collect::<Vec<_>>(), [EventId::from_bytes([3; 16])]);
    }

    #[test]
    fn an_unsent_event_is_last_even_if_its_clock_is_behind() {
        let events = vec![event(2, EventKind::Noted, -500), event(1, EventKind::Captured, 0)];
        let view = fold(events, &[receipt(1, 1)].into_iter().collect());
        assert_eq!(view.timeline[1].standing, Standing::Provisional);
        assert_eq!(view.state, Some(CaseState::Captured));
    }

    #[test]
    fn an_event_behind_a_gap_is_provisional_until_the_gap_is_filled() {
        let events = || vec![event(1, EventKind::Captured, 0), event(2, EventKind::Closed, 60), event(3, EventKind::Returned, 30)];
        let without_closing = vec![event(1, EventKind::Captured, 0), event(3, EventKind::Returned, 30)];
        let view = fold(without_closing, &[receipt(1, 1), receipt(3, 3)].into_iter().collect());
        assert_eq!(view.timeline[1].standing, Standing::Provisional);
        let view = fold(events(), &[receipt(1, 1), receipt(2, 2), receipt(3, 3)].into_iter().collect());
        assert_eq!(view.timeline[2].standing, Standing::Accepted(receipt(3, 3).1));
        assert!(matches!(view.timeline[2].effect, Effect::Superseded(_)));
    }

    fn kinds() -> impl Strategy<Value = EventKind> {
        prop_oneof![
            Just(EventKind::Captured),
            Just(EventKind::Noted),
            Just(EventKind::Registered),
            Just(EventKind::Returned),
            Just(EventKind::Closed),
            Just(EventKind::Unknown("of-a-newer-version".into())),
        ]
    }

    proptest! {
        #[test]
        fn a_fold_is_equal_in_whatever_order_the_events_came(
            kinds in proptest::collection::vec((kinds(), -600i64..600), 1..12), accepted in 0usize..12, seed: u64,
        ) {
            let events: Vec<_> = kinds.iter().enumerate().map(|(n, (kind, minute))| event(n as u8, kind.clone(), *minute)).collect();
            let receipts: Receipts = (0..accepted.min(events.len())).map(|n| receipt(n as u8, n as u64 + 1)).collect();
            let mut shuffled = events.clone();
            let length = shuffled.len();
            for n in 0..length {
                shuffled.swap(n, (seed.rotate_left(n as u32 * 5) as usize) % length);
            }
            prop_assert_eq!(fold(events, &receipts), fold(shuffled, &receipts));
        }

        #[test]
        fn a_later_receipt_never_changes_what_was_accepted_before(kinds in proptest::collection::vec((kinds(), -600i64..600), 2..12)) {
            let events: Vec<_> = kinds.iter().enumerate().map(|(n, (kind, minute))| event(n as u8, kind.clone(), *minute)).collect();
            let mut receipts = Receipts::default();
            let mut before: Vec<TimelineEntry> = Vec::new();
            for n in 0..events.len() {
                let (hash, receipt) = receipt(n as u8, n as u64 + 1);
                receipts.insert(hash, receipt);
                let view = fold(events[..=n].to_vec(), &receipts);
                prop_assert_eq!(&view.timeline[..n], &before[..]);
                before = view.timeline;
            }
        }
    }
}
