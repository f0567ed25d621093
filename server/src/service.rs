//! The service: store, ledger and hub of one server process, opened from a folder.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorstep_core::model::{Clock, Entropy};
use doorstep_core::store::{Opening, SledOptions, SledStore, Store, StoreError};

use crate::accounts::{AccountError, Accounts};
use crate::api::Live;
use crate::api::admin::{Guard, Token};
use crate::audit::{AUDIT_FOLDER, Audit, AuditError};
use crate::erasures::{ERASURES_FILE, Erasures};
use crate::http::{App, Readiness, ServeError, serve};
use crate::hub::Hub;
use crate::ledger::{KeyedLedger, LedgerError};
use crate::restore::refuse_leftovers;
use crate::settings::{KeepDays, Settings};
use crate::system::{SystemClock, SystemEntropy};
use crate::telemetry::{self, Metrics};

/// The file in the data folder that holds the operator's token.
pub const TOKEN_FILE: &str = "admin.token";
/// The folder of the store in the data folder.
pub(crate) const STORE_FOLDER: &str = "store";

/// With less room than this on the disk the server is read-only, in bytes: sled cleans up in it, and an operator has time to notice.
const FLOOR_BYTES: u64 = 64 << 20;

/// Opens the store of a server, and says in the log how far it is when it must be built anew.
pub(crate) fn open_store(folder: &Path, settings: &Settings) -> Result<SledStore, StoreError> {
    let options = SledOptions {
        cache_bytes: u64::from(settings.store_cache_megabytes) << 20,
        checkpoint_bytes: u64::from(settings.checkpoint_kilobytes) << 10,
        keep: Duration::from_secs(u64::from(settings.journal_hours) * 3_600),
        floor_bytes: FLOOR_BYTES,
    };
    SledStore::open_with(folder, options, &mut |done| tracing::info!(rows = done.rows, "building the store anew from its journal"))
}

/// The hub over a store.
///
/// # Errors
/// When the store fails or its roots are damaged.
pub(crate) fn hub_over(store: Arc<SledStore>, settings: &Settings) -> Result<Hub, LedgerError> {
    let ledger = Arc::new(KeyedLedger::open(store, Box::new(SystemEntropy))?);
    let entropy = Arc::new(Mutex::new(SystemEntropy));
    let hub = Hub::new(ledger, Arc::new(SystemClock), entropy, u64::from(settings.cache_megabytes) << 20);
    Ok(hub.with_lease_hours(settings.lease_hours))
}

/// The audit log of a data folder.
pub(crate) fn open_audit(store: Arc<SledStore>, settings: &Settings, clock: Arc<dyn Clock>) -> Result<Audit, ServiceError> {
    let folder = settings.data.join(AUDIT_FOLDER);
    Audit::open(&folder, store, clock, settings.audit_months).map_err(|source| ServiceError::Audit { folder, source })
}

/// The accounts in a store.
pub(crate) fn accounts_over(store: Arc<SledStore>, clock: Arc<dyn Clock>) -> Accounts {
    Accounts::new(store, clock, Arc::new(Mutex::new(SystemEntropy)))
}

/// Why a service does not open.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The store does not open.
    #[error("the store in {} does not open: {source}{}", folder.display(), advice(source))]
    Store {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The keys above those of the records cannot be read.
    #[error("the keys of the store cannot be read: {source}")]
    Keys {
        /// Why.
        source: LedgerError,
    },
    /// What was erased before could not be erased again.
    #[error("what was erased before cannot be erased again: {source}")]
    Erasing {
        /// Why.
        source: crate::hub::HubError,
    },
    /// The restored ledgers did not take their new ids, so that nothing was put in its place.
    #[error("the ledgers of the backup did not take new ids: {source}")]
    Restore {
        /// Why.
        source: crate::hub::HubError,
    },
    /// The audit log does not open.
    #[error("the audit log in {} does not open: {source}", folder.display())]
    Audit {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: AuditError,
    },
    /// Sessions that a backup holds were not ended, so that nothing was put in its place.
    #[error("the sessions of the backup were not ended: {source}")]
    Sessions {
        /// Why.
        source: AccountError,
    },
    /// A backup is only set up again where there is no store.
    #[error("there is a store in {} already; restore into another data folder, or move it away", folder.display())]
    StoreExists {
        /// Where the store is.
        folder: PathBuf,
    },
    /// Another process is restoring into the same data folder.
    #[error("another restore into {} is under way", folder.display())]
    RestoreRunning {
        /// The data folder.
        folder: PathBuf,
    },
    /// A restore into the data folder was cut, or is under way, and there is no store beside it. Served like this, phones would find a new
    /// server.
    #[error("a restore into this data folder was not finished: run `doorstep restore` again, or delete {} to begin with an empty store", folder.display())]
    RestoreUnfinished {
        /// What is left of it.
        folder: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What can be done about a store that does not open, to be read behind the reason.
const fn advice(source: &StoreError) -> &'static str {
    match source {
        StoreError::Damaged { .. } => {
            "; leave this folder as it is, and set up the last backup in another data folder with `doorstep restore`: phones give back what it lacks"
        }
        _ => "",
    }
}

impl ServiceError {
    /// The code, a promise to scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store { source, .. } => source.code(),
            Self::Restore { source } => source.code(),
            Self::Keys { .. } => "service.keys",
            Self::Erasing { source } => source.code(),
            Self::Audit { source, .. } => source.code(),
            Self::Sessions { source } => source.code(),
            Self::StoreExists { .. } => "service.store_exists",
            Self::RestoreRunning { .. } => "service.restore_running",
            Self::RestoreUnfinished { .. } => "service.restore_unfinished",
            Self::File { .. } => "service.file",
        }
    }
}

/// A server's parts that are not sockets.
pub struct Service {
    /// The hub.
    pub hub: Arc<Hub>,
    /// Who may administer, and what they did.
    pub guard: Guard,
    /// The accounts, to be swept.
    accounts: Arc<Accounts>,
    /// The store below, for metrics.
    pub store: Arc<SledStore>,
}

impl Service {
    /// Opens the folder of the settings, making it if it is new. The first start writes the operator's token into it.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn open(settings: &Settings) -> Result<Self, ServiceError> {
        refuse_leftovers(&settings.data)?;
        std::fs::create_dir_all(&settings.data).map_err(|source| ServiceError::File { path: settings.data.clone(), source })?;
        let folder = settings.data.join(STORE_FOLDER);
        let began = Instant::now();
        let store = open_store(&folder, settings).map_err(|source| ServiceError::Store { folder, source })?;
        metrics::gauge!(telemetry::STORE_OPEN_SECONDS).set(began.elapsed().as_secs_f64());
        match store.opening() {
            Opening::New | Opening::Whole => {}
            found => tracing::warn!(?found, "the store was mended when it was opened"),
        }
        let store = Arc::new(store);
        let token = token(&settings.data)?;
        let path = settings.data.join(ERASURES_FILE);
        let erasures = Erasures::open(&path).map_err(|source| ServiceError::File { path, source })?;
        let hub = hub_over(Arc::clone(&store), settings).map_err(|source| ServiceError::Keys { source })?;
        let hub = Arc::new(hub.with_erasures(Arc::new(erasures)));
        match hub.erase_again().map_err(|source| ServiceError::Erasing { source })? {
            0 => {}
            again => tracing::warn!(again, "records were erased once more that the store held the keys of"),
        }
        Self::over(hub, store, token, settings, Arc::new(SystemClock))
    }

    /// A service over a hub and its store that are open already.
    ///
    /// # Errors
    /// When the audit log of the settings' data folder does not open.
    pub fn over(
        hub: Arc<Hub>,
        store: Arc<SledStore>,
        token: Token,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServiceError> {
        let audit = open_audit(Arc::clone(&store), settings, Arc::clone(&clock))?;
        let accounts = Arc::new(accounts_over(Arc::clone(&store), clock));
        let guard = Guard::new(token, Arc::clone(&accounts), Arc::new(audit));
        Ok(Self { hub, guard, accounts, store })
    }

    /// Serves phones and operators on bound listeners until `stop` is ready, then finishes what runs and returns.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn run(
        self,
        settings: &Settings,
        listener: TcpListener,
        metrics_listener: TcpListener,
        metrics: Metrics,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let readiness = Readiness::starting();
        let live = Live::new(settings);
        let hub = Arc::clone(&self.hub);
        let routes = crate::api::routes(self.hub, self.guard, Arc::clone(&self.store), live.clone());
        let app = App { routes, readiness: readiness.clone(), metrics };
        let stop = async {
            stop.await;
            live.stop();
        };
        let served = tokio::select! {
            served = serve(settings, listener, metrics_listener, app, stop) => served,
            () = measure(Arc::clone(&self.store), settings.data.join(STORE_FOLDER)) => Ok(()),
            () = watch(self.store, readiness) => Ok(()),
            () = sweep(self.accounts) => Ok(()),
            () = retire(hub, settings.keep_days.clone()) => Ok(()),
        };
        live.wait_until_closed(settings.shutdown_seconds.duration()).await;
        served
    }
}

/// How often the store is asked whether it takes commits.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Keeps `/readyz` true to the store, for ever: red while its disk is full or after a write failed.
async fn watch(store: Arc<SledStore>, readiness: Readiness) {
    let mut every = tokio::time::interval(WATCH_EVERY);
    loop {
        every.tick().await;
        match store.health() {
            Ok(()) => readiness.set_ready(),
            Err(error) => readiness.set_not_ready(error.code()),
        }
    }
}

/// How often sessions and proposals that have ended are removed. They count no more from the moment that they end.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Removes what has ended of accounts, for ever.
async fn sweep(accounts: Arc<Accounts>) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    loop {
        every.tick().await;
        let accounts = Arc::clone(&accounts);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || accounts.sweep()).await {
            tracing::warn!(%error, "sessions that have ended were not removed");
        }
    }
}

/// How often what is older than it may become is looked for.
const RETIRE_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// Erases what is older than it may become, for ever.
async fn retire(hub: Arc<Hub>, keep: KeepDays) {
    let mut every = tokio::time::interval(RETIRE_EVERY);
    loop {
        every.tick().await;
        let (hub, keep) = (Arc::clone(&hub), keep.clone());
        match tokio::task::spawn_blocking(move || hub.retire(keep.retention())).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(retired)) => tracing::info!(retired, "records whose time is over were erased"),
            Ok(Err(error)) => tracing::warn!(%error, "records whose time is over were not all erased"),
        }
    }
}

/// How often the store is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// Keeps the store's metrics fresh, for ever.
async fn measure(store: Arc<SledStore>, folder: PathBuf) {
    let mut every = tokio::time::interval(MEASURE_EVERY);
    loop {
        every.tick().await;
        let (store, blobs) = (Arc::clone(&store), folder.join("tree").join("blobs"));
        let measured = tokio::task::spawn_blocking(move || {
            let files = std::fs::read_dir(blobs).map_or(0, Iterator::count);
            (store.size_on_disk(), files)
        });
        if let Ok((size, files)) = measured.await {
            metrics::gauge!(telemetry::STORE_BYTES).set(size.unwrap_or(0) as f64);
            metrics::gauge!(telemetry::BLOBS_FILES).set(files as f64);
        }
    }
}

/// Reads the operator's token, or makes one that only the operator can read.
fn token(data: &Path) -> Result<Token, ServiceError> {
    let path = data.join(TOKEN_FILE);
    let failed = |source| ServiceError::File { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => return Ok(Token::new(&text)),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut random = [0; 32];
    SystemEntropy.fill(&mut random);
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(&path, &text).map_err(failed)?;
    Ok(Token::new(&text))
}

/// Writes a file that only its owner can read, wholly or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let draft = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}
