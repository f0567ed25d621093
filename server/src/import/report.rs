//! What is wrong with a file, by line and column.

use serde::Serialize;
use std::borrow::Cow;

/// The most bad rows that a report lists; the rest is counted. A person mends the first screens and tries again.
const MOST_SHOWN: usize = 200;

/// Why a file was not imported. Holds line numbers, names of columns and rules, never a value of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ImportReport {
    /// The rule that the file as a whole breaks, to be read after "the file".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The first bad rows, in the order of the file.
    pub rows: Vec<BadRow>,
    /// How many rows are bad, the listed ones included.
    pub bad_rows: u64,
    #[serde(skip)]
    last_line: u64,
}

/// A bad row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The line of the file on which the row begins; the first line is 1.
    pub line: u64,
    /// What is wrong with it.
    pub faults: Vec<RowFault>,
}

/// A cell that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFault {
    /// The English name of the column; `column 3` for one without a name that is known; `row` for the row as a whole.
    pub column: Cow<'static, str>,
    /// The rule, to be read after the column's name.
    pub rule: Cow<'static, str>,
}

impl ImportReport {
    /// A report on a file that cannot be read as a whole.
    pub fn of_file(rule: impl Into<String>) -> Self {
        Self { file: Some(rule.into()), ..Self::default() }
    }

    /// A report on one cell.
    pub fn of_row(line: u64, column: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        let mut report = Self::default();
        report.refuse(line, column, rule);
        report
    }

    /// Adds a fault of a row; several faults of one row come one after the other.
    pub fn refuse(&mut self, line: u64, column: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) {
        self.refuse_row(line, vec![RowFault { column: column.into(), rule: rule.into() }]);
    }

    pub(super) fn refuse_row(&mut self, line: u64, faults: Vec<RowFault>) {
        if self.last_line == line {
            if let Some(row) = self.rows.last_mut().filter(|row| row.line == line) {
                row.faults.extend(faults);
            }
            return;
        }
        self.last_line = line;
        self.bad_rows += 1;
        if self.rows.len() < MOST_SHOWN {
            self.rows.push(BadRow { line, faults });
        }
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.file.is_none() && self.bad_rows == 0
    }

    /// The code of this error, a promise to clients.
    pub const fn code(&self) -> &'static str {
        "import.bad_rows"
    }
}

impl std::error::Error for ImportReport {}

impl std::fmt::Display for ImportReport {
    /// One line for each fault, for a terminal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(rule) = &self.file {
            write!(f, "nothing was imported: the file {rule}")?;
            return Ok(());
        }
        write!(f, "nothing was imported: {} bad rows", self.bad_rows)?;
        for row in &self.rows {
            for fault in &row.faults {
                write!(f, "\nline {}, {}: {}", row.line, fault.column, fault.rule)?;
            }
        }
        match self.bad_rows.saturating_sub(self.rows.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more bad rows"),
        }
    }
}
