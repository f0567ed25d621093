//! Streets and who works in them: directory, grants, codes, devices.

use std::ops::{Bound, ControlFlow};

use doorstep_core::model::{DeviceId, Directory, DocId, Grant, GrantId, Millis, PersonId, Position, StreetId};
use doorstep_core::store::chunks::put_chunked;
use doorstep_core::store::{Read, Store, Transaction, prefix_end, transact_with};
use doorstep_core::sync::RecordKind;

use super::keys;
use super::rows::{self, CodeRow, Counters, DeviceRow, RecordFeedRow, StreetRow};
use crate::ledger::{Device, EnrolmentCode, LedgerError, Street};

const fn conflict(what: &'static str) -> LedgerError {
    LedgerError::Conflict { what }
}

pub(super) fn all(read: &dyn Read) -> Result<Vec<Street>, LedgerError> {
    let prefix = keys::table(keys::STREET);
    let entries = read.range(Bound::Included(&prefix), prefix_end(&prefix).as_ref().map(Vec::as_slice), usize::MAX)?;
    rows::each::<StreetRow>(keys::STREET, entries)
        .map(|entry| {
            let (key, row) = entry?;
            let id = keys::last_id(&key).ok_or(rows::damaged(keys::STREET))?;
            Ok(row.into_street(StreetId::from_bytes(id)))
        })
        .collect()
}

pub(super) fn add(store: &dyn Store, street: &Street, directory: &Directory) -> Result<(), LedgerError> {
    let id = street.id;
    let row = StreetRow::of(street);
    let directory = PreparedDirectory::new(id, directory)?;
    transact_with(store, move |transaction| {
        let key = keys::of_street(keys::STREET, id);
        if transaction.get(&key)?.is_some() {
            return Err(conflict("street"));
        }
        rows::put(transaction, keys::STREET, key, &row)?;
        let mut counters = Counters { newest: Position(0), directory_version: 0, directory_at: Position(0) };
        directory.write(transaction, id, &mut counters)?;
        counters.write(transaction, id)
    })?
}

pub(super) fn directory(read: &dyn Read, street: StreetId) -> Result<Directory, LedgerError> {
    let key = keys::of_document(keys::RECORD, street, DocId::from(street));
    rows::get_chunked(read, keys::RECORD, &key)?.ok_or(LedgerError::NoStreet { street })
}

/// A directory on its way into the ledger, encoded before the plan runs.
pub(super) struct PreparedDirectory {
    version: u64,
    row: Vec<u8>,
}

impl PreparedDirectory {
    /// Refuses the directory of another street.
    pub(super) fn new(street: StreetId, directory: &Directory) -> Result<Self, LedgerError> {
        if directory.street != street {
            return Err(conflict("directory"));
        }
        Ok(Self { version: directory.version, row: rows::sealed(keys::RECORD, directory)? })
    }

    /// Replaces the present directory on the condition that it is the version before; takes a position.
    pub(super) fn write(&self, transaction: &mut dyn Transaction, street: StreetId, counters: &mut Counters) -> Result<(), LedgerError> {
        if self.version != counters.directory_version + 1 {
            return Err(conflict("directory"));
        }
        transaction.delete(keys::at_position(keys::RECORD_FEED, street, counters.directory_at));
        let id = DocId::from(street);
        counters.directory_version = self.version;
        counters.directory_at = counters.take(1);
        let place = keys::at_position(keys::RECORD_FEED, street, counters.directory_at);
        rows::put(transaction, keys::RECORD_FEED, place, &RecordFeedRow { id, kind: RecordKind::Directory })?;
        Ok(put_chunked(transaction, &keys::of_document(keys::RECORD, street, id), &self.row)?)
    }
}

pub(super) fn add_grant(store: &dyn Store, street: StreetId, grant: Grant) -> Result<(), LedgerError> {
    transact_with(store, move |transaction| {
        Counters::read(&*transaction, street)?;
        let key = keys::grant(street, grant.person, grant.id);
        match rows::get::<Grant>(&*transaction, keys::GRANT, &key)? {
            // The same once more is what a caller does whose first answer was lost.
            Some(present) if present != grant => Err(conflict("grant")),
            _ => rows::put(transaction, keys::GRANT, key, &grant),
        }
    })?
}

pub(super) fn grants(read: &dyn Read, street: StreetId, person: PersonId) -> Result<Vec<Grant>, LedgerError> {
    let mut grants = Vec::new();
    let mut outcome = Ok(());
    read.scan_prefix(&keys::grants(street, person), &mut |_, bytes| match rows::opened(keys::GRANT, bytes) {
        Ok(grant) => {
            grants.push(grant);
            ControlFlow::Continue(())
        }
        Err(error) => {
            outcome = Err(error);
            ControlFlow::Break(())
        }
    })?;
    outcome.map(|()| grants)
}

pub(super) fn end_grant(store: &dyn Store, street: StreetId, person: PersonId, grant: GrantId, at: Millis) -> Result<(), LedgerError> {
    transact_with(store, move |transaction| {
        let key = keys::grant(street, person, grant);
        let mut row: Grant = rows::get(&*transaction, keys::GRANT, &key)?.ok_or(conflict("grant"))?;
        row.until = Some(row.until.map_or(at, |until| until.min(at)));
        rows::put(transaction, keys::GRANT, key, &row)
    })?
}

pub(super) fn add_code(store: &dyn Store, code: &str, enrolment: &EnrolmentCode) -> Result<(), LedgerError> {
    let key = keys::code(code);
    let street = enrolment.street;
    let row = CodeRow::of(enrolment.clone());
    transact_with(store, move |transaction| {
        Counters::read(&*transaction, street)?;
        if transaction.get(&key)?.is_some() {
            return Err(conflict("code"));
        }
        rows::put(transaction, keys::CODE, key, &row)
    })?
}

pub(super) fn enrol(store: &dyn Store, code: &str, device: &Device) -> Result<(), LedgerError> {
    let code_key = keys::code(code);
    let device = device.clone();
    transact_with(store, move |transaction| {
        use_code(transaction, code_key, &device)?;
        take_tag(transaction, &device)?;
        let street = device.street;
        let mut counters = Counters::read(&*transaction, street)?;
        let mut directory = directory(&*transaction, street)?;
        let person = directory.staff.iter_mut().find(|staff| staff.id == device.person).ok_or(conflict("directory"))?;
        person.devices.push(device.id.tag());
        directory.version += 1;
        PreparedDirectory::new(street, &directory)?.write(transaction, street, &mut counters)?;
        counters.write(transaction, street)?;
        rows::put(transaction, keys::DEVICE, keys::device(device.id), &DeviceRow::of(device))
    })?
}

/// Marks a code as used by a device, if it is unused and was made for the device's person.
fn use_code(transaction: &mut dyn Transaction, key: Vec<u8>, device: &Device) -> Result<(), LedgerError> {
    let row: CodeRow = rows::get(&*transaction, keys::CODE, &key)?.ok_or(conflict("code"))?;
    let mut code = row.into_code();
    if code.used_by.is_some() || (code.street, code.person) != (device.street, device.person) {
        return Err(conflict("code"));
    }
    code.used_by = Some(device.id);
    rows::put(transaction, keys::CODE, key, &CodeRow::of(code))
}

/// Gives a tag to a device, if no device has it: tags are unique among all streets.
fn take_tag(transaction: &mut dyn Transaction, device: &Device) -> Result<(), LedgerError> {
    let key = keys::tag(device.id.tag());
    if transaction.get(&key)?.is_some() {
        return Err(conflict("device"));
    }
    rows::put(transaction, keys::TAG, key, &device.id)
}

/// Changes the row of a device.
pub(super) fn change_device(store: &dyn Store, id: DeviceId, change: impl Fn(&mut Device) + Send + 'static) -> Result<(), LedgerError> {
    transact_with(store, move |transaction| {
        let key = keys::device(id);
        let row: DeviceRow = rows::get(&*transaction, keys::DEVICE, &key)?.ok_or(conflict("device"))?;
        let mut device = row.into_device(id);
        change(&mut device);
        rows::put(transaction, keys::DEVICE, key, &DeviceRow::of(device))
    })?
}
