//! What the server refused and a person must look at: kept with its command and its reason, never dropped by the engine.
//!
//! One thing is not kept whole: work on a scope to which its author had lost the right. The server has taken it for whoever answers for that scope
//! now, and what it says of people there is no longer this phone's to hold. What is kept says that there was such work, and where it went. So it is with
//! work on a record that was erased.

use std::collections::BTreeMap;

use crate::docs::{Scalar, Slot, Write};
use crate::field::command::{Action, Recorded};
use crate::field::plan::plan;
use crate::field::tables;
use crate::field::{ChangeNotice, Engine, FieldError};
use crate::model::{CaseDetails, DocId, GroupId, Hlc, Invalid, MOST_WORDS, Millis, Personal, VisitDraft};
use crate::store::{Batch, Read, chunks};
use crate::sync::Refusal;

/// A refused group as it is on disk.
#[derive(Debug, Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Refused {
    /// What was recorded; absent where it was handed over.
    #[n(0)]
    recorded: Option<Recorded>,
    #[n(1)]
    code: String,
    #[n(2)]
    refused_at: Millis,
    /// What is kept of it where it was handed over.
    #[n(3)]
    trace: Option<Trace>,
}

/// What is kept of a command whose contents are no longer here.
#[derive(Debug, Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Trace {
    #[n(0)]
    group: GroupId,
    #[n(1)]
    doc: DocId,
    #[n(2)]
    what: What,
    #[n(3)]
    recorded_at: Millis,
    #[n(4)]
    at: Hlc,
}

/// What a command was, by name.
#[derive(Debug, Clone, Copy, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
enum What {
    #[n(0)]
    Save,
    #[n(1)]
    Visit,
    #[n(2)]
    Amendment,
    #[n(3)]
    Issue,
    #[n(4)]
    Note,
    #[n(5)]
    Event,
    #[n(6)]
    Attachment,
}

impl Trace {
    fn of(recorded: &Recorded) -> Self {
        Self {
            group: recorded.command.group,
            doc: plan(&recorded.command, recorded.at).doc,
            what: What::of(&recorded.command.action),
            recorded_at: recorded.recorded_at,
            at: recorded.at,
        }
    }
}

impl Refused {
    /// A refusal as a verdict has it.
    pub(super) fn new(recorded: Recorded, code: String, refused_at: Millis) -> Self {
        if code == Refusal::GrantEnded.code() || code == Refusal::Erased.code() {
            return Self { trace: Some(Trace::of(&recorded)), recorded: None, code, refused_at };
        }
        Self { recorded: Some(recorded), code, refused_at, trace: None }
    }

    fn trace(&self) -> Option<Trace> {
        self.recorded.as_ref().map(Trace::of).or_else(|| self.trace.clone())
    }

    /// The group.
    pub(super) fn group(&self) -> Option<GroupId> {
        self.trace().map(|trace| trace.group)
    }
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
        if let Some(Trace { group, doc, .. }) = refused.trace() {
            self.0.insert(group, (doc, refused.code.clone()));
        }
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
    /// Whether its contents are still here, so that it can be mended and sent again. Where not, it was handed over to whoever answers for the
    /// scope now.
    pub is_here: bool,
    /// What it says: field and words, in the order of writing, as far as it is here.
    pub lines: Vec<(String, Personal<String>)>,
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
        let traces = found.into_iter().map(|refused| {
            let trace = refused.trace().ok_or(FieldError::Damaged { table: "refused" })?;
            Ok((trace, refused))
        });
        let mut found: Vec<(Trace, Refused)> = traces.collect::<Result<_, FieldError>>()?;
        // Several commands of one millisecond are told apart by their hybrid times.
        found.sort_by_key(|(trace, _)| (trace.recorded_at, trace.at, trace.group));
        let record = |(trace, refused): (Trace, Refused)| RefusedRecord {
            group: trace.group,
            doc: trace.doc,
            what: trace.what.name(),
            code: refused.code,
            recorded_at: trace.recorded_at,
            refused_at: refused.refused_at,
            is_here: refused.recorded.is_some(),
            lines: refused.recorded.as_ref().map(lines).unwrap_or_default(),
        };
        Ok(found.into_iter().map(record).collect())
    }

    /// Runs a refused command again, as a new one: for when the reason has gone. The new one is durable together with the end of the old one.
    ///
    /// # Errors
    /// [`FieldError::NotFound`] when there is none of this group; [`FieldError::HandedOver`] when its contents are here no longer; else as for the
    /// command, and the refused one stays.
    pub fn resend(&self, group: GroupId) -> Result<(), FieldError> {
        self.send_again(group, Ok)
    }

    /// The same with other words: the findings of a visit, the text of an amendment, note or event, the description of an issue. What else a
    /// command holds is changed by a new command.
    ///
    /// # Errors
    /// As [`Engine::resend`]; [`FieldError::Invalid`] for words that the command cannot have.
    pub fn mend(&self, group: GroupId, text: &str) -> Result<(), FieldError> {
        self.send_again(group, |action| with_words(action, text))
    }

    fn send_again(&self, group: GroupId, mend: impl FnOnce(Action) -> Result<Action, FieldError>) -> Result<(), FieldError> {
        let mut state = self.state();
        let refused: Refused =
            tables::get_long(&self.store, &tables::refused(group))?.ok_or(FieldError::NotFound { what: "refused record" })?;
        let recorded = refused.recorded.ok_or(FieldError::HandedOver)?;
        let mut batch = Batch::new();
        chunks::delete_chunked_in(&mut batch, &self.store, &tables::refused(group))?;
        let now = self.now(&state);
        let notice = self.record(&mut state, now, mend(recorded.command.action)?, batch)?;
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

/// What a command says in words.
fn lines(recorded: &Recorded) -> Vec<(String, Personal<String>)> {
    let text = |value: &Scalar| match value {
        Scalar::Text(text) => Some(Personal::new(text.clone())),
        Scalar::Bool(value) => Some(Personal::new(value.to_string())),
        Scalar::Null | Scalar::Int(_) | Scalar::Bytes(_) => None,
    };
    let writes = plan(&recorded.command, recorded.at).writes;
    let line = |write: &Write| -> Vec<(String, Personal<String>)> {
        match write {
            Write::Set(Slot::Root(key), value) => text(value).map(|text| (key.clone(), text)).into_iter().collect(),
            Write::Set(Slot::In(container, key), value) => {
                text(value).map(|text| (format!("{}/{key}", container.key()), text)).into_iter().collect()
            }
            Write::Add(container, _, fields) => {
                let named = |(field, value): &(String, Scalar)| Some((format!("{}.{field}", container.key()), text(value)?));
                fields.iter().filter_map(named).collect()
            }
        }
    };
    writes.iter().flat_map(line).collect()
}

/// A command with other words.
fn with_words(action: Action, words: &str) -> Result<Action, FieldError> {
    let checked = |name, most| Invalid::check_text(name, words, most).map(Personal::new);
    Ok(match action {
        Action::RecordVisit { visit, draft } => {
            let findings = checked("findings", VisitDraft::MOST_FINDINGS)?;
            Action::RecordVisit { visit, draft: VisitDraft { findings, ..draft } }
        }
        Action::AmendVisit { amendment, visit, subject, .. } => {
            Action::AmendVisit { amendment, visit, subject, text: checked("text", MOST_WORDS)? }
        }
        Action::ReportIssue { case, captured, grid, details } => {
            let description = checked("description", CaseDetails::MOST_DESCRIPTION)?;
            Action::ReportIssue { case, captured, grid, details: CaseDetails { description, ..details } }
        }
        Action::AddNote { note, doc, kind, .. } => Action::AddNote { note, doc, kind, text: checked("text", MOST_WORDS)? },
        Action::AddEvent { event, case, kind, .. } => Action::AddEvent { event, case, kind, text: Some(checked("text", MOST_WORDS)?) },
        Action::Save { .. } | Action::AddAttachment { .. } => {
            return Err(Invalid::new("text", "is nothing that this record has; record it anew").into());
        }
    })
}

impl What {
    const fn of(action: &Action) -> Self {
        match action {
            Action::Save { .. } => Self::Save,
            Action::RecordVisit { .. } => Self::Visit,
            Action::AmendVisit { .. } => Self::Amendment,
            Action::ReportIssue { .. } => Self::Issue,
            Action::AddNote { .. } => Self::Note,
            Action::AddEvent { .. } => Self::Event,
            Action::AddAttachment { .. } => Self::Attachment,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::Visit => "visit",
            Self::Amendment => "amendment",
            Self::Issue => "issue",
            Self::Note => "note",
            Self::Event => "event",
            Self::Attachment => "attachment",
        }
    }
}
