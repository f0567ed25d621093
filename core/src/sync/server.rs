//! The server's side of one exchange: accept, read, make sure, answer.
//!
//! What is answered must be durable, the verdicts as well as every entry that is published: a reader sees a batch before it is flushed, and
//! a phone whose cursor passed what a power cut then takes away would never ask for it again. So the answer is held back until the ledger
//! has said that all that was read is on disk: there is no other way through this machine to [`Effect::Send`].

use crate::model::{GrantId, LedgerId, Millis, Position};
use crate::sync::{Encoding, Entered, LEAST_PROTOCOL, List, PROTOCOL_VERSION, Part, Push, Reading, Request, Response, Verdict, seal_frame};

/// What the driver tells the machine.
#[derive(Debug)]
pub enum Input {
    /// A request whose signature was verified.
    Request(Box<Request>),
    /// The push was judged, and what was accepted of it is durable.
    Judged(Vec<Verdict>),
    /// What the scopes hold behind the cursors.
    Page(Page),
    /// All that was read so far is durable.
    Durable,
    /// The ledger failed; nothing may be answered but that.
    Failed,
}

/// What was read for a request.
#[derive(Debug, Default)]
pub struct Page {
    /// What changed.
    pub parts: Vec<Part>,
    /// Grants that the phone did not name.
    pub entered: Vec<Entered>,
    /// Grants that have ended.
    pub left: Vec<GrantId>,
    /// Everything up to here is in a backup.
    pub backed_up_to: Option<Position>,
}

/// What the driver must do, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Judge the push.
    Judge(Box<Push>),
    /// Read the feed behind these cursors, leaving out the changes of this very push.
    Read(Vec<Reading>),
    /// Wait until all that was read is durable.
    AwaitDurable,
    /// Send this frame.
    Send(Vec<u8>),
    /// Close without an answer but a problem.
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Judging,
    Reading,
    Securing,
    Done,
}

/// One exchange.
#[derive(Debug)]
pub struct Exchange {
    state: State,
    least_protocol: u32,
    /// What the phone speaks.
    protocol: u32,
    ledger: LedgerId,
    cursors: Vec<Reading>,
    verdicts: Option<Vec<Verdict>>,
    page: Page,
}

impl Exchange {
    /// Begins an exchange on a street's ledger.
    pub fn new(ledger: LedgerId) -> Self {
        Self::with_least_protocol(ledger, LEAST_PROTOCOL)
    }

    /// The same where phones below `least_protocol` are not answered in full any more.
    pub fn with_least_protocol(ledger: LedgerId, least_protocol: u32) -> Self {
        Self {
            state: State::Fresh,
            least_protocol,
            protocol: PROTOCOL_VERSION,
            ledger,
            cursors: Vec::new(),
            verdicts: None,
            page: Page::default(),
        }
    }

    /// Takes one input and appends what must be done to `out`. Never blocks, never reads a clock.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        match (self.state, input) {
            (State::Fresh, Input::Request(request)) => self.begin(*request, out),
            (State::Judging, Input::Judged(verdicts)) => {
                self.verdicts = Some(verdicts);
                self.read(out);
            }
            (State::Reading, Input::Page(page)) => {
                self.page = page;
                self.state = State::Securing;
                out.push(Effect::AwaitDurable);
            }
            (State::Securing, Input::Durable) => {
                self.state = State::Done;
                out.push(Effect::Send(seal_frame(&self.response(now), Encoding::Deflate)));
            }
            (State::Done, _) => {}
            _ => {
                self.state = State::Done;
                out.push(Effect::Fail);
            }
        }
    }

    fn begin(&mut self, request: Request, out: &mut Vec<Effect>) {
        self.protocol = request.protocol;
        self.cursors = request.cursors.0;
        // Positions of another life of the ledger, or of none, mean nothing: the phone reads anew.
        if request.ledger != Some(self.ledger) {
            self.cursors.iter_mut().for_each(|cursor| *cursor = Reading::at(cursor.grant, Position(0)));
        }
        match request.push {
            Some(push) => {
                self.state = State::Judging;
                out.push(Effect::Judge(Box::new(push)));
            }
            None => self.read(out),
        }
    }

    /// Goes on to what changed, unless the phone is too old to make sense of it.
    fn read(&mut self, out: &mut Vec<Effect>) {
        if self.is_outdated() {
            self.state = State::Securing;
            out.push(Effect::AwaitDurable);
        } else {
            self.state = State::Reading;
            out.push(Effect::Read(std::mem::take(&mut self.cursors)));
        }
    }

    const fn is_outdated(&self) -> bool {
        self.protocol < self.least_protocol
    }

    fn response(&mut self, now: Millis) -> Response {
        let page = std::mem::take(&mut self.page);
        Response {
            protocol: if self.protocol < PROTOCOL_VERSION { self.protocol } else { PROTOCOL_VERSION },
            now,
            ledger: self.ledger,
            verdicts: self.verdicts.take().map(List),
            parts: some_list(page.parts),
            entered: some_list(page.entered),
            left: some_list(page.left),
            erased: None,
            backed_up_to: page.backed_up_to,
            lacking: None,
            least_protocol: self.is_outdated().then_some(self.least_protocol),
        }
    }
}

fn some_list<T, const MOST: usize>(items: Vec<T>) -> Option<List<T, MOST>> {
    if items.is_empty() { None } else { Some(List(items)) }
}

#[cfg(test)]
mod tests;
