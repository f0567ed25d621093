//! The disks of a world: the real store over memory, with files so small that every run sees many of them.

use std::time::Duration;

use doorstep_core::store::{SimulatedOptions, SimulatedStore};

use crate::dice::Dice;

/// An empty store. Some make a checkpoint after a few commits, some hardly ever; some keep what is behind it for a while.
pub fn new_store(dice: &mut Dice) -> SimulatedStore {
    let checkpoint_bytes = dice.spread(2_000, 200_000).unsigned_abs();
    let segment_bytes = dice.spread(500, 50_000).unsigned_abs();
    let keep = Duration::from_secs(if dice.chance(500) { dice.spread(50, 20_000).unsigned_abs() } else { 0 });
    SimulatedStore::new(SimulatedOptions { checkpoint_bytes, segment_bytes, keep }, dice.numbers()).unwrap()
}

/// Deliberate bugs of a store.
#[cfg(feature = "seeded-bugs")]
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreBugs {
    pub acknowledges_before_flush: bool,
    pub takes_torn_frames: bool,
}

#[cfg(feature = "seeded-bugs")]
impl StoreBugs {
    pub fn plant_in(self, store: &SimulatedStore) {
        store.set_bug_acknowledge_before_flush(self.acknowledges_before_flush);
        store.set_bug_takes_torn_frames(self.takes_torn_frames);
    }
}
