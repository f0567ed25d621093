//! Deliberate bugs, each off unless a test turns it on: the simulation must find them, or it finds nothing.

use crate::docs::Change;
use crate::field::Engine;
use crate::model::Incarnation;
use crate::sync::Part;

/// Which bugs are on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeededBugs {
    /// The last entry of every fifth position is left out, and the cursor moves past it.
    pub skips_positions: bool,
    /// When verdicts come, what was recorded since the push is taken off the outbox as well.
    pub drops_entries: bool,
    /// A change that builds on several others names one of them less.
    pub forgets_dependency: bool,
    /// The mark is not looked at, and what is run again is under the old actor.
    pub reuses_actor: bool,
    /// A cursor is on the disk before what it speaks of.
    pub moves_cursor_first: bool,
    /// A document that leaves the phone's scopes takes the unsent work on it along.
    pub drops_unsent_work: bool,
}

impl Engine {
    /// Turns bugs on for this engine.
    pub fn set_bugs(&self, bugs: SeededBugs) {
        self.state().bugs = bugs;
    }
}

impl SeededBugs {
    /// A change as the outbox gets it.
    pub(super) fn bytes_of(self, change: &Change) -> Vec<u8> {
        let mut expanded = change.automerge().decode();
        if !self.forgets_dependency || expanded.deps.len() < 2 {
            return change.bytes().to_vec();
        }
        expanded.deps.pop();
        automerge::Change::from(expanded).raw_bytes().to_vec()
    }

    /// The incarnation of what is run again.
    pub(super) fn incarnation(self, fresh: Incarnation, old: Incarnation) -> Incarnation {
        if self.reuses_actor { old } else { fresh }
    }

    pub(super) fn spoiled(self, mut part: Part) -> Part {
        if self.skips_positions && part.to.0.is_multiple_of(5) {
            part.entries.0.pop();
        }
        part
    }
}
