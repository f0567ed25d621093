//! A query: words, each folded once and read as text, as pinyin and as a door number.

use super::door::DoorQuery;
use super::fold::fold;
use super::pinyin::PinyinQuery;
use super::record::Signature;

/// The characters of a query that are looked at. Nobody types more; a page pasted by accident costs no more than this.
const MAX_CHARS: usize = 256;

/// One word of a query.
pub(super) struct Word {
    /// The word, folded.
    pub(super) text: String,
    pub(super) signature: Signature,
    pub(super) pinyin: Option<PinyinQuery>,
    pub(super) door: Option<(DoorQuery, Signature)>,
}

/// Splits a query at white space; a word of which folding leaves nothing is left out.
pub(super) fn words(query: &str) -> Vec<Word> {
    let looked_at = query.char_indices().nth(MAX_CHARS).and_then(|(end, _)| query.get(..end)).unwrap_or(query);
    let folded = looked_at.split(|c: char| c.is_whitespace() || c.is_control()).map(fold);
    folded.filter(|text| !text.is_empty()).map(Word::read).collect()
}

impl Word {
    fn read(text: String) -> Self {
        let door = DoorQuery::parse(&text).map(|door| {
            let signature = door.pieces().fold(Signature::default(), |all, piece| all | Signature::of(piece));
            (door, signature)
        });
        Self { signature: Signature::of(&text), pinyin: PinyinQuery::parse(&text), door, text }
    }
}
