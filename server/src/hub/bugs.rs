//! Deliberate bugs, each off unless a test turns it on: the simulation must find them, or it finds nothing.

use doorstep_core::docs::layout::{Container, Path};
use doorstep_core::docs::wellformed::Operation;

use super::Hub;

/// Which bugs are on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeededBugs {
    /// A document is sent as its stored snapshot, without the log behind it.
    pub snapshots_lack_log: bool,
    /// Policy is not asked for visits.
    pub skips_policy_for_visits: bool,
    /// Work on who was erased is taken, with the keys that come along.
    pub takes_edits_of_erased: bool,
}

impl SeededBugs {
    /// Whether policy is not asked for a change.
    pub(super) fn skip_policy(self, operations: &[Operation]) -> bool {
        let of_visit =
            |operation: &Operation| matches!(operation.path, Path::Entry(Container::Visits, _) | Path::Field(Container::Visits, ..));
        self.skips_policy_for_visits && operations.iter().all(of_visit)
    }
}

impl Hub {
    /// The same with bugs.
    #[must_use]
    pub fn with_bugs(self, bugs: SeededBugs) -> Self {
        Self { bugs, ..self }
    }
}
