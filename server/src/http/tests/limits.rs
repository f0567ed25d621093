//! Time, size and number: what breaks a limit is cut or answered.

use super::*;

#[test]
fn a_half_sent_head_is_dropped_after_the_limit() {
    let server = Running::start(quick(), routes());
    let mut halves: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    for half in &mut halves {
        half.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").unwrap();
    }
    assert_eq!(server.get("/healthz").status, 200, "half-sent heads hold others up");
    for half in &mut halves {
        assert_eq!(read_to_close(half), b"");
    }
}

#[test]
fn a_silent_connection_and_an_idle_one_are_dropped_after_the_limit() {
    let server = Running::start(quick(), routes());
    let mut silent = server.connect();
    assert_eq!(read_to_close(&mut silent), b"");
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut idle).status, 200);
    assert_eq!(read_to_close(&mut idle), b"");
}

#[test]
fn a_second_head_that_is_half_sent_is_dropped_too() {
    let server = Running::start(quick(), routes());
    let mut stream = server.connect();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /heal").unwrap();
    assert_eq!(Answer::read(&mut stream).status, 200);
    assert!(!String::from_utf8_lossy(&read_to_close(&mut stream)).contains("200 OK"));
}

#[test]
fn connections_beyond_the_cap_are_closed_and_slots_come_back() {
    let server = Running::start(Settings { max_connections: 2, ..Settings::default() }, routes());
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert_eq!(Answer::read(&mut stream).status, 200);
        held.push(stream);
    }
    let mut third = server.connect();
    assert_eq!(read_to_close(&mut third), b"");
    drop(held.pop());
    let deadline = Instant::now() + PATIENCE;
    let answered = std::iter::repeat_with(|| {
        let mut stream = server.connect();
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        read_to_close(&mut stream)
    });
    let mut answered = answered.take_while(|_| Instant::now() < deadline);
    assert!(answered.any(|bytes| bytes.starts_with(b"HTTP/1.1 200")), "the slot did not come back");
}

#[test]
fn a_body_above_the_limit_is_a_413_problem_also_when_all_of_it_is_sent() {
    let server = Running::start(Settings { body_kilobytes: 1, ..Settings::default() }, routes());
    let body = "a".repeat(512 * 1024);
    let problem = server.post_json("/visits", &body).problem(413, "http.body_too_large");
    assert_eq!(problem["detail"], "The limit is 1024 bytes.");

    let mut chunked = server.connect();
    chunked.write_all(b"POST /raw HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    for _ in 0..64 {
        chunked.write_all(format!("400\r\n{}\r\n", "a".repeat(1024)).as_bytes()).unwrap();
    }
    chunked.write_all(b"0\r\n\r\n").unwrap();
    Answer::read(&mut chunked).problem(413, "http.body_too_large");
}

#[test]
fn a_body_that_announces_far_too_much_is_refused_before_it_is_sent() {
    let server = Running::start(Settings::default(), routes());
    let answer = server.ask("POST /raw HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999999\r\n\r\n");
    answer.problem(413, "http.body_too_large");
}

#[test]
fn a_route_may_take_larger_bodies_than_the_settings_say() {
    let large = Router::new().route("/large", post(async |RawBody(bytes): RawBody| bytes.len().to_string()).layer(body_limit(4096)));
    let server = Running::start(Settings { body_kilobytes: 1, ..Settings::default() }, routes().merge(large));
    assert_eq!(server.post_json("/large", &"a".repeat(4096)).body, "4096");
    server.post_json("/large", &"a".repeat(4097)).problem(413, "http.body_too_large");
    server.post_json("/raw", &"a".repeat(1025)).problem(413, "http.body_too_large");
}

#[test]
fn a_connection_is_of_further_use_after_an_answer_that_came_before_the_body() {
    let server = Running::start(Settings::default(), routes());
    let mut stream = server.connect();
    for round in 0..20 {
        stream.write_all(b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n").unwrap();
        if round % 2 == 0 {
            std::thread::sleep(Duration::from_millis(20)); // the body comes in a segment of its own, after the handler has refused
        }
        stream.write_all(b"1234").unwrap();
        let answer = Answer::read(&mut stream);
        answer.problem(404, "http.no_route");
        assert_eq!(answer.header("connection"), None);
    }
}

#[test]
fn an_answer_to_a_body_that_is_not_read_says_that_the_connection_closes() {
    let settings = Settings { body_seconds: Seconds::new(0.2).unwrap(), ..Settings::default() };
    let server = Running::start(settings, routes());
    for rest in ["content-length: 999999999999\r\n\r\n", "content-length: 4\r\n\r\n1", "content-length: 4\r\nexpect: 100-continue\r\n\r\n"]
    {
        let mut stream = server.connect();
        stream.write_all(format!("POST /nowhere HTTP/1.1\r\nhost: x\r\n{rest}").as_bytes()).unwrap();
        let answer = Answer::read(&mut stream);
        answer.problem(404, "http.no_route");
        assert_eq!(answer.header("connection"), Some("close"), "{rest}");
        assert!(read_to_close(&mut stream).is_empty());
    }
}

#[test]
fn a_body_that_dribbles_is_a_408_problem() {
    let settings = Settings { body_seconds: Seconds::new(0.2).unwrap(), ..Settings::default() };
    let server = Running::start(settings, routes());
    for path in ["/visits", "/raw"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{");
        server.ask(&head).problem(408, "http.slow_body");
    }
}

#[test]
fn a_body_that_breaks_off_is_no_accepted_body() {
    let (seen, bodies) = mpsc::channel();
    let route = post(async move |body: Result<RawBody, Problem>| drop(seen.send(body.map(|_| ()))));
    let server = Running::start(Settings::default(), Router::new().route("/cut", route));
    let mut stream = server.connect();
    stream.write_all(b"POST /cut HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(bodies.recv_timeout(PATIENCE).unwrap().unwrap_err().code(), "http.bad_request");
}

#[test]
fn a_request_that_takes_too_long_is_a_503_problem() {
    let settings = Settings { handler_seconds: Seconds::new(0.2).unwrap(), ..Settings::default() };
    let server = Running::start(settings, Router::new().route("/never", get(async || std::future::pending::<()>().await)));
    let answer = server.get("/never");
    answer.problem(503, "server.too_slow");
    assert_eq!(answer.header("retry-after"), Some("10"));
}

#[test]
fn requests_beyond_the_cap_are_a_503_problem_and_health_still_answers() {
    let (entered, enter) = mpsc::channel();
    let release = Arc::new(Notify::new());
    let held = Arc::clone(&release);
    let route = get(async move || {
        entered.send(()).unwrap();
        held.notified().await;
    });
    let server = Running::start(Settings { max_requests: 1, ..Settings::default() }, Router::new().route("/held", route));
    let mut first = server.connect();
    first.write_all(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    enter.recv_timeout(PATIENCE).unwrap();
    let refused = server.get("/held");
    refused.problem(503, "server.busy");
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(server.get("/healthz").status, 200);
    release.notify_one();
    assert_eq!(Answer::read(&mut first).status, 200);
}
