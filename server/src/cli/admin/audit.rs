//! `doorstep admin audit verify --data`: the log of a stopped server or of a backup, without asking any server.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use doorstep_core::store::{SledStore, Store};

use crate::audit::{AUDIT_FOLDER, Mark, Verified, verify};
use crate::service::{STORE_FOLDER, open_store};
use crate::settings::Settings;

/// Reads the whole log in a data folder or a backup. The mark of its end lies in the store, which no server may have open; a backup has
/// none that can be read, so that there a missing end is not seen.
pub fn verify_folder(folder: &Path) -> anyhow::Result<Verified> {
    let log = folder.join(AUDIT_FOLDER);
    ensure!(log.is_dir(), "there is no audit log in {}", folder.display());
    let store = folder.join(STORE_FOLDER);
    let mark = if SledStore::is_in(&store) {
        let store: Arc<dyn Store> =
            Arc::new(open_store(&store, &Settings::default()).context("the store does not open; stop its server first")?);
        Some(Mark::read(&*store)?.unwrap_or_default())
    } else {
        None
    };
    Ok(verify(&log, mark)?)
}
