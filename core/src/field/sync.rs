//! Driving a sync over a transport: a loop without decisions around [`Session`](crate::sync::client::Session).

use std::sync::MutexGuard;

use crate::field::engine::State;
use crate::field::held::HeldGrant;
use crate::field::reconcile::Reconciliation;
use crate::field::status::KeptStatus;
use crate::field::tables::{self, Setting};
use crate::field::transport::{SYNC_PATH, Transport, TransportAnswer, frame_of};
use crate::field::{BootstrapStatus, ChangeNotice, Engine, Exchanged, FieldError, Phase, SyncState, SyncStatus};
use crate::model::{DocId, Millis};
use crate::store::Batch;
use crate::sync::Progress;
use crate::sync::client::{Effect, Input, SyncFailure};

/// Posts a frame to the path of syncs.
pub(super) type Post<'a> = dyn FnMut(Vec<u8>) -> Result<TransportAnswer, SyncFailure> + 'a;

/// What a sync came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReport {
    /// How many round trips it took.
    pub round_trips: u32,
    /// How many commands still wait; zero unless something was recorded meanwhile.
    pub pending: usize,
    /// How many refused commands wait for their author.
    pub refused: usize,
    /// What it brought.
    pub exchanged: Exchanged,
}

impl Engine {
    /// Exchanges everything with the server: pushes the outbox, pulls what changed. Uses the network and blocks until it is done or failed;
    /// commands and queries go on meanwhile. One round trip unless the outbox or the answer is large.
    ///
    /// # Errors
    /// [`FieldError::Sync`] when it failed; nothing is half applied, what waits stays, [`Engine::status`] says when to try again.
    pub fn sync(&self, transport: &dyn Transport) -> Result<SyncReport, FieldError> {
        self.sync_with(transport, &mut |_| {})
    }

    /// [`Engine::sync`] that tells `progress` the status after each round trip.
    ///
    /// # Errors
    /// As [`Engine::sync`].
    pub fn sync_with(&self, transport: &dyn Transport, progress: &mut dyn FnMut(&SyncStatus)) -> Result<SyncReport, FieldError> {
        self.exchange(&mut |frame| transport.post(SYNC_PATH, &frame).map_err(SyncFailure::from), progress)
    }

    /// One sync, whose frames `post` carries.
    pub(super) fn exchange(&self, post: &mut Post<'_>, progress: &mut dyn FnMut(&SyncStatus)) -> Result<SyncReport, FieldError> {
        self.state().given()?;
        let mut input = Input::Start;
        loop {
            input = match self.advance(input)? {
                Effect::Compose => match self.compose() {
                    Ok(frame) => Input::Composed(frame),
                    Err(error) => Input::Failed(failure_of(error)),
                },
                Effect::Send(frame) => match post(frame).and_then(frame_of) {
                    Ok(answer) => Input::Answer(answer),
                    Err(failure) => Input::Failed(failure),
                },
                Effect::Apply(response) => {
                    let applied = self.apply(*response);
                    progress(&self.status());
                    match applied {
                        Ok(more) => Input::Applied { more },
                        Err(error) => Input::Failed(failure_of(error)),
                    }
                }
                Effect::Finished { round_trips } => {
                    let status = self.status();
                    return Ok(SyncReport { round_trips, pending: status.pending, refused: status.refused, exchanged: status.exchanged });
                }
                Effect::GaveUp(failure) => return Err(failure.into()),
            };
        }
    }

    /// Feeds the phone's session with one input and keeps what it comes to. For drivers that are not [`Engine::sync`]: an app's own, the
    /// simulation.
    ///
    /// # Errors
    /// When the store fails to keep the status; or [`SyncFailure::Unfit`] for an input that leads nowhere: a second sync beside one under way.
    pub fn advance(&self, input: Input) -> Result<Effect, FieldError> {
        let mut state = self.state();
        let was_busy = state.session.is_busy();
        let now = self.clock.now();
        let mut effects = Vec::new();
        let inner = &mut *state;
        inner.session.handle(now, input, &mut *inner.entropy, &mut effects);
        let effect = effects.into_iter().next().ok_or(SyncFailure::Unfit { what: "another sync is under way" })?;
        if !was_busy && matches!(effect, Effect::Compose) {
            state.begin_exchange();
        }
        match &effect {
            Effect::Finished { .. } => self.end_exchange(state, now, None),
            Effect::GaveUp(failure) => self.end_exchange(state, now, Some(failure)),
            _ => {}
        }
        Ok(effect)
    }

    /// Keeps what an exchange came to, and tells.
    pub(super) fn end_exchange(&self, mut state: MutexGuard<'_, State>, now: Millis, failure: Option<&SyncFailure>) {
        state.outbox.set_in_flight([]);
        self.keep_status(&mut state, now, failure);
        drop(state);
        self.tell(&ChangeNotice { status: true, ..ChangeNotice::default() });
    }

    pub(super) fn keep_status(&self, state: &mut State, now: Millis, failure: Option<&SyncFailure>) {
        state.kept_status = match failure {
            None => KeptStatus { last_success: Some(now), ..KeptStatus::default() },
            Some(failure) => KeptStatus {
                last_success: state.kept_status.last_success,
                failed_attempts: state.session.failed_attempts(),
                last_error: Some(failure.code().to_owned()),
                next_attempt: state.session.wakeup(),
            },
        };
        let mut batch = Batch::new();
        tables::put(&mut batch, tables::setting(Setting::Status), &state.kept_status);
        // The status is a convenience: a store that fails says so at the next command, and the exchange itself is done.
        let _ = self.store.commit(batch);
    }

    /// The status of the queue.
    pub fn status(&self) -> SyncStatus {
        let state = self.state();
        let next_attempt = if state.session.is_busy() { None } else { state.session.wakeup() };
        let phase = match (state.session.is_busy(), next_attempt, state.outbox.is_empty()) {
            (false, None, true) if state.line.is_open() => Phase::Live,
            (true, _, _) => Phase::Syncing,
            (false, Some(_), _) => Phase::BackingOff,
            (false, None, false) => Phase::Waiting,
            (false, None, true) => Phase::Idle,
        };
        SyncStatus {
            phase,
            pending: state.outbox.len(),
            oldest_pending: state.outbox.oldest(),
            refused: state.refused.len(),
            inbox: state.inbox.undecided(),
            last_success: state.kept_status.last_success,
            failed_attempts: state.kept_status.failed_attempts,
            next_attempt,
            last_error: state.kept_status.last_error.clone(),
            clock_offset_ms: state.offset_ms,
            exchanged: state.exchanged,
            bootstrap: state.bootstrap(),
        }
    }

    /// Whether a record has arrived.
    pub fn sync_state(&self, doc: impl Into<DocId>) -> SyncState {
        self.state().sync_state(doc.into())
    }
}

impl State {
    pub(super) fn begin_exchange(&mut self) {
        self.reruns = 0;
        self.anew = 0;
        self.challenges = 0;
        self.exchanged = Exchanged::default();
        if self.is_owing && self.reconciliation.is_none() {
            self.reconciliation = Some(Reconciliation::of_what_is_owed());
        }
    }

    fn bootstrap(&self) -> BootstrapStatus {
        let mut status = BootstrapStatus::default();
        for Progress { documents, bytes, documents_left, bytes_left, .. } in self.grants.values().filter_map(|held| held.progress) {
            let add = |sum: &mut u64, part: u64| *sum = sum.saturating_add(part);
            add(&mut status.documents, documents.saturating_sub(documents_left));
            add(&mut status.documents_total, documents);
            add(&mut status.bytes, bytes.saturating_sub(bytes_left));
            add(&mut status.bytes_total, bytes);
        }
        // Before the first contact nobody knows of any grants.
        let asked = self.ledger.is_some();
        status.usable = asked && self.grants.values().all(HeldGrant::is_usable);
        status.complete = asked && self.grants.values().all(HeldGrant::is_complete);
        status
    }

    pub(super) fn sync_state(&self, doc: DocId) -> SyncState {
        if let Some(code) = self.refused.code_of(doc) {
            return SyncState::Refused { code: code.to_owned() };
        }
        match (self.outbox.has(doc), self.outbox.is_sending(doc)) {
            (true, true) => SyncState::Sending,
            (true, false) => SyncState::Local,
            (false, _) => SyncState::Accepted,
        }
    }
}

pub(super) fn failure_of(error: FieldError) -> SyncFailure {
    match error {
        FieldError::Sync(failure) => failure,
        error => SyncFailure::Store { code: error.code() },
    }
}
