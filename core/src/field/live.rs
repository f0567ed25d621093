//! Staying connected: a loop without decisions around [`Line`](crate::sync::live::phone::Line), for as long as an app is in front.
//!
//! One thread runs [`Engine::watch`]; it sleeps in the connection, or while there is none in its [`Bell`], and is woken by what arrives, by what
//! is recorded on any other thread, by the alarm of the machine and by [`Bell::stop`]. What arrives goes the way of every answer: applied
//! durably, then the cursor, then a change notice.

mod bell;
#[cfg(feature = "transport")]
mod socket;
mod transport;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::docs::DocKind;
use crate::field::sync::failure_of;
use crate::field::{ChangeNotice, Engine, Exchanged, FieldError, LIVE_PATH};
use crate::model::{DocId, Millis};
use crate::sync::client::SyncFailure;
use crate::sync::live::phone::{Effect, Input, closed};
use crate::sync::{Entry, Response};

pub use bell::Bell;
#[cfg(feature = "transport")]
pub use socket::WebSocketTransport;
pub use transport::{Arrived, LiveConnection, LiveTransport, Waker, refused_upgrade};

/// The longest sleep without looking at the clock: one that was set meanwhile must not hold up an alarm for long.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// What somebody who watches is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// There is a connection; the exchange that brings everything up to date begins.
    Connected,
    /// Everything is exchanged.
    Exchanged {
        /// What it brought.
        exchanged: Exchanged,
        /// The documents that came.
        arrived: Vec<(DocKind, DocId)>,
    },
    /// The server said what became durable.
    Pushed {
        /// The documents that came.
        arrived: Vec<(DocKind, DocId)>,
    },
    /// There is no connection, or it broke.
    Lost {
        /// Why.
        failure: SyncFailure,
        /// When the next attempt is due, by the phone's clock.
        next_attempt: Option<Millis>,
    },
}

/// What one run of [`Engine::watch`] holds.
struct Watch<'a> {
    engine: &'a Engine,
    transport: &'a dyn LiveTransport,
    bell: &'a Bell,
    told: &'a mut dyn FnMut(&Watched),
    connection: Option<Box<dyn LiveConnection>>,
    /// What has come in the exchange that is under way.
    arrived: Vec<(DocKind, DocId)>,
}

impl Engine {
    /// Stays connected until `bell` says to stop: sends what is recorded, applies what the server pushes, connects again after a failure at
    /// the intervals of [`Engine::sync`]. Uses the network and blocks; commands and queries go on meanwhile. `told` hears what happens, on this
    /// thread and under no lock.
    ///
    /// # Errors
    /// [`FieldError::NotEnrolled`]. Everything else is told and tried again.
    pub fn watch(&self, transport: &dyn LiveTransport, bell: &Bell, told: &mut dyn FnMut(&Watched)) -> Result<(), FieldError> {
        self.state().given()?;
        let ringing = bell.clone();
        let _subscription = self.subscribe(move |notice| {
            if notice.status {
                ringing.ring();
            }
        });
        let mut watch = Watch { engine: self, transport, bell, told, connection: None, arrived: Vec::new() };
        watch.run();
        Ok(())
    }

    /// Feeds the phone's line with one input and keeps what it comes to. For drivers that are not [`Engine::watch`].
    pub fn advance_live(&self, input: Input) -> Vec<Effect> {
        let mut state = self.state();
        let was_busy = state.session.is_busy();
        let now = self.clock.now();
        let mut effects = Vec::new();
        let inner = &mut *state;
        inner.line.handle(now, input, &mut inner.session, &mut *inner.entropy, &mut effects);
        if !was_busy && state.session.is_busy() {
            state.begin_exchange();
        }
        match effects.last() {
            Some(Effect::Finished { .. }) => self.end_exchange(state, now, None),
            Some(Effect::GaveUp(failure)) => self.end_exchange(state, now, Some(failure)),
            _ => {}
        }
        effects
    }

    /// Applies a message that was pushed, durably, and says whether to ask now: a part of it did not continue at its cursor, it was cut, or
    /// something waits to be sent. One that comes while an exchange is under way is left: the answer brings the same.
    ///
    /// # Errors
    /// As [`Engine::apply`].
    pub fn take_pushed(&self, response: Response) -> Result<bool, FieldError> {
        let mut state = self.state();
        if state.session.is_busy() {
            return Ok(false);
        }
        let entered: Vec<_> = response.entered.iter().flat_map(|entered| &entered.0).map(|entered| entered.grant.id).collect();
        let fits = response.parts.iter().flat_map(|parts| &parts.0).all(|part| {
            let held = state.grants.get(&part.grant).filter(|_| state.ledger == Some(response.ledger));
            held.map_or(entered.contains(&part.grant), |held| held.position == part.from)
        });
        state.exchanged = Exchanged::default();
        let mut notice = ChangeNotice { status: true, ..ChangeNotice::default() };
        let result = self.apply_to(&mut state, response, &mut notice);
        if result.is_ok() && fits {
            let now = self.clock.now();
            self.keep_status(&mut state, now, None);
        }
        drop(state);
        self.tell(&notice);
        Ok(result? || !fits)
    }

    /// Whether something waits that is not on its way.
    fn has_unsent(&self) -> bool {
        let state = self.state();
        state.inbox.has_unsent() || state.outbox.iter().any(|(number, _)| !state.outbox.in_flight().contains(&number))
    }

    fn time_to_alarm(&self) -> Duration {
        let state = self.state();
        let due = state.line.wakeup(&state.session).map(|due| due.since(self.clock.now()));
        due.map_or(LONGEST_SLEEP, |millis| Duration::from_millis(millis.max(0).unsigned_abs()).min(LONGEST_SLEEP))
    }

    /// The owner of the line has gone: what was under way is given up.
    fn hang_up(&self) {
        if self.state().session.is_busy() {
            self.advance_live(Input::Lost(SyncFailure::Unreachable));
        }
        self.state().line.hang_up();
        self.tell(&ChangeNotice { status: true, ..ChangeNotice::default() });
    }
}

impl Watch<'_> {
    fn run(&mut self) {
        let mut input = Input::Start;
        while !self.bell.is_stopped() && !self.engine.is_wiped() {
            let effects = self.engine.advance_live(input);
            input = match self.perform(effects) {
                Some(next) => next,
                None => self.next(),
            };
        }
        if let Some(mut connection) = self.connection.take() {
            connection.close();
        }
        self.bell.wakes(None);
        self.engine.hang_up();
    }

    /// Performs effects in their order; where one fails, the rest is dropped.
    fn perform(&mut self, effects: Vec<Effect>) -> Option<Input> {
        let mut next = None;
        for effect in effects {
            next = match effect {
                Effect::Compose => Some(self.engine.compose().map_or_else(|error| Input::Failed(failure_of(error)), Input::Composed)),
                Effect::Open => match self.transport.open(LIVE_PATH) {
                    Ok(connection) => {
                        self.bell.wakes(Some(connection.waker()));
                        self.connection = Some(connection);
                        (self.told)(&Watched::Connected);
                        None
                    }
                    Err(failure) => return Some(Input::Lost(failure)),
                },
                Effect::Send(frame) => match self.connection.as_mut().map(|connection| connection.send(&frame)) {
                    Some(Ok(())) => None,
                    Some(Err(fault)) => return self.lost(fault.into()),
                    None => return self.lost(SyncFailure::Unreachable),
                },
                Effect::Apply(response) => {
                    let mut arrived = documents(&response);
                    let applied = self.engine.apply(*response);
                    self.arrived.append(&mut arrived);
                    Some(applied.map_or_else(|error| Input::Failed(failure_of(error)), |more| Input::Applied { more }))
                }
                Effect::Take(response) => {
                    let arrived = documents(&response);
                    Some(match self.engine.take_pushed(*response) {
                        Ok(more) => {
                            (self.told)(&Watched::Pushed { arrived });
                            Input::Taken { more }
                        }
                        Err(error) => Input::Failed(failure_of(error)),
                    })
                }
                Effect::HangUp => {
                    if let Some(mut connection) = self.drop_connection() {
                        connection.close();
                    }
                    None
                }
                Effect::Finished { .. } => {
                    let exchanged = self.engine.status().exchanged;
                    (self.told)(&Watched::Exchanged { exchanged, arrived: std::mem::take(&mut self.arrived) });
                    None
                }
                Effect::GaveUp(failure) => {
                    self.arrived.clear();
                    let next_attempt = self.engine.status().next_attempt;
                    (self.told)(&Watched::Lost { failure, next_attempt });
                    None
                }
            };
        }
        next
    }

    /// Sleeps until something happens, and says what.
    fn next(&mut self) -> Input {
        if self.bell.take() && self.engine.has_unsent() {
            return Input::Recorded;
        }
        let patience = self.engine.time_to_alarm();
        let Some(connection) = &mut self.connection else {
            self.bell.wait(patience);
            return Input::Tick;
        };
        match connection.receive(patience) {
            Ok(None) => Input::Tick,
            Ok(Some(Arrived::Message(frame))) => Input::Message(frame),
            Ok(Some(Arrived::Heard)) => Input::Heard,
            Ok(Some(Arrived::Closed { number, reason })) => {
                self.drop_connection();
                Input::Lost(closed(number, &reason))
            }
            Err(fault) => {
                self.drop_connection();
                Input::Lost(fault.into())
            }
        }
    }

    fn lost(&mut self, failure: SyncFailure) -> Option<Input> {
        self.drop_connection();
        Some(Input::Lost(failure))
    }

    fn drop_connection(&mut self) -> Option<Box<dyn LiveConnection>> {
        self.bell.wakes(None);
        self.connection.take()
    }
}

/// The documents that a response brings.
fn documents(response: &Response) -> Vec<(DocKind, DocId)> {
    let entries = response.parts.iter().flat_map(|parts| &parts.0).flat_map(|part| &part.entries.0);
    let documents = entries.filter_map(|entry| match entry {
        Entry::Changes { doc, kind, .. } | Entry::Snapshot { doc, kind, .. } => Some((*kind, *doc)),
        Entry::Record { .. } | Entry::Left { .. } => None,
    });
    documents.collect()
}
