//! Live connections: phones that stay connected over a line that delays, breaks and goes dead without telling either side.
//!
//! The machines on both sides are the product's; here is what carries their messages. A line keeps the order of what it carries, as TCP does. What
//! is lost on it is lost with all that follows: a *dead* line, which its ends find out by the silence. Calls of the hub are made at once.

use std::collections::BTreeMap;

use doorstep_core::field::FieldError;
use doorstep_core::model::Millis;
use doorstep_core::store::StoreError;
use doorstep_core::sync::client::SyncFailure;
use doorstep_core::sync::live::phone::{self, closed};
use doorstep_core::sync::live::server::{self, Pace, Session};
use doorstep_server::hub::HubError;
use doorstep_server::ledger::LedgerError;

use crate::net::{Fate, Way};
use crate::world::{Event, Violation, World, of_ledger};

/// A message from the server.
#[derive(Debug, Clone)]
pub enum Down {
    Message(Vec<u8>),
    Ping,
    Closed(u16, &'static str),
}

/// A message from a phone.
#[derive(Debug, Clone)]
pub enum Up {
    Message(Vec<u8>),
    Pong,
    Gone,
}

/// A connection, as the server has it.
pub struct Line {
    phone: usize,
    session: Session,
    /// When the last message of each way arrives; none overtakes it.
    up: i64,
    down: i64,
    /// Whether each way still carries anything.
    up_lives: bool,
    down_lives: bool,
    /// The timer that counts.
    timer: u64,
}

/// All connections of the server's process.
#[derive(Default)]
pub struct Lines {
    open: BTreeMap<u64, Line>,
    next: u64,
}

impl World {
    /// Feeds the line of a phone that stays connected, and performs what it asks for, until it waits.
    pub fn drive_live(&mut self, phone: usize, input: phone::Input) -> Result<(), Violation> {
        let mut input = Some(input);
        while let Some(next) = input.take() {
            let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
            for effect in engine.advance_live(next) {
                input = self.perform_live(phone, effect)?;
                if matches!(input, Some(phone::Input::Lost(_))) {
                    break; // what follows in the list is dropped
                }
            }
        }
        self.look_after(phone);
        Ok(())
    }

    fn perform_live(&mut self, phone: usize, effect: phone::Effect) -> Result<Option<phone::Input>, Violation> {
        use phone::{Effect, Input};
        let Some(engine) = self.phones[phone].engine() else { return Ok(None) };
        Ok(match effect {
            Effect::Compose => Some(match engine.compose() {
                Ok(frame) => Input::Composed(frame),
                Err(error) => Input::Failed(self.own_failure(phone, error)?),
            }),
            Effect::Open => (!self.open_line(phone)).then_some(Input::Lost(SyncFailure::Unreachable)),
            Effect::Send(frame) => {
                self.trace.note(&frame);
                self.send_up(phone, Up::Message(frame));
                None
            }
            Effect::Apply(response) => {
                self.take_verdicts(phone, &response);
                let Some(engine) = self.phones[phone].engine() else { return Ok(None) };
                let applied = engine.apply(*response);
                self.after_live(phone, applied, |more| Input::Applied { more })?
            }
            Effect::Take(response) => {
                self.record.count("live pushes");
                self.take_verdicts(phone, &response);
                let Some(engine) = self.phones[phone].engine() else { return Ok(None) };
                let taken = engine.take_pushed(*response);
                self.after_live(phone, taken, |more| Input::Taken { more })?
            }
            Effect::HangUp => {
                self.send_up(phone, Up::Gone);
                self.phones[phone].line = None;
                None
            }
            Effect::Finished { .. } => {
                self.say(|| format!("phone {phone} is connected and has exchanged everything"));
                None
            }
            Effect::GaveUp(failure) => {
                self.say(|| format!("phone {phone} loses its connection: {failure}"));
                None
            }
        })
    }

    fn after_live(
        &mut self,
        phone: usize,
        applied: Result<bool, FieldError>,
        input: impl FnOnce(bool) -> phone::Input,
    ) -> Result<Option<phone::Input>, Violation> {
        let next = match applied {
            Ok(more) => input(more),
            Err(error) => phone::Input::Failed(self.own_failure(phone, error)?),
        };
        if !self.phones[phone].store.is_stopped() {
            if self.phones[phone].engine().is_some_and(|engine| engine.is_wiped()) {
                self.retire(phone)?;
                return Ok(None);
            }
            self.check_phone(phone)?;
        }
        Ok(Some(next))
    }

    /// Opens a connection, if there is a network and a server; whether it was opened.
    fn open_line(&mut self, phone: usize) -> bool {
        if self.server.hub().is_none() || self.net.is_cut_off(phone) || self.dice.chance(self.net.weather.lost) {
            return false;
        }
        self.record.count("live connections");
        let now = self.time.now();
        let number = self.lines.next;
        self.lines.next += 1;
        let session = Session::new(Pace::default(), Millis(now));
        let line = Line { phone, session, up: now, down: now, up_lives: true, down_lives: true, timer: 0 };
        self.lines.open.insert(number, line);
        self.phones[phone].line = Some(number);
        self.set_line_timer(number);
        true
    }

    /// Puts a message on the way to the server; a line on which one is lost is dead from then on.
    fn send_up(&mut self, phone: usize, up: Up) {
        let Some(number) = self.phones[phone].line else { return };
        let delay = self.delay_on_line(phone, Way::ToServer);
        let now = self.time.now();
        let Some(line) = self.lines.open.get_mut(&number) else { return };
        line.up_lives &= delay.is_some();
        let Some(delay) = delay.filter(|_| line.up_lives) else { return };
        line.up = line.up.max(now + delay);
        let wait = line.up - now;
        self.post(wait, Event::Up { line: number, up });
    }

    /// The same towards the phone, of which the server keeps a count until the message has left it.
    fn send_down(&mut self, number: u64, down: Down) {
        let Some(phone) = self.lines.open.get(&number).map(|line| line.phone) else { return };
        let delay = self.delay_on_line(phone, Way::ToPhone);
        let now = self.time.now();
        let Some(line) = self.lines.open.get_mut(&number) else { return };
        line.down_lives &= delay.is_some();
        let Some(delay) = delay.filter(|_| line.down_lives) else { return };
        line.down = line.down.max(now + delay);
        let wait = line.down - now;
        self.post(wait, Event::Down { line: number, phone, down });
    }

    fn delay_on_line(&mut self, phone: usize, way: Way) -> Option<i64> {
        match self.net.fate(&mut self.dice, phone, way) {
            Fate::Arrives(delays) => delays.first().copied(),
            Fate::NoConnection => None,
        }
    }

    /// Something of a phone arrives at the server.
    pub fn hear_up(&mut self, number: u64, up: Up) -> Result<(), Violation> {
        match up {
            Up::Message(frame) => self.feed(number, server::Input::Message(frame)),
            Up::Pong => self.feed(number, server::Input::Heard),
            Up::Gone => {
                self.lines.open.remove(&number);
                Ok(())
            }
        }
    }

    /// Something of the server arrives at a phone.
    pub fn hear_down(&mut self, number: u64, phone: usize, down: Down) -> Result<(), Violation> {
        if matches!(down, Down::Message(_)) {
            self.feed(number, server::Input::Sent)?;
        }
        if self.phones[phone].line != Some(number) {
            return Ok(()); // of a connection that it has given up
        }
        match down {
            Down::Message(frame) => self.drive_live(phone, phone::Input::Message(frame)),
            Down::Ping => {
                self.send_up(phone, Up::Pong);
                self.drive_live(phone, phone::Input::Heard)
            }
            Down::Closed(code, reason) => {
                self.phones[phone].line = None;
                self.drive_live(phone, phone::Input::Lost(closed(code, reason)))
            }
        }
    }

    /// A line's time has come.
    pub fn tick_line(&mut self, number: u64, timer: u64) -> Result<(), Violation> {
        let counts = self.lines.open.get(&number).is_some_and(|line| line.timer == timer);
        if counts { self.feed(number, server::Input::Tick) } else { Ok(()) }
    }

    /// Something may have become durable: all lines are told, as listeners of the hub are.
    pub fn tell_lines(&mut self) {
        let numbers: Vec<u64> = self.lines.open.keys().copied().collect();
        numbers.into_iter().for_each(|line| self.post(1, Event::Moved { line }));
    }

    /// Feeds the server's side of a line, and performs what it asks for.
    pub fn feed(&mut self, number: u64, input: server::Input) -> Result<(), Violation> {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let now = Millis(self.time.now());
            let Some(line) = self.lines.open.get_mut(&number) else { return Ok(()) };
            let mut effects = Vec::new();
            line.session.handle(now, input, &mut effects);
            for effect in effects {
                inputs.extend(self.perform_on_line(number, effect)?);
            }
        }
        self.set_line_timer(number);
        Ok(())
    }

    fn perform_on_line(&mut self, number: u64, effect: server::Effect) -> Result<Option<server::Input>, Violation> {
        let Some(phone) = self.lines.open.get(&number).map(|line| line.phone) else { return Ok(None) };
        match effect {
            server::Effect::Serve(frame, device) => {
                let Some(served) = self.server.hub().map(|hub| hub.serve_live(&frame, device)) else { return Ok(None) };
                let Some(served) = self.of_hub(served)? else { return Ok(None) };
                self.trace.note(&served.frame);
                self.take_acknowledgements(phone, &frame, &served.frame)?;
                self.tell_lines();
                Ok(Some(server::Input::Served { device: served.device, frame: served.frame, standing: served.standing }))
            }
            server::Effect::ReadOn(standing) => {
                let Some(pushed) = self.server.hub().map(|hub| hub.read_live(*standing)) else { return Ok(None) };
                let Some(pushed) = self.of_hub(pushed)? else { return Ok(None) };
                Ok(Some(server::Input::ReadOn { frame: pushed.frame, standing: pushed.standing }))
            }
            server::Effect::Send(frame) => {
                self.send_down(number, Down::Message(frame));
                Ok(None)
            }
            server::Effect::Ping => {
                self.send_down(number, Down::Ping);
                Ok(None)
            }
            server::Effect::Close(close) => {
                self.say(|| format!("the server closes the line of phone {phone}: {}", close.code()));
                self.send_down(number, Down::Closed(close.number(), close.code()));
                self.lines.open.remove(&number);
                Ok(None)
            }
        }
    }

    /// What the hub did, or nothing where its power went.
    fn of_hub<T>(&mut self, done: Result<T, HubError>) -> Result<Option<T>, Violation> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(HubError::Ledger(LedgerError::Store(StoreError::Stopped))) => {
                self.stop_server();
                Ok(None)
            }
            Err(HubError::Ledger(error)) => of_ledger(Err(error)),
            Err(error) => Err(Violation { invariant: "the hub serves honest phones", detail: format!("{error:?}") }),
        }
    }

    fn set_line_timer(&mut self, number: u64) {
        let Some(line) = self.lines.open.get_mut(&number) else { return };
        let Some(wakeup) = line.session.wakeup() else { return };
        line.timer += 1;
        let timer = line.timer;
        self.post(wakeup.0 - self.time.now(), Event::LineTick { line: number, timer });
    }

    /// The server's process ends: its connections break, which a phone hears or not.
    pub fn drop_lines(&mut self) {
        for (number, line) in std::mem::take(&mut self.lines.open) {
            if self.dice.chance(500) {
                let (phone, down) = (line.phone, Down::Closed(1006, ""));
                self.post(1, Event::Down { line: number, phone, down });
            }
        }
    }

    /// Nobody stays connected any more: the rest goes by single requests.
    pub fn end_lines(&mut self) -> Result<(), Violation> {
        self.lines.open.clear();
        for phone in 0..self.phones.len() {
            let was_live = std::mem::take(&mut self.phones[phone].stays_connected);
            self.phones[phone].line = None;
            if was_live && self.phones[phone].engine().is_some() {
                self.drive_live(phone, phone::Input::Lost(SyncFailure::Unreachable))?;
            }
        }
        Ok(())
    }
}
