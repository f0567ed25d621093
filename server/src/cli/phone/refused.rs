//! `phone refused`: what the server refused, for its author to look at.

use std::io::{self, Write};

use doorstep_core::docs::DocKind;
use doorstep_core::field::RefusedRecord;
use doorstep_core::model::{DocId, GroupId, Personal};
use serde::Serialize;

use super::index::{Index, unless_locked};
use super::mark::{Ref, tail};
use super::page::{Page, Show, Table};
use super::{Phone, PhoneError};
use crate::cli::text::{Lang, Text};

/// What `refused` takes.
#[derive(Debug, clap::Args)]
pub struct RefusedArgs {
    /// What to do with one; without it all are listed.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be done with what was refused.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Send it again, now that the reason has gone
    Resend {
        /// Its id, or the end of it that the list shows
        id: String,
    },
    /// Send it again with other words: a visit, an amendment, a note, an event or an issue
    Mend {
        /// Its id, or the end of it that the list shows
        id: String,
        /// The words
        text: String,
    },
    /// Let it go for good
    Discard {
        /// Its id, or the end of it that the list shows
        id: String,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    group: String,
    short: String,
    what: &'static str,
    subject: Ref,
    code: String,
    recorded_at: i64,
    refused_at: i64,
    here: bool,
    lines: Vec<Line>,
    #[serde(skip)]
    recorded: String,
}

/// One thing that a record says.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub field: String,
    pub text: String,
}

pub(super) fn lines(of: Vec<(String, Personal<String>)>) -> Vec<Line> {
    of.into_iter().map(|(field, text)| Line { field, text: text.into_inner() }).collect()
}

#[derive(Debug, Serialize)]
struct List {
    refused: Vec<Row>,
}

impl Show for List {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(
            lang,
            &[Text::ColumnId, Text::ColumnWhat, Text::ColumnSubject, Text::ColumnReason, Text::ColumnWords, Text::ColumnRecorded],
        );
        for row in &self.refused {
            table.row(vec![
                row.short.clone(),
                lang.kind(row.what).to_owned(),
                row.subject.word(),
                lang.refusal(&row.code),
                row.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" · "),
                row.recorded.clone(),
            ]);
        }
        table.write(lang, out)?;
        if !self.refused.is_empty() {
            writeln!(out, "{}", lang.say(Text::NextRefused))?;
        }
        Ok(())
    }
}

/// What became of one.
#[derive(Debug, Serialize)]
struct Done {
    kind: &'static str,
    id: String,
    done: &'static str,
}

impl Show for Done {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let text = if self.done == "resent" { Text::Resent } else { Text::Discarded };
        writeln!(out, "{}", lang.fill(text, &[("kind", &lang.kind(self.kind))]))
    }
}

pub(super) fn perform(phone: &Phone, args: RefusedArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let records = phone.engine.refused()?;
    let done = match args.command {
        None => return list(phone, records, page),
        Some(Command::Resend { id }) => {
            let record = find(&records, &id)?;
            phone.engine.resend(record.group)?;
            Done { kind: record.what, id: record.group.to_string(), done: "resent" }
        }
        Some(Command::Mend { id, text }) => {
            let record = find(&records, &id)?;
            phone.engine.mend(record.group, &text)?;
            Done { kind: record.what, id: record.group.to_string(), done: "resent" }
        }
        Some(Command::Discard { id }) => {
            let record = find(&records, &id)?;
            phone.engine.discard(record.group)?;
            Done { kind: record.what, id: record.group.to_string(), done: "discarded" }
        }
    };
    Ok(page.show(&done)?)
}

fn list(phone: &Phone, records: Vec<RefusedRecord>, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let rows = records.into_iter().map(|record| {
        Ok(Row {
            short: tail(&record.group.to_string()),
            group: record.group.to_string(),
            what: record.what,
            subject: subject(phone, &index, record.doc)?,
            code: record.code,
            recorded_at: record.recorded_at.0,
            refused_at: record.refused_at.0,
            here: record.is_here,
            lines: lines(record.lines),
            recorded: record.recorded_at.to_string(),
        })
    });
    Ok(page.show(&List { refused: rows.collect::<Result<_, PhoneError>>()? })?)
}

/// What the command was for, under whatever kind it is here.
fn subject(phone: &Phone, index: &Index, doc: DocId) -> Result<Ref, PhoneError> {
    for kind in DocKind::ALL {
        if unless_locked(phone.engine.summary_of(kind, doc))?.flatten().is_some() {
            return index.document(phone, kind, doc);
        }
    }
    Ok(Ref { id: doc.to_string(), name: None })
}

fn find<'a>(records: &'a [RefusedRecord], named: &str) -> Result<&'a RefusedRecord, PhoneError> {
    let group = by_end(records.iter().map(|record| record.group), named)?;
    records.iter().find(|record| record.group == group).ok_or_else(|| PhoneError::NoRefused { named: named.to_owned() })
}

/// The only group whose id ends so.
pub(super) fn by_end(groups: impl Iterator<Item = GroupId>, named: &str) -> Result<GroupId, PhoneError> {
    /// The shortest end of an id that is taken.
    const LEAST: usize = 4;
    let named = named.trim().to_ascii_lowercase();
    let fits = |group: &GroupId| named.len() >= LEAST && group.to_string().ends_with(&named);
    match groups.filter(fits).collect::<Vec<_>>().as_slice() {
        [only] => Ok(*only),
        _ => Err(PhoneError::NoRefused { named }),
    }
}
