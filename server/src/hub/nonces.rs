//! Requests count once: the nonce of this process's life, and the greatest number that each device has used under it.
//!
//! In memory alone: what is forgotten with a restart is refused by the new nonce.

use std::collections::BTreeMap;
use std::sync::Mutex;

use doorstep_core::model::{DeviceId, Entropy};
use doorstep_core::sync::{Freshness, Nonce};

use super::lock;

pub(super) struct Nonces {
    nonce: Nonce,
    greatest: Mutex<BTreeMap<DeviceId, u64>>,
}

impl Nonces {
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        Self { nonce: Nonce::make(entropy), greatest: Mutex::default() }
    }

    /// The nonce for who asks for the first time.
    pub const fn nonce(&self) -> Nonce {
        self.nonce
    }

    /// Takes note of a request whose signature counts, or says what its device must send instead.
    pub fn check(&self, device: DeviceId, claimed: Option<Freshness>) -> Result<(), Freshness> {
        let mut greatest = lock(&self.greatest);
        let last = greatest.get(&device).copied().unwrap_or_default();
        greatest.insert(device, Freshness::check(claimed, self.nonce, last)?);
        Ok(())
    }
}
