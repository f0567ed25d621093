//! One exchange at a time: the engine has one session with its server, and an app starts rounds from screens and from the background as it
//! likes, also while it is connected. Rounds wait for each other; a live connection steps aside for a round and comes back after it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use doorstep_core::field::Bell;

use crate::shared::lock;

#[derive(Default)]
struct Queue {
    is_taken: bool,
    /// How many rounds wait.
    rounds: usize,
    /// What ends the live connection that has the turn.
    live: Option<Bell>,
}

#[derive(Default)]
pub(crate) struct Turns {
    queue: Mutex<Queue>,
    moved: Condvar,
}

/// The right to use the session, until it is dropped.
pub(crate) struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.is_taken = false;
        queue.live = None;
        drop(queue);
        self.0.moved.notify_all();
    }
}

impl Turns {
    /// The turn for a round; nothing when `ending` was told to end or the budget is over before.
    pub(crate) fn round(&self, ending: &Ending, budget: Option<Duration>) -> Option<Turn<'_>> {
        let end = budget.and_then(|budget| Instant::now().checked_add(budget));
        let mut queue = lock(&self.queue);
        if let Some(live) = &queue.live {
            live.stop();
        }
        queue.rounds += 1;
        let is_over = || ending.is_ended() || end.is_some_and(|end| end <= Instant::now());
        while queue.is_taken && !is_over() {
            queue = match end {
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    self.moved.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
        queue.rounds -= 1;
        if queue.is_taken || is_over() {
            drop(queue);
            self.moved.notify_all(); // a live connection may have waited for this round
            return None;
        }
        queue.is_taken = true;
        Some(Turn(self))
    }

    /// The turn for a live connection, when no round wants it, and the bell that ends it for the next one; nothing when `ending` was told to end.
    pub(crate) fn live(&self, ending: &Ending) -> Option<(Turn<'_>, Bell)> {
        let mut queue = lock(&self.queue);
        while (queue.is_taken || queue.rounds > 0) && !ending.is_ended() {
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let bell = ending.next_bell()?;
        queue.is_taken = true;
        queue.live = Some(bell.clone());
        Some((Turn(self), bell))
    }
}

struct Until {
    is_ended: bool,
    bell: Bell,
}

/// Ends one round or one live connection, whether it waits for its turn or has it.
#[derive(Clone)]
pub(crate) struct Ending {
    until: Arc<Mutex<Until>>,
    turns: Arc<Turns>,
}

impl Ending {
    pub(crate) fn new(turns: &Arc<Turns>) -> Self {
        Self { until: Arc::new(Mutex::new(Until { is_ended: false, bell: Bell::new() })), turns: Arc::clone(turns) }
    }

    pub(crate) fn end(&self) {
        let mut until = lock(&self.until);
        until.is_ended = true;
        until.bell.stop();
        drop(until);
        // Under the lock, so that nobody who has just looked falls asleep without seeing it.
        drop(lock(&self.turns.queue));
        self.turns.moved.notify_all();
    }

    pub(crate) fn is_ended(&self) -> bool {
        lock(&self.until).is_ended
    }

    /// What stops the engine's driver.
    pub(crate) fn bell(&self) -> Bell {
        lock(&self.until).bell.clone()
    }

    /// A bell that was not rung; nothing once it was told to end.
    fn next_bell(&self) -> Option<Bell> {
        let mut until = lock(&self.until);
        if until.is_ended {
            return None;
        }
        until.bell = Bell::new();
        Some(until.bell.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_take_turns_and_a_live_connection_steps_aside() {
        let turns = Arc::new(Turns::default());
        let (live, first, second) = (Ending::new(&turns), Ending::new(&turns), Ending::new(&turns));
        std::thread::scope(|scope| {
            let (turn, bell) = turns.live(&live).expect("nobody else wants it");
            let round = scope.spawn(|| turns.round(&first, None).is_some());
            while !bell.is_stopped() {
                std::thread::yield_now();
            }
            drop(turn);
            assert!(round.join().expect("it ends"));
        });
        let turn = turns.round(&first, None).expect("it is free");
        assert!(turns.round(&second, Some(Duration::from_millis(1))).is_none(), "a budget ends the waiting");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turns.round(&second, None).is_none());
            second.end();
            assert!(waiting.join().expect("it ends"), "and so does an end");
        });
        drop(turn);
        live.end();
        assert!(turns.live(&live).is_none());
        assert!(turns.live(&Ending::new(&turns)).is_some(), "those that gave up hold up nobody");
    }
}
