//! What the platform gives: the key of the store, the time, randomness.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use doorstep_core::model::{Clock as CoreClock, Entropy, Millis};

use crate::diagnostics::Log;
use crate::error::ForeignError;

/// Keeps the key of the store: Android's Keystore, the Keychain. One key for each folder.
#[uniffi::export(foreign)]
pub trait KeyProvider: Send + Sync {
    /// The 32 bytes of the key; made at random and kept when it is first asked for. Called once by each opening, on its thread.
    fn store_key(&self) -> Result<Vec<u8>, ForeignError>;
}

/// Tells the time: for tests, and for apps that know a better one than the system's.
#[uniffi::export(foreign)]
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970 in UTC. Called from any thread, some times a second.
    fn now_ms(&self) -> Result<i64, ForeignError>;
}

/// The system's time.
pub(crate) struct SystemClock;

impl CoreClock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The app's clock; the system's where that throws.
pub(crate) struct AppClock {
    pub clock: Arc<dyn Clock>,
    pub log: Arc<Log>,
}

impl CoreClock for AppClock {
    fn now(&self) -> Millis {
        match self.clock.now_ms() {
            Ok(now) => Millis(now),
            Err(error) => {
                self.log.trouble("clock", &error.to_string());
                SystemClock.now()
            }
        }
    }
}

/// The system's randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// A system without randomness cannot make an id or a key that nobody guesses, so the process ends then.
    fn fill(&mut self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
