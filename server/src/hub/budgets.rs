//! What one device may ask of the server: one request at a time, and so many changes and bytes over time. A phone that is broken, or in wrong hands, costs
//! its own person waiting, and nobody else.
//!
//! Each device has two buckets, which fill up with time. An honest phone never sees the bottom of them: a burst holds what a busy worker records in a
//! year, and is full again within minutes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use doorstep_core::model::{DeviceId, Millis};

use super::lock;

/// How many changes a device may send at once: a year of forty a day, and half as many again.
const BURST_CHANGES: u64 = 20_000;
/// How many come back each second. A whole burst in seven minutes: while a phone clears its outbox others wait for a core at most, never for it.
const CHANGES_A_SECOND: u64 = 50;
/// How many bytes of requests at once, before they are unpacked: the largest push a hundred times.
const BURST_BYTES: u64 = 64 << 20;
/// How many come back each second: more than a mobile network carries for long.
const BYTES_A_SECOND: u64 = 256 << 10;
/// From this many devices on, those that have been quiet for long are forgotten: their buckets are full.
const MANY: usize = 10_000;

/// Why a device has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// Another request of it is worked on.
    AtWork,
    /// It has asked for more than comes back with time.
    Spent,
}

/// What is left in the buckets of a device, in thousandths, as of a time.
#[derive(Debug, Clone, Copy)]
struct Left {
    changes: u64,
    bytes: u64,
    at: Millis,
    is_at_work: bool,
}

impl Left {
    const fn full(at: Millis) -> Self {
        Self { changes: BURST_CHANGES * 1_000, bytes: BURST_BYTES * 1_000, at, is_at_work: false }
    }

    fn is_full(&self) -> bool {
        (self.changes, self.bytes) == (BURST_CHANGES * 1_000, BURST_BYTES * 1_000) && !self.is_at_work
    }

    /// What is left now. A clock that is set back fills nothing and takes nothing.
    fn fill(&mut self, now: Millis) {
        let passed = u64::try_from(now.since(self.at)).unwrap_or(0);
        let add = |left: u64, rate: u64, burst: u64| left.saturating_add(passed.saturating_mul(rate)).min(burst * 1_000);
        self.changes = add(self.changes, CHANGES_A_SECOND, BURST_CHANGES);
        self.bytes = add(self.bytes, BYTES_A_SECOND, BURST_BYTES);
        self.at = self.at.max(now);
    }
}

/// The buckets of all devices.
#[derive(Debug, Default)]
pub struct Budgets(Arc<Mutex<BTreeMap<DeviceId, Left>>>);

/// That a request of a device is worked on, until this is dropped.
#[derive(Debug)]
pub struct AtWork {
    budgets: Arc<Mutex<BTreeMap<DeviceId, Left>>>,
    device: DeviceId,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(left) = lock(&self.budgets).get_mut(&self.device) {
            left.is_at_work = false;
        }
    }
}

impl Budgets {
    /// Takes what a request costs out of the buckets of its device.
    ///
    /// # Errors
    /// Why it has to come again later. Nothing is taken then.
    pub fn enter(&self, device: DeviceId, now: Millis, changes: usize, bytes: usize) -> Result<AtWork, Exhausted> {
        let mut all = lock(&self.0);
        if all.len() >= MANY {
            all.values_mut().for_each(|left| left.fill(now));
            all.retain(|_, left| !left.is_full());
        }
        let left = all.entry(device).or_insert(Left::full(now));
        left.fill(now);
        if left.is_at_work {
            return Err(Exhausted::AtWork);
        }
        let cost = |units: usize| (units as u64).saturating_mul(1_000);
        match (left.changes.checked_sub(cost(changes)), left.bytes.checked_sub(cost(bytes))) {
            (Some(changes), Some(bytes)) => *left = Left { changes, bytes, is_at_work: true, ..*left },
            _ => return Err(Exhausted::Spent),
        }
        Ok(AtWork { budgets: Arc::clone(&self.0), device })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: DeviceId = DeviceId::from_bytes([1; 16]);
    const OTHER: DeviceId = DeviceId::from_bytes([2; 16]);

    #[test]
    fn a_device_is_served_one_request_at_a_time_and_others_beside_it() {
        let budgets = Budgets::default();
        let at_work = budgets.enter(PHONE, Millis(0), 1, 100).unwrap();
        assert_eq!(budgets.enter(PHONE, Millis(0), 1, 100).unwrap_err(), Exhausted::AtWork);
        assert!(budgets.enter(OTHER, Millis(0), 1, 100).is_ok());
        drop(at_work);
        assert!(budgets.enter(PHONE, Millis(0), 1, 100).is_ok());
    }

    #[test]
    fn who_has_spent_all_waits_until_enough_has_come_back() {
        let budgets = Budgets::default();
        drop(budgets.enter(PHONE, Millis(0), BURST_CHANGES as usize, 0).unwrap());
        assert_eq!(budgets.enter(PHONE, Millis(0), 1, 0).unwrap_err(), Exhausted::Spent);
        assert!(budgets.enter(PHONE, Millis(0), 0, 100).is_ok(), "to read costs no changes");
        assert_eq!(budgets.enter(PHONE, Millis(999), 50, 0).unwrap_err(), Exhausted::Spent);
        drop(budgets.enter(PHONE, Millis(1_000), 50, 0).unwrap());
        assert_eq!(budgets.enter(PHONE, Millis(-5_000), 1, 0).unwrap_err(), Exhausted::Spent, "a clock that was set back");
        assert!(budgets.enter(PHONE, Millis(7 * 60_000), BURST_CHANGES as usize, 0).is_ok());
        assert_eq!(budgets.enter(OTHER, Millis(0), 0, (BURST_BYTES + 1) as usize).unwrap_err(), Exhausted::Spent);
    }

    #[test]
    fn devices_that_are_quiet_are_forgotten_once_there_are_many() {
        let budgets = Budgets::default();
        for number in 0..MANY as u128 {
            drop(budgets.enter(DeviceId::from_bytes(number.to_be_bytes()), Millis(0), 10, 10).unwrap());
        }
        drop(budgets.enter(PHONE, Millis(60_000), 1, 1).unwrap());
        assert_eq!(lock(&budgets.0).len(), 1);
    }
}
