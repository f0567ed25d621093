//! Folding: what is looked for and what is looked at are brought into one spelling before they are compared.
//!
//! Lower case; the full-width forms of an input method (`３０１`, `Ｂ座`, the space U+3000) become plain ASCII; the dots inside a name
//! (`艾力·买买提`, of which keyboards have half a dozen) go away; white space becomes one blank, and none between two characters that
//! are not ASCII (`张　三` on a form is 张三). Chinese numerals, traditional characters and accents stay as they are.

/// The dots between the parts of a name, of Chinese, Japanese and Western keyboards.
const NAME_DOTS: [char; 7] = ['\u{b7}', '\u{2022}', '\u{2027}', '\u{22c5}', '\u{30fb}', '\u{ff65}', '\u{387}'];

/// The folded spelling of `text`; never holds a line break. Character by character but for white space, so that a part of a text
/// without white space folds to a part of the folded text.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            blank = true;
            continue;
        }
        for c in half_width(c).to_lowercase().filter(|c| !NAME_DOTS.contains(c)) {
            if std::mem::take(&mut blank) && out.chars().next_back().is_some_and(|before| before.is_ascii() || c.is_ascii()) {
                out.push(' ');
            }
            out.push(c);
        }
    }
    out
}

/// The full-width forms U+FF01 to U+FF5E are ASCII from `!` to `~`, moved.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_forms_case_and_blanks_are_folded() {
        assert_eq!(fold("３栋２单元３０１"), "3栋2单元301");
        assert_eq!(fold("Ｂ座 KTV"), "b座 ktv");
        assert_eq!(fold(" 张　三\n"), "张三");
        assert_eq!(fold("John \t Smith"), "john smith");
        assert_eq!(fold("～！"), "~!");
    }

    #[test]
    fn dots_of_names_go_and_other_marks_stay() {
        assert_eq!(fold("艾力·买买提"), fold("艾力•买买提"));
        assert_eq!(fold("3.5-A#"), "3.5-a#");
    }

    #[test]
    fn chinese_numerals_and_characters_outside_the_bmp_stay() {
        assert_eq!(fold("三栋𠮷田㛃"), "三栋𠮷田㛃");
    }
}
