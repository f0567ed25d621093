//! The engine's own HTTPS client, for phones and tools that bring none.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::field::transport::{CONTENT_TYPE, Transport, TransportAnswer, TransportFault};
use crate::model::Invalid;
use crate::sync::MOST_FRAME_BYTES;

/// How long the whole exchange may take.
const WHOLE: Duration = Duration::from_secs(25);
/// How long connecting may take, TLS included.
const CONNECT: Duration = Duration::from_secs(8);
/// How long the line may stay silent: before the answer begins, and between two pieces of it. After eight seconds a worker has walked on. A
/// large answer on a slow line may take longer than that in all, as long as it keeps coming.
const SILENCE: Duration = Duration::from_secs(8);

/// A client of one server, over HTTP/1.1 and rustls with the web's root certificates.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    agent: ureq::Agent,
    server: String,
}

impl HttpTransport {
    /// A client of the server at `server`: `https://doorstep.example.gov.cn`, or `http://…` for a trial on one machine.
    ///
    /// # Errors
    /// When `server` is no address of that kind.
    pub fn new(server: &str) -> Result<Self, Invalid> {
        Self::with_silence(server, SILENCE)
    }

    /// The same with another patience, for tests and very bad lines.
    ///
    /// # Errors
    /// When `server` is no address of that kind.
    pub fn with_silence(server: &str, silence: Duration) -> Result<Self, Invalid> {
        Self::make(server, silence, RootCerts::WebPki)
    }

    /// The same that trusts the certificates in `authority` (PEM) and no others: for a district with an authority of its own.
    ///
    /// # Errors
    /// When `server` is no address of that kind, or `authority` holds no certificate.
    pub fn with_authority(server: &str, authority: &[u8]) -> Result<Self, Invalid> {
        let roots: Vec<_> = authorities(authority)?.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        Self::make(server, SILENCE, RootCerts::new_with_certs(&roots))
    }

    fn make(server: &str, silence: Duration, roots: RootCerts) -> Result<Self, Invalid> {
        let server = server.trim_end_matches('/').to_owned();
        let known = server.starts_with("https://") || server.starts_with("http://");
        if !known || server.parse::<ureq::http::Uri>().is_err() {
            return Err(Invalid::new("server", "is not an address such as https://doorstep.example.cn"));
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(WHOLE))
            .timeout_connect(Some(CONNECT.min(silence * 2)))
            .timeout_recv_response(Some(silence))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .into();
        Ok(Self { agent, server })
    }
}

/// The certificates of a PEM file.
///
/// # Errors
/// When it holds none.
pub(super) fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| Invalid::new("ca", "holds no certificate as PEM"))
}

impl Transport for HttpTransport {
    fn post(&self, path: &str, body: &[u8]) -> Result<TransportAnswer, TransportFault> {
        let url = format!("{}{path}", self.server);
        let mut response = self.agent.post(&url).header("content-type", CONTENT_TYPE).send(body).map_err(fault)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let content_type = header("content-type").unwrap_or_default();
        let code = header("doorstep-code");
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MOST_FRAME_BYTES as u64 + 1).read_to_vec().map_err(fault)?;
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(TransportAnswer { status, content_type, code, body })
    }
}

fn fault(error: ureq::Error) -> TransportFault {
    match error {
        ureq::Error::Timeout(_) => TransportFault::TimedOut,
        ureq::Error::BodyExceedsLimit(_) => TransportFault::TooLong,
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => TransportFault::TimedOut,
        _ => TransportFault::Unreachable,
    }
}
