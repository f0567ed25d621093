//! Door numbers: `3-2-301`, `3栋2单元301`, `301` and `B座1203` are runs of digits and of letters with something between them.
//!
//! A word with a digit in it finds a door whose runs hold the word's runs in the same order, the last at least as a beginning: `301`,
//! `30`, `3-2-301`, `3-301` and `3栋301` all find `3栋2单元301`; `2-3` does not. Where both sides say what a number counts (building,
//! unit, floor, room), that must agree: `3栋` does not find `1栋3单元`. Other characters of the word (`翠园3-301`) must stand among the
//! doors as they are. Runs are read across all doors of an entry, so these are listed from the large to the small.

/// What a number counts, by the word behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Unsaid,
    Building,
    Unit,
    Floor,
    Room,
}

/// The label at the beginning of a text, without it, and what it says. 楼 alone is a building in one city and a floor in another, and
/// 号 may be anything.
fn label(text: &str) -> Option<(&str, Counts)> {
    let mut rest = text.chars();
    let counts = match rest.next()? {
        '号' if rest.as_str().starts_with('楼') => {
            rest.next();
            Counts::Building
        }
        '单' if rest.as_str().starts_with('元') => {
            rest.next();
            Counts::Unit
        }
        '栋' | '幢' | '座' => Counts::Building,
        '梯' => Counts::Unit,
        '层' => Counts::Floor,
        '室' | '房' | '户' => Counts::Room,
        '号' | '楼' | '门' | '院' | '弄' | '巷' | '组' | '队' => Counts::Unsaid,
        _ => return None,
    };
    Some((rest.as_str(), counts))
}

/// How well a door answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The word's runs stand side by side, each whole.
    Whole,
    /// The last run only begins as asked, or others stand between.
    Partly,
}

/// A run of digits or of letters.
struct Run<T> {
    text: T,
    counts: Counts,
}

impl Run<String> {
    fn is(&self, door: &Run<&str>) -> bool {
        self.text == door.text && self.agrees(door)
    }

    fn begins(&self, door: &Run<&str>) -> bool {
        door.text.starts_with(&self.text) && self.agrees(door)
    }

    fn agrees(&self, door: &Run<&str>) -> bool {
        self.counts == door.counts || self.counts == Counts::Unsaid || door.counts == Counts::Unsaid
    }
}

/// A folded word, to be found among doors by its runs.
pub(super) struct DoorQuery {
    runs: Vec<Run<String>>,
    words: Vec<String>,
}

impl DoorQuery {
    /// Reads a folded word. None if it has no digit.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let mut query = Self { runs: Vec::new(), words: Vec::new() };
        for piece in Pieces(word) {
            match piece {
                Piece::Run(run) => query.runs.push(Run { text: run.text.to_owned(), counts: run.counts }),
                Piece::Word(word) => query.words.push(word.to_owned()),
            }
        }
        query.runs.iter().any(|run| is_number(&run.text)).then_some(query)
    }

    /// The pieces that must stand somewhere in a text for [`find`](Self::find) to find anything there.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().map(|run| run.text.as_str()).chain(self.words.iter().map(String::as_str))
    }

    /// Looks among folded doors, one a line.
    pub(super) fn find(&self, doors: &str) -> Option<Fit> {
        if !self.pieces().all(|piece| doors.contains(piece)) {
            return None;
        }
        let there: Vec<_> = runs(doors).collect();
        if there.windows(self.runs.len()).any(|side_by_side| self.runs.iter().zip(side_by_side).all(|(asked, there)| asked.is(there))) {
            return Some(Fit::Whole);
        }
        let (last, before) = self.runs.split_last()?;
        let mut rest = there.iter();
        let in_order = before.iter().all(|asked| rest.any(|there| asked.is(there)));
        (in_order && rest.any(|there| last.begins(there))).then_some(Fit::Partly)
    }
}

/// The runs of a folded text.
fn runs(text: &str) -> impl Iterator<Item = Run<&str>> {
    Pieces(text).filter_map(|piece| match piece {
        Piece::Run(run) => Some(run),
        Piece::Word(_) => None,
    })
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// A run, or other characters between runs and marks.
enum Piece<'a> {
    Run(Run<&'a str>),
    Word(&'a str),
}

/// Cuts a text into its pieces; marks and blanks part them, labels go into the run before them.
struct Pieces<'a>(&'a str);

impl<'a> Pieces<'a> {
    /// Takes the longest beginning of such characters.
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// Takes the labels behind a run (`301号房`); the first that says what is counted decides.
    fn take_labels(&mut self) -> Counts {
        let mut counts = Counts::Unsaid;
        while let Some((rest, says)) = label(self.0) {
            self.0 = rest;
            if counts == Counts::Unsaid {
                counts = says;
            }
        }
        counts
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        self.take(|c| !c.is_alphanumeric());
        let first = self.0.chars().next()?;
        let text = match first {
            '0'..='9' => self.take(|c| c.is_ascii_digit()),
            'a'..='z' | 'A'..='Z' => self.take(|c| c.is_ascii_alphabetic()),
            _ => return Some(Piece::Word(self.take(|c| c.is_alphanumeric() && !c.is_ascii()))),
        };
        Some(Piece::Run(Run { text, counts: self.take_labels() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(word: &str, doors: &str) -> Option<Fit> {
        DoorQuery::parse(word).and_then(|query| query.find(doors))
    }

    #[test]
    fn a_door_is_found_by_its_runs_in_order() {
        for door in ["3栋2单元301", "3-2-301", "3幢2单元301室", "3号楼2单元301号房", "3#2-301", "翠园3栋\n2单元\n301"] {
            for word in ["301", "3-2-301", "3栋2单元301", "2-301", "3-2", "3", "3座"] {
                assert_eq!(find(word, door), Some(Fit::Whole), "{word} in {door}");
            }
            for word in ["30", "3-301", "3栋301", "3-30", "3-2-3"] {
                assert_eq!(find(word, door), Some(Fit::Partly), "{word} in {door}");
            }
            for word in ["01", "2-3-301", "301-3", "31", "3011", "4-301", "3-2-301-1"] {
                assert_eq!(find(word, door), None, "{word} in {door}");
            }
        }
    }

    #[test]
    fn what_a_number_counts_must_agree_where_both_say_it() {
        assert_eq!(find("3栋", "1栋3单元201"), None);
        assert_eq!(find("3单元", "1栋3单元201"), Some(Fit::Whole));
        assert_eq!(find("3幢", "3栋1单元"), Some(Fit::Whole));
        assert_eq!(find("3栋", "3-1-201"), Some(Fit::Whole));
        assert_eq!(find("3楼", "3号楼1单元"), Some(Fit::Whole));
        assert_eq!(find("2层", "2栋301"), None);
    }

    #[test]
    fn letters_and_names_of_estates_are_part_of_a_door() {
        assert_eq!(find("b1203", "b座1203"), Some(Fit::Whole));
        assert_eq!(find("a-1203", "b座1203"), None);
        assert_eq!(find("翠园3-301", "翠园小区\n3栋2单元301"), Some(Fit::Partly));
        assert_eq!(find("碧园3-301", "翠园小区\n3栋2单元301"), None);
        assert!(DoorQuery::parse("b座").is_none(), "no digit");
        assert!(DoorQuery::parse("三栋").is_none(), "Chinese numerals are text");
    }
}
