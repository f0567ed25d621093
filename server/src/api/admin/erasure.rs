//! Erasing people: the act, and what was erased with the phones that have not heard of it yet.

use axum::extract::State;
use doorstep_core::model::DocId;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use super::street_of;
use crate::api::Api;
use crate::audit::What;
use crate::http::{Json, Path};
use crate::hub::Mention;
use crate::problem::Problem;

type Answer = Result<Json<Value>, Problem>;

pub async fn erase(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, document)): Path<(String, String)>,
) -> Answer {
    let (doc, mentions) = api
        .call(move |hub| {
            let (street, doc) = (street_of(hub, &street)?, document.parse::<DocId>()?);
            Ok((doc, hub.erase(street, doc)?))
        })
        .await?;
    guard.note(asking.did(What::Erased).on(doc)).await?;
    let row = |mention: &Mention| json!({ "kind": mention.kind.name(), "id": mention.doc.to_string(), "why": mention.why });
    Ok(Json(json!({ "erased": doc.to_string(), "mentions": mentions.iter().map(row).collect::<Vec<_>>() })))
}

/// What was erased, each with the devices that have not been in contact since: they may hold the keys still.
pub async fn list(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let rows = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let devices = hub.devices(street)?;
            let rows = hub.erased(street).into_iter().map(|erasure| {
                let unheard =
                    devices.iter().filter(|device| device.ended.is_none() && device.last_contact.is_none_or(|at| at < erasure.at));
                json!({
                    "id": erasure.doc.to_string(),
                    "erased_at": erasure.at.0,
                    "devices_not_heard_of_since": unheard.map(|device| device.id.to_string()).collect::<Vec<_>>(),
                })
            });
            Ok(rows.collect())
        })
        .await?;
    Ok(Json(Value::Array(rows)))
}
