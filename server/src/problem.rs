//! Problems: how every failure of the HTTP API looks (RFC 9457, `application/problem+json`).
//!
//! Promise: whatever goes wrong behind the router, the client gets a problem with a stable `code`, and nothing of what it sent comes back
//! in it, because that may be personal and answers end up in logs. `type` is [`TYPE_BASE`] and the code; it names the problem and need not
//! be reachable. `instance` is the id of the request, as in the header `x-request-id` and in the log; it is put in by `http::identify`,
//! so whoever makes a problem need not know it.
//!
//! Every refusal of the rooms turns into a problem in one `From` beside its enum. Codes are never renamed and never given again; those
//! that this room gives are the functions of [`Problem`].

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::borrow::Cow;

/// Begins the `type` of every problem.
pub const TYPE_BASE: &str = "https://doorstep.example/problems/";

/// The code again, as a header: by it a phone tells a problem of this server from the page of a captive portal, without reading JSON.
pub const CODE_HEADER: &str = "doorstep-code";

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request failed, for machines (`code`, `status`, `errors`) and people (`title`, `detail`). Never holds what the client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<Cow<'static, str>>,
    errors: Vec<Fault>,
    retry_after: Option<u32>,
}

/// One place of the input that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901) into the body, or `/name` of a parameter.
    pub pointer: String,
    /// The rule, to be read after the name: `is empty`.
    pub rule: String,
}

impl Problem {
    /// A problem with a code and a title that are the same wherever it arises.
    pub const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, detail: None, errors: Vec::new(), retry_after: None }
    }

    /// Says more about this occurrence: what to do next, which limit. Never what the client sent.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a place of the input and the rule that it breaks.
    #[must_use]
    pub fn fault(mut self, pointer: impl Into<String>, rule: impl Into<String>) -> Self {
        self.errors.push(Fault { pointer: pointer.into(), rule: rule.into() });
        self
    }

    /// Asks the client to come again after so many seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The code, for log and metrics.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// 400: the request cannot be read at all.
    pub const fn bad_request() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "http.bad_request", "The request cannot be read")
    }

    /// 400: the body is not JSON.
    pub const fn bad_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "http.bad_json", "The body is not JSON")
    }

    /// 422: the body is JSON, but not of the shape that is expected here.
    pub const fn bad_fields() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "http.bad_fields", "A field of the body is missing, unknown or of the wrong kind")
    }

    /// 400: a parameter after the `?` is missing, unknown or of the wrong kind.
    pub const fn bad_query() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "http.bad_query", "A parameter of the query is missing, unknown or of the wrong kind")
    }

    /// 400: a part of the path is of the wrong kind.
    pub const fn bad_path() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "http.bad_path", "A part of the path is of the wrong kind")
    }

    /// 404: there is nothing under this path.
    pub const fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "http.no_route", "There is nothing under this path")
    }

    /// 405: the path knows other methods; the header `Allow` lists them.
    pub const fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "http.wrong_method", "This path does not know the method")
    }

    /// 408: the body did not arrive in time.
    pub const fn slow_body() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "http.slow_body", "The body did not arrive in time")
    }

    /// 413: the body is longer than this route takes.
    pub const fn body_too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "http.body_too_large", "The body is longer than this route takes")
    }

    /// 415: the body is of another media type than this route takes.
    pub const fn wrong_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "http.wrong_media_type", "This route takes another media type")
    }

    /// 500: a bug; the log has more under the id of the request.
    pub const fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server.internal", "The server failed; this is a bug")
    }

    /// 503: too many requests at one time.
    pub const fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", "The server has too much to do").retry_after(2)
    }

    /// 503: the request took longer than any may.
    pub const fn too_slow() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.too_slow", "The request took too long").retry_after(10)
    }

    /// 503: the server starts, stops or repairs itself.
    pub const fn not_ready() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.not_ready", "The server is not ready").retry_after(5)
    }

    /// The problem for an answer of which only the status is known, such as one of a library.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::no_route(),
            StatusCode::METHOD_NOT_ALLOWED => Self::wrong_method(),
            StatusCode::REQUEST_TIMEOUT => Self::slow_body(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::body_too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::wrong_media_type(),
            StatusCode::SERVICE_UNAVAILABLE => Self::busy(),
            StatusCode::BAD_REQUEST => Self::bad_request(),
            other if other.is_server_error() => Self { status: other, ..Self::internal() },
            other => Self::new(other, "http.refused", "The request was refused"),
        }
    }

    /// The answer, with the id of its request.
    pub(crate) fn render(self, instance: Option<&str>) -> Response {
        let body = serde_json::to_vec(&Body {
            kind: format!("{TYPE_BASE}{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            instance,
            code: self.code,
            errors: &self.errors,
        });
        let mut response = (self.status, body.unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CODE_HEADER, HeaderValue::from_static(self.code));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    code: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Fault],
}

impl IntoResponse for Problem {
    /// Leaves itself in the extensions of the answer, so that the layers outside can name it in the log and put the request's id in.
    fn into_response(self) -> Response {
        self.render(None)
    }
}

impl From<doorstep_core::model::Invalid> for Problem {
    /// 422 with the field and its rule.
    fn from(invalid: doorstep_core::model::Invalid) -> Self {
        Self::bad_fields().fault(format!("/{}", invalid.field), invalid.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn json(response: Response) -> serde_json::Value {
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_problem_has_the_members_of_rfc_9457() {
        let problem = Problem::bad_fields().detail("Line 3.").fault("/door", "is empty").retry_after(7);
        let response = problem.render(Some("abc"));
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), MEDIA_TYPE);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "7");
        let wanted = serde_json::json!({
            "type": "https://doorstep.example/problems/http.bad_fields",
            "title": "A field of the body is missing, unknown or of the wrong kind",
            "status": 422, "detail": "Line 3.", "instance": "abc", "code": "http.bad_fields",
            "errors": [{ "pointer": "/door", "rule": "is empty" }],
        });
        assert_eq!(json(response).await, wanted);
    }

    #[test]
    fn the_codes_of_this_room_are_the_written_ones() {
        let problems = [
            (Problem::bad_request(), 400, "http.bad_request"),
            (Problem::bad_json(), 400, "http.bad_json"),
            (Problem::bad_fields(), 422, "http.bad_fields"),
            (Problem::bad_query(), 400, "http.bad_query"),
            (Problem::bad_path(), 400, "http.bad_path"),
            (Problem::no_route(), 404, "http.no_route"),
            (Problem::wrong_method(), 405, "http.wrong_method"),
            (Problem::slow_body(), 408, "http.slow_body"),
            (Problem::body_too_large(), 413, "http.body_too_large"),
            (Problem::wrong_media_type(), 415, "http.wrong_media_type"),
            (Problem::internal(), 500, "server.internal"),
            (Problem::busy(), 503, "server.busy"),
            (Problem::too_slow(), 503, "server.too_slow"),
            (Problem::not_ready(), 503, "server.not_ready"),
        ];
        for (problem, status, code) in problems {
            assert_eq!((problem.status().as_u16(), problem.code()), (status, code));
        }
    }

    #[test]
    fn an_answer_of_a_library_keeps_its_status() {
        for status in (400..600).filter_map(|status| StatusCode::from_u16(status).ok()) {
            assert_eq!(Problem::of_status(status).status(), status);
        }
    }
}
