//! How often somebody may guess: pure functions over what was tried before and the present time, and the bounded tables that hold it.
//!
//! Kept in memory: a restart forgets it, and whoever guesses cannot bring one about. Every name is counted alike, whether there is an
//! account of it or not, or being locked would tell.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorstep_core::model::{Clock, Millis};
use sha2::{Digest as _, Sha256};

use super::{AccountError, lock};

/// Failures that cost nothing but time for typing.
const FREE_FAILURES: u32 = 5;
/// The delay after the fifth failure in a row, in milliseconds; each further one doubles it.
const FIRST_DELAY: i64 = 60_000;
/// The longest delay: an account is never shut for good, or anybody could shut anybody's.
const MOST_DELAY: i64 = 60 * 60_000;
/// After this long without a failure they are forgotten.
const FORGOTTEN_AFTER: i64 = 24 * 3_600_000;
/// How many names and how many addresses are remembered: some megabytes. Over that, who failed least is forgotten first.
const MOST_KEPT: usize = 10_000;

/// Failures on one name, in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Failures {
    count: u32,
    last: Millis,
}

impl Failures {
    /// Until when nothing is tried on this name, as milliseconds from `now`; none if it may be tried.
    fn wait(self, now: Millis) -> Option<i64> {
        let over = self.count.checked_sub(FREE_FAILURES)?;
        let delay = FIRST_DELAY.checked_shl(over.min(16)).unwrap_or(MOST_DELAY).min(MOST_DELAY);
        // A clock that was set back makes nobody wait longer than the delay itself.
        Some(self.last.plus(delay).since(now).min(delay)).filter(|wait| *wait > 0)
    }

    fn and_one_more(self, now: Millis) -> Self {
        let count = if now.since(self.last) > FORGOTTEN_AFTER { 0 } else { self.count };
        Self { count: count.saturating_add(1), last: now }
    }
}

/// What was tried on the names of accounts.
#[derive(Default)]
pub(super) struct Attempts {
    by_name: BTreeMap<[u8; 32], Failures>,
}

impl Attempts {
    /// Begins an attempt on a name: it counts as failed until it has [`succeeded`](Attempts::succeeded).
    ///
    /// # Errors
    /// [`AccountError::TooMany`] while the name is locked; that attempt does not count.
    pub fn begin(&mut self, name: &str, now: Millis) -> Result<(), AccountError> {
        let key = Sha256::digest(name).into();
        let before = self.by_name.get(&key).copied().unwrap_or_default();
        if let Some(wait) = before.wait(now) {
            return Err(AccountError::TooMany { wait: seconds(wait) });
        }
        self.by_name.insert(key, before.and_one_more(now));
        forget(&mut self.by_name, |failures| (failures.count, failures.last));
        Ok(())
    }

    /// The attempt on the name was the right one.
    pub fn succeeded(&mut self, name: &str) {
        self.by_name.remove(&<[u8; 32]>::from(Sha256::digest(name)));
    }

    /// Whether a name is locked now.
    pub fn is_locked(&self, name: &str, now: Millis) -> bool {
        self.by_name.get(&<[u8; 32]>::from(Sha256::digest(name))).is_some_and(|failures| failures.wait(now).is_some())
    }
}

/// How many failures an address may have at once, and how fast they are forgiven.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// Failures in a row. An office stands behind one address, so more than one person's.
    pub size: u32,
    /// One is forgiven after so many milliseconds.
    pub refill: i64,
}

/// Failures by address. An attempt takes its place beforehand and gives it back where it was right, so that many at once gain nothing.
struct Throttle {
    bucket: Bucket,
    /// When each address will have all its places again.
    full_at: BTreeMap<Network, Millis>,
}

/// An address, or for IPv6 the /64 that one subscriber has.
type Network = [u8; 16];

/// Wrong passwords from one address: an office of twenty may mistype, and a guesser gets 2,900 a day.
pub(super) const LOGINS: Bucket = Bucket { size: 20, refill: 30_000 };
/// Wrong enrolment codes from one address: a morning in which all phones of a street are set up behind one.
pub(super) const ENROLMENTS: Bucket = Bucket { size: 30, refill: 20_000 };

/// A throttle that all threads share.
pub struct Door {
    throttle: Mutex<Throttle>,
    clock: Arc<dyn Clock>,
}

impl Door {
    pub(super) fn new(bucket: Bucket, clock: Arc<dyn Clock>) -> Self {
        Self { throttle: Mutex::new(Throttle::new(bucket)), clock }
    }

    /// Takes a place for an attempt from an address.
    ///
    /// # Errors
    /// [`AccountError::TooMany`] when there is none.
    pub fn enter(&self, from: IpAddr) -> Result<(), AccountError> {
        match lock(&self.throttle).enter(from, self.clock.now()) {
            Entry::Open => Ok(()),
            Entry::Shut { wait } => Err(AccountError::TooMany { wait }),
        }
    }

    /// Gives the place of an attempt back that was no wrong one.
    pub fn give_back(&self, from: IpAddr) {
        lock(&self.throttle).give_back(from);
    }

    /// Whether the last place of an address is used up.
    pub fn is_shut(&self, from: IpAddr) -> bool {
        lock(&self.throttle).is_empty(from, self.clock.now())
    }
}

/// What an address is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// It may try.
    Open,
    /// It has to wait.
    Shut {
        /// How long.
        wait: Duration,
    },
}

impl Throttle {
    /// A throttle in which nobody has failed.
    const fn new(bucket: Bucket) -> Self {
        Self { bucket, full_at: BTreeMap::new() }
    }

    /// Takes a place for an attempt from an address.
    fn enter(&mut self, from: IpAddr, now: Millis) -> Entry {
        let network = network(from);
        match take(self.bucket, self.full_at.get(&network).copied(), now) {
            Ok(full_at) => {
                self.full_at.insert(network, full_at);
                forget(&mut self.full_at, |full_at| *full_at);
                Entry::Open
            }
            Err(wait) => Entry::Shut { wait: seconds(wait) },
        }
    }

    /// Gives the place of an attempt back: it was right.
    fn give_back(&mut self, from: IpAddr) {
        if let Some(full_at) = self.full_at.get_mut(&network(from)) {
            *full_at = full_at.plus(-self.bucket.refill);
        }
    }

    /// Whether an address has just used its last place up.
    fn is_empty(&self, from: IpAddr, now: Millis) -> bool {
        take(self.bucket, self.full_at.get(&network(from)).copied(), now).is_err()
    }
}

/// Takes one place: when the bucket will be full again, or how long to wait for one.
fn take(bucket: Bucket, full_at: Option<Millis>, now: Millis) -> Result<Millis, i64> {
    let whole = bucket.refill.saturating_mul(i64::from(bucket.size));
    // A clock that was set back leaves nobody waiting for longer than a whole bucket takes.
    let missing = full_at.map_or(0, |full_at| full_at.since(now).clamp(0, whole));
    let after = missing + bucket.refill;
    if after > whole { Err(after - whole) } else { Ok(now.plus(after)) }
}

/// Whole seconds, rounded up: a client that waits that long is let in.
fn seconds(millis: i64) -> Duration {
    Duration::from_secs(millis.max(0).unsigned_abs().div_ceil(1_000))
}

fn network(address: IpAddr) -> Network {
    let bytes = match address.to_canonical() {
        IpAddr::V4(v4) => return v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => u128::from(v6) >> 64 << 64,
    };
    bytes.to_be_bytes()
}

/// Keeps a table within its bound: what ranks lowest goes.
fn forget<K: Ord + Copy, V, R: Ord>(table: &mut BTreeMap<K, V>, rank: impl Fn(&V) -> R) {
    if table.len() > MOST_KEPT
        && let Some(lowest) = table.iter().min_by_key(|(_, value)| rank(value)).map(|(key, _)| *key)
    {
        table.remove(&lowest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    /// Tries until the name is locked: how many were taken, and the wait in seconds.
    fn fail_until_locked(attempts: &mut Attempts, now: Millis) -> (u32, u64) {
        for taken in 0.. {
            match attempts.begin("admin", now) {
                Ok(()) => {}
                Err(AccountError::TooMany { wait }) => return (taken, wait.as_secs()),
                Err(other) => panic!("{other}"),
            }
        }
        unreachable!()
    }

    #[test]
    fn five_failures_lock_a_name_for_a_minute_and_each_further_one_for_twice_as_long_up_to_an_hour() {
        let (mut attempts, mut now, mut waits) = (Attempts::default(), NOW, Vec::new());
        assert_eq!(fail_until_locked(&mut attempts, now), (5, 60));
        for _ in 0..8 {
            now = now.plus(3_600_000);
            let (taken, wait) = fail_until_locked(&mut attempts, now);
            waits.push(wait / 60);
            assert_eq!(taken, 1);
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(attempts.is_locked("admin", now) && !attempts.is_locked("another", now));
        assert!(!attempts.is_locked("admin", now.plus(3_600_000)));
        assert_eq!(fail_until_locked(&mut attempts, now.plus(FORGOTTEN_AFTER + 1)), (5, 60));
    }

    #[test]
    fn a_right_password_forgets_the_failures() {
        let mut attempts = Attempts::default();
        (0..4).for_each(|_| attempts.begin("admin", NOW).unwrap());
        attempts.succeeded("admin");
        assert_eq!(fail_until_locked(&mut attempts, NOW), (5, 60));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_for_longer() {
        let mut attempts = Attempts::default();
        fail_until_locked(&mut attempts, NOW);
        assert_eq!(fail_until_locked(&mut attempts, NOW.plus(-86_400_000)), (0, 60));
    }

    #[test]
    fn the_tables_stay_small_and_whoever_failed_often_is_remembered() {
        let mut attempts = Attempts::default();
        fail_until_locked(&mut attempts, NOW);
        (0..MOST_KEPT * 2).for_each(|n| drop(attempts.begin(&n.to_string(), NOW.plus(1))));
        assert_eq!(attempts.by_name.len(), MOST_KEPT);
        assert!(attempts.is_locked("admin", NOW.plus(1)));
    }

    #[test]
    fn an_address_waits_when_its_places_are_used_up_and_a_right_attempt_takes_none() {
        let mut throttle = Throttle::new(Bucket { size: 3, refill: 10_000 });
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        for _ in 0..100 {
            assert_eq!(throttle.enter(one, NOW), Entry::Open);
            throttle.give_back(one);
        }
        (0..3).for_each(|_| assert_eq!(throttle.enter(one, NOW), Entry::Open));
        assert!(throttle.is_empty(one, NOW));
        assert_eq!(throttle.enter(one, NOW.plus(4_500)), Entry::Shut { wait: Duration::from_secs(6) });
        assert_eq!(throttle.enter(other, NOW), Entry::Open);
        assert_eq!(throttle.enter(one, NOW.plus(10_000)), Entry::Open);
        assert!(throttle.is_empty(one, NOW.plus(10_000)));
    }

    #[test]
    fn the_addresses_of_one_subscriber_count_as_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    proptest! {
        #[test]
        fn no_address_gets_more_attempts_than_its_bucket_and_what_was_refilled(steps in proptest::collection::vec(0i64..30_000, 1..200)) {
            let bucket = Bucket { size: 5, refill: 10_000 };
            let mut throttle = Throttle::new(bucket);
            let (from, mut now, mut let_in) = ("10.0.0.1".parse().unwrap(), NOW, 0i64);
            for step in steps {
                now = now.plus(step);
                let_in += i64::from(throttle.enter(from, now) == Entry::Open);
            }
            prop_assert!(let_in <= 5 + now.since(NOW) / bucket.refill);
        }
    }
}
