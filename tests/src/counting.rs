//! Counts what a phone sends and gets, at its transport.

use std::sync::Mutex;

use doorstep_core::field::{HttpTransport, Transport, TransportAnswer, TransportFault};

/// The bodies of one exchange, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Of the request.
    pub sent: usize,
    /// Of the response.
    pub received: usize,
}

/// A transport that writes down each exchange of the one below.
pub struct Counting {
    below: HttpTransport,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Counting {
    /// Counts what goes over `below`.
    pub fn over(below: HttpTransport) -> Self {
        Self { below, exchanges: Mutex::default() }
    }

    /// What was counted since the last call.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.exchanges.lock().unwrap())
    }
}

impl Transport for Counting {
    fn post(&self, path: &str, body: &[u8]) -> Result<TransportAnswer, TransportFault> {
        let answer = self.below.post(path, body);
        let received = answer.as_ref().map_or(0, |answer| answer.body.len());
        self.exchanges.lock().unwrap().push(Exchange { sent: body.len(), received });
        answer
    }
}
