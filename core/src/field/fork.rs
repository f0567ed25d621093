//! Forks and lost ground: an answer brings what waiting changes do not fit.
//!
//! A fork is a change of this phone's own actor whose number a waiting change bears as well. It happens where two lives wrote under one actor and
//! no mark told them apart (see `life`), before the server had a chance to say so: what waits was not sent yet, or not all of it. The document
//! cannot hold both, so what waits for it runs again on what came, under a new incarnation. What the document holds already is left as it is: the
//! server gives its verdict again.
//!
//! Ground is lost where a server was set up again from a backup and nobody could give back yet what it lost (found by simulation seed 230): the
//! document that comes lacks what a waiting change builds on. What waits runs again on what there is, or, where that makes no sense without it, is
//! shown to its author as refused.

use std::collections::BTreeMap;

use crate::docs::Actor;
use crate::field::FieldError;
use crate::field::engine::State;
use crate::field::mend::{Rerun, Restamp, rerun};
use crate::field::outbox::Outbox;
use crate::field::tables::{self, Setting};
use crate::field::update::Update;
use crate::model::{Incarnation, Millis};
use crate::store::Store;

/// Mends the forks that an update would make, and gives what lost its ground a new one, under the incarnation `fresh`; says whether there were
/// any, and so whether `fresh` is now that of the store.
pub(super) fn mend(update: &mut Update<'_>, store: &dyn Store, state: &State, fresh: Incarnation, now: Millis) -> Result<bool, FieldError> {
    let mut reruns = BTreeMap::new();
    for doc in update.unfit()? {
        for number in state.outbox.numbers_of(doc) {
            let recorded = Outbox::read(&store, number)?;
            if !update.holds_all(&recorded)? {
                reruns.insert(number, Rerun { number, recorded });
            }
        }
    }
    if reruns.is_empty() {
        return Ok(false);
    }
    tables::put(update.batch(), tables::setting(Setting::Incarnation), &fresh);
    let actor = Actor { incarnation: fresh, ..state.actor()? };
    rerun(update, actor, reruns.into_values().collect(), Restamp { now, shift_ms: 0 })?;
    Ok(true)
}

#[cfg(test)]
mod tests;
