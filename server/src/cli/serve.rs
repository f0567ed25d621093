//! `doorstep serve`: the server, until it is told to stop.

use crate::cli::SettingsArgs;
use crate::service::Service;
use crate::settings::Settings;
use crate::telemetry::{Metrics, start_log};
use anyhow::Context;
use std::net::{SocketAddr, TcpListener};

/// What `doorstep serve` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Runs the server until Ctrl-C or SIGTERM, finishes running requests and returns. A second Ctrl-C ends the process at once.
///
/// # Errors
/// When the settings are wrong, an address is taken or a listener fails.
pub fn run(args: Args) -> anyhow::Result<()> {
    let settings = args.settings.read()?.settings;
    start_log(&settings.log, settings.log_format)?;
    let metrics = Metrics::install()?;
    let listener = bind(settings.listen, "listen")?;
    let metrics_listener = bind(settings.metrics_listen, "metrics_listen")?;
    let service = Service::open(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime does not start")?;
    runtime.block_on(until_stopped(&settings, listener, metrics_listener, metrics, service))
}

async fn until_stopped(
    settings: &Settings,
    listener: TcpListener,
    metrics_listener: TcpListener,
    metrics: Metrics,
    service: Service,
) -> anyhow::Result<()> {
    let stop = stop_signal().context("the signals of the system cannot be heard")?;
    tracing::info!(listen = %listener.local_addr()?, metrics = %metrics_listener.local_addr()?, "serving");
    service.run(settings, listener, metrics_listener, metrics, stop).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Binds an address, or says which setting to change.
fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address}; stop what uses it, or choose another address (setting `{setting}`)"))
}

/// Ready at Ctrl-C or SIGTERM. From then on a second one of either ends the process at once.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut signals = Signals::listen()?;
    Ok(async move {
        signals.next().await;
        tracing::info!("stopping: running requests are finished; press Ctrl-C again to stop at once");
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130); // 128 + SIGINT, as shells have it
        });
    })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
