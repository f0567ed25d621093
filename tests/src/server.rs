//! A server in this process: a hub over a store on disk, on a socket of its own, with a clock of the test's choice.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use doorstep_core::field::{HttpTransport, WebSocketTransport};
use doorstep_core::model::Clock;
use doorstep_core::store::{SledOptions, SledStore};
use doorstep_server::api::admin::Token;
use doorstep_server::erasures::{ERASURES_FILE, Erasures};
use doorstep_server::hub::{Hub, LEASE_HOURS};
use doorstep_server::ledger::KeyedLedger;
use doorstep_server::service::Service;
use doorstep_server::settings::Settings;
use doorstep_server::system::SystemEntropy;
use doorstep_server::telemetry::Metrics;
use tokio::sync::oneshot;

/// Where a server keeps its store below its data folder, as `doorstep serve` does: a folder that was filled here can be served by a process.
const STORE_FOLDER: &str = "store";

/// The hub of a data folder, with no socket before it. `doorstep serve` can serve the folder once this is dropped.
pub fn hub(data: &Path, clock: Arc<dyn Clock>) -> (Arc<Hub>, Arc<SledStore>) {
    hub_with(data, clock, LEASE_HOURS)
}

fn hub_with(data: &Path, clock: Arc<dyn Clock>, lease_hours: u32) -> (Arc<Hub>, Arc<SledStore>) {
    let store =
        Arc::new(SledStore::open(&data.join(STORE_FOLDER), SledOptions { cache_bytes: 64 << 20, ..SledOptions::default() }).unwrap());
    let ledger = Arc::new(KeyedLedger::open(store.clone(), Box::new(SystemEntropy)).unwrap());
    let erasures = Erasures::open(&data.join(ERASURES_FILE)).unwrap();
    let hub = Hub::new(ledger, clock, Arc::new(Mutex::new(SystemEntropy)), 256 << 20);
    let hub = hub.with_erasures(Arc::new(erasures)).with_lease_hours(lease_hours);
    hub.erase_again().unwrap();
    (Arc::new(hub), store)
}

/// A server that runs beside this thread, until it is dropped.
pub struct Server {
    /// The hub, for looking behind the scenes.
    pub hub: Arc<Hub>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves a data folder on a free port. It accepts before this returns.
    pub fn start(data: &Path, clock: Arc<dyn Clock>) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), data, clock)
    }

    /// The same on a certain port: that of a server that was stopped.
    pub fn start_at(address: SocketAddr, data: &Path, clock: Arc<dyn Clock>) -> Self {
        Self::start_with(address, data, clock, Settings::default())
    }

    /// The same with settings of the test's, but for the data folder and the addresses.
    pub fn start_with(address: SocketAddr, data: &Path, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let (hub, store) = hub_with(data, Arc::clone(&clock), settings.lease_hours);
        let listener = TcpListener::bind(address).unwrap();
        let metrics_listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings { data: data.to_owned(), ..settings };
        let token = Token::new("a token that only the operator knows");
        let service = Service::over(Arc::clone(&hub), store, token, &settings, clock).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let until_stopped = async {
                let _ = stopped.await; // a sender that was dropped is a stop as well
            };
            runtime.block_on(service.run(&settings, listener, metrics_listener, Metrics::install().unwrap(), until_stopped)).unwrap();
        });
        Self { hub, address, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where phones reach it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The engine's own client of this server.
    pub fn transport(&self) -> HttpTransport {
        HttpTransport::new(&self.url()).unwrap()
    }

    /// The engine's own WebSocket to this server.
    pub fn live_transport(&self) -> WebSocketTransport {
        WebSocketTransport::new(&self.url()).unwrap()
    }
}

impl Drop for Server {
    /// Stops it as Ctrl-C does, and waits until its store is closed.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server's thread panicked");
        }
    }
}
