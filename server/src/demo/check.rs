//! Comparing replicas: every document of a phone's scopes, by the digest of its state, the losing values of conflicts included.

use std::collections::BTreeMap;

use doorstep_core::docs::DocKind;
use doorstep_core::field::Engine;
use doorstep_core::model::{DocId, GridId, StreetId};

use crate::hub::Hub;

/// Something that one side has otherwise than the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The document.
    pub doc: DocId,
    /// What it is.
    pub kind: DocKind,
    /// `missing on the phone`, `too much on the phone`, `differs`.
    pub what: &'static str,
}

/// Compares a phone with the server: all documents of the given grids (of the whole street if `None`). Loads each of them on both sides.
/// Returns how many are equal, and what differs.
///
/// # Errors
/// When one side cannot be read.
pub fn compare(hub: &Hub, street: StreetId, grids: Option<&[GridId]>, phone: &Engine) -> anyhow::Result<(usize, Vec<Difference>)> {
    let mut equal = 0;
    let mut differences = Vec::new();
    for kind in DocKind::ALL {
        let mut on_server = BTreeMap::new();
        hub.each_summary(street, kind, &mut |summary| {
            if grids.is_none_or(|grids| summary.grid().is_some_and(|grid| grids.contains(&grid))) {
                on_server.insert(summary.id(), summary);
            }
        })?;
        let on_phone = phone.documents(kind)?;
        for doc in on_server.keys() {
            let what = if !on_phone.contains(doc) {
                "missing on the phone"
            } else if hub.document(street, *doc)?.0.digest() != phone.digest(*doc)? {
                "differs"
            } else {
                equal += 1;
                continue;
            };
            differences.push(Difference { doc: *doc, kind, what });
        }
        let surplus = on_phone.iter().filter(|doc| !on_server.contains_key(*doc));
        differences.extend(surplus.map(|doc| Difference { doc: *doc, kind, what: "too much on the phone" }));
    }
    Ok((equal, differences))
}
