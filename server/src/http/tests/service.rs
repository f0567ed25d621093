//! What a supervisor sees: health, metrics, and a stop that finishes what runs.

use super::*;

#[test]
fn health_says_up_and_readiness_says_why_not() {
    let server = Running::start(Settings::default(), routes());
    assert_eq!((server.get("/healthz").status, server.get("/healthz").body.as_str()), (200, "up\n"));
    let problem = server.get("/readyz").problem(503, "server.not_ready");
    assert_eq!(problem["detail"], "starting");
    server.readiness.set_ready();
    assert_eq!(server.get("/readyz").status, 200);
    server.readiness.set_not_ready("store full");
    assert_eq!(server.get("/readyz").problem(503, "server.not_ready")["detail"], "store full");
}

#[test]
fn good_input_passes() {
    let server = Running::start(Settings::default(), routes());
    let answer = server.post_json("/visits", "{\"door\": \"301\", \"count\": 2}");
    assert_eq!((answer.status, answer.body.as_str()), (200, "301 2"));
    assert_eq!(answer.header("x-request-id").unwrap().len(), 16);
    assert_eq!(server.get("/visits/7").body, "7");
    assert_eq!(server.get("/search?door=301&count=1").body, "301");
}

#[test]
fn metrics_are_read_on_their_own_listener_by_template_and_never_by_path() {
    let server = Running::start(Settings::default(), routes());
    assert_eq!(server.get("/visits/5550001").status, 200);
    assert_eq!(server.get("/no/5550001").status, 404);
    assert_eq!(server.ask("BREW5550001 /visits HTTP/1.1\r\nhost: x\r\n\r\n").status, 405);
    let mut stream = connect(server.metrics_address);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let answer = Answer::read(&mut stream);
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(answer.body.contains("doorstep_http_requests_total{method=\"GET\",route=\"/visits/{id}\",status=\"200\"}"), "{}", answer.body);
    assert!(answer.body.contains("doorstep_http_requests_total{method=\"other\",route=\"/visits\",status=\"405\"}"), "{}", answer.body);
    assert!(answer.body.contains("doorstep_http_request_seconds_bucket"));
    assert!(!answer.body.contains("5550001"), "{}", answer.body);
    server.get("/metrics").problem(404, "http.no_route");
}

#[test]
fn a_graceful_stop_finishes_running_requests_and_refuses_new_ones() {
    let (entered, enter) = mpsc::channel();
    let release = Arc::new(Notify::new());
    let held = Arc::clone(&release);
    let route = get(async move || {
        entered.send(()).unwrap();
        held.notified().await;
        ([(header::CONTENT_TYPE, "text/plain")], "finished")
    });
    let mut server = Running::start(Settings::default(), Router::new().route("/held", route));
    server.readiness.set_ready();
    let mut running = server.connect();
    running.write_all(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    enter.recv_timeout(PATIENCE).unwrap();

    server.signal_stop();
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(server.address).is_ok() {
        assert!(Instant::now() < deadline, "new connections are still taken");
    }
    assert_eq!(server.readiness.get(), Err("stopping"));
    release.notify_one();
    let answer = Answer::read(&mut running);
    assert_eq!((answer.status, answer.body.as_str()), (200, "finished"));
    assert!(server.join().is_ok());
}

#[test]
fn a_stop_waits_no_longer_than_it_was_told_for_a_request_that_never_ends() {
    let (entered, enter) = mpsc::channel();
    let route = get(async move || {
        entered.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    let settings = Settings { shutdown_seconds: Seconds::new(0.2).unwrap(), ..Settings::default() };
    let server = Running::start(settings, Router::new().route("/never", route));
    let mut hanging = server.connect();
    hanging.write_all(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    enter.recv_timeout(PATIENCE).unwrap();
    assert!(server.join().is_ok());
    assert_eq!(read_to_close(&mut hanging), b"");
}

#[test]
fn a_half_sent_head_does_not_hold_a_stop_up_for_ever() {
    let settings = Settings { shutdown_seconds: Seconds::new(0.2).unwrap(), ..Settings::default() };
    let server = Running::start(settings, routes());
    let mut half = server.connect();
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").unwrap();
    assert_eq!(server.get("/healthz").status, 200);
    assert!(server.join().is_ok());
    assert_eq!(read_to_close(&mut half), b"");
}
