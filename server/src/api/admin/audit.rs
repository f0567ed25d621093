//! The audit log, page by page and verified.

use axum::extract::State;
use doorstep_core::model::Millis;
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::Guard;
use super::page::MOST_ROWS;
use crate::audit::{Record, Verified};
use crate::http::{Json, Query};
use crate::problem::Problem;

/// Which records are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// From this time on, in milliseconds.
    #[serde(default)]
    since: i64,
    /// Behind this number.
    #[serde(default)]
    after: u64,
    #[serde(default = "most_rows")]
    limit: usize,
}

const fn most_rows() -> usize {
    MOST_ROWS
}

/// Records in their order; a page with fewer rows than `limit` is the last.
pub async fn list(State(guard): State<Guard>, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Problem> {
    let Wanted { since, after, limit } = wanted;
    if !(1..=MOST_ROWS).contains(&limit) {
        return Err(Problem::bad_query().fault("/limit", format!("is not between 1 and {MOST_ROWS}")));
    }
    let records = guard.audit(move |audit| audit.records(after, Millis(since), limit)).await?;
    Ok(Json(records.iter().map(row).collect()))
}

fn row(record: &Record) -> Value {
    json!({
        "id": record.number.to_string(),
        "at": record.at.0,
        "who": record.entry.who,
        "from": record.entry.from,
        "what": record.entry.what,
        "on": record.entry.on,
        "outcome": record.entry.outcome,
    })
}

/// Reads the whole chain. What is broken is told, and is no failure of the request.
pub async fn verify(State(guard): State<Guard>) -> Result<Json<Verified>, Problem> {
    guard.audit(|audit| audit.verify()).await.map(Json)
}
