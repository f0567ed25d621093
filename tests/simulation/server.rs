//! The server of a world: the real hub over the real ledger, on a disk that loses what was not flushed.

use std::sync::Arc;

use doorstep_core::model::StreetId;
use doorstep_core::store::{Opening, SimulatedStore, StoreError, TreeLoss};
use doorstep_core::sync::ANSWER_BYTES;
use doorstep_server::hub::{Erasure, ErasureList as _, Hub, HubError, MemoryErasures};
use doorstep_server::ledger::{KeyedLedger, Ledger, LedgerError};

use crate::clock::{NodeClock, Time};
use crate::dice::{Dice, NodeDice};
use crate::disk;

/// The server.
pub struct Server {
    pub store: Arc<SimulatedStore>,
    pub streets: Vec<StreetId>,
    clock: Arc<NodeClock>,
    dice: NodeDice,
    cache_bytes: u64,
    answer_bytes: usize,
    most_logged: usize,
    lease_hours: u32,
    /// The list that no backup holds.
    erasures: Arc<MemoryErasures>,
    hub: Option<Hub>,
    /// A copy of the store, as the last backup has it.
    backup: Option<SimulatedStore>,
    #[cfg(feature = "seeded-bugs")]
    bugs: doorstep_server::hub::SeededBugs,
}

impl Server {
    /// A server over an empty disk. Some have a cache that holds nothing, so that documents are always loaded anew; some give short answers, so
    /// that reading takes many parts, between which others write.
    pub fn new(time: &Time, dice: &mut Dice) -> Self {
        let cache_bytes = if dice.chance(300) { 0 } else { 16 << 20 };
        let answer_bytes = if dice.chance(500) { dice.spread(300, 8_000) as usize } else { ANSWER_BYTES };
        // Some compact a document's log after every change or two, so that a phone that comes by now and then finds nothing but a snapshot.
        let most_logged = if dice.chance(500) { dice.between(1, 4) as usize } else { 64 };
        let mut server = Self {
            store: Arc::new(disk::new_store(dice)),
            streets: Vec::new(),
            clock: NodeClock::new(time, 0),
            dice: NodeDice::new(dice.fork()),
            cache_bytes,
            answer_bytes,
            most_logged,
            // Most storms last some hours: some leases are over before the next sync.
            lease_hours: dice.between(1, 72) as u32,
            erasures: Arc::default(),
            hub: None,
            backup: None,
            #[cfg(feature = "seeded-bugs")]
            bugs: doorstep_server::hub::SeededBugs::default(),
        };
        server.start(None).unwrap();
        server
    }

    /// Starts a process over what the disk holds after a power cut, and after a loss.
    pub fn start(&mut self, loss: Option<TreeLoss>) -> Result<Opening, StoreError> {
        let opening = self.store.restart(loss)?;
        let opened = KeyedLedger::open(self.store.clone(), Box::new(self.dice.clone()));
        let ledger: Arc<dyn Ledger> = Arc::new(opened.map_err(|error| match error {
            LedgerError::Store(error) => error,
            other => panic!("the keys do not open: {other}"),
        })?);
        let hub = Hub::new(ledger, self.clock.clone(), self.dice.shared(), self.cache_bytes);
        let hub = hub.with_answer_bytes(self.answer_bytes).with_most_logged(self.most_logged);
        let hub = hub.with_lease_hours(self.lease_hours).with_erasures(self.erasures.clone());
        #[cfg(feature = "seeded-bugs")]
        let hub = hub.with_bugs(self.bugs);
        self.hub = Some(hub);
        Ok(opening)
    }

    /// Turns deliberate bugs on, for as long as this server lives.
    #[cfg(feature = "seeded-bugs")]
    pub fn plant(&mut self, bugs: doorstep_server::hub::SeededBugs) {
        self.bugs = bugs;
        self.hub = self.hub.take().map(|hub| hub.with_bugs(bugs));
    }

    /// Makes a backup; phones are told up to where it reaches.
    pub fn make_backup(&mut self, dice: &mut Dice) -> Result<(), HubError> {
        let Some(hub) = &self.hub else { return Ok(()) };
        let positions = hub.positions()?;
        self.backup = Some(self.store.copy(dice.numbers()).map_err(LedgerError::Store)?);
        hub.note_backup(&positions)
    }

    /// The list of erasures.
    pub fn erasures(&self) -> Vec<Erasure> {
        self.erasures.all()
    }

    /// Erases again what the list says, as every start does.
    pub fn erase_again(&self) -> Result<(), HubError> {
        self.hub.as_ref().map_or(Ok(()), |hub| hub.erase_again().map(drop))
    }

    /// Loses the store and sets it up again from the last backup, as `doorstep restore` does: with another life of each ledger.
    pub fn restore(&mut self, dice: &mut Dice) -> Result<(), HubError> {
        let Some(backup) = &self.backup else { return Ok(()) };
        self.store = Arc::new(backup.copy(dice.numbers()).map_err(LedgerError::Store)?);
        self.start(None).map_err(LedgerError::Store)?;
        self.hub.as_ref().map_or(Ok(()), Hub::renew_ledgers)?;
        self.erase_again()
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
