//! Backups while serving: into a folder of the server's machine that the operator names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use doorstep_core::store::{SledStore, StoreError, Verified};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Api;
use crate::http::Json;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    folder: PathBuf,
}

/// `200` once the backup is on the disk, read again and found whole.
pub async fn make(State(api): State<Api>, State(store): State<Arc<SledStore>>, Json(wanted): Json<Wanted>) -> Result<Json<Value>, Problem> {
    let positions = api.call(|hub| hub.positions()).await?;
    let made = tokio::task::spawn_blocking(move || {
        begin(&wanted.folder)?;
        store.backup(&wanted.folder).map_err(|error| problem_of(&error))
    });
    let made = made.await.map_err(|_| Problem::internal())??;
    // Only now: phones may let go what is in it.
    api.call(move |hub| hub.note_backup(&positions)).await?;
    Ok(Json(show(&made)))
}

/// Makes the folder, which must not hold anything: two backups in one would be none.
fn begin(folder: &Path) -> Result<(), Problem> {
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

fn show(made: &Verified) -> Value {
    json!({ "rows": made.rows, "batches": made.batches, "last_batch": made.last.sequence })
}

fn problem_of(error: &StoreError) -> Problem {
    tracing::error!(%error, "a backup failed");
    let status = if *error == StoreError::Full { StatusCode::INSUFFICIENT_STORAGE } else { StatusCode::SERVICE_UNAVAILABLE };
    Problem::new(status, error.code(), "The backup was not made").detail(format!("{error}."))
}
