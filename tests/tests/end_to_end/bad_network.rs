//! A bad network: whatever comes back, the phone gets a typed error, holds nothing half, and a later attempt succeeds.

use std::net::TcpListener;
use std::time::Duration;

use doorstep_core::docs::DocKind;
use doorstep_core::field::{CONTENT_TYPE, HttpTransport, Phase, SyncState};
use doorstep_core::model::{DocId, HouseholdId, VisitId};
use doorstep_core::sync::client::SyncFailure;
use doorstep_core::sync::{FrameError, MOST_FRAME_BYTES};
use doorstep_tests::bad_network::{BadNetwork, Behaviour};
use doorstep_tests::phone::Phone;
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street};

/// How long the phones of these tests wait in silence: the product's eight seconds would only make the tests slow.
const PATIENCE: Duration = Duration::from_millis(400);

/// A phone behind a bad network, with a visit that waits to be sent, and news from the centre that wait to come.
struct Scene {
    phone: Phone,
    network: BadNetwork,
    transport: HttpTransport,
    door: HouseholdId,
    waiting: VisitId,
    news: VisitId,
    before: Vec<(DocId, [u8; 32])>,
    street: Street,
    server: Server,
}

impl Scene {
    fn new() -> Self {
        let street = Street::build(SMALL);
        let server = street.serve();
        let phone = street.worker_phone(&server, "phone", 0);
        let centre = street.centre_phone(&server, "centre");
        let [door, other, ..] = phone.households()[..] else { panic!("two doors at least") };
        let news = centre.visit(other, &"中心来访。".repeat(200));
        centre.sync(&server.transport());
        let waiting = phone.visit(door, "等信号");
        let network = BadNetwork::before(&server.url());
        let transport = network.transport(PATIENCE);
        let before = digests(&phone);
        Self { phone, network, transport, door, waiting, news, before, street, server }
    }

    /// One attempt over what `behaviour` does; the error, after checking that it left nothing half done.
    fn fails(&self, behaviour: Behaviour) -> SyncFailure {
        self.network.next(behaviour);
        let failure = self.phone.fail_to_sync(&self.transport);
        let status = self.phone.engine.status();
        assert_eq!((status.pending, status.refused, status.phase), (1, 0, Phase::BackingOff));
        assert_eq!(status.last_error.as_deref(), Some(failure.code()));
        assert!(status.next_attempt.is_some() && status.failed_attempts >= 1);
        assert_eq!(self.phone.engine.sync_state(self.door), SyncState::Local);
        assert_eq!(digests(&self.phone), self.before, "something of the answer was applied");
        failure
    }

    /// A later attempt brings everything both ways, once.
    fn recovers(&self) {
        let report = self.phone.sync(&self.transport);
        assert_eq!(report.round_trips, 1);
        assert_eq!(self.phone.engine.sync_state(self.door), SyncState::Accepted);
        let status = self.phone.engine.status();
        assert_eq!((status.failed_attempts, status.last_error, status.next_attempt), (0, None, None));
        let compared = self.street.assert_same(&self.server.hub, Some(&[0]), &self.phone);
        assert!(compared > 20, "{compared}");
        assert!(self.phone.has_visit(self.door, self.waiting));
        let doors = self.phone.households();
        assert!(self.phone.has_visit(doors[1], self.news));
        assert_eq!(self.phone.engine.household(self.door).unwrap().visits.len(), 1, "sent twice, there once");
    }
}

fn digests(phone: &Phone) -> Vec<(DocId, [u8; 32])> {
    let kinds = DocKind::ALL.into_iter();
    let documents = kinds.flat_map(|kind| phone.engine.documents(kind).unwrap());
    documents.map(|doc| (doc, phone.engine.digest(doc).unwrap())).collect()
}

fn page(status: &'static str, content_type: &'static str) -> Behaviour {
    let body = b"<html><body>Please log in to use this network</body></html>".to_vec();
    Behaviour::Page { status, content_type, body }
}

#[test]
fn the_page_of_a_captive_portal_is_not_the_server() {
    let scene = Scene::new();
    assert_eq!(scene.fails(page("200 OK", "text/html; charset=utf-8")), SyncFailure::NotTheServer { status: 200 });
    assert_eq!(scene.fails(page("511 Network Authentication Required", "text/html")), SyncFailure::NotTheServer { status: 511 });
    scene.recovers();
}

#[test]
fn a_portal_that_claims_our_media_type_does_not_decode() {
    let scene = Scene::new();
    assert!(matches!(scene.fails(page("200 OK", CONTENT_TYPE)), SyncFailure::Frame(_)));
    scene.recovers();
}

#[test]
fn the_error_page_of_a_proxy_is_not_the_server() {
    let scene = Scene::new();
    for (status, number) in [("502 Bad Gateway", 502), ("504 Gateway Timeout", 504), ("404 Not Found", 404), ("403 Forbidden", 403)] {
        assert_eq!(scene.fails(page(status, "text/html")), SyncFailure::NotTheServer { status: number });
    }
    scene.recovers();
}

#[test]
fn a_redirect_is_not_followed_and_is_not_the_server() {
    let scene = Scene::new();
    let elsewhere = Behaviour::Redirect(format!("{}/v1/sync", scene.server.url()));
    assert_eq!(scene.fails(elsewhere), SyncFailure::NotTheServer { status: 302 });
    let (on_server, _) = scene.server.hub.document(scene.street.id(), scene.door.into()).unwrap();
    assert!(on_server.visits().is_empty(), "the push went where the redirect pointed");
    scene.recovers();
}

#[test]
fn an_answer_that_is_cut_in_the_middle_counts_as_none_though_the_server_took_the_push() {
    let scene = Scene::new();
    assert_eq!(scene.fails(Behaviour::CutInBody), SyncFailure::Unreachable);
    assert_eq!(scene.fails(Behaviour::CutInHead), SyncFailure::Unreachable);
    let (on_server, _) = scene.server.hub.document(scene.street.id(), scene.door.into()).unwrap();
    assert_eq!(on_server.visits().len(), 1);
    scene.recovers();
}

#[test]
fn a_frame_that_was_cut_anywhere_and_has_the_right_length_does_not_decode() {
    let scene = Scene::new();
    for length in (0..40).chain([100, 150]) {
        let failure = scene.fails(Behaviour::TruncatedFrame(length));
        assert!(matches!(failure, SyncFailure::Frame(_)), "cut at {length}: {failure:?}");
    }
    scene.recovers();
}

#[test]
fn a_server_that_stays_silent_is_left_after_the_patience() {
    let scene = Scene::new();
    assert_eq!(scene.fails(Behaviour::Stall), SyncFailure::TimedOut);
    assert_eq!(scene.fails(Behaviour::StallInBody), SyncFailure::TimedOut);
    scene.recovers();
}

#[test]
fn an_answer_that_comes_slowly_but_never_pauses_for_long_arrives() {
    let scene = Scene::new();
    scene.network.next(Behaviour::Trickle { pieces: 8, pause: PATIENCE / 4 });
    scene.recovers();
}

#[test]
fn nobody_there_and_somebody_who_hangs_up_are_the_same_to_the_phone() {
    let scene = Scene::new();
    assert_eq!(scene.fails(Behaviour::HangUp), SyncFailure::Unreachable);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // closed again at once
    let refused = HttpTransport::with_silence(&format!("http://{nobody}"), PATIENCE).unwrap();
    assert_eq!(scene.phone.fail_to_sync(&refused), SyncFailure::Unreachable);
    scene.recovers();
}

#[test]
fn a_body_without_an_end_is_left_at_the_longest_frame() {
    let scene = Scene::new();
    assert_eq!(scene.fails(Behaviour::Endless), SyncFailure::Frame(FrameError::TooLong));
    assert_eq!(scene.fails(Behaviour::Announced(1 << 40)), SyncFailure::Frame(FrameError::TooLong));
    assert_eq!(scene.fails(Behaviour::Announced(MOST_FRAME_BYTES as u64 + 1)), SyncFailure::Frame(FrameError::TooLong));
    scene.recovers();
}

#[test]
fn after_a_restart_of_the_server_the_first_attempt_succeeds() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let (address, transport) = (server.address(), server.transport());
    phone.sync(&transport); // the connection is kept for the next time
    drop(server);
    assert_eq!(phone.fail_to_sync(&transport), SyncFailure::Unreachable);
    let server = street.serve_at(address);
    phone.sync(&transport);
    drop(server);
    let _server = street.serve_at(address);
    phone.sync(&transport);
}
