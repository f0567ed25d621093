//! The inbox: late work that waits for somebody who may adopt it.

use std::ops::ControlFlow;

use doorstep_core::model::{GroupId, StreetId};
use doorstep_core::store::{Read, chunks};

use super::keys;
use super::rows::{self, InboxRow};
use crate::ledger::{InboxEntry, LedgerError};

pub(super) fn prepared(entry: InboxEntry) -> Result<(GroupId, Vec<u8>), LedgerError> {
    Ok((entry.group, rows::sealed(keys::INBOX, &InboxRow::of(entry))?))
}

/// By group, at most `limit`. Where nothing waits this is one read.
pub(super) fn read(read: &dyn Read, street: StreetId, limit: usize) -> Result<Vec<InboxEntry>, LedgerError> {
    let mut groups = Vec::new();
    chunks::scan_heads(read, &keys::of_street(keys::INBOX, street), keys::INBOX_KEY, &mut |key, _| {
        groups.extend(keys::inbox_group(key));
        if groups.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let entry = |group| {
        let row = rows::get_chunked::<InboxRow>(read, keys::INBOX, &keys::inbox(street, group))?;
        Ok(row.map(|row| row.into_entry(group)))
    };
    groups.into_iter().filter_map(|group| entry(group).transpose()).collect()
}
