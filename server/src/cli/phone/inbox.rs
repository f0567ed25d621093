//! `phone inbox`: late work of others that waits for a decision of this person.

use std::io::{self, Write};

use doorstep_core::field::LateRecord;
use doorstep_core::model::GroupId;
use serde::Serialize;

use super::index::Index;
use super::mark::{Ref, tail};
use super::page::{Page, Show, Table};
use super::refused::{Line, by_end, lines};
use super::{Phone, PhoneError};
use crate::cli::text::{Lang, Text};

/// What `inbox` takes.
#[derive(Debug, clap::Args)]
pub struct InboxArgs {
    /// What to do with one; without it all are listed.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be decided about late work.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// 采纳 Take it: it stands in its author's name from then on
    Adopt {
        /// Its id, or the end of it that the list shows; `all` takes everything
        id: String,
    },
    /// 不采纳 Turn it down: it stays in the server's quarantine
    Decline {
        /// Its id, or the end of it that the list shows
        id: String,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    group: String,
    short: String,
    author: Option<String>,
    arrived_at: i64,
    subjects: Vec<Ref>,
    lines: Vec<Line>,
    #[serde(skip)]
    arrived: String,
}

#[derive(Debug, Serialize)]
struct List {
    inbox: Vec<Row>,
}

impl Show for List {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let columns = [Text::ColumnId, Text::ColumnAuthor, Text::ColumnSubject, Text::ColumnWords, Text::ColumnArrived];
        let mut table = Table::new(lang, &columns);
        for row in &self.inbox {
            table.row(vec![
                row.short.clone(),
                row.author.clone().unwrap_or_default(),
                row.subjects.iter().map(Ref::word).collect::<Vec<_>>().join(" "),
                row.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" · "),
                row.arrived.clone(),
            ]);
        }
        table.write(lang, out)?;
        if !self.inbox.is_empty() {
            writeln!(out, "{}", lang.say(Text::NextInbox))?;
        }
        Ok(())
    }
}

/// What was decided.
#[derive(Debug, Serialize)]
struct Decided {
    decided: Vec<String>,
    adopted: bool,
}

impl Show for Decided {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let text = if self.adopted { Text::Adopted } else { Text::TurnedDown };
        writeln!(out, "{}", lang.fill(text, &[("n", &self.decided.len())]))
    }
}

pub(super) fn perform(phone: &Phone, args: InboxArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let waiting = phone.engine.inbox()?;
    let (meant, adopts) = match args.command {
        None => return list(phone, waiting, page),
        Some(Command::Adopt { id }) if id == "all" => (waiting.iter().map(|late| late.group).collect(), true),
        Some(Command::Adopt { id }) => (vec![find(&waiting, &id)?], true),
        Some(Command::Decline { id }) => (vec![find(&waiting, &id)?], false),
    };
    meant.iter().try_for_each(|group: &GroupId| phone.engine.decide(*group, adopts))?;
    Ok(page.show(&Decided { decided: meant.iter().map(ToString::to_string).collect(), adopted: adopts })?)
}

fn find(waiting: &[LateRecord], named: &str) -> Result<GroupId, PhoneError> {
    by_end(waiting.iter().map(|late| late.group), named)
}

fn list(phone: &Phone, waiting: Vec<LateRecord>, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let index = Index::read(phone)?;
    let rows = waiting.into_iter().map(|late| {
        let subject = |(kind, doc): &(_, _)| match phone.engine.summary_of(*kind, *doc)? {
            Some(_) => index.document(phone, *kind, *doc),
            None => Ok(Ref { id: doc.to_string(), name: None }),
        };
        Ok(Row {
            short: tail(&late.group.to_string()),
            group: late.group.to_string(),
            author: late.author_name,
            arrived_at: late.arrived_at.0,
            subjects: late.docs.iter().map(subject).collect::<Result<_, PhoneError>>()?,
            lines: lines(late.lines),
            arrived: late.arrived_at.to_string(),
        })
    });
    Ok(page.show(&List { inbox: rows.collect::<Result<_, PhoneError>>()? })?)
}
