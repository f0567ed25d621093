//! What changes a street: adding, granting, making codes.

use axum::extract::State;
use axum::http::StatusCode;
use doorstep_core::model::{GridId, Invalid, PersonId, Role, Scope, StreetId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use super::{grid_of, person_of, street_of};
use crate::api::Api;
use crate::audit::{Entry, What};
use crate::http::{Json, Path, RawBody};
use crate::hub::{Hub, HubError, NewPerson};
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

pub async fn add_street(State(api): State<Api>, State(guard): State<Guard>, asking: Asking, Json(new): Json<NewStreet>) -> Created {
    let added = api
        .call(move |hub| {
            let centres: Vec<&str> = new.centres.iter().map(String::as_str).collect();
            hub.add_street(&new.name, &centres)
        })
        .await?;
    guard.note(asking.did(What::StreetAdded).on(added.id)).await?;
    Ok(created(json!({ "id": added.id.to_string(), "name": added.name })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrids {
    names: Vec<String>,
    #[serde(default)]
    community: String,
}

pub async fn add_grids(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    Json(new): Json<NewGrids>,
) -> Created {
    let (street, ids) = api
        .call(move |hub| {
            let grids: Vec<(String, String)> = new.names.into_iter().map(|name| (name, new.community.clone())).collect();
            let street = street_of(hub, &street)?;
            Ok((street, hub.add_grids(street, &grids)?))
        })
        .await?;
    // The street and not each grid: a record has a bound, a list of names has none.
    guard.note(asking.did(What::GridsAdded).on(street)).await?;
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

pub async fn add_person(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    Json(new): Json<AnyPerson>,
) -> Created {
    let (street, id) = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let role = new.role.as_deref().map_or(Ok(Role::GridWorker), read_role)?;
            let grids = new.grids.iter().map(|grid| grid_of(hub, street, grid)).collect::<Result<_, _>>()?;
            Ok((street, hub.add_person(street, &NewPerson { name: new.name, role, grids })?))
        })
        .await?;
    guard.note(asking.did(What::PersonAdded).on(street).on(id)).await?;
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

pub async fn make_code(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    Json(of): Json<ForPerson>,
) -> Created {
    let (street, person, (code, expires_at)) = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let person = person_of(hub, street, &of.person)?;
            Ok((street, person, hub.make_code(street, person)?))
        })
        .await?;
    guard.note(asking.did(What::CodeIssued).on(street).on(person)).await?;
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

pub async fn give_grant(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    Json(grant): Json<AnyGrant>,
) -> Created {
    let (named, id) = api
        .call(move |hub| {
            let named = Named::find(hub, &street, &grant)?;
            Ok((named, hub.grant(named.street, named.person, named.scope())?))
        })
        .await?;
    guard.note(named.note(asking.did(What::GrantGiven)).on(id)).await?;
    Ok(created(json!({ "id": id.to_string() })))
}

pub async fn end_grant(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    Json(grant): Json<AnyGrant>,
) -> Result<Json<Value>, Problem> {
    let named = api
        .call(move |hub| {
            let named = Named::find(hub, &street, &grant)?;
            hub.revoke(named.street, named.person, named.scope())?;
            Ok(named)
        })
        .await?;
    guard.note(named.note(asking.did(What::GrantEnded))).await?;
    Ok(Json(json!({ "ended": true })))
}

/// Whose right to what is meant.
#[derive(Clone, Copy)]
struct Named {
    street: StreetId,
    person: PersonId,
    grid: Option<GridId>,
}

impl Named {
    fn find(hub: &Hub, street: &str, grant: &AnyGrant) -> Result<Self, HubError> {
        let street = street_of(hub, street)?;
        let grid = grant.grid.as_deref().map(|grid| grid_of(hub, street, grid)).transpose()?;
        Ok(Self { street, person: person_of(hub, street, &grant.person)?, grid })
    }

    fn scope(&self) -> Scope {
        self.grid.map_or(Scope::Street(self.street), Scope::Grid)
    }

    fn note(&self, entry: Entry) -> Entry {
        let entry = entry.on(self.street).on(self.person);
        self.grid.into_iter().fold(entry, Entry::on)
    }
}

/// Nobody else is waited for in a street that was restored.
pub async fn end_reconciliation(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    _: RawBody,
) -> Result<Json<Value>, Problem> {
    let street = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            hub.end_reconciliation(street)?;
            Ok(street)
        })
        .await?;
    guard.note(asking.did(What::ReconciliationEnded).on(street)).await?;
    Ok(Json(json!({ "ended": true })))
}
