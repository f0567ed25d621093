//! Refused groups: each by its id, as it was refused last, and all of a street in the order of refusal.

use std::ops::Bound;

use doorstep_core::model::{GroupId, StreetId};
use doorstep_core::store::chunks::put_chunked;
use doorstep_core::store::{Read, Transaction, prefix_end, row};

use super::keys;
use super::rows::{self, QuarantineRow};
use crate::ledger::{LedgerError, QuarantinedGroup};

pub(super) fn read(read: &dyn Read, street: StreetId, group: GroupId) -> Result<Option<QuarantinedGroup>, LedgerError> {
    let row = rows::get_chunked::<QuarantineRow>(read, keys::QUARANTINE, &keys::quarantine(street, group))?;
    Ok(row.map(|row| row.into_group(group)))
}

/// The latest first. A group that is refused again while this reads is left out where it stood.
pub(super) fn latest(read: &dyn Read, street: StreetId, limit: usize) -> Result<Vec<QuarantinedGroup>, LedgerError> {
    let prefix = keys::of_street(keys::REFUSALS, street);
    let order = read.range(Bound::Included(&prefix), prefix_end(&prefix).as_ref().map(Vec::as_slice), limit)?;
    let mut groups = Vec::new();
    for (key, _) in order {
        let id = keys::refused_group(&key).ok_or(rows::damaged(keys::REFUSALS))?;
        groups.extend(self::read(read, street, id)?.filter(|group| keys::refusal(street, group.at, id) == key));
    }
    Ok(groups)
}

/// A refused group on its way into the ledger, encoded before the plan runs.
pub(super) struct PreparedRefusal {
    group: GroupId,
    order: Vec<u8>,
    row: Vec<u8>,
}

impl PreparedRefusal {
    pub(super) fn new(street: StreetId, group: QuarantinedGroup) -> Result<Self, LedgerError> {
        let (id, order) = (group.id, keys::refusal(street, group.at, group.id));
        Ok(Self { group: id, order, row: rows::sealed(keys::QUARANTINE, &QuarantineRow::of(group))? })
    }

    /// Takes the place of an earlier refusal of the same group.
    pub(super) fn write(self, transaction: &mut dyn Transaction, street: StreetId) -> Result<(), LedgerError> {
        let key = keys::quarantine(street, self.group);
        if let Some(earlier) = rows::get_chunked::<QuarantineRow>(&*transaction, keys::QUARANTINE, &key)? {
            transaction.delete(keys::refusal(street, earlier.at, self.group));
        }
        put_chunked(transaction, &key, &self.row)?;
        transaction.put(self.order, row::seal(&[]));
        Ok(())
    }
}
