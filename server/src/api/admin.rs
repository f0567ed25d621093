//! What administrators call: streets, grids, people, codes, imports, accounts, the audit log and the centre's lists. Who may call what is
//! decided before the handlers (`guard`); what they did is in the audit log before they are answered.
//!
//! Streets, grids and people are named by their id or by their name. Lists that grow with the street come in pages: `limit` rows behind the
//! id `after`; a page with fewer rows is the last. Nobody's name and no note stands in a problem or in the log, nor does the token.

mod accounts;
mod audit;
mod backup;
mod change;
mod copy;
mod devices;
mod documents;
mod erasure;
mod guard;
mod holds;
mod import;
mod imports;
mod job;
mod list;
mod page;
mod session;
mod show;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use doorstep_core::model::{GridId, PersonId, StreetId};
use doorstep_core::store::SledStore;

use super::Api;
use crate::accounts::Act;
use crate::http::body_limit;
use crate::hub::{Hub, HubError};
use backup::Backups;
use guard::only_who_may;
use imports::Imports;

pub use guard::{Guard, Token};

/// What these handlers share.
#[derive(Clone)]
struct Admin {
    api: Api,
    imports: Arc<Imports>,
    store: Arc<SledStore>,
    backups: Arc<Backups>,
    guard: Guard,
}

impl FromRef<Admin> for Arc<Backups> {
    fn from_ref(admin: &Admin) -> Self {
        Self::clone(&admin.backups)
    }
}

impl FromRef<Admin> for Api {
    fn from_ref(admin: &Admin) -> Self {
        admin.api.clone()
    }
}

impl FromRef<Admin> for Arc<Imports> {
    fn from_ref(admin: &Admin) -> Self {
        Self::clone(&admin.imports)
    }
}

impl FromRef<Admin> for Arc<SledStore> {
    fn from_ref(admin: &Admin) -> Self {
        Self::clone(&admin.store)
    }
}

impl FromRef<Admin> for Guard {
    fn from_ref(admin: &Admin) -> Self {
        admin.guard.clone()
    }
}

/// The routes under `/v1/admin`, by what they are in the table of rights.
pub fn router(api: Api, guard: Guard, store: Arc<SledStore>) -> Router {
    let import = post(import::start).layer(body_limit(crate::import::MOST_BYTES));
    let guarded = |act: Act, routes: Router<Admin>| routes.route_layer(from_fn_with_state((guard.clone(), act), only_who_may));
    Router::new()
        .route("/v1/admin/login", post(session::log_in))
        .route("/v1/admin/refresh", post(session::refresh))
        .merge(guarded(Act::SeeDirectory, directory()))
        .merge(guarded(Act::ManageStreets, streets()))
        .merge(guarded(Act::Import, Router::new().route("/v1/admin/streets/{street}/import/{kind}", import)))
        .merge(guarded(Act::Import, Router::new().route("/v1/admin/imports/{import}", get(import::progress))))
        .merge(guarded(Act::BackUp, Router::new().route("/v1/admin/backup", post(backup::start).get(backup::progress))))
        .merge(guarded(Act::ManagePeople, people()))
        .merge(guarded(Act::SeeRecords, records()))
        .merge(guarded(Act::Erase, erasures()))
        .merge(guarded(Act::SeeQuarantine, Router::new().route("/v1/admin/streets/{street}/quarantine", get(list::quarantine))))
        .merge(guarded(Act::SeeAccounts, Router::new().route("/v1/admin/accounts", get(accounts::list))))
        .merge(guarded(Act::ManageAccounts, Router::new().route("/v1/admin/accounts", post(accounts::add))))
        .merge(guarded(Act::ManageAccounts, Router::new().route("/v1/admin/accounts/{name}/disable", post(accounts::disable))))
        .merge(guarded(Act::SeeProposals, Router::new().route("/v1/admin/proposals", get(accounts::proposals))))
        .merge(guarded(Act::Confirm, Router::new().route("/v1/admin/proposals/{proposal}/confirm", post(accounts::confirm))))
        .merge(guarded(Act::SeeAudit, audit_log()))
        .with_state(Admin { api, imports: Arc::default(), store, backups: Arc::default(), guard })
}

fn directory() -> Router<Admin> {
    Router::new()
        .route("/v1/admin/logout", post(session::log_out))
        .route("/v1/admin/password", post(session::change_password))
        .route("/v1/admin/streets", get(list::streets))
        .route("/v1/admin/streets/{street}", get(list::directory))
        .route("/v1/admin/streets/{street}/people/{person}", get(list::person))
}

fn streets() -> Router<Admin> {
    Router::new()
        .route("/v1/admin/streets", post(change::add_street))
        .route("/v1/admin/streets/{street}/grids", post(change::add_grids))
        .route("/v1/admin/streets/{street}/grids/{grid}/take", post(change::take_places))
        .route("/v1/admin/streets/{street}/reconciliation", get(list::awaited))
        .route("/v1/admin/streets/{street}/reconciliation/end", post(change::end_reconciliation))
}

fn people() -> Router<Admin> {
    Router::new()
        .route("/v1/admin/streets/{street}/people", post(change::add_person))
        .route("/v1/admin/streets/{street}/grids/{grid}/reassign", post(change::reassign_grid))
        .route("/v1/admin/streets/{street}/devices", get(devices::list))
        .route("/v1/admin/streets/{street}/devices/{device}", get(devices::report))
        .route("/v1/admin/streets/{street}/devices/{device}/end", post(devices::end))
        .route("/v1/admin/streets/{street}/codes", post(change::make_code))
        .route("/v1/admin/streets/{street}/grants", post(change::give_grant))
        .route("/v1/admin/streets/{street}/grants/end", post(change::end_grant))
}

fn records() -> Router<Admin> {
    Router::new()
        .route("/v1/admin/streets/{street}/cases", get(list::cases))
        .route("/v1/admin/streets/{street}/late", get(list::late))
        .route("/v1/admin/streets/{street}/places", get(documents::places))
        .route("/v1/admin/streets/{street}/households", get(documents::households))
        .route("/v1/admin/streets/{street}/residents", get(documents::residents))
        .route("/v1/admin/streets/{street}/organisations", get(documents::organisations))
        .route("/v1/admin/streets/{street}/documents", get(documents::states))
        .route("/v1/admin/streets/{street}/documents/{document}", get(show::document))
}

fn erasures() -> Router<Admin> {
    Router::new()
        .route("/v1/admin/streets/{street}/erasures", get(erasure::list))
        .route("/v1/admin/streets/{street}/holds", get(holds::list).post(holds::begin))
        .route("/v1/admin/streets/{street}/holds/{document}/end", post(holds::end))
        .route("/v1/admin/streets/{street}/documents/{document}/erase", post(erasure::erase))
        .route("/v1/admin/streets/{street}/documents/{document}/redact", post(erasure::redact))
        .route("/v1/admin/streets/{street}/documents/{document}/copy", get(copy::copy))
}

fn audit_log() -> Router<Admin> {
    Router::new().route("/v1/admin/audit", get(audit::list)).route("/v1/admin/audit/verify", get(audit::verify))
}

/// The street of an id or a name.
fn street_of(hub: &Hub, named: &str) -> Result<StreetId, HubError> {
    let streets = hub.streets()?;
    let found = streets.iter().find(|street| street.name == named || named.parse() == Ok(street.id));
    found.map(|street| street.id).ok_or(HubError::NotFound { what: "street" })
}

/// The grid of an id or a name.
fn grid_of(hub: &Hub, street: StreetId, named: &str) -> Result<GridId, HubError> {
    let directory = hub.directory(street)?;
    let found = directory.grids.iter().find(|grid| grid.name == named || named.parse() == Ok(grid.id));
    found.map(|grid| grid.id).ok_or(HubError::NotFound { what: "grid" })
}

/// The person of an id, or of a name that only one has.
fn person_of(hub: &Hub, street: StreetId, named: &str) -> Result<PersonId, HubError> {
    let directory = hub.directory(street)?;
    let found: Vec<PersonId> =
        directory.staff.iter().filter(|staff| staff.name == named || named.parse() == Ok(staff.id)).map(|staff| staff.id).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(HubError::NotFound { what: "person" }),
        _ => Err(doorstep_core::model::Invalid::new("person", "is the name of several people; give the id").into()),
    }
}

#[cfg(test)]
mod tests;
