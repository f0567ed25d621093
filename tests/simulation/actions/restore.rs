//! The server is backed up, and set up again from its last backup.

use doorstep_core::store::StoreError;
use doorstep_server::hub::HubError;
use doorstep_server::ledger::LedgerError;

use crate::world::{Violation, World, ensure, of_ledger};

impl World {
    /// A backup is made while the server runs.
    pub(super) fn back_up_server(&mut self) -> Result<(), Violation> {
        self.say(|| "the server is backed up".to_owned());
        match self.server.make_backup(&mut self.dice) {
            Err(HubError::Ledger(LedgerError::Store(StoreError::Stopped))) => {
                self.stop_server();
                Ok(())
            }
            made => ensure(made.is_ok(), "a backup can be made", || format!("{made:?}")),
        }
    }

    /// The server's disk is lost, and another machine begins with the last backup. What was acknowledged since is to come back.
    pub(super) fn restore_server(&mut self) -> Result<(), Violation> {
        if self.server.hub().is_none() {
            return Ok(()); // it is started again, and would find another disk
        }
        self.say(|| "the server is set up again from its last backup".to_owned());
        self.server.stop();
        self.drop_lines();
        let restored = self.server.restore(&mut self.dice);
        ensure(restored.is_ok(), "a server is set up again from a backup", || format!("{restored:?}"))?;
        self.record.count("servers restored");
        self.record.restored = true;
        self.record.timelines.clear();
        for (group, acknowledged) in std::mem::take(&mut self.record.acknowledged) {
            let is_there = of_ledger(self.hub()?.ledger().group(acknowledged.0, group))?.is_some();
            let list = if is_there { &mut self.record.acknowledged } else { &mut self.record.lost };
            list.insert(group, acknowledged);
        }
        self.check_ledger()
    }
}
