//! A phone of a world: the real engine on a disk that loses what was not flushed, with a clock that may be wrong.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use doorstep_core::docs::DocKind;
use doorstep_core::field::{Engine, FieldError, MemoryMark, Subscription, Transport, TransportAnswer, TransportFault};
use doorstep_core::model::{DocId, PersonId, StreetId};
use doorstep_core::store::MemoryStore;
use doorstep_server::hub::Hub;

use crate::clock::{NodeClock, Time};
use crate::dice::{Dice, NodeDice};
use crate::net;
use crate::scenario::PhonePlan;

type Changed = Arc<Mutex<BTreeSet<(DocKind, DocId)>>>;

/// A phone.
pub struct Phone {
    pub plan: PhonePlan,
    pub street: StreetId,
    pub person: PersonId,
    pub store: Arc<MemoryStore>,
    /// What stands outside of the store, so that one which was set back is known.
    pub mark: MemoryMark,
    pub clock: Arc<NodeClock>,
    /// The request that an answer is waited for; 0 if none. Answers to others are thrown away, as HTTP clients do.
    pub attempt: u64,
    /// The timer that counts; earlier ones were set anew.
    pub timer: u64,
    dice: NodeDice,
    engine: Option<(Engine, Subscription)>,
    changed: Changed,
    #[cfg(feature = "seeded-bugs")]
    bugs: doorstep_core::field::SeededBugs,
}

impl Phone {
    pub fn new(plan: PhonePlan, street: StreetId, person: PersonId, time: &Time, dice: &mut Dice) -> Self {
        Self {
            clock: NodeClock::new(time, plan.skew),
            plan,
            street,
            person,
            store: Arc::new(MemoryStore::new()),
            mark: MemoryMark::default(),
            attempt: 0,
            timer: 0,
            dice: NodeDice::new(dice.fork()),
            engine: None,
            changed: Changed::default(),
            #[cfg(feature = "seeded-bugs")]
            bugs: doorstep_core::field::SeededBugs::default(),
        }
    }

    /// Starts the app over what the disk holds.
    pub fn start(&mut self) -> Result<(), FieldError> {
        self.store.restart();
        let engine = Engine::open(self.store.clone(), self.clock.clone(), Box::new(self.dice.clone()), &self.mark)?;
        let changed = Arc::clone(&self.changed);
        let subscription = engine.subscribe(move |notice| {
            changed.lock().unwrap_or_else(PoisonError::into_inner).extend(notice.documents.iter().copied());
        });
        #[cfg(feature = "seeded-bugs")]
        engine.set_bugs(self.bugs);
        self.engine = Some((engine, subscription));
        Ok(())
    }

    /// Turns deliberate bugs on, for as long as this phone lives.
    #[cfg(feature = "seeded-bugs")]
    pub fn plant(&mut self, bugs: doorstep_core::field::SeededBugs) {
        self.bugs = bugs;
        if let Some(engine) = self.engine() {
            engine.set_bugs(bugs);
        }
    }

    /// Cuts the power.
    pub fn stop(&mut self) {
        self.engine = None;
        self.attempt = 0;
        self.timer += 1;
    }

    /// The engine, while the app runs.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref().map(|(engine, _)| engine)
    }

    /// The documents whose rows changed since this was last asked.
    pub fn take_changed(&self) -> BTreeSet<(DocKind, DocId)> {
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A line on which nothing goes wrong, for enrolment.
pub struct Direct<'a>(pub &'a Hub);

impl Transport for Direct<'_> {
    fn post(&self, _: &str, body: &[u8]) -> Result<TransportAnswer, TransportFault> {
        Ok(match self.0.enrol(body) {
            Ok(answer) => net::frame(answer),
            Err(error) => net::problem(400, error.code()),
        })
    }
}
