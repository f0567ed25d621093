//! The server of a world: the real hub over the real ledger, on a disk that loses what was not flushed.

use std::sync::Arc;

use doorstep_core::model::StreetId;
use doorstep_core::store::MemoryStore;
use doorstep_core::sync::ANSWER_BYTES;
use doorstep_server::hub::{Hub, HubError};
use doorstep_server::ledger::{KeyedLedger, Ledger};

use crate::clock::{NodeClock, Time};
use crate::dice::{Dice, NodeDice};

/// The server.
pub struct Server {
    pub store: Arc<MemoryStore>,
    pub streets: Vec<StreetId>,
    clock: Arc<NodeClock>,
    dice: NodeDice,
    cache_bytes: u64,
    answer_bytes: usize,
    hub: Option<Hub>,
    /// A copy of the store, as the last backup has it.
    backup: MemoryStore,
}

impl Server {
    /// A server over an empty disk. Some have a cache that holds nothing, so that documents are always loaded anew; some give short answers, so
    /// that reading takes many parts, between which others write.
    pub fn new(time: &Time, dice: &mut Dice) -> Self {
        let cache_bytes = if dice.chance(300) { 0 } else { 16 << 20 };
        let answer_bytes = if dice.chance(500) { dice.spread(300, 8_000) as usize } else { ANSWER_BYTES };
        let mut server = Self {
            store: Arc::new(MemoryStore::new()),
            streets: Vec::new(),
            clock: NodeClock::new(time, 0),
            dice: NodeDice::new(dice.fork()),
            cache_bytes,
            answer_bytes,
            hub: None,
            backup: MemoryStore::new(),
        };
        server.start();
        server
    }

    /// Starts a process over what the disk holds.
    pub fn start(&mut self) {
        self.store.restart();
        let ledger: Arc<dyn Ledger> = Arc::new(KeyedLedger::new(self.store.clone()));
        let hub = Hub::new(ledger, self.clock.clone(), self.dice.shared(), self.cache_bytes);
        self.hub = Some(hub.with_answer_bytes(self.answer_bytes));
    }

    /// Makes a backup; phones are told up to where it reaches.
    pub fn make_backup(&mut self) -> Result<(), HubError> {
        let Some(hub) = &self.hub else { return Ok(()) };
        let positions = hub.positions()?;
        self.backup = self.store.copy();
        hub.note_backup(&positions)
    }

    /// Loses the store and sets it up again from the last backup, as `doorstep restore` does: with another life of each ledger.
    pub fn restore(&mut self) -> Result<(), HubError> {
        self.store = Arc::new(self.backup.copy());
        self.start();
        self.hub.as_ref().map_or(Ok(()), Hub::renew_ledgers)
    }

    /// Cuts the power.
    pub fn stop(&mut self) {
        self.hub = None;
    }

    /// The hub, while the server runs.
    pub const fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }
}
