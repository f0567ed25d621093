//! Where a request comes from: the address of the connection, or what trusted proxies say of it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::Problem;
use crate::settings::Networks;

/// What a proxy appends the address to that it was called from.
const FORWARDED: &str = "x-forwarded-for";

/// The address that a request comes from, for limits and the audit log. Never logged otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(Problem::internal)
    }
}

pub(super) async fn find(State(trusted): State<Arc<Networks>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    // A request without a connection is a test's.
    let found = origin(peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), request.headers(), &trusted);
    request.extensions_mut().insert(Origin(found));
    next.run(request).await
}

/// Goes back from the connection, hop by hop, to the first that is no trusted proxy. What stands before that in the header anybody can have
/// written.
fn origin(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let told = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let hops: Vec<&str> = told.collect();
    let mut found = peer.to_canonical();
    for hop in hops.iter().rev() {
        if !trusted.contain(found) {
            break;
        }
        let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
        found = before.to_canonical();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        let headers = forwarded.iter().map(|value| (FORWARDED.parse().unwrap(), value.parse().unwrap())).collect();
        origin(peer.parse().unwrap(), &headers, &trusted.parse().unwrap()).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_say_is_believed() {
        assert_eq!(of("1.2.3.4", &["9.9.9.9"], "none"), "1.2.3.4");
        assert_eq!(of("1.2.3.4", &["9.9.9.9"], "10.0.0.0/8"), "1.2.3.4");
        assert_eq!(of("10.0.0.7", &["9.9.9.9"], "10.0.0.0/8"), "9.9.9.9");
        assert_eq!(of("10.0.0.7", &[], "10.0.0.0/8"), "10.0.0.7");
        assert_eq!(of("::ffff:10.0.0.7", &["9.9.9.9"], "10.0.0.7"), "9.9.9.9");
    }

    #[test]
    fn what_a_client_wrote_before_the_proxy_s_entry_counts_for_nothing() {
        assert_eq!(of("10.0.0.7", &["127.0.0.1, 8.8.8.8, 9.9.9.9"], "10.0.0.0/8"), "9.9.9.9");
        assert_eq!(of("10.0.0.7", &["8.8.8.8", "9.9.9.9"], "10.0.0.0/8"), "9.9.9.9");
        assert_eq!(of("10.0.0.7", &["8.8.8.8, 9.9.9.9, 10.0.0.8"], "10.0.0.0/8"), "9.9.9.9");
        assert_eq!(of("10.0.0.7", &["8.8.8.8, nonsense"], "10.0.0.0/8"), "10.0.0.7");
        assert_eq!(of("10.0.0.7", &["10.0.0.9"], "10.0.0.0/8"), "10.0.0.9");
    }
}
