//! A case: its fields, its timeline with what came too late, its conflicts.

use std::io::{self, Write};

use doorstep_core::docs::Lock;
use doorstep_core::field::TimelineLine;
use doorstep_core::model::{CaseDetails, CaseId, EventKind, Personal, Reporter};
use doorstep_core::workflow::{Effect, Superseded};
use serde::Serialize;

use super::part::{AttachmentView, ConflictView, Reader, write_attachments, write_conflicts, write_lock};
use crate::cli::phone::PhoneError;
use crate::cli::phone::mark::{Mark, Ref, lock_code, mask, word_of};
use crate::cli::phone::page::{Show, one_line};
use crate::cli::text::{Lang, Text};

/// A case.
#[derive(Debug, Serialize)]
pub(super) struct CaseView {
    id: String,
    short: String,
    kind: &'static str,
    grid: Option<Ref>,
    state: Option<String>,
    category: String,
    urgency: String,
    channel: String,
    place: Option<Ref>,
    description: String,
    reporter: Option<ReporterView>,
    parent: Option<String>,
    point: Option<String>,
    opened_at: Option<i64>,
    closed_at: Option<i64>,
    duplicate_of: Option<String>,
    timeline: Vec<EventView>,
    attachments: Vec<AttachmentView>,
    conflicts: Vec<ConflictView>,
    removed: bool,
    #[serde(serialize_with = "lock_code")]
    lock: Lock,
    #[serde(flatten)]
    mark: Mark,
    #[serde(skip)]
    details: CaseDetails,
}

/// Who reported it, the number masked unless it is to be shown.
#[derive(Debug, Serialize)]
struct ReporterView {
    kind: &'static str,
    id: String,
    name: Option<String>,
    phone: Option<String>,
}

/// One line of the timeline.
#[derive(Debug, Serialize)]
struct EventView {
    id: String,
    event: String,
    by: Ref,
    at: i64,
    /// When the server accepted it; `null` while it waits.
    accepted_at: Option<i64>,
    text: Option<String>,
    /// `applied`, `beside` or `superseded`.
    effect: &'static str,
    /// The state that it led to.
    to: Option<String>,
    /// The state in which it came too late.
    case_was: Option<String>,
    #[serde(skip)]
    line: TimelineLine,
}

pub(super) fn read(reader: &Reader<'_>, id: CaseId) -> Result<CaseView, PhoneError> {
    let detail = reader.phone.engine.case(id)?;
    let details = detail.case.details;
    Ok(CaseView {
        id: id.to_string(),
        short: reader.index.short(id),
        kind: "case",
        grid: reader.index.grid(detail.case.grid),
        state: detail.view.state.as_ref().map(|state| state.code().to_owned()),
        category: details.category.code().to_owned(),
        urgency: details.urgency.code().to_owned(),
        channel: details.channel.code().to_owned(),
        place: reader.index.place(details.place),
        description: details.description.reveal().clone(),
        reporter: details.reporter.map(|reporter| reported_by(reader, reporter)).transpose()?,
        parent: details.parent.map(|parent| parent.to_string()),
        point: details.point.map(|point| point.to_string()),
        opened_at: detail.view.opened_at().map(|at| at.0),
        closed_at: detail.view.closed_at().map(|at| at.0),
        duplicate_of: detail.view.duplicate_of.map(|case| case.to_string()),
        timeline: detail.timeline.into_iter().map(|line| event(reader, line)).collect(),
        attachments: reader.attachments(detail.case.attachments),
        conflicts: reader.conflicts(detail.conflicts)?,
        removed: detail.case.removed,
        lock: detail.case.lock,
        mark: detail.sync.into(),
        details,
    })
}

fn reported_by(reader: &Reader<'_>, reporter: Reporter) -> Result<ReporterView, PhoneError> {
    let engine = &reader.phone.engine;
    // The record of the reporter may be in another grid, and so not on this phone.
    let (kind, id, details) = match reporter {
        Reporter::Resident(id) => {
            ("resident", id.to_string(), engine.resident(id).map(|resident| (resident.details.name, resident.details.phone)))
        }
        Reporter::Party(id) => ("party", id.to_string(), engine.party(id).map(|party| (party.details.name, party.details.phone))),
    };
    let (name, phone) = match details {
        Ok(details) => details,
        Err(doorstep_core::field::FieldError::NotFound { .. }) => (None, None),
        Err(error) => return Err(error.into()),
    };
    let phone = phone.map(|phone| if reader.reveals { phone.reveal().as_str().to_owned() } else { mask(phone.reveal().as_str()) });
    Ok(ReporterView { kind, id, name: name.map(Personal::into_inner), phone })
}

fn event(reader: &Reader<'_>, line: TimelineLine) -> EventView {
    let (effect, to, case_was) = match &line.effect {
        Effect::Applied { to, .. } => ("applied", Some(to.code().to_owned()), None),
        Effect::Beside => ("beside", None, None),
        Effect::Superseded(Superseded::NotFrom(state)) => ("superseded", None, Some(state.code().to_owned())),
        Effect::Superseded(Superseded::CapturedAlready) => ("superseded", None, None),
    };
    EventView {
        id: line.event.to_string(),
        event: line.kind.code().to_owned(),
        by: reader.index.person(line.by),
        at: line.at.0,
        accepted_at: line.accepted_at.map(|at| at.0),
        text: line.text.as_ref().map(|text| text.reveal().clone()),
        effect,
        to,
        case_was,
        line,
    }
}

impl Show for CaseView {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let state = self.details_state(lang);
        writeln!(out, "{}  {}  {state}  {}", lang.kind("case"), self.short, self.mark.word(lang))?;
        if let Some(code) = &self.mark.refusal {
            writeln!(out, "  {}", lang.line(Text::ColumnReason, &lang.refusal(code)))?;
        }
        if self.removed {
            writeln!(out, "  {}", lang.say(Text::Removed))?;
        }
        write_lock(self.lock, lang, out)?;
        let reporter = self
            .reporter
            .as_ref()
            .map(|reporter| [reporter.name.as_deref(), reporter.phone.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "));
        for (field, value) in [
            ("category", lang.category(&self.details.category)),
            ("urgency", lang.urgency(&self.details.urgency)),
            ("channel", lang.channel(&self.details.channel)),
            ("grid", word_of(&self.grid)),
            ("place", word_of(&self.place)),
            ("reporter", reporter.unwrap_or_default()),
            ("description", self.description.clone()),
            ("duplicate_of", self.duplicate_of.clone().unwrap_or_default()),
        ] {
            if !value.is_empty() {
                writeln!(out, "  {}", lang.pair(&lang.field(field), &one_line(&value)))?;
            }
        }
        writeln!(out, "{}", lang.say(Text::SectionTimeline))?;
        self.timeline.iter().try_for_each(|event| event.write(lang, out))?;
        write_conflicts(&self.conflicts, lang, out)?;
        write_attachments(&self.attachments, lang, out)
    }
}

impl CaseView {
    fn details_state(&self, lang: Lang) -> String {
        self.state.as_deref().map(|state| lang.case_state(&doorstep_core::model::CaseState::from_code(state))).unwrap_or_default()
    }
}

impl EventView {
    fn write(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let arrived = match self.line.accepted_at {
            Some(at) => lang.fill(Text::AcceptedAt, &[("at", &at)]),
            None => lang.say(Text::Local).to_owned(),
        };
        let text = self.text.as_ref().map(|text| format!("  {}", one_line(text))).unwrap_or_default();
        let kind = lang.event(&EventKind::from_code(&self.event));
        let late = match &self.line.effect {
            Effect::Superseded(Superseded::NotFrom(state)) => {
                format!("  {}", lang.fill(Text::CameLate, &[("state", &lang.case_state(state))]))
            }
            Effect::Superseded(Superseded::CapturedAlready) => format!("  {}", lang.say(Text::CapturedAlready)),
            Effect::Applied { .. } | Effect::Beside => String::new(),
        };
        writeln!(out, "  {}  {}  {kind}{text}{late}  ({arrived})", self.line.at, self.by.word())
    }
}
