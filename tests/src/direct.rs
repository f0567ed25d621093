//! A server without sockets whose store can be copied and set up again: for what a restore does to what phones were told.

use std::sync::{Arc, Mutex};

use doorstep_core::field::{CONTENT_TYPE, ENROL_PATH, Engine, NoMark, Transport, TransportAnswer, TransportFault};
use doorstep_core::model::{Clock, PersonId};
use doorstep_core::store::MemoryStore;
use doorstep_server::demo::{DemoStreet, Size, build};
use doorstep_server::hub::Hub;
use doorstep_server::ledger::KeyedLedger;
use doorstep_server::system::SystemEntropy;

use crate::clocks::{HandClock, MINUTE};

/// The server. It is its own transport.
pub struct DirectServer {
    /// Who and what is in its street.
    pub street: DemoStreet,
    /// Its clock, and that of its phones.
    pub clock: HandClock,
    running: Mutex<Running>,
}

struct Running {
    store: Arc<MemoryStore>,
    hub: Arc<Hub>,
}

impl Running {
    fn over(store: Arc<MemoryStore>, clock: &HandClock) -> Self {
        let ledger = Arc::new(KeyedLedger::open(store.clone(), Box::new(SystemEntropy)).unwrap());
        Self { store, hub: Arc::new(Hub::new(ledger, Arc::new(clock.clone()), Arc::new(Mutex::new(SystemEntropy)), 1 << 20)) }
    }
}

impl DirectServer {
    /// A new server with a street.
    pub fn build(size: Size) -> Self {
        let clock = HandClock::at_time(9, 0);
        let running = Running::over(Arc::new(MemoryStore::new()), &clock);
        let street = build(&running.hub, size, &mut |_, _| {}).unwrap();
        Self { street, clock, running: Mutex::new(running) }
    }

    /// The hub that runs.
    pub fn hub(&self) -> Arc<Hub> {
        Arc::clone(&self.running.lock().unwrap().hub)
    }

    /// A copy of everything, as a backup has it; phones are told.
    pub fn backup(&self) -> MemoryStore {
        let positions = self.hub().positions().unwrap();
        let copy = self.running.lock().unwrap().store.copy();
        self.hub().note_backup(&positions).unwrap();
        copy
    }

    /// Sets the server up again from a backup.
    pub fn restore(&self, backup: &MemoryStore) {
        self.clock.advance(MINUTE);
        let running = Running::over(Arc::new(backup.copy()), &self.clock);
        running.hub.renew_ledgers().unwrap();
        *self.running.lock().unwrap() = running;
    }

    /// An enrolled phone of a person that has everything, and its store.
    pub fn phone(&self, person: PersonId) -> (Engine, Arc<MemoryStore>) {
        let store = Arc::new(MemoryStore::new());
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let engine = Engine::open(store.clone(), clock, Box::new(SystemEntropy), &NoMark).unwrap();
        let (code, _) = self.hub().make_code(self.street.id, person).unwrap();
        engine.enrol(self, "http://the-server", &code, "a phone").unwrap();
        engine.sync(self).unwrap();
        (engine, store)
    }
}

impl Transport for DirectServer {
    fn post(&self, path: &str, body: &[u8]) -> Result<TransportAnswer, TransportFault> {
        let hub = self.hub();
        let answer = if path == ENROL_PATH { hub.enrol(body) } else { hub.exchange(body) };
        let body = answer.unwrap_or_else(|error| panic!("the server does not serve: {error:?}"));
        Ok(TransportAnswer { status: 200, content_type: CONTENT_TYPE.to_owned(), code: None, body })
    }
}
