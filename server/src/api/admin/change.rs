//! What changes a street: adding, granting, making codes.

use axum::extract::State;
use axum::http::StatusCode;
use doorstep_core::model::{CaseId, Day, DocId, Invalid, PersonId, PlaceId, Right, Role, Scope, StreetId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use super::{grid_of, person_of, street_of};
use crate::api::Api;
use crate::audit::{Entry, What};
use crate::http::{Json, Path, RawBody};
use crate::hub::{Hub, HubError, NewPerson, Term};
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
pub struct NewGrant {
    #[serde(flatten)]
    of: OfGrant,
    /// As what; what the person is if absent.
    role: Option<String>,
    /// The first day; from now on if absent.
    from: Option<String>,
    /// The last day; until it is ended if absent.
    until: Option<String>,
}

/// Whose right, and to what.
#[derive(Deserialize)]
pub struct OfGrant {
    person: String,
    /// A grid or a case; the whole street if both are absent.
    grid: Option<String>,
    case: Option<String>,
}

pub async fn give_grant(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path(street): Path<String>,
    Json(grant): Json<NewGrant>,
) -> Created {
    let (named, id) = api
        .call(move |hub| {
            let named = Named::find(hub, &street, &grant.of)?;
            let role = match &grant.role {
                Some(role) => read_role(role)?,
                None => {
                    let directory = hub.directory(named.street)?;
                    directory.person(named.person).map(|staff| staff.role.clone()).ok_or(HubError::NotFound { what: "person" })?
                }
            };
            let day = |name, text: &Option<String>| {
                text.as_deref().map(|text| text.parse::<Day>().map_err(|invalid| Invalid::new(name, invalid.rule))).transpose()
            };
            let from = day("from", &grant.from)?.map(Day::begins_at);
            let until = day("until", &grant.until)?.map(|last| last.plus(1).begins_at());
            Ok((named, hub.grant(named.street, named.person, &Right { role, scope: named.scope }, Term { from, until })?))
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
    Json(grant): Json<OfGrant>,
) -> Result<Json<Value>, Problem> {
    let named = api
        .call(move |hub| {
            let named = Named::find(hub, &street, &grant)?;
            hub.revoke(named.street, named.person, named.scope)?;
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
    scope: Scope,
}

impl Named {
    fn find(hub: &Hub, street: &str, grant: &OfGrant) -> Result<Self, HubError> {
        let street = street_of(hub, street)?;
        let scope = match (&grant.grid, &grant.case) {
            (Some(_), Some(_)) => return Err(Invalid::new("case", "is given together with a grid").into()),
            (Some(grid), None) => Scope::Grid(grid_of(hub, street, grid)?),
            (None, Some(case)) => Scope::Case(case.parse::<CaseId>()?),
            (None, None) => Scope::Street(street),
        };
        Ok(Self { street, person: person_of(hub, street, &grant.person)?, scope })
    }

    fn note(&self, entry: Entry) -> Entry {
        let entry = entry.on(self.street).on(self.person);
        match self.scope {
            Scope::Grid(grid) => entry.on(grid),
            Scope::Case(case) => entry.on(DocId::from(case)),
            Scope::Street(_) | Scope::Assigned(_) => entry,
        }
    }
}

/// Gives a grid to another worker.
pub async fn reassign_grid(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, grid)): Path<(String, String)>,
    Json(to): Json<ForPerson>,
) -> Result<Json<Value>, Problem> {
    let (grid, person, id) = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let (grid, person) = (grid_of(hub, street, &grid)?, person_of(hub, street, &to.person)?);
            Ok((grid, person, hub.reassign_grid(street, grid, person)?))
        })
        .await?;
    guard.note(asking.did(What::GridReassigned).on(grid).on(person).on(id)).await?;
    Ok(Json(json!({ "grant": id.to_string() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    places: Vec<String>,
}

/// Moves places into a grid, with all that belongs to them.
pub async fn take_places(
    State(api): State<Api>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, grid)): Path<(String, String)>,
    Json(taken): Json<Places>,
) -> Result<Json<Value>, Problem> {
    let (grid, moved) = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let places = taken.places.iter().map(|place| place.parse::<PlaceId>()).collect::<Result<Vec<_>, _>>()?;
            let grid = grid_of(hub, street, &grid)?;
            Ok((grid, hub.move_places(street, &places, grid)?))
        })
        .await?;
    guard.note(asking.did(What::BoundariesMoved).on(grid)).await?;
    Ok(Json(json!({ "moved": moved })))
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
