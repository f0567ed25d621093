//! The simulation: one real hub and many real phones in one thread, out of one seed.
//!
//! Engine, protocol, acceptance and ledger are those of the product; network, clocks, randomness and disks are the world's. A run is a storm,
//! in which people work while messages are lost, doubled, cut and overtake each other, clocks are wrong, power goes in any write of a disk, trees are
//! lost, stores are set back to copies and phones cloned; then a calm, after which every outbox is empty and every replica equal. Invariants are checked at every step.
//!
//! | variable | what it does |
//! |---|---|
//! | `DOORSTEP_SIM_SEEDS` | how many seeds are run; 500 if unset |
//! | `DOORSTEP_SIM_FROM` | the first of them; 1 if unset |
//! | `DOORSTEP_SIM_MINUTES` | runs seeds for so long instead |
//! | `DOORSTEP_SIM_SEED` | replays one seed (test `replay`) and prints what happens in it |
//! | `DOORSTEP_SIM_OFF` | kinds of trouble that are left out of a replay, to make it smaller: `net,crashes,clocks,grants,lives` |
//!
//! A seed that failed gets a line in `seeds.txt`, with what was wrong: these are run first, always.

mod actions;
#[cfg(feature = "seeded-bugs")]
mod bugs;
mod calm;
mod clock;
mod dice;
mod disk;
mod founding;
mod invariants;
mod live;
mod net;
mod own;
mod phone;
mod record;
mod run;
mod scenario;
mod server;
mod trace;
mod world;

use std::str::FromStr;
use std::time::{Duration, Instant};

use run::{report, run, run_with};
use scenario::Off;

fn setting<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.trim().parse().ok())
}

/// The seeds that once failed.
fn remembered_seeds() -> Vec<u64> {
    let first_word = |line: &str| line.split_whitespace().next().and_then(|word| word.parse().ok());
    include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#')).filter_map(first_word).collect()
}

/// How many failing seeds are looked for before a run ends: one may hide what another shows.
const MOST_FAILURES: usize = 20;

/// Runs seeds, and fails with the report of those that failed.
fn all_pass(seeds: impl Iterator<Item = u64>) -> u64 {
    let mut passed = 0;
    let failures = seeds.filter_map(|seed| {
        let ended = run(seed);
        passed += u64::from(ended.violation.is_none());
        ended.violation.is_some().then(|| report(seed, &ended))
    });
    let failures: Vec<String> = failures.take(MOST_FAILURES).collect();
    assert!(failures.is_empty(), "{} seeds failed, {passed} passed:\n{}", failures.len(), failures.join("\n"));
    passed
}

#[test]
fn every_storm_ends_in_agreement() {
    all_pass(remembered_seeds().into_iter());
    let first = setting("DOORSTEP_SIM_FROM").unwrap_or(1);
    let Some(minutes) = setting::<u64>("DOORSTEP_SIM_MINUTES") else {
        all_pass(first..first + setting("DOORSTEP_SIM_SEEDS").unwrap_or(500));
        return;
    };
    let begin = Instant::now();
    let within = |_: &u64| begin.elapsed() < Duration::from_secs(minutes * 60);
    let passed = all_pass((first..).take_while(within));
    println!("{passed} seeds from {first} passed");
}

#[test]
fn replay() {
    let Some(seed) = setting("DOORSTEP_SIM_SEED") else { return };
    let off = Off::parse(&std::env::var("DOORSTEP_SIM_OFF").unwrap_or_default());
    let ended = run_with(seed, off, true, |_| {});
    ended.lines.iter().for_each(|line| println!("{line}"));
    println!("{:?}", ended.counts);
    assert!(ended.violation.is_none(), "{}", report(seed, &ended));
}
