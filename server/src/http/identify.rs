//! Gives every request an id, and has the last word on failures: each leaves as a problem that carries the id.

use crate::problem::Problem;
use crate::system::SystemEntropy;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use doorstep_core::model::Entropy;

/// The header that tells the client the id of its request.
const HEADER: &str = "x-request-id";

/// Headers of a failure that a problem keeps; the others described the body that it replaces.
const KEPT: [header::HeaderName; 3] = [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE];

/// The id of a request: 16 hexadecimal digits, made by the server. An id that the client sends is not taken: it would end up in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    fn make() -> Self {
        let mut bytes = [0; 8];
        SystemEntropy.fill(&mut bytes);
        Self(u64::from_be_bytes(bytes))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The outermost layer. Handlers find the [`RequestId`] in the request's extensions.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let id = RequestId::make();
    request.extensions_mut().insert(id);
    let mut response = as_problem(next.run(request).await, id);
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// Turns a failure into a problem with the request's id: one of ours, or what a library answered, whose text may quote the input.
fn as_problem(response: Response, id: RequestId) -> Response {
    let problem = match response.extensions().get::<Problem>() {
        Some(problem) => problem.clone(),
        None if response.status().is_client_error() || response.status().is_server_error() => Problem::of_status(response.status()),
        None => return response,
    };
    let mut rendered = problem.render(Some(&id.to_string()));
    for name in KEPT {
        if let Some(value) = response.headers().get(&name) {
            rendered.headers_mut().insert(name, value.clone());
        }
    }
    rendered
}
