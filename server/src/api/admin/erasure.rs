//! Erasing people and redacting what is said of them: the acts, and what was erased with the phones that have not heard of it yet.

use axum::extract::State;
use doorstep_core::docs::layout;
use doorstep_core::model::DocId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use super::street_of;
use crate::api::Api;
use crate::audit::What;
use crate::http::{Json, Path};
use crate::hub::{Erasure, HubError, Mention};
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
    Ok(Json(json!({ "erased": doc.to_string(), "mentions": mentions.iter().map(mentioned).collect::<Vec<_>>() })))
}

/// A record that speaks of a person, by id; the place is what [`redact`] takes.
pub fn mentioned(mention: &Mention) -> Value {
    let path = mention.why.path().map(ToString::to_string);
    json!({ "kind": mention.kind.name(), "id": mention.doc.to_string(), "why": mention.why.word(), "path": path })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redacting {
    /// The place of the value: `remark`, `visits/<id>/findings`.
    path: String,
}

pub async fn redact(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, document)): Path<(String, String)>,
    Json(redacting): Json<Redacting>,
) -> Answer {
    let path = layout::Path::of_value(&redacting.path).ok_or_else(|| Problem::bad_fields().fault("/path", "is no place of a value"))?;
    let doc = api
        .call(move |hub| {
            let (street, doc) = (street_of(hub, &street)?, document.parse::<DocId>()?);
            hub.redact(street, doc, &path)?;
            Ok(doc)
        })
        .await?;
    guard.note(asking.did(What::Redacted).on(doc)).await?;
    Ok(Json(json!({ "redacted": doc.to_string(), "path": redacting.path })))
}

/// What was erased and redacted, each with the devices that have not yet confirmed it: they may hold the keys still.
pub async fn list(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let rows = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let devices = hub.devices(street)?;
            let row = |erasure: Erasure| {
                let unconfirmed = hub.unconfirmed(&erasure, &devices)?;
                Ok(json!({
                    "id": erasure.doc.to_string(),
                    "path": erasure.part.as_ref().map(|part| part.path.to_string()),
                    "erased_at": erasure.at.0,
                    "unconfirmed_devices": unconfirmed.iter().map(ToString::to_string).collect::<Vec<_>>(),
                }))
            };
            hub.erased(street).into_iter().map(row).collect::<Result<Vec<_>, HubError>>()
        })
        .await?;
    Ok(Json(Value::Array(rows)))
}
