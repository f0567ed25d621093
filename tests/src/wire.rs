//! Counts what really goes over a connection: bodies, the heads of HTTP around them, and whatever else is said.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// A wire to a server that hands on everything and counts it. Ends when it is dropped.
pub struct Wire {
    address: SocketAddr,
    bytes: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Wire {
    /// A wire to `server`.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (bytes, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, ends) = (Arc::clone(&bytes), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while let Ok((phone, _)) = listener.accept() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let server = TcpStream::connect(server).unwrap();
                for (from, to) in [(phone.try_clone(), server.try_clone()), (Ok(server), Ok(phone))] {
                    let counted = Arc::clone(&counted);
                    std::thread::spawn(move || hand_on(from.unwrap(), to.unwrap(), &counted));
                }
            }
        });
        Self { address, bytes, is_over, thread: Some(thread) }
    }

    /// Where phones reach the server through it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bytes of both ways since the last call.
    pub fn take(&self) -> usize {
        self.bytes.swap(0, Ordering::SeqCst)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the accepting thread
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Until one side goes away, which it may. Counts before it hands on, so that who has an answer finds it counted.
fn hand_on(mut from: TcpStream, mut to: TcpStream, counted: &AtomicUsize) {
    let mut piece = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut piece) {
        counted.fetch_add(length, Ordering::SeqCst);
        if length == 0 || to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
