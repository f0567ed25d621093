//! The ledger over any ordered key-value store: over sled it is the embedded default, over memory what the simulation runs on.
//!
//! Promise: that of [`Ledger`]. It is kept by running each commit as one plan of the store: plans have one order, and each sees all before
//! it, so a condition that was checked holds when the write lands, and the street's counter gives positions without gaps in that same order.
//! A plan reads single keys only and is short; what can be encoded without a position is encoded before.
//!
//! Reads take no lock. What needs several reads either ends at the newest position that was there when it began, or begins anew when it
//! finds that a commit came in between. Where each thing stands is said in `keys`, how it is written in `rows`; how it becomes durable
//! is left to the store.

mod commit;
mod compact;
mod document;
mod feed;
mod holds;
mod inbox;
mod keys;
mod quarantine;
mod restored;
mod rows;
mod street;
mod vault;

use std::sync::Arc;

use doorstep_core::docs::{DocKind, Keyring};
use doorstep_core::model::{
    ClaimKey, DeviceId, DeviceTag, Directory, DocId, Entropy, Era, EventId, Grant, GrantId, GroupId, LedgerId, Millis, PersonId, Position,
    Scope, StreetId,
};
use doorstep_core::store::{Read, Store};

use vault::KeyVault;

use super::{
    AcceptedGroup, Commit, Device, Ended, EnrolmentCode, FeedRow, Hold, InboxEntry, Ledger, LedgerError, LoggedChange, PushProof,
    QuarantinedGroup, StoredDocument, Street,
};

/// A [`Ledger`] in a store. It holds the store, and the keys above those of its records.
pub struct KeyedLedger {
    store: Arc<dyn Store>,
    vault: KeyVault,
}

impl KeyedLedger {
    /// The ledger that is in a store; an empty store is a ledger without streets. Reads the roots of the store, or makes them.
    ///
    /// # Errors
    /// When the store fails or its roots are damaged.
    pub fn open(store: Arc<dyn Store>, entropy: Box<dyn Entropy>) -> Result<Self, LedgerError> {
        let vault = KeyVault::open(&*store, entropy)?;
        Ok(Self { store, vault })
    }

    fn read(&self) -> &dyn Read {
        &*self.store
    }
}

impl Ledger for KeyedLedger {
    fn streets(&self) -> Result<Vec<Street>, LedgerError> {
        street::all(self.read())
    }

    fn renew(&self, street: StreetId, ledger: LedgerId, era: Era) -> Result<(), LedgerError> {
        restored::renew(&*self.store, street, ledger, era)
    }

    fn note_backup(&self, street: StreetId, up_to: Position) -> Result<(), LedgerError> {
        restored::note_backup(&*self.store, street, up_to)
    }

    fn note_reconciled(&self, street: StreetId, device: DeviceTag) -> Result<(), LedgerError> {
        restored::note_reconciled(&*self.store, street, device)
    }

    fn reconciled(&self, street: StreetId) -> Result<Vec<DeviceTag>, LedgerError> {
        restored::reconciled(self.read(), street)
    }

    fn end_reconciliation(&self, street: StreetId) -> Result<(), LedgerError> {
        restored::end_reconciliation(&*self.store, street)
    }

    fn rulings_due(&self, street: StreetId, limit: usize) -> Result<Vec<DocId>, LedgerError> {
        restored::rulings_due(self.read(), street, limit)
    }

    fn add_street(&self, street: &Street, directory: &Directory) -> Result<(), LedgerError> {
        street::add(&*self.store, street, directory)
    }

    fn directory(&self, street: StreetId) -> Result<Directory, LedgerError> {
        street::directory(self.read(), street)
    }

    fn document(&self, street: StreetId, doc: DocId) -> Result<Option<StoredDocument>, LedgerError> {
        let Some(stored) = document::read(self.read(), street, doc)? else { return Ok(None) };
        let (keys, keys_at) = self.keys(street, doc)?;
        Ok(Some(StoredDocument { keys, keys_at, ..stored }))
    }

    fn scopes(&self, street: StreetId, doc: DocId) -> Result<Option<(DocKind, Vec<Scope>)>, LedgerError> {
        document::scopes(self.read(), street, doc)
    }

    fn changes_after(&self, street: StreetId, doc: DocId, after: Position, limit: usize) -> Result<Option<Vec<LoggedChange>>, LedgerError> {
        document::changes(self.read(), street, doc, after, limit)
    }

    fn proof(&self, street: StreetId, doc: DocId, position: Position) -> Result<Option<PushProof>, LedgerError> {
        document::proof(self.read(), street, doc, position)
    }

    fn summaries(&self, street: StreetId, kind: DocKind, after: Option<DocId>, limit: usize) -> Result<Vec<(DocId, Vec<u8>)>, LedgerError> {
        document::summaries(self.read(), street, kind, after, limit)
    }

    fn late_events(&self, street: StreetId, limit: usize) -> Result<Vec<(DocId, EventId, Position)>, LedgerError> {
        document::late_events(self.read(), street, limit)
    }

    fn feed(&self, street: StreetId, scope: Scope, after: Position, limit: usize) -> Result<Vec<FeedRow>, LedgerError> {
        feed::read(self.read(), street, scope, after, limit)
    }

    fn newest(&self, street: StreetId) -> Result<Position, LedgerError> {
        Ok(rows::Counters::read(self.read(), street)?.newest)
    }

    fn group(&self, street: StreetId, group: GroupId) -> Result<Option<AcceptedGroup>, LedgerError> {
        let row = rows::get_chunked::<rows::GroupRow>(self.read(), keys::GROUP, &keys::group(street, group))?;
        Ok(row.map(|row| row.into_group(group)))
    }

    fn claim(&self, street: StreetId, key: &ClaimKey) -> Result<Option<DocId>, LedgerError> {
        rows::ClaimRow::read(self.read(), street, key).map(|row| row.case(key))
    }

    fn commit(&self, street: StreetId, commit: Commit) -> Result<Vec<Position>, LedgerError> {
        commit::commit(&*self.store, &self.vault.vault(), street, commit)
    }

    fn keys(&self, street: StreetId, doc: DocId) -> Result<(Keyring, Position), LedgerError> {
        self.vault.read(self.read(), street, doc)
    }

    fn cut_keys(&self, street: StreetId, doc: DocId, left: &Keyring) -> Result<(), LedgerError> {
        self.vault.cut(&*self.store, street, doc, left)
    }

    fn set_hold(&self, street: StreetId, doc: DocId, hold: Option<Hold>) -> Result<(), LedgerError> {
        holds::write(&*self.store, street, doc, hold)
    }

    fn holds(&self, street: StreetId) -> Result<Vec<(DocId, Hold)>, LedgerError> {
        holds::read(self.read(), street)
    }

    fn barrier(&self) -> Result<(), LedgerError> {
        Ok(self.store.barrier()?)
    }

    fn quarantined(&self, street: StreetId, group: GroupId) -> Result<Option<QuarantinedGroup>, LedgerError> {
        quarantine::read(self.read(), street, group)
    }

    fn quarantine(&self, street: StreetId, limit: usize) -> Result<Vec<QuarantinedGroup>, LedgerError> {
        quarantine::latest(self.read(), street, limit)
    }

    fn inbox(&self, street: StreetId, limit: usize) -> Result<Vec<InboxEntry>, LedgerError> {
        inbox::read(self.read(), street, limit)
    }

    fn add_grant(&self, street: StreetId, grant: &Grant) -> Result<(), LedgerError> {
        street::add_grant(&*self.store, street, grant.clone())
    }

    fn grants(&self, street: StreetId, person: PersonId) -> Result<Vec<Grant>, LedgerError> {
        street::grants(self.read(), street, person)
    }

    fn end_grant(&self, street: StreetId, person: PersonId, grant: GrantId, at: Millis) -> Result<(), LedgerError> {
        street::end_grant(&*self.store, street, person, grant, at)
    }

    fn add_code(&self, code: &str, enrolment: &EnrolmentCode) -> Result<(), LedgerError> {
        street::add_code(&*self.store, code, enrolment)
    }

    fn code(&self, code: &str) -> Result<Option<EnrolmentCode>, LedgerError> {
        let row = rows::get::<rows::CodeRow>(self.read(), keys::CODE, &keys::code(code))?;
        Ok(row.map(rows::CodeRow::into_code))
    }

    fn enrol(&self, code: &str, device: &Device) -> Result<(), LedgerError> {
        street::enrol(&*self.store, code, device)
    }

    fn device(&self, id: DeviceId) -> Result<Option<Device>, LedgerError> {
        let row = rows::get::<rows::DeviceRow>(self.read(), keys::DEVICE, &keys::device(id))?;
        Ok(row.map(|row| row.into_device(id)))
    }

    fn device_of(&self, tag: DeviceTag) -> Result<Option<Device>, LedgerError> {
        let id: Option<DeviceId> = rows::get(self.read(), keys::TAG, &keys::tag(tag))?;
        id.map_or(Ok(None), |id| self.device(id))
    }

    fn end_device(&self, id: DeviceId, ended: Ended) -> Result<(), LedgerError> {
        street::change_device(&*self.store, id, move |device| device.ended = device.ended.or(Some(ended)))
    }

    fn note_contact(&self, id: DeviceId, at: Millis) -> Result<(), LedgerError> {
        street::change_device(&*self.store, id, move |device| device.last_contact = device.last_contact.max(Some(at)))
    }

    fn note_reading(&self, id: DeviceId, read_to: Position) -> Result<(), LedgerError> {
        street::change_device(&*self.store, id, move |device| device.read_to = device.read_to.max(Some(read_to)))
    }

    fn size_on_disk(&self) -> Result<u64, LedgerError> {
        Ok(self.store.size_on_disk()?)
    }
}

#[cfg(test)]
mod tests;
