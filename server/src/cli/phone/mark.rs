//! What several answers show alike: whether a record has arrived, references, masked numbers.

use std::io::{self, Write};

use doorstep_core::docs::Lock;
use doorstep_core::field::SyncState;
use doorstep_core::model::{DocId, Outcome};
use doorstep_core::summary::LastVisit;
use serde::Serialize;

use super::Phone;
use super::page::Show;
use crate::cli::text::{Lang, Text};

/// Whether a record has arrived.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Mark {
    pub sync: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

impl From<SyncState> for Mark {
    fn from(state: SyncState) -> Self {
        let sync = state.code();
        match state {
            SyncState::Refused { code } => Self { sync, refusal: Some(code) },
            _ => Self { sync, refusal: None },
        }
    }
}

impl Mark {
    /// The word for it.
    pub(super) fn word(&self, lang: Lang) -> String {
        lang.code(
            &[("local", Text::Local), ("sending", Text::Sending), ("accepted", Text::Accepted), ("refused", Text::Refused)],
            self.sync,
        )
    }
}

/// Something by id, with its name as far as this phone knows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Ref {
    pub id: String,
    pub name: Option<String>,
}

impl Ref {
    /// The name, or the end of the id where the name is not known here.
    pub(super) fn word(&self) -> String {
        self.name.clone().unwrap_or_else(|| tail(&self.id))
    }
}

/// How much of an id is shown where no list of others stands beside it.
const TAIL: usize = 8;

/// The end of an id's text.
pub(super) fn tail(id: &str) -> String {
    let start = id.len().saturating_sub(TAIL);
    id.get(start..).unwrap_or(id).to_owned()
}

/// A name that may not be known.
pub(super) fn word_of(reference: &Option<Ref>) -> String {
    reference.as_ref().map(Ref::word).unwrap_or_default()
}

/// The answer of a command that recorded something: what, and that it waits here.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Recorded {
    pub kind: &'static str,
    pub id: String,
    #[serde(flatten)]
    pub mark: Mark,
}

impl Recorded {
    /// What was recorded, of the document that it stands in.
    pub(super) fn new(phone: &Phone, kind: &'static str, id: impl std::fmt::Display, doc: impl Into<DocId>) -> Self {
        Self { kind, id: id.to_string(), mark: phone.engine.sync_state(doc).into() }
    }
}

impl Show for Recorded {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("kind", &lang.kind(self.kind)), ("id", &tail(&self.id)), ("sync", &self.mark.word(lang))];
        writeln!(out, "{}", lang.fill(Text::Recorded, &values))
    }
}

/// A telephone or identity number without all but its last four characters.
pub(super) fn mask(number: &str) -> String {
    let hidden = number.chars().count().saturating_sub(4);
    if hidden == 0 { "****".to_owned() } else { format!("***{}", number.chars().skip(hidden).collect::<String>()) }
}

/// When somebody was last here.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LastVisitRow {
    pub count: u32,
    pub at: Option<i64>,
    pub outcome: Option<String>,
    pub met_at: Option<i64>,
    pub follow_up: Option<String>,
    #[serde(skip)]
    said: Option<(String, Outcome)>,
}

impl From<LastVisit> for LastVisitRow {
    fn from(last: LastVisit) -> Self {
        Self {
            count: last.count,
            at: last.at.map(|at| at.0),
            outcome: last.outcome.as_ref().map(|outcome| outcome.code().to_owned()),
            met_at: last.met_at.map(|at| at.0),
            follow_up: last.follow_up.map(|day| day.to_string()),
            said: last.at.map(|at| at.day().to_string()).zip(last.outcome),
        }
    }
}

impl LastVisitRow {
    /// The day and how it went.
    pub(super) fn word(&self, lang: Lang) -> String {
        match &self.said {
            Some((day, outcome)) => format!("{day} {}", lang.outcome(outcome)),
            None => lang.say(Text::NeverVisited).to_owned(),
        }
    }
}

/// `open`, or why not all that is personal can be read.
pub(super) fn lock_code<S: serde::Serializer>(lock: &Lock, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(lock.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_number_only_the_last_four_characters_are_shown() {
        assert_eq!(mask("13800005678"), "***5678");
        assert_eq!(mask("11010519491231002X"), "***002X");
        assert_eq!(mask("1234"), "****");
    }
}
