//! Settings: how one server is told where to listen, where its data lies and what its limits are.
//!
//! Four layers, each over the one before: the built-in defaults, a TOML file (`--config`), the environment (`DOORSTEP_LISTEN=…`), the
//! flags of the command line. A name that is no setting is an error in every layer, so that a slip of the pen never means "default".
//! [`Loaded`] remembers where each value came from; `doorstep config check` prints that.
//!
//! No setting holds a secret. What is secret lies in a file that only the operator can read, and a setting at most names that file; so
//! `Debug`, logs and `config check` may show every value. A test keeps watch over the names.
//!
//! [`Settings`], the flags and their help texts come from one table at the end of this file. `doorstep.example.toml` explains the same
//! settings to the operator; a test holds it against the defaults. Relations between settings are checked in [`Settings::check`].

mod load;
mod value;

pub use load::{Loaded, Origin, SettingsError};
pub use value::{KeepDays, LogFormat, Networks, OptionalFile, Seconds};

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::hub::LEASE_HOURS;

/// The least memory for loaded documents: some hundred households, below which every change would load its document anew.
const LEAST_CACHE_MEGABYTES: u32 = 16;

/// For how many months the audit log is kept at the least: the Cybersecurity Law (网络安全法) asks for six.
const LEAST_AUDIT_MONTHS: u32 = 6;

/// The least that a request body may have: one push of a phone is at most 256 kB (see the sync protocol).
const LEAST_BODY_KILOBYTES: u32 = 512;

impl Settings {
    /// Checks what one value alone cannot say: numbers that are too small to run with, and limits that contradict each other.
    ///
    /// # Errors
    /// The first setting that breaks a rule, as `(name, rule)`.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let least = |name, value: u32, least: u32| match value >= least {
            true => Ok(()),
            false => Err((name, format!("is less than {least}"))),
        };
        least("cache_megabytes", self.cache_megabytes, LEAST_CACHE_MEGABYTES)?;
        least("store_cache_megabytes", self.store_cache_megabytes, 1)?;
        least("checkpoint_kilobytes", self.checkpoint_kilobytes, 1)?;
        least("max_connections", self.max_connections, 1)?;
        least("max_live", self.max_live, 1)?;
        least("max_requests", self.max_requests, 1)?;
        least("body_kilobytes", self.body_kilobytes, LEAST_BODY_KILOBYTES)?;
        least("lease_hours", self.lease_hours, 1)?;
        least("audit_months", self.audit_months, LEAST_AUDIT_MONTHS)?;
        if self.tls_certificate_file.path().is_some() != self.tls_key_file.path().is_some() {
            return Err(("tls_key_file", "stands alone: name both tls_certificate_file and tls_key_file, or neither".to_owned()));
        }
        if self.handler_seconds <= self.body_seconds {
            return Err(("handler_seconds", "is not longer than body_seconds, which it includes".to_owned()));
        }
        if self.live_silence_seconds <= self.live_ping_seconds {
            return Err(("live_silence_seconds", "is not longer than live_ping_seconds: every phone would seem to be gone".to_owned()));
        }
        if self.listen == self.metrics_listen && self.listen.port() != 0 {
            return Err(("metrics_listen", "is the same address as listen".to_owned()));
        }
        Ok(())
    }

    /// The largest request body, in bytes.
    pub const fn body_bytes(&self) -> usize {
        self.body_kilobytes as usize * 1024
    }
}

/// Defines [`Settings`] with its defaults, [`Flags`] with the same names as options, and the list of names, from one table.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $value:literal;)+) => {
        /// What a server is told at its start. See the module page for where the values come from.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Settings {
            /// The names of all settings, in the order of the table.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];
        }

        /// The settings as flags of the command line; what is absent is left to environment, file and defaults.
        #[derive(Debug, Clone, Default, clap::Args, serde::Serialize)]
        #[command(next_help_heading = "Settings (also in the file, and as DOORSTEP_… in the environment)")]
        pub struct Flags {
            $(
                $(#[doc = $doc])+
                #[arg(long, value_name = $value)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )+
        }
    };
}

settings! {
    /// Where phones and the console connect [default: 127.0.0.1:7300].
    /// An address that others can reach needs TLS: by the two files below, or by a proxy in front.
    listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 7300)), "ADDRESS";

    /// Where /metrics is read; keep it away from the public network [default: 127.0.0.1:7301]
    metrics_listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 7301)), "ADDRESS";

    /// The folder of the ledger and of the operator's token; made when it is missing [default: ./doorstep-data]
    data: PathBuf = PathBuf::from("./doorstep-data"), "FOLDER";

    /// The certificate chain of the server, as PEM; with it the server speaks HTTPS. Read again when it changes [default: none]
    tls_certificate_file: OptionalFile = OptionalFile::NONE, "FILE";

    /// The private key of the certificate, as PEM [default: none]
    tls_key_file: OptionalFile = OptionalFile::NONE, "FILE";

    /// Proxies in front of the server, by address or network; only theirs is the header X-Forwarded-For believed [default: none]
    trusted_proxies: Networks = Networks::none(), "ADDRESSES";

    /// For how many months the audit log is kept behind the present one [default: 12]
    audit_months: u32 = 12, "MONTHS";

    /// For how many hours a phone that does not reach the server may show what it holds; recording goes on, and any answer opens it again [default: 72]
    lease_hours: u32 = LEASE_HOURS, "HOURS";

    /// For how many days records are kept after a case was closed or another record removed, by kind: case=1095, party=365 [default: none].
    /// What is older is erased, here and on the phones; what is under a hold is not.
    keep_days: KeepDays = KeepDays::for_ever(), "KIND=DAYS,…";

    /// Memory for loaded documents, in megabytes; a loaded household takes 50 to 85 kB [default: 256]
    cache_megabytes: u32 = 256, "MB";

    /// Memory for the pages of the embedded store, in megabytes; the process takes up to three times as much for them [default: 64]
    store_cache_megabytes: u32 = 64, "MB";

    /// After how many kilobytes of journal a checkpoint is made, at least; fewer open sooner after damage, and write more [default: 65536]
    checkpoint_kilobytes: u32 = 65536, "KB";

    /// For how many hours checkpoints and journal are kept behind the checkpoint that replaced them, while there is room; 0 for none [default: 24]
    journal_hours: u32 = 24, "HOURS";

    /// What is logged: error, warn, info, debug, trace, or by module such as `info,doorstep_server=debug` [default: info]
    log: String = "info".to_owned(), "FILTER";

    /// How it is logged, on standard error: text for people, json for machines [default: text]
    log_format: LogFormat = LogFormat::Text, "FORMAT";

    /// Connections at one time, live ones included; further ones are closed at once [default: 6000].
    /// Stay under the number of files that the process may open.
    max_connections: u32 = 6000, "COUNT";

    /// Live connections of phones at one time; further ones are answered 503, and the phone syncs without [default: 5000].
    /// They count among max_connections as well.
    max_live: u32 = 5000, "COUNT";

    /// How often a phone on a live connection is pinged, in seconds; shorter than what proxies take for idle [default: 25]
    live_ping_seconds: Seconds = Seconds::whole(25), "SECONDS";

    /// After how long without a sign of life a live connection is closed, in seconds [default: 60]
    live_silence_seconds: Seconds = Seconds::whole(60), "SECONDS";

    /// Requests worked on at one time; further ones are answered 503 and tried again by the phone [default: 1000]
    max_requests: u32 = 1000, "COUNT";

    /// The largest request body, in kilobytes; some routes have limits of their own [default: 2048]
    body_kilobytes: u32 = 2048, "KB";

    /// How long a client may take for the head of a request, and how long a connection may stay idle, in seconds [default: 10]
    header_seconds: Seconds = Seconds::whole(10), "SECONDS";

    /// How long a client may take for a whole body, in seconds; 256 kB over a poor mobile network take 50 [default: 60]
    body_seconds: Seconds = Seconds::whole(60), "SECONDS";

    /// How long a request may take in all, its body included, in seconds [default: 90]
    handler_seconds: Seconds = Seconds::whole(90), "SECONDS";

    /// How long running requests may go on after a signal to stop, in seconds [default: 10]
    shutdown_seconds: Seconds = Seconds::whole(10), "SECONDS";
}

#[cfg(test)]
mod tests;
