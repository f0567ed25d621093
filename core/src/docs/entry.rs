//! Entries: visits, amendments, notes, attachments and events. Each is created once, whole, under its id.

use crate::docs::fields::Fields;
use crate::docs::layout::Container;
use crate::docs::{Document, Scalar, Write};
use crate::model::{
    Amendment, Attachment, AttachmentKind, CaseEvent, ChangeHash, EventKind, Hlc, Millis, Note, Outcome, PersonId, Personal, Purpose,
    Visit, VisitDraft, VisitId,
};

/// An entry with the change that created it: by the receipt of that change it takes its place in a fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped<T> {
    /// The entry.
    pub value: T,
    /// The change that created it.
    pub change: ChangeHash,
    /// The time of that change.
    pub hlc: Hlc,
}

/// What recording a visit writes.
pub fn visit_writes(id: VisitId, by: PersonId, at: Millis, draft: &VisitDraft) -> Vec<Write> {
    let mut entry = EntryWriter::new(by, at);
    entry.put("purpose", draft.purpose.code());
    entry.put("outcome", draft.outcome.code());
    if !draft.findings.reveal().is_empty() {
        entry.put("findings", draft.findings.reveal().as_str());
    }
    for (index, companion) in draft.companions.iter().enumerate() {
        entry.put(&format!("companion.{index}"), companion.as_str());
    }
    if let Some(day) = draft.follow_up {
        entry.put("follow_up", i64::from(day.0));
    }
    if let Some(point) = draft.point {
        entry.put("point", point.to_string().as_str());
    }
    vec![entry.finish(Container::Visits, id.to_string())]
}

/// What appending an amendment writes.
pub fn amendment_write(amendment: &Amendment) -> Write {
    let mut entry = EntryWriter::new(amendment.by, amendment.at);
    entry.put("visit", amendment.visit.as_bytes());
    entry.put("text", amendment.text.reveal().as_str());
    entry.finish(Container::Amendments, amendment.id.to_string())
}

/// What adding a note writes.
pub fn note_write(note: &Note) -> Write {
    let mut entry = EntryWriter::new(note.by, note.at);
    entry.put("text", note.text.reveal().as_str());
    entry.finish(Container::Notes, note.id.to_string())
}

/// What adding an attachment writes.
pub fn attachment_write(attachment: &Attachment) -> Write {
    let mut entry = EntryWriter::new(attachment.by, attachment.at);
    entry.put("kind", attachment.kind.code());
    entry.put("size", i64::try_from(attachment.size).unwrap_or(i64::MAX));
    if let Some(preview) = attachment.preview {
        entry.put("preview", Scalar::Bytes(preview.to_vec()));
    }
    if let Some(visit) = attachment.visit {
        entry.put("visit", visit.as_bytes());
    }
    entry.finish(Container::Attachments, hex(&attachment.sha256))
}

/// What adding an event to a case writes.
pub fn event_write(event: &CaseEvent) -> Write {
    let mut entry = EntryWriter::new(event.by, event.at);
    entry.put("kind", event.kind.code());
    if let Some(text) = &event.text {
        entry.put("text", text.reveal().as_str());
    }
    if let Some(other) = event.other {
        entry.put("other", other.as_bytes());
    }
    entry.finish(Container::Events, event.id.to_string())
}

/// Every entry says who and when; hub and phone check that `by` is who signs.
pub const AUTHOR_FIELD: &str = "by";

struct EntryWriter(Vec<(String, Scalar)>);

impl EntryWriter {
    fn new(by: PersonId, at: Millis) -> Self {
        let mut entry = Self(Vec::new());
        entry.put(AUTHOR_FIELD, by.as_bytes());
        entry.put("at", at.0);
        entry
    }

    fn put(&mut self, field: &str, value: impl Into<Scalar>) {
        self.0.push((field.to_owned(), value.into()));
    }

    fn finish(self, container: Container, key: String) -> Write {
        Write::Add(container, key, self.0)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

pub(crate) fn read_attachment(key: &str, fields: &Fields<'_>) -> Option<Attachment> {
    Some(Attachment {
        sha256: unhex(key)?,
        size: fields.integer("size")?.try_into().ok()?,
        kind: fields.code("kind", AttachmentKind::from_code)?,
        preview: fields.bytes("preview").and_then(|bytes| bytes.as_slice().try_into().ok()),
        visit: fields.id("visit"),
        by: fields.id(AUTHOR_FIELD)?,
        at: fields.millis("at")?,
    })
}

/// Whether the words of entries are read: they are sealed, and lists can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    Read,
    /// Visits come without findings and amendments, events without what was said; notes and attachments not at all.
    Skipped,
}

impl Document {
    /// The visits with their amendments, the latest first.
    pub fn visits(&self) -> Vec<Visit> {
        self.visits_with(Words::Read)
    }

    pub(crate) fn visits_with(&self, words: Words) -> Vec<Visit> {
        let entries = self.entries(Container::Visits);
        let mut visits: Vec<Visit> = entries.iter().filter_map(|(key, fields)| read_visit(key, fields, words)).collect();
        let amended = if visits.is_empty() || words == Words::Skipped { Vec::new() } else { self.entries(Container::Amendments) };
        for (key, fields) in amended {
            let Some(amendment) = read_amendment(&key, &fields) else { continue };
            // Only the author of a visit amends it; what else might have got in is not shown.
            if let Some(visit) = visits.iter_mut().find(|visit| visit.id == amendment.visit && visit.by == amendment.by) {
                visit.amendments.push(amendment);
            }
        }
        for visit in &mut visits {
            visit.amendments.sort_by_key(|amendment| (amendment.at, amendment.id));
        }
        visits.sort_by_key(|visit| std::cmp::Reverse((visit.at, visit.id)));
        visits
    }

    /// A visit without its words.
    pub(crate) fn visit_in_brief(&self, key: &str) -> Option<Visit> {
        read_visit(key, &self.entry(Container::Visits, key)?, Words::Skipped)
    }

    /// The notes, oldest first.
    pub fn notes(&self) -> Vec<Note> {
        self.notes_with(Words::Read)
    }

    pub(crate) fn notes_with(&self, words: Words) -> Vec<Note> {
        if words == Words::Skipped {
            return Vec::new();
        }
        let mut notes: Vec<Note> = self
            .entries(Container::Notes)
            .iter()
            .filter_map(|(key, fields)| {
                Some(Note { id: key.parse().ok()?, by: fields.id(AUTHOR_FIELD)?, at: fields.millis("at")?, text: fields.words("text")? })
            })
            .collect();
        notes.sort_by_key(|note| (note.at, note.id));
        notes
    }

    /// Who made an entry, by its own field; `None` if there is no such entry.
    pub fn author_of(&self, container: Container, key: &str) -> Option<PersonId> {
        self.entry(container, key)?.id(AUTHOR_FIELD)
    }

    /// Whether this person captured the case.
    pub fn captured_by(&self, person: PersonId) -> bool {
        let captured = |fields: &Fields<'_>| fields.code("kind", EventKind::from_code) == Some(EventKind::Captured);
        self.entries(Container::Events).iter().any(|(_, fields)| captured(fields) && fields.id(AUTHOR_FIELD) == Some(person))
    }

    /// The events of a case, each with the change that created it, in no particular order: the fold orders them.
    pub fn events(&self) -> Vec<Stamped<CaseEvent>> {
        self.events_with(Words::Read)
    }

    /// The same without what was said: what a fold needs.
    pub fn events_in_brief(&self) -> Vec<Stamped<CaseEvent>> {
        self.events_with(Words::Skipped)
    }

    pub(crate) fn events_with(&self, words: Words) -> Vec<Stamped<CaseEvent>> {
        let entries = self.entries(Container::Events);
        entries
            .iter()
            .filter_map(|(key, fields)| {
                let (change, hlc) = self.written_in(fields.object())?;
                let value = CaseEvent {
                    id: key.parse().ok()?,
                    kind: fields.code("kind", EventKind::from_code)?,
                    by: fields.id(AUTHOR_FIELD)?,
                    at: fields.millis("at")?,
                    text: if words == Words::Read { fields.personal("text") } else { None },
                    other: fields.id("other"),
                };
                Some(Stamped { value, change, hlc })
            })
            .collect()
    }
}

fn read_visit(key: &str, fields: &Fields, words: Words) -> Option<Visit> {
    Some(Visit {
        id: key.parse().ok()?,
        by: fields.id(AUTHOR_FIELD)?,
        at: fields.millis("at")?,
        purpose: fields.code("purpose", Purpose::from_code)?,
        outcome: fields.code("outcome", Outcome::from_code)?,
        findings: if words == Words::Read { fields.personal("findings").unwrap_or_default() } else { Personal::default() },
        companions: if words == Words::Read { fields.numbered("companion") } else { Vec::new() },
        follow_up: fields.day("follow_up"),
        point: fields.point("point"),
        amendments: Vec::new(),
    })
}

fn read_amendment(key: &str, fields: &Fields<'_>) -> Option<Amendment> {
    Some(Amendment {
        id: key.parse().ok()?,
        visit: fields.id("visit")?,
        by: fields.id(AUTHOR_FIELD)?,
        at: fields.millis("at")?,
        text: fields.words("text")?,
    })
}
