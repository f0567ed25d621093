//! Staying connected while an app is in front.

use std::sync::Arc;

use doorstep_core::docs::DocKind;
use doorstep_core::field::{FieldError, Watched};
use doorstep_core::model::{DocId, Invalid};

use crate::error::{DoorstepError, ForeignError};
use crate::listen::ChangedRecord;
use crate::shared::Shared;
use crate::sync::{LastError, Syncer, last_error};
use crate::turns::Ending;
use crate::types::Timestamp;

/// What happens on a live connection.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum LiveEvent {
    /// There is a connection; the exchange that brings everything up to date begins. Comes again after a failure, and after a round of `sync`.
    Connected,
    /// Everything is exchanged.
    Exchanged {
        /// Commands of this phone that the server accepted.
        accepted: u32,
        /// Commands that it refused.
        refused: u32,
        /// The records that came.
        arrived: Vec<ChangedRecord>,
    },
    /// Others recorded something.
    Pushed {
        /// The records that came.
        arrived: Vec<ChangedRecord>,
    },
    /// There is no connection, or it broke; it is tried again.
    Lost {
        /// Why.
        error: LastError,
        /// When the next attempt is due.
        next_attempt: Option<Timestamp>,
    },
    /// It has ended, by `cancel` or because the app was shut down. The last.
    Stopped,
}

/// Watches a live connection. Called on the thread of the listeners.
#[uniffi::export(foreign)]
pub trait LiveObserver: Send + std::marker::Sync {
    /// Something happened.
    fn on_live(&self, event: LiveEvent) -> Result<(), ForeignError>;
}

/// A live connection: goes on until it is cancelled or released.
#[derive(uniffi::Object)]
pub struct LiveHandle(Ending);

#[uniffi::export]
impl LiveHandle {
    /// Ends it within milliseconds. What waits goes out with the next round.
    pub fn cancel(&self) -> Result<(), DoorstepError> {
        self.0.end();
        Ok(())
    }
}

impl Drop for LiveHandle {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[uniffi::export]
impl Syncer {
    /// Stays connected: sends what is recorded, applies what others record, connects again after a failure. Returns at once. One at a
    /// time: a second begins when the first has ended.
    pub fn live(&self, observer: Arc<dyn LiveObserver>) -> Result<Arc<LiveHandle>, DoorstepError> {
        let server = self.shared.with(|engine| engine.identity().map(|identity| identity.server).ok_or(FieldError::NotEnrolled))?;
        let missing = || Invalid::new("live", "is missing: an app with its own transport brings its own live transport");
        let transport = self.shared.connect.live(&server).and_then(|live| live.ok_or_else(missing)).map_err(DoorstepError::invalid)?;
        let ending = Ending::new(&self.shared.turns);
        let until = ending.clone();
        self.shared.spawn(&ending, "doorstep-live", move |shared| {
            let mut told = |watched: &Watched| {
                let (event, observer) = (event(shared, watched), Arc::clone(&observer));
                shared.dispatch.call(move || observer.on_live(event));
            };
            while let Some((_turn, bell)) = shared.turns.live(&until) {
                // What fails on the way is told as lost and tried again: a watch comes back when it is told to, or when it has no reason any more.
                let watched = shared.with(|engine| engine.watch_promptly(Arc::clone(&transport), &bell, &mut told));
                if watched.is_err() || !bell.is_stopped() {
                    break;
                }
            }
            shared.dispatch.call(move || observer.on_live(LiveEvent::Stopped));
        })?;
        Ok(Arc::new(LiveHandle(ending)))
    }
}

fn event(shared: &Shared, watched: &Watched) -> LiveEvent {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    match watched {
        Watched::Connected => LiveEvent::Connected,
        Watched::Exchanged { exchanged, arrived } => {
            LiveEvent::Exchanged { accepted: count(exchanged.accepted), refused: count(exchanged.refused), arrived: records(arrived) }
        }
        Watched::Pushed { arrived } => LiveEvent::Pushed { arrived: records(arrived) },
        Watched::Lost { failure, next_attempt } => {
            LiveEvent::Lost { error: last_error(failure, shared.lang), next_attempt: next_attempt.map(Into::into) }
        }
    }
}

fn records(arrived: &[(DocKind, DocId)]) -> Vec<ChangedRecord> {
    arrived.iter().map(|(kind, id)| ChangedRecord { kind: (*kind).into(), id: (*id).into() }).collect()
}
