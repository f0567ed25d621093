//! Answers for people: a line for each row, the columns that matter.

use doorstep_core::model::Millis;
use serde_json::Value;

use super::{Command, Grant, Grid, Person, Reconciliation, Street};

/// Prints what a command came to.
pub fn answer(command: &Command, answer: &Value) {
    match command {
        Command::Street(Street::List) => rows(answer, &["name", "id"]),
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
        Command::Show { .. } | Command::Person(Person::Show { .. }) => {
            println!("{}", serde_json::to_string_pretty(answer).unwrap_or_default())
        }
        Command::Code { .. } => code(answer),
        Command::Import { .. } => println!(
            "导入完成 imported: {} rows, {} imported before, {} documents written",
            cell("rows", answer),
            cell("imported_before", answer),
            cell("documents_written", answer)
        ),
        Command::Street(Street::Add { .. })
        | Command::Grid(Grid::Add { .. } | Grid::Reassign { .. } | Grid::Take { .. })
        | Command::Person(Person::Add { .. })
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

fn code(answer: &Value) {
    println!("一次性注册码 one-time code: {}", cell("code", answer));
    println!("有效至 until: {}", cell("expires_at", answer));
    println!("在手机上 on the phone: doorstep phone enrol --server URL --code {}", cell("code", answer));
}
