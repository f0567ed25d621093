//! The world: everything that happens in one run, in one thread, out of one seed.
//!
//! What is due lies in a map by time and order of posting. A step takes the first, lets the node handle it, performs what the node asks for
//! and checks the invariants. First comes the storm, in which people work and things go wrong; then the calm.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use doorstep_core::field::{FieldError, frame_of};
use doorstep_core::model::Entropy;
use doorstep_core::store::{Opening, StoreError};
use doorstep_core::sync::client::{Effect, Input, SyncFailure};
use doorstep_core::sync::live;
use doorstep_core::sync::{Entry, Part, Refusal, Request, Response, Signed, Verdict, open_frame};
use doorstep_server::hub::HubError;
use doorstep_server::ledger::LedgerError;

use crate::clock::Time;
use crate::dice::Dice;
use crate::founding::{enrol, found_streets};
use crate::live::{Down, Lines, Up};
use crate::net::{self, Carried, Net, Way};
use crate::phone::Phone;
use crate::record::Record;
use crate::scenario::{Off, Scenario};
use crate::server::Server;
use crate::trace::Trace;

/// Something that must never be, was.
#[derive(Debug, Clone)]
pub struct Violation {
    pub invariant: &'static str,
    pub detail: String,
}

/// A violation of `invariant`, unless `holds`.
pub fn ensure(holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { invariant, detail: detail() }) }
}

/// What is due.
pub enum Event {
    Act,
    Request {
        phone: usize,
        attempt: u64,
        frame: Vec<u8>,
    },
    Answer {
        phone: usize,
        attempt: u64,
        answer: Carried,
    },
    Wake {
        phone: usize,
        timer: u64,
    },
    /// Of live connections: what arrives at the server, what arrives at a phone, a timer of the server's, a hint that something moved.
    Up {
        line: u64,
        up: Up,
    },
    Down {
        line: u64,
        phone: usize,
        down: Down,
    },
    LineTick {
        line: u64,
        timer: u64,
    },
    Moved {
        line: u64,
    },
    PhoneUp {
        phone: usize,
    },
    ServerUp,
}

/// How long after a power cut a node is back, in milliseconds: at least and at most.
const DOWN_TIME: (i64, i64) = (500, 120_000);
pub struct World {
    pub time: Time,
    pub dice: Dice,
    pub scenario: Scenario,
    pub server: Server,
    pub phones: Vec<Phone>,
    pub net: Net,
    pub lines: Lines,
    pub record: Record,
    pub trace: Trace,
    pub step: u64,
    pub actions_left: usize,
    pub calm: bool,
    pub due: BTreeMap<(i64, u64), Event>,
    order: u64,
    attempts: u64,
}

impl World {
    /// The world of a seed, before anything has happened: streets, people, enrolled phones.
    pub fn new(seed: u64, off: Off, verbose: bool) -> Self {
        let mut dice = Dice::new(seed);
        let scenario = Scenario::of(seed, off, &mut dice);
        let time = Time::default();
        let mut server = Server::new(&time, &mut dice);
        let grids = found_streets(&mut server, &scenario);
        let mut phones: Vec<Phone> = Vec::new();
        for plan in &scenario.phones {
            let phone = enrol(&server, &grids, plan, &phones, &time, &mut dice);
            phones.push(phone);
        }
        let net = Net::new(scenario.weather);
        let mut world = Self {
            time,
            dice,
            actions_left: scenario.actions,
            scenario,
            server,
            phones,
            net,
            lines: Lines::default(),
            record: Record::default(),
            trace: Trace::new(verbose),
            step: 0,
            calm: false,
            due: BTreeMap::new(),
            order: 0,
            attempts: 0,
        };
        world.furnish();
        world.server.make_backup(&mut world.dice).unwrap();
        world.post(0, Event::Act);
        world
    }

    /// Storm and calm.
    ///
    /// # Errors
    /// The first violation.
    pub fn run(&mut self) -> Result<(), Violation> {
        while self.actions_left > 0 && self.step()? {}
        self.become_calm()?;
        self.settle()?;
        self.check_all()
    }

    /// Takes what is due first; false when nothing is.
    pub fn step(&mut self) -> Result<bool, Violation> {
        let Some(((at, _), event)) = self.due.pop_first() else { return Ok(false) };
        self.time.set(at);
        self.step += 1;
        self.trace.note(&at.to_be_bytes());
        match event {
            Event::Act if self.calm => {}
            Event::Act => {
                self.actions_left = self.actions_left.saturating_sub(1);
                self.act()?;
                let pause = self.dice.spread(10, self.scenario.longest_pause);
                self.post(pause, Event::Act);
            }
            Event::Request { phone, attempt, frame } => self.serve(phone, attempt, &frame)?,
            Event::Answer { phone, attempt, answer } => self.hear(phone, attempt, answer)?,
            Event::Wake { phone, timer } if self.phones[phone].timer == timer => self.drive(phone, Input::Tick)?,
            Event::Wake { .. } => {}
            Event::Up { line, up } => self.hear_up(line, up)?,
            Event::Down { line, phone, down } => self.hear_down(line, phone, down)?,
            Event::LineTick { line, timer } => self.tick_line(line, timer)?,
            Event::Moved { line } => self.feed(line, live::server::Input::Moved)?,
            Event::PhoneUp { phone } => self.start_phone(phone)?,
            Event::ServerUp => self.start_server()?,
        }
        Ok(true)
    }

    /// Makes an event due so many milliseconds from now.
    pub fn post(&mut self, delay: i64, event: Event) {
        self.order += 1;
        self.due.insert((self.time.now() + delay.max(0), self.order), event);
    }

    pub fn say(&mut self, line: impl FnOnce() -> String) {
        let (step, now) = (self.step, self.time.now() - crate::clock::BEGINNING);
        self.trace.line(|| format!("{step:>6} {now:>12} ms  {}", line()));
    }

    /// Feeds a phone's engine and performs what it asks for, until it waits.
    pub fn drive(&mut self, phone: usize, input: Input) -> Result<(), Violation> {
        if self.phones[phone].stays_connected {
            let input = if matches!(input, Input::Start) { live::phone::Input::Start } else { live::phone::Input::Tick };
            return self.drive_live(phone, input);
        }
        let mut input = Some(input);
        while let Some(next) = input.take() {
            let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
            match engine.advance(next) {
                Ok(Effect::Compose) => {
                    input = Some(match engine.compose() {
                        Ok(frame) => Input::Composed(frame),
                        Err(error) => Input::Failed(self.own_failure(phone, error)?),
                    });
                }
                Ok(Effect::Send(frame)) => self.send(phone, frame),
                Ok(Effect::Apply(response)) => {
                    self.take_verdicts(phone, &response);
                    let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
                    input = Some(match engine.apply(*response) {
                        Ok(more) => Input::Applied { more },
                        Err(error) => Input::Failed(self.own_failure(phone, error)?),
                    });
                    if !self.phones[phone].store.is_stopped() {
                        if self.phones[phone].engine().is_some_and(|engine| engine.is_wiped()) {
                            return self.retire(phone);
                        }
                        self.check_phone(phone)?;
                    }
                }
                Ok(Effect::Finished { .. }) => self.say(|| format!("phone {phone} has exchanged everything")),
                Ok(Effect::GaveUp(failure)) => self.say(|| format!("phone {phone} gives up: {failure}")),
                Err(FieldError::Sync(SyncFailure::Unfit { .. })) => {}
                Err(error) => {
                    self.own_failure(phone, error)?;
                }
            }
        }
        self.look_after(phone);
        Ok(())
    }

    /// After each call of an engine: a power cut is noticed, a timer is set.
    pub fn look_after(&mut self, phone: usize) {
        if self.phones[phone].store.is_stopped() {
            self.stop_phone(phone);
        }
        let clock = self.phones[phone].clock.clone();
        let Some(wakeup) = self.phones[phone].engine().and_then(|engine| engine.wakeup()) else { return };
        self.phones[phone].timer += 1;
        let timer = self.phones[phone].timer;
        self.post(clock.true_time_of(wakeup) - self.time.now(), Event::Wake { phone, timer });
    }

    /// An error of an engine that honest use may meet: its own disk, or a clone of it whose requests are always a little quicker. Everything else is a
    /// violation.
    pub fn own_failure(&mut self, phone: usize, error: FieldError) -> Result<SyncFailure, Violation> {
        if let FieldError::Sync(failure @ SyncFailure::Unfit { what: "no request is fresh enough" }) = &error
            && self.phones[phone].has_other_lives
        {
            return Ok(failure.clone());
        }
        let down = matches!(error, FieldError::Store(StoreError::Stopped));
        ensure(down, "an honest server's answer is applied", || format!("phone {phone}: {error:?}"))?;
        Ok(SyncFailure::Store { code: error.code() })
    }

    fn send(&mut self, phone: usize, frame: Vec<u8>) {
        self.attempts += 1;
        let attempt = self.attempts;
        self.phones[phone].attempt = attempt;
        self.trace.note(&frame);
        match self.net.fate(&mut self.dice, phone, Way::ToServer) {
            net::Fate::Arrives(delays) => {
                self.say(|| format!("phone {phone} sends {attempt} ({} bytes), arriving after {delays:?}", frame.len()));
                for delay in delays {
                    self.post(delay, Event::Request { phone, attempt, frame: frame.clone() });
                }
            }
            net::Fate::NoConnection => {
                let answer = Err(doorstep_core::field::TransportFault::Unreachable);
                self.post(1, Event::Answer { phone, attempt, answer });
            }
        }
    }

    fn serve(&mut self, phone: usize, attempt: u64, frame: &[u8]) -> Result<(), Violation> {
        let answer = match self.server.hub().map(|hub| hub.exchange(frame)) {
            None => net::page(502, "<html>Bad Gateway</html>"),
            Some(Ok(answer)) => {
                self.trace.note(&answer);
                self.take_acknowledgements(phone, frame, &answer)?;
                self.phones[phone].overheard = Some(frame.to_vec());
                self.tell_lines();
                net::frame(answer)
            }
            Some(Err(HubError::Ledger(LedgerError::Store(StoreError::Stopped)))) => {
                self.say(|| format!("the server goes down over {attempt}"));
                self.stop_server();
                net::problem(503, "hub.ledger")
            }
            Some(Err(error)) => return Err(Violation { invariant: "the hub serves honest phones", detail: format!("{error:?}") }),
        };
        if let net::Fate::Arrives(delays) = self.net.fate(&mut self.dice, phone, Way::ToPhone) {
            self.say(|| {
                format!("the server answers {attempt} ({}, {} bytes), arriving after {delays:?}", answer.status, answer.body.len())
            });
            for delay in delays {
                let answer = self.net.spoil(&mut self.dice, Ok(answer.clone()));
                self.post(delay, Event::Answer { phone, attempt, answer });
            }
        }
        Ok(())
    }

    fn hear(&mut self, phone: usize, attempt: u64, answer: Carried) -> Result<(), Violation> {
        if self.phones[phone].attempt != attempt {
            return Ok(()); // nobody waits for it any more
        }
        self.phones[phone].attempt = 0;
        match answer.map_err(SyncFailure::from).and_then(frame_of) {
            Ok(frame) => self.drive(phone, Input::Answer(frame)),
            Err(failure) => self.drive(phone, Input::Failed(failure)),
        }
    }

    fn count_part(&mut self, part: &Part) {
        let Some(bootstrap) = part.bootstrap else {
            let snapshots = part.entries.0.iter().filter(|entry| matches!(entry, Entry::Snapshot { .. })).count();
            (0..snapshots).for_each(|_| self.record.count("snapshots behind a cursor"));
            return;
        };
        self.record.count("bootstrap parts");
        if bootstrap.after.is_some() {
            self.record.count("resumed parts");
        }
        if bootstrap.next.is_none() && part.to > bootstrap.base {
            self.record.count("bootstraps that others wrote into");
        }
    }

    /// Remembers what a phone is told.
    pub fn take_verdicts(&mut self, phone: usize, response: &Response) {
        let (mut mended, mut forked) = (false, 0);
        let heard = self.record.heard.entry(phone).or_default();
        for verdict in response.verdicts.iter().flat_map(|verdicts| &verdicts.0) {
            match verdict {
                Verdict::Accepted { group, .. } => {
                    heard.insert(*group);
                }
                Verdict::AcceptedBefore { group } => {
                    heard.insert(*group);
                    mended = true;
                }
                Verdict::Refused { code, .. } => {
                    mended = true;
                    forked += u64::from(code == Refusal::ActorForked.code());
                }
            }
        }
        (0..forked).for_each(|_| self.record.count("forks that the server found"));
        self.record.mended.insert(phone, mended);
        if mended {
            self.record.count("mended");
            self.record.speaking.remove(&phone);
        }
        let mut line = String::new();
        for verdict in response.verdicts.iter().flat_map(|verdicts| &verdicts.0) {
            let _ = match verdict {
                Verdict::Accepted { group, numbers, .. } => write!(line, " {}+{:?}", tail(group.as_bytes()), numbers.0),
                Verdict::AcceptedBefore { group } => write!(line, " {}=", tail(group.as_bytes())),
                Verdict::Refused { group, code, offset_ms, .. } => write!(line, " {}-{code}{offset_ms:?}", tail(group.as_bytes())),
            };
        }
        for part in response.parts.iter().flat_map(|parts| &parts.0) {
            self.count_part(part);
            let _ = write!(line, " [{}: {}..{} {} entries]", tail(part.grant.as_bytes()), part.from.0, part.to.0, part.entries.0.len());
        }
        let entered = response.entered.as_ref().map_or(0, |entered| entered.0.len());
        let left = response.left.as_ref().map_or(0, |left| left.0.len());
        self.say(|| format!("phone {phone} applies:{line} entered {entered} left {left}"));
    }

    /// Remembers what the server answered, and checks it at once.
    pub fn take_acknowledgements(&mut self, phone: usize, frame: &[u8], answer: &[u8]) -> Result<(), Violation> {
        let undecodable = |_| Violation { invariant: "frames decode", detail: format!("of phone {phone}") };
        let request: Request = open_frame::<Signed>(frame).and_then(|signed| signed.open()).map_err(undecodable)?;
        let response: Response = open_frame(answer).map_err(undecodable)?;
        if response.challenge.is_some() {
            self.record.count("challenges");
            let nothing = Response { challenge: response.challenge, ..Response::nothing(response.now, response.ledger) };
            return ensure(response == nothing, "of a request that does not count nothing is looked at", || format!("{response:?}"));
        }
        if request.ledger.is_some_and(|ledger| ledger != response.ledger) {
            // It speaks of another life of the ledger, and has first to be told of this one.
            let nothing = Response { lease_hours: response.lease_hours, ..Response::nothing(response.now, response.ledger) };
            return ensure(response == nothing || response.wipe == Some(true), "nothing is judged for another life", String::new);
        }
        let verdicts = response.verdicts.map(|verdicts| verdicts.0).unwrap_or_default();
        let groups = request.push.map(|push| push.groups.0).unwrap_or_default();
        ensure(verdicts.len() == groups.len(), "each group has a verdict", || format!("{} of {}", verdicts.len(), groups.len()))?;
        let before = self.record.speaking.insert(phone, request.incarnation);
        if before.is_some_and(|before| before != request.incarnation) {
            self.record.count("forks that came without a verdict");
        }
        for group in &groups {
            self.check_numbers(phone, &group.changes.0)?;
        }
        let street = self.phones[phone].street;
        for (group, verdict) in groups.iter().zip(&verdicts) {
            ensure(group.id == verdict.group(), "verdicts come in the order of the push", || format!("{:?}", group.id))?;
            if let Verdict::Accepted { at, .. } = verdict {
                self.check_right(phone, *at, &group.changes.0)?;
                let changes = group.changes.0.iter().map(|change| (change.doc, doorstep_core::docs::hash_of(&change.bytes))).collect();
                self.record.acknowledged.insert(group.id, (street, changes));
                self.record.count("accepted");
                self.check_acknowledged(group.id)?;
            }
        }
        if request.decisions.is_some() {
            // What was adopted stands in no push.
            self.check_timelines_of(street)?;
        }
        self.check_timelines(street, groups.iter().flat_map(|group| &group.changes.0).map(|change| (change.kind, change.doc)))
    }

    pub fn stop_phone(&mut self, phone: usize) {
        self.say(|| format!("phone {phone} loses power"));
        self.record.count("phone crashes");
        self.phones[phone].stop();
        let down = self.dice.spread(DOWN_TIME.0, DOWN_TIME.1);
        self.post(down, Event::PhoneUp { phone });
    }

    pub fn stop_server(&mut self) {
        self.record.count("server crashes");
        self.server.stop();
        self.drop_lines();
        let down = self.dice.spread(DOWN_TIME.0, DOWN_TIME.1);
        self.post(down, Event::ServerUp);
    }

    pub fn start_phone(&mut self, phone: usize) -> Result<(), Violation> {
        if self.phones[phone].is_ended {
            return Ok(());
        }
        let loss = self.some_loss();
        let started = self.phones[phone].start(loss);
        let opening = started
            .map_err(|error| Violation { invariant: "a phone opens after a power cut", detail: format!("phone {phone}: {error:?}") })?;
        self.say(|| format!("phone {phone} starts, {loss:?}: {opening:?}"));
        self.record.count(name_of(&opening));
        self.record.speaking.remove(&phone);
        if self.phones[phone].engine().is_some_and(|engine| engine.is_wiped()) {
            return self.retire(phone);
        }
        self.adopt(phone);
        self.check_phone(phone)?;
        self.look_after(phone);
        Ok(())
    }

    pub fn start_server(&mut self) -> Result<(), Violation> {
        let loss = self.some_loss();
        let started = self.server.start(loss);
        let opening =
            started.map_err(|error| Violation { invariant: "the server opens after a power cut", detail: format!("{error:?}") })?;
        self.say(|| format!("the server starts, {loss:?}: {opening:?}"));
        self.record.count(name_of(&opening));
        let erased = self.server.erase_again();
        ensure(erased.is_ok(), "what was erased is erased again at every start", || format!("{erased:?}"))?;
        self.check_ledger()
    }

    /// The hub, at a time at which it must run.
    pub fn hub(&self) -> Result<&doorstep_server::hub::Hub, Violation> {
        self.server.hub().ok_or_else(|| Violation { invariant: "the server runs", detail: String::new() })
    }
}

/// How a store was found, where things are counted.
const fn name_of(opening: &Opening) -> &'static str {
    match opening {
        Opening::New | Opening::Whole => "stores found whole",
        Opening::CaughtUp { .. } => "stores caught up",
        Opening::CheckpointReplaced => "checkpoints replaced",
        Opening::JournalReplaced => "journals replaced",
        Opening::Rebuilt { .. } => "stores built anew",
    }
}

/// The last bytes of an id: enough to tell one from another in a trace.
pub fn tail(id: &[u8; 16]) -> String {
    id[13..].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the ledger says, which in a calm never fails.
pub fn of_ledger<T>(read: Result<T, LedgerError>) -> Result<T, Violation> {
    read.map_err(|error| Violation { invariant: "the ledger can be read", detail: format!("{error:?}") })
}

/// Random bytes for a key or an id.
pub fn random<const N: usize>(dice: &mut Dice) -> [u8; N] {
    let mut bytes = [0; N];
    dice.fill(&mut bytes);
    bytes
}
