//! Mail on a shared phone: one person packs what waits, whoever has a signal next carries it.
//!
//! A mail is a file in a folder that the sessions of the phone share. It is encrypted to the server, so the folder needs no lock; it is removed once the
//! server has taken it, and packed anew by its author in any case until their own sync has brought the verdicts.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use doorstep_core::field::{FieldError, MAIL_PATH, Transport as _, mail_taken};
use doorstep_core::sync::client::SyncFailure;
use serde::Serialize;

use super::page::{Page, Show};
use super::{Phone, PhoneError, sync};
use crate::cli::text::{Lang, Text};

/// How the file of a mail ends.
const SUFFIX: &str = "mail";

/// What `mail` can do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// 装袋 Pack what waits here into files that anybody's session on this phone may carry
    Pack {
        /// The folder that the sessions share
        folder: PathBuf,
    },
    /// 代送 Carry what others packed to the server
    Carry {
        /// The folder that the sessions share
        folder: PathBuf,
    },
}

#[derive(Debug, Serialize)]
struct Packed {
    packed: usize,
}

impl Show for Packed {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", lang.fill(Text::MailPacked, &[("n", &self.packed)]))
    }
}

#[derive(Debug, Serialize)]
struct Carried {
    carried: usize,
    /// What the server does not take: it is left where it is, and its author sends it with their own sync.
    refused: usize,
}

impl Show for Carried {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", lang.fill(Text::MailCarried, &[("n", &self.carried), ("refused", &self.refused)]))
    }
}

pub(super) fn perform(phone: &Phone, command: Command, page: &mut Page<'_>) -> Result<(), PhoneError> {
    match command {
        Command::Pack { folder } => Ok(page.show(&Packed { packed: pack(phone, &folder)? })?),
        Command::Carry { folder } => Ok(page.show(&carry(phone, &folder)?)?),
    }
}

/// Replaces this session's mail in the folder by what waits now.
fn pack(phone: &Phone, folder: &Path) -> Result<usize, PhoneError> {
    let own = phone.engine.identity().ok_or(FieldError::NotEnrolled)?.device.to_string();
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| PhoneError::File { path, kind: error.kind() }
    };
    let mails = phone.engine.mail()?;
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let begins = format!("{own}-");
    for old in files(folder)?.into_iter().filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&begins))) {
        fs::remove_file(&old).map_err(failed(&old))?;
    }
    for (number, mail) in mails.iter().enumerate() {
        // Written aside and renamed, so that nobody carries half a mail.
        let path = folder.join(format!("{own}-{number:04}.{SUFFIX}"));
        let aside = path.with_extension("new");
        fs::write(&aside, mail).and_then(|()| fs::rename(&aside, &path)).map_err(failed(&path))?;
    }
    Ok(mails.len())
}

/// Carries every mail in the folder; stops where the server is not reached.
fn carry(phone: &Phone, folder: &Path) -> Result<Carried, PhoneError> {
    let server = phone.engine.identity().ok_or(FieldError::NotEnrolled)?.server;
    let transport = sync::transport(phone, &server)?;
    let mut carried = Carried { carried: 0, refused: 0 };
    for path in files(folder)? {
        let failed = |error: io::Error| PhoneError::File { path: path.clone(), kind: error.kind() };
        let mail = fs::read(&path).map_err(failed)?;
        let answer = transport.post(MAIL_PATH, &mail).map_err(|fault| FieldError::from(SyncFailure::from(fault)))?;
        match mail_taken(answer) {
            Ok(()) => {
                fs::remove_file(&path).map_err(failed)?;
                carried.carried += 1;
            }
            Err(SyncFailure::Rejected { .. }) => carried.refused += 1,
            Err(failure) => return Err(FieldError::from(failure).into()),
        }
    }
    Ok(carried)
}

/// The mail in a folder, in the order of names: each author's pages in theirs.
fn files(folder: &Path) -> Result<Vec<PathBuf>, PhoneError> {
    let failed = |error: io::Error| PhoneError::File { path: folder.to_owned(), kind: error.kind() };
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == SUFFIX));
    paths.sort();
    Ok(paths)
}
