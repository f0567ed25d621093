//! Where an answer goes: as text in the reader's language or as JSON, and progress beside it.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::text::{Lang, Text};

/// An answer that can be shown as text; its JSON is its serialization.
pub(super) trait Show: Serialize {
    /// Writes it for a person.
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()>;
}

/// The page that a command writes on.
pub(crate) struct Page<'a> {
    out: Box<dyn Write + 'a>,
    progress: Option<&'a mut dyn Write>,
    pub(super) lang: Lang,
    json: bool,
}

impl<'a> Page<'a> {
    /// A page in a language, or of JSON.
    pub(crate) fn new(out: impl Write + 'a, lang: Lang, json: bool) -> Self {
        Self { out: Box::new(out), progress: None, lang, json }
    }

    /// Shows progress on `out` from now on.
    pub(super) fn show_progress_on(&mut self, out: &'a mut dyn Write) {
        self.progress = Some(out);
    }

    /// Writes an answer.
    pub(super) fn show(&mut self, answer: &impl Show) -> io::Result<()> {
        if self.json { self.json(answer) } else { answer.show(self.lang, &mut *self.out) }
    }

    /// Writes JSON, one answer a line.
    pub(super) fn json(&mut self, answer: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, answer)?;
        writeln!(self.out)?;
        self.out.flush()
    }

    /// Tells what is going on meanwhile, if somebody watches.
    pub(super) fn progress(&mut self, text: Text, values: &[(&str, &dyn std::fmt::Display)]) {
        if let Some(progress) = &mut self.progress {
            // Progress is a courtesy: what matters goes to the answer.
            let _ = writeln!(progress, "{}", self.lang.fill(text, values));
        }
    }
}

/// Rows under a heading, in columns as wide as what stands in them.
pub(super) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(lang: Lang, heading: &[Text]) -> Self {
        Self { heading: heading.iter().map(|text| lang.say(*text)).collect(), rows: Vec::new() }
    }

    /// Adds a row. What has line breaks or control characters is shown on one line, so that no text can draw on the terminal.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| one_line(cell)).collect());
    }

    /// Writes it, or that it is empty.
    pub(super) fn write(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return writeln!(out, "{}", lang.say(Text::Nothing));
        }
        let widths: Vec<usize> = (0..self.heading.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
                cells.chain(self.heading.get(column).map(|heading| width(heading))).max().unwrap_or(0)
            })
            .collect();
        write_line(out, &widths, self.heading.iter().copied())?;
        self.rows.iter().try_for_each(|row| write_line(out, &widths, row.iter().map(String::as_str)))?;
        writeln!(out, "{}", lang.fill(Text::Count, &[("n", &self.rows.len())]))
    }
}

fn write_line<'a>(out: &mut dyn Write, widths: &[usize], cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut line = String::new();
    for (cell, column) in cells.zip(widths) {
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', column - width(cell).min(*column) + 2));
    }
    writeln!(out, "{}", line.trim_end())
}

/// The columns that a terminal takes for a text: two for Chinese characters and their marks.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffdc}' | '\u{1f300}'..='\u{3fffd}') { 2 } else { 1 })
        .sum()
}

/// A text on one line, without what a terminal would take for a command.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_chinese_characters_are_shown() {
        let mut table = Table::new(Lang::En, &[Text::ColumnId, Text::ColumnDoor, Text::ColumnTags]);
        table.row(vec!["7f3a".into(), "3栋301".into(), "独居".into()]);
        table.row(vec!["88b1".into(), "12".into(), String::new()]);
        let mut out = Vec::new();
        table.write(Lang::En, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\n7f3a  3栋301  独居\n88b1  12\n"), "{text}");
    }

    #[test]
    fn what_somebody_wrote_cannot_draw_on_the_terminal() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc"), "a [2Jb c");
    }
}
