//! One document, in plain JSON: its fields and entries as they stand, conflicts with who and when, and a case's timeline.

use axum::extract::State;
use doorstep_core::docs::{Conflict, DocKind, Document, Scalar};
use doorstep_core::model::{Directory, DocId, Receipts};
use doorstep_core::workflow::{self, Effect};
use serde_json::{Map, Value, json};

use super::guard::{Asking, Guard};
use super::street_of;
use crate::api::Api;
use crate::audit::What;
use crate::http::{Json, Path};
use crate::problem::Problem;

pub async fn document(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let id: DocId = id.parse().map_err(|_| Problem::bad_path().fault("/document", "is no id"))?;
    let shown = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let (document, receipts) = hub.document(street, id)?;
            Ok(show(&document, &receipts, &hub.directory(street)?))
        })
        .await?;
    guard.note(asking.did(What::Revealed).on(id)).await?;
    Ok(Json(shown))
}

pub fn show(document: &Document, receipts: &Receipts, directory: &Directory) -> Value {
    let mut shown = json!({
        "id": document.id().to_string(),
        "kind": document.kind().name(),
        "grid": document.grid().and_then(|grid| directory.grid(grid)).map(|grid| grid.name.clone()),
        "removed": document.is_removed(),
        "changes": receipts.len(),
        "fields": fields(document),
        "conflicts": document.conflicts().iter().map(|conflict| show_conflict(conflict, directory)).collect::<Vec<_>>(),
        "visits": document.visits().iter().map(|visit| json!({
            "id": visit.id.to_string(),
            "by": directory.person(visit.by).map(|staff| staff.name.clone()),
            "at": visit.at.0,
            "purpose": visit.purpose.code(),
            "outcome": visit.outcome.code(),
            "findings": visit.findings.reveal(),
            "follow_up": visit.follow_up.map(|day| day.to_string()),
            "amendments": visit.amendments.iter().map(|amendment| amendment.text.reveal().clone()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    });
    if document.kind() == DocKind::Case
        && let Some(shown) = shown.as_object_mut()
    {
        shown.insert("case".into(), show_case(document, receipts, directory));
    }
    shown
}

fn show_case(document: &Document, receipts: &Receipts, directory: &Directory) -> Value {
    let view = workflow::fold(document.events(), receipts);
    json!({
        "state": view.state.as_ref().map(|state| state.code().to_owned()),
        "duplicate_of": view.duplicate_of.map(|id| id.to_string()),
        "timeline": view.timeline.iter().map(|entry| json!({
            "event": entry.event.id.to_string(),
            "kind": entry.event.kind.code(),
            "by": directory.person(entry.event.by).map(|staff| staff.name.clone()),
            "made_at": entry.event.at.0,
            "accepted_at": entry.at().0,
            "text": entry.event.text.as_ref().map(|text| text.reveal().clone()),
            "effect": match &entry.effect {
                Effect::Applied { to, .. } => json!({ "to": to.code() }),
                Effect::Beside => json!("beside"),
                Effect::Superseded(superseded) => json!({ "superseded": superseded.code() }),
            },
        })).collect::<Vec<_>>(),
    })
}

fn show_conflict(conflict: &Conflict, directory: &Directory) -> Value {
    let values = conflict.candidates.iter().map(|candidate| {
        let by = candidate.actor.and_then(|actor| directory.person_of(actor.device));
        json!({ "value": show_scalar(&candidate.value), "by": by.map(|staff| staff.name.clone()), "at": candidate.at.millis().0 })
    });
    json!({ "field": conflict.field, "values": values.collect::<Vec<_>>() })
}

fn fields(document: &Document) -> Map<String, Value> {
    document.registers().iter().map(|(field, value)| (field.clone(), show_scalar(value))).collect()
}

pub fn show_scalar(value: &Scalar) -> Value {
    match value {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => json!(value),
        Scalar::Int(value) => json!(value),
        Scalar::Text(text) => json!(text),
        Scalar::Bytes(bytes) => match DocId::try_from(bytes.as_slice()) {
            Ok(id) => json!(id.to_string()),
            Err(_) => json!(hex(bytes)),
        },
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
