//! A phone of a world: the real engine on a disk that loses what was not flushed, with a clock that may be wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use doorstep_core::docs::DocKind;
use doorstep_core::field::{Engine, FieldError, LifeMark as _, MemoryMark, Subscription, Transport, TransportAnswer, TransportFault};
use doorstep_core::model::{DocId, GroupId, PersonId, StreetId};
use doorstep_core::store::{Opening, SimulatedStore, StoreError, TreeLoss};
use doorstep_server::hub::Hub;

use crate::clock::{NodeClock, Time};
use crate::dice::{Dice, NodeDice};
use crate::disk;
use crate::net;
use crate::record::Fate;
use crate::scenario::PhonePlan;

type Changed = Arc<Mutex<BTreeSet<(DocKind, DocId)>>>;

/// A phone.
pub struct Phone {
    pub plan: PhonePlan,
    pub street: StreetId,
    pub person: PersonId,
    pub store: Arc<SimulatedStore>,
    /// What stands outside of the store, so that one which was set back is known.
    pub mark: MemoryMark,
    pub clock: Arc<NodeClock>,
    /// The request that an answer is waited for; 0 if none. Answers to others are thrown away, as HTTP clients do.
    pub attempt: u64,
    /// The timer that counts; earlier ones were set anew.
    pub timer: u64,
    /// Whether it stays connected while its app runs.
    pub stays_connected: bool,
    /// The live connection that it has.
    pub line: Option<u64>,
    /// The last copy of its store.
    pub backup: Option<Backup>,
    pub is_clone: bool,
    /// Whether it has erased itself, and was not replaced.
    pub is_ended: bool,
    /// What somebody wrote down who listened: the last frame of it that reached the server.
    pub overheard: Option<Vec<u8>>,
    /// Whether its store was ever set back or cloned.
    pub has_other_lives: bool,
    dice: NodeDice,
    engine: Option<(Engine, Subscription)>,
    changed: Changed,
    #[cfg(feature = "seeded-bugs")]
    bugs: doorstep_core::field::SeededBugs,
    #[cfg(feature = "seeded-bugs")]
    store_bugs: disk::StoreBugs,
}

impl Phone {
    pub fn new(plan: PhonePlan, street: StreetId, person: PersonId, time: &Time, dice: &mut Dice) -> Self {
        Self {
            clock: NodeClock::new(time, plan.skew),
            plan,
            street,
            person,
            store: Arc::new(disk::new_store(dice)),
            mark: MemoryMark::default(),
            attempt: 0,
            timer: 0,
            stays_connected: dice.chance(300),
            line: None,
            backup: None,
            is_clone: false,
            is_ended: false,
            overheard: None,
            has_other_lives: false,
            dice: NodeDice::new(dice.fork()),
            engine: None,
            changed: Changed::default(),
            #[cfg(feature = "seeded-bugs")]
            bugs: doorstep_core::field::SeededBugs::default(),
            #[cfg(feature = "seeded-bugs")]
            store_bugs: disk::StoreBugs::default(),
        }
    }

    /// Starts the app over what the disk holds after a power cut, and after a loss.
    pub fn start(&mut self, loss: Option<TreeLoss>) -> Result<Opening, FieldError> {
        let opening = self.store.restart(loss)?;
        #[cfg(feature = "seeded-bugs")]
        if self.bugs.reuses_actor {
            self.believe_the_store()?;
        }
        let engine = Engine::open(self.store.clone(), self.clock.clone(), Box::new(self.dice.clone()), &self.mark)?;
        let changed = Arc::clone(&self.changed);
        let subscription = engine.subscribe(move |notice| {
            changed.lock().unwrap_or_else(PoisonError::into_inner).extend(notice.documents.iter().copied());
        });
        #[cfg(feature = "seeded-bugs")]
        engine.set_bugs(self.bugs);
        self.engine = Some((engine, subscription));
        Ok(opening)
    }

    /// A copy of store and mark as they are now.
    pub fn copy(&self, dice: &mut Dice, fates: BTreeMap<GroupId, Fate>) -> Result<Backup, StoreError> {
        Ok(Backup { store: self.store.copy(dice.numbers())?, mark: self.mark.copy(), fates })
    }

    /// Puts a copy in the place of the store, on the same phone (0, 1), on one without a mark (2) or with the mark of then (3). Says whether
    /// the mark is that of the copy, so that nothing can be noticed.
    pub fn put_back(&mut self, backup: &Backup, which: u64, dice: &mut Dice) -> bool {
        self.replace_store(backup.store.copy(dice.numbers()).unwrap());
        match which {
            2 => self.mark = MemoryMark::default(),
            3 => self.mark = backup.mark.copy(),
            _ => {}
        }
        self.mark.read() == backup.mark.read()
    }

    /// A phone that has a copy of this one's store, and its mark or none.
    pub fn cloned(&self, backup: Backup, with_mark: bool, time: &Time, dice: &mut Dice) -> Self {
        let mut clone = Self::new(self.plan.clone(), self.street, self.person, time, dice);
        clone.is_clone = true;
        clone.replace_store(backup.store);
        clone.mark = if with_mark { backup.mark } else { MemoryMark::default() };
        #[cfg(feature = "seeded-bugs")]
        clone.plant(self.bugs);
        clone
    }

    /// What a phone that does not look at its mark finds: that it fits.
    #[cfg(feature = "seeded-bugs")]
    fn believe_the_store(&self) -> Result<(), FieldError> {
        /// The row of the mark, as `field::tables` lists it.
        const MARK_ROW: [u8; 2] = [1, 8];
        use doorstep_core::store::Read as _;
        let row = self.store.get(&MARK_ROW)?;
        if let Some(mark) = row.as_deref().and_then(|row| row.last_chunk()) {
            self.mark.write(mark).unwrap();
        }
        Ok(())
    }

    fn replace_store(&mut self, store: SimulatedStore) {
        #[cfg(feature = "seeded-bugs")]
        self.store_bugs.plant_in(&store);
        self.store = Arc::new(store);
    }

    /// Turns deliberate bugs on, for as long as this phone lives.
    #[cfg(feature = "seeded-bugs")]
    pub fn plant(&mut self, bugs: doorstep_core::field::SeededBugs) {
        self.bugs = bugs;
        if let Some(engine) = self.engine() {
            engine.set_bugs(bugs);
        }
    }

    /// Turns deliberate bugs of the store on, for as long as this phone lives.
    #[cfg(feature = "seeded-bugs")]
    pub fn plant_in_store(&mut self, bugs: disk::StoreBugs) {
        self.store_bugs = bugs;
        bugs.plant_in(&self.store);
    }

    /// Cuts the power.
    pub fn stop(&mut self) {
        self.engine = None;
        self.attempt = 0;
        self.line = None;
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

/// A copy of a phone's store, with the mark of then, and what had become of the phone's commands.
pub struct Backup {
    store: SimulatedStore,
    mark: MemoryMark,
    pub fates: BTreeMap<GroupId, Fate>,
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
