//! The hybrid logical clock: who wrote when, in an order that respects what the writer had seen.
//!
//! After Kulkarni and others, "Logical Physical Clocks" (2014): 48 bits of milliseconds and a counter of 16. It orders what is shown and
//! attributed; it decides nothing, because a phone's clock can be wrong: decided cases follow the server's receipts.

use crate::model::Millis;

/// How far a change may lie ahead of the server's clock before it is refused as `clock_ahead`, in milliseconds.
/// Two minutes: more than the drift of a phone that has seen a network today, less than anybody would notice on a screen.
pub const CLOCK_TOLERANCE: i64 = 120_000;

/// A hybrid time. It is the `time` of the automerge change that it stamps, so each value in a document can be attributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Hlc(#[n(0)] u64);

impl Hlc {
    /// The greatest time that fits: 47 bits of milliseconds, so that it is never negative as a change's signed time (the year 6429).
    const MOST_MILLIS: i64 = (1 << 47) - 1;

    /// A time of `millis`, held within 0 and the year 6429, and a counter.
    pub fn new(millis: Millis, counter: u16) -> Self {
        Self((millis.0.clamp(0, Self::MOST_MILLIS).unsigned_abs() << 16) | u64::from(counter))
    }

    /// The physical part.
    pub const fn millis(self) -> Millis {
        Millis((self.0 >> 16) as i64)
    }

    /// The counter within a millisecond.
    pub const fn counter(self) -> u16 {
        self.0 as u16
    }

    /// As the `time` of an automerge change.
    pub const fn as_change_time(self) -> i64 {
        self.0 as i64
    }

    /// From the `time` of an automerge change; `None` if it is negative, which no clock of ours writes.
    pub fn from_change_time(time: i64) -> Option<Self> {
        u64::try_from(time).ok().map(Self)
    }

    /// The next greater time; at the end of the range it stays.
    const fn next(self) -> Self {
        Self(if self.0 >= i64::MAX as u64 { self.0 } else { self.0 + 1 })
    }
}

/// A clock that gives each event a time above all that it gave or saw.
#[derive(Debug, Clone, Default)]
pub struct HlcClock {
    last: Hlc,
}

impl HlcClock {
    /// Goes on from the last time given, as kept in the store.
    pub const fn resume(last: Hlc) -> Self {
        Self { last }
    }

    /// The last time given or seen.
    pub const fn last(&self) -> Hlc {
        self.last
    }

    /// Stamps an event at the physical time `now`: above every time given or seen before, even if `now` went back.
    pub fn stamp(&mut self, now: Millis) -> Hlc {
        let physical = Hlc::new(now, 0);
        self.last = if physical > self.last { physical } else { self.last.next() };
        self.last
    }

    /// Takes note of a time that came from elsewhere. One further ahead of `now` than [`CLOCK_TOLERANCE`] is ignored: a single
    /// wrong clock must not pull all others along.
    pub fn observe(&mut self, seen: Hlc, now: Millis) {
        if seen > self.last && seen.millis().since(now) <= CLOCK_TOLERANCE {
            self.last = seen;
        }
    }

    /// Steps back to `now` after the server said that this clock was ahead; used only before everything unsent is stamped anew.
    pub fn reset(&mut self, now: Millis) {
        self.last = Hlc::new(now, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stamps_never_go_back_whatever_the_physical_clock_does(steps in proptest::collection::vec((any::<bool>(), 0i64..1 << 48), 1..200)) {
            let mut clock = HlcClock::default();
            let mut last = clock.last();
            for (observe, millis) in steps {
                if observe {
                    clock.observe(Hlc::new(Millis(millis), 7), Millis(millis));
                    prop_assert!(clock.last() >= last);
                } else {
                    prop_assert!(clock.stamp(Millis(millis)) > last);
                }
                last = clock.last();
            }
        }

        #[test]
        fn a_time_survives_the_change_that_it_stamps(millis in 0i64..=Hlc::MOST_MILLIS, counter: u16) {
            let hlc = Hlc::new(Millis(millis), counter);
            prop_assert_eq!(Hlc::from_change_time(hlc.as_change_time()), Some(hlc));
            prop_assert_eq!((hlc.millis(), hlc.counter()), (Millis(millis), counter));
        }
    }

    #[test]
    fn a_clock_years_ahead_does_not_pull_others_along() {
        let mut clock = HlcClock::default();
        let now = Millis(1_764_000_000_000);
        clock.stamp(now);
        clock.observe(Hlc::new(now.plus(400 * 86_400_000), 0), now);
        assert!(clock.stamp(now).millis().since(now) < 1_000);
    }
}
