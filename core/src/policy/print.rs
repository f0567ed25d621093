//! The tables as a page: what `doorstep policy` prints, and what the tests hold the functions against.

use std::fmt::Write as _;

use super::read::{Access, access, receives};
use super::target::What;
use super::write::{WRITES, When};
use crate::docs::DocKind;
use crate::docs::layout::{Container, fields};
use crate::model::{EventKind, Role};

/// What can be written to a kind at all.
pub(super) fn writable(kind: DocKind) -> Vec<What> {
    let has = |container| kind.containers().contains(&container);
    What::all()
        .filter(|what| match what {
            What::Begin | What::Describe | What::Move | What::Remove => true,
            What::Tag => has(Container::Tags),
            What::Member => has(Container::Members),
            What::Visit => has(Container::Visits),
            What::Amend => has(Container::Amendments),
            What::Note => has(Container::Notes),
            What::Attach => has(Container::Attachments),
            What::Event(EventKind::DuplicateOf) => false,
            What::Event(_) => has(Container::Events),
        })
        .collect()
}

/// The cell of the write table for one role: `yes`, `own` (only where it is the person's own), or `-`.
fn written(role: &Role, kind: DocKind, what: &What) -> &'static str {
    let mut rows = WRITES.iter().filter(|rule| rule.roles.contains(role) && rule.kinds.contains(&kind) && rule.what.contains(what));
    match rows.next().map(|first| first.when == When::Always || rows.any(|rule| rule.when == When::Always)) {
        None => "-",
        Some(true) => "yes",
        Some(false) => "own",
    }
}

const fn seen(access: Access) -> &'static str {
    match access {
        Access::Absent => "-",
        Access::Masked => "masked",
        Access::Clear => "clear",
    }
}

/// Both tables in Markdown: for each kind of document, what each role may write and what it sees.
pub fn as_text() -> String {
    let mut text = String::from(
        "# Who may write and read what\n\nWrites: `yes`, `own` (where the case was captured or the visit made by who writes), `-`. An event that only \
         the server writes is in no column.\nReads: `clear`, `masked` (the last four characters), `-`. `sent` says whether such documents go to a \
         phone of the role: as long as personal fields (marked *) are not sealed each for itself, only where all is clear.\n",
    );
    for kind in DocKind::ALL {
        let what = writable(kind);
        let columns: Vec<String> = what.iter().map(What::name).collect();
        table(&mut text, &format!("{}: writes", kind.name()), &columns, |role| what.iter().map(|what| written(role, kind, what)).collect());
        let columns: Vec<String> = std::iter::once("sent".to_owned())
            .chain(fields(kind).iter().map(|field| format!("{}{}", field.name, if field.is_personal { "*" } else { "" })))
            .collect();
        table(&mut text, &format!("{}: reads", kind.name()), &columns, |role| {
            let sent = if receives(role, kind) { "yes" } else { "-" };
            std::iter::once(sent).chain(fields(kind).iter().map(|field| seen(access(role, kind, field.name)))).collect()
        });
    }
    text
}

fn table(text: &mut String, title: &str, columns: &[String], cells: impl Fn(&Role) -> Vec<&'static str>) {
    // Writing into a string does not fail.
    let _ = write!(text, "\n## {title}\n\n| role | {} |\n|---{}|\n", columns.join(" | "), "|---".repeat(columns.len()));
    for role in Role::KNOWN {
        let _ = writeln!(text, "| {role} | {} |", cells(role).join(" | "));
    }
}
