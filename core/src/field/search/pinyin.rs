//! Names by pinyin: initials (`zsf`), whole syllables (`zhangsanfeng`, the last may be unfinished: `zhangs`), and any mixture of both
//! and of characters (`zhangsf`, `张sf`).
//!
//! Every reading of every character counts, so 单 is found by `shan`, `dan` and `chan`; ü is typed `v`, `u` or `ü`. What is typed begins
//! at a character of the name, and each syllable at the next one: `angsan` does not find 张三.
//! Readings are neither multiplied out nor stored: the query walks along the name with the set of places in it that some choice of
//! readings reaches. That costs the same for a name with one combination of readings and with a million, so there is no limit on them.

use pinyin::{Pinyin, ToPinyinMulti};

/// Readings that the data of `pinyin` 0.11.0 lacks, found by comparing it with a list of surnames that are often misread. The usual
/// cases (单 仇 区 解 查 曾 盖 任 朴 尉 万 俟 长 乐 翟 种 冼 缪 繁 折 召 员 祭 洗 覃 逄 隗 那 …) it has.
const MORE_READINGS: [(char, &str); 5] = [('贠', "yun"), ('黑', "he"), ('费', "bi"), ('谌', "shen"), ('𠮷', "ji")];

/// The bytes of the longest word that is tried as pinyin. The set of places in it has 128 bits, the last for the place behind its end;
/// ten syllables of the longest kind have 60 letters.
const MAX_BYTES: usize = 127;

/// A folded word, to be found in names by their sound.
pub(super) struct PinyinQuery {
    letters: String,
    sounds: Sounds,
}

/// Where in a name the query was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// From the first character on.
    Beginning,
    /// From a later character on.
    Inside,
}

impl PinyinQuery {
    /// Reads a folded word. None if it has no Latin letter, or is longer than anybody types.
    pub(super) fn parse(word: &str) -> Option<Self> {
        if !word.chars().any(|c| c.is_ascii_lowercase() || c == 'ü') {
            return None;
        }
        // An apostrophe parts syllables (`xi'an`): allowed, never needed.
        let typed = word.chars().filter(|c| !matches!(c, '\'' | '\u{2019}'));
        let letters: String = typed.map(|c| if c == 'ü' { 'v' } else { c }).collect();
        let sounds = Sounds { initials: letters.chars().next().map_or(0, bits), letters: all_bits(&letters) };
        (letters.len() <= MAX_BYTES).then_some(Self { letters, sounds })
    }

    /// What names must have in them to be worth a look.
    pub(super) const fn sounds(&self) -> Sounds {
        self.sounds
    }

    /// Looks for the query in a folded name.
    pub(super) fn find(&self, name: &str) -> Option<Found> {
        if self.walk(name, true) {
            return Some(Found::Beginning);
        }
        self.walk(name, false).then_some(Found::Inside)
    }

    /// Whether the name says the query, beginning at its first character (`anchored`) or at any.
    fn walk(&self, name: &str, anchored: bool) -> bool {
        let mut places: u128 = 1;
        // Brackets, marks and blanks of a name are not typed.
        for c in name.chars().filter(|c| c.is_alphanumeric()) {
            let Some(next) = self.step(c, places) else { return true };
            places = if anchored { next } else { next | 1 };
            if places == 0 {
                return false;
            }
        }
        false
    }

    /// The places in the query that may stand behind `c`, of those that stand before it. None if the query ends with `c`.
    fn step(&self, c: char, mut places: u128) -> Option<u128> {
        let mut next = 0;
        while places != 0 {
            let place = places.trailing_zeros() as usize;
            places &= places - 1;
            let rest = self.letters.get(place..).unwrap_or_default();
            let mut ends = false;
            take(c, rest, |bytes| {
                ends |= bytes == rest.len();
                next |= 1 << (place + bytes);
            });
            if ends {
                return None;
            }
        }
        Some(next)
    }
}

/// Calls `taken` with each number of bytes at the beginning of `rest` that `c` can stand for.
fn take(c: char, rest: &str, mut taken: impl FnMut(usize)) {
    if rest.starts_with(c) {
        taken(c.len_utf8());
    }
    for reading in readings(c) {
        let (same, length) = (common(reading, rest), reading.chars().count());
        if same == 0 {
            continue;
        }
        taken(1);
        if same > 1 && ["zh", "ch", "sh"].iter().any(|initial| reading.starts_with(initial)) {
            taken(2);
        }
        if same == length || same == rest.len() {
            taken(same);
        }
    }
}

/// How many letters of `rest` are those of the reading.
fn common(reading: &str, rest: &str) -> usize {
    let says = |read: char, typed: u8| match read {
        'ü' => typed == b'v' || typed == b'u',
        'ê' => typed == b'e',
        read => read == char::from(typed),
    };
    reading.chars().zip(rest.bytes()).take_while(|(read, typed)| says(*read, *typed)).count()
}

/// The readings of a character, without tones; those that differ by the tone alone come twice.
fn readings(c: char) -> impl Iterator<Item = &'static str> {
    let more = MORE_READINGS.iter().filter(move |(of, _)| *of == c).map(|(_, reading)| *reading);
    more.chain(c.to_pinyin_multi().into_iter().flatten().map(Pinyin::plain))
}

/// The letters that names can be typed with, one bit each: a cheap way to leave most names out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sounds {
    /// The first letters of characters.
    initials: u32,
    /// All letters.
    letters: u32,
}

impl Sounds {
    /// Of folded names.
    pub(super) fn of(names: &str) -> Self {
        let mut sounds = Self { initials: all_bits(names), letters: all_bits(names) };
        for reading in names.chars().flat_map(readings) {
            sounds.initials |= reading.chars().next().map_or(0, bits);
            sounds.letters |= all_bits(reading);
        }
        sounds
    }

    /// Whether all that is asked is here.
    pub(super) const fn have(self, asked: Self) -> bool {
        self.initials & asked.initials == asked.initials && self.letters & asked.letters == asked.letters
    }
}

fn all_bits(letters: &str) -> u32 {
    letters.chars().fold(0, |all, letter| all | bits(letter))
}

/// The letters that are typed for one of a reading; none for what is no letter.
fn bits(letter: char) -> u32 {
    match letter {
        'a'..='z' => 1 << (u32::from(letter) - u32::from('a')),
        'ê' => bits('e'),
        'ü' => bits('u') | bits('v'),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(word: &str, name: &str) -> Option<Found> {
        PinyinQuery::parse(word).and_then(|query| query.find(name))
    }

    #[test]
    fn initials_syllables_and_mixtures_find_a_name() {
        for word in ["z", "zs", "zsf", "zhsf", "zhang", "zhangs", "zhangsanf", "zhangsanfeng", "zhangsf", "zsfeng", "张sf", "zsf", "zh"] {
            assert_eq!(find(word, "张三丰"), Some(Found::Beginning), "{word}");
        }
        for word in ["sf", "sanfeng", "feng", "三f", "f"] {
            assert_eq!(find(word, "张三丰"), Some(Found::Inside), "{word}");
        }
        for word in ["angsan", "zf", "zsfg", "zhangsanfengx", "hang", "zhangfeng"] {
            assert_eq!(find(word, "张三丰"), None, "{word}");
        }
    }

    #[test]
    fn every_reading_of_a_surname_finds_it() {
        let table = "单:shan,dan,chan 仇:qiu,chou 区:ou,qu 解:xie,jie 查:zha,cha 曾:zeng,ceng 盖:ge,gai 华:hua 任:ren 朴:piao,pu,po 乐:yue,le \
            翟:zhai,di 种:chong,zhong 冼:xian 洗:xian,xi 缪:miao,mou 繁:po,fan 折:she,zhe 召:shao,zhao 员:yun,yuan 贠:yun,yuan 祭:zhai,ji \
            覃:qin,tan 逄:pang 隗:wei,kui 那:na,nuo 黑:hei,he 费:fei,bi 谌:chen,shen 秘:bi,mi 薄:bo,bao 能:nai,neng 车:che,ju 石:shi 郗:xi,chi \
            令狐:linghu 尉迟:yuchi,weichi 万俟:moqi,wansi 长孙:zhangsun,changsun 单于:chanyu,shanyu 澹台:tantai 皇甫:huangfu 夏侯:xiahou \
            欧阳:ouyang 诸葛:zhuge 𠮷:ji 吕:lv,lu,lü 略:lve,lue";
        for row in table.split_whitespace() {
            let (surname, readings) = row.split_once(':').unwrap();
            for reading in readings.split(',') {
                assert_eq!(find(&format!("{reading}xm"), &format!("{surname}小明")), Some(Found::Beginning), "{surname} {reading}");
            }
        }
    }

    #[test]
    fn the_own_table_holds_nothing_that_the_crate_knows() {
        for (c, reading) in MORE_READINGS {
            assert!(!c.to_pinyin_multi().into_iter().flatten().any(|known| known.plain() == reading), "{c} {reading}");
        }
    }

    #[test]
    fn marks_and_foreign_letters_in_a_name_do_not_part_it() {
        assert_eq!(find("alm", "艾力买买提"), Some(Found::Beginning));
        assert_eq!(find("szktv", "深圳(ktv)"), Some(Found::Beginning));
        assert_eq!(find("7tjd", "7天酒店"), Some(Found::Beginning));
        assert_eq!(find("xi'an", "西安"), Some(Found::Beginning));
        assert_eq!(find("jy", "𠮷野"), Some(Found::Beginning));
    }

    #[test]
    fn a_name_with_very_many_combinations_of_readings_is_walked_once() {
        let name = "擖".repeat(2_000); // eight readings each
        assert_eq!(find(&"lie".repeat(42), &name), Some(Found::Beginning));
        assert_eq!(find(&format!("{}x", "lie".repeat(42)), &name), None);
        assert_eq!(find(&"lie".repeat(43), &name), None, "longer than the longest word");
    }

    #[test]
    fn the_sounds_of_a_name_have_those_of_each_query_that_finds_it() {
        let name = "单于ktv诶吕";
        for word in ["s", "d", "c", "y", "chanyu", "k", "tv", "e", "lv", "lu", "lü", "于k", "dyktv"] {
            assert!(find(word, name).is_some(), "{word}");
            assert!(Sounds::of(name).have(PinyinQuery::parse(word).unwrap().sounds()), "{word}");
        }
        for word in ["a", "nd", "dz"] {
            assert!(!Sounds::of(name).have(PinyinQuery::parse(word).unwrap().sounds()), "{word}");
        }
    }
}
