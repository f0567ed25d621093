//! Mail: pushes that came by another's phone. Who carried them is nobody's business; the author's signature says whose they are.

use doorstep_core::sync::{Mail, PROTOCOL_VERSION, Request, Signed, open_frame};

use super::registrar::Registrar;
use super::{Hub, HubError};

impl Hub {
    /// Takes the push out of a mail and judges it as if its author's phone had brought it; what comes of it its author hears with their next sync.
    /// Returns once all that was accepted or put into quarantine is durable. May be repeated, by anybody who has it, and so takes nothing from
    /// its author's budget.
    ///
    /// # Errors
    /// [`HubError::Mail`] where it cannot be read; else as for a request. The carrier keeps it then.
    pub fn mail(&self, bytes: &[u8]) -> Result<(), HubError> {
        let mail = Mail::from_bytes(bytes)?;
        let street = self.street(mail.street).map_err(|_| HubError::Mail)?;
        let frame = mail.open(&Registrar::of(&street).sealing()).map_err(|_| HubError::Mail)?;
        let signed: Signed = open_frame(&frame)?;
        let request: Request = signed.open()?;
        if request.protocol == 0 || request.protocol > PROTOCOL_VERSION {
            return Err(HubError::Protocol { found: request.protocol });
        }
        let device = self.ledger.device(request.device)?.filter(|device| device.street == street.id).ok_or(HubError::UnknownDevice)?;
        device.key.verify_request(&signed)?;
        // Written in another life of the ledger, it may build on what this one lacks: its author brings it, after that.
        let is_of_this_life = request.ledger.is_none_or(|ledger| ledger == street.ledger);
        let authenticated = self.with_rights(device, request, None)?;
        if let Some(push) = authenticated.request.push.as_ref().filter(|_| is_of_this_life) {
            self.accept(&authenticated, push)?;
        }
        Ok(self.ledger.barrier()?)
    }
}
