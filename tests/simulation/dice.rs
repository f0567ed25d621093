//! Randomness: all of it comes from the seed, through a generator chosen by name.

use std::sync::{Arc, Mutex, PoisonError};

use doorstep_core::model::Entropy;
use doorstep_core::store::Numbers;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A generator with what a scenario asks of it.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A generator of its own, so that what one node draws does not move what another gets.
    pub fn fork(&mut self) -> Self {
        Self(ChaCha8Rng::seed_from_u64(self.0.next_u64()))
    }

    /// The numbers of a generator of its own, as a disk draws them.
    pub fn numbers(&mut self) -> Numbers {
        let mut own = self.fork();
        Box::new(move || own.0.next_u64())
    }

    /// A number below `bound`; 0 if there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1).unsigned_abs()) as i64
    }

    /// A length between two, short ones as likely as those a hundred times as long.
    pub fn spread(&mut self, least: i64, most: i64) -> i64 {
        let magnitude = self.between(0, 1_000) as f64 / 1_000.0;
        (least as f64 * (most as f64 / least as f64).powf(magnitude)) as i64
    }

    /// True in so many of a thousand cases.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }

    /// The number of one of these weights.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

impl Entropy for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

/// The randomness of a node's disk-less parts: it survives the node's restarts, so that no restart draws the same again.
#[derive(Clone)]
pub struct NodeDice(Arc<Mutex<Dice>>);

impl NodeDice {
    pub fn new(dice: Dice) -> Self {
        Self(Arc::new(Mutex::new(dice)))
    }

    /// As the server takes it.
    pub fn shared(&self) -> Arc<Mutex<dyn Entropy>> {
        self.0.clone()
    }
}

impl Entropy for NodeDice {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}
