//! Backups while serving: into a folder of the server's machine that the operator names.
//!
//! A backup is a [job](super::job). One at a time; only the last one is kept for looking at.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use doorstep_core::store::{SledStore, Verified};
use serde::{Deserialize, Serialize};

use super::guard::{Asking, Guard};
use super::job::{self, Job};
use crate::api::Api;
use crate::audit::{AUDIT_FOLDER, Audit, What};
use crate::http::Json;
use crate::hub::{Hub, HubError};
use crate::problem::Problem;

/// After how many seconds it is worth asking again whether another backup has ended.
const TURN_SECONDS: u32 = 5;

/// The last backup of this process.
#[derive(Default)]
pub struct Backups(Mutex<Option<Job<Backup>>>);

/// A backup.
#[derive(Debug, Clone, Serialize)]
pub struct Backup {
    folder: PathBuf,
    rows: u64,
    batches: u64,
    last_batch: u64,
}

impl Backups {
    /// Begins a backup, unless one is under way.
    fn begin(&self, folder: &Path) -> Option<Job<Backup>> {
        let mut last = self.lock();
        if last.as_ref().is_some_and(Job::is_running) {
            return None;
        }
        let backup = Backup { folder: folder.to_owned(), rows: 0, batches: 0, last_batch: 0 };
        Some(last.insert(Job::begun(backup)).clone())
    }

    fn end(&self, how: Result<Verified, &'static str>) {
        let mut last = self.lock();
        let Some(job) = last.as_mut() else { return };
        if let Ok(made) = &how {
            (job.of.rows, job.of.batches, job.of.last_batch) = (made.rows, made.batches, made.last.sequence);
        }
        job.end(how.map(drop));
    }

    fn last(&self) -> Option<Job<Backup>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Job<Backup>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    folder: PathBuf,
}

/// `202` when the backup has begun; `GET` says how it ends.
pub async fn start(
    State(api): State<Api>,
    State(store): State<Arc<SledStore>>,
    State(backups): State<Arc<Backups>>,
    State(guard): State<Guard>,
    asking: Asking,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let folder = wanted.folder;
    let begun = backups.begin(&folder).ok_or_else(|| {
        Problem::new(StatusCode::CONFLICT, "admin.backup_running", "Another backup is under way").retry_after(TURN_SECONDS)
    })?;
    if let Err(problem) = make_folder(&folder) {
        backups.end(Err("admin.backup_folder"));
        return Err(problem);
    }
    if let Err(problem) = guard.note(asking.did(What::BackupBegun)).await {
        backups.end(Err(problem.code()));
        return Err(problem);
    }
    let (hub, log) = (Arc::clone(&api.hub), guard.log());
    job::run(move || make(&hub, &store, &log, &folder), move |how| backups.end(how));
    Ok((StatusCode::ACCEPTED, Json(begun)).into_response())
}

/// The last backup since the server started.
pub async fn progress(State(backups): State<Arc<Backups>>) -> Result<Json<Job<Backup>>, Problem> {
    backups.last().map(Json).ok_or_else(|| HubError::NotFound { what: "backup since the server started" }.into())
}

/// Makes a backup, which is on the disk, read again and found whole when this returns; only then are phones told that they may let go what is in it.
fn make(hub: &Hub, store: &SledStore, log: &Audit, folder: &Path) -> Result<Verified, &'static str> {
    let positions = hub.positions().map_err(|error| failed(&error, error.code()))?;
    let made = store.backup(folder).map_err(|error| failed(&error, error.code()))?;
    // Behind the store, so that the log has all that the store's mark of it tells.
    log.copy_to(&folder.join(AUDIT_FOLDER)).map_err(|error| failed(&error, error.code()))?;
    hub.note_backup(&positions).map_err(|error| failed(&error, error.code()))?;
    Ok(made)
}

fn failed(error: &dyn std::fmt::Display, code: &'static str) -> &'static str {
    tracing::error!(%error, "a backup failed");
    code
}

/// Makes the folder, which must not hold anything: two backups in one would be none.
fn make_folder(folder: &Path) -> Result<(), Problem> {
    let bad = |rule: &str| Problem::bad_fields().fault("/folder", rule.to_owned());
    if !folder.is_absolute() {
        return Err(bad("is not an absolute path"));
    }
    std::fs::create_dir_all(folder).map_err(|error| bad(&format!("cannot be made: {}", error.kind())))?;
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(bad("is not empty")),
        Err(error) => Err(bad(&format!("cannot be read: {}", error.kind()))),
    }
}
