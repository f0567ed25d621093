//! Composing a request: cursors and a page of the outbox, or what a restored server is to be given back; signed.

use crate::docs::hash_of;
use crate::field::engine::State;
use crate::field::held::HeldGrant;
use crate::field::leaving::Leaving;
use crate::field::outbox::Outbox;
use crate::field::reconcile::Turn;
use crate::field::tables;
use crate::field::{Engine, FieldError};
use crate::model::DocId;
use crate::sync::{
    DeviceKey, Encoding, Group, HashAlgorithm, Leaf, List, MOST_GROUPS, MOST_PUSH_BYTES, PROTOCOL_VERSION, Push, PushedChange, Request,
    seal_frame,
};

/// A page of the outbox.
#[derive(Default)]
pub(super) struct Page {
    pub push: Option<Push>,
    pub numbers: Vec<u64>,
    /// The records whose keys the server needs for it.
    pub bring_keys: Vec<DocId>,
}

impl Engine {
    /// Writes the next request: for whoever drives a [`crate::sync::client::Session`]. Reads the waiting groups, at most 256 kB of them.
    ///
    /// # Errors
    /// [`FieldError::NotEnrolled`], or when the store fails.
    pub fn compose(&self) -> Result<Vec<u8>, FieldError> {
        let mut state = self.state();
        let given = state.given()?.clone();
        let key = state.identity.as_ref().ok_or(FieldError::NotEnrolled)?.key();
        // A phone that goes gives back nothing but its own unsent work.
        let turn = if state.leaving == Leaving::Ordered { None } else { self.next_turn(&mut state)? };
        // What waits may build on what the server has lost: it goes when that is there again.
        let Page { push, numbers, mut bring_keys } =
            if turn.is_some() { Page::default() } else { self.page_from(&state, &key, state.taken_below)? };
        let is_giving_back = turn.is_some();
        let Turn { offers, relays } = turn.unwrap_or_default();
        bring_keys.extend(relays.iter().map(|relay| relay.doc).chain(offers.iter().map(|offer| offer.doc)));
        let keys = self.wrapped(&mut state, bring_keys)?;
        state.fresh = state.fresh.map(|fresh| fresh.next(self.clock.now()));
        let cursors = state.grants.values().map(HeldGrant::reading).collect();
        let request = Request {
            protocol: PROTOCOL_VERSION,
            device: given.device,
            incarnation: state.incarnation,
            sent_at: self.clock.now(),
            ledger: state.ledger,
            cursors: List(cursors),
            push,
            offers: (!offers.is_empty()).then_some(List(offers)),
            relays: (!relays.is_empty()).then_some(List(relays)),
            inbox: state.inbox.digest(),
            decisions: state.inbox.to_send(),
            keys,
            fresh: state.fresh,
            signs_out: (state.leaving == Leaving::Asked && numbers.len() == state.outbox.len() && !is_giving_back).then_some(true),
        };
        state.outbox.set_in_flight(numbers);
        state.set_back = false;
        Ok(seal_frame(&key.seal(tables::encode(&request)), Encoding::Deflate))
    }

    /// The first groups that wait, of this number or above.
    pub(super) fn page_from(&self, state: &State, key: &DeviceKey, first: u64) -> Result<Page, FieldError> {
        let mut groups = Vec::new();
        let Page { mut numbers, mut bring_keys, .. } = Page::default();
        let mut bytes = 0;
        for (number, _) in state.outbox.iter().filter(|(number, _)| *number >= first).take(MOST_GROUPS) {
            let recorded = Outbox::read(&self.store, number)?;
            bytes += recorded.changes.iter().map(|change| change.bytes.len()).sum::<usize>();
            if bytes > MOST_PUSH_BYTES && !groups.is_empty() {
                break;
            }
            if recorded.brings_key {
                bring_keys.extend(recorded.changes.iter().map(|change| change.doc));
            }
            let changes: Vec<PushedChange> = recorded
                .changes
                .into_iter()
                .map(|change| PushedChange { doc: change.doc, kind: change.kind, bytes: change.bytes })
                .collect();
            groups.push(Group { id: recorded.command.group, changes: List(changes) });
            numbers.push(number);
        }
        if groups.is_empty() {
            return Ok(Page::default());
        }
        let leaves: Vec<Leaf> = groups
            .iter()
            .flat_map(|group: &Group| &group.changes.0)
            .map(|change| Leaf { doc: change.doc, hash: hash_of(&change.bytes) })
            .collect();
        let signature = key.sign_push(state.given()?.device, &leaves);
        let push = Some(Push { groups: List(groups), hashes: HashAlgorithm::Sha256, signature });
        Ok(Page { push, numbers, bring_keys })
    }
}
