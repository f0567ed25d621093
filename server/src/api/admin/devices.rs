//! Devices of a street: the list, the end of one, and what a lost one may hold.

use axum::extract::State;
use doorstep_core::model::{DeviceId, Invalid, Scope};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use super::street_of;
use crate::api::Api;
use crate::audit::What;
use crate::http::{Json, Path};
use crate::ledger::{Device, Ending};
use crate::problem::Problem;

type Answer = Result<Json<Value>, Problem>;

fn show(device: &Device, person: Option<&str>) -> Value {
    json!({
        "id": device.id.to_string(),
        "person": person,
        "label": device.label,
        "enrolled_at": device.enrolled_at.0,
        "last_contact_at": device.last_contact.map(|at| at.0),
        "ended_at": device.ended.map(|ended| ended.at.0),
        "ended": device.ended.map(|ended| ended.why.code()),
    })
}

pub async fn list(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let shown = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let (devices, directory) = (hub.devices(street)?, hub.directory(street)?);
            let name = |device: &Device| directory.person(device.person).map(|staff| staff.name.clone());
            Ok(devices.iter().map(|device| show(device, name(device).as_deref())).collect())
        })
        .await?;
    Ok(Json(shown))
}

/// What was on a lost phone, and since when.
pub async fn report(State(api): State<Api>, Path((street, device)): Path<(String, String)>) -> Answer {
    let shown = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let report = hub.lost_report(street, device.parse::<DeviceId>()?)?;
            let directory = hub.directory(street)?;
            let scope = |scope: &Scope| match scope {
                Scope::Street(_) => directory.name.clone(),
                Scope::Grid(grid) => directory.grid(*grid).map_or_else(|| grid.to_string(), |grid| grid.name.clone()),
                Scope::Assigned(id) => id.to_string(),
                Scope::Case(id) => id.to_string(),
            };
            let person = directory.person(report.device.person).map(|staff| staff.name.as_str());
            let documents = report.documents.iter().map(|(kind, count)| (kind.name().to_owned(), json!(count)));
            Ok(json!({
                "device": show(&report.device, person),
                "rights": report.rights.iter().map(|right| json!({ "role": right.role.code(), "scope": scope(&right.scope) })).collect::<Vec<_>>(),
                "documents": documents.collect::<serde_json::Map<_, _>>(),
            }))
        })
        .await?;
    Ok(Json(shown))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// `revoked` if absent.
    #[serde(default)]
    why: Option<String>,
}

pub async fn end(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, device)): Path<(String, String)>,
    Json(Why { why }): Json<Why>,
) -> Answer {
    let why = match why.as_deref() {
        None | Some("revoked") => Ending::Revoked,
        Some("lost") => Ending::Lost,
        Some(_) => return Err(Invalid::new("why", "is neither revoked nor lost").into()),
    };
    let device = api
        .call(move |hub| {
            let (street, device) = (street_of(hub, &street)?, device.parse::<DeviceId>()?);
            hub.end_device(street, device, why)?;
            Ok(device)
        })
        .await?;
    guard.note(asking.did(What::DeviceEnded).on(device)).await?;
    Ok(Json(json!({ "ended": why.code() })))
}
