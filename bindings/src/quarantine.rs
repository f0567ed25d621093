//! What the server refused and its author must look at, and late work of others that waits for this person's decision.

use std::sync::Arc;

use doorstep_core::model::Personal;

use crate::codes::RecordKind;
use crate::error::DoorstepError;
use crate::shared::Shared;
use crate::types::{Id, Timestamp};

/// One thing that a record says.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RecordLine {
    /// The field's code.
    pub field: String,
    /// What the field is called.
    pub label: String,
    /// Its words.
    pub text: String,
}

/// A refused record. It stays until its author mends, resends or discards it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefusedRecord {
    /// Names it for `mend`, `resend` and `discard`.
    pub group: Id,
    /// The record that it was for.
    pub record: Id,
    /// What it was: `visit`, `issue`, `event`, `note`, `save`, `amendment`, `attachment`.
    pub what: String,
    /// What that is called.
    pub label: String,
    /// The reason's code.
    pub code: String,
    /// The reason, for the person.
    pub reason: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When the refusal came.
    pub refused_at: Timestamp,
    /// Whether its contents are still here. Where not, it was handed over to whoever answers for the scope now.
    pub is_here: bool,
    /// What it says, as far as it is here.
    pub lines: Vec<RecordLine>,
}

/// Late work of somebody who had lost the right to it before it arrived.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LateRecord {
    /// Names it for `decide`.
    pub group: Id,
    /// Who recorded it.
    pub author: Id,
    /// The name, as far as the directory knows it.
    pub author_name: Option<String>,
    /// When it reached the server.
    pub arrived_at: Timestamp,
    /// The records that it writes to.
    pub records: Vec<LateSubject>,
    /// What it says.
    pub lines: Vec<RecordLine>,
}

/// A record that late work writes to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LateSubject {
    /// What it is.
    pub kind: RecordKind,
    /// Which.
    pub id: Id,
}

/// What was refused, and late work.
#[derive(uniffi::Object)]
pub struct Quarantine {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl Quarantine {
    /// What was refused, the oldest first.
    pub fn refused(&self) -> Result<Vec<RefusedRecord>, DoorstepError> {
        refused_records(&self.shared)
    }

    /// Records it again with other words, and sends it: for visits, amendments, issues, notes, events.
    pub fn mend(&self, group: Id, text: String) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.mend(group.into(), &text))
    }

    /// Records it again as it is: for when the reason has gone.
    pub fn resend(&self, group: Id) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.resend(group.into()))
    }

    /// Lets it go. Nothing but this removes it.
    pub fn discard(&self, group: Id) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.discard(group.into()))
    }

    /// Late work of others that waits for this person's decision, the oldest first.
    pub fn inbox(&self) -> Result<Vec<LateRecord>, DoorstepError> {
        let shared = &self.shared;
        shared.with(|engine| {
            let late = |late: doorstep_core::field::LateRecord| LateRecord {
                group: late.group.into(),
                author: late.author.into(),
                author_name: late.author_name,
                arrived_at: late.arrived_at.into(),
                records: late.docs.into_iter().map(|(kind, id)| LateSubject { kind: kind.into(), id: id.into() }).collect(),
                lines: lines(shared, late.lines),
            };
            Ok(engine.inbox()?.into_iter().map(late).collect())
        })
    }

    /// Decides about late work: adopted, it stands in its author's name; otherwise it stays in the server's quarantine.
    pub fn decide(&self, group: Id, adopts: bool) -> Result<(), DoorstepError> {
        self.shared.with(|engine| engine.decide(group.into(), adopts))
    }
}

pub(crate) fn refused_records(shared: &Shared) -> Result<Vec<RefusedRecord>, DoorstepError> {
    shared.with(|engine| {
        let record = |record: doorstep_core::field::RefusedRecord| RefusedRecord {
            group: record.group.into(),
            record: record.doc.into(),
            what: record.what.to_owned(),
            label: shared.lang.kind(record.what).to_owned(),
            reason: shared.lang.refusal(&record.code),
            code: record.code,
            recorded_at: record.recorded_at.into(),
            refused_at: record.refused_at.into(),
            is_here: record.is_here,
            lines: lines(shared, record.lines),
        };
        Ok(engine.refused()?.into_iter().map(record).collect())
    })
}

fn lines(shared: &Shared, lines: Vec<(String, Personal<String>)>) -> Vec<RecordLine> {
    let line = |(field, text): (String, Personal<String>)| RecordLine { label: shared.lang.field(&field), text: text.into_inner(), field };
    lines.into_iter().map(line).collect()
}
