//! What a backup means to the ledgers that are in it, and another life that begins from one.

use doorstep_core::model::{Era, LedgerId, Position, StreetId};

use super::{Hub, HubError, lock};

impl Hub {
    /// How far each street's ledger has come: all of it is in a backup that is begun behind this.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn positions(&self) -> Result<Vec<(StreetId, Position)>, HubError> {
        self.ledger.streets()?.into_iter().map(|street| Ok((street.id, self.ledger.newest(street.id)?))).collect()
    }

    /// Notes that everything up to these positions is in a backup: phones need not keep it any longer.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn note_backup(&self, positions: &[(StreetId, Position)]) -> Result<(), HubError> {
        positions.iter().try_for_each(|(street, up_to)| Ok(self.ledger.note_backup(*street, *up_to)?))
    }

    /// Begins another life of every street's ledger, after the server was set up again from a backup: phones give back what it lost, and read
    /// anew.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn renew_ledgers(&self) -> Result<(), HubError> {
        for street in self.ledger.streets()? {
            let id = LedgerId::make(self.now(), &mut *lock(&self.entropy));
            self.ledger.renew(street.id, id, Era::beginning(self.now(), street.era))?;
        }
        Ok(())
    }
}
