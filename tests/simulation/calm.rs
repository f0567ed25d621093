//! The calm after a storm: no faults any more, everybody has power and syncs, until nothing changes.

use doorstep_core::sync::client::{ANSWER_DEADLINE, Input, LONGEST_RETRY};

use crate::world::{Event, Violation, World, of_ledger};

/// The most steps from one sync of the calm to the next: with 20 phones a handful each would do.
const MOST_CALM_STEPS: u64 = 20_000;
/// The most rounds of the calm: what was recorded goes up in the first and comes down in the second; mending and large outboxes take more.
const MOST_CALM_ROUNDS: u32 = 12;

impl World {
    /// Ends the storm: no faults any more, everybody has power. Clocks stay wrong.
    pub fn become_calm(&mut self) -> Result<(), Violation> {
        self.say(|| "calm".to_owned());
        self.calm = true;
        self.net.calm();
        self.end_lines()?;
        if self.server.hub().is_none() || self.server.store.is_stopped() {
            self.start_server()?;
        }
        self.due.retain(|_, event| !matches!(event, Event::ServerUp | Event::PhoneUp { .. }));
        self.server.store.disarm();
        for phone in 0..self.phones.len() {
            if self.phones[phone].engine().is_none() && !self.phones[phone].is_ended {
                self.start_phone(phone)?;
            }
            self.phones[phone].store.disarm();
        }
        Ok(())
    }

    /// Every phone syncs until nothing changes any more.
    pub fn settle(&mut self) -> Result<(), Violation> {
        if self.scenario.patient {
            self.rest()?;
        }
        for _ in 0..MOST_CALM_ROUNDS {
            let before = self.newest()?;
            for phone in 0..self.phones.len() {
                self.drive(phone, Input::Start)?;
            }
            self.rest()?;
            let waits = self
                .phones
                .iter()
                .filter(|phone| !phone.is_ended)
                .any(|phone| phone.engine().is_none_or(|engine| !engine.waiting().is_empty()));
            if !waits && self.newest()? == before && !self.end_what_waits_for_the_gone()? {
                return Ok(());
            }
        }
        let waiting: Vec<_> =
            self.phones.iter().map(|phone| phone.engine().map(|engine| (engine.waiting().len(), engine.status()))).collect();
        Err(Violation { invariant: "after a calm every outbox is empty", detail: format!("{waiting:?}") })
    }

    /// A restored server waits for devices of which it cannot know that they have erased themselves since its backup: its operator says that they will
    /// not come. Whether there was one.
    fn end_what_waits_for_the_gone(&mut self) -> Result<bool, Violation> {
        if !self.record.counts.contains_key("phones that erased themselves") {
            return Ok(false);
        }
        let failed = |error| Violation { invariant: "a reconciliation can be ended", detail: format!("{error:?}") };
        let mut ended = false;
        for street in &self.server.streets {
            let hub = self.hub()?;
            if !hub.awaited(*street).map_err(failed)?.is_empty() {
                hub.end_reconciliation(*street).map_err(failed)?;
                ended = true;
            }
        }
        Ok(ended)
    }

    /// Lets everything happen that is under way.
    pub fn rest(&mut self) -> Result<(), Violation> {
        for _ in 0..MOST_CALM_STEPS {
            let longest = self.time.now() + LONGEST_RETRY + ANSWER_DEADLINE;
            let sleeper = self.due.iter().find_map(|((at, _), event)| match event {
                Event::Wake { phone, timer } if self.phones[*phone].timer == *timer && *at > longest => Some((*phone, *at - longest)),
                _ => None,
            });
            if let Some((phone, late)) = sleeper {
                return Err(Violation { invariant: "a phone tries again soon", detail: format!("phone {phone}: {late} ms too late") });
            }
            if !self.step()? {
                return Ok(());
            }
        }
        Err(Violation { invariant: "the calm comes to rest", detail: format!("{} events are due", self.due.len()) })
    }

    fn newest(&self) -> Result<Vec<u64>, Violation> {
        let hub = self.hub()?;
        self.server.streets.iter().map(|street| Ok(of_ledger(hub.ledger().newest(*street))?.0)).collect()
    }
}
