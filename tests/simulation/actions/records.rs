//! Recording what happened: visits, notes, attachments, issues and the steps of cases; and answering refusals.

use doorstep_core::docs::DocKind;
use doorstep_core::field::FieldError;
use doorstep_core::model::{
    AttachmentKind, CaseDetails, CaseId, Category, DocId, EventKind, HouseholdId, OrganisationId, Outcome, PlaceId, VisitDraft,
    VisitSubject,
};

use doorstep_core::store::StoreError;

use super::{Action, Done};
use crate::record::{Added, Fate};
use crate::world::{Violation, World, random};

/// So few that several phones claim the same.
const CLAIMS: [&str; 3] = ["pension/2026/1", "pension/2026/2", "insurance/2026/1"];

impl World {
    pub(super) fn write_record(&mut self, phone: usize, action: Action) -> Result<Option<Done>, FieldError> {
        match action {
            Action::Visit => self.visit(phone),
            Action::Amend => self.amend(phone),
            Action::Note => self.note(phone),
            Action::Attach => self.attach(phone),
            Action::Issue => self.issue(phone, false),
            Action::Claim => self.issue(phone, true),
            Action::NoteCase => self.add_event(phone, EventKind::Noted),
            Action::Register => self.add_event(phone, EventKind::Registered),
            Action::Return => self.add_event(phone, EventKind::Returned),
            _ => self.add_event(phone, EventKind::Closed),
        }
    }

    fn some_subject(&mut self, phone: usize) -> Result<Option<(VisitSubject, DocKind, DocId)>, FieldError> {
        Ok(match self.dice.below(5) {
            0 => {
                let place = self.some::<PlaceId>(phone, DocKind::Place)?;
                place.map(|id| (VisitSubject::Place(id), DocKind::Place, id.into()))
            }
            1 => {
                let organisation = self.some::<OrganisationId>(phone, DocKind::Organisation)?;
                organisation.map(|id| (VisitSubject::Organisation(id), DocKind::Organisation, id.into()))
            }
            _ => {
                let household = self.some::<HouseholdId>(phone, DocKind::Household)?;
                household.map(|id| (VisitSubject::Household(id), DocKind::Household, id.into()))
            }
        })
    }

    fn visit(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some((subject, kind, doc)) = self.some_subject(phone)? else { return Ok(None) };
        let mut draft = VisitDraft::routine(subject);
        draft.findings = self.text().into();
        if self.dice.chance(300) {
            draft.outcome = Outcome::NotAtHome;
        }
        let visit = self.engine(phone)?.record_visit(draft)?;
        Ok(Some(Done::added(kind, doc, Added::Visit(visit))))
    }

    fn amend(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some((subject, kind, doc)) = self.some_subject(phone)? else { return Ok(None) };
        let visits = self.engine(phone)?.visits(subject)?;
        let Some(visit) = self.dice.pick(&visits).map(|visit| visit.id) else { return Ok(None) };
        let text = self.text();
        let amendment = self.engine(phone)?.amend_visit(subject, visit, &text)?;
        Ok(Some(Done::added(kind, doc, Added::Amendment(visit, amendment))))
    }

    fn note(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some((_, kind, doc)) = self.some_subject(phone)? else { return Ok(None) };
        let text = self.text();
        let note = self.engine(phone)?.add_note(kind, doc, &text)?;
        Ok(Some(Done::added(kind, doc, Added::Note(note))))
    }

    fn attach(&mut self, phone: usize) -> Result<Option<Done>, FieldError> {
        let Some((_, kind, doc)) = self.some_subject(phone)? else { return Ok(None) };
        let sha256 = random(&mut self.dice);
        self.engine(phone)?.add_attachment(kind, doc, sha256, 1_000, AttachmentKind::Photo, None)?;
        Ok(Some(Done::added(kind, doc, Added::Attachment(sha256))))
    }

    fn issue(&mut self, phone: usize, claims: bool) -> Result<Option<Done>, FieldError> {
        let grid = self.some_grid(phone)?;
        let mut details = CaseDetails::issue(Category::Noise, self.text());
        details.place = self.some::<PlaceId>(phone, DocKind::Place)?.filter(|_| grid.is_none());
        if claims {
            details.claim = self.dice.pick(&CLAIMS).and_then(|claim| claim.parse().ok());
        }
        let case = self.engine(phone)?.report_issue(grid, details)?;
        Ok(Some(Done::changed(DocKind::Case, case)))
    }

    fn add_event(&mut self, phone: usize, kind: EventKind) -> Result<Option<Done>, FieldError> {
        let Some(case) = self.some::<CaseId>(phone, DocKind::Case)? else { return Ok(None) };
        let text = self.text();
        let event = self.engine(phone)?.add_event(case, kind, Some(&text))?;
        Ok(Some(Done::added(DocKind::Case, case, Added::Event(event))))
    }

    /// The author looks at something that was refused, and sends it again or lets it go.
    pub(super) fn answer_refusal(&mut self, phone: usize, action: Action) -> Result<(), Violation> {
        let answered = self.answer_some_refusal(phone, action);
        if matches!(answered, Ok(None)) {
            // Sent again, it may have nothing to write any more; then there is no group of it.
            self.look_after(phone);
            return Ok(());
        }
        self.take_command(phone, action, answered)
    }

    fn answer_some_refusal(&mut self, phone: usize, action: Action) -> Result<Option<Done>, FieldError> {
        let again = action == Action::Resend;
        let mut refused = self.engine(phone)?.refused()?;
        // What was handed over can only be let go.
        refused.retain(|record| record.is_here || !again);
        let Some(refused) = self.dice.pick(&refused).cloned() else { return Ok(None) };
        let outcome = if again { self.engine(phone)?.resend(refused.group) } else { self.engine(phone)?.discard(refused.group) };
        let Some(promise) = self.record.promises.get_mut(&refused.group) else { return outcome.map(|()| None) };
        match &outcome {
            // What a clone answers says nothing of the phone that recorded it.
            _ if promise.phone != phone => {}
            Ok(()) => promise.fate = Fate::LetGo,
            Err(FieldError::Store(StoreError::Stopped)) => promise.fate = Fate::InDoubt,
            Err(_) => {}
        }
        let old = promise.clone();
        outcome?;
        // Another life of this store may have sent it again before.
        let may_vanish = old.may_vanish || self.phones[phone].has_other_lives;
        Ok(again.then_some(Done { kind: old.kind, doc: old.doc, added: old.added, may_vanish }))
    }
}
