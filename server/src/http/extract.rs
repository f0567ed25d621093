//! What handlers take from a request: [`Json`], [`Query`], [`Path`] and [`RawBody`], whose failures are problems.
//!
//! They stand in for axum's of the same names because serde's messages quote the input. What is left is the place: line and column of a
//! JSON body, the name of a path's part. A body has the limit of its route ([`body_limit`]), else that of the settings.

use crate::problem::Problem;
use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use tower_http::timeout::TimeoutError;

/// The limit of a route to which nobody gave one: that of axum.
const FALLBACK_LIMIT: usize = 2 * 1024 * 1024;

/// The largest body of a route, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(usize);

/// A layer that sets the largest body of the routes under it, in bytes. The innermost wins, so a route can have more than the settings say.
pub const fn body_limit(bytes: usize) -> Extension<BodyLimit> {
    Extension(BodyLimit(bytes))
}

/// A whole body as bytes, within the limits of size and time of its route. Memory grows with what arrives, never with what is announced.
#[derive(Debug, Clone)]
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let limit = request.extensions().get().map_or(FALLBACK_LIMIT, |BodyLimit(bytes)| *bytes);
        read(request.into_body(), limit).await.map(Self)
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::body_too_large().detail(format!("The limit is {limit} bytes."));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(data) = next_data(&mut body).await? {
        if data.len() > limit - bytes.len() {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        None => Ok(None),
        Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
        Some(Err(error)) if is_timeout(&error) => Err(Problem::slow_body()),
        Some(Err(_)) => Err(Problem::bad_request().detail("The body broke off.")),
    }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    error.is::<TimeoutError>() || error.source().is_some_and(is_timeout)
}

/// A JSON body of a known shape; as an answer, the value as JSON.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::wrong_media_type().detail("Send application/json."));
        }
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| json_problem(&bytes, &error))
    }
}

/// Keeps the place of a JSON error and forgets its message. Text that stops being JSON behind the first wrong field is no JSON either.
fn json_problem(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let problem = match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => Problem::bad_fields(),
        Err(_) => Problem::bad_json(),
    };
    problem.detail(format!("At line {}, column {}.", error.line(), error.column()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(_) => Problem::internal().into_response(),
        }
    }
}

/// The parameters after the `?`, of a known shape.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|_| Problem::bad_query())
    }
}

/// The parts of the path that its template names.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|rejection| path_problem(&rejection))
    }
}

/// Keeps the name of the part, which is ours, and forgets its value.
fn path_problem(rejection: &PathRejection) -> Problem {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else { return Problem::internal() };
    match failed.kind() {
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
            Problem::bad_path().fault(format!("/{key}"), format!("is not of the kind {expected_type}"))
        }
        ErrorKind::InvalidUtf8InPathParam { key } => Problem::bad_path().fault(format!("/{key}"), "is not UTF-8"),
        ErrorKind::DeserializeError { key, .. } => Problem::bad_path().fault(format!("/{key}"), "is not as this route expects it"),
        ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => Problem::internal(),
        _ => Problem::bad_path(),
    }
}
