//! The shell over real sockets. Every wait is a read that ends with what is waited for, or with `PATIENCE` and a failure.

mod limits;
mod origins;
mod problems;
mod service;

use super::*;
use crate::settings::Seconds;
use axum::http::header;
use axum::routing::{get, post};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::{Notify, oneshot};

/// Longer than anything here takes on a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on ports of its own, in a thread of its own. Stops when dropped.
struct Running {
    address: SocketAddr,
    metrics_address: SocketAddr,
    readiness: Readiness,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Running {
    fn start(settings: Settings, routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let metrics_listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, metrics_address) = (listener.local_addr().unwrap(), metrics_listener.local_addr().unwrap());
        let readiness = Readiness::starting();
        let app = App { routes, readiness: readiness.clone(), metrics: Metrics::install().unwrap() };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(serve(&settings, listener, metrics_listener, app, async { drop(stopped.await) }))
        });
        Self { address, metrics_address, readiness, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Sends `request` as it is and reads one answer.
    fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"))
    }

    fn post_json(&self, path: &str, body: &str) -> Answer {
        let length = body.len();
        self.ask(&format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"))
    }

    fn signal_stop(&mut self) {
        drop(self.stop.take());
    }

    fn join(mut self) -> Result<(), ServeError> {
        self.signal_stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal_stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).expect("the answer did not come");
            assert!(count > 0, "closed without an answer: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&chunk[..count]);
        };
        let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap().to_ascii_lowercase();
        let length: usize = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = bytes[head_end..].to_vec();
        let have = body.len();
        body.resize(length, 0);
        stream.read_exact(&mut body[have..]).unwrap();
        Self { status: head[9..12].parse().unwrap(), head, body: String::from_utf8(body).unwrap() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Checks that this is a problem with this status and code, and gives it.
    #[track_caller]
    fn problem(&self, status: u16, code: &str) -> serde_json::Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("https://doorstep.example/problems/{code}"));
        assert_eq!(problem["instance"].as_str(), self.header("x-request-id"), "{self:?}");
        problem
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}

/// Reads until the server closes, and gives what came before.
fn read_to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => bytes,
        Err(error) => panic!("the server did not close: {error}"),
    }
}

fn quick() -> Settings {
    Settings { header_seconds: Seconds::new(0.5).unwrap(), ..Settings::default() }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    door: String,
    count: u32,
}

fn routes() -> Router {
    Router::new()
        .route("/visits", post(async |Json(visit): Json<Visit>| format!("{} {}", visit.door, visit.count)))
        .route("/visits/{id}", get(async |Path(id): Path<u64>| id.to_string()))
        .route("/search", get(async |Query(visit): Query<Visit>| visit.door))
        .route("/raw", post(async |RawBody(bytes): RawBody| bytes.len().to_string()))
        .route("/builtin", post(async |axum::Json(visit): axum::Json<Visit>| visit.door))
        .route("/panic", get(async || -> () { panic!("张三 13800001234") }))
}
