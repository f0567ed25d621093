//! The index as a screen uses it.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn id(number: u8) -> DocId {
    DocId::from_bytes([number; 16])
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn entry(number: u8, names: &[&str], doors: &[&str], texts: &[&str]) -> Entry {
    Entry { id: id(number), kind: RowKind::Household, names: strings(names), doors: strings(doors), texts: strings(texts) }
}

fn index(entries: &[Entry]) -> SearchIndex {
    let mut index = SearchIndex::new();
    for entry in entries {
        index.put(entry.clone());
    }
    index
}

fn found(index: &SearchIndex, query: &str) -> Vec<u8> {
    index.search(query, 100).iter().map(|hit| hit.id.as_bytes()[0]).collect()
}

#[test]
fn a_person_is_found_by_name_pinyin_and_initials() {
    let index = index(&[entry(1, &["张三"], &[], &[]), entry(2, &["张三丰"], &[], &[]), entry(3, &["单雄信"], &[], &[])]);
    for query in ["张三", "zs", "zhangsan", "zhangs", "ZS", "ｚｓ", "张s"] {
        assert_eq!(found(&index, query), [1, 2], "{query}");
    }
    for query in ["zsf", "zhangsanfeng", "三丰", "sf"] {
        assert_eq!(found(&index, query), [2], "{query}");
    }
    for query in ["sxx", "dxx", "shanxiongxin", "danxiong"] {
        assert_eq!(found(&index, query), [3], "{query}");
    }
    assert_eq!(found(&index, "angsan"), [0; 0]);
}

#[test]
fn all_words_must_be_there_in_whichever_field() {
    let index = index(&[entry(1, &["张三"], &["3栋2单元301"], &["独居"]), entry(2, &["张三"], &["3栋2单元302"], &[])]);
    assert_eq!(found(&index, "张三 301"), [1]);
    assert_eq!(found(&index, "zs\u{3000}３０２"), [2]);
    assert_eq!(found(&index, "独居 zs 3-301"), [1]);
    assert_eq!(found(&index, "独居 302"), [0; 0]);
    assert_eq!(index.search("张三 301", 1)[0].field, MatchedField::Name);
    assert_eq!(index.search("301 独居", 1)[0].field, MatchedField::Door);
}

#[test]
fn better_kinds_of_match_come_first() {
    let index = index(&[
        entry(1, &[], &[], &["找林场的人"]),
        entry(2, &[], &["林场宿舍"], &[]),
        entry(3, &["小林场"], &[], &[]),
        entry(4, &["林场职工之家"], &[], &[]),
        entry(5, &["林场"], &[], &[]),
        entry(6, &["林场诊所"], &[], &[]),
        entry(7, &[], &["林场"], &[]),
    ]);
    assert_eq!(found(&index, "林场"), [5, 6, 4, 3, 7, 2, 1]);
    let fields: Vec<_> = index.search("林场", 100).iter().map(|hit| hit.field).collect();
    use MatchedField::*;
    assert_eq!(fields, [Name, Name, Name, Name, Door, Door, Text]);
}

#[test]
fn a_name_as_written_comes_before_its_sound_and_a_door_after_it() {
    let index = index(&[
        entry(1, &[], &["lin座"], &[]),
        entry(2, &["小林"], &[], &[]),
        entry(3, &["林小"], &[], &[]),
        entry(4, &["Lin"], &[], &[]),
    ]);
    assert_eq!(found(&index, "lin"), [4, 3, 2, 1]);
}

#[test]
fn a_number_finds_the_door_it_is_then_the_doors_it_begins_then_those_it_is_in() {
    let index = index(&[
        entry(1, &[], &["1栋3010"], &[]),
        entry(2, &[], &["1栋1301"], &[]),
        entry(3, &[], &["1栋301"], &[]),
        entry(4, &[], &["1栋2单元401"], &["报修3011次"]),
        entry(5, &[], &["1栋2单元0112"], &[]),
    ]);
    assert_eq!(found(&index, "301"), [3, 1, 2, 4]);
    assert_eq!(found(&index, "01"), [5, 3, 1, 2, 4]);
    assert_eq!(found(&index, "1-401"), [4]);
}

#[test]
fn characters_outside_the_bmp_are_found() {
    let index = index(&[entry(1, &["𠮷田㛃"], &["𠮷祥里3号"], &["𪚔"]), entry(2, &["吉田"], &[], &[])]);
    for query in ["𠮷", "\u{20bb7}田", "田㛃", "𠮷祥", "𪚔", "jitianjie", "jtj", "𠮷tian", "𠮷祥里3"] {
        assert_eq!(found(&index, query), [1], "{query}");
    }
    assert_eq!(found(&index, "\u{20bb8}"), [0; 0], "the next character begins with the same UTF-16 half");
    assert_eq!(found(&index, "jitian"), [2, 1]);
}

#[test]
fn forms_are_written_in_more_than_one_way() {
    let index = index(&[entry(1, &["张　三", "艾力·买买提"], &["Ｂ座１２０３"], &["KTV 噪音"])]);
    for query in ["张三", "艾力买买提", "艾力•买", "alm", "b1203", "B座1203", "b-12", "ktv", "KTV 噪音", "噪音"] {
        assert_eq!(found(&index, query), [1], "{query}");
    }
    assert_eq!(found(&index, "一二〇三"), [0; 0], "Chinese numerals are text");
}

#[test]
fn a_query_without_words_finds_nothing_and_a_limit_is_kept() {
    let index = index(&[entry(1, &["张三"], &[], &[]), entry(2, &["张四"], &[], &[]), entry(3, &["张三"], &[], &[])]);
    for query in ["", " \u{3000}\n", "·"] {
        assert_eq!(found(&index, query), [0; 0]);
    }
    assert_eq!(index.search("张", 0), []);
    let two: Vec<_> = index.search("张三", 1).iter().map(|hit| hit.id).collect();
    assert_eq!(two, [id(1)], "equals in order of their ids");
}

#[test]
fn a_later_entry_replaces_the_earlier_one() {
    let mut index = index(&[entry(1, &["张三"], &[], &[])]);
    index.put(entry(1, &["李四"], &[], &[]));
    assert_eq!((found(&index, "zs"), found(&index, "ls"), index.len()), (vec![], vec![1], 1));
    index.remove(id(1));
    index.remove(id(1));
    assert_eq!((found(&index, "ls"), index.is_empty(), index.memory_bytes()), (vec![], true, 0));
}

#[test]
fn debug_output_holds_no_name() {
    let entry = entry(1, &["张三"], &["301"], &["独居"]);
    let index = index(std::slice::from_ref(&entry));
    let shown = format!("{entry:?} {index:?} {:?}", index.search("张三", 1));
    assert!(!["张", "301", "独"].iter().any(|part| shown.contains(part)), "{shown}");
}

/// Names as they occur: characters of several planes, letters, digits, blanks, dots.
fn name() -> impl Strategy<Value = String> {
    vec(prop_oneof![4 => any::<char>(), 8 => prop::sample::select("张三丰单仇吕𠮷㛃aBzＳ３·　 -İßΣ号".chars().collect::<Vec<_>>())], 1..12)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Few letters, so that entries and queries meet.
const SMALL: &str = "[张三𠮷zs 单31-]{0,4}";

proptest! {
    #[test]
    fn any_part_of_a_name_finds_the_entry(name in name(), from: prop::sample::Index, chars in 1_usize..12) {
        let from = from.index(name.chars().count());
        let part: String = name.chars().skip(from).take(chars).collect();
        let nothing = part.split(|c: char| c.is_whitespace() || c.is_control()).all(|word| fold::fold(word).is_empty());
        let index = index(&[entry(1, &["别人", &name], &["3栋"], &["话"])]);
        prop_assert_eq!(found(&index, &part).is_empty(), nothing);
    }

    #[test]
    fn any_choice_of_readings_and_lengths_finds_the_entry(name in "[张单仇长乐吕曾㛃𠮷解]{1,6}", choices in vec((any::<prop::sample::Index>(), 0_usize..3), 6)) {
        use ::pinyin::ToPinyinMulti;
        let typed: String = name.chars().zip(&choices).map(|(c, (which, how))| {
            let all: Vec<_> = c.to_pinyin_multi().into_iter().flatten().map(|reading| reading.plain()).collect();
            let reading = if all.is_empty() { "ji" } else { all[which.index(all.len())] };
            if *how == 0 { reading.chars().take(1).collect() } else { reading.replace('ü', if *how == 1 { "v" } else { "u" }) }
        }).collect();
        prop_assert_eq!(index(&[entry(1, &[&name], &[], &[])]).search(&typed, 1)[0].field, MatchedField::Pinyin);
    }

    #[test]
    fn an_index_that_changed_finds_what_a_fresh_one_finds(
        steps in vec((0_u8..6, prop::option::weighted(0.7, (SMALL, SMALL, SMALL))), 0..30), queries in vec(SMALL, 8),
    ) {
        let mut changed = SearchIndex::new();
        let mut present = BTreeMap::new();
        for (number, fields) in &steps {
            if let Some((name, door, text)) = fields {
                changed.put(entry(*number, &[name], &[door], &[text]));
                present.insert(*number, entry(*number, &[name], &[door], &[text]));
            } else {
                changed.remove(id(*number));
                present.remove(number);
            }
        }
        let fresh = index(&present.into_values().rev().collect::<Vec<_>>());
        prop_assert_eq!((changed.len(), changed.memory_bytes()), (fresh.len(), fresh.memory_bytes()));
        for query in &queries {
            prop_assert_eq!(changed.search(query, 4), fresh.search(query, 4), "{}", query);
        }
    }

    #[test]
    fn a_search_never_panics_and_a_longer_list_begins_with_the_shorter(
        fields in vec((any::<String>(), SMALL, any::<String>()), 0..6), query: String, small in SMALL, limit in 0_usize..8,
    ) {
        let entries: Vec<_> = (0..).zip(&fields).map(|(number, (a, b, c))| entry(number, &[a, b], &[b, c], &[c, a])).collect();
        let index = index(&entries);
        for query in [&query, &small, &format!("{small}{query}")] {
            let all = index.search(query, 100);
            prop_assert_eq!(&index.search(query, limit)[..], &all[..limit.min(all.len())]);
        }
    }
}
