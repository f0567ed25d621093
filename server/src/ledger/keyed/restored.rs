//! What is noted of backups and of a life that began from one.

use std::ops::{Bound, ControlFlow};

use doorstep_core::model::{DeviceTag, DocId, Era, LedgerId, Position, StreetId};
use doorstep_core::store::{Read, Store, Transaction, prefix_end, row, transact_with};

use super::keys;
use super::rows::{self, Counters, StreetRow};
use crate::ledger::LedgerError;

pub(super) fn renew(store: &dyn Store, street: StreetId, ledger: LedgerId, era: Era) -> Result<(), LedgerError> {
    change(store, street, move |row, read| {
        let newest = Counters::read(read, street)?.newest;
        (row.ledger, row.era, row.is_reconciling, row.backed_up_to) = (ledger, era, true, Some(newest));
        Ok(())
    })
}

pub(super) fn note_backup(store: &dyn Store, street: StreetId, up_to: Position) -> Result<(), LedgerError> {
    change(store, street, move |row, _| {
        row.backed_up_to = row.backed_up_to.max(Some(up_to));
        Ok(())
    })
}

pub(super) fn end_reconciliation(store: &dyn Store, street: StreetId) -> Result<(), LedgerError> {
    change(store, street, |row, _| {
        row.is_reconciling = false;
        Ok(())
    })
}

pub(super) fn note_reconciled(store: &dyn Store, street: StreetId, device: DeviceTag) -> Result<(), LedgerError> {
    transact_with(store, move |transaction| {
        let mut key = keys::reconciled(street, read(&*transaction, street)?.ledger);
        key.extend(device.0);
        transaction.put(key, row::seal(&[]));
        Ok(())
    })?
}

pub(super) fn reconciled(store: &dyn Read, street: StreetId) -> Result<Vec<DeviceTag>, LedgerError> {
    let mut devices = Vec::new();
    store.scan_prefix(&keys::reconciled(street, read(store, street)?.ledger), &mut |key, _| {
        devices.extend(keys::last_tag(key));
        ControlFlow::Continue(())
    })?;
    Ok(devices)
}

pub(super) fn rulings_due(read: &dyn Read, street: StreetId, limit: usize) -> Result<Vec<DocId>, LedgerError> {
    let prefix = keys::of_street(keys::RULING_DUE, street);
    let rows = read.range(Bound::Included(&prefix), prefix_end(&prefix).as_ref().map(Vec::as_slice), limit)?;
    rows.iter().map(|(key, _)| keys::last_id(key).map(DocId::from_bytes).ok_or(rows::damaged(keys::RULING_DUE))).collect()
}

fn read(read: &dyn Read, street: StreetId) -> Result<StreetRow, LedgerError> {
    rows::get(read, keys::STREET, &keys::of_street(keys::STREET, street))?.ok_or(LedgerError::NoStreet { street })
}

fn change(
    store: &dyn Store,
    street: StreetId,
    change: impl Fn(&mut StreetRow, &dyn Read) -> Result<(), LedgerError> + Send + 'static,
) -> Result<(), LedgerError> {
    transact_with(store, move |transaction: &mut dyn Transaction| {
        let mut row = read(&*transaction, street)?;
        change(&mut row, &*transaction)?;
        rows::put(transaction, keys::STREET, keys::of_street(keys::STREET, street), &row)
    })?
}
