//! What phones call: one round trip that merges everything, and enrolment.

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use doorstep_core::field::{CONTENT_TYPE, ENROL_PATH, MAIL_PATH, SYNC_PATH};
use doorstep_core::sync::{EnrolResponse, MOST_FRAME_BYTES, open_frame};

use super::Api;
use super::admin::Guard;
use crate::audit::{Entry, What, Who};
use crate::http::{Origin, RawBody, body_limit};
use crate::hub::HubError;
use crate::problem::Problem;

/// What the handlers share.
#[derive(Clone)]
struct Phones {
    api: Api,
    guard: Guard,
}

impl FromRef<Phones> for Api {
    fn from_ref(phones: &Phones) -> Self {
        phones.api.clone()
    }
}

impl FromRef<Phones> for Guard {
    fn from_ref(phones: &Phones) -> Self {
        phones.guard.clone()
    }
}

pub fn router(api: Api, guard: Guard) -> Router {
    let routes = Router::new().route(SYNC_PATH, post(sync)).route(ENROL_PATH, post(enrol)).route(MAIL_PATH, post(mail));
    routes.layer(body_limit(MOST_FRAME_BYTES)).with_state(Phones { api, guard })
}

async fn sync(State(api): State<Api>, headers: HeaderMap, RawBody(body): RawBody) -> Result<Response, Problem> {
    check_media_type(&headers)?;
    api.call(move |hub| hub.exchange(&body)).await.map(frame)
}

/// Takes a push that came by another's phone.
async fn mail(State(api): State<Api>, headers: HeaderMap, RawBody(body): RawBody) -> Result<StatusCode, Problem> {
    check_media_type(&headers)?;
    api.call(move |hub| hub.mail(&body)).await.map(|()| StatusCode::NO_CONTENT)
}

/// Enrols a phone. A wrong code takes one of the places that its address has, so that nobody tries many.
async fn enrol(
    State(api): State<Api>,
    State(guard): State<Guard>,
    Origin(from): Origin,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    check_media_type(&headers)?;
    let door = &guard.accounts().enrolments;
    door.enter(from)?;
    let enrolled = api.try_call(move |hub| hub.enrol(&body)).await?;
    let nobody = |what| Entry::by(Who::Nobody, what).from(from);
    match enrolled {
        Ok(answer) => {
            door.give_back(from);
            let EnrolResponse { device, person, street, .. } = open_frame(&answer).map_err(HubError::from)?;
            guard.note(Entry::by(Who::Device(device), What::Enrolled).from(from).on(street).on(person)).await?;
            Ok(frame(answer))
        }
        Err(error @ HubError::Code) => {
            guard.note(nobody(What::Enrolled).refused(error.code())).await?;
            if door.is_shut(from) {
                guard.note(nobody(What::Locked)).await?;
            }
            Err(error.into())
        }
        Err(other) => {
            door.give_back(from);
            Err(other.into())
        }
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if given == Some(CONTENT_TYPE) { Ok(()) } else { Err(Problem::wrong_media_type()) }
}

fn frame(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], bytes).into_response()
}
