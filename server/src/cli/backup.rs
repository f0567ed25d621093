//! `doorstep backup`, `restore` and `check`: a copy of everything, made while the server runs, set up again, and looked through.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use doorstep_core::store::{SledStore, Verified};
use serde_json::Value;

use crate::audit::AUDIT_FOLDER;
use crate::cli::admin::{Client, ServerArgs};
use crate::erasures::ERASURES_FILE;
use crate::settings::{LogFormat, Settings};
use crate::telemetry::start_log;

/// What `doorstep backup` takes.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The folder for the backup, on the server's machine: new or empty
    pub folder: PathBuf,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// What `doorstep restore` takes.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The folder with the backup
    pub folder: PathBuf,
    /// The data folder of the server that is to be set up again: one without a store
    #[arg(long, value_name = "FOLDER")]
    pub data: PathBuf,
    /// The file `erasures` of the data folder of before, where it is not in the new one: what was erased since the backup is erased again
    #[arg(long, value_name = "FILE")]
    pub erasures: Option<PathBuf>,
}

/// What `doorstep check` takes.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// A backup, or the data folder of a server
    pub folder: PathBuf,
}

/// Has the running server make a backup.
///
/// # Errors
/// When the server is not reached or refuses.
pub fn backup(args: BackupArgs) -> anyhow::Result<()> {
    let folder = std::path::absolute(&args.folder).context("the folder cannot be named")?;
    let made = Client::of(&args.server)?.back_up(&folder)?;
    let number = |key: &str| made.get(key).and_then(Value::as_u64).unwrap_or_default();
    println!("备份完成并已核对。 Backed up and checked: {} rows, {} batches behind them.", number("rows"), number("batches"));
    Ok(())
}

/// Sets a server up again from a backup. Every street's ledger begins another life, so that phones give back what it lost and read anew.
///
/// # Errors
/// When the backup is not whole, or the data folder has a store.
pub fn restore(args: RestoreArgs) -> anyhow::Result<()> {
    start_log("info", LogFormat::Text)?;
    let settings = Settings { data: args.data, ..Settings::default() };
    let restored = crate::restore::restore(&args.folder, args.erasures.as_deref(), &settings)?;
    if !settings.data.join(ERASURES_FILE).exists() {
        println!("没有删除清单:备份之后删除的个人资料会重新出现。 There is no list of erasures: people erased since the backup are back.");
    }
    println!("恢复完成。 Restored: {}.", said(&restored));
    println!(
        "手机下次联系时会归还服务器丢失的记录,并送上尚未送达的。 Phones give back what the server lost at their next contact, and send what waits."
    );
    println!("还有哪些手机没有归还 which have still to: doorstep admin reconciliation list");
    Ok(())
}

/// Reads everything in a backup or a data folder and says whether it is whole.
///
/// # Errors
/// When it is not, or there is nothing.
pub fn check(args: CheckArgs) -> anyhow::Result<()> {
    let folder = store_in(&args.folder);
    let found = SledStore::verify(&folder).with_context(|| format!("{} is not whole", args.folder.display()))?;
    ensure!(found.last.sequence > 0 || found.rows > 0, "there is nothing in {}", args.folder.display());
    println!("完整。 Whole: {}.", said(&found));
    check_log(&args.folder)
}

/// Looks through the audit log beside the store, if there is one. Without the store's mark: a server may be running.
fn check_log(folder: &Path) -> anyhow::Result<()> {
    let log = folder.join(AUDIT_FOLDER);
    if !log.is_dir() {
        return Ok(());
    }
    let found = crate::audit::verify(&log, None)?;
    if let Some(broken) = found.broken.first() {
        bail!("the audit log is not whole: {} in line {} of {}", broken.what, broken.line, broken.file);
    }
    println!("审计日志完整。 The audit log is whole: {} records.", found.records);
    Ok(())
}

fn store_in(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    if store.is_dir() { store } else { folder.to_owned() }
}

fn said(found: &Verified) -> String {
    format!("{} rows in the checkpoint, {} batches behind it, up to batch {}", found.rows, found.batches, found.last.sequence)
}
