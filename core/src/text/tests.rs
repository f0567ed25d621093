//! The two languages against each other.

use super::*;

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn places(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_text_is_there_in_both_languages_with_the_same_values() {
    for text in Text::ALL {
        let (zh, en) = (Lang::Zh.say(*text), Lang::En.say(*text));
        assert!(!zh.is_empty() && !en.is_empty(), "{text:?}");
        assert!(is_chinese(zh), "{text:?}: {zh}");
        assert!(!is_chinese(en), "{text:?}: {en}");
        assert_eq!(places(zh), places(en), "{text:?}");
    }
}

#[test]
fn every_known_code_has_its_words() {
    for (code, has_words) in words::all_codes() {
        assert!(has_words, "{code}");
    }
    for (code, zh, en) in words::all_words() {
        assert!(is_chinese(zh) && !is_chinese(en), "{code}");
    }
    for code in ["sync.grant_ended", "sync.superseded", "sync.erased", "sync.revoked", "sync.schema", "sync.depends_on_refused"] {
        assert!(words::has_refusal(code), "{code}");
    }
}

#[test]
fn a_code_of_a_newer_version_is_shown_as_it_is() {
    assert_eq!(Lang::Zh.outcome(&crate::model::Outcome::from_code("telepathy")), "telepathy");
    assert_eq!(Lang::En.refusal("sync.too_sunny"), "sync.too_sunny");
}

#[test]
fn values_are_put_in_once_even_if_they_look_like_places_for_others() {
    assert_eq!(Lang::En.fill(Text::Enrolled, &[("name", &"{name}")]), "Enrolled. Hello, {name}.");
}

#[test]
fn the_environment_decides_between_chinese_and_english() {
    let of = |values: [Option<&str>; 3]| Lang::of_variables(values.map(|value| value.map(str::to_owned)));
    assert_eq!(of([None, None, Some("zh_CN.UTF-8")]), Lang::Zh);
    assert_eq!(of([Some(""), None, Some("zh_CN.UTF-8")]), Lang::Zh);
    assert_eq!(of([Some("C"), None, Some("zh_CN.UTF-8")]), Lang::En);
    assert_eq!(of([None, None, None]), Lang::En);
    assert!("de".parse::<Lang>().is_err());
}

#[test]
fn a_rule_of_the_core_is_said_in_chinese_where_it_is_known() {
    assert_eq!(Lang::Zh.rule("is longer than 40 characters"), "超过 40 个字");
    assert_eq!(Lang::Zh.rule("is empty"), "不能为空");
    assert_eq!(Lang::En.rule("is empty"), "is empty");
}
