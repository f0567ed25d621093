//! What the operator sees of a running server: the log on standard error and the numbers on `/metrics`.
//!
//! Neither ever holds personal data: a log line carries ids, codes, path templates and times; a metric carries templates and codes as
//! labels, never an id. A panic is logged by its place in the source, not by its message, because a message may quote what was worked on.
//! The names of all metrics are constants in here: dashboards and alarms depend on them.

use crate::settings::LogFormat;
use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use tracing_subscriber::EnvFilter;

/// Requests answered, by `method`, `route` (the path template) and `status`.
pub const HTTP_REQUESTS: &str = "doorstep_http_requests_total";
/// Seconds from the head of a request to the head of its answer, by `method` and `route`.
pub const HTTP_SECONDS: &str = "doorstep_http_request_seconds";
/// Requests being worked on.
pub const HTTP_IN_FLIGHT: &str = "doorstep_http_requests_in_flight";
/// Connections closed at once because there were too many.
pub const HTTP_CONNECTIONS_REFUSED: &str = "doorstep_http_connections_refused_total";
/// Panics caught in handlers; each is a bug.
pub const HTTP_PANICS: &str = "doorstep_http_panics_total";

/// Certificates that were read anew, by `outcome`: `ok`, or `failed` where the one before stays in use.
pub const TLS_RELOADS: &str = "doorstep_tls_reloads_total";

/// Live connections that are open.
pub const LIVE_CONNECTIONS: &str = "doorstep_live_connections";
/// Messages pushed on live connections.
pub const LIVE_PUSHED: &str = "doorstep_live_pushed_total";
/// Live connections closed because the phone did not keep up.
pub const LIVE_RESYNCS: &str = "doorstep_live_resyncs_total";

/// Seconds from handing a group to the committer to its being durable.
pub const COMMIT_SECONDS: &str = "doorstep_commit_seconds";
/// Changes accepted and durable.
pub const ACCEPTED: &str = "doorstep_accepted_changes_total";
/// Groups refused into quarantine, by `reason` (a refusal's code).
pub const QUARANTINE: &str = "doorstep_quarantine_total";
/// Bytes of the store on disk.
pub const STORE_BYTES: &str = "doorstep_store_bytes";
/// Seconds that opening the store took.
pub const STORE_OPEN_SECONDS: &str = "doorstep_store_open_seconds";
/// Files in the store's folder `blobs`: always 0, or values above the limit reached the store.
pub const BLOBS_FILES: &str = "doorstep_blobs_files";

/// Limits of the buckets of everything that is measured in seconds: from a warm commit (a millisecond) to the longest request.
const SECONDS_BUCKETS: &[f64] = &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 90.0];

/// What is left out of the log unless a filter names it. automerge opens spans at the level of information for every document that it loads:
/// nobody reads them, and keeping them took some hundredths of what acceptance takes.
const QUIET: &str = "automerge=error";

/// Why log or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter of the log cannot be read.
    #[error("setting `log` is not a filter such as info or info,doorstep_server=debug: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The process already logs elsewhere.
    #[error("the process already has a log: {0}")]
    AlreadyLogging(#[from] tracing_subscriber::util::TryInitError),
    /// The metrics of the process go elsewhere.
    #[error("the process already counts elsewhere, or a bucket is wrong: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

impl TelemetryError {
    /// The code of this error, a promise to scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Filter(_) => "telemetry.filter",
            Self::AlreadyLogging(_) => "telemetry.already_logging",
            Self::Metrics(_) => "telemetry.metrics",
        }
    }
}

/// Checks a log filter without installing anything.
///
/// # Errors
/// When it cannot be read.
pub fn check_filter(filter: &str) -> Result<(), TelemetryError> {
    filter_of(filter).map(drop)
}

/// What stands behind takes the place of what stands before. Without a word of what to log, errors are.
fn filter_of(filter: &str) -> Result<EnvFilter, TelemetryError> {
    let filter = if filter.is_empty() { "error" } else { filter };
    Ok(EnvFilter::builder().parse(format!("{QUIET},{filter}"))?)
}

/// Starts the log of the process on standard error and puts panics into it. Once a process.
///
/// # Errors
/// When the filter cannot be read or the process already logs.
pub fn start_log(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = filter_of(filter)?;
    // Colours are for people at a terminal; a log file is read by other programs.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.finish().try_init()?,
        LogFormat::Json => log.json().flatten_event(true).finish().try_init()?,
    }
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
        tracing::error!(file, line, "a panic: this is a bug");
    }));
    Ok(())
}

/// The numbers of this process, in the text form of Prometheus. A cheap clone.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Makes this process count. Every call gives the same numbers, so that servers and tests in one process can share them.
    ///
    /// # Errors
    /// When something else already receives the metrics of this process.
    pub fn install() -> Result<Self, TelemetryError> {
        static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = &*installed {
            return Ok(metrics.clone());
        }
        let handle =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)?.install_recorder()?;
        describe();
        Ok(installed.insert(Self(handle)).clone())
    }

    /// All numbers as `/metrics` shows them. Microseconds to milliseconds, in memory.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds what was measured into the buckets; needed every few seconds, else measurements pile up in memory.
    pub(crate) fn run_upkeep(&self) {
        self.0.run_upkeep();
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics(…)")
    }
}

fn describe() {
    metrics::describe_counter!(HTTP_REQUESTS, Unit::Count, "Requests answered, by method, route and status");
    metrics::describe_histogram!(HTTP_SECONDS, Unit::Seconds, "Seconds until the head of the answer, by method and route");
    metrics::describe_gauge!(HTTP_IN_FLIGHT, Unit::Count, "Requests being worked on");
    metrics::describe_counter!(HTTP_CONNECTIONS_REFUSED, Unit::Count, "Connections closed because there were too many");
    metrics::describe_counter!(HTTP_PANICS, Unit::Count, "Panics caught in handlers; each is a bug");
    metrics::describe_counter!(TLS_RELOADS, Unit::Count, "Certificates read anew, by outcome");
    metrics::describe_gauge!(LIVE_CONNECTIONS, Unit::Count, "Live connections that are open");
    metrics::describe_counter!(LIVE_PUSHED, Unit::Count, "Messages pushed on live connections");
    metrics::describe_counter!(LIVE_RESYNCS, Unit::Count, "Live connections closed because the phone did not keep up");
    metrics::describe_histogram!(COMMIT_SECONDS, Unit::Seconds, "Seconds until a group was durable");
    metrics::describe_counter!(ACCEPTED, Unit::Count, "Changes accepted and durable");
    metrics::describe_counter!(QUARANTINE, Unit::Count, "Groups refused, by reason");
    metrics::describe_gauge!(STORE_BYTES, Unit::Bytes, "Bytes of the store on disk");
    metrics::describe_gauge!(STORE_OPEN_SECONDS, Unit::Seconds, "Seconds that opening the store took");
    metrics::describe_gauge!(BLOBS_FILES, Unit::Count, "Files in the store's folder blobs; always 0");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered_with_its_buckets() {
        let metrics = Metrics::install().unwrap();
        metrics::histogram!(COMMIT_SECONDS).record(0.0015);
        metrics::counter!(QUARANTINE, "reason" => "sync.clock_ahead").increment(1);
        let text = metrics.render();
        assert!(text.contains("doorstep_commit_seconds_bucket{le=\"0.002\"} 1"), "{text}");
        assert!(text.contains("doorstep_quarantine_total{reason=\"sync.clock_ahead\"} 1"), "{text}");
    }

    #[test]
    fn metrics_can_be_installed_by_several_servers_of_one_process() {
        assert!(Metrics::install().is_ok());
        assert!(Metrics::install().is_ok());
    }

    #[test]
    fn automerge_is_quiet_unless_it_is_asked() {
        assert_eq!(filter_of("info").unwrap().to_string(), "automerge=error,info");
        assert_eq!(filter_of("info,automerge=debug").unwrap().to_string(), "automerge=debug,info");
        assert_eq!(filter_of("").unwrap().to_string(), "automerge=error,error");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error() {
        assert!(check_filter("info,doorstep_server=debug").is_ok());
        assert_eq!(check_filter("info,=,=").unwrap_err().code(), "telemetry.filter");
    }
}
