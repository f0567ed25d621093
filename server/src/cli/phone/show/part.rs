//! The parts that several kinds of records have: visits, notes, attachments, conflicts.

use std::io::{self, Write};

use doorstep_core::docs::{DocKind, Lock, Scalar};
use doorstep_core::field::FieldConflict;
use doorstep_core::model::{Attachment, Day, DocId, GridId, HouseholdId, Note, Personal, PlaceId, Visit};
use serde::Serialize;

use crate::cli::phone::index::Index;
use crate::cli::phone::mark::{Ref, mask, tail};
use crate::cli::phone::page::one_line;
use crate::cli::phone::{Phone, PhoneError};
use crate::cli::text::{Lang, Text};

/// Reads records with the names of what they refer to.
pub(super) struct Reader<'a> {
    pub phone: &'a Phone,
    pub index: &'a Index,
    /// Whether numbers are shown in full.
    pub reveals: bool,
}

impl Reader<'_> {
    /// A telephone or identity number of the record that is shown.
    pub(super) fn number(&self, number: &str) -> String {
        if self.reveals { number.to_owned() } else { mask(number) }
    }

    pub(super) fn visits(&self, visits: Vec<Visit>) -> Vec<VisitView> {
        visits.into_iter().map(|visit| self.visit(visit)).collect()
    }

    fn visit(&self, visit: Visit) -> VisitView {
        let amendments = visit.amendments.into_iter();
        VisitView {
            id: visit.id.to_string(),
            by: self.index.person(visit.by),
            at: visit.at.0,
            purpose: visit.purpose.code().to_owned(),
            outcome: visit.outcome.code().to_owned(),
            findings: visit.findings.into_inner(),
            companions: visit.companions,
            follow_up: visit.follow_up.map(|day| day.to_string()),
            amendments: amendments.map(|text| self.note_of(text.id.to_string(), text.by, text.at, text.text)).collect(),
            said: (visit.at.to_string(), visit.purpose, visit.outcome),
        }
    }

    pub(super) fn notes(&self, notes: Vec<Note>) -> Vec<NoteView> {
        notes.into_iter().map(|note| self.note_of(note.id.to_string(), note.by, note.at, note.text)).collect()
    }

    fn note_of(
        &self,
        id: String,
        by: doorstep_core::model::PersonId,
        at: doorstep_core::model::Millis,
        text: Personal<String>,
    ) -> NoteView {
        NoteView { id, by: self.index.person(by), at: at.0, text: text.into_inner(), said: at.to_string() }
    }

    pub(super) fn attachments(&self, attachments: Vec<Attachment>) -> Vec<AttachmentView> {
        let view = |attachment: Attachment| AttachmentView {
            sha256: attachment.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            size: attachment.size,
            kind: attachment.kind.code().to_owned(),
            visit: attachment.visit.map(|visit| visit.to_string()),
            by: self.index.person(attachment.by),
            at: attachment.at.0,
        };
        attachments.into_iter().map(view).collect()
    }

    pub(super) fn conflicts(&self, conflicts: Vec<FieldConflict>) -> Result<Vec<ConflictView>, PhoneError> {
        conflicts.into_iter().map(|conflict| self.conflict(conflict)).collect()
    }

    fn conflict(&self, conflict: FieldConflict) -> Result<ConflictView, PhoneError> {
        let last = conflict.values.len().saturating_sub(1);
        let field = self.field(&conflict.field)?;
        let mut values = Vec::new();
        for (number, value) in conflict.values.into_iter().enumerate() {
            values.push(ValueView {
                value: self.value(&conflict.field, &value.value)?,
                by: value.by.map(|by| self.index.person(by)),
                at: value.at.millis().0,
                shown: number == last,
                said: value.at.millis().to_string(),
            });
        }
        Ok(ConflictView { field, values })
    }

    /// The field's name; a member is named by its name instead of its id.
    fn field(&self, field: &str) -> Result<String, PhoneError> {
        match field.strip_prefix("members/").and_then(|id| id.parse::<DocId>().ok()) {
            Some(resident) => Ok(format!("members/{}", self.index.document(self.phone, DocKind::Resident, resident)?.word())),
            None => Ok(field.to_owned()),
        }
    }

    /// A value as a person reads it.
    fn value(&self, field: &str, value: &Scalar) -> Result<String, PhoneError> {
        Ok(match (field, value) {
            ("phone" | "id_number", Scalar::Text(number)) => self.number(number),
            ("born", Scalar::Int(day)) => i32::try_from(*day).map(|day| Day(day).to_string()).unwrap_or_default(),
            (_, Scalar::Null) => String::new(),
            (_, Scalar::Bool(value)) => value.to_string(),
            (_, Scalar::Int(value)) => value.to_string(),
            (_, Scalar::Text(text)) => text.clone(),
            (field, Scalar::Bytes(bytes)) => match DocId::try_from(bytes.as_slice()) {
                Ok(id) => self.reference(field, id)?.word(),
                Err(_) => String::new(),
            },
        })
    }

    fn reference(&self, field: &str, id: DocId) -> Result<Ref, PhoneError> {
        let known = match field {
            "grid" => self.index.grid(Some(GridId::from_bytes(*id.as_bytes()))),
            "place" | "parent" => self.index.place(Some(PlaceId::from(id))),
            "household" => Some(self.index.household(self.phone, HouseholdId::from(id))?),
            "reporter_resident" => Some(self.index.document(self.phone, DocKind::Resident, id)?),
            "reporter_party" => Some(self.index.document(self.phone, DocKind::Party, id)?),
            _ => None,
        };
        Ok(known.unwrap_or(Ref { id: id.to_string(), name: None }))
    }
}

#[derive(Debug, Serialize)]
pub(super) struct VisitView {
    id: String,
    by: Ref,
    at: i64,
    purpose: String,
    outcome: String,
    findings: String,
    companions: Vec<String>,
    follow_up: Option<String>,
    amendments: Vec<NoteView>,
    #[serde(skip)]
    said: (String, doorstep_core::model::Purpose, doorstep_core::model::Outcome),
}

impl VisitView {
    fn lines(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let (at, purpose, outcome) = &self.said;
        let findings = if self.findings.is_empty() { String::new() } else { format!("  {}", one_line(&self.findings)) };
        writeln!(out, "  {}  {at}  {}  {}  {}{findings}", tail(&self.id), self.by.word(), lang.purpose(purpose), lang.outcome(outcome))?;
        if !self.companions.is_empty() {
            writeln!(out, "    {}", lang.line(Text::FieldCompanions, &one_line(&self.companions.join(" "))))?;
        }
        if let Some(day) = &self.follow_up {
            writeln!(out, "    {}", lang.line(Text::FieldFollowUp, day))?;
        }
        self.amendments.iter().try_for_each(|amendment| {
            writeln!(out, "    {} {}", lang.line(Text::FieldAmendment, &amendment.said), one_line(&amendment.text))
        })
    }
}

#[derive(Debug, Serialize)]
pub(super) struct NoteView {
    id: String,
    by: Ref,
    at: i64,
    text: String,
    #[serde(skip)]
    said: String,
}

#[derive(Debug, Serialize)]
pub(super) struct AttachmentView {
    sha256: String,
    size: u64,
    kind: String,
    visit: Option<String>,
    by: Ref,
    at: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct ConflictView {
    field: String,
    values: Vec<ValueView>,
}

#[derive(Debug, Serialize)]
struct ValueView {
    value: String,
    by: Option<Ref>,
    at: i64,
    shown: bool,
    #[serde(skip)]
    said: String,
}

/// A heading and lines under it, where there are any.
fn section<T>(
    items: &[T],
    heading: Text,
    lang: Lang,
    out: &mut dyn Write,
    mut line: impl FnMut(&T, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", lang.say(heading))?;
    items.iter().try_for_each(|item| line(item, out))
}

pub(super) fn write_visits(visits: &[VisitView], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    section(visits, Text::SectionVisits, lang, out, |visit, out| visit.lines(lang, out))
}

pub(super) fn write_notes(notes: &[NoteView], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    section(notes, Text::SectionNotes, lang, out, |note, out| {
        writeln!(out, "  {}  {}  {}", note.said, note.by.word(), one_line(&note.text))
    })
}

pub(super) fn write_attachments(attachments: &[AttachmentView], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    section(attachments, Text::SectionAttachments, lang, out, |file, out| {
        let kind = lang.attachment(&doorstep_core::model::AttachmentKind::from_code(&file.kind));
        writeln!(out, "  {kind}  {} B  {}  {}", file.size, file.by.word(), file.sha256)
    })
}

/// Says so where not all that is personal can be read: what is locked or gone is never shown as empty.
pub(super) fn write_lock(lock: Lock, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let why = match lock {
        Lock::Open => return Ok(()),
        Lock::Locked => Text::SomeLocked,
        Lock::Erased => Text::AllErased,
        Lock::Redacted => Text::SomeRedacted,
    };
    writeln!(out, "  {}", lang.say(why))
}

/// Both values, who, when; the one that is shown elsewhere is marked.
pub(super) fn write_conflicts(conflicts: &[ConflictView], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    section(conflicts, Text::SectionConflicts, lang, out, |conflict, out| {
        writeln!(out, "  {}", lang.field(&conflict.field))?;
        conflict.values.iter().rev().try_for_each(|value| {
            let mark = if value.shown { "*" } else { " " };
            let by = value.by.as_ref().map(Ref::word).unwrap_or_else(|| lang.say(Text::UnknownPerson).to_owned());
            let text = if value.value.is_empty() { lang.say(Text::EmptyValue).to_owned() } else { one_line(&value.value) };
            writeln!(out, "   {mark} {text}  ({by}, {})", value.said)
        })
    })
}
