//! What a phone makes of the answers of a server that is not what it seems: it refuses them or takes them, and goes on.

use std::sync::Arc;

use doorstep_core::field::{Engine, NoMark, Transport, TransportAnswer, TransportFault};
use doorstep_core::model::{CaseDetails, Category};
use doorstep_core::store::MemoryStore;
use doorstep_core::sync::{Response, open_frame};
use doorstep_server::system::{SystemClock, SystemEntropy};

use super::corpus::vectors;
use super::fuzz;

/// A server that says one thing.
struct Says(Vec<u8>);

impl Transport for Says {
    fn post(&self, _path: &str, _body: &[u8]) -> Result<TransportAnswer, TransportFault> {
        let content_type = doorstep_core::field::CONTENT_TYPE.to_owned();
        Ok(TransportAnswer { status: 200, content_type, code: None, body: self.0.clone() })
    }
}

fn enrolled() -> Engine {
    let engine = Engine::open(Arc::new(MemoryStore::new()), Arc::new(SystemClock), Box::new(SystemEntropy), &NoMark).unwrap();
    let answer = vectors("enrol-response", "frame").remove(0);
    engine.enrol(&Says(answer), "http://the-server", "CODE", "a phone").unwrap();
    engine
}

#[test]
fn answers_that_a_phone_applies() {
    let mut engine = enrolled();
    let mut applied = 0;
    fuzz(bolero::check!(), "applied-answers", vectors("response", "payload"), |bytes| {
        let Ok(response) = open_frame::<Response>(&[&[1, 0], bytes].concat()) else { return false };
        let taken = engine.apply(response).is_ok();
        let _ = (engine.status(), engine.households(None), engine.open_cases(None), engine.refused(), engine.compose());
        let _ = engine.report_issue(None, CaseDetails::issue(Category::Facilities, "路灯不亮".to_owned()));
        applied += 1;
        if applied % 500 == 0 {
            engine = enrolled(); // what was taken must not pile up
        }
        taken
    });
}
