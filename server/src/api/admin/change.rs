//! What changes a street: adding, granting, making codes.

use axum::extract::State;
use axum::http::StatusCode;
use doorstep_core::model::{Invalid, Role, Scope};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{grid_of, person_of, street_of};
use crate::api::Api;
use crate::http::{Json, Path};
use crate::hub::NewPerson;
use crate::problem::Problem;

type Created = Result<(StatusCode, Json<Value>), Problem>;

fn created(value: Value) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(value))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStreet {
    name: String,
    #[serde(default)]
    centres: Vec<String>,
}

pub async fn add_street(State(api): State<Api>, Json(new): Json<NewStreet>) -> Created {
    let added = api
        .call(move |hub| {
            let centres: Vec<&str> = new.centres.iter().map(String::as_str).collect();
            hub.add_street(&new.name, &centres)
        })
        .await?;
    Ok(created(json!({ "id": added.id.to_string(), "name": added.name })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrids {
    names: Vec<String>,
    #[serde(default)]
    community: String,
}

pub async fn add_grids(State(api): State<Api>, Path(street): Path<String>, Json(new): Json<NewGrids>) -> Created {
    let ids = api
        .call(move |hub| {
            let grids: Vec<(String, String)> = new.names.into_iter().map(|name| (name, new.community.clone())).collect();
            hub.add_grids(street_of(hub, &street)?, &grids)
        })
        .await?;
    Ok(created(json!({ "ids": ids.iter().map(ToString::to_string).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnyPerson {
    name: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    grids: Vec<String>,
}

pub async fn add_person(State(api): State<Api>, Path(street): Path<String>, Json(new): Json<AnyPerson>) -> Created {
    let id = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let role = new.role.as_deref().map_or(Ok(Role::GridWorker), read_role)?;
            let grids = new.grids.iter().map(|grid| grid_of(hub, street, grid)).collect::<Result<_, _>>()?;
            hub.add_person(street, &NewPerson { name: new.name, role, grids })
        })
        .await?;
    Ok(created(json!({ "id": id.to_string() })))
}

fn read_role(text: &str) -> Result<Role, Invalid> {
    text.parse().map_err(|invalid: Invalid| Invalid::new("role", invalid.rule))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForPerson {
    person: String,
}

pub async fn make_code(State(api): State<Api>, Path(street): Path<String>, Json(of): Json<ForPerson>) -> Created {
    let (code, expires_at) = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            hub.make_code(street, person_of(hub, street, &of.person)?)
        })
        .await?;
    // What a phone's camera reads: the code alone; the app knows its server, or asks for it.
    let qr = format!("doorstep:enrol?code={code}");
    Ok(created(json!({ "code": code, "expires_at": expires_at.0, "qr": qr })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnyGrant {
    person: String,
    /// A grid; the whole street if absent.
    grid: Option<String>,
}

pub async fn give_grant(State(api): State<Api>, Path(street): Path<String>, Json(grant): Json<AnyGrant>) -> Created {
    let id = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let scope = grant.grid.as_deref().map_or(Ok(Scope::Street(street)), |grid| grid_of(hub, street, grid).map(Scope::Grid))?;
            hub.grant(street, person_of(hub, street, &grant.person)?, scope)
        })
        .await?;
    Ok(created(json!({ "id": id.to_string() })))
}

pub async fn end_grant(State(api): State<Api>, Path(street): Path<String>, Json(grant): Json<AnyGrant>) -> Result<Json<Value>, Problem> {
    api.call(move |hub| {
        let street = street_of(hub, &street)?;
        let scope = grant.grid.as_deref().map_or(Ok(Scope::Street(street)), |grid| grid_of(hub, street, grid).map(Scope::Grid))?;
        hub.revoke(street, person_of(hub, street, &grant.person)?, scope)
    })
    .await?;
    Ok(Json(json!({ "ended": true })))
}

/// Nobody else is waited for in a street that was restored.
pub async fn end_reconciliation(State(api): State<Api>, Path(street): Path<String>) -> Result<Json<Value>, Problem> {
    api.call(move |hub| hub.end_reconciliation(street_of(hub, &street)?)).await?;
    Ok(Json(json!({ "ended": true })))
}
