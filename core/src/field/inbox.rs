//! The inbox: late work of others that waits for this person's decision, because they answer for its scope now.
//!
//! Its author had lost the right to it before it arrived. The server keeps it, with the author's signature, and sends it along to whoever may adopt
//! it. What is decided here waits on this phone until the server has heard of it; whoever decides first, decides.

use crate::docs::layout::Path;
use crate::docs::wellformed::{self, Action};
use crate::docs::{Change, DocKind, Document, Scalar};
use crate::field::engine::State;
use crate::field::tables::{self, Setting};
use crate::field::{ChangeNotice, Engine, FieldError};
use crate::model::{DocId, GroupId, Millis, PersonId, Personal};
use crate::store::{Batch, Read, Store as _, chunks};
use crate::sync::{Decision, InboxDigest, LateWork, List, MOST_LATE};

/// What waits for a decision, and what was decided and the server has not yet heard.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    late: Vec<LateWork>,
    decisions: Vec<Decision>,
}

/// Late work as a screen lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateRecord {
    /// The group: names it for [`Engine::decide`].
    pub group: GroupId,
    /// Who recorded it.
    pub author: PersonId,
    /// The name, as far as this phone's directory knows it.
    pub author_name: Option<String>,
    /// When it reached the server.
    pub arrived_at: Millis,
    /// The documents that it writes to.
    pub docs: Vec<(DocKind, DocId)>,
    /// What it writes: field and words, in the order of writing. Ids and times of entries are left out.
    pub lines: Vec<(String, Personal<String>)>,
}

impl Inbox {
    pub(super) fn open(read: &dyn Read) -> Result<Self, FieldError> {
        Ok(Self {
            late: tables::get_long(read, &tables::setting(Setting::Inbox))?.unwrap_or_default(),
            decisions: tables::get_long(read, &tables::setting(Setting::Decisions))?.unwrap_or_default(),
        })
    }

    /// Which late work is here, for the request.
    pub(super) fn digest(&self) -> Option<InboxDigest> {
        InboxDigest::of(self.late.iter().map(|late| late.group))
    }

    /// What the server has to hear.
    pub(super) fn to_send(&self) -> Option<List<Decision, MOST_LATE>> {
        (!self.decisions.is_empty()).then(|| List(self.decisions.iter().copied().take(MOST_LATE).collect()))
    }

    pub(super) const fn has_unsent(&self) -> bool {
        !self.decisions.is_empty()
    }

    /// How many wait for a decision.
    pub(super) fn undecided(&self) -> usize {
        self.late.iter().filter(|late| !self.is_decided(late.group)).count()
    }

    fn is_decided(&self, group: GroupId) -> bool {
        self.decisions.iter().any(|decision| decision.group == group)
    }
}

impl Engine {
    /// The late work that waits for a decision of this person, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn inbox(&self) -> Result<Vec<LateRecord>, FieldError> {
        let state = self.state();
        self.may_show(&state)?;
        let mut scratch: Vec<Document> = Vec::new();
        let waiting = state.inbox.late.iter();
        waiting.filter(|late| !state.inbox.is_decided(late.group)).map(|late| self.late_record(&state, late, &mut scratch)).collect()
    }

    /// Decides about late work: it is adopted, and stands in its author's name from then on, or it stays in quarantine on the server. Durable
    /// when this returns; the server hears of it with the next sync.
    ///
    /// # Errors
    /// [`FieldError::NotFound`] when it does not wait here; or when the store fails.
    pub fn decide(&self, group: GroupId, adopts: bool) -> Result<(), FieldError> {
        let mut state = self.state();
        if state.inbox.is_decided(group) || !state.inbox.late.iter().any(|late| late.group == group) {
            return Err(FieldError::NotFound { what: "late work" });
        }
        let mut decisions = state.inbox.decisions.clone();
        decisions.push(Decision { group, adopts });
        let mut batch = Batch::new();
        tables::put_long(&mut batch, &self.store, &tables::setting(Setting::Decisions), &decisions)?;
        // Of their own work that came too late, now that they have the right again, nothing else is left to be decided.
        chunks::delete_chunked_in(&mut batch, &self.store, &tables::refused(group))?;
        self.store.commit(batch)?;
        state.refused.remove(group);
        state.inbox.decisions = decisions;
        drop(state);
        self.tell(&ChangeNotice { status: true, ..ChangeNotice::default() });
        Ok(())
    }

    /// Takes over what the server says waits; what was decided and waits no more has arrived.
    pub(super) fn apply_inbox(&self, state: &mut State, late: Vec<LateWork>) -> Result<(), FieldError> {
        let mut decisions = state.inbox.decisions.clone();
        decisions.retain(|decision| late.iter().any(|late| late.group == decision.group));
        let mut batch = Batch::new();
        tables::put_long(&mut batch, &self.store, &tables::setting(Setting::Inbox), &late)?;
        tables::put_long(&mut batch, &self.store, &tables::setting(Setting::Decisions), &decisions)?;
        self.store.commit(batch)?;
        state.inbox = Inbox { late, decisions };
        Ok(())
    }

    /// `scratch` holds the documents as they would be with the late work before this.
    fn late_record(&self, state: &State, late: &LateWork, scratch: &mut Vec<Document>) -> Result<LateRecord, FieldError> {
        let mut lines = Vec::new();
        for pushed in &late.changes.0 {
            let Ok(change) = Change::parse(&pushed.bytes) else { continue };
            let came = late.keys.iter().flat_map(|keys| &keys.0).find(|(doc, _)| *doc == pushed.doc).map(|(_, keys)| keys.clone());
            let document = match scratch.iter().position(|document| document.id() == pushed.doc) {
                Some(at) => scratch.swap_remove(at),
                None => match crate::field::documents::View::load(&self.store, state, pushed.doc)? {
                    Some(view) => view.document,
                    None => Document::new(pushed.kind, pushed.doc)?,
                },
            };
            let keys = document.keys().union(&came.unwrap_or_default());
            let mut document = document.with_keys(keys);
            if document.kind() == pushed.kind
                && let Ok(operations) = wellformed::check(&document, &change)
                && document.apply([&change]).is_ok()
            {
                lines.extend(operations.iter().filter_map(|operation| line(&document, operation)));
                scratch.push(document);
            }
        }
        Ok(LateRecord {
            group: late.group,
            author: late.author,
            author_name: state.name_of(late.author),
            arrived_at: late.arrived_at,
            docs: late.changes.0.iter().map(|change| (change.kind, change.doc)).collect(),
            lines,
        })
    }
}

/// What an operation says in words.
fn line(document: &Document, operation: &wellformed::Operation) -> Option<(String, Personal<String>)> {
    let Action::Put(value) = &operation.action else { return None };
    let value = document.keys().open(document.kind(), document.id(), &operation.path, value).ok()?;
    let field = match &operation.path {
        Path::Root(key) => key.clone(),
        Path::Register(_, _) => operation.path.to_string(),
        Path::Field(container, _, field) => format!("{}.{field}", container.key()),
        Path::Entry(_, _) => return None,
    };
    let value = match value {
        Scalar::Text(text) => text,
        Scalar::Bool(value) => value.to_string(),
        Scalar::Null => String::new(),
        Scalar::Int(_) | Scalar::Bytes(_) => return None,
    };
    Some((field, Personal::new(value)))
}
