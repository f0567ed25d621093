//! The centre's lists: streets, a street's directory, a person's rights, cases, what came too late, what was refused.

use axum::extract::State;
use doorstep_core::model::{CaseId, Directory, Grant, Personal, Scope};
use doorstep_core::summary::CaseSummary;
use doorstep_core::workflow;
use serde_json::{Value, json};

use super::page::Page;
use super::{grid_of, person_of, street_of};
use crate::api::Api;
use crate::http::{Json, Path, Query};
use crate::problem::Problem;

type Answer = Result<Json<Value>, Problem>;

pub async fn streets(State(api): State<Api>) -> Answer {
    let streets = api.call(|hub| hub.streets()).await?;
    Ok(Json(streets.iter().map(|street| json!({ "id": street.id.to_string(), "name": street.name })).collect()))
}

pub async fn directory(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let directory = api.call(move |hub| hub.directory(street_of(hub, &street)?)).await?;
    let text = |id: &dyn std::fmt::Display| id.to_string();
    Ok(Json(json!({
        "id": text(&directory.street),
        "name": directory.name,
        "version": directory.version,
        "centres": directory.centres.iter().map(|centre| json!({ "id": text(&centre.id), "name": centre.name })).collect::<Vec<_>>(),
        "grids": directory.grids.iter()
            .map(|grid| json!({ "id": text(&grid.id), "name": grid.name, "community": grid.community })).collect::<Vec<_>>(),
        "people": directory.staff.iter().map(|staff| json!({
            "id": text(&staff.id),
            "name": staff.name,
            "role": staff.role.code(),
            "grids": staff.grids.iter().map(|grid| text(grid)).collect::<Vec<_>>(),
            "devices": staff.devices.len(),
        })).collect::<Vec<_>>(),
    })))
}

/// One person with all rights, ended ones included.
pub async fn person(State(api): State<Api>, Path((street, person)): Path<(String, String)>) -> Answer {
    let shown = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let id = person_of(hub, street, &person)?;
            let (directory, now) = (hub.directory(street)?, hub.clock_now());
            let grants = hub.ledger().grants(street, id)?;
            let staff = directory.person(id);
            Ok(json!({
                "id": id.to_string(),
                "name": staff.map(|staff| staff.name.as_str()),
                "role": staff.map(|staff| staff.role.code()),
                "devices": staff.map(|staff| staff.devices.len()),
                "grants": grants.iter().map(|grant| show_grant(grant, &directory, grant.holds(now))).collect::<Vec<_>>(),
            }))
        })
        .await?;
    Ok(Json(shown))
}

fn show_grant(grant: &Grant, directory: &Directory, holds: bool) -> Value {
    let (scope, grid) = match grant.scope {
        Scope::Street(_) => ("street", None),
        Scope::Grid(grid) => ("grid", directory.grid(grid).map(|grid| grid.name.as_str())),
        Scope::Assigned(_) => ("assigned", None),
        Scope::Case(_) => ("case", None),
    };
    let case = if let Scope::Case(case) = grant.scope { Some(case.to_string()) } else { None };
    json!({
        "id": grant.id.to_string(),
        "scope": scope,
        "grid": grid,
        "case": case,
        "role": grant.role.code(),
        "from_at": grant.from.0,
        "until_at": grant.until.map(|until| until.0),
        "holds": holds,
    })
}

/// Devices that have not yet given back what a restored server lost; none where nobody is waited for.
pub async fn awaited(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let shown = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let (directory, awaited) = (hub.directory(street)?, hub.awaited(street)?);
            let owner = |device| directory.staff.iter().find(|staff| staff.devices.contains(device)).map(|staff| staff.name.as_str());
            Ok(awaited.iter().map(|device| json!({ "person": owner(device), "device": device.to_string() })).collect())
        })
        .await?;
    Ok(Json(shown))
}

pub async fn cases(State(api): State<Api>, Path(street): Path<String>, Query(page): Query<Page>) -> Answer {
    let page = page.only(&["grid", "open"])?;
    let (limit, after) = (page.limit()?, page.after::<CaseId>()?);
    let rows = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let grid = page.grid(|grid| grid_of(hub, street, grid))?;
            let (cases, directory) = (hub.cases(street)?, hub.directory(street)?);
            let begin = after.and_then(|after| cases.iter().position(|case| case.id == after)).map_or(0, |at| at + 1);
            let asked = |case: &&CaseSummary| (!page.open || case.is_open()) && (grid.is_none() || case.grid == grid);
            Ok(cases.iter().skip(begin).filter(asked).take(limit).map(|case| show_case(case, &directory)).collect())
        })
        .await?;
    Ok(Json(Value::Array(rows)))
}

fn show_case(case: &CaseSummary, directory: &Directory) -> Value {
    json!({
        "id": case.id.to_string(),
        "kind": case.kind.code(),
        "category": case.category.code(),
        "state": case.state.as_ref().map(|state| state.code().to_owned()),
        "urgency": case.urgency.code(),
        "grid": case.grid.and_then(|grid| directory.grid(grid)).map(|grid| grid.name.clone()),
        "excerpt": case.excerpt.as_ref().map(Personal::reveal),
        "opened_at": case.opened_at.map(|at| at.0),
        "closed_at": case.closed_at.map(|at| at.0),
        "late_events": case.superseded,
        "duplicate_of": case.duplicate_of.map(|id| id.to_string()),
        "conflicted": case.conflicted,
        "removed": case.removed,
    })
}

pub async fn late(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let rows = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let directory = hub.directory(street)?;
            let mut rows: Vec<Value> = Vec::new();
            for late in hub.late_events(street)? {
                let (document, receipts) = hub.document(street, late.case.into())?;
                let view = workflow::fold(document.events_in_brief(), &receipts);
                let Some(entry) = view.timeline.iter().find(|entry| entry.event.id == late.event) else { continue };
                rows.push(json!({
                    "case": late.case.to_string(),
                    "event": late.event.to_string(),
                    "wanted": entry.event.kind.code(),
                    "reason": match &entry.effect {
                        workflow::Effect::Superseded(superseded) => Some(superseded.code()),
                        workflow::Effect::Applied { .. } | workflow::Effect::Beside => None,
                    },
                    "by": directory.person(entry.event.by).map(|staff| staff.name.clone()),
                    "made_at": entry.event.at.0,
                    "arrived_at": entry.at().0,
                    "text": entry.event.text.as_ref().map(|text| text.reveal().clone()),
                    "state": view.state.as_ref().map(|state| state.code().to_owned()),
                }));
            }
            Ok(rows)
        })
        .await?;
    Ok(Json(rows.into()))
}

pub async fn quarantine(State(api): State<Api>, Path(street): Path<String>) -> Answer {
    let (groups, directory) = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            Ok((hub.quarantine(street)?, hub.directory(street)?))
        })
        .await?;
    let rows = groups.iter().map(|group| {
        json!({
            "group": group.id.to_string(),
            "at": group.at.0,
            "by": directory.person(group.person).map(|staff| staff.name.clone()),
            "device": group.device.to_string(),
            "code": group.code,
            "offset_ms": group.offset_ms,
            "because_of": group.because_of.map(|group| group.to_string()),
            "documents": group.changes.iter().map(|(doc, kind, _)| json!({ "id": doc.to_string(), "kind": kind.name() })).collect::<Vec<_>>(),
        })
    });
    Ok(Json(rows.collect()))
}
