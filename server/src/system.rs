//! The system's clock and randomness, handed to the parts that take them from outside.
//!
//! The only place of the workspace that reads either for `core`: a simulation puts a virtual clock and a seed here instead.

use doorstep_core::model::{Clock, Entropy, Millis};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock of the machine. It may jump, also backwards; who needs order uses the hybrid clock over it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => Millis(millis(after)),
            Err(before) => Millis(-millis(before.duration())),
        }
    }
}

/// The random number generator of the operating system. A call costs about a microsecond.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// Fills `bytes`. A system without randomness cannot make an id or a key that nobody guesses, so the process ends then: there is
    /// nothing right to go on with, and a caller could only be tempted to.
    fn fill(&mut self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            tracing::error!(%error, "the system gives no random bytes; stopping");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_tells_a_time_after_this_was_written() {
        assert!(SystemClock.now() > Millis(1_790_000_000_000));
    }

    #[test]
    fn random_bytes_differ_from_call_to_call() {
        let (mut one, mut two) = ([0; 16], [0; 16]);
        SystemEntropy.fill(&mut one);
        SystemEntropy.fill(&mut two);
        assert_ne!(one, two);
    }
}
