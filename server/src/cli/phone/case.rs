//! `phone case`: what moves a case on, and what is attached to it.

use std::fs::File;
use std::path::{Path, PathBuf};

use doorstep_core::docs::DocKind;
use doorstep_core::field::FileMeasure;
use doorstep_core::model::{Attachment, AttachmentKind, CaseId, EventKind};
use serde::Serialize;

use super::index::Index;
use super::mark::Recorded;
use super::page::{Page, Show};
use super::value::one_of;
use super::{Phone, PhoneError};
use crate::cli::text::{Lang, Text};

/// What can be done to a case.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a note
    Note {
        /// The case: an id or words that find it
        case: String,
        /// What to note
        text: String,
    },
    /// 受理 Take it up
    Register(Event),
    /// 退回 Give it back to the worker
    Return(Event),
    /// 结案 Close it
    Close(Event),
    /// Attach a file: its hash and size; the bytes stay where they are
    Attach {
        /// The case: an id or words that find it
        case: String,
        /// The file
        file: PathBuf,
        /// What it is; else by the file's ending
        #[arg(long, value_parser = one_of!(AttachmentKind))]
        kind: Option<AttachmentKind>,
    },
}

/// An event of a case.
#[derive(Debug, clap::Args)]
pub struct Event {
    /// The case: an id or words that find it
    pub case: String,
    /// Words that go with it
    pub text: Option<String>,
}

/// What `attach` answers.
#[derive(Debug, Serialize)]
struct Attached {
    #[serde(flatten)]
    recorded: Recorded,
    size: u64,
}

impl Show for Attached {
    fn show(&self, lang: Lang, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        self.recorded.show(lang, out)?;
        writeln!(out, "{}", lang.fill(Text::Measured, &[("size", &self.size), ("hash", &self.recorded.id)]))
    }
}

pub(super) fn perform(phone: &Phone, command: Command, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let find = |named: &str| index.resolve(phone, named, &[DocKind::Case]).map(|(_, id)| CaseId::from(id));
    let (named, kind, text) = match command {
        Command::Note { case, text } => (case, EventKind::Noted, Some(text)),
        Command::Register(event) => (event.case, EventKind::Registered, event.text),
        Command::Return(event) => (event.case, EventKind::Returned, event.text),
        Command::Close(event) => (event.case, EventKind::Closed, event.text),
        Command::Attach { case, file, kind } => return Ok(page.show(&attach(phone, find(&case)?, &file, kind)?)?),
    };
    let case = find(&named)?;
    let event = phone.engine.add_event(case, kind, text.as_deref())?;
    Ok(page.show(&Recorded::new(phone, "event", event, case))?)
}

fn attach(phone: &Phone, case: CaseId, path: &Path, kind: Option<AttachmentKind>) -> Result<Attached, PhoneError> {
    let unreadable = |error: std::io::Error| PhoneError::File { path: path.to_owned(), kind: error.kind() };
    let file = File::open(path).map_err(unreadable)?;
    // Asked first: nobody waits for the hash of a file that is too large anyway.
    Attachment::check_size(file.metadata().map_err(unreadable)?.len())?;
    let FileMeasure { sha256, size } = FileMeasure::of(file).map_err(unreadable)?;
    let kind = kind.unwrap_or_else(|| kind_of(path));
    phone.engine.add_attachment(DocKind::Case, case.into(), sha256, size, kind, None)?;
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Attached { recorded: Recorded::new(phone, "attachment", &sha256, case), size })
}

fn kind_of(path: &Path) -> AttachmentKind {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "jpg" | "jpeg" | "png" | "webp" | "heic" => AttachmentKind::Photo,
        "m4a" | "mp3" | "amr" | "wav" | "ogg" => AttachmentKind::Audio,
        "mp4" | "mov" | "3gp" | "webm" => AttachmentKind::Video,
        _ => AttachmentKind::Document,
    }
}
