//! Headers that keep browsers from doing harm, on every answer.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// What every answer says, unless a route says otherwise: nothing is guessed, kept, framed, or told to others. An answer of the API loads
/// nothing; the console's pages bring a policy of their own.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
];

/// For two years this server is only asked over TLS (RFC 6797). Said over TLS alone: elsewhere it means nothing.
const ONLY_TLS: &str = "max-age=63072000";

/// Whether the server itself speaks TLS. A proxy that does so for it says the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Secured(pub bool);

pub(super) async fn secure(State(Secured(by_tls)): State<Secured>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if by_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_TLS));
    }
    response
}
