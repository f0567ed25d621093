//! Answers for people: a line for each row, the columns that matter.

use doorstep_core::model::Millis;
use serde_json::Value;

use super::{Account, Audit, Command, Device, Grant, Grid, Hold, Person, Proposal, Reconciliation, Street};

/// Prints what a command came to.
pub fn answer(command: &Command, answer: &Value) {
    match command {
        Command::Login { .. } => {
            println!("已登录 logged in ({}), 有效至 until {}", cell("kind", answer), cell("expires_at", answer));
        }
        Command::Logout => println!("已退出 logged out"),
        Command::Password { .. } => println!("密码已更改,其他登录已失效 password changed, other sessions ended"),
        Command::Account(Account::List) => rows(answer, &["name", "kind", "added_at", "disabled_at", "locked", "id"]),
        Command::Account(Account::Add { .. }) if answer.get("proposal").is_some() => {
            let id = answer.get("proposal").map(|proposal| cell("id", proposal)).unwrap_or_default();
            println!("已提议,须由另一类管理员在一天内确认。 Proposed: another kind of administrator has to confirm it within a day:");
            println!("doorstep admin proposal confirm {id}");
        }
        Command::Proposal(Proposal::List) => rows(answer, &["act", "account", "kind", "by", "proposed_at", "expires_at", "id"]),
        Command::Audit(Audit::List { .. }) => rows(answer, &["id", "at", "who", "from", "what", "on", "outcome"]),
        Command::Audit(Audit::Verify { .. }) => verified(answer),
        Command::Street(Street::List) => rows(answer, &["name", "id"]),
        Command::Device(Device::List) => rows(answer, &["person", "label", "enrolled_at", "last_contact_at", "ended", "id"]),
        Command::Hold(Hold::List) => rows(answer, &["since", "reason", "id"]),
        Command::Erasures => rows(answer, &["erased_at", "unconfirmed_devices", "path", "id"]),
        Command::Erase { .. } => {
            println!("已删除 erased {}", cell("erased", answer));
            let mentions = answer.get("mentions").unwrap_or(&Value::Null);
            if mentions.as_array().is_some_and(|mentions| !mentions.is_empty()) {
                println!("以下记录可能仍提到此人,请核对。 These may still speak of the person; have somebody look at them:");
                rows(mentions, &["kind", "why", "path", "id"]);
                println!("若要隐去其中某处: To redact one of these places: doorstep admin redact <id> <path>");
            }
        }
        Command::Redact { .. } => println!("已隐去 redacted {} {}", cell("redacted", answer), cell("path", answer)),
        Command::Grid(Grid::List) => rows(answer, &["name", "community", "id"]),
        Command::Person(Person::List) => rows(answer, &["name", "role", "devices", "id"]),
        Command::Places(_) => rows(answer, &["grid", "place_kind", "name", "address", "id"]),
        Command::Households(_) => rows(answer, &["grid", "door", "contact", "members", "id"]),
        Command::Residents(_) => rows(answer, &["grid", "name", "household", "id"]),
        Command::Organisations(_) => rows(answer, &["grid", "name", "trade", "address", "id"]),
        Command::Cases { .. } => rows(answer, &["state", "urgency", "category", "grid", "excerpt", "late_events", "opened_at", "id"]),
        Command::Late => rows(answer, &["wanted", "by", "made_at", "arrived_at", "state", "text", "case"]),
        Command::Quarantine => rows(answer, &["code", "by", "at", "group"]),
        Command::Reconciliation(Reconciliation::List) => rows(answer, &["person", "device"]),
        Command::Documents { .. } => rows(answer, &["id", "changes", "digest"]),
        Command::Show { .. }
        | Command::Person(Person::Show { .. } | Person::Export { .. })
        | Command::Device(Device::Report { .. } | Device::Lost { .. }) => {
            println!("{}", serde_json::to_string_pretty(answer).unwrap_or_default())
        }
        Command::Code { .. } => code(answer),
        Command::Import { .. } => println!(
            "导入完成 imported: {} rows, {} imported before, {} documents written",
            cell("rows", answer),
            cell("imported_before", answer),
            cell("documents_written", answer)
        ),
        Command::Account(Account::Add { .. } | Account::Disable { .. })
        | Command::Proposal(Proposal::Confirm { .. })
        | Command::Street(Street::Add { .. })
        | Command::Grid(Grid::Add { .. } | Grid::Reassign { .. } | Grid::Take { .. })
        | Command::Device(Device::Revoke { .. })
        | Command::Person(Person::Add { .. })
        | Command::Hold(Hold::Add { .. } | Hold::End { .. })
        | Command::Grant(Grant::Give { .. } | Grant::End { .. })
        | Command::Reconciliation(Reconciliation::End) => println!("完成 done {answer}"),
    }
}

fn rows(answer: &Value, columns: &[&str]) {
    let rows = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        println!("(空 none)");
        return;
    }
    println!("{}", columns.join("  "));
    for row in rows {
        println!("{}", columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join("  "));
    }
}

fn cell(column: &str, row: &Value) -> String {
    match row.get(column) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if column.ends_with("_at") || column == "at" => {
            number.as_i64().map(|at| Millis(at).to_string()).unwrap_or_default()
        }
        None | Some(Value::Null) => "—".into(),
        Some(other) => other.to_string(),
    }
}

fn verified(answer: &Value) {
    let broken = answer.get("broken").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (records, last) = (cell("records", answer), cell("last", answer));
    if broken.is_empty() {
        println!("审计日志完整。 The audit log is whole: {records} records, the last is {last}.");
    } else {
        println!("审计日志不完整! The audit log is not whole: {records} records are right, the last is {last}.");
        rows(&Value::Array(broken.to_vec()), &["file", "line", "what", "after"]);
    }
    if answer.get("is_marked").and_then(Value::as_bool) == Some(false) {
        println!("未能核对末尾。 There is no mark to hold its end against: a missing end is not seen.");
    }
}

fn code(answer: &Value) {
    println!("一次性注册码 one-time code: {}", cell("code", answer));
    println!("有效至 until: {}", cell("expires_at", answer));
    println!("在手机上 on the phone: doorstep phone enrol --server URL --code {}", cell("code", answer));
    println!("二维码文字 text of a QR code: {}", cell("invitation", answer));
}
