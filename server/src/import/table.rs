//! Text into rows of cells (RFC 4180), with the line on which each row begins.
//!
//! Reads by hand what a general CSV reader takes too kindly for an import that is all or nothing: a quotation mark that is never closed
//! would swallow the rest of the file as one cell; a row of a million commas would take memory without bound; and the line of a row behind
//! empty lines or `\r\n` has to be the one that an editor shows. The tests hold it against the `csv` crate.

use std::borrow::Cow;

/// The most cells of a row. Our files have 12 columns; a spreadsheet leaves some empty ones behind them.
const MOST_CELLS: usize = 64;

/// The rows of a file, one after the other.
pub(super) struct Table<'a> {
    rest: &'a str,
    line: u64,
}

/// A row: its cells as they stand, and the line on which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub line: u64,
    pub cells: Vec<Cow<'a, str>>,
}

/// A row that cannot be cut into cells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub line: u64,
    pub rule: &'static str,
}

/// How a cell ended.
enum End {
    Cell,
    Row,
}

impl<'a> Table<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The next row in which a cell holds more than spaces; `None` at the end of the file.
    pub(super) fn next_filled(&mut self) -> Option<Result<Record<'a>, Broken>> {
        loop {
            match self.next_record()? {
                Ok(record) if record.cells.iter().all(|cell| cell.trim().is_empty()) => {}
                other => return Some(other),
            }
        }
    }

    fn next_record(&mut self) -> Option<Result<Record<'a>, Broken>> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, mut cells) = (self.line, Vec::new());
        loop {
            if cells.len() == MOST_CELLS {
                return Some(Err(self.give_up(line, "has more than 64 cells")));
            }
            let cell = match self.rest.strip_prefix('"') {
                Some(quoted) => self.quoted(quoted),
                None => Ok(self.plain()),
            };
            let (cell, end) = match cell {
                Ok(cell) => cell,
                Err(rule) => return Some(Err(self.give_up(line, rule))),
            };
            cells.push(cell);
            if matches!(end, End::Row) {
                return Some(Ok(Record { line, cells }));
            }
        }
    }

    /// A cell without quotes; a quotation mark inside is itself.
    fn plain(&mut self) -> (Cow<'a, str>, End) {
        let (cell, rest) = split(self.rest, self.rest.find([',', '\n', '\r']).unwrap_or(self.rest.len()));
        self.rest = rest;
        (Cow::Borrowed(cell), self.end())
    }

    /// A cell in quotes, whose opening one is already taken off; `""` is a quotation mark, and line breaks become `\n`.
    fn quoted(&mut self, text: &'a str) -> Result<(Cow<'a, str>, End), &'static str> {
        let mut from = 0;
        loop {
            let found = text.get(from..).and_then(|tail| tail.find('"')).ok_or("opens a quotation mark that is never closed")?;
            let (before, behind) = split(text, from + found);
            let (_, behind) = split(behind, 1);
            if behind.starts_with('"') {
                from += found + 2;
                continue;
            }
            self.line += breaks(before);
            self.rest = behind;
            if !(behind.is_empty() || behind.starts_with([',', '\n', '\r'])) {
                return Err("has text behind a closing quotation mark");
            }
            return Ok((unquote(before), self.end()));
        }
    }

    /// Takes the separator behind a cell off.
    fn end(&mut self) -> End {
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return End::Cell;
        }
        let rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix(['\n', '\r']));
        if let Some(rest) = rest {
            self.rest = rest;
            self.line += 1;
        }
        End::Row
    }

    /// Goes on at the next line of the file; behind a quotation mark that is never closed, at the next line as well.
    fn give_up(&mut self, line: u64, rule: &'static str) -> Broken {
        let (_, rest) = split(self.rest, self.rest.find(['\n', '\r']).unwrap_or(self.rest.len()));
        self.rest = rest;
        self.end();
        Broken { line, rule }
    }
}

/// Cuts at a byte that `find` gave, which is always between two characters.
fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn breaks(text: &str) -> u64 {
    let lone_returns = text.matches('\r').count() - text.matches("\r\n").count();
    (text.matches('\n').count() + lone_returns) as u64
}

fn unquote(cell: &str) -> Cow<'_, str> {
    if !cell.contains(['"', '\r']) {
        return Cow::Borrowed(cell);
    }
    Cow::Owned(cell.replace("\"\"", "\"").replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<(u64, Vec<String>), (u64, &'static str)>;

    fn read(text: &str) -> Vec<Read> {
        let mut table = Table::new(text);
        std::iter::from_fn(|| table.next_filled())
            .map(|record| match record {
                Ok(record) => Ok((record.line, record.cells.iter().map(|cell| cell.to_string()).collect())),
                Err(broken) => Err((broken.line, broken.rule)),
            })
            .collect()
    }

    fn row(line: u64, cells: &[&str]) -> Read {
        Ok((line, cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn a_row_knows_the_line_on_which_it_begins() {
        let text = "a,b\r\n\r\n\"x\r\ny\",2\r\n , \nq,\"1\n2\n3\"\nlast,row";
        assert_eq!(read(text), [row(1, &["a", "b"]), row(3, &["x\ny", "2"]), row(6, &["q", "1\n2\n3"]), row(9, &["last", "row"])]);
        assert_eq!(read("a\rb\r\"c\rd\"\re"), [row(1, &["a"]), row(2, &["b"]), row(3, &["c\nd"]), row(5, &["e"])]);
    }

    #[test]
    fn quotes_are_read_as_rfc_4180_has_them() {
        assert_eq!(read("\"a\"\"b\",\"\",\"\"\"\"\"\""), [row(1, &["a\"b", "", "\"\""])]);
        assert_eq!(read("5\" pipe,a\"b\""), [row(1, &["5\" pipe", "a\"b\""])]);
    }

    #[test]
    fn a_broken_row_does_not_take_the_next_one_along() {
        assert_eq!(read("\"a\"b,c\nd,e"), [Err((1, "has text behind a closing quotation mark")), row(2, &["d", "e"])]);
        assert_eq!(read("x\n\"a,b\nd,e"), [row(1, &["x"]), Err((2, "opens a quotation mark that is never closed")), row(3, &["d", "e"])]);
        for cells in [65, 66, 10_000] {
            let wide = format!("{}\nd,e", ["x"].repeat(cells).join(","));
            assert_eq!(read(&wide), [Err((1, "has more than 64 cells")), row(2, &["d", "e"])]);
        }
    }
}
