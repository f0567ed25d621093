//! Setting a server up again from a backup.
//!
//! Promise: what is served holds the whole backup, under other ids of its ledgers, or there is nothing to serve. Phones tell by the id that
//! the server has begun another life; one that was served under the id of before would never be given back what it lost.
//!
//! How it is kept: everything is done in a folder aside, `restoring`: the backup is copied and checked, the tree is built, the ledgers take new
//! ids, the store is closed. Only then is it renamed into its place, in one step. What a cut left in `restoring` is never served, and a data
//! folder with nothing else in it is not taken for a new one ([`refuse_leftovers`]); the next try removes it and begins again.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;

use doorstep_core::store::{SledStore, Verified};

use crate::audit::{self, AUDIT_FOLDER, Entry, What, Who};
use crate::erasures::{ERASURES_FILE, Erasures};
use crate::service::{STORE_FOLDER, ServiceError, accounts_over, hub_over, open_audit, open_store};
use crate::settings::Settings;
use crate::system::SystemClock;

/// The folder in the data folder in which a store is set up before it is served.
const RESTORING: &str = "restoring";

/// Puts a backup into the data folder of a server that is to be set up again, with another id for every street's ledger. Says what it held.
/// Costs a copy of the backup and the building of a tree.
///
/// # Errors
/// See [`ServiceError`]. Nothing is served of what was begun then, and it may be tried again.
///
/// `erasures` is the list of what was erased, from the data folder of before: without it what was erased since the backup comes back.
pub fn restore(backup: &Path, erasures: Option<&Path>, settings: &Settings) -> Result<Verified, ServiceError> {
    let data = &settings.data;
    let (aside, place) = (data.join(RESTORING), data.join(STORE_FOLDER));
    fs::create_dir_all(data).map_err(|source| ServiceError::File { path: data.clone(), source })?;
    let _turn = take_turn(data)?;
    if SledStore::is_in(&place) {
        return Err(ServiceError::StoreExists { folder: place });
    }
    let failed = |source| ServiceError::File { path: aside.clone(), source };
    if aside.exists() {
        tracing::info!("removing what is left of a restore that was cut");
        fs::remove_dir_all(&aside).map_err(failed)?;
    }
    let restored = SledStore::restore(backup, &aside).map_err(|source| ServiceError::Store { folder: backup.to_owned(), source })?;
    bring_audit_log(backup, data)?;
    if let Some(list) = erasures {
        bring_erasures(list, data)?;
    }
    renew(&aside, settings)?;
    put_in_place(data, &aside, &place).map_err(failed)?;
    Ok(restored)
}

/// Opens what was copied, which builds its tree, gives every ledger a new id, ends the sessions, notes the restore in the audit log, and
/// closes it.
fn renew(aside: &Path, settings: &Settings) -> Result<(), ServiceError> {
    let store = open_store(aside, settings).map_err(|source| ServiceError::Store { folder: aside.to_owned(), source })?;
    let store = Arc::new(store);
    let hub = hub_over(Arc::clone(&store), settings).map_err(|source| ServiceError::Keys { source })?;
    hub.renew_ledgers().map_err(|source| ServiceError::Restore { source })?;
    // Sessions that were ended since the backup must not come back.
    let accounts = accounts_over(Arc::clone(&store), Arc::new(SystemClock));
    accounts.end_all_sessions().map_err(|source| ServiceError::Sessions { source })?;
    // How long files are kept is the settings' of the server, which a restore does not read: it lets none go.
    let keeping = Settings { audit_months: u32::MAX, ..settings.clone() };
    let audit = open_audit(store, &keeping, Arc::new(SystemClock))?;
    let noted = audit.note(Entry::by(Who::Operator, What::Restored));
    noted.map(drop).map_err(|source| ServiceError::Audit { folder: settings.data.join(AUDIT_FOLDER), source })
}

/// Puts the audit log of the backup into its place, unless one is there: that one is of the same server, and goes further.
fn bring_audit_log(backup: &Path, data: &Path) -> Result<(), ServiceError> {
    let (from, to) = (backup.join(AUDIT_FOLDER), data.join(AUDIT_FOLDER));
    if to.exists() || !from.is_dir() {
        return Ok(());
    }
    // Renamed when it is whole, so that a restore that was cut leaves no half of it.
    let draft = data.join("audit.restoring");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(|source| ServiceError::File { path: draft.clone(), source })?;
    }
    audit::copy(&from, &draft).map_err(|source| ServiceError::Audit { folder: draft.clone(), source })?;
    fs::rename(&draft, &to).map_err(|source| ServiceError::File { path: to, source })
}

/// Puts the list of erasures into its place, whole: the server erases again at its start what stands in it. One that is there goes further.
fn bring_erasures(list: &Path, data: &Path) -> Result<(), ServiceError> {
    let (place, draft) = (data.join(ERASURES_FILE), data.join("erasures.restoring"));
    if place.exists() {
        return Ok(());
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ServiceError::File { path, source }
    };
    Erasures::open(list).map_err(failed(list))?;
    fs::copy(list, &draft).map_err(failed(&draft))?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(failed(&draft))?;
    fs::rename(&draft, &place).map_err(failed(&place))
}

fn put_in_place(data: &Path, aside: &Path, place: &Path) -> io::Result<()> {
    fs::rename(aside, place)?;
    let above = data.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    [data, above].into_iter().try_for_each(|folder| File::open(folder)?.sync_all())
}

/// Locks the data folder against another restore until what this gives is dropped.
fn take_turn(data: &Path) -> Result<File, ServiceError> {
    let failed = |source| ServiceError::File { path: data.to_owned(), source };
    let folder = File::open(data).map_err(failed)?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(ServiceError::RestoreRunning { folder: data.to_owned() }),
        // A file system without locks: the rename into place still lets only one of two restores through.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(folder),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Before a data folder is served: one in which a restore was cut holds no store yet, and must not be taken for a new one.
///
/// # Errors
/// [`ServiceError::RestoreUnfinished`] for such a folder.
pub fn refuse_leftovers(data: &Path) -> Result<(), ServiceError> {
    let aside = data.join(RESTORING);
    if !aside.exists() {
        return Ok(());
    }
    if !SledStore::is_in(&data.join(STORE_FOLDER)) {
        return Err(ServiceError::RestoreUnfinished { folder: aside });
    }
    tracing::warn!(folder = %aside.display(), "what is left of a restore lies beside the store; nothing needs it");
    Ok(())
}
