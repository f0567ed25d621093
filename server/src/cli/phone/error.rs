//! What a person is told when a command does not do what it was asked: one plain sentence, what to do next, and a code for scripts.

use std::io;
use std::path::PathBuf;

use doorstep_core::docs::DocKind;
use doorstep_core::field::FieldError;
use doorstep_core::model::{Invalid, Millis};
use doorstep_core::policy::Denied;
use doorstep_core::store::StoreError;
use doorstep_core::sync::client::SyncFailure;
use serde::Serialize;
use serde_json::json;

use doorstep_core::text::ENROLMENT_CODE;

use crate::cli::text::{Lang, Text};

/// Why a command did not do what it was asked. What it says goes to the person who typed it and nowhere else, so it may repeat what was typed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PhoneError {
    #[error("{folder} is not enrolled")]
    NotEnrolled { folder: PathBuf },
    #[error("{folder} is not a phone's folder")]
    ForeignFolder { folder: PathBuf },
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The exchange failed; so much waits here.
    #[error("{failure}")]
    NotSynced { failure: SyncFailure, pending: usize, next_attempt: Option<Millis>, wait_seconds: u64 },
    #[error("nothing on this phone is called {named}")]
    NoSuch { kinds: Vec<DocKind>, named: String },
    #[error("{named} may be any of {count}")]
    Ambiguous { named: String, count: usize, candidates: Vec<Candidate> },
    #[error("no visit has the id {named}")]
    NoVisit { named: String },
    #[error("nothing refused has the id {named}")]
    NoRefused { named: String },
    #[error("no grid is called {named}")]
    NoGrid { named: String },
    #[error("{path} cannot be read")]
    File { path: PathBuf, kind: io::ErrorKind },
    #[error("others may read {path}")]
    KeyFileOpen { path: PathBuf },
    #[error("{path} is no key")]
    KeyFileUnfit { path: PathBuf },
    #[error("nothing is to be changed")]
    NothingToChange,
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// A record that may have been meant.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Candidate {
    pub id: String,
    pub short: String,
    pub kind: &'static str,
    pub label: String,
}

impl From<StoreError> for PhoneError {
    fn from(error: StoreError) -> Self {
        Self::Field(error.into())
    }
}

impl From<Invalid> for PhoneError {
    fn from(invalid: Invalid) -> Self {
        Self::Field(invalid.into())
    }
}

impl PhoneError {
    /// The code in JSON. Never renamed.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::NotEnrolled { .. } => "field.not_enrolled",
            Self::ForeignFolder { .. } => "phone.foreign_folder",
            Self::Field(error) => error.code(),
            Self::NotSynced { failure, .. } => failure.code(),
            Self::NoSuch { .. } => "phone.no_such_record",
            Self::Ambiguous { .. } => "phone.ambiguous",
            Self::NoVisit { .. } => "phone.no_such_visit",
            Self::NoRefused { .. } => "phone.no_such_refusal",
            Self::NoGrid { .. } => "phone.no_such_grid",
            Self::File { .. } => "phone.file",
            Self::KeyFileOpen { .. } => "phone.key_file_open",
            Self::KeyFileUnfit { .. } => "phone.key_file_unfit",
            Self::NothingToChange => "phone.nothing_to_change",
            Self::Output(_) => "phone.output",
        }
    }

    /// For a script.
    pub(crate) fn to_json(&self, lang: Lang) -> serde_json::Value {
        let mut error = json!({ "code": self.code(), "message": self.sentence(lang) });
        let fields = error.as_object_mut().into_iter();
        for fields in fields {
            if let Some(next) = self.next(lang) {
                fields.insert("next".to_owned(), next.into());
            }
            match self {
                Self::Ambiguous { candidates, .. } => {
                    fields.insert("candidates".to_owned(), json!(candidates));
                }
                Self::NotSynced { failure, pending, next_attempt, .. } => {
                    fields.insert("pending".to_owned(), json!(pending));
                    fields.insert("next_attempt".to_owned(), json!(next_attempt.map(|at| at.0)));
                    if let SyncFailure::Rejected { code } = failure {
                        fields.insert("because".to_owned(), json!(code));
                    }
                }
                _ => {}
            }
        }
        json!({ "error": error })
    }

    /// For a person: the sentence, the candidates, what to do next.
    pub(crate) fn to_text(&self, lang: Lang) -> String {
        let mut text = self.sentence(lang);
        if let Self::Ambiguous { count, candidates, .. } = self {
            for candidate in candidates {
                text.push_str(&format!("\n  {}  {}  {}", candidate.short, lang.kind(candidate.kind), candidate.label));
            }
            let more = count - candidates.len();
            if more > 0 {
                text.push_str(&format!("\n  {}", lang.fill(Text::AndMore, &[("n", &more)])));
            }
        }
        if let Some(next) = self.next(lang) {
            text.push('\n');
            text.push_str(&next);
        }
        text
    }

    fn sentence(&self, lang: Lang) -> String {
        match self {
            Self::NotEnrolled { folder } => lang.fill(Text::NotEnrolled, &[("folder", &folder.display())]),
            Self::ForeignFolder { folder } => lang.fill(Text::ForeignFolder, &[("folder", &folder.display())]),
            Self::Field(FieldError::NotEnrolled) => lang.fill(Text::NotEnrolled, &[("folder", &"--store")]),
            Self::Field(error) => lang.sentence(error),
            Self::NotSynced { failure, .. } => lang.sync_sentence(failure),
            Self::NoSuch { kinds, named } => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| lang.kind(kind.name())).collect();
                let kinds =
                    if kinds.len() == DocKind::ALL.len() { lang.say(Text::Record).to_owned() } else { kinds.join(lang.say(Text::Or)) };
                lang.fill(Text::NoSuch, &[("kind", &kinds), ("named", named)])
            }
            Self::Ambiguous { named, count, .. } => lang.fill(Text::Ambiguous, &[("named", named), ("n", count)]),
            Self::NoVisit { named } => lang.fill(Text::NoVisit, &[("named", named)]),
            Self::NoRefused { named } => lang.fill(Text::NoRefused, &[("named", named)]),
            Self::NoGrid { named } => lang.fill(Text::NoGrid, &[("named", named)]),
            Self::File { path, kind } => lang.fill(Text::FileUnreadable, &[("path", &path.display()), ("why", kind)]),
            Self::KeyFileOpen { path } => lang.fill(Text::KeyFileOpen, &[("path", &path.display())]),
            Self::KeyFileUnfit { path } => lang.fill(Text::KeyFileUnfit, &[("path", &path.display())]),
            Self::NothingToChange => lang.say(Text::NothingToChange).to_owned(),
            Self::Output(error) => lang.fill(Text::OutputFailed, &[("why", &error.kind())]),
        }
    }

    fn next(&self, lang: Lang) -> Option<String> {
        let next = match self {
            Self::NotEnrolled { .. } | Self::Field(FieldError::NotEnrolled) => Text::NextEnrol,
            Self::ForeignFolder { .. } => Text::NextOtherFolder,
            Self::Field(FieldError::AlreadyEnrolled) => Text::NextAnotherStore,
            Self::Field(FieldError::Store(StoreError::InUse)) => Text::NextWait,
            Self::Field(FieldError::Store(StoreError::Full)) => Text::NextFreeDisk,
            Self::Field(FieldError::Store(StoreError::WrongKey | StoreError::KeyNeeded)) => Text::NextRightKey,
            Self::Field(FieldError::Store(StoreError::NotSealed)) => Text::NextNoKey,
            Self::Field(FieldError::Store(StoreError::Wiped)) => Text::NextRemoveFolder,
            Self::KeyFileOpen { path } => return Some(lang.fill(Text::NextCloseKeyFile, &[("path", &path.display())])),
            Self::Field(FieldError::Store(_) | FieldError::Damaged { .. } | FieldError::Document(_)) => Text::NextDamaged,
            Self::Field(FieldError::NotFound { what: "grid" }) => Text::NextGrid,
            Self::Field(FieldError::Denied(Denied::NotInScope)) => Text::NextSyncForGrant,
            Self::Field(FieldError::Sync(SyncFailure::Rejected { code })) if code == ENROLMENT_CODE => Text::NextNewCode,
            Self::Field(FieldError::Sync(_)) => Text::NextEnrolAgain,
            Self::NotSynced { pending, failure: SyncFailure::Rejected { .. }, .. } => {
                return Some(lang.fill(Text::NothingLostButRejected, &[("n", pending)]));
            }
            Self::NotSynced { pending, wait_seconds, .. } => {
                return Some(lang.fill(Text::NothingLost, &[("n", pending), ("seconds", wait_seconds)]));
            }
            Self::NoSuch { .. } => Text::NextSearch,
            Self::Ambiguous { .. } => Text::NextChoose,
            Self::NoVisit { .. } => Text::NextShowDoor,
            Self::NoRefused { .. } => Text::NextListRefused,
            Self::NoGrid { .. } => Text::NextListGrids,
            Self::NothingToChange => Text::NextHelp,
            Self::Field(_) | Self::File { .. } | Self::KeyFileUnfit { .. } | Self::Output(_) => return None,
        };
        Some(lang.say(next).to_owned())
    }
}
