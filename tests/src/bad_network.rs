//! A bad network: something on a socket between a phone and its server that plays what a test tells it, one behaviour a request.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use doorstep_core::field::{CONTENT_TYPE, HttpTransport, Transport, TransportAnswer};

/// What happens to one request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// It reaches the server and its answer comes back: so does every request that nothing was said about.
    Pass,
    /// Something else answers, without asking the server.
    Page {
        /// `200 OK`.
        status: &'static str,
        /// Of the body.
        content_type: &'static str,
        /// The body.
        body: Vec<u8>,
    },
    /// Something sends the phone elsewhere.
    Redirect(String),
    /// The request reaches the server, and the connection breaks in the middle of the answer.
    CutInBody,
    /// The same in the middle of the answer's head.
    CutInHead,
    /// The request reaches the server, and something on the way shortens the body and says that this is its length.
    TruncatedFrame(usize),
    /// The request is read, and nothing ever comes back.
    Stall,
    /// The answer begins, and in its middle nothing comes any more.
    StallInBody,
    /// The answer comes in so many pieces with a pause between them.
    Trickle {
        /// How many.
        pieces: usize,
        /// Between two of them.
        pause: Duration,
    },
    /// A body that never ends.
    Endless,
    /// A body that claims to be very long.
    Announced(u64),
    /// The connection is closed before anything is read.
    HangUp,
}

/// The network. Ends when it is dropped.
pub struct BadNetwork {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Behaviour>,
    over: bool,
}

impl BadNetwork {
    /// A network before the server at `server`.
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let (server, told) = (server.to_owned(), Arc::clone(&script));
        let thread = std::thread::spawn(move || {
            while let Ok((phone, _)) = listener.accept() {
                let behaviour = {
                    let mut script = told.lock().unwrap();
                    if script.over {
                        return;
                    }
                    script.next.pop_front().unwrap_or(Behaviour::Pass)
                };
                let server = server.clone();
                // What goes wrong on this side is the phone's going away, which it may.
                std::thread::spawn(move || play(behaviour, phone, &server));
            }
        });
        Self { address, script, thread: Some(thread) }
    }

    /// What happens to the next request about which nothing was said yet.
    pub fn next(&self, behaviour: Behaviour) {
        self.script.lock().unwrap().next.push_back(behaviour);
    }

    /// Where phones reach it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A phone's client on this network that waits in silence no longer than `patience`.
    pub fn transport(&self, patience: Duration) -> HttpTransport {
        HttpTransport::with_silence(&format!("http://{}", self.address), patience).unwrap()
    }
}

impl Drop for BadNetwork {
    fn drop(&mut self) {
        self.script.lock().unwrap().over = true;
        let _ = TcpStream::connect(self.address); // wakes the accepting thread
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn play(behaviour: Behaviour, mut phone: TcpStream, server: &str) -> Option<()> {
    if matches!(behaviour, Behaviour::HangUp) {
        return None;
    }
    let (path, body) = read_request(&mut phone)?;
    let real = || HttpTransport::new(server).ok()?.post(&path, &body).ok();
    match behaviour {
        Behaviour::HangUp => {}
        Behaviour::Pass => send(&mut phone, &real()?)?,
        Behaviour::Page { status, content_type, body } => {
            phone.write_all(&head(status, content_type, &body.len().to_string(), None)).ok()?;
            phone.write_all(&body).ok()?;
        }
        Behaviour::Redirect(to) => {
            let head = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            phone.write_all(head.as_bytes()).ok()?;
        }
        Behaviour::CutInBody => {
            let answer = real()?;
            phone.write_all(&head_of(&answer)).ok()?;
            phone.write_all(answer.body.get(..answer.body.len() / 2)?).ok()?;
        }
        Behaviour::CutInHead => {
            let head = head_of(&real()?);
            phone.write_all(head.get(..head.len() / 2)?).ok()?;
        }
        Behaviour::TruncatedFrame(length) => {
            let mut answer = real()?;
            answer.body.truncate(length);
            send(&mut phone, &answer)?;
        }
        Behaviour::Stall => wait_until_gone(&mut phone),
        Behaviour::StallInBody => {
            let answer = real()?;
            phone.write_all(&head_of(&answer)).ok()?;
            phone.write_all(answer.body.get(..answer.body.len() / 2)?).ok()?;
            wait_until_gone(&mut phone);
        }
        Behaviour::Trickle { pieces, pause } => {
            let answer = real()?;
            phone.write_all(&head_of(&answer)).ok()?;
            for piece in answer.body.chunks(answer.body.len().div_ceil(pieces)) {
                std::thread::sleep(pause); // this is the slow network itself, no waiting for something to happen
                phone.write_all(piece).ok()?;
            }
        }
        Behaviour::Endless => {
            phone.write_all(&head("200 OK", CONTENT_TYPE, "", None)).ok()?;
            while phone.write_all(&[1; 4_096]).is_ok() {}
        }
        Behaviour::Announced(length) => {
            phone.write_all(&head("200 OK", CONTENT_TYPE, &length.to_string(), None)).ok()?;
            while phone.write_all(&[1; 4_096]).is_ok() {}
        }
    }
    Some(())
}

fn send(phone: &mut TcpStream, answer: &TransportAnswer) -> Option<()> {
    phone.write_all(&head_of(answer)).ok()?;
    phone.write_all(&answer.body).ok()
}

fn head_of(answer: &TransportAnswer) -> Vec<u8> {
    head(&format!("{} Whatever", answer.status), &answer.content_type, &answer.body.len().to_string(), answer.code.as_deref())
}

/// The head of an answer. Without a length the body ends with the connection.
fn head(status: &str, content_type: &str, length: &str, code: Option<&str>) -> Vec<u8> {
    let length = if length.is_empty() { String::new() } else { format!("content-length: {length}\r\n") };
    let code = code.map(|code| format!("doorstep-code: {code}\r\n")).unwrap_or_default();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\n{length}{code}connection: close\r\n\r\n").into_bytes()
}

/// Path and body of a request.
fn read_request(phone: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        read_some(phone, &mut bytes)?;
    };
    let head = String::from_utf8(bytes.get(..end)?.to_vec()).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        read_some(phone, &mut bytes)?;
    }
    Some((path, bytes.split_off(end)))
}

fn read_some(phone: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    let length = phone.read(&mut piece).ok().filter(|length| *length > 0)?;
    bytes.extend_from_slice(piece.get(..length)?);
    Some(())
}

fn wait_until_gone(phone: &mut TcpStream) {
    while read_some(phone, &mut Vec::new()).is_some() {}
}
