//! Where requests come from, and what every answer says to browsers.

use super::*;

fn told() -> Router {
    Router::new().route("/from", get(async |Origin(from): Origin| from.to_string()))
}

#[test]
fn a_forged_header_changes_nothing_unless_a_trusted_proxy_wrote_it() {
    let ask = |server: &Running, forwarded: &str| {
        server.ask(&format!("GET /from HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {forwarded}\r\n\r\n")).body
    };
    let open = Running::start(Settings::default(), told());
    assert_eq!(ask(&open, "9.9.9.9"), "127.0.0.1");
    let behind = Running::start(Settings { trusted_proxies: "127.0.0.0/8".parse().unwrap(), ..Settings::default() }, told());
    assert_eq!(ask(&behind, "8.8.8.8, 9.9.9.9"), "9.9.9.9");
    assert_eq!(ask(&behind, "nonsense"), "127.0.0.1");
}

#[test]
fn every_answer_has_the_headers_that_keep_browsers_safe_and_only_tls_has_that_of_tls() {
    let server = Running::start(Settings::default(), routes());
    for answer in [server.get("/visits/7"), server.get("/nowhere"), server.get("/panic"), server.get("/healthz")] {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "deny"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert_eq!(answer.header("strict-transport-security"), None);
    }
}
