//! One line in the log and three numbers for every request, by the template of its path.

use crate::http::RequestId;
use crate::problem::Problem;
use crate::telemetry::{HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_SECONDS};
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::Instrument;

/// What stands for a path that no route has. The path itself would be a label without bound, and may be personal.
const NO_ROUTE: &str = "none";

pub(super) async fn observe(request: Request, next: Next) -> Response {
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let span = tracing::info_span!("request", id, method, route);
    let started = Instant::now();
    let in_flight = InFlight::begin();
    let response = next.run(request).instrument(span.clone()).await;
    drop(in_flight);
    let seconds = started.elapsed().as_secs_f64();
    let status = response.status();
    metrics::histogram!(HTTP_SECONDS, "method" => method, "route" => route.clone()).record(seconds);
    metrics::counter!(HTTP_REQUESTS, "method" => method, "route" => route, "status" => status.as_str().to_owned()).increment(1);
    span.in_scope(|| log(&response, seconds));
    response
}

fn log(response: &Response, seconds: f64) {
    let status = response.status().as_u16();
    let code = response.extensions().get::<Problem>().map_or("", Problem::code);
    let millis = (seconds * 1000.0).round() as u64;
    match status {
        500 => tracing::error!(status, code, millis, "failed"),
        501.. => tracing::warn!(status, code, millis, "not served"),
        400.. => tracing::info!(status, code, millis, "refused"),
        _ => tracing::debug!(status, millis, "answered"),
    }
}

/// Methods are the client's to invent; a label without bound would let it fill the memory.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Counts a request while it runs, also when its connection is cut and the future dropped.
struct InFlight;

impl InFlight {
    fn begin() -> Self {
        metrics::gauge!(HTTP_IN_FLIGHT).increment(1.0);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!(HTTP_IN_FLIGHT).decrement(1.0);
    }
}
