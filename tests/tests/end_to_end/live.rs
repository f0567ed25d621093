//! Live connections over real sockets: what is recorded on one phone shows on the others at once, and nothing that a connection does loses or
//! doubles anything.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use doorstep_core::field::{Arrived, LiveConnection, LiveTransport, Phase, TransportFault, Waker, Watched, WebSocketTransport};
use doorstep_core::model::{DeviceId, Scope};
use doorstep_core::sync::client::SyncFailure;
use doorstep_server::demo::Size;
use doorstep_server::hub::Term;
use doorstep_server::settings::{Seconds, Settings};
use doorstep_server::telemetry::{LIVE_RESYNCS, Metrics};
use doorstep_tests::handmade::{Handmade, random_bytes};
use doorstep_tests::phone::Phone;
use doorstep_tests::raw_live::RawLive;
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street, TINY, worker_of};
use doorstep_tests::watcher::Watcher;

fn is_exchanged(watched: &Watched) -> bool {
    matches!(watched, Watched::Exchanged { .. })
}

fn is_pushed(watched: &Watched) -> bool {
    matches!(watched, Watched::Pushed { .. })
}

fn by_hand(street: &Street, server: &Server) -> Handmade {
    let (code, _) = server.hub.make_code(street.id(), street.worker(0)).unwrap();
    Handmade::enrol(&server.url(), &code)
}

fn first_request(device: &Handmade) -> Vec<u8> {
    device.frame(&device.request(None))
}

#[test]
fn a_visit_recorded_on_one_phone_shows_on_the_others_with_one_push() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let [one, two] = ["one", "two"].map(|name| Arc::new(street.worker_phone(&server, name, 0)));
    let centre = Arc::new(street.centre_phone(&server, "centre"));
    let stranger = Arc::new(street.worker_phone(&server, "stranger", 1));
    let [first, second, centres, strangers] =
        [&one, &two, &centre, &stranger].map(|phone| Watcher::start_up_to_date(phone, server.live_transport()));
    let door = one.households()[0];
    let visit = one.visit(door, "身体还好");

    let Some(Watched::Exchanged { exchanged, arrived }) = first.until("the verdict", is_exchanged).pop() else { panic!() };
    assert_eq!((exchanged.accepted, exchanged.refused, arrived.len()), (1, 0, 0));
    assert_eq!(one.engine.status().pending, 0);
    for (watcher, phone) in [(&second, &two), (&centres, &centre)] {
        let Watched::Pushed { arrived } = watcher.next() else { panic!("a push was to come") };
        assert_eq!(arrived.iter().map(|(_, doc)| *doc).collect::<Vec<_>>(), [door.into()]);
        assert!(phone.has_visit(door, visit));
        assert_eq!(phone.engine.status().phase, Phase::Live);
    }
    // Another grid hears nothing of it: the next that comes there is its own.
    let theirs = stranger.visit(stranger.households()[0], "没人在家");
    assert!(matches!(strangers.next(), Watched::Exchanged { .. }));
    centres.until("the other grid's visit", is_pushed);
    assert!(centre.has_visit(stranger.households()[0], theirs));
    street.assert_same(&server.hub, None, &centre);
}

#[test]
fn what_was_recorded_without_a_network_goes_out_with_the_first_request() {
    let street = Street::build(TINY);
    let server = street.serve();
    let phone = Arc::new(street.worker_phone(&server, "phone", 0));
    let visits: Vec<_> = phone.households().into_iter().map(|door| (door, phone.visit(door, "好"))).collect();
    let watcher = Watcher::start(&phone, server.live_transport());
    assert_eq!(watcher.next(), Watched::Connected);
    let Watched::Exchanged { exchanged, .. } = watcher.next() else { panic!() };
    assert_eq!(exchanged.accepted, visits.len());
    drop(watcher);
    assert_eq!(phone.engine.status().phase, Phase::Idle);
    phone.sync(&server.transport());
    street.assert_same(&server.hub, None, &phone);
}

#[test]
fn a_new_phone_reads_everything_over_the_connection_and_then_hears_what_is_new() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let worker = street.worker_phone(&server, "worker", 0);
    let centre = Arc::new(Phone::open_now(&street.phone_folder("centre")));
    let (code, _) = server.hub.make_code(street.id(), street.built.centre).unwrap();
    centre.engine.enrol(&server.transport(), "http://the-server", &code, "a phone").unwrap();
    let watcher = Watcher::start_up_to_date(&centre, server.live_transport());
    street.assert_same(&server.hub, None, &centre);
    worker.visit(worker.households()[0], "好");
    worker.sync(&server.transport());
    watcher.until("the push", is_pushed);
    street.assert_same(&server.hub, None, &centre);
}

#[test]
fn a_right_that_ends_or_begins_while_connected_is_pushed() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = Arc::new(street.worker_phone(&server, "phone", 0));
    let watcher = Watcher::start_up_to_date(&phone, server.live_transport());
    server.hub.grant(street.id(), street.worker(0), &worker_of(street.grid(1)), Term::OPEN).unwrap();
    watcher.until_holds("the second grid", || phone.households().len() == 40);
    server.hub.revoke(street.id(), street.worker(0), Scope::Grid(street.grid(0))).unwrap();
    watcher.until_holds("the first grid's leaving", || phone.households().len() == 20);
    street.assert_same(&server.hub, Some(&[1]), &phone);
}

#[test]
fn a_server_that_stops_says_so_and_the_phone_is_back_when_it_is() {
    let street = Street::build(TINY);
    let server = street.serve();
    let address = server.address();
    let phone = Arc::new(street.worker_phone(&server, "phone", 0));
    let mut raw = RawLive::open(address);
    raw.send(&first_request(&by_hand(&street, &server)));
    raw.response();
    let watcher = Watcher::start_up_to_date(&phone, server.live_transport());
    drop(server);
    assert_eq!(raw.closed(), (1001, "live.stopping".to_owned()));
    assert_eq!(watcher.until_lost(), SyncFailure::NotReady { status: 503 });
    assert_eq!(phone.engine.status().phase, Phase::BackingOff);
    let visit = phone.visit(phone.households()[0], "好");
    let server = street.serve_at(address);
    let Some(Watched::Exchanged { exchanged, .. }) = watcher.until("the next exchange", is_exchanged).pop() else { panic!() };
    assert_eq!(exchanged.accepted, 1);
    let (on_server, _) = server.hub.document(street.id(), phone.households()[0].into()).unwrap();
    assert_eq!(on_server.visits().iter().map(|kept| kept.id).collect::<Vec<_>>(), [visit]);
}

#[test]
fn a_phone_that_answers_no_ping_is_closed_and_one_that_does_stays() {
    let street = Street::build(TINY);
    let seconds = |seconds: f64| Seconds::new(seconds).unwrap();
    let server = street.serve_with(Settings { live_ping_seconds: seconds(0.1), live_silence_seconds: seconds(2.0), ..Settings::default() });
    let phone = Arc::new(street.worker_phone(&server, "phone", 0));
    let watcher = Watcher::start_up_to_date(&phone, server.live_transport());
    let mut half_open = RawLive::open(server.address());
    half_open.send(&first_request(&by_hand(&street, &server)));
    half_open.response();
    let bytes = half_open.sleep_through();
    let reason = [&4003u16.to_be_bytes()[..], b"live.silent"].concat();
    assert!(bytes.windows(reason.len()).any(|window| window == reason), "{}", String::from_utf8_lossy(&bytes));
    // The phone was there for longer than that silence, and is still on its first connection.
    phone.visit(phone.households()[0], "好");
    let all = watcher.until("the verdict", is_exchanged);
    assert!(!all.iter().any(|watched| matches!(watched, Watched::Lost { .. })), "{all:?}");
}

#[test]
fn what_is_no_request_is_closed_with_its_code() {
    let street = Street::build(TINY);
    let server = street.serve();
    let device = by_hand(&street, &server);
    let open = || RawLive::open(server.address());
    let closed_after = |bytes: &[u8]| {
        let mut raw = open();
        raw.send(bytes);
        raw.closed()
    };
    let told = |number: u16, code: &str| (number, code.to_owned());

    assert_eq!(closed_after(b"<html>"), told(4002, "frame.version"));
    assert_eq!(closed_after(&[]), told(4002, "frame.empty"));
    assert_eq!(closed_after(&[1, 0, 0xa0]), told(4002, "frame.undecodable"));
    assert_eq!(closed_after(&vec![1; 1024 * 1024 + 1]), told(4002, "frame.too_long"));
    assert_eq!(closed_after(&random_bytes(3 * 1024 * 1024)), told(4002, "frame.too_long"));
    let mut text = open();
    text.send_text("hello");
    assert_eq!(text.closed(), told(4002, "frame.undecodable"));
    let newer = device.frame(&doorstep_core::sync::Request { protocol: 99, ..device.request(None) });
    assert_eq!(closed_after(&newer), told(4002, "hub.protocol"));

    let nobody = doorstep_core::sync::Request { device: DeviceId::from_bytes([7; 16]), ..device.request(None) };
    assert_eq!(closed_after(&device.frame(&nobody)), told(4001, "hub.unknown_device"));
    let other = by_hand(&street, &server);
    let forged = other.frame(&device.request(None));
    assert_eq!(closed_after(&forged), told(4001, "signature.wrong"));

    // The same in the middle of a session that began well.
    let mut raw = open();
    raw.send(&first_request(&device));
    assert_eq!(raw.response().pushed, None);
    raw.send(&first_request(&other));
    assert_eq!(raw.closed(), told(4005, "live.another_device"));
    let mut raw = open();
    raw.send(&first_request(&device));
    raw.response();
    raw.send(b"<html>");
    assert_eq!(raw.closed(), told(4002, "frame.version"));
    // And the server serves as before.
    street.worker_phone(&server, "phone", 0);
}

#[test]
fn who_says_nothing_is_closed_and_who_is_too_many_is_not_let_in() {
    let street = Street::build(TINY);
    let server = street.serve_with(Settings { header_seconds: Seconds::new(0.3).unwrap(), max_live: 1, ..Settings::default() });
    let mut raw = RawLive::open(server.address());
    assert_eq!(RawLive::try_open(server.address()).err().unwrap(), "503 server.busy");
    let phone = Arc::new(street.worker_phone(&server, "phone", 0));
    let watcher = Watcher::start(&phone, server.live_transport());
    assert_eq!(watcher.until_lost(), SyncFailure::NotReady { status: 503 });
    assert_eq!(raw.closed(), (4004, "live.no_request".to_owned()));
    drop(raw);
    watcher.until("the next attempt", is_exchanged);
}

/// A phone that has stopped reading, for as long as the gate is shut.
struct Deaf {
    below: WebSocketTransport,
    gate: Gate,
}

#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn set(&self, shut: bool) {
        *self.0.0.lock().unwrap() = shut;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |shut| *shut).unwrap());
    }
}

struct DeafConnection(Box<dyn LiveConnection>, Gate);

impl LiveTransport for Deaf {
    fn open(&self, path: &str) -> Result<Box<dyn LiveConnection>, SyncFailure> {
        Ok(Box::new(DeafConnection(self.below.open(path)?, self.gate.clone())))
    }
}

impl LiveConnection for DeafConnection {
    fn send(&mut self, frame: &[u8]) -> Result<(), TransportFault> {
        self.0.send(frame)
    }

    fn receive(&mut self, patience: Duration) -> Result<Option<Arrived>, TransportFault> {
        let arrived = self.0.receive(patience);
        self.1.pass();
        arrived
    }

    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn close(&mut self) {
        self.0.close();
    }
}

fn resyncs() -> String {
    let all = Metrics::install().unwrap().render();
    all.lines().find(|line| line.starts_with(LIVE_RESYNCS)).unwrap_or_default().to_owned()
}

/// Findings of the greatest length that hardly compress.
fn noise() -> String {
    random_bytes(4_000).chunks(2).filter_map(|two| char::from_u32(0x4e00 + (u32::from(two[0]) << 8 | u32::from(two[1])) % 0x5000)).collect()
}

#[test]
fn a_phone_that_does_not_keep_up_is_told_to_resync_and_misses_nothing() {
    // What the kernel takes for a socket that nobody reads is some 4 MB, so much has to be written.
    let street = Street::build(Size { grids: 1, buildings: 3, doors: 20, organisations: 0 });
    let server = street.serve();
    let slow = Arc::new(street.worker_phone(&server, "slow", 0));
    let writer = street.worker_phone(&server, "writer", 0);
    let gate = Gate::default();
    let watcher = Watcher::start_up_to_date(&slow, Deaf { below: server.live_transport(), gate: gate.clone() });
    gate.set(true);
    let before = resyncs();
    let doors = writer.households();
    let mut visits = Vec::new();
    for round in 0.. {
        assert!(round < 40, "the queue never overflowed");
        for door in &doors {
            visits.push((*door, writer.visit(*door, &noise())));
        }
        writer.sync(&server.transport());
        if resyncs() != before {
            break;
        }
    }
    gate.set(false);
    assert_eq!(watcher.until_lost(), SyncFailure::Unreachable);
    watcher.until("the next exchange", is_exchanged);
    assert!(visits.iter().all(|(door, visit)| slow.has_visit(*door, *visit)));
    street.assert_same(&server.hub, None, &slow);
}

/// Something on the way that cuts a connection after so many bytes in both directions together, however they are spread.
mod cutting {
    use std::io::{Read, Write};
    use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    pub struct Cutting {
        address: SocketAddr,
        over: Arc<AtomicBool>,
    }

    impl Cutting {
        /// Cuts the first connections after these numbers of bytes, and no later ones.
        pub fn before(server: SocketAddr, cuts: Vec<usize>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let over = Arc::new(AtomicBool::new(false));
            let (cuts, ended) = (Mutex::new(cuts.into_iter()), Arc::clone(&over));
            std::thread::spawn(move || {
                while let Ok((phone, _)) = listener.accept() {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let left = Arc::new(AtomicUsize::new(cuts.lock().unwrap().next().unwrap_or(usize::MAX)));
                    let Ok(there) = TcpStream::connect(server) else { continue };
                    for (from, to) in [(&phone, &there), (&there, &phone)] {
                        let (from, to, left) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&left));
                        std::thread::spawn(move || pass(from, to, &left));
                    }
                }
            });
            Self { address, over }
        }

        pub fn url(&self) -> String {
            format!("http://{}", self.address)
        }
    }

    impl Drop for Cutting {
        fn drop(&mut self) {
            self.over.store(true, Ordering::SeqCst);
            let _ = TcpStream::connect(self.address);
        }
    }

    fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicUsize) {
        let mut piece = [0; 64];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(length))).unwrap();
            if to.write_all(&piece[..length.min(before)]).is_err() || before <= length {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

#[test]
fn a_connection_that_is_cut_anywhere_loses_and_doubles_nothing() {
    let street = Street::build(TINY);
    let server = street.serve();
    let [one, two] = ["one", "two"].map(|name| Arc::new(street.worker_phone(&server, name, 0)));
    // The head of the upgrade, the first request, its answer, pushes and pings: each is cut somewhere.
    let cuts = vec![50, 300, 420, 500, 611, 750, 900, 1_200, 1_777];
    let network = cutting::Cutting::before(server.address(), cuts);
    let through = || WebSocketTransport::new(&network.url()).unwrap();
    let watchers = [&one, &two].map(|phone| Watcher::start(phone, through()));
    let door = one.households()[0];
    let visits: Vec<_> = (0..12).map(|number| (if number % 2 == 0 { &one } else { &two }).visit(door, "好")).collect();
    for (watcher, phone) in watchers.iter().zip([&one, &two]) {
        watcher
            .until_holds("all visits", || phone.engine.status().pending == 0 && visits.iter().all(|visit| phone.has_visit(door, *visit)));
    }
    let (on_server, _) = server.hub.document(street.id(), door.into()).unwrap();
    assert_eq!(on_server.visits().len(), visits.len());
    drop(watchers);
    for phone in [&one, &two] {
        phone.sync(&server.transport());
        assert_eq!(phone.engine.status().refused, 0);
        street.assert_same(&server.hub, None, phone);
    }
}

#[test]
fn something_else_that_answers_is_not_the_server() {
    use doorstep_tests::bad_network::{BadNetwork, Behaviour};
    let street = Street::build(TINY);
    let server = street.serve();
    let phone = Arc::new(street.worker_phone(&server, "phone", 0));
    let network = BadNetwork::before(&server.url());
    network.next(Behaviour::Page { status: "200 OK", content_type: "text/html", body: b"<html>log in</html>".to_vec() });
    let watcher = Watcher::start(&phone, WebSocketTransport::new(&network.url()).unwrap());
    assert_eq!(watcher.until_lost(), SyncFailure::NotTheServer { status: 200 });
    drop(watcher);
    let nobody: SocketAddr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let watcher = Watcher::start(&phone, WebSocketTransport::new(&format!("http://{nobody}")).unwrap());
    assert_eq!(watcher.until_lost(), SyncFailure::Unreachable);
}
