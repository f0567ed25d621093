//! The columns of a kind of file, and the header row that says where each stands.

use super::report::{ImportReport, RowFault};
use super::table::Record;
use std::borrow::Cow;

/// A column that a file may have.
#[derive(Debug)]
pub(super) struct Column {
    /// Its English name, by which reports call it.
    pub name: &'static str,
    /// Its Chinese names; the first is the one to use.
    pub chinese: &'static [&'static str],
    /// Whether every row must fill it.
    pub required: bool,
}

/// A column that every row fills.
pub(super) const fn required(name: &'static str, chinese: &'static [&'static str]) -> Column {
    Column { name, chinese, required: true }
}

/// A column that may be missing or empty.
pub(super) const fn optional(name: &'static str, chinese: &'static [&'static str]) -> Column {
    Column { name, chinese, required: false }
}

/// A running number of the rows, which nobody needs.
const NUMBER: &[&str] = &["no", "no.", "#", "序号"];

/// What stands in one column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// The column of this name.
    Known(&'static str),
    /// Something that is left out, and may be anything.
    LeftOut,
    /// A column without a name, which must be empty.
    Nameless,
}

/// Which column stands where.
#[derive(Debug)]
pub(super) struct Header {
    contents: Vec<Content>,
}

impl Header {
    /// Reads the header row. A name is never put into the report: where the header is missing, it is a value of the first row.
    pub(super) fn read(record: &Record<'_>, columns: &'static [Column]) -> Result<Self, ImportReport> {
        let (mut contents, mut faults) = (Vec::with_capacity(record.cells.len()), Vec::new());
        for (at, cell) in record.cells.iter().enumerate() {
            let content = content(cell, columns);
            match content {
                None => faults.push(fault(format!("column {}", at + 1), "has a name that is none of this kind of file")),
                Some(Content::Known(name)) if contents.contains(&Content::Known(name)) => faults.push(fault(name, "stands there twice")),
                _ => {}
            }
            contents.push(content.unwrap_or(Content::LeftOut));
        }
        let missing = columns.iter().filter(|column| column.required && !contents.contains(&Content::Known(column.name)));
        faults.extend(missing.map(|column| {
            fault(column.name, format!("({}) is missing in the header", column.chinese.first().copied().unwrap_or_default()))
        }));
        if faults.is_empty() {
            return Ok(Self { contents });
        }
        let mut report = ImportReport::default();
        report.refuse_row(record.line, faults);
        Err(report)
    }

    /// Where the column of this name stands.
    pub(super) fn position(&self, name: &'static str) -> Option<usize> {
        self.contents.iter().position(|content| *content == Content::Known(name))
    }

    /// What stands at a position; behind the last column, nothing that has a name.
    pub(super) fn content(&self, at: usize) -> Content {
        self.contents.get(at).copied().unwrap_or(Content::Nameless)
    }
}

fn fault(column: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> RowFault {
    RowFault { column: column.into(), rule: rule.into() }
}

/// What a name in the header means; `None` when it means nothing in this kind of file.
fn content(cell: &str, columns: &'static [Column]) -> Option<Content> {
    let name = plain(cell);
    if name.is_empty() {
        return Some(Content::Nameless);
    }
    if NUMBER.contains(&name.as_str()) {
        return Some(Content::LeftOut);
    }
    let column = columns.iter().find(|column| plain(column.name) == name || column.chinese.contains(&name.as_str()))?;
    Some(Content::Known(column.name))
}

/// `Owners' Committee`, `owners_committee` and `owners-committee` are one name.
fn plain(name: &str) -> String {
    let words = name.to_lowercase().replace(['_', '-'], " ").replace(['\'', '’'], "");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
