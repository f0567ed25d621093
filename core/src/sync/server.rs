//! The server's side of one exchange: accept, read, make sure, answer.
//!
//! What is answered must be durable, the verdicts as well as every entry that is published: a reader sees a batch before it is flushed, and
//! a phone whose cursor passed what a power cut then takes away would never ask for it again. So the answer is held back until the ledger
//! has said that all that was read is on disk: there is no other way through this machine to [`Effect::Send`].
//!
//! A message that is pushed on a live connection goes the same way ([`Exchange::pushing`]): it answers the request that the phone would send if
//! it knew that there is something.

use crate::model::{GrantId, LedgerId, Millis, Position};
use crate::sync::{
    Decision, Encoding, Entered, Freshness, InboxDigest, LEAST_PROTOCOL, LateWork, List, Offer, PROTOCOL_VERSION, Part, Push, Reading,
    Relay, Request, Response, Verdict, seal_frame,
};

/// What the driver tells the machine.
#[derive(Debug)]
pub enum Input {
    /// A request whose signature was verified.
    Request(Box<Request>),
    /// What the phone gives back was taken, as far as it counts, and is durable.
    Reconciled(Reconciled),
    /// The push was judged, and what was accepted of it is durable.
    Judged {
        /// One for each group.
        verdicts: Vec<Verdict>,
        /// The position at which all that was accepted lies at the latest.
        accepted_by: Position,
    },
    /// The device has ended, and that is durable.
    SignedOut,
    /// What was decided about late work is done, as far as it counts, and durable.
    Decided,
    /// What the scopes hold behind the cursors.
    Page(Page),
    /// All that was read so far is durable.
    Durable,
    /// The ledger failed; nothing may be answered but that.
    Failed,
}

/// What came of offers and relays.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// The documents offered or relayed of which the server lacks something still, with the heads that it has itself.
    pub lacking: Vec<Offer>,
    /// The position at which everything else lies at the latest.
    pub accepted_by: Position,
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
    /// The late work that waits for the phone's person, where it is other than what the phone holds.
    pub inbox: Option<Vec<LateWork>>,
}

impl Page {
    /// Whether there is nothing in it that a phone would have to be told.
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.entered.is_empty() && self.left.is_empty() && self.inbox.is_none()
    }
}

/// How far a phone has been told everything, as the request that it would send then: what a live connection remembers of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The request: of the phone's last, without a push.
    pub request: Request,
    /// There is more than was sent, and the phone asks for it at once; until then this is not where it stands, and nothing can be pushed.
    pub more: bool,
}

impl Standing {
    /// Takes over that what was read has been sent. A cursor in the middle of a long reading stays: the phone's next request names it.
    fn advance(&mut self, page: &Page) {
        if let Some(inbox) = &page.inbox {
            self.request.inbox = InboxDigest::of(inbox.iter().map(|late| late.group));
        }
        let cursors = &mut self.request.cursors.0;
        cursors.retain(|cursor| !page.left.contains(&cursor.grant));
        cursors.extend(page.entered.iter().map(|entered| Reading::at(entered.grant.id, Position(0))));
        for part in &page.parts {
            if part.more == Some(true) {
                self.more = true;
            } else if let Some(cursor) = cursors.iter_mut().find(|cursor| cursor.grant == part.grant) {
                *cursor = Reading::at(part.grant, part.to);
            }
        }
    }
}

/// What the driver must do, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Take back what relays bring, then look at what offers say.
    Reconcile {
        /// What the phone holds of documents.
        offers: Vec<Offer>,
        /// Changes that the phone was told the server lacks.
        relays: Vec<Relay>,
    },
    /// Judge the push.
    Judge(Box<Push>),
    /// The phone's person gives it up: the device ends.
    SignOut,
    /// Do what the phone's person decided about late work.
    Decide(Vec<Decision>),
    /// Read the feed behind these cursors, leaving out the changes of this very push.
    Read(Vec<Reading>),
    /// Wait until all that was read is durable.
    AwaitDurable,
    /// Send this frame.
    Send(Vec<u8>),
    /// There is nothing to push.
    Nothing,
    /// Close without an answer but a problem.
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Reconciling,
    Judging,
    SigningOut,
    Deciding,
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
    pushing: bool,
    /// The device has ended: its push is taken, and it is told to erase itself and nothing else.
    ending: bool,
    /// The request did not count: it is answered with this and nothing else.
    challenge: Option<Freshness>,
    lease_hours: Option<u32>,
    signs_out: bool,
    standing: Option<Standing>,
    /// What is judged after the reconciliation.
    push: Option<Box<Push>>,
    verdicts: Option<Vec<Verdict>>,
    decisions: Vec<Decision>,
    lacking: Vec<Offer>,
    accepted_by: Option<Position>,
    /// The phone must bring back before it reads: it is not told what changed.
    reads: bool,
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
            pushing: false,
            ending: false,
            challenge: None,
            lease_hours: None,
            signs_out: false,
            standing: None,
            push: None,
            verdicts: None,
            decisions: Vec::new(),
            lacking: Vec::new(),
            accepted_by: None,
            reads: true,
            page: Page::default(),
        }
    }

    /// An exchange that nobody asked for: its request is that of [`Standing::request`], its answer says that it was pushed, and there is none
    /// where nothing is new.
    #[must_use]
    pub fn pushing(self) -> Self {
        Self { pushing: true, ..self }
    }

    /// An exchange with a device that has ended.
    #[must_use]
    pub fn ending(self) -> Self {
        Self { ending: true, ..self }
    }

    /// An exchange that tells the phone for how many hours it may show what it holds.
    #[must_use]
    pub fn leasing(self, hours: u32) -> Self {
        Self { lease_hours: Some(hours), ..self }
    }

    /// An exchange whose request did not count.
    #[must_use]
    pub fn challenging(self, challenge: Freshness) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// Where the phone stands once it has applied what was sent; `None` before that.
    pub fn into_standing(self) -> Option<Standing> {
        self.standing.filter(|_| self.state == State::Done)
    }

    /// Takes one input and appends what must be done to `out`. Never blocks, never reads a clock.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        match (self.state, input) {
            (State::Fresh, Input::Request(request)) => self.begin(*request, out),
            (State::Reconciling, Input::Reconciled(Reconciled { lacking, accepted_by })) => {
                (self.lacking, self.accepted_by) = (lacking, Some(accepted_by));
                self.judge(out);
            }
            (State::Judging, Input::Judged { verdicts, accepted_by }) => {
                (self.verdicts, self.accepted_by) = (Some(verdicts), Some(accepted_by));
                self.end_or_decide(out);
            }
            (State::Deciding, Input::Decided) => self.read(out),
            (State::SigningOut, Input::SignedOut) => {
                self.ending = true;
                self.secure(out);
            }
            (State::Reading, Input::Page(page)) if self.pushing && page.is_empty() => {
                self.state = State::Done;
                out.push(Effect::Nothing);
            }
            (State::Reading, Input::Page(page)) => {
                self.page = page;
                self.secure(out);
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

    fn begin(&mut self, mut request: Request, out: &mut Vec<Effect>) {
        self.protocol = request.protocol;
        self.push = request.push.take().map(Box::new);
        let offers = request.offers.take().map_or_else(Vec::new, |offers| offers.0);
        let relays = request.relays.take().map_or_else(Vec::new, |relays| relays.0);
        self.signs_out = request.signs_out.take() == Some(true);
        self.decisions = request.decisions.take().map_or_else(Vec::new, |decisions| decisions.0);
        self.cursors = std::mem::take(&mut request.cursors.0);
        // Positions of another life of the ledger, or of none, mean nothing: the phone reads anew.
        let is_ours = request.ledger == Some(self.ledger);
        if !is_ours {
            self.cursors.iter_mut().for_each(|cursor| *cursor = Reading::at(cursor.grant, Position(0)));
        }
        let is_of_another_life = !is_ours && request.ledger.is_some();
        let gives_back = is_ours && !(offers.is_empty() && relays.is_empty());
        self.reads = !is_of_another_life && !gives_back && !self.ending && self.challenge.is_none();
        let cursors = List(self.cursors.clone());
        let request = Request { ledger: Some(self.ledger), cursors, ..request };
        self.standing = Some(Standing { request, more: !self.reads });
        if self.challenge.is_some() {
            self.push = None;
            self.secure(out);
        } else if self.ending {
            // Whatever it holds beside its own unsent work, others hold as well.
            self.judge(out);
        } else if is_of_another_life {
            // It learns of this life first: what it was told in the former one may be missing here, and its push may build on that.
            self.secure(out);
        } else if gives_back {
            self.state = State::Reconciling;
            out.push(Effect::Reconcile { offers, relays });
        } else {
            self.judge(out);
        }
    }

    fn judge(&mut self, out: &mut Vec<Effect>) {
        match self.push.take() {
            Some(push) => {
                self.state = State::Judging;
                out.push(Effect::Judge(push));
            }
            None => self.end_or_decide(out),
        }
    }

    /// Goes on to the end of the device, where there is one.
    fn end_or_decide(&mut self, out: &mut Vec<Effect>) {
        if self.ending {
            self.secure(out);
        } else if self.signs_out && self.reads {
            self.state = State::SigningOut;
            out.push(Effect::SignOut);
        } else {
            self.decide(out);
        }
    }

    /// Decisions wait until the phone knows the life of the ledger that they are about.
    fn decide(&mut self, out: &mut Vec<Effect>) {
        let decisions = std::mem::take(&mut self.decisions);
        if decisions.is_empty() || !self.reads {
            self.read(out);
        } else {
            self.state = State::Deciding;
            out.push(Effect::Decide(decisions));
        }
    }

    fn secure(&mut self, out: &mut Vec<Effect>) {
        self.state = State::Securing;
        out.push(Effect::AwaitDurable);
    }

    /// Goes on to what changed, unless the phone is too old to make sense of it.
    fn read(&mut self, out: &mut Vec<Effect>) {
        if self.is_outdated() && self.pushing {
            self.state = State::Done;
            out.push(Effect::Nothing);
        } else if self.is_outdated() || !self.reads {
            self.secure(out);
        } else {
            self.state = State::Reading;
            out.push(Effect::Read(std::mem::take(&mut self.cursors)));
        }
    }

    const fn is_outdated(&self) -> bool {
        self.protocol < self.least_protocol
    }

    fn response(&mut self, now: Millis) -> Response {
        if let Some(challenge) = self.challenge {
            return Response { challenge: Some(challenge), ..Response::nothing(now, self.ledger) };
        }
        let page = std::mem::take(&mut self.page);
        if let Some(standing) = &mut self.standing {
            standing.advance(&page);
        }
        Response {
            protocol: if self.protocol < PROTOCOL_VERSION { self.protocol } else { PROTOCOL_VERSION },
            now,
            ledger: self.ledger,
            verdicts: self.verdicts.take().map(List),
            parts: some_list(page.parts),
            entered: some_list(page.entered),
            left: some_list(page.left),
            backed_up_to: page.backed_up_to,
            lacking: some_list(std::mem::take(&mut self.lacking)),
            least_protocol: self.is_outdated().then_some(self.least_protocol),
            pushed: self.pushing.then_some(true),
            accepted_by: self.accepted_by,
            inbox: page.inbox.map(List),
            wipe: self.ending.then_some(true),
            challenge: None,
            lease_hours: self.lease_hours.filter(|_| !self.ending),
        }
    }
}

fn some_list<T, const MOST: usize>(items: Vec<T>) -> Option<List<T, MOST>> {
    if items.is_empty() { None } else { Some(List(items)) }
}

#[cfg(test)]
mod tests;
