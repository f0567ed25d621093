//! The hub: where what many phones recorded becomes one street's record.
//!
//! Acceptance is a chain of steps, each a function from values to a value or a [`Refusal`](doorstep_core::sync::Refusal): strict parse, signature
//! and actor of the device, structure of the change, policy over the path of every operation, apply on a scratch copy, workflow over the new
//! events, reload check, one atomic commit, durable, acknowledged. The hub strings them together and is the only one that touches locks and the
//! ledger. A group that is refused at any step goes to quarantine with its reason; the rest of the push flows on.
//!
//! The reload check holds heads, bytes and state of the scratch copy against what loads from its bytes: the state in the maps that the changes
//! wrote, as [`wellformed`](doorstep_core::docs::wellformed) says; all others were compared when they were written, also those that a replayed log
//! writes. From then on the hub works with the copy that was loaded, which is what everybody else will load.
//!
//! A hub over a ledger that was set up again from a backup takes back what phones hold of the life before (`reconcile`), by the seals of its own
//! receipts (`registrar`), and puts its rulings off until they have (`rulings`).

mod accept;
mod authenticate;
mod backup;
mod bootstrap;
mod boundaries;
mod budgets;
#[cfg(feature = "seeded-bugs")]
mod bugs;
mod cache;
mod devices;
mod enrol;
mod erasure;
mod inbox;
mod judge;
mod live;
mod locks;
mod mail;
mod manage;
mod mentions;
mod movement;
mod nonces;
mod order;
mod read;
mod reconcile;
mod registrar;
mod retention;
mod rights;
mod rulings;
mod working;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use doorstep_core::docs::Actor;
use doorstep_core::model::{Clock, Entropy, Incarnation, LedgerId, Millis, Position, StreetId};
use doorstep_core::sync::server::{Effect, Exchange, Input, Standing};
use doorstep_core::sync::{ANSWER_BYTES, FrameError, SignatureError, Unwrappable};

#[cfg(feature = "seeded-bugs")]
pub use bugs::SeededBugs;
pub use devices::LostReport;
pub use erasure::{Erasure, ErasureList, MemoryErasures, Redaction};
pub use live::{Pushed, Served};
pub use manage::{LateEvent, NewDocument, NewPerson};
pub use mentions::{Mention, Why};
pub use movement::{Subscription, Topic};
pub use retention::Retention;
pub use rights::Term;

use crate::ledger::{Ending, Ledger, LedgerError};
use accept::Brought;
use authenticate::Authenticated;
use budgets::{Budgets, Exhausted};
use cache::Cache;
use devices::Contacts;
use locks::DocumentLocks;
use movement::Movements;
use nonces::Nonces;
use order::Orders;
use working::MOST_LOGGED;

/// Why a request as a whole was not served. What is wrong with a single group is a verdict, not this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// The bytes are no request.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The device is not enrolled here.
    #[error("this device is not enrolled")]
    UnknownDevice,
    /// The signature does not count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The keys that came along cannot be read.
    #[error("the keys of the request: {0}")]
    Keys(#[from] Unwrappable),
    /// The mail is for no street here, or was changed on the way.
    #[error("the mail cannot be read here")]
    Mail,
    /// The phone's protocol is newer than this server's, or older than any that can be read.
    #[error("protocol version {found} is not served")]
    Protocol {
        /// What the phone speaks.
        found: u32,
    },
    /// The one-time code is unknown, used or expired.
    #[error("the code is unknown, used or expired")]
    Code,
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] doorstep_core::model::Invalid),
    /// What is named is not here.
    #[error("there is no such {what}")]
    NotFound {
        /// What was named.
        what: &'static str,
    },
    /// What is to be added is here already.
    #[error("there is such a {what} already")]
    Exists {
        /// What was to be added.
        what: &'static str,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A document of the ledger does not load.
    #[error(transparent)]
    Document(#[from] doorstep_core::docs::DocumentError),
    /// The record is evidence, and is not erased.
    #[error("the record is under a hold: {reason}")]
    Held {
        /// Why.
        reason: String,
    },
    /// The list of erasures takes nothing: nothing was erased.
    #[error("the list of erasures cannot be written")]
    ErasureList,
    /// Many phones write to the same documents at once; the phone tries again.
    #[error("the documents are too busy")]
    Busy,
    /// The device asks for more than is its share; it tries again later.
    #[error("this device has asked for too much")]
    Spent,
    /// A live connection was asked something in the name of another device than the one that opened it.
    #[error("this connection is another device's")]
    AnotherDevice,
    /// A step was taken out of order: a bug of ours.
    #[error("the exchange went out of order")]
    OutOfOrder,
}

impl HubError {
    /// The code in problem+json and in the log.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Frame(error) => error.code(),
            Self::UnknownDevice => "hub.unknown_device",
            Self::Signature(error) => error.code(),
            Self::Keys(_) => "hub.unreadable_keys",
            Self::Mail => "hub.unreadable_mail",
            Self::Protocol { .. } => "hub.protocol",
            Self::Code => "hub.enrolment_code",
            Self::Invalid(_) => "hub.invalid",
            Self::NotFound { .. } => "hub.not_found",
            Self::Exists { .. } => "hub.exists",
            Self::Ledger(_) => "hub.ledger",
            Self::Document(error) => error.code(),
            Self::Held { .. } => "hub.held",
            Self::ErasureList => "hub.erasure_list",
            Self::Busy => "hub.busy",
            Self::Spent => "hub.spent",
            Self::AnotherDevice => "live.another_device",
            Self::OutOfOrder => "hub.out_of_order",
        }
    }
}

/// For how many hours a phone that hears nothing from here may show what it holds, if the district does not say otherwise: a long weekend.
pub const LEASE_HOURS: u32 = 72;

impl From<Exhausted> for HubError {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted::AtWork => Self::Busy,
            Exhausted::Spent => Self::Spent,
        }
    }
}

/// Where randomness comes from, shared by all threads.
pub type SharedEntropy = Arc<Mutex<dyn Entropy>>;

/// The hub of all streets of a server. Calls block on processor and disk: run them on threads for blocking work.
pub struct Hub {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    entropy: SharedEntropy,
    cache: Cache,
    locks: DocumentLocks,
    movements: Movements,
    orders: Orders,
    contacts: Contacts,
    /// The position of the last erasure of each street, once there is one.
    erased_at: Mutex<BTreeMap<StreetId, Position>>,
    nonces: Nonces,
    budgets: Budgets,
    erasures: Arc<dyn ErasureList>,
    /// This process's life, for what the server itself writes.
    incarnation: Incarnation,
    /// For how many hours phones may show what they hold without hearing from here.
    lease_hours: u32,
    /// How many bytes of entries an answer aims at.
    answer_bytes: usize,
    /// After how many changes in its log a document gets a snapshot at the latest.
    most_logged: usize,
    #[cfg(feature = "seeded-bugs")]
    bugs: SeededBugs,
}

impl Hub {
    /// A hub over a ledger, with `cache_bytes` for loaded documents. Takes a new incarnation: one for each process start.
    pub fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, entropy: SharedEntropy, cache_bytes: u64) -> Self {
        let incarnation = Incarnation::make(&mut *lock(&entropy));
        let nonces = Nonces::make(&mut *lock(&entropy));
        Self {
            ledger,
            clock,
            entropy,
            cache: Cache::new(cache_bytes),
            locks: DocumentLocks::default(),
            movements: Movements::default(),
            orders: Orders::default(),
            contacts: Contacts::default(),
            erased_at: Mutex::default(),
            nonces,
            budgets: Budgets::default(),
            erasures: Arc::new(MemoryErasures::default()),
            incarnation,
            lease_hours: LEASE_HOURS,
            answer_bytes: ANSWER_BYTES,
            most_logged: MOST_LOGGED,
            #[cfg(feature = "seeded-bugs")]
            bugs: SeededBugs::default(),
        }
    }

    /// The same with snapshots after fewer changes than usual: for tests of what is compacted.
    #[must_use]
    pub fn with_most_logged(self, most_logged: usize) -> Self {
        Self { most_logged, ..self }
    }

    /// The same with answers of another size than [`ANSWER_BYTES`]: for lines that bear less, and for tests of what comes in parts.
    #[must_use]
    pub fn with_answer_bytes(self, answer_bytes: usize) -> Self {
        Self { answer_bytes, ..self }
    }

    /// The same with another lease than three days.
    #[must_use]
    pub fn with_lease_hours(self, lease_hours: u32) -> Self {
        Self { lease_hours, ..self }
    }

    /// The same with a list of erasures that outlives it.
    #[must_use]
    pub fn with_erasures(self, erasures: Arc<dyn ErasureList>) -> Self {
        Self { erasures, ..self }
    }

    /// Serves one request frame of a phone with one response frame.
    ///
    /// # Errors
    /// When the request as a whole cannot be served; nothing of it was acknowledged then, though parts may have been accepted: sending it
    /// again is safe.
    pub fn exchange(&self, frame: &[u8]) -> Result<Vec<u8>, HubError> {
        let authenticated = self.authenticate(frame)?;
        let _at_work = self.enter(&authenticated, frame.len())?;
        match self.drive(&authenticated, authenticated.exchange())? {
            (Some(frame), _) => Ok(frame),
            (None, _) => Err(HubError::OutOfOrder),
        }
    }

    /// Takes what a request costs out of the budget of its device. One that does not count costs nothing: whoever wrote it down on the way could
    /// else keep the device out.
    fn enter(&self, who: &Authenticated, bytes: usize) -> Result<Option<budgets::AtWork>, HubError> {
        if who.challenge.is_some() {
            return Ok(None);
        }
        let changes = who.request.push.as_ref().map_or(0, |push| push.groups.0.iter().map(|group| group.changes.0.len()).sum());
        Ok(Some(self.budgets.enter(who.device.id, self.now(), changes, bytes)?))
    }

    /// Drives an exchange to its end: the message to send, if there is one, and where the phone stands with it.
    fn drive(&self, authenticated: &Authenticated, exchange: Exchange) -> Result<(Option<Vec<u8>>, Standing), HubError> {
        let mut exchange = exchange.leasing(self.lease_hours);
        let mut brought = Brought::default();
        let mut input = Input::Request(Box::new(authenticated.request.clone()));
        loop {
            let mut effects = Vec::new();
            exchange.handle(self.clock.now(), input, &mut effects);
            let effect = effects.into_iter().next().ok_or(HubError::OutOfOrder)?;
            input = match effect {
                Effect::Reconcile { offers, relays } => Input::Reconciled(self.reconcile(authenticated, &offers, &relays)?),
                Effect::Judge(push) => {
                    let (verdicts, judged) = self.accept(authenticated, &push)?;
                    brought = judged;
                    if authenticated.street.is_reconciling {
                        // It may have ended while a claim was put off.
                        self.rule_if_reconciled(authenticated.street.id)?;
                    }
                    Input::Judged { verdicts, accepted_by: self.ledger.newest(authenticated.street.id)? }
                }
                Effect::SignOut => {
                    let device = &authenticated.device;
                    self.end_device(device.street, device.id, Ending::SignedOut)?;
                    Input::SignedOut
                }
                Effect::Decide(decisions) => {
                    self.decide(authenticated, &decisions)?;
                    Input::Decided
                }
                Effect::Read(cursors) => {
                    self.note_reconciled(authenticated)?;
                    if authenticated.registrar().is_restored() {
                        // Also where what ended the reconciliation was cut before its rulings were given.
                        self.rule_if_reconciled(authenticated.street.id)?;
                    }
                    Input::Page(self.read(authenticated, &cursors, &brought)?)
                }
                Effect::AwaitDurable => {
                    self.ledger.barrier()?;
                    Input::Durable
                }
                Effect::Send(frame) => return Ok((Some(frame), exchange.into_standing().ok_or(HubError::OutOfOrder)?)),
                Effect::Nothing => return Ok((None, exchange.into_standing().ok_or(HubError::OutOfOrder)?)),
                Effect::Fail => return Err(HubError::OutOfOrder),
            };
        }
    }

    /// The ledger below.
    pub fn ledger(&self) -> &dyn Ledger {
        &*self.ledger
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The actor of what the server itself writes in a street: rulings and imports.
    fn server_actor(&self, ledger: LedgerId) -> Actor {
        let device = doorstep_core::model::DeviceId::from_bytes(*ledger.as_bytes());
        Actor { device: device.tag(), incarnation: self.incarnation }
    }

    fn street(&self, id: StreetId) -> Result<crate::ledger::Street, HubError> {
        self.ledger.streets()?.into_iter().find(|street| street.id == id).ok_or(HubError::NotFound { what: "street" })
    }
}

/// A poisoned lock means that a thread panicked while it held it; what these locks guard is valid at every moment.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
