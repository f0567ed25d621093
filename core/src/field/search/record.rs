//! What the index holds of one entry, and how well a word fits it.

use super::door::Fit;
use super::pinyin::{Found, Sounds};
use super::query::Word;
use super::{Entry, MatchedField, RowKind, fold::fold};

/// Which characters a text has: each sets one bit of 128. A text has a word only if its signature has the word's, which leaves most
/// texts out at the price of one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Signature(u128);

impl Signature {
    pub(super) fn of(text: &str) -> Self {
        // Fibonacci hashing: the top bits of the product with 2^32 / golden ratio are spread evenly.
        Self(text.chars().fold(0, |bits, c| bits | 1 << (u32::from(c).wrapping_mul(0x9e37_79b1) >> 25)))
    }

    fn has(self, word: Self) -> bool {
        self.0 & word.0 == word.0
    }
}

impl std::ops::BitOr for Signature {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How a word was found, the best first. Hits are in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    NameWhole,
    NameBeginning,
    NameInside,
    PinyinBeginning,
    PinyinInside,
    DoorWhole,
    DoorBeginning,
    DoorInside,
    Text,
}

impl Rank {
    pub(super) const fn field(self) -> MatchedField {
        match self {
            Self::NameWhole | Self::NameBeginning | Self::NameInside => MatchedField::Name,
            Self::PinyinBeginning | Self::PinyinInside => MatchedField::Pinyin,
            Self::DoorWhole | Self::DoorBeginning | Self::DoorInside => MatchedField::Door,
            Self::Text => MatchedField::Text,
        }
    }
}

/// How a word was found, and the characters of the field in which it was (of all doors, if by their runs): of two the shorter is meant
/// more likely.
type Fitting = (Rank, usize);

/// One entry, folded: a single string with a line for each field.
pub(super) struct Record {
    pub(super) kind: RowKind,
    lines: Box<str>,
    /// Where the lines of doors and those of texts begin.
    doors_at: usize,
    texts_at: usize,
    signature: Signature,
    /// Of the names.
    sounds: Sounds,
}

impl Record {
    pub(super) fn new(entry: &Entry) -> Self {
        let mut lines = String::new();
        let mut add = |fields: &[String]| {
            for field in fields.iter().map(|field| fold(field)).filter(|field| !field.is_empty()) {
                lines.push_str(&field);
                lines.push('\n');
            }
            lines.len()
        };
        let doors_at = add(&entry.names);
        let texts_at = add(&entry.doors);
        add(&entry.texts);
        let sounds = Sounds::of(lines.get(..doors_at).unwrap_or_default());
        Self { kind: entry.kind, signature: Signature::of(&lines), lines: lines.into_boxed_str(), doors_at, texts_at, sounds }
    }

    /// How well the word fits; none if it does not.
    pub(super) fn fit(&self, word: &Word) -> Option<Fitting> {
        [self.literally(word), self.by_pinyin(word), self.by_door(word)].into_iter().flatten().min()
    }

    /// Bytes of the text held.
    pub(super) fn text_bytes(&self) -> usize {
        self.lines.len()
    }

    fn names(&self) -> &str {
        self.lines.get(..self.doors_at).unwrap_or_default()
    }

    fn doors(&self) -> &str {
        self.lines.get(self.doors_at..self.texts_at).unwrap_or_default()
    }

    fn texts(&self) -> &str {
        self.lines.get(self.texts_at..).unwrap_or_default()
    }

    fn literally(&self, word: &Word) -> Option<Fitting> {
        let word = self.signature.has(word.signature).then_some(word.text.as_str())?;
        // Lines are in the order of their ranks, so the first place tells which part to look at closer.
        let (lines, [whole, beginning, inside]) = match self.lines.find(word)? {
            at if at < self.doors_at => (self.names(), [Rank::NameWhole, Rank::NameBeginning, Rank::NameInside]),
            at if at < self.texts_at => (self.doors(), [Rank::DoorWhole, Rank::DoorBeginning, Rank::DoorInside]),
            _ => (self.texts(), [Rank::Text; 3]),
        };
        let ranked = lines.split_terminator('\n').filter(|line| line.contains(word)).map(|line| {
            let rank = if line == word {
                whole
            } else if line.starts_with(word) {
                beginning
            } else {
                inside
            };
            (rank, line.chars().count())
        });
        ranked.min()
    }

    fn by_pinyin(&self, word: &Word) -> Option<Fitting> {
        let query = word.pinyin.as_ref().filter(|query| self.sounds.have(query.sounds()))?;
        let ranked = self.names().split_terminator('\n').filter_map(|name| {
            let rank = match query.find(name)? {
                Found::Beginning => Rank::PinyinBeginning,
                Found::Inside => Rank::PinyinInside,
            };
            Some((rank, name.chars().count()))
        });
        ranked.min()
    }

    fn by_door(&self, word: &Word) -> Option<Fitting> {
        let (query, signature) = word.door.as_ref()?;
        let doors = self.signature.has(*signature).then(|| self.doors())?;
        let rank = match query.find(doors)? {
            Fit::Whole => Rank::DoorWhole,
            Fit::Partly => Rank::DoorBeginning,
        };
        Some((rank, doors.chars().count()))
    }
}
