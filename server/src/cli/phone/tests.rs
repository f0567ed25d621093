//! The phone in the terminal without a server: commands typed, answers read, over a store in memory or in a folder.

mod folder;
mod street;

use std::sync::Arc;

use clap::Parser;
use doorstep_core::docs::Lock;
use serde_json::Value;

use super::index::Index;
use super::row::{ResidentRow, Row as _};
use super::*;
use street::{Street, accept_all, refuse_all};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn read(words: &[&str]) -> Args {
    Line::try_parse_from(std::iter::once("phone").chain(words.iter().copied())).unwrap_or_else(|error| panic!("{error}")).args
}

/// What is shown for a command line.
fn try_say(phone: &Phone, lang: Lang, words: &[&str]) -> Result<String, PhoneError> {
    let args = read(words);
    let mut out = Vec::new();
    perform(phone, args.command.unwrap(), &mut Page::new(&mut out, lang, args.json))?;
    Ok(String::from_utf8(out).unwrap())
}

fn say(phone: &Phone, words: &[&str]) -> String {
    try_say(phone, Lang::Zh, words).unwrap_or_else(|error| panic!("{words:?}: {}", error.to_text(Lang::En)))
}

fn json(phone: &Phone, words: &[&str]) -> Value {
    let said = say(phone, &[words, &["--json"]].concat());
    serde_json::from_str(&said).unwrap()
}

fn fails(phone: &Phone, words: &[&str]) -> PhoneError {
    match try_say(phone, Lang::Zh, words) {
        Ok(said) => panic!("{words:?} was done: {said}"),
        Err(error) => error,
    }
}

/// A phone with an estate, a building in it, two doors and a shop.
fn furnished() -> Phone {
    let phone = Street::new().phone(1);
    say(&phone, &["place", "add", "--kind", "estate", "--name", "翠园"]);
    say(&phone, &["place", "add", "--kind", "building", "--name", "3栋", "--parent", "翠园"]);
    say(
        &phone,
        &["household", "add", "--door", "1单元301", "--place", "3栋", "--contact", "张三", "--phone", "13800005678", "--tag", "独居"],
    );
    say(&phone, &["household", "add", "--door", "1单元302", "--place", "3栋", "--contact", "李四"]);
    say(&phone, &["organisation", "add", "--name", "阳光理发店", "--trade", "理发"]);
    phone
}

#[test]
fn what_is_recorded_without_a_network_is_listed_as_here_and_as_accepted_after_the_answer() {
    let phone = furnished();
    assert_eq!(json(&phone, &["households"])["households"][0]["sync"], "local");
    assert!(say(&phone, &["households"]).contains("本机"));
    accept_all(&phone);
    assert_eq!(json(&phone, &["households"])["households"][0]["sync"], "accepted");
    assert!(say(&phone, &["households"]).contains("已受理"));
    assert_eq!(json(&phone, &["status"])["queue"]["pending"], 0);
}

#[test]
fn a_door_is_named_by_its_building_and_number() {
    let phone = furnished();
    say(&phone, &["visit", "3栋301", "--findings", "灶台漏气,已关阀", "--with", "小王", "--follow-up", "2026-12-01"]);
    say(&phone, &["visit", "翠园3-1-302", "--outcome", "not-at-home"]);
    let visits = &json(&phone, &["show", "3栋301"])["visits"];
    assert_eq!(visits[0]["findings"], "灶台漏气,已关阀");
    assert_eq!((visits[0]["companions"][0].as_str(), visits[0]["follow_up"].as_str()), (Some("小王"), Some("2026-12-01")));
    let rows = json(&phone, &["households", "--place", "翠园"]);
    assert_eq!(rows["households"][1]["last_visit"]["outcome"], "not-at-home");
}

#[test]
fn the_whole_name_of_a_door_names_no_other() {
    let phone = furnished();
    say(&phone, &["place", "add", "--kind", "building", "--name", "13栋", "--parent", "翠园"]);
    say(&phone, &["household", "add", "--door", "1单元301", "--place", "13栋", "--contact", "王五"]);
    for (named, contact) in [("3栋 1单元301", "张三"), ("3栋1单元301", "张三"), ("翠园13栋 1单元301", "王五")] {
        assert_eq!(json(&phone, &["show", named])["contact"], contact, "{named}");
    }
    assert_eq!(fails(&phone, &["show", "1单元301"]).code(), "phone.ambiguous");
}

#[test]
fn words_that_fit_several_records_are_answered_with_the_candidates_and_nothing_is_recorded() {
    let phone = furnished();
    let error = fails(&phone, &["visit", "1单元"]);
    let PhoneError::Ambiguous { candidates, .. } = &error else { panic!("{error}") };
    assert_eq!(candidates.len(), 2);
    assert!(candidates[0].label.contains("翠园3栋 1单元30"));
    assert!(error.to_text(Lang::Zh).contains(&candidates[1].short));
    assert_eq!(json(&phone, &["households"])["households"][0]["last_visit"]["count"], 0);
    // What the list shows names it.
    say(&phone, &["visit", &candidates[0].short]);
    assert_eq!(fails(&phone, &["visit", "9栋999"]).code(), "phone.no_such_record");
}

#[test]
fn a_visit_is_amended_by_the_end_of_its_id_and_stays_as_it_was() {
    let phone = furnished();
    let visit = json(&phone, &["visit", "3栋301", "--findings", "一切正常"]);
    let id = visit["id"].as_str().unwrap();
    say(&phone, &["visit", "amend", &id[id.len() - 8..], "补:燃气表未检"]);
    let shown = json(&phone, &["show", "3栋301"]);
    assert_eq!(shown["visits"][0]["findings"], "一切正常");
    assert_eq!(shown["visits"][0]["amendments"][0]["text"], "补:燃气表未检");
    assert_eq!(fails(&phone, &["visit", "amend", "ffffffff", "补"]).code(), "phone.no_such_visit");
}

#[test]
fn numbers_are_masked_but_for_the_record_itself_and_on_demand() {
    let phone = furnished();
    let number = "11010519491231002X";
    say(&phone, &["resident", "add", "--name", "张三丰", "--household", "3栋301", "--phone", "13912341234", "--id-number", number]);
    let shown = json(&phone, &["show", "3栋301", "--reveal"]);
    assert_eq!(shown["phone"], "13800005678");
    assert_eq!((shown["members"][0]["name"].as_str(), shown["members"][0]["phone"].as_str()), (Some("张三丰"), Some("***1234")));
    let everything = ["residents", "households", "search 张三丰", "show 张三丰", "status"].map(|words| {
        let words: Vec<&str> = words.split(' ').collect();
        say(&phone, &words) + &json(&phone, &words).to_string()
    });
    for said in everything {
        assert!(!said.contains("13912341234") && !said.contains(number) && !said.contains("13800005678"), "{said}");
    }
    assert_eq!(json(&phone, &["show", "张三丰", "--reveal"])["id_number"], number);
}

#[test]
fn a_name_that_nobody_reads_any_more_is_said_to_be_gone_and_not_left_empty() {
    let phone = furnished();
    say(&phone, &["resident", "add", "--name", "赵桂英", "--household", "1单元301"]);
    let index = Index::read(&phone).unwrap();
    let cells = |lock, name| {
        let mut listed = phone.engine.residents(None).unwrap().remove(0);
        (listed.row.lock, listed.row.name) = (lock, name);
        ResidentRow::of(&phone, &index, listed).unwrap().cells(Lang::Zh)
    };
    assert!(cells(Lock::Erased, None).contains(&"(已删除)".to_owned()));
    assert!(cells(Lock::Locked, None).contains(&"(锁定)".to_owned()));
    assert!(!cells(Lock::Open, None).iter().any(|cell| cell.contains('(')));
    assert_eq!(json(&phone, &["residents"])["residents"][0]["lock"], "open");
}

#[test]
fn an_issue_is_followed_to_its_end() {
    let phone = furnished();
    say(
        &phone,
        &[
            "issue",
            "--category",
            "fire-safety",
            "--urgency",
            "urgent",
            "--place",
            "3栋",
            "--reporter",
            "王大妈",
            "--reporter-phone",
            "13900001111",
            "楼道堆放杂物",
        ],
    );
    let case = json(&phone, &["cases"])["cases"][0]["short"].as_str().unwrap().to_owned();
    say(&phone, &["case", "note", &case, "已拍照"]);
    say(&phone, &["note", &case, "已通知物业"]);
    let registering = fails(&phone, &["case", "register", &case]);
    assert_eq!(registering.code(), "policy.not_for_role");
    assert!(registering.to_text(Lang::Zh).contains("没有权限"), "that is for the centre");
    say(&phone, &["case", "close", &case, "已清理"]);
    assert_eq!(json(&phone, &["cases"])["cases"], Value::Array(Vec::new()));
    assert_eq!(json(&phone, &["cases", "--all"])["cases"][0]["state"], "closed");
    let shown = json(&phone, &["show", &case]);
    let events: Vec<&str> = shown["timeline"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["captured", "noted", "noted", "closed"]);
    assert_eq!((shown["reporter"]["name"].as_str(), shown["reporter"]["phone"].as_str()), (Some("王大妈"), Some("***1111")));
    let late = fails(&phone, &["case", "return", &case]);
    assert_eq!(late.code(), "case.superseded");
    assert!(late.to_text(Lang::Zh).contains("已结案") && late.to_text(Lang::En).contains("closed"));
}

#[test]
fn an_attachment_is_the_hash_and_size_of_the_real_file() {
    let phone = furnished();
    say(&phone, &["issue", "--category", "noise", "夜间施工"]);
    let case = json(&phone, &["cases"])["cases"][0]["short"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.jpg");
    std::fs::write(&path, b"hello\n").unwrap();
    say(&phone, &["case", "attach", &case, path.to_str().unwrap()]);
    let attachment = &json(&phone, &["show", &case])["attachments"][0];
    assert_eq!(attachment["sha256"], "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    assert_eq!((attachment["size"].as_u64(), attachment["kind"].as_str()), (Some(6), Some("photo")));
    assert_eq!(fails(&phone, &["case", "attach", &case, "/nowhere/at/all"]).code(), "phone.file");
}

#[test]
fn a_conflict_shows_both_values_with_who_and_when() {
    let street = Street::new();
    let (mine, theirs) = (street.phone(1), street.phone(2));
    say(&mine, &["household", "add", "--door", "301", "--contact", "张三"]);
    street.exchange(&mine);
    street.exchange(&theirs);
    say(&mine, &["household", "change", "301", "--contact", "张三丰"]);
    say(&theirs, &["household", "change", "301", "--contact", "张无忌"]);
    for phone in [&mine, &theirs, &mine] {
        street.exchange(phone);
    }
    for phone in [&mine, &theirs] {
        let shown = json(phone, &["show", "301"]);
        let values = shown["conflicts"][0]["values"].as_array().unwrap();
        assert_eq!(shown["conflicts"][0]["field"], "contact");
        let mut said: Vec<_> =
            values.iter().map(|value| (value["value"].as_str().unwrap(), value["by"]["name"].as_str().unwrap())).collect();
        said.sort_unstable();
        assert_eq!(said, [("张三丰", "网格员1"), ("张无忌", "网格员2")]);
        assert_eq!(values[1]["shown"], true);
        assert_eq!(values[1]["value"], shown["contact"]);
        assert!(values[0]["at"].as_i64().unwrap() > 0);
        assert!(say(phone, &["show", "301"]).contains("张无忌") && say(phone, &["households"]).contains("有冲突"));
    }
}

#[test]
fn what_was_refused_says_why_and_is_sent_again_or_let_go() {
    let phone = furnished();
    accept_all(&phone);
    say(&phone, &["note", "3栋301", "门铃坏了"]);
    say(&phone, &["note", "3栋302", "有狗"]);
    say(&phone, &["note", "3栋302", "要改写"]);
    refuse_all(&phone, "sync.superseded");
    let list = json(&phone, &["refused"]);
    assert_eq!((list["refused"][0]["what"].as_str(), list["refused"][0]["code"].as_str()), (Some("note"), Some("sync.superseded")));
    assert_eq!((list["refused"][0]["lines"][0]["text"].as_str(), list["refused"][0]["here"].as_bool()), (Some("门铃坏了"), Some(true)));
    let shown = say(&phone, &["refused"]);
    assert!(shown.contains("另有决定") && shown.contains("门铃坏了"), "{shown}");
    assert_eq!(json(&phone, &["households"])["households"][0]["refusal"], "sync.superseded");
    let short = |n: usize| list["refused"][n]["short"].as_str().unwrap();
    say(&phone, &["refused", "resend", short(0)]);
    say(&phone, &["refused", "discard", short(1)]);
    say(&phone, &["refused", "mend", short(2), "改写过了"]);
    assert!(json(&phone, &["show", "3栋302"])["notes"].to_string().contains("改写过了"));
    assert_eq!(json(&phone, &["refused"])["refused"], Value::Array(Vec::new()));
    assert_eq!(json(&phone, &["status"])["queue"]["pending"], 2);
    assert_eq!(fails(&phone, &["refused", "discard", short(1)]).code(), "phone.no_such_refusal");
}

#[test]
fn what_was_handed_over_is_listed_without_its_words_and_cannot_be_sent_again() {
    let phone = furnished();
    accept_all(&phone);
    say(&phone, &["note", "3栋301", "门铃坏了"]);
    refuse_all(&phone, "sync.grant_ended");
    let list = json(&phone, &["refused"]);
    assert_eq!((list["refused"][0]["here"].as_bool(), list["refused"][0]["lines"].as_array().unwrap().len()), (Some(false), 0));
    let shown = say(&phone, &["refused"]);
    assert!(shown.contains("权限已结束") && !shown.contains("门铃坏了"), "{shown}");
    let short = list["refused"][0]["short"].as_str().unwrap();
    assert_eq!(fails(&phone, &["refused", "resend", short]).code(), "field.handed_over");
    say(&phone, &["refused", "discard", short]);
}

#[test]
fn tags_decide_what_is_due() {
    let phone = furnished();
    say(&phone, &["visit", "3栋301"]);
    say(&phone, &["visit", "3栋302"]);
    let in_ten_days = phone.engine.today().plus(10).to_string();
    let due = |words: &[&str]| json(&phone, &[&["due", "--on", &in_ten_days], words].concat())["due"].clone();
    assert_eq!(due(&[])[0]["door"], "1单元301");
    assert_eq!((due(&[])[0]["days_overdue"].as_i64(), due(&[])[1].is_null()), (Some(3), true));
    assert_eq!(due(&["--days", "7"]).as_array().unwrap().len(), 2);
    say(&phone, &["untag", "3栋301", "独居"]);
    say(&phone, &["tag", "3栋302", "独居"]);
    assert_eq!(due(&["--days", "独居=7"])[0]["door"], "1单元302");
}

#[test]
fn records_are_changed_moved_and_removed() {
    let phone = furnished();
    say(&phone, &["place", "change", "3栋", "--name", "三栋", "--point", "31.2304,121.4737"]);
    say(&phone, &["household", "change", "三栋302", "--remark", "先打电话"]);
    say(&phone, &["resident", "add", "--name", "李小龙"]);
    say(&phone, &["resident", "change", "李小龙", "--born", "1980-02-03"]);
    say(&phone, &["household", "move-in", "三栋302", "李小龙"]);
    assert_eq!(json(&phone, &["show", "三栋302"])["members"][0]["name"], "李小龙");
    say(&phone, &["household", "move-out", "三栋302", "李小龙"]);
    assert_eq!(json(&phone, &["show", "三栋302"])["members"], Value::Array(Vec::new()));
    say(&phone, &["organisation", "change", "阳光理发店", "--trade", "美发"]);
    assert_eq!(json(&phone, &["organisations"])["organisations"][0]["trade"], "美发");
    say(&phone, &["household", "remove", "三栋302"]);
    assert_eq!(json(&phone, &["households"])["households"].as_array().unwrap().len(), 1);
    say(&phone, &["place", "remove", "三栋"]);
    assert_eq!(json(&phone, &["places"])["places"].as_array().unwrap().len(), 1);
    assert_eq!(fails(&phone, &["household", "change", "301"]).code(), "phone.nothing_to_change");
}

#[test]
fn every_reading_command_answers_in_json_and_in_both_languages() {
    let phone = furnished();
    say(&phone, &["visit", "3栋301", "--findings", "正常"]);
    say(&phone, &["issue", "--category", "other", "路灯不亮"]);
    accept_all(&phone);
    for words in [
        "status",
        "places",
        "households",
        "residents",
        "organisations",
        "due",
        "cases --all",
        "search 张三",
        "show 3栋301",
        "show 阳光理发店",
        "refused",
        "show 翠园",
        "search 路灯",
        "show 路灯",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert!(json(&phone, &words).is_object(), "{words:?}");
        let (zh, en) = (say(&phone, &words), try_say(&phone, Lang::En, &words).unwrap());
        assert!(!zh.trim().is_empty() && zh != en, "{words:?}: {zh}");
        for said in [zh, en] {
            assert!(!said.contains("Some(") && !said.contains("None)") && !said.contains('{'), "{words:?}: {said}");
        }
    }
}

#[test]
fn a_phone_without_a_grant_says_that_a_sync_comes_first() {
    let phone = Street::new().phone_before_first_sync(1);
    let error = fails(&phone, &["issue", "--category", "other", "路灯不亮"]);
    assert_eq!(error.code(), "field.not_found");
    assert!(error.to_text(Lang::Zh).contains("先同步") && error.to_text(Lang::En).contains("sync first"));
}

#[test]
fn an_empty_value_is_refused_in_plain_words() {
    let phone = furnished();
    let error = fails(&phone, &["note", "3栋301", "  "]);
    assert_eq!(error.code(), "field.invalid");
    assert_eq!(error.to_text(Lang::Zh), "“文字”这一项不能为空。");
    assert_eq!(fails(&phone, &["issue", "--category", "other", "--reporter", "王五", " "]).code(), "field.invalid");
    assert_eq!(phone.engine.parties(None).unwrap().len(), 0, "a report that fails takes in no party");
}

#[test]
fn a_server_that_is_not_reached_is_said_plainly_and_nothing_is_lost() {
    let phone = furnished();
    let error = fails(&phone, &["sync"]);
    assert_eq!(error.code(), "sync.unreachable");
    assert!(error.to_text(Lang::Zh).contains("没有丢失:5 条"), "{}", error.to_text(Lang::Zh));
    let value = error.to_json(Lang::En);
    assert_eq!((value["error"]["code"].as_str(), value["error"]["pending"].as_u64()), (Some("sync.unreachable"), Some(5)));
    assert!(value["error"]["next_attempt"].is_i64());
    let queue = &json(&phone, &["status"])["queue"];
    assert_eq!((queue["pending"].as_u64(), queue["last_error"].as_str()), (Some(5), Some("sync.unreachable")));
}

#[test]
fn a_grid_is_named_by_its_number() {
    let phone = furnished();
    assert_eq!(json(&phone, &["households", "--grid", "17"])["households"].as_array().unwrap().len(), 2);
    assert_eq!(json(&phone, &["households", "--grid", "第18网格"])["households"].as_array().unwrap().len(), 0);
    assert_eq!(fails(&phone, &["households", "--grid", "1"]).code(), "phone.no_such_grid");
}
