//! Exchanging with the server: rounds that run on threads of Doorstep's, watched and cancelled through handles.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorstep_core::field::{self as core, Driven, FieldError, Patience};
use doorstep_core::sync::client::SyncFailure;
use doorstep_core::text::Lang;

use crate::error::{DoorstepError, ForeignError};
use crate::platform::SystemClock;
use crate::shared::{Shared, lock};
use crate::turns::Ending;
use crate::types::{Id, Span, Timestamp};

/// What the engine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Phase {
    /// Nothing waits and nothing is under way.
    Idle,
    /// Something waits for a connection.
    Waiting,
    /// Connected, and everything is exchanged.
    Live,
    /// An exchange is under way.
    Syncing,
    /// The last attempt failed; the next is set.
    BackingOff,
}

/// Why the last attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LastError {
    /// The stable code.
    pub code: String,
    /// The sentence, for the person.
    pub sentence: String,
    /// Whether another attempt may do.
    pub retryable: bool,
}

/// The state of the queue. Survives a restart; never idle while something waits.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncStatus {
    /// What the engine is doing.
    pub phase: Phase,
    /// How many commands wait.
    pub pending: u32,
    /// When the oldest of them was recorded.
    pub oldest_pending: Option<Timestamp>,
    /// How many refused records wait for their author.
    pub refused: u32,
    /// How much late work of others waits for a decision.
    pub inbox: u32,
    /// When everything was last exchanged.
    pub last_success: Option<Timestamp>,
    /// How many attempts have failed since.
    pub failed_attempts: u32,
    /// When the next attempt is due.
    pub next_attempt: Option<Timestamp>,
    /// The last failure since the last success.
    pub last_error: Option<LastError>,
    /// Whether the first reading has brought what today's work needs.
    pub usable: bool,
    /// Whether the first reading has brought everything.
    pub complete: bool,
    /// How many documents of the first reading have come.
    pub documents: u64,
    /// How many there are.
    pub documents_total: u64,
}

impl SyncStatus {
    pub(crate) fn of(status: &core::SyncStatus, lang: Lang) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let error = |code: &String| LastError {
            sentence: lang.failure(code),
            retryable: code != "sync.rejected" && code != "sync.store",
            code: code.clone(),
        };
        Self {
            phase: match status.phase {
                core::Phase::Idle => Phase::Idle,
                core::Phase::Waiting => Phase::Waiting,
                core::Phase::Live => Phase::Live,
                core::Phase::Syncing => Phase::Syncing,
                core::Phase::BackingOff => Phase::BackingOff,
            },
            pending: count(status.pending),
            oldest_pending: status.oldest_pending.map(Into::into),
            refused: count(status.refused),
            inbox: count(status.inbox),
            last_success: status.last_success.map(Into::into),
            failed_attempts: status.failed_attempts,
            next_attempt: status.next_attempt.map(Into::into),
            last_error: status.last_error.as_ref().map(error),
            usable: status.bootstrap.usable,
            complete: status.bootstrap.complete,
            documents: status.bootstrap.documents,
            documents_total: status.bootstrap.documents_total,
        }
    }
}

/// What a round came to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// How many round trips it took.
    pub round_trips: u32,
    /// Commands of this phone that the server accepted.
    pub accepted: u32,
    /// Commands that it refused, for their author to look at.
    pub refused: u32,
    /// Documents and records that came.
    pub received: u32,
    /// How many commands still wait: those that were recorded meanwhile.
    pub pending: u32,
}

/// A command that the server has not acknowledged yet.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WaitingRecord {
    /// The group.
    pub group: Id,
    /// The records that it writes to.
    pub records: Vec<Id>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Whether it is on its way.
    pub is_sending: bool,
}

/// Watches one round. Called on the thread of the listeners.
#[uniffi::export(foreign)]
pub trait SyncObserver: Send + std::marker::Sync {
    /// A round trip was applied.
    fn on_progress(&self, status: SyncStatus) -> Result<(), ForeignError>;
    /// The round has come to its end: the handle has its result. Called once, also after `cancel`.
    fn on_finished(&self) -> Result<(), ForeignError>;
}

type Ended = Mutex<Option<Result<SyncReport, DoorstepError>>>;

/// One round. Releasing it does not end the round.
#[derive(uniffi::Object)]
pub struct SyncHandle {
    ending: Ending,
    ended: Arc<Ended>,
}

#[uniffi::export]
impl SyncHandle {
    /// Ends the round within milliseconds, whatever the network does. Nothing is lost by it.
    pub fn cancel(&self) -> Result<(), DoorstepError> {
        self.ending.end();
        Ok(())
    }

    /// What it came to; nothing while it goes on. Fails as the round failed.
    pub fn result(&self) -> Result<Option<SyncReport>, DoorstepError> {
        lock(&self.ended).clone().transpose()
    }
}

/// Exchanging with the server.
#[derive(uniffi::Object)]
pub struct Syncer {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Syncer {
    /// The state of the queue. Reads no disk.
    pub fn status(&self) -> Result<SyncStatus, DoorstepError> {
        self.shared.with(|engine| Ok(SyncStatus::of(&engine.status(), self.shared.lang)))
    }

    /// What waits, in the order of recording.
    pub fn waiting(&self) -> Result<Vec<WaitingRecord>, DoorstepError> {
        let record = |record: core::WaitingRecord| WaitingRecord {
            group: record.group.into(),
            records: record.docs.into_iter().map(Id::from).collect(),
            recorded_at: record.recorded_at.into(),
            is_sending: record.sending,
        };
        self.shared.with(|engine| Ok(engine.waiting().into_iter().map(record).collect()))
    }

    /// Begins one round: pushes what waits, pulls what changed. Returns at once. Rounds wait for each other, and a live connection pauses for one.
    pub fn start_sync(&self, observer: Arc<dyn SyncObserver>) -> Result<Arc<SyncHandle>, DoorstepError> {
        self.start(Patience::default(), observer)
    }

    /// The same, given up when `budget` is over and tried again within it: what a WorkManager's worker and a BGProcessingTask call. What was
    /// done until then stays done.
    pub fn start_sync_once(&self, budget: Span, observer: Arc<dyn SyncObserver>) -> Result<Arc<SyncHandle>, DoorstepError> {
        self.start(Patience { budget: Some(budget.into()), retries: true }, observer)
    }

    /// Takes the payload of a push message, which is only a hint and holds nothing of anybody: `{"doorstep":1}`. Begins a round of at most 20
    /// seconds; nothing for a payload that is not ours.
    pub fn handle_push(&self, payload: String, observer: Arc<dyn SyncObserver>) -> Result<Option<Arc<SyncHandle>>, DoorstepError> {
        if !is_ours(&payload) {
            return Ok(None);
        }
        self.start(Patience { budget: Some(PUSH_BUDGET), retries: true }, observer).map(Some)
    }

    /// Packs all that waits so that another session on a shared phone can carry it: each mail is encrypted to the server, goes into a file that the sessions
    /// share, and may be carried as often as anybody likes. Nothing leaves the queue: the next round of this store hears the verdicts.
    pub fn pack_mail(&self) -> Result<Vec<Vec<u8>>, DoorstepError> {
        self.shared.with(core::Engine::mail)
    }

    /// Carries a mail that another session packed; blocks for the network. Its file may go when this returns.
    pub fn carry_mail(&self, mail: Vec<u8>) -> Result<(), DoorstepError> {
        let server = self.shared.with(|engine| engine.identity().map(|identity| identity.server).ok_or(FieldError::NotEnrolled))?;
        let transport = self.shared.connect.transport(&server).map_err(DoorstepError::invalid)?;
        let answered = transport.post(core::MAIL_PATH, &mail).map_err(SyncFailure::from).and_then(core::mail_taken);
        answered.map_err(|failure| DoorstepError::of(&failure.into(), self.shared.lang))
    }

    /// Gives this phone up: with the next round that sends all that waits the device ends, and everything here is erased.
    pub fn sign_out(&self) -> Result<(), DoorstepError> {
        self.shared.with(core::Engine::sign_out)
    }
}

/// What the systems give an app that a push message woke, with room to spare.
const PUSH_BUDGET: Duration = Duration::from_secs(20);
/// The longest payload that the push services carry.
const MOST_PAYLOAD: usize = 4_096;

fn is_ours(payload: &str) -> bool {
    let parsed = || serde_json::from_str::<serde_json::Value>(payload).ok();
    payload.len() <= MOST_PAYLOAD && parsed().is_some_and(|value| value.get("doorstep").is_some_and(|version| version.is_u64()))
}

impl Syncer {
    fn start(&self, patience: Patience, observer: Arc<dyn SyncObserver>) -> Result<Arc<SyncHandle>, DoorstepError> {
        let server = self.shared.with(|engine| engine.identity().map(|identity| identity.server).ok_or(FieldError::NotEnrolled))?;
        let transport = self.shared.connect.transport(&server).map_err(DoorstepError::invalid)?;
        let ending = Ending::new(&self.shared.turns);
        let ended: Arc<Ended> = Arc::default();
        let handle = Arc::new(SyncHandle { ending: ending.clone(), ended: Arc::clone(&ended) });
        let until = ending.clone();
        self.shared.spawn(&ending, "doorstep-sync", move |shared| {
            let began = Instant::now();
            let turn = shared.turns.round(&until, patience.budget);
            let left = patience.budget.map(|budget| budget.saturating_sub(began.elapsed()));
            let mut told = |driven: Driven<'_>| {
                if let Driven::Progress(status) = driven {
                    let (status, observer) = (SyncStatus::of(status, shared.lang), Arc::clone(&observer));
                    shared.dispatch.call(move || observer.on_progress(status));
                }
            };
            let mut status = None;
            let result = shared.with(|engine| {
                let _turn = turn.as_ref().ok_or(SyncFailure::Abandoned)?;
                let driven = engine.drive(&transport, &until.bell(), Patience { budget: left, ..patience }, &mut told);
                status = Some(engine.status());
                driven
            });
            drop(turn);
            let code = result.as_ref().map_or_else(|error| error.code().to_owned(), |_| "ok".to_owned());
            if let Some(status) = &status {
                shared.log.round(doorstep_core::model::Clock::now(&SystemClock), began.elapsed(), &code, status);
            }
            *lock(&ended) = Some(result.map(report));
            shared.dispatch.call(move || observer.on_finished());
        })?;
        Ok(handle)
    }
}

fn report(report: core::SyncReport) -> SyncReport {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    SyncReport {
        round_trips: report.round_trips,
        accepted: count(report.exchanged.accepted),
        refused: count(report.exchanged.refused),
        received: count(report.exchanged.received),
        pending: count(report.pending),
    }
}

/// Whether another attempt may do, and what a person is told.
pub(crate) fn last_error(failure: &SyncFailure, lang: Lang) -> LastError {
    LastError { code: failure.code().to_owned(), sentence: lang.sync_sentence(failure), retryable: failure.is_retryable() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_taken_and_everything_else_is_left() {
        assert!(is_ours(r#"{"doorstep":1,"of":"later"}"#));
        for other in ["", "{}", "[1]", r#"{"doorstep":"1"}"#, "null"] {
            assert!(!is_ours(other), "{other}");
        }
        assert!(!is_ours(&format!(r#"{{"doorstep":1,"x":"{}"}}"#, "x".repeat(MOST_PAYLOAD))));
    }
}
