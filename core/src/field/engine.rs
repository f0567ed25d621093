//! The engine: one store, one state under one lock. Every command goes the same way: validate, ask workflow and policy, write one batch, tell.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::docs::{Actor, Change, Document, DocumentError, Keyring, RecordKey, wellformed};
use crate::field::command::{Action, Command, Recorded, RecordedChange};
use crate::field::documents::View;
use crate::field::enrol::{Given, KeptIdentity};
use crate::field::held::HeldGrant;
use crate::field::inbox::Inbox;
use crate::field::kept::Kept;
use crate::field::keys::put_keyring;
use crate::field::leaving::{self, Leaving};
use crate::field::life::{self, LifeMark};
use crate::field::notice::Listeners;
use crate::field::outbox::Outbox;
use crate::field::plan::{has_ground, plan};
use crate::field::queries::Search;
use crate::field::reconcile::Reconciliation;
use crate::field::refused::RefusedIndex;
use crate::field::status::KeptStatus;
use crate::field::tables::{self, Setting};
use crate::field::{ChangeNotice, Exchanged, FieldError, Subscription};
use crate::model::{
    Clock, Directory, DocId, Entropy, GrantId, GridId, GroupId, Hlc, HlcClock, Incarnation, LedgerId, Millis, Position, Scope, StreetId,
};
use crate::policy::{self, Principal, Subject};
use crate::store::{Batch, Store, Vault};
use crate::sync::Freshness;
use crate::sync::client::Session;
use crate::sync::live::phone::Line;

/// What the engine keeps in memory; everything in it can be read from the store again.
pub(super) struct State {
    pub entropy: Box<dyn Entropy>,
    pub vault: Vault,
    pub identity: Option<KeptIdentity>,
    pub incarnation: Incarnation,
    pub hlc: HlcClock,
    pub offset_ms: i64,
    pub ledger: Option<LedgerId>,
    /// Where what this phone last had accepted lies in the ledger, at the latest.
    pub accepted_by: Position,
    /// While this phone gives back what a restored server lost.
    pub reconciliation: Option<Reconciliation>,
    /// Whether something is kept that a restored server did not take back: it is offered again with each exchange.
    pub is_owing: bool,
    pub grants: BTreeMap<GrantId, HeldGrant>,
    pub directory: Option<Directory>,
    pub outbox: Outbox,
    pub refused: RefusedIndex,
    pub inbox: Inbox,
    /// Whether this phone is being given up.
    pub leaving: Leaving,
    /// While it is: groups of the outbox with lesser numbers are with the server. Counted anew after a restart.
    pub taken_below: u64,
    pub search: Option<Search>,
    pub session: Session,
    pub line: Line,
    pub kept_status: KeptStatus,
    /// How often commands were run again in this exchange: a server that keeps refusing is not to be asked for ever.
    pub reruns: u32,
    /// How often in this exchange a grant had to be read again from the start.
    pub anew: u32,
    /// Under which nonce the last request was sent, and as which number.
    pub fresh: Option<Freshness>,
    /// How often in a row the server has said that a request does not count.
    pub challenges: u32,
    pub lease_until: Option<Millis>,
    /// Whether the cursors were set back since the last request: its answer may fit none of them.
    pub set_back: bool,
    #[cfg(feature = "seeded-bugs")]
    pub bugs: crate::field::SeededBugs,
    pub exchanged: Exchanged,
}

impl State {
    pub(super) fn given(&self) -> Result<&Given, FieldError> {
        if self.leaving == Leaving::Wiped {
            return Err(FieldError::Wiped);
        }
        self.identity.as_ref().and_then(|kept| kept.given.as_ref()).ok_or(FieldError::NotEnrolled)
    }

    pub(super) fn actor(&self) -> Result<Actor, FieldError> {
        Ok(Actor { device: self.given()?.device.tag(), incarnation: self.incarnation })
    }

    /// Who writes here. A grant counts until the server says that it has ended, whatever this phone's clock says: rights are judged at
    /// receipt by the server's time, and a phone whose clock fell back to 1970 must still record.
    pub(super) fn principal(&self) -> Result<Principal, FieldError> {
        let rights = self.grants.values().map(|held| held.grant.right()).collect();
        Ok(Principal { person: self.given()?.person, rights })
    }

    /// The grids that this person answers for.
    pub(super) fn grids(&self) -> Vec<GridId> {
        self.grants
            .values()
            .filter_map(|held| match held.grant.scope {
                Scope::Grid(grid) => Some(grid),
                Scope::Street(_) | Scope::Assigned(_) | Scope::Case(_) => None,
            })
            .collect()
    }

    /// The grid for a new document when none is named: the only one of this person.
    pub(super) fn grid_or_only(&self, grid: Option<GridId>) -> Result<GridId, FieldError> {
        match (grid, self.grids().as_slice()) {
            (Some(grid), _) => Ok(grid),
            (None, [only]) => Ok(*only),
            // A phone without an identity has no grid either: the first reason is the one that helps.
            (None, _) => Err(self.given().err().unwrap_or(FieldError::NotFound { what: "grid" })),
        }
    }

    pub(super) fn scopes_of(&self, street: StreetId, document: &Document) -> Vec<Scope> {
        std::iter::once(Scope::Street(street)).chain(document.grids().into_iter().map(Scope::Grid)).collect()
    }
}

/// The phone's engine. Cheap to share behind an `Arc`; all its methods take `&self`, are safe from any thread and wait at most for the disk,
/// but for those that say that they use the network.
pub struct Engine {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// The same as the state's: what reads no more than rows needs no lock.
    pub(super) vault: Vault,
    state: Mutex<State>,
    listeners: Arc<Mutex<Listeners>>,
}

impl Engine {
    /// Opens the engine over a store. Reads the settings, the grants, the directory and what waits in the outbox: no documents. `mark` is held
    /// against the store, to find out whether it was restored, cloned or moved, and is written anew, as one row of the store is.
    ///
    /// # Errors
    /// When the store fails or a row does not decode.
    pub fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        mut entropy: Box<dyn Entropy>,
        mark: &dyn LifeMark,
    ) -> Result<Self, FieldError> {
        let read: &dyn Store = &*store;
        let leaving = leaving::resume(read)?;
        let vault = Vault::open(read, &mut *entropy)?;
        let incarnation = life::begin(read, mark, &mut *entropy)?;
        let grants: Vec<HeldGrant> = tables::grants(&read)?;
        let last: Hlc = tables::get(&read, &tables::setting(Setting::LastHlc))?.unwrap_or_default();
        let kept_status: KeptStatus = tables::get(&read, &tables::setting(Setting::Status))?.unwrap_or_default();
        let state = State {
            entropy,
            vault,
            incarnation,
            identity: tables::get(&read, &tables::setting(Setting::Identity))?,
            hlc: HlcClock::resume(last),
            offset_ms: tables::get(&read, &tables::setting(Setting::ClockOffset))?.unwrap_or(0),
            ledger: tables::get(&read, &tables::setting(Setting::Ledger))?,
            accepted_by: tables::get(&read, &tables::setting(Setting::AcceptedBy))?.unwrap_or_default(),
            reconciliation: tables::get(&read, &tables::setting(Setting::Reconciliation))?.map(Reconciliation::from),
            is_owing: Kept::any_owed(&read)?,
            grants: grants.into_iter().map(|held| (held.grant.id, held)).collect(),
            directory: tables::get_long(&read, &tables::setting(Setting::Directory))?,
            outbox: Outbox::open(&read)?,
            refused: RefusedIndex::open(&read)?,
            inbox: Inbox::open(&read)?,
            leaving,
            taken_below: 0,
            search: None,
            session: kept_status.session(clock.now()),
            line: Line::default(),
            kept_status,
            reruns: 0,
            anew: 0,
            fresh: tables::get(&read, &tables::setting(Setting::Freshness))?,
            challenges: 0,
            lease_until: tables::get(&read, &tables::setting(Setting::Lease))?,
            set_back: false,
            #[cfg(feature = "seeded-bugs")]
            bugs: crate::field::SeededBugs::default(),
            exchanged: Exchanged::default(),
        };
        Ok(Self { store, clock, vault: state.vault.clone(), state: Mutex::new(state), listeners: Arc::default() })
    }

    /// Whether an engine was opened over this store before. An empty store and a store of something else say no. One read.
    ///
    /// # Errors
    /// When the store fails or the row does not decode.
    pub fn is_begun(store: &dyn Store) -> Result<bool, FieldError> {
        let begun = tables::get::<Incarnation>(&store, &tables::setting(Setting::Incarnation))?.is_some();
        Ok(begun || leaving::resume(store)? == Leaving::Wiped)
    }

    /// Calls `listener` after every change, once it is durable, on the thread that made it and under no lock, until the subscription is
    /// dropped. It may call the engine.
    pub fn subscribe(&self, listener: impl Fn(&ChangeNotice) + Send + Sync + 'static) -> Subscription {
        let number = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).add(Arc::new(listener));
        Subscription { listeners: Arc::clone(&self.listeners), number }
    }

    /// The directory of the street, once it has come.
    pub fn directory(&self) -> Option<Directory> {
        self.state().directory.clone()
    }

    /// The grids that this person answers for, as far as this phone knows.
    pub fn my_grids(&self) -> Vec<GridId> {
        self.state().grids()
    }

    /// Runs one command: `build` checks it against the state and says what it does; what it makes is durable when this returns.
    pub(super) fn command<T>(&self, build: impl FnOnce(&mut State, Millis) -> Result<(Action, T), FieldError>) -> Result<T, FieldError> {
        let mut state = self.state();
        let now = self.now(&state);
        let (action, value) = build(&mut state, now)?;
        let notice = self.record(&mut state, now, action, Batch::new())?;
        drop(state);
        self.tell(&notice);
        Ok(value)
    }

    /// Records an action as a new group; `batch` is what becomes durable with it, also where nothing is left to write.
    pub(super) fn record(&self, state: &mut State, now: Millis, action: Action, mut batch: Batch) -> Result<ChangeNotice, FieldError> {
        let mut hlc = state.hlc.clone();
        let at = hlc.stamp(now);
        let group = GroupId::make(now, &mut *state.entropy);
        let command = Command { group, by: state.given()?.person, action };
        let plan = plan(&command, at);
        let view = match View::load(&self.store, state, plan.doc)? {
            Some(view) if view.document.kind() == plan.kind => view,
            Some(_) => return Err(FieldError::NotFound { what: plan.kind.name() }),
            None => View { document: Document::new(plan.kind, plan.doc)?, receipts: crate::model::Receipts::default() },
        };
        if view.document.keys().is_erased() {
            return Err(FieldError::Erased);
        }
        if !has_ground(&command.action, &view.document) {
            return Err(FieldError::NotFound { what: plan.kind.name() });
        }
        let is_new = view.receipts.is_empty();
        let mut edited = View { document: view.document.clone(), receipts: view.receipts };
        let actor = state.actor()?;
        let (change, brings_key) = match edited.document.edit(actor, at, &plan.writes) {
            Err(DocumentError::Locked { .. }) if edited.document.keys().is_empty() => {
                let keys = Keyring::of(RecordKey::make(&mut *state.entropy));
                put_keyring(&mut batch, &state.vault, plan.doc, &keys)?;
                edited.document = edited.document.with_keys(keys);
                (edited.document.edit(actor, at, &plan.writes)?, true)
            }
            Err(DocumentError::Locked { .. }) => return Err(FieldError::Locked),
            // What the server has not accepted yet it cannot have the key of.
            change => (change?, is_new),
        };
        let Some(change) = change else {
            self.store.commit(batch)?; // everything is so already: nothing to send
            return Ok(ChangeNotice::default());
        };
        self.check(state, &view.document, &edited.document, &change)?;
        #[cfg(not(feature = "seeded-bugs"))]
        let bytes = change.bytes().to_vec();
        #[cfg(feature = "seeded-bugs")]
        let bytes = state.bugs.bytes_of(&change);
        let recorded =
            Recorded { command, at, recorded_at: now, changes: vec![RecordedChange { doc: plan.doc, kind: plan.kind, bytes }], brings_key };
        let number = state.outbox.next_number();
        let summary = edited.summary();
        Outbox::write(&mut batch, &self.store, number, &recorded)?;
        tables::put_summary(&mut batch, &summary, edited.document.keys());
        tables::put(&mut batch, tables::setting(Setting::LastHlc), &hlc.last());
        self.store.commit(batch)?;
        state.hlc = hlc;
        state.outbox.insert(number, &recorded);
        state.index(&summary);
        Ok(ChangeNotice { documents: vec![(plan.kind, plan.doc)], directory: false, status: true })
    }

    /// The same rules that the hub asks, before anything is written: structure and policy.
    pub(super) fn check(&self, state: &State, before: &Document, after: &Document, change: &Change) -> Result<(), FieldError> {
        let street = state.given()?.street;
        let failed = DocumentError::NotApplied { id: before.id() };
        let operations = wellformed::check(before, change).map_err(|_| failed)?;
        let is_new = before.change_count() == 1;
        let scopes_before =
            if is_new { Vec::new() } else { [state.scopes_of(street, before), self.cases_with(state, before.id())?].concat() };
        let subject = Subject { document: before, before: &scopes_before, after: &state.scopes_of(street, after) };
        Ok(policy::may_write(&state.principal()?, subject, &operations)?)
    }

    /// The cases of this person's grants to single cases that a document belongs to: the server says which, by sending it.
    fn cases_with(&self, state: &State, doc: DocId) -> Result<Vec<Scope>, FieldError> {
        let mut cases = Vec::new();
        for HeldGrant { grant, .. } in state.grants.values().filter(|held| matches!(held.grant.scope, Scope::Case(_))) {
            if self.store.get(&tables::member(grant.id, doc))?.is_some() {
                cases.push(grant.scope);
            }
        }
        Ok(cases)
    }

    /// The present time, corrected by what the server said at the last contact.
    pub(super) fn now(&self, state: &State) -> Millis {
        self.clock.now().plus(state.offset_ms)
    }

    /// The state; a poisoned lock means that a command panicked, and what it had not committed is not in the state.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, notice: &ChangeNotice) {
        if notice.is_empty() {
            return;
        }
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).all();
        listeners.iter().for_each(|listener| listener(notice));
    }

    /// The view of a document for a screen, while it may be shown; what was begun here and never left is its author's in any case.
    pub(super) fn shown(&self, state: &State, doc: DocId, what: &'static str) -> Result<View, FieldError> {
        let view = self.view(state, doc, what)?;
        if !view.receipts.is_empty() {
            self.may_show(state)?;
        }
        Ok(view)
    }

    /// The view of a document.
    pub(super) fn view(&self, state: &State, doc: DocId, what: &'static str) -> Result<View, FieldError> {
        View::load(&self.store, state, doc)?.ok_or(FieldError::NotFound { what })
    }
}
