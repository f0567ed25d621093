//! Legal holds: records that are evidence, and why.

use axum::extract::State;
use doorstep_core::model::DocId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use super::street_of;
use crate::api::Api;
use crate::audit::What;
use crate::http::{Json, Path};
use crate::problem::Problem;

type Answer = Result<Json<Value>, Problem>;

/// What a hold is begun with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    document: String,
    reason: String,
}

pub async fn begin(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    Json(new): Json<NewHold>,
) -> Answer {
    let doc = api
        .call(move |hub| {
            let (street, doc) = (street_of(hub, &street)?, new.document.parse::<DocId>()?);
            hub.hold(street, doc, &new.reason)?;
            Ok(doc)
        })
        .await?;
    guard.note(asking.did(What::HoldBegun).on(doc)).await?;
    Ok(Json(json!({ "held": doc.to_string() })))
}

pub async fn end(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, document)): Path<(String, String)>,
) -> Answer {
    let doc = api
        .call(move |hub| {
            let (street, doc) = (street_of(hub, &street)?, document.parse::<DocId>()?);
            hub.end_hold(street, doc)?;
            Ok(doc)
        })
        .await?;
    guard.note(asking.did(What::HoldEnded).on(doc)).await?;
    Ok(Json(json!({ "released": doc.to_string() })))
}

pub async fn list(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let rows = api
        .call(move |hub| {
            let holds = hub.holds(street_of(hub, &street)?)?;
            let row =
                |(doc, hold): (DocId, crate::ledger::Hold)| json!({ "id": doc.to_string(), "reason": hold.reason, "since": hold.since.0 });
            Ok(holds.into_iter().map(row).collect())
        })
        .await?;
    Ok(Json(Value::Array(rows)))
}
