//! Devices: which there are, when each was heard of last, and how one ends. A device that has ended is not sent anything any more; what its phone
//! still sends is kept apart, and it is told to erase itself.

use std::collections::BTreeMap;
use std::sync::Mutex;

use doorstep_core::docs::DocKind;
use doorstep_core::model::{DeviceId, Millis, Right, StreetId};
use doorstep_core::policy;
use doorstep_core::summary::Summary;
use doorstep_core::sync::Reading;

use super::authenticate::Authenticated;
use super::{Hub, HubError, lock};
use crate::ledger::{Device, Ended, Ending, LedgerError};

/// So much later a contact is noted anew, in milliseconds: an hour is near enough for a list, and a phone that syncs every minute costs no write each
/// time.
const CONTACT_STEP: i64 = 3_600_000;

/// When each device was last noted, in this process.
#[derive(Debug, Default)]
pub(super) struct Contacts(Mutex<BTreeMap<DeviceId, Millis>>);

/// What a phone that is lost may hold.
#[derive(Debug, Clone)]
pub struct LostReport {
    /// The device.
    pub device: Device,
    /// The rights of its person now: what they let it see is on it as of its last contact, or was.
    pub rights: Vec<Right>,
    /// How many documents of each kind that is; a document in several scopes counts once.
    pub documents: Vec<(DocKind, usize)>,
}

impl Hub {
    /// The devices of a street, by person.
    ///
    /// # Errors
    /// When there is no such street, or the ledger fails.
    pub fn devices(&self, street: StreetId) -> Result<Vec<Device>, HubError> {
        let directory = self.ledger.directory(street)?;
        let tags = directory.staff.iter().flat_map(|staff| &staff.devices);
        tags.filter_map(|tag| self.ledger.device_of(*tag).transpose()).map(|device| Ok(device?)).collect()
    }

    /// Ends a device, now. Takes effect at once, also on a live connection.
    ///
    /// # Errors
    /// [`HubError::NotFound`] when the street has no such device; or when the ledger fails.
    pub fn end_device(&self, street: StreetId, device: DeviceId, why: Ending) -> Result<(), HubError> {
        let of = self.ledger.device(device)?.filter(|device| device.street == street).ok_or(HubError::NotFound { what: "device" })?;
        match self.ledger.end_device(device, Ended { at: self.now(), why }) {
            Err(LedgerError::Conflict { .. }) => return Err(HubError::NotFound { what: "device" }),
            ended => ended?,
        }
        self.movements.rights(street, of.person);
        self.end_if_nobody_is_awaited(street)
    }

    /// What was on a phone that is lost, as far as the server can tell: what its person may see.
    ///
    /// # Errors
    /// [`HubError::NotFound`] when the street has no such device; or when the ledger fails.
    pub fn lost_report(&self, street: StreetId, device: DeviceId) -> Result<LostReport, HubError> {
        let device = self.ledger.device(device)?.filter(|device| device.street == street).ok_or(HubError::NotFound { what: "device" })?;
        let now = self.now();
        let grants = self.ledger.grants(street, device.person)?;
        // What it could see when it was last heard of counts, even if that has ended since.
        let seen_until = device.last_contact.unwrap_or(device.enrolled_at);
        let held = grants.iter().filter(|grant| grant.holds(now) || grant.holds(seen_until));
        let rights: Vec<Right> = held.map(doorstep_core::model::Grant::right).collect();
        let mut documents = Vec::new();
        for kind in DocKind::ALL {
            let mut ids = Vec::new();
            self.each_summary(street, kind, &mut |summary: Summary| ids.push(summary.id()))?;
            let mut count = 0;
            for id in ids {
                let scopes = self.ledger.scopes(street, id)?.map(|(_, scopes)| scopes).unwrap_or_default();
                let sees = |right: &Right| scopes.contains(&right.scope) && policy::receives(&right.role, kind);
                count += usize::from(rights.iter().any(sees));
            }
            documents.push((kind, count));
        }
        Ok(LostReport { device, rights, documents })
    }

    /// Notes up to where a device has read, while an erasure waits to be confirmed by it: what stands before its cursors is done on the phone,
    /// the destruction of keys included. Costs a write for each request that moves on towards the last erasure.
    pub(super) fn note_reading(&self, who: &Authenticated) -> Result<(), HubError> {
        let Some(erased_at) = lock(&self.erased_at).get(&who.street.id).copied() else { return Ok(()) };
        let noted = who.device.read_to.unwrap_or_default();
        if noted >= erased_at || who.request.ledger != Some(who.street.ledger) {
            return Ok(());
        }
        let read_to = match who.request.cursors.0.iter().map(Reading::complete_up_to).min() {
            // A phone that has no grant, and has given up what it held by those it had, holds nothing.
            None if who.grants.is_empty() => erased_at,
            None => return Ok(()),
            Some(read_to) => read_to,
        };
        if read_to > noted { whether_noted_or_not(self.ledger.note_reading(who.device.id, read_to)) } else { Ok(()) }
    }

    /// Notes that a device was heard of, at most once an hour.
    pub(super) fn note_contact(&self, device: &Device) -> Result<(), HubError> {
        let now = self.now();
        let mut contacts = lock(&self.contacts.0);
        let last = contacts.get(&device.id).copied().max(device.last_contact);
        if last.is_some_and(|last| now.since(last) < CONTACT_STEP) {
            return Ok(());
        }
        contacts.insert(device.id, now);
        drop(contacts);
        whether_noted_or_not(self.ledger.note_contact(device.id, now))
    }
}

/// A list that is some hours old is no reason not to serve anybody.
fn whether_noted_or_not(noted: Result<(), LedgerError>) -> Result<(), HubError> {
    match noted {
        Err(LedgerError::Store(error)) => {
            tracing::debug!(%error, "what is known of a device was not noted");
            Ok(())
        }
        noted => Ok(noted?),
    }
}
