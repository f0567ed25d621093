//! TLS: certificate and key from files, used anew when they change.
//!
//! The files are looked at every few seconds: what renews certificates writes files, and tells nobody. A pair that cannot be read or does
//! not fit together leaves the one before in use; the log says so once for each change, and a metric counts it. New connections get the new
//! pair, open ones keep theirs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings::Settings;
use crate::telemetry::TLS_RELOADS;

/// How often the files are looked at. A certificate is renewed weeks before its end, so that a minute would do; seconds are no cost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why a pair cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{} holds no {what} as PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The two do not fit together, or are of a kind that is not spoken.
    #[error("certificate and key cannot be used: {0}")]
    Unfit(#[from] rustls::Error),
}

/// The pair of files, what was last read of them, and the configuration that connections take.
pub(super) struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    seen: Seen,
    config: RustlsConfig,
}

/// When the two files were last written, and how long they are.
type Seen = [Option<(SystemTime, u64)>; 2];

impl Pair {
    /// The pair of the settings; none where the server speaks plain HTTP. Reads two small files.
    ///
    /// # Errors
    /// When the pair cannot be used: a server that should speak TLS does not start without.
    pub fn of(settings: &Settings) -> Result<Option<Self>, TlsError> {
        let (Some(certificate), Some(key)) = (settings.tls_certificate_file.path(), settings.tls_key_file.path()) else { return Ok(None) };
        let seen = seen(certificate, key);
        let config = RustlsConfig::from_config(Arc::new(read(certificate, key)?));
        Ok(Some(Self { certificate: certificate.to_owned(), key: key.to_owned(), seen, config }))
    }

    /// What connections take, now and after each change.
    pub fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Looks at the files for ever.
    pub async fn keep_up(self) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        let mut pair = self;
        loop {
            every.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                pair.look();
                pair
            });
            pair = match looked.await {
                Ok(pair) => pair,
                // The runtime ends, or looking panicked, which the log has: the pair in use stays.
                Err(_) => std::future::pending().await,
            };
        }
    }

    /// Takes the files up if they changed.
    fn look(&mut self) {
        let now = seen(&self.certificate, &self.key);
        if now == self.seen {
            return;
        }
        self.seen = now;
        match read(&self.certificate, &self.key) {
            Ok(config) => {
                self.config.reload_from_config(Arc::new(config));
                tracing::info!("the certificate was renewed");
                metrics::counter!(TLS_RELOADS, "outcome" => "ok").increment(1);
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate is not used; the one before stays in use");
                metrics::counter!(TLS_RELOADS, "outcome" => "failed").increment(1);
            }
        }
    }
}

fn seen(certificate: &Path, key: &Path) -> Seen {
    [certificate, key].map(|path| {
        let about = fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let bytes = |path: &Path| fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source });
    let not_pem = |path: &Path, what| TlsError::NotPem { path: path.to_owned(), what };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<_, _>>()
        .ok()
        .filter(|chain: &Vec<_>| !chain.is_empty())
        .ok_or_else(|| not_pem(certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|_| not_pem(key, "private key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
