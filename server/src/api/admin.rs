//! What an operator calls, with the token that the first start wrote: streets, grids, people, codes, imports and the centre's lists.
//!
//! Streets, grids and people are named by their id or by their name. Lists that grow with the street come in pages: `limit` rows behind the
//! id `after`; a page with fewer rows is the last. Nobody's name and no note stands in a problem or in the log, nor does the token.

mod backup;
mod change;
mod documents;
mod import;
mod imports;
mod job;
mod list;
mod page;
mod show;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use doorstep_core::model::{GridId, PersonId, StreetId};
use doorstep_core::store::SledStore;

use super::Api;
use crate::http::body_limit;
use crate::hub::{Hub, HubError};
use crate::problem::Problem;
use backup::Backups;
use imports::Imports;

/// What an operator must show: `Authorization: Bearer …`.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// The token as it stands in the file.
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// Compares in a time that does not tell how much of it was right. No token is the empty one.
    fn is(&self, shown: &str) -> bool {
        let same_length = self.0.len() == shown.len() && !shown.is_empty();
        let differences = self.0.bytes().zip(shown.bytes()).fold(0u8, |sum, (one, other)| std::hint::black_box(sum | (one ^ other)));
        same_length && differences == 0
    }
}

/// What these handlers share.
#[derive(Clone)]
struct Admin {
    api: Api,
    imports: Arc<Imports>,
    store: Arc<SledStore>,
    backups: Arc<Backups>,
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

/// The routes under `/v1/admin`.
pub fn router(api: Api, token: Token, store: Arc<SledStore>) -> Router {
    let import = post(import::start).layer(body_limit(crate::import::MOST_BYTES));
    Router::new()
        .route("/v1/admin/streets", get(list::streets).post(change::add_street))
        .route("/v1/admin/streets/{street}", get(list::directory))
        .route("/v1/admin/streets/{street}/grids", post(change::add_grids))
        .route("/v1/admin/streets/{street}/grids/{grid}/reassign", post(change::reassign_grid))
        .route("/v1/admin/streets/{street}/grids/{grid}/take", post(change::take_places))
        .route("/v1/admin/streets/{street}/people", post(change::add_person))
        .route("/v1/admin/streets/{street}/people/{person}", get(list::person))
        .route("/v1/admin/streets/{street}/codes", post(change::make_code))
        .route("/v1/admin/streets/{street}/grants", post(change::give_grant))
        .route("/v1/admin/streets/{street}/grants/end", post(change::end_grant))
        .route("/v1/admin/streets/{street}/cases", get(list::cases))
        .route("/v1/admin/streets/{street}/late", get(list::late))
        .route("/v1/admin/streets/{street}/reconciliation", get(list::awaited))
        .route("/v1/admin/streets/{street}/reconciliation/end", post(change::end_reconciliation))
        .route("/v1/admin/streets/{street}/quarantine", get(list::quarantine))
        .route("/v1/admin/streets/{street}/places", get(documents::places))
        .route("/v1/admin/streets/{street}/households", get(documents::households))
        .route("/v1/admin/streets/{street}/residents", get(documents::residents))
        .route("/v1/admin/streets/{street}/organisations", get(documents::organisations))
        .route("/v1/admin/streets/{street}/documents", get(documents::states))
        .route("/v1/admin/streets/{street}/documents/{document}", get(show::document))
        .route("/v1/admin/streets/{street}/import/{kind}", import)
        .route("/v1/admin/imports/{import}", get(import::progress))
        .route("/v1/admin/backup", post(backup::start).get(backup::progress))
        .layer(from_fn_with_state(token, only_operators))
        .with_state(Admin { api, imports: Arc::default(), store, backups: Arc::default() })
}

async fn only_operators(State(token): State<Token>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if shown.is_some_and(|(_, shown)| token.is(shown.trim())) {
        return next.run(request).await;
    }
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "admin.token", "The operator's token is missing or wrong");
    let mut response = problem.detail("It stands in the file admin.token of the data folder.").into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
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
