//! Applying an answer: verdicts first, then what changed, each step one durable batch.
//!
//! The verdicts of a push, the mending that they ask for and the outbox become durable together. Applying is idempotent, so a crash between
//! two batches costs a repeat and nothing else. The parts are applied in `part`.
//!
//! A group that was accepted before, with other changes, is let go last of all, and only when the parts were all: they bring what was accepted,
//! and until then the phone shows what it has of its own. After an answer that was cut it is sent again, and judged the same. So it is with what
//! was refused because the server lacks what it builds on.

use std::collections::{BTreeMap, BTreeSet};

use crate::docs::{Actor, Change, DocumentError};
use crate::field::command::Recorded;
use crate::field::engine::State;
use crate::field::held::HeldGrant;
use crate::field::kept;
use crate::field::leaving::Leaving;
use crate::field::mend::{Rerun, Restamp, rerun};
use crate::field::outbox::Outbox;
use crate::field::refused::Refused;
use crate::field::tables::{self, Setting};
use crate::field::update::{Applied, Update};
use crate::field::{ChangeNotice, Engine, FieldError};
use crate::model::{DocId, Grant, GrantId, GroupId, Hlc, HlcClock, Incarnation, Position, Receipt, Scope};
use crate::policy;
use crate::store::{Batch, Store as _};
use crate::sync::client::SyncFailure;
use crate::sync::{Refusal, Response, Verdict};

/// A clock offset that changed by less, in milliseconds, is not written anew: answers take their time.
const OFFSET_NOISE: i64 = 1_000;
/// How often in one exchange commands are run again, before the engine waits like after a failure.
const MOST_RERUNS: u32 = 4;

/// What a server said of a push.
#[derive(Default)]
struct Judged {
    verdicts: Vec<Verdict>,
    /// By how much this phone's clock was found to be wrong meanwhile, in milliseconds.
    shift_ms: i64,
    accepted_by: Option<Position>,
}

impl Judged {
    /// Whether there is one verdict for each group of the push.
    fn are_those_of(&self, outbox: &Outbox) -> Result<(), FieldError> {
        let asked: BTreeSet<GroupId> =
            outbox.iter().filter(|(number, _)| outbox.in_flight().contains(number)).map(|(_, waiting)| waiting.group).collect();
        let told: BTreeSet<GroupId> = self.verdicts.iter().map(Verdict::group).collect();
        if asked == told { Ok(()) } else { Err(SyncFailure::Unfit { what: "verdicts are not those of this push" }.into()) }
    }

    /// Takes out what has to wait for the parts: groups that were accepted before; refusals because of what the server lacks, for until the
    /// parts are applied a command would run again on that same ground; and refusals of what else is under way for these documents, which may
    /// build on it.
    fn take_awaiting_parts(&mut self, outbox: &Outbox) -> Self {
        let waiting: BTreeMap<GroupId, &[DocId]> = outbox.iter().map(|(_, waiting)| (waiting.group, waiting.docs.as_slice())).collect();
        let docs_of = |verdict: &Verdict| waiting.get(&verdict.group()).copied().unwrap_or_default();
        let changes_ground = |verdict: &&Verdict| {
            let lacks_ground = matches!(refusal_of(verdict), Some(Refusal::DependsOnRefused { group: None }));
            lacks_ground || matches!(verdict, Verdict::AcceptedBefore { .. })
        };
        let docs: BTreeSet<DocId> = self.verdicts.iter().filter(changes_ground).flat_map(docs_of).copied().collect();
        let awaits =
            |verdict: &Verdict| !matches!(verdict, Verdict::Accepted { .. }) && docs_of(verdict).iter().any(|doc| docs.contains(doc));
        let (awaiting, verdicts) = std::mem::take(&mut self.verdicts).into_iter().partition(awaits);
        self.verdicts = verdicts;
        Self { verdicts: awaiting, ..*self }
    }
}

impl Engine {
    /// Applies an answer of the server, durably, and says whether to ask again at once: the answer was cut, or the outbox holds more. For
    /// whoever drives a [`crate::sync::client::Session`].
    ///
    /// # Errors
    /// When the answer does not fit or the store fails. What was applied before stays and is right; asking again is safe.
    pub fn apply(&self, response: Response) -> Result<bool, FieldError> {
        let mut state = self.state();
        let mut notice = ChangeNotice { status: true, ..ChangeNotice::default() };
        let result = self.apply_to(&mut state, response, &mut notice);
        state.outbox.set_in_flight([]);
        drop(state);
        self.tell(&notice);
        result
    }

    pub(super) fn apply_to(&self, state: &mut State, response: Response, notice: &mut ChangeNotice) -> Result<bool, FieldError> {
        let pushed = !state.outbox.in_flight().is_empty();
        let shift_ms = self.learn_clock(state, &response)?;
        if let Some(challenge) = response.challenge {
            return self.learn_challenge(state, challenge);
        }
        self.learn_lease(state, &response)?;
        if response.wipe == Some(true) {
            return self.leave(state, response);
        }
        state.taken_below = 0;
        if self.learn_ledger(state, &response)? || state.reconciliation.is_some() {
            // What was lost is given back first. A push was not looked at, and what is read from a server that lost something would take the
            // place of what is to be given back.
            state.outbox.set_in_flight([]);
            self.take_turn(state, &response)?;
            return Ok(true);
        }
        let awaiting = match response.verdicts {
            Some(verdicts) => {
                let mut judged = Judged { verdicts: verdicts.0, shift_ms, accepted_by: response.accepted_by };
                judged.are_those_of(&state.outbox)?;
                let awaiting = judged.take_awaiting_parts(&state.outbox);
                self.apply_verdicts(state, judged, &awaiting, notice)?;
                Some(awaiting).filter(|awaiting| !awaiting.verdicts.is_empty())
            }
            None if !state.outbox.in_flight().is_empty() => return Err(SyncFailure::Unfit { what: "verdicts are missing" }.into()),
            None => None,
        };
        if let Some(backed_up_to) = response.backed_up_to {
            let mut batch = Batch::new();
            kept::release(&mut batch, &self.store, response.ledger, backed_up_to)?;
            if !batch.is_empty() {
                self.store.commit(batch)?;
            }
        }
        if let Some(inbox) = response.inbox {
            self.apply_inbox(state, inbox.0)?;
        }
        for grant in response.left.into_iter().flat_map(|left| left.0) {
            self.leave_grant(state, grant, notice)?;
        }
        for entered in response.entered.into_iter().flat_map(|entered| entered.0) {
            self.keep_grant(state, HeldGrant::unread(entered.grant))?;
        }
        let set_back = std::mem::take(&mut state.set_back);
        let (mut more, mut moved) = (set_back, pushed || set_back);
        for part in response.parts.into_iter().flat_map(|parts| parts.0) {
            #[cfg(feature = "seeded-bugs")]
            let part = state.bugs.spoiled(part);
            more |= part.more.unwrap_or(false);
            let outcome = self.apply_part(state, part, notice)?;
            more |= outcome.again;
            moved |= outcome.moved;
        }
        if let Some(judged) = awaiting.filter(|_| !more) {
            self.apply_verdicts(state, judged, &Judged::default(), notice)?;
        }
        if state.reruns > MOST_RERUNS && !state.outbox.is_empty() {
            return Err(SyncFailure::Unfit { what: "commands that were mended keep being refused" }.into());
        }
        if more && !moved {
            return Err(SyncFailure::Unfit { what: "there is said to be more, and nothing comes" }.into());
        }
        Ok(more || !state.outbox.is_empty())
    }

    /// The server's clock decides; what this phone recorded meanwhile with a wrong one is corrected when the server says so.
    fn learn_clock(&self, state: &mut State, response: &Response) -> Result<i64, FieldError> {
        let offset = response.now.since(self.clock.now());
        let shift = offset - state.offset_ms;
        if shift.abs() > OFFSET_NOISE {
            let mut batch = Batch::new();
            tables::put(&mut batch, tables::setting(Setting::ClockOffset), &offset);
            self.store.commit(batch)?;
            state.offset_ms = offset;
        }
        Ok(shift)
    }

    /// Positions of another life of the ledger mean nothing: everything is read anew. Whether there was one before, which this phone must now
    /// give back to.
    fn learn_ledger(&self, state: &mut State, response: &Response) -> Result<bool, FieldError> {
        if state.ledger == Some(response.ledger) {
            return Ok(false);
        }
        let mut batch = Batch::new();
        tables::put(&mut batch, tables::setting(Setting::Ledger), &response.ledger);
        batch.delete(tables::setting(Setting::AcceptedBy));
        let is_another_life = state.ledger.is_some();
        let reconciliation = is_another_life.then(|| Self::begin_reconciliation(&mut batch));
        let mut grants = state.grants.clone();
        for held in grants.values_mut() {
            *held = held.anew();
            tables::put(&mut batch, tables::grant(held.grant.id), held);
        }
        self.store.commit(batch)?;
        state.ledger = Some(response.ledger);
        state.accepted_by = Position(0);
        state.grants = grants;
        state.reconciliation = reconciliation.or(state.reconciliation.take());
        Ok(is_another_life)
    }

    /// The device has ended. What waits still goes to the server, page by page; then everything here is erased.
    ///
    /// What was sent stays where it is until then: nothing is rebuilt or run again, for a command that lost its ground by a refusal would reach
    /// nobody.
    fn leave(&self, state: &mut State, response: Response) -> Result<bool, FieldError> {
        if let Some(verdicts) = response.verdicts {
            let judged = Judged { verdicts: verdicts.0, ..Judged::default() };
            judged.are_those_of(&state.outbox)?;
            state.exchanged.refused += judged.verdicts.len();
            state.taken_below = state.outbox.in_flight().last().map_or(state.taken_below, |last| last + 1);
        } else if !state.outbox.in_flight().is_empty() {
            return Err(SyncFailure::Unfit { what: "verdicts are missing" }.into());
        }
        if state.outbox.iter().any(|(number, _)| number >= state.taken_below) {
            state.leaving = Leaving::Ordered;
            return Ok(true);
        }
        self.wipe(state)?;
        Ok(false)
    }

    /// Applies verdicts; what `awaiting` judges stays as it is.
    fn apply_verdicts(&self, state: &mut State, judged: Judged, awaiting: &Judged, notice: &mut ChangeNotice) -> Result<(), FieldError> {
        let Judged { verdicts, shift_ms, accepted_by } = judged;
        state.accepted_by = state.accepted_by.max(accepted_by.unwrap_or_default());
        let verdicts: BTreeMap<GroupId, Verdict> = verdicts.into_iter().map(|verdict| (verdict.group(), verdict)).collect();
        let awaiting: BTreeSet<GroupId> = awaiting.verdicts.iter().map(Verdict::group).collect();
        let in_flight = state.outbox.in_flight().clone();
        let now = self.now(state);
        let fresh = Incarnation::make(&mut *state.entropy);
        #[cfg(feature = "seeded-bugs")]
        let fresh = state.bugs.incarnation(fresh, state.incarnation);
        // Where one command came from a clock that is ahead, all that waits is looked through: the next page would be refused as well.
        let restamps = verdicts.values().any(|verdict| refusal_of(verdict).is_some_and(|refusal| refusal.offset_ms().is_some()));
        let mut update = Update::new(&*self.store, state);
        let mut affected: BTreeSet<DocId> = BTreeSet::new();
        let mut reruns = Vec::new();
        let mut begun: BTreeSet<DocId> = BTreeSet::new();
        let mut accepted = 0;
        for (number, waiting) in state.outbox.iter().filter(|(_, waiting)| !awaiting.contains(&waiting.group)) {
            let verdict = if in_flight.contains(&number) { verdicts.get(&waiting.group) } else { None };
            let concerned = waiting.docs.iter().any(|doc| affected.contains(doc));
            match verdict {
                Some(Verdict::Accepted { at, numbers, seals, .. }) => {
                    accepted += 1;
                    let recorded = Outbox::read(&self.store, number)?;
                    let receipts = numbers.0.iter().zip(&seals.0).map(|(number, seal)| Receipt { number: *number, at: *at, seal: *seal });
                    accept_group(&mut update, recorded, receipts.collect(), &mut begun)?;
                    update.remove_group(number, &waiting.docs);
                }
                Some(Verdict::AcceptedBefore { .. }) => {
                    accepted += 1;
                    affected.extend(&waiting.docs);
                    update.remove_group(number, &waiting.docs);
                }
                Some(verdict @ Verdict::Refused { code, .. }) => {
                    affected.extend(&waiting.docs);
                    let recorded = Outbox::read(&self.store, number)?;
                    if refusal_of(verdict).is_some_and(|refusal| refusal.mends_itself()) {
                        reruns.push(Rerun { number, recorded });
                    } else {
                        update.remove_group(number, &waiting.docs);
                        update.keep_refused(Refused::new(recorded, code.clone(), now));
                    }
                }
                None if concerned => {
                    affected.extend(&waiting.docs);
                    reruns.push(Rerun { number, recorded: Outbox::read(&self.store, number)? });
                }
                #[cfg(feature = "seeded-bugs")]
                None if state.bugs.drops_entries => update.remove_group(number, &waiting.docs),
                None if restamps => {
                    let recorded = Outbox::read(&self.store, number)?;
                    if recorded.at.millis() > now {
                        affected.extend(&waiting.docs);
                        reruns.push(Rerun { number, recorded });
                    }
                }
                None => {}
            }
        }
        enter_begun(&mut update, state, begun)?;
        // A rebuilt document gets a new actor, whether or not anything is run again now: the next command would use its number twice.
        let rebuilt = !affected.is_empty();
        let mut greatest = Hlc::default();
        if rebuilt {
            tables::put(update.batch(), tables::setting(Setting::Incarnation), &fresh);
            greatest = rerun(&mut update, Actor { incarnation: fresh, ..state.actor()? }, reruns, Restamp { now, shift_ms })?;
        }
        let judged = state.outbox.iter().filter(|(number, _)| in_flight.contains(number));
        let judged: BTreeSet<DocId> = judged.flat_map(|(_, waiting)| &waiting.docs).copied().chain(affected).collect();
        settle_documents(&mut update, state, &judged)?;
        let mut hlc = state.hlc.clone();
        if restamps {
            hlc = HlcClock::resume(greatest.max(Hlc::new(now, 0)));
            tables::put(update.batch(), tables::setting(Setting::LastHlc), &hlc.last());
        }
        tables::put(update.batch(), tables::setting(Setting::AcceptedBy), &state.accepted_by);
        let (batch, applied) = update.finish()?;
        self.store.commit(batch)?;
        // Counted is only what brings nothing on: of a large outbox each page may have something to mend.
        state.reruns = if applied.gone.is_empty() { state.reruns + u32::from(!applied.rewritten.is_empty()) } else { 0 };
        state.exchanged.accepted += accepted;
        state.exchanged.refused += applied.refused.len();
        state.take(applied, notice);
        if rebuilt {
            state.incarnation = fresh;
        }
        state.hlc = hlc;
        Ok(())
    }

    /// Drops the cursor of a grant that has ended, and the documents that no other grant covers.
    fn leave_grant(&self, state: &mut State, grant: GrantId, notice: &mut ChangeNotice) -> Result<(), FieldError> {
        let members = tables::members_of(&self.store, grant)?;
        self.leave_documents(state, grant, &members, notice)?;
        let mut batch = Batch::new();
        batch.delete(tables::grant(grant));
        self.store.commit(batch)?;
        state.grants.remove(&grant);
        Ok(())
    }
}

/// Why a group was refused, if it was.
fn refusal_of(verdict: &Verdict) -> Option<Refusal> {
    match verdict {
        Verdict::Refused { code, offset_ms, because_of, .. } => Some(Refusal::from_wire(code, *offset_ms, *because_of)),
        Verdict::Accepted { .. } | Verdict::AcceptedBefore { .. } => None,
    }
}

/// Moves an accepted group from the outbox into the bases of its documents, and notes in `begun` those that had none.
fn accept_group(
    update: &mut Update<'_>,
    recorded: Recorded,
    receipts: Vec<Receipt>,
    begun: &mut BTreeSet<DocId>,
) -> Result<(), FieldError> {
    if receipts.len() != recorded.changes.len() {
        return Err(SyncFailure::Unfit { what: "receipts are missing" }.into());
    }
    for (recorded, receipt) in recorded.changes.iter().zip(receipts) {
        let change = Change::parse(&recorded.bytes).map_err(|_| DocumentError::Unloadable { id: recorded.doc })?;
        if !update.has_base(recorded.doc)? {
            begun.insert(recorded.doc);
        }
        update.accept(recorded.doc, recorded.kind, &[(change, receipt)])?;
    }
    Ok(())
}

/// The feed leaves out what this push brought, so the phone itself notes in which scopes its new documents are, by all that was accepted of
/// them.
fn enter_begun(update: &mut Update<'_>, state: &State, begun: BTreeSet<DocId>) -> Result<(), FieldError> {
    for doc in begun {
        let Some((document, _)) = update.base_document(doc)? else { continue };
        let scopes: Vec<Scope> = state.scopes_of(state.given()?.street, &document);
        let receives = |grant: &Grant| scopes.contains(&grant.scope) && policy::receives(&grant.role, document.kind());
        for held in state.grants.values().filter(|held| receives(&held.grant)) {
            update.enter(held, doc);
        }
    }
    Ok(())
}

/// A document that left all scopes while work on it was waiting is dropped once nothing waits any more, whatever became of that work.
fn settle_documents(update: &mut Update<'_>, state: &State, docs: &BTreeSet<DocId>) -> Result<(), FieldError> {
    for doc in docs {
        if update.is_orphan(*doc, state.grants.keys().copied())? {
            update.drop_if_idle(*doc)?;
        }
    }
    Ok(())
}

impl State {
    /// Takes over what became durable.
    pub(super) fn take(&mut self, applied: Applied, notice: &mut ChangeNotice) {
        applied.gone.iter().for_each(|number| self.outbox.remove(*number));
        for (number, recorded) in &applied.rewritten {
            self.outbox.remove(*number);
            self.outbox.insert(*number, recorded);
        }
        applied.refused.iter().for_each(|refused| self.refused.insert(refused));
        applied.summaries.iter().for_each(|summary| self.index(summary));
        if let Some(search) = &mut self.search {
            applied.dropped.iter().for_each(|doc| search.index.remove(*doc));
        }
        notice.documents.extend(applied.notice.documents);
    }
}
