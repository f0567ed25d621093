//! What an answer lends: the nonce for the next request, and the time for which this phone may show what it holds.
//!
//! The lease is there for a phone that is lost and never comes near a network again: without an answer of the server for so many hours (72, if the
//! district does not say otherwise) *reading* ends, with [`FieldError::LeaseOver`], until there is one. *Capture* never ends: commands record, a blank form
//! can be filled in, what waits and what was refused can be read, for its author wrote it here.
//!
//! The clock of the phone decides, and one that was set back gains nothing below the greatest time that this phone has written.

use crate::field::engine::State;
use crate::field::tables::{self, Setting};
use crate::field::{Engine, FieldError};
use crate::model::Millis;
use crate::store::Batch;
use crate::sync::client::SyncFailure;
use crate::sync::{Freshness, Response};

/// How often in a row a server may challenge. Once after its restart, again where a clone of this phone was quicker, or where the network delivered a
/// request twice and the answer to the second copy came first.
const MOST_CHALLENGES: u32 = 4;
/// A lease that would end later by less than this, in milliseconds, is not written anew: an hour, so that a phone that syncs each minute saves the
/// write.
const LEASE_STEP: i64 = 3_600_000;
const HOUR: i64 = 3_600_000;

impl Engine {
    /// Takes over under which nonce requests count.
    pub(super) fn learn_challenge(&self, state: &mut State, challenge: Freshness) -> Result<bool, FieldError> {
        state.challenges += 1;
        if state.challenges > MOST_CHALLENGES {
            return Err(SyncFailure::Unfit { what: "no request is fresh enough" }.into());
        }
        let mut batch = Batch::new();
        tables::put(&mut batch, tables::setting(Setting::Freshness), &challenge);
        self.store.commit(batch)?;
        state.fresh = Some(challenge);
        Ok(true)
    }

    /// Prolongs the lease by an answer; one from a server that knows of none ends it for good.
    pub(super) fn learn_lease(&self, state: &mut State, response: &Response) -> Result<(), FieldError> {
        state.challenges = 0;
        let until = response.lease_hours.map(|hours| self.now(state).plus(i64::from(hours).saturating_mul(HOUR)));
        let is_near = |(old, new): (Millis, Millis)| (0..LEASE_STEP).contains(&new.since(old));
        if until == state.lease_until || state.lease_until.zip(until).is_some_and(is_near) {
            return Ok(());
        }
        let mut batch = Batch::new();
        match &until {
            Some(until) => tables::put(&mut batch, tables::setting(Setting::Lease), until),
            None => batch.delete(tables::setting(Setting::Lease)),
        }
        self.store.commit(batch)?;
        state.lease_until = until;
        Ok(())
    }

    /// Until when this phone may show what it holds, by the server's clock; `None` where that is for ever.
    pub fn lease_until(&self) -> Option<Millis> {
        self.state().lease_until
    }

    /// Whether the lease is over: nothing of what is held here is shown until the server has answered.
    pub fn is_lease_over(&self) -> bool {
        self.may_show(&self.state()).is_err()
    }

    /// Whether what this phone holds may be shown now.
    ///
    /// # Errors
    /// [`FieldError::LeaseOver`].
    pub(super) fn may_show(&self, state: &State) -> Result<(), FieldError> {
        let now = self.now(state).max(state.hlc.last().millis());
        let is_over = !state.line.is_open() && state.lease_until.is_some_and(|until| now.since(until).is_positive());
        if is_over { Err(FieldError::LeaseOver) } else { Ok(()) }
    }
}
