//! Rounds of a torture: how many there are, and the dice that say what each of them does.
//!
//! Both come from the environment: `DOORSTEP_KILLS=200` and `DOORSTEP_KILLS_SEED=7`, and so for each other name. Without a seed one is drawn. It is
//! printed, so that a test that fails shows how to draw the same again. What a kill meets still depends on how the machine shares its cores.

use std::time::Duration;

use doorstep_core::model::Entropy as _;
use doorstep_server::system::SystemEntropy;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// The dice of one torture.
pub struct Torture {
    rounds: usize,
    dice: ChaCha8Rng,
}

impl Torture {
    /// Takes rounds and seed from the variables `name` and `name_SEED`; `rounds` without the first.
    pub fn named(name: &str, rounds: usize) -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let seed_name = format!("{name}_SEED");
        let seed = number(&seed_name).unwrap_or_else(|| {
            let mut bytes = [0; 4];
            SystemEntropy.fill(&mut bytes);
            u32::from_le_bytes(bytes).into()
        });
        let rounds = number(name).map_or(rounds, |rounds| usize::try_from(rounds).unwrap());
        println!("{name}={rounds} {seed_name}={seed}");
        Self { rounds, dice: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The share of one kind among `kinds` of them, one round at least.
    pub fn rounds_of_one_in(&self, kinds: usize) -> usize {
        self.rounds.div_ceil(kinds)
    }

    /// A number below `bound`; 0 if there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.dice.next_u64() % (bound.max(1) as u64)) as usize
    }

    /// True in one of so many cases.
    pub fn one_in(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }

    /// A time between two, of which short ones are as likely as those ten times as long.
    pub fn moment(&mut self, least: Duration, most: Duration) -> Duration {
        let place = self.below(1_001) as f64 / 1_000.0;
        least.mul_f64((most.as_secs_f64() / least.as_secs_f64()).powf(place))
    }
}
