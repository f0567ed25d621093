//! What a command writes, into which documents: a pure function, the same when it is run again.

use crate::docs::layout::Container;
use crate::docs::{
    DocKind, Document, Scalar, Slot, Write, amendment_write, attachment_write, case_writes, event_write, household_writes, note_write,
    organisation_writes, party_writes, place_writes, resident_writes, visit_writes,
};
use crate::field::command::{Action, Command, Details, MemberChange, TagChange};
use crate::model::{Amendment, Attachment, CaseEvent, CaseKind, DocId, EventKind, Hlc, Note, VisitSubject};

/// What is written into one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocumentPlan {
    pub doc: DocId,
    pub kind: DocKind,
    pub writes: Vec<Write>,
}

/// The document of a visit's subject.
pub(super) fn subject_document(subject: &VisitSubject) -> (DocId, DocKind) {
    match subject {
        VisitSubject::Household(id) => ((*id).into(), DocKind::Household),
        VisitSubject::Organisation(id) => ((*id).into(), DocKind::Organisation),
        VisitSubject::Place(id) => ((*id).into(), DocKind::Place),
    }
}

/// What a command writes when its changes are stamped `at`.
pub(super) fn plan(command: &Command, at: Hlc) -> DocumentPlan {
    let (by, now) = (command.by, at.millis());
    match &command.action {
        Action::Save { doc, grid, details, tags, members, removed } => {
            let mut writes: Vec<Write> = grid.iter().map(|grid| Write::set("grid", grid.as_bytes())).collect();
            writes.extend(details_writes(details));
            writes.extend(tags.iter().map(tag_write));
            writes.extend(members.iter().map(member_write));
            writes.extend(removed.map(|removed| Write::set("removed", removed)));
            DocumentPlan { doc: *doc, kind: details.kind(), writes }
        }
        Action::RecordVisit { visit, draft } => {
            let (doc, kind) = subject_document(&draft.subject);
            DocumentPlan { doc, kind, writes: visit_writes(*visit, by, draft.at.unwrap_or(now), draft) }
        }
        Action::AmendVisit { amendment, visit, subject, text } => {
            let (doc, kind) = subject_document(subject);
            let amendment = Amendment { id: *amendment, visit: *visit, by, at: now, text: text.clone() };
            DocumentPlan { doc, kind, writes: vec![amendment_write(&amendment)] }
        }
        Action::ReportIssue { case, captured, grid, details } => {
            let mut writes = vec![Write::set("grid", grid.as_bytes())];
            writes.extend(case_writes(&CaseKind::Issue, details));
            let event = CaseEvent { id: *captured, kind: EventKind::Captured, by, at: now, text: None, other: None };
            writes.push(event_write(&event));
            DocumentPlan { doc: (*case).into(), kind: DocKind::Case, writes }
        }
        Action::AddNote { note, doc, kind, text } => {
            let note = Note { id: *note, by, at: now, text: text.clone() };
            DocumentPlan { doc: *doc, kind: *kind, writes: vec![note_write(&note)] }
        }
        Action::AddEvent { event, case, kind, text } => {
            let event = CaseEvent { id: *event, kind: kind.clone(), by, at: now, text: text.clone(), other: None };
            DocumentPlan { doc: (*case).into(), kind: DocKind::Case, writes: vec![event_write(&event)] }
        }
        Action::AddAttachment { doc, doc_kind, sha256, size, kind, visit } => {
            let attachment = Attachment { sha256: *sha256, size: *size, kind: kind.clone(), preview: None, visit: *visit, by, at: now };
            DocumentPlan { doc: *doc, kind: *doc_kind, writes: vec![attachment_write(&attachment)] }
        }
    }
}

/// Whether a document holds what a command builds on: something at all, unless the command begins it; the visit that it amends.
pub(super) fn has_ground(action: &Action, document: &Document) -> bool {
    match action {
        Action::AmendVisit { visit, .. } => document.visits().iter().any(|other| other.id == *visit),
        action => begins(action) || document.change_count() > 1,
    }
}

/// Whether a command begins its document.
fn begins(action: &Action) -> bool {
    match action {
        Action::Save { grid, details, .. } => grid.is_some() && !details_writes(details).is_empty(),
        Action::ReportIssue { .. } => true,
        Action::RecordVisit { .. }
        | Action::AmendVisit { .. }
        | Action::AddNote { .. }
        | Action::AddEvent { .. }
        | Action::AddAttachment { .. } => false,
    }
}

fn details_writes(details: &Details) -> Vec<Write> {
    match details {
        Details::Place(details) => place_writes(details),
        Details::Household(details) => household_writes(details),
        Details::Resident(details) => resident_writes(details),
        Details::Organisation(details) => organisation_writes(details),
        Details::Party(details) => party_writes(details),
    }
}

fn tag_write(change: &TagChange) -> Write {
    Write::Set(Slot::In(Container::Tags, change.tag.as_str().to_owned()), Scalar::Bool(change.on))
}

fn member_write(change: &MemberChange) -> Write {
    Write::Set(Slot::In(Container::Members, change.resident.to_string()), Scalar::Bool(change.in_household))
}
