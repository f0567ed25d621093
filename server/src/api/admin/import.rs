//! Imports: all or nothing. The file is read and planned before anything is written, within the request; a bad row refuses it there. The
//! writing goes on after the answer ([`super::imports`]): a street of 16,000 households takes a good while, and no request may take that long.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorstep_core::docs::DocKind;
use doorstep_core::model::StreetId;

use super::guard::{Asking, Guard};
use super::imports::{Import, Imports};
use super::job::Job;
use super::street_of;
use crate::api::Api;
use crate::audit::What;
use crate::http::{Json, Path, RawBody};
use crate::hub::{Hub, HubError};
use crate::import::plan::{Known, Plan, plan_households, plan_organisations, plan_places};
use crate::import::{ImportReport, parse_households, parse_organisations, parse_places};
use crate::problem::Problem;

/// After how many seconds it is worth asking again whether another import has ended.
const TURN_SECONDS: u32 = 5;

/// What a file holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Places,
    Households,
    Organisations,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Places, Self::Households, Self::Organisations];

    const fn name(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::Households => "households",
            Self::Organisations => "organisations",
        }
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == text);
        known.ok_or_else(|| Problem::bad_path().fault("/kind", "is none of: places households organisations"))
    }

    /// The kinds of documents that a row can be, or can name.
    const fn asks_for(self) -> &'static [DocKind] {
        match self {
            Self::Places => &[DocKind::Place],
            Self::Households => &[DocKind::Place, DocKind::Household],
            Self::Organisations => &[DocKind::Place, DocKind::Organisation],
        }
    }
}

/// `202` with how far the import has come; the header `location` says where to ask again.
pub async fn start(
    State(api): State<Api>,
    State(imports): State<Arc<Imports>>,
    State(guard): State<Guard>,
    asking: Asking,
    Path((street, kind)): Path<(String, String)>,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let kind = Kind::read(&kind)?;
    let turn = imports.turn().ok_or_else(|| {
        let problem = Problem::new(StatusCode::CONFLICT, "admin.import_running", "Another import is under way");
        problem.detail("One runs at a time; send the file again when it has ended.").retry_after(TURN_SECONDS)
    })?;
    let (street, planned) = api
        .call(move |hub| {
            let street = street_of(hub, &street)?;
            Ok((street, plan(hub, street, kind, &body)?))
        })
        .await?;
    let plan = planned.map_err(|report| problem_of(&report))?;
    guard.note(asking.did(What::ImportBegun).on(street)).await?;
    let import = imports.start(turn, Arc::clone(&api.hub), street, kind.name(), plan);
    let location = format!("/v1/admin/imports/{}", import.of.id());
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(import)).into_response())
}

/// How far an import has come.
pub async fn progress(State(imports): State<Arc<Imports>>, Path(id): Path<u64>) -> Result<Json<Job<Import>>, Problem> {
    imports.get(id).map(Json).ok_or_else(|| HubError::NotFound { what: "import since the server started" }.into())
}

/// Every bad row as a fault: its pointer is the line and the column.
fn problem_of(report: &ImportReport) -> Problem {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, report.code(), "Nothing was imported: rows of the file break rules");
    let problem = match &report.file {
        Some(rule) => problem.detail(format!("The file {rule}.")).fault("/file", rule.clone()),
        None if report.bad_rows > report.rows.len() as u64 => {
            problem.detail(format!("{} bad rows; {} of them are listed.", report.bad_rows, report.rows.len()))
        }
        None => problem.detail(format!("{} bad rows.", report.bad_rows)),
    };
    let faults = report.rows.iter().flat_map(|row| row.faults.iter().map(move |fault| (row.line, fault)));
    faults.fold(problem, |problem, (line, fault)| problem.fault(format!("/{line}/{}", fault.column), fault.rule.clone()))
}

fn plan(hub: &Hub, street: StreetId, kind: Kind, body: &[u8]) -> Result<Result<Plan, ImportReport>, HubError> {
    let directory = hub.directory(street)?;
    let mut known = Known::default();
    for kind in kind.asks_for() {
        hub.each_summary(street, *kind, &mut |summary| known.note(&summary))?;
    }
    Ok(match kind {
        Kind::Places => parse_places(body).and_then(|rows| plan_places(rows, &directory, &mut known)),
        Kind::Households => parse_households(body).and_then(|rows| plan_households(rows, &directory, &known)),
        Kind::Organisations => parse_organisations(body).and_then(|rows| plan_organisations(rows, &directory, &known)),
    })
}
