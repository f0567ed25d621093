//! What phones call: one round trip that merges everything, and enrolment.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use doorstep_core::field::{CONTENT_TYPE, ENROL_PATH, SYNC_PATH};
use doorstep_core::sync::MOST_FRAME_BYTES;

use super::Api;
use crate::http::{RawBody, body_limit};
use crate::problem::Problem;

pub fn router(api: Api) -> Router {
    Router::new().route(SYNC_PATH, post(sync)).route(ENROL_PATH, post(enrol)).layer(body_limit(MOST_FRAME_BYTES)).with_state(api)
}

async fn sync(State(api): State<Api>, headers: HeaderMap, RawBody(body): RawBody) -> Result<Response, Problem> {
    check_media_type(&headers)?;
    api.call(move |hub| hub.exchange(&body)).await.map(frame)
}

async fn enrol(State(api): State<Api>, headers: HeaderMap, RawBody(body): RawBody) -> Result<Response, Problem> {
    check_media_type(&headers)?;
    api.call(move |hub| hub.enrol(&body)).await.map(frame)
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if given == Some(CONTENT_TYPE) { Ok(()) } else { Err(Problem::wrong_media_type()) }
}

fn frame(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], bytes).into_response()
}
