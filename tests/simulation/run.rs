//! Running seeds: one is replayed exactly; a failure prints the one command that does so.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::scenario::Off;
use crate::world::{Violation, World};

/// How a run ended.
pub struct Ended {
    pub digest: u64,
    pub steps: u64,
    pub counts: std::collections::BTreeMap<&'static str, u64>,
    pub violation: Option<Violation>,
    pub lines: Vec<String>,
}

/// Runs a seed; `prepare` changes its world before anything happens.
pub fn run_with(seed: u64, off: Off, verbose: bool, prepare: impl FnOnce(&mut World)) -> Ended {
    let mut world = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let world = world.insert(World::new(seed, off, verbose));
        prepare(world);
        world.run()
    }));
    let violation = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(Violation { invariant: "nothing panics", detail: text.unwrap_or_default() })
        }
    };
    let Some(world) = world else { return Ended { digest: 0, steps: 0, counts: Default::default(), violation, lines: Vec::new() } };
    Ended {
        digest: world.trace.digest(),
        steps: world.step,
        counts: world.record.counts.clone(),
        violation,
        lines: world.trace.lines().to_vec(),
    }
}

/// Runs a seed as it is.
pub fn run(seed: u64) -> Ended {
    run_with(seed, Off::default(), false, |_| {})
}

/// What a person needs to see what went wrong.
pub fn report(seed: u64, ended: &Ended) -> String {
    let Some(violation) = &ended.violation else { return format!("seed {seed} passed") };
    format!(
        "seed {seed}, step {}: {}\n  {}\nreplay: DOORSTEP_SIM_SEED={seed} cargo test --release -p doorstep-tests --test simulation replay -- --nocapture",
        ended.steps, violation.invariant, violation.detail
    )
}
