//! Clocks that a test sets by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use doorstep_core::model::{Clock, Millis};
use doorstep_server::system::SystemClock;

/// A minute and an hour in milliseconds.
pub const MINUTE: i64 = 60_000;
/// An hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// A day in milliseconds.
pub const DAY: i64 = 24 * HOUR;
/// Midnight of 2026-11-24 in the district.
pub const MIDNIGHT: Millis = Millis(1_795_449_600_000);

/// A clock that stands where it was put. A clone is the same clock.
#[derive(Debug, Clone)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    /// A clock that shows this time.
    pub fn at(now: Millis) -> Self {
        Self(Arc::new(AtomicI64::new(now.0)))
    }

    /// A clock of 2026-11-24 at this time of the district.
    pub fn at_time(hour: i64, minute: i64) -> Self {
        Self::at(MIDNIGHT.plus(hour * HOUR + minute * MINUTE))
    }

    /// Puts it to another time.
    pub fn set(&self, now: Millis) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Puts it to this time of 2026-11-24.
    pub fn set_time(&self, hour: i64, minute: i64) {
        self.set(MIDNIGHT.plus(hour * HOUR + minute * MINUTE));
    }

    /// Moves it on.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// The machine's clock, wrong by as much as a test wants. A clone is the same clock.
#[derive(Debug, Clone, Default)]
pub struct WrongClock(Arc<AtomicI64>);

impl WrongClock {
    /// A clock that is ahead by so many milliseconds.
    pub fn ahead_by(millis: i64) -> Self {
        Self(Arc::new(AtomicI64::new(millis)))
    }

    /// Makes it wrong by so many milliseconds.
    pub fn be_ahead_by(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Millis {
        SystemClock.now().plus(self.0.load(Ordering::SeqCst))
    }
}
