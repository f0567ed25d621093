//! Serving a live connection: requests of its device, and what is to be pushed to it. Who may read what is asked anew each time.

use std::sync::Arc;

use doorstep_core::model::DeviceId;
use doorstep_core::sync::server::Standing;

use super::authenticate::Authenticated;
use super::movement::{Subscription, Topic};
use super::{Hub, HubError};

/// A request that was served on a live connection.
#[derive(Debug)]
pub struct Served {
    /// The device that signed it.
    pub device: DeviceId,
    /// The answer; everything in it is durable.
    pub frame: Vec<u8>,
    /// Where the phone stands with it.
    pub standing: Box<Standing>,
    /// What there is to hear of for this phone.
    pub topics: Vec<Topic>,
}

/// What was read for a live connection without a request.
#[derive(Debug)]
pub struct Pushed {
    /// The message; everything in it is durable. `None` where nothing is new.
    pub frame: Option<Vec<u8>>,
    /// Where the phone stands with it.
    pub standing: Box<Standing>,
    /// What there is to hear of for this phone.
    pub topics: Vec<Topic>,
}

impl Hub {
    /// Serves a request that came over a live connection; `device` is whose connection it is, once that is known.
    ///
    /// # Errors
    /// As [`Hub::exchange`]; [`HubError::AnotherDevice`] before anything of the request was looked at.
    pub fn serve_live(&self, frame: &[u8], device: Option<DeviceId>) -> Result<Served, HubError> {
        let authenticated = self.authenticate(frame)?;
        let signed_by = authenticated.device.id;
        if device.is_some_and(|device| device != signed_by) {
            return Err(HubError::AnotherDevice);
        }
        let _at_work = self.enter(&authenticated, frame.len())?;
        let (frame, standing) = self.drive(&authenticated, authenticated.exchange())?;
        let frame = frame.ok_or(HubError::OutOfOrder)?;
        Ok(Served { device: signed_by, frame, standing: Box::new(standing), topics: topics(&authenticated) })
    }

    /// Reads on from where a phone stands, for a push. Costs a few reads of index rows where nothing is new.
    ///
    /// # Errors
    /// [`HubError::UnknownDevice`] when the device is not enrolled any more; or when the ledger fails.
    pub fn read_live(&self, standing: Standing) -> Result<Pushed, HubError> {
        let authenticated = self.authenticate_again(standing.request)?;
        let (frame, standing) = self.drive(&authenticated, authenticated.exchange().pushing())?;
        Ok(Pushed { frame, standing: Box::new(standing), topics: topics(&authenticated) })
    }

    /// Hears of what becomes durable, from now on; [`Subscription::follow`] says of what.
    pub fn listen(self: &Arc<Self>) -> Subscription {
        self.movements.listen()
    }
}

fn topics(who: &Authenticated) -> Vec<Topic> {
    let street = who.street.id;
    let scopes = who.grants.iter().map(|grant| Topic::Scope(street, grant.scope));
    std::iter::once(Topic::Person(street, who.device.person)).chain(scopes).collect()
}
