//! What the server refused and a person must look at: kept with its command and its reason, never dropped by the engine.

use std::collections::BTreeMap;

use crate::field::command::{Action, Recorded};
use crate::field::plan::plan;
use crate::field::tables;
use crate::field::{ChangeNotice, Engine, FieldError};
use crate::model::{DocId, GroupId, Millis};
use crate::store::{Batch, Read, chunks};

/// A refused group as it is on disk.
#[derive(Debug, Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Refused {
    #[n(0)]
    pub recorded: Recorded,
    #[n(1)]
    pub code: String,
    #[n(2)]
    pub refused_at: Millis,
}

/// The refused groups by document, in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct RefusedIndex(BTreeMap<GroupId, (DocId, String)>);

impl RefusedIndex {
    pub(super) fn open(read: &dyn Read) -> Result<Self, FieldError> {
        let mut index = Self::default();
        for group in tables::refused_groups(read)? {
            let refused: Refused = tables::get_long(read, &tables::refused(group))?.ok_or(FieldError::Damaged { table: "refused" })?;
            index.insert(&refused);
        }
        Ok(index)
    }

    pub(super) fn insert(&mut self, refused: &Refused) {
        let doc = plan(&refused.recorded.command, refused.recorded.at).doc;
        self.0.insert(refused.recorded.command.group, (doc, refused.code.clone()));
    }

    pub(super) fn remove(&mut self, group: GroupId) {
        self.0.remove(&group);
    }

    pub(super) fn code_of(&self, doc: DocId) -> Option<&str> {
        self.0.values().find(|(other, _)| *other == doc).map(|(_, code)| code.as_str())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A refused command, for the author's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// The group: names it for [`Engine::discard`] and [`Engine::resend`].
    pub group: GroupId,
    /// The document that it was for.
    pub doc: DocId,
    /// What it was: `visit`, `issue`, `event`, `note`, `save`, `amendment`, `attachment`.
    pub what: &'static str,
    /// The reason's code.
    pub code: String,
    /// When it was recorded.
    pub recorded_at: Millis,
    /// When the server's refusal came.
    pub refused_at: Millis,
}

impl From<Refused> for RefusedRecord {
    fn from(refused: Refused) -> Self {
        let Refused { recorded, code, refused_at } = refused;
        Self {
            group: recorded.command.group,
            doc: plan(&recorded.command, recorded.at).doc,
            what: name_of(&recorded.command.action),
            code,
            recorded_at: recorded.recorded_at,
            refused_at,
        }
    }
}

impl Engine {
    /// What was refused, the oldest first. One read for each.
    ///
    /// # Errors
    /// When the store fails.
    pub fn refused(&self) -> Result<Vec<RefusedRecord>, FieldError> {
        let groups: Vec<GroupId> = self.state().refused.0.keys().copied().collect();
        let mut found: Vec<Refused> = Vec::new();
        for group in groups {
            found.extend(tables::get_long::<Refused>(&self.store, &tables::refused(group))?);
        }
        // Several commands of one millisecond are told apart by their hybrid times.
        found.sort_by_key(|refused| (refused.recorded.recorded_at, refused.recorded.at, refused.recorded.command.group));
        Ok(found.into_iter().map(RefusedRecord::from).collect())
    }

    /// Runs a refused command again, as a new one: for when the reason has gone. The new one is durable together with the end of the old one.
    ///
    /// # Errors
    /// [`FieldError::NotFound`] when there is none of this group; else as for the command, and the refused one stays.
    pub fn resend(&self, group: GroupId) -> Result<(), FieldError> {
        let mut state = self.state();
        let refused: Refused =
            tables::get_long(&self.store, &tables::refused(group))?.ok_or(FieldError::NotFound { what: "refused record" })?;
        let mut batch = Batch::new();
        chunks::delete_chunked_in(&mut batch, &self.store, &tables::refused(group))?;
        let now = self.now(&state);
        let notice = self.record(&mut state, now, refused.recorded.command.action, batch)?;
        state.refused.remove(group);
        drop(state);
        self.tell(&ChangeNotice { status: true, ..notice });
        Ok(())
    }

    /// Lets a refused command go, by its author's wish.
    ///
    /// # Errors
    /// [`FieldError::NotFound`] when there is none of this group; or when the store fails.
    pub fn discard(&self, group: GroupId) -> Result<(), FieldError> {
        let mut state = self.state();
        if !state.refused.0.contains_key(&group) {
            return Err(FieldError::NotFound { what: "refused record" });
        }
        let mut batch = Batch::new();
        chunks::delete_chunked_in(&mut batch, &self.store, &tables::refused(group))?;
        self.store.commit(batch)?;
        state.refused.remove(group);
        drop(state);
        self.tell(&ChangeNotice { status: true, ..Default::default() });
        Ok(())
    }
}

const fn name_of(action: &Action) -> &'static str {
    match action {
        Action::Save { .. } => "save",
        Action::RecordVisit { .. } => "visit",
        Action::AmendVisit { .. } => "amendment",
        Action::ReportIssue { .. } => "issue",
        Action::AddNote { .. } => "note",
        Action::AddEvent { .. } => "event",
        Action::AddAttachment { .. } => "attachment",
    }
}
