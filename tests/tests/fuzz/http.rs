//! Bodies of requests to a real server: it answers each, never with a fault of its own.

use doorstep_core::field::{ENROL_PATH, MAIL_PATH, SYNC_PATH, Transport as _};
use doorstep_core::sync::{Mail, SealingSecret};
use doorstep_server::system::SystemEntropy;
use doorstep_tests::street::{Street, TINY};

use super::corpus::vectors;
use super::fuzz;

#[test]
fn bodies_of_phones() {
    let street = Street::build(TINY);
    let server = street.serve();
    let transport = server.transport();
    for path in [SYNC_PATH, ENROL_PATH, MAIL_PATH] {
        let mail = Mail::seal(street.id(), SealingSecret::derive(&[8; 32]).public(), b"a frame", &mut SystemEntropy).unwrap().to_bytes();
        let seeds = [vectors("request", "frame"), vectors("enrol-request", "frame"), vec![mail]].concat();
        fuzz(bolero::check!(), "bodies-of-phones", seeds, |body| {
            let answer = transport.post(path, body).unwrap();
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
            answer.code.is_some_and(|code| !code.starts_with("frame."))
        });
    }
}

#[test]
fn bodies_of_operators() {
    let street = Street::build(TINY);
    let server = street.serve();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let bodies = [
        "{\"name\":\"窑湾街道\",\"centres\":[\"中心\"]}",
        "{\"grids\":[{\"name\":\"第1网格\"}]}",
        "{\"name\":\"李敏\",\"role\":\"centre-staff\",\"grids\":[]}",
    ];
    let seeds: Vec<Vec<u8>> = bodies.iter().map(|body| body.as_bytes().to_vec()).collect();
    for path in ["streets", &format!("streets/{}/people", street.id()), &format!("streets/{}/import/places", street.id())] {
        let url = format!("{}/v1/admin/{path}", server.url());
        fuzz(bolero::check!(), "bodies-of-operators", seeds.clone(), |body| {
            let request = agent.post(&url).header("content-type", "application/json");
            let request = request.header("authorization", "Bearer a token that only the operator knows");
            let status = request.send(body).unwrap().status().as_u16();
            assert!(status < 500, "{path}: {status}");
            assert!(status != 401 && status != 404, "{path}: {status}");
            status != 400
        });
    }
}
