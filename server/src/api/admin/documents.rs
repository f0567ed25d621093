//! The documents of a street, page by page: places, households, residents and organisations as lists show them, and the state of every
//! document for comparing replicas.
//!
//! Names of people are masked here; [`super::show`] shows one document whole.

use axum::extract::State;
use doorstep_core::docs::DocKind;
use doorstep_core::model::{Directory, DocId, GridId, Personal, StreetId, Tag};
use doorstep_core::summary::{LastVisit, Summary};
use serde_json::{Value, json};

use super::page::Page;
use super::{grid_of, street_of};
use crate::api::Api;
use crate::http::{Json, Path, Query};
use crate::hub::{Hub, HubError};
use crate::problem::Problem;

type Answer = Result<Json<Value>, Problem>;

/// How many summaries are read at a time while those of a grid are looked for.
const ROWS_AT_ONCE: usize = 1_024;

pub async fn places(api: State<Api>, street: Path<String>, page: Query<Page>) -> Answer {
    list(api, street, page, DocKind::Place).await
}

pub async fn households(api: State<Api>, street: Path<String>, page: Query<Page>) -> Answer {
    list(api, street, page, DocKind::Household).await
}

pub async fn residents(api: State<Api>, street: Path<String>, page: Query<Page>) -> Answer {
    list(api, street, page, DocKind::Resident).await
}

pub async fn organisations(api: State<Api>, street: Path<String>, page: Query<Page>) -> Answer {
    list(api, street, page, DocKind::Organisation).await
}

async fn list(State(api): State<Api>, Path(street): Path<String>, Query(page): Query<Page>, kind: DocKind) -> Answer {
    let page = page.only(&["grid"])?;
    let (limit, after) = (page.limit()?, page.after()?);
    let rows = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let grid = page.grid(|grid| grid_of(hub, street, grid))?;
            let directory = hub.directory(street)?;
            let summaries = read(hub, street, kind, after, grid, limit)?;
            Ok(summaries.iter().map(|summary| row(summary, &directory)).collect())
        })
        .await?;
    Ok(Json(Value::Array(rows)))
}

/// At most `limit` summaries behind an id. Those of one grid are found by reading on: there is no index that lists need.
fn read(
    hub: &Hub,
    street: StreetId,
    kind: DocKind,
    mut after: Option<DocId>,
    grid: Option<GridId>,
    limit: usize,
) -> Result<Vec<Summary>, HubError> {
    let mut found = Vec::new();
    loop {
        let rows = hub.ledger().summaries(street, kind, after, ROWS_AT_ONCE)?;
        for (id, bytes) in &rows {
            after = Some(*id);
            let summary = hub.opened_summary(street, *id, bytes)?;
            if grid.is_none() || summary.grid() == grid {
                found.push(summary);
            }
            if found.len() == limit {
                return Ok(found);
            }
        }
        if rows.len() < ROWS_AT_ONCE {
            return Ok(found);
        }
    }
}

fn row(summary: &Summary, directory: &Directory) -> Value {
    let mut row = match summary {
        Summary::Place(place) => json!({
            "name": place.name,
            "place_kind": place.kind.as_ref().map(|kind| kind.code().to_owned()),
            "address": place.address,
            "estate": place.parent.map(|id| id.to_string()),
            "tags": tags(&place.tags),
            "visits": visits(&place.last_visit),
            "conflicted": place.conflicted,
        }),
        Summary::Household(household) => json!({
            "place": household.place.map(|id| id.to_string()),
            "door": household.door,
            "contact": household.contact.as_ref().map(masked),
            "members": household.members,
            "tags": tags(&household.tags),
            "visits": visits(&household.last_visit),
            "conflicted": household.conflicted,
        }),
        Summary::Resident(resident) => json!({
            "name": resident.name.as_ref().map(masked),
            "household": resident.household.map(|id| id.to_string()),
            "tags": tags(&resident.tags),
            "conflicted": resident.conflicted,
        }),
        Summary::Organisation(organisation) => json!({
            "name": organisation.name,
            "trade": organisation.trade,
            "address": organisation.address,
            "contact": organisation.contact.as_ref().map(masked),
            "tags": tags(&organisation.tags),
            "visits": visits(&organisation.last_visit),
            "conflicted": organisation.conflicted,
        }),
        Summary::Party(_) | Summary::Case(_) => json!({}),
    };
    if let Some(row) = row.as_object_mut() {
        row.insert("id".into(), json!(summary.id().to_string()));
        row.insert("grid".into(), json!(summary.grid().and_then(|grid| directory.grid(grid)).map(|grid| grid.name.as_str())));
        row.insert("removed".into(), json!(summary.is_removed()));
    }
    row
}

fn tags(tags: &[Tag]) -> Vec<&str> {
    tags.iter().map(Tag::as_str).collect()
}

fn visits(last: &LastVisit) -> Value {
    json!({
        "count": last.count,
        "last_at": last.at.map(|at| at.0),
        "outcome": last.outcome.as_ref().map(|outcome| outcome.code().to_owned()),
        "follow_up": last.follow_up.map(|day| day.to_string()),
    })
}

/// A name as lists show it: `张**`. The length says nothing of the name's.
fn masked(name: &Personal<String>) -> String {
    name.reveal().chars().take(1).chain("**".chars()).collect()
}

/// Digest, heads and number of changes of each document of a kind: equal on two replicas when they hold the same.
pub async fn states(State(api): State<Api>, Path(street): Path<String>, Query(page): Query<Page>) -> Answer {
    let page = page.only(&["kind"])?;
    let (limit, after) = (page.limit()?, page.after()?);
    let kind = DocKind::ALL.into_iter().find(|kind| page.kind.as_deref() == Some(kind.name()));
    let kind = kind.ok_or_else(|| {
        let names: Vec<&str> = DocKind::ALL.iter().map(|kind| kind.name()).collect();
        Problem::bad_query().fault("/kind", format!("is none of: {}", names.join(" ")))
    })?;
    let rows = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            let ids = hub.ledger().summaries(street, kind, after, limit)?;
            ids.iter().map(|(id, _)| state(hub, street, *id)).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(Json(rows.into()))
}

fn state(hub: &Hub, street: StreetId, id: DocId) -> Result<Value, HubError> {
    let (document, receipts) = hub.document(street, id)?;
    Ok(json!({
        "id": id.to_string(),
        "kind": document.kind().name(),
        "digest": super::show::hex(&document.digest()),
        "heads": document.heads().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "changes": receipts.len(),
    }))
}
