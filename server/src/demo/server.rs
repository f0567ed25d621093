//! A real server for the demo and for tests, on a thread of its own: stopped when it is dropped, like by Ctrl-C.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::sync::oneshot;

use crate::hub::Hub;
use crate::service::Service;
use crate::settings::Settings;
use crate::telemetry::Metrics;

/// A server that runs beside this thread.
pub struct DemoServer {
    /// The hub, for looking behind the scenes.
    pub hub: Arc<Hub>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DemoServer {
    /// Where phones reach it: `http://127.0.0.1:7300`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Starts a server on a bound listener; it accepts before this returns.
///
/// # Errors
/// When the folder does not open.
pub fn start(settings: Settings, listener: TcpListener, metrics: Metrics) -> anyhow::Result<DemoServer> {
    let service = Service::open(&settings)?;
    let address = listener.local_addr()?;
    let metrics_listener = TcpListener::bind(settings.metrics_listen).context("the listener for metrics")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let hub = Arc::clone(&service.hub);
    let thread = std::thread::Builder::new().name("server".into()).spawn(move || {
        let stop = async {
            // A sender that was dropped is a stop as well.
            let _ = stopped.await;
        };
        if let Err(error) = runtime.block_on(service.run(&settings, listener, metrics_listener, metrics, stop)) {
            tracing::error!(%error, "the server failed");
        }
    })?;
    Ok(DemoServer { hub, address, stop: Some(stop), thread: Some(thread) })
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the server's thread panicked");
        }
    }
}
