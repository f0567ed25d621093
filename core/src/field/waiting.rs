//! What waits, and when to look again: for lists of unsent work and for drivers that are not [`Engine::sync`].

use crate::field::Engine;
use crate::model::{DocId, GroupId, Millis};

/// A command that the server has not acknowledged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingRecord {
    /// The group: keeps its id until the server has said what becomes of it.
    pub group: GroupId,
    /// The documents that it writes to.
    pub docs: Vec<DocId>,
    /// When it was recorded, by the phone's clock.
    pub recorded_at: Millis,
    /// Whether it is on its way.
    pub sending: bool,
}

impl Engine {
    /// What waits, in the order of recording. Reads no disk.
    pub fn waiting(&self) -> Vec<WaitingRecord> {
        let state = self.state();
        let record = |(number, waiting): (u64, &crate::field::outbox::Waiting)| WaitingRecord {
            group: waiting.group,
            docs: waiting.docs.clone(),
            recorded_at: waiting.recorded_at,
            sending: state.outbox.in_flight().contains(&number),
        };
        state.outbox.iter().map(record).collect()
    }

    /// When [`Input::Tick`](crate::sync::client::Input::Tick) is due, by the phone's clock: the next attempt, the end of waiting for an
    /// answer, or the end of a silence on a live connection. May change with every call of [`Engine::advance`] and [`Engine::advance_live`].
    pub fn wakeup(&self) -> Option<Millis> {
        let state = self.state();
        state.line.wakeup(&state.session)
    }
}
