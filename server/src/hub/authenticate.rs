//! Who is it: from the bytes of a frame to a request whose device and signature are known.

use std::collections::BTreeMap;

use doorstep_core::docs::Keyring;
use doorstep_core::model::{DocId, Grant, Right};
use doorstep_core::policy::Principal;
use doorstep_core::sync::server::Exchange;
use doorstep_core::sync::{Freshness, PROTOCOL_VERSION, Request, Signed, open_frame};

use super::registrar::Registrar;
use super::{Hub, HubError};
use crate::ledger::{Device, Street};

/// Keys by record.
pub type Keys = BTreeMap<DocId, Keyring>;

/// A request of a known device, with what its person has a right to at this moment.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The device that signed.
    pub device: Device,
    /// Its street.
    pub street: Street,
    /// The grants that hold now.
    pub grants: Vec<Grant>,
    /// What its person has or ever had a right to.
    pub had: Vec<Right>,
    /// The request.
    pub request: Request,
    /// Whether it counts: what was sent before is answered with this.
    pub challenge: Option<Freshness>,
}

impl Authenticated {
    /// Who gives receipts in the street.
    pub const fn registrar(&self) -> Registrar {
        Registrar::of(&self.street)
    }

    /// The keys of records that came with the request, to be taken as [`Keyring::learn`] does. Costs 100 µs where there are any.
    pub fn keys(&self) -> Result<Keys, HubError> {
        let Some(wrapped) = &self.request.keys else { return Ok(Keys::new()) };
        Ok(self.registrar().sealing().open(self.device.id, wrapped)?.into_iter().collect())
    }

    /// The exchange that this device gets.
    pub fn exchange(&self) -> Exchange {
        let exchange = Exchange::new(self.street.ledger);
        match self.challenge {
            Some(challenge) => exchange.challenging(challenge),
            None if self.device.ended.is_some() => exchange.ending(),
            None => exchange,
        }
    }

    /// Who asks, for policy.
    pub fn principal(&self) -> Principal {
        Principal { person: self.device.person, rights: self.grants.iter().map(Grant::right).collect() }
    }

    /// The same person with all the rights that it ever had: what these would allow was honest work once.
    pub fn former_principal(&self) -> Principal {
        Principal { person: self.device.person, rights: self.had.clone() }
    }
}

impl Hub {
    /// Opens a frame and checks who signed it.
    pub(super) fn authenticate(&self, frame: &[u8]) -> Result<Authenticated, HubError> {
        let signed: Signed = open_frame(frame)?;
        let request: Request = signed.open()?;
        if request.protocol == 0 || request.protocol > PROTOCOL_VERSION {
            return Err(HubError::Protocol { found: request.protocol });
        }
        let device = self.ledger.device(request.device)?.ok_or(HubError::UnknownDevice)?;
        device.key.verify_request(&signed)?;
        let challenge = self.nonces.check(device.id, request.fresh).err();
        if challenge.is_none() {
            self.note_contact(&device)?;
        }
        self.reading_noted(self.with_rights(device, request, challenge)?)
    }

    /// The request of a device that was authenticated before on the same connection: what its person has a right to now.
    pub(super) fn authenticate_again(&self, request: Request) -> Result<Authenticated, HubError> {
        let device = self.ledger.device(request.device)?.ok_or(HubError::UnknownDevice)?;
        self.reading_noted(self.with_rights(device, request, None)?)
    }

    /// Mail goes without this: it says nothing of what its author's phone has read.
    fn reading_noted(&self, who: Authenticated) -> Result<Authenticated, HubError> {
        if who.challenge.is_none() {
            self.note_reading(&who)?;
        }
        Ok(who)
    }

    pub(super) fn with_rights(&self, device: Device, request: Request, challenge: Option<Freshness>) -> Result<Authenticated, HubError> {
        let street = self.street(device.street)?;
        let now = self.now();
        let mut grants = self.ledger.grants(street.id, device.person)?;
        let had = grants.iter().filter(|grant| grant.has_begun(now)).map(Grant::right).collect();
        grants.retain(|grant| grant.holds(now));
        Ok(Authenticated { device, street, grants, had, request, challenge })
    }
}
