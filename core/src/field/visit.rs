//! Visits, notes and attachments: what is recorded at a door.

use crate::docs::DocKind;
use crate::field::command::Action;
use crate::field::plan::subject_document;
use crate::field::{Engine, FieldError};
use crate::model::{
    AmendmentId, Attachment, AttachmentKind, DocId, Invalid, MOST_WORDS, NoteId, Personal, Visit, VisitDraft, VisitId, VisitSubject,
};

/// The longest name of a companion, in characters.
const MOST_COMPANION: usize = 40;

impl Engine {
    /// Records a visit: durable on this phone when it returns, immutable from then on.
    ///
    /// # Errors
    /// [`FieldError::NotFound`] when the subject is not on this phone; [`FieldError::Invalid`] for what breaks a rule.
    pub fn record_visit(&self, draft: VisitDraft) -> Result<VisitId, FieldError> {
        let draft = checked(draft)?;
        self.command(|state, now| {
            let (doc, kind) = subject_document(&draft.subject);
            self.view(state, doc, kind.name())?;
            let visit = VisitId::make(now, &mut *state.entropy);
            Ok((Action::RecordVisit { visit, draft }, visit))
        })
    }

    /// Appends to a visit what its author wants to add or correct.
    ///
    /// # Errors
    /// [`FieldError::NotTheAuthor`], [`FieldError::NotFound`], [`FieldError::Invalid`].
    pub fn amend_visit(&self, subject: VisitSubject, visit: VisitId, text: &str) -> Result<AmendmentId, FieldError> {
        let text = Personal::new(Invalid::check_text("text", text, MOST_WORDS)?);
        self.command(|state, now| {
            let (doc, kind) = subject_document(&subject);
            let visits = self.view(state, doc, kind.name())?.document.visits();
            let amended = visits.iter().find(|other| other.id == visit).ok_or(FieldError::NotFound { what: "visit" })?;
            if amended.by != state.given()?.person {
                return Err(FieldError::NotTheAuthor);
            }
            let amendment = AmendmentId::make(now, &mut *state.entropy);
            Ok((Action::AmendVisit { amendment, visit, subject, text }, amendment))
        })
    }

    /// The visits of a door, an organisation or a place, the latest first. Loads one document.
    ///
    /// # Errors
    /// [`FieldError::NotFound`].
    pub fn visits(&self, subject: VisitSubject) -> Result<Vec<Visit>, FieldError> {
        let state = self.state();
        let (doc, kind) = subject_document(&subject);
        Ok(self.shown(&state, doc, kind.name())?.document.visits())
    }

    /// Adds a note to a document that has notes: all kinds but cases, whose notes are events.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Invalid`].
    pub fn add_note(&self, kind: DocKind, doc: DocId, text: &str) -> Result<NoteId, FieldError> {
        let text = Personal::new(Invalid::check_text("text", text, MOST_WORDS)?);
        self.command(|state, now| {
            self.view(state, doc, kind.name())?;
            let note = NoteId::make(now, &mut *state.entropy);
            Ok((Action::AddNote { note, doc, kind, text }, note))
        })
    }

    /// Adds a reference to a file, to a case or to what was visited; its bytes travel on their own. Adding the same file again changes nothing.
    ///
    /// # Errors
    /// [`FieldError::NotFound`], [`FieldError::Invalid`].
    pub fn add_attachment(
        &self,
        doc_kind: DocKind,
        doc: DocId,
        sha256: [u8; 32],
        size: u64,
        kind: AttachmentKind,
        visit: Option<VisitId>,
    ) -> Result<(), FieldError> {
        let size = Attachment::check_size(size)?;
        self.command(|state, _| {
            self.view(state, doc, doc_kind.name())?;
            Ok((Action::AddAttachment { doc, doc_kind, sha256, size, kind, visit }, ()))
        })
    }
}

fn checked(mut draft: VisitDraft) -> Result<VisitDraft, FieldError> {
    if !draft.findings.reveal().trim().is_empty() {
        draft.findings = Personal::new(Invalid::check_text("findings", draft.findings.reveal(), VisitDraft::MOST_FINDINGS)?);
    } else {
        draft.findings = Personal::default();
    }
    if draft.companions.len() > VisitDraft::MOST_COMPANIONS {
        return Err(Invalid::new("companions", format!("are more than {}", VisitDraft::MOST_COMPANIONS)).into());
    }
    for companion in &mut draft.companions {
        *companion = Invalid::check_text("companions", companion, MOST_COMPANION)?;
    }
    Ok(draft)
}
