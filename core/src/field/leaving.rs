//! Giving a phone up: its person signs out, or the server orders it because the device was revoked or lost. Either way what waits is sent first, and
//! only then is everything erased.
//!
//! Erased are the rows. A store keeps deleted values in its files for a while, so whoever opened it removes its folder as well, once
//! [`Engine::is_wiped`], and destroys the key of one that is sealed: nothing here does that.

use std::ops::Bound;

use crate::field::engine::State;
use crate::field::inbox::Inbox;
use crate::field::outbox::Outbox;
use crate::field::refused::RefusedIndex;
use crate::field::tables::{self, Setting};
use crate::field::{ChangeNotice, Engine, FieldError};
use crate::store::{Batch, Store};

/// How many rows are erased in one batch.
const ROWS_AT_ONCE: usize = 1_024;

/// How far a phone is with being given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub(super) enum Leaving {
    /// Not at all.
    #[n(0)]
    Staying,
    /// Its person asked for it; the server has to hear of it first.
    #[n(1)]
    Asked,
    /// The server ordered it, and something waits still.
    #[n(2)]
    Ordered,
    /// Everything is erased.
    #[n(3)]
    Wiped,
}

/// How far the store of an engine that opens is; an erasing that was cut is brought to its end.
pub(super) fn resume(store: &dyn Store) -> Result<Leaving, FieldError> {
    let leaving = tables::get(&store, &tables::setting(Setting::Leaving))?.unwrap_or(Leaving::Staying);
    if leaving == Leaving::Wiped {
        erase(store)?;
    }
    Ok(leaving)
}

/// Erases every row but the one that says so, which is written first.
fn erase(store: &dyn Store) -> Result<(), FieldError> {
    let key = tables::setting(Setting::Leaving);
    let mut batch = Batch::new();
    tables::put(&mut batch, key.clone(), &Leaving::Wiped);
    store.commit(batch)?;
    loop {
        let rows = store.range(Bound::Unbounded, Bound::Unbounded, ROWS_AT_ONCE)?;
        let mut batch = Batch::new();
        rows.into_iter().filter(|(row, _)| *row != key).for_each(|(row, _)| batch.delete(row));
        if batch.is_empty() {
            // With them goes what could have opened the keys of records in what the files still hold.
            return Ok(store.set_roots(&[])?);
        }
        store.commit(batch)?;
    }
}

impl Engine {
    /// Gives this phone up: with the next sync that sends all that waits the device ends, and everything here is erased. Until then it goes on as
    /// before.
    ///
    /// # Errors
    /// [`FieldError::NotEnrolled`]; or when the store fails.
    pub fn sign_out(&self) -> Result<(), FieldError> {
        let mut state = self.state();
        state.given()?;
        if state.leaving == Leaving::Staying {
            let mut batch = Batch::new();
            tables::put(&mut batch, tables::setting(Setting::Leaving), &Leaving::Asked);
            self.store.commit(batch)?;
            state.leaving = Leaving::Asked;
        }
        drop(state);
        self.tell(&ChangeNotice { status: true, ..ChangeNotice::default() });
        Ok(())
    }

    /// Whether everything was erased: the app closes the engine and removes the store's folder.
    pub fn is_wiped(&self) -> bool {
        self.state().leaving == Leaving::Wiped
    }

    pub(super) fn wipe(&self, state: &mut State) -> Result<(), FieldError> {
        erase(&*self.store)?;
        state.leaving = Leaving::Wiped;
        state.identity = None;
        state.grants.clear();
        state.directory = None;
        state.outbox = Outbox::default();
        state.refused = RefusedIndex::default();
        state.inbox = Inbox::default();
        state.search = None;
        state.reconciliation = None;
        Ok(())
    }
}
