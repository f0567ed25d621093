//! Deliberate bugs, each off unless a test turns it on: the simulation must find them, or it finds nothing.

use crate::field::Engine;
use crate::sync::Part;

/// Which bugs are on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeededBugs {
    /// The last entry of every fifth position is left out, and the cursor moves past it.
    pub skips_positions: bool,
    /// When verdicts come, what was recorded since the push is taken off the outbox as well.
    pub drops_entries: bool,
}

impl Engine {
    /// Turns bugs on for this engine.
    pub fn set_bugs(&self, bugs: SeededBugs) {
        self.state().bugs = bugs;
    }
}

impl SeededBugs {
    pub(super) fn spoiled(self, mut part: Part) -> Part {
        if self.skips_positions && part.to.0.is_multiple_of(5) {
            part.entries.0.pop();
        }
        part
    }
}
