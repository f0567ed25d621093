//! One row while it is read: gives its cells by column as checked values, and collects what is wrong with them.

use super::MOST_CELL_CHARS;
use super::column::{Content, Header};
use super::report::RowFault;
use super::table::Record;
use doorstep_core::model::Invalid;
use std::borrow::Cow;
use std::str::FromStr;

/// What separates several values in one cell.
const LIST_SEPARATORS: [char; 3] = [';', '；', '、'];

pub(super) struct Row<'a> {
    header: &'a Header,
    record: &'a Record<'a>,
    faults: Vec<RowFault>,
}

impl<'a> Row<'a> {
    /// Begins a row. A cell in a column without a name is a fault: what stands there would be lost.
    pub(super) fn new(header: &'a Header, record: &'a Record<'a>) -> Self {
        let nameless = |(at, cell): (usize, &Cow<'_, str>)| {
            let lost = header.content(at) == Content::Nameless && !cell.trim().is_empty();
            lost.then(|| RowFault { column: format!("column {}", at + 1).into(), rule: "has a value but no name in the header".into() })
        };
        Self { header, record, faults: record.cells.iter().enumerate().filter_map(nameless).collect() }
    }

    /// The line on which the row begins.
    pub(super) const fn line(&self) -> u64 {
        self.record.line
    }

    /// Notes that a column breaks a rule.
    pub(super) fn refuse(&mut self, column: &'static str, rule: impl Into<Cow<'static, str>>) {
        self.faults.push(RowFault { column: column.into(), rule: rule.into() });
    }

    pub(super) fn into_faults(self) -> Vec<RowFault> {
        self.faults
    }

    /// Text that must be there.
    pub(super) fn required(&mut self, column: &'static str) -> Option<String> {
        if self.cell(column).is_none() {
            self.refuse(column, "is empty");
        }
        self.text(column)
    }

    /// Text that may be missing.
    pub(super) fn text(&mut self, column: &'static str) -> Option<String> {
        self.read(column, |text| Invalid::check_text(column, text, MOST_CELL_CHARS))
    }

    /// A value of a type that reads itself.
    pub(super) fn parsed<T: FromStr<Err = Invalid>>(&mut self, column: &'static str) -> Option<T> {
        self.read(column, str::parse)
    }

    /// A value read by `read`.
    pub(super) fn read<T>(&mut self, column: &'static str, read: impl Fn(&str) -> Result<T, Invalid>) -> Option<T> {
        match read(self.cell(column)?) {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.refuse(column, invalid.rule);
                None
            }
        }
    }

    /// Several values in one cell, each once, in the order of the file.
    pub(super) fn list<T: PartialEq>(&mut self, column: &'static str, read: impl Fn(&str) -> Result<T, Invalid>) -> Vec<T> {
        let mut values = Vec::new();
        let Some(text) = self.cell(column) else { return values };
        if text.chars().count() > MOST_CELL_CHARS {
            self.refuse(column, format!("is longer than {MOST_CELL_CHARS} characters"));
            return values;
        }
        for part in text.split(LIST_SEPARATORS).map(str::trim).filter(|part| !part.is_empty()) {
            match read(part) {
                Ok(value) if values.contains(&value) => {}
                Ok(value) => values.push(value),
                Err(invalid) => {
                    self.refuse(column, invalid.rule);
                    break;
                }
            }
        }
        values
    }

    /// The trimmed cell, unless it is empty or the file has no such column.
    fn cell(&self, column: &'static str) -> Option<&'a str> {
        let cell = self.record.cells.get(self.header.position(column)?)?.trim();
        (!cell.is_empty()).then_some(cell)
    }
}
