//! Virtual time: one true time for the world, and a clock for each node that may be wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use doorstep_core::model::{Clock, Millis};

/// Where every world begins: a morning in November 2026.
pub const BEGINNING: i64 = 1_795_478_400_000;

/// The true time.
#[derive(Clone)]
pub struct Time(Arc<AtomicI64>);

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(BEGINNING)))
    }
}

impl Time {
    pub fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn set(&self, now: i64) {
        self.0.store(now, Ordering::Relaxed);
    }
}

/// A node's clock: the true time and by how much it is wrong, in milliseconds.
pub struct NodeClock {
    time: Time,
    skew: AtomicI64,
}

impl NodeClock {
    pub fn new(time: &Time, skew: i64) -> Arc<Self> {
        Arc::new(Self { time: time.clone(), skew: AtomicI64::new(skew) })
    }

    pub fn set_skew(&self, skew: i64) {
        self.skew.store(skew, Ordering::Relaxed);
    }

    /// The true time at which this clock, if nobody sets it, will show `shown`.
    pub fn true_time_of(&self, shown: Millis) -> i64 {
        shown.0.saturating_sub(self.skew.load(Ordering::Relaxed))
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Millis {
        Millis(self.time.now().saturating_add(self.skew.load(Ordering::Relaxed)))
    }
}
