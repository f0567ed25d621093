//! What shows who asks: the operator's token from its file, or the session of an account, kept in a file that only its user can read.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::ServerArgs;
use crate::service::write_private;

/// Where the operator's token lies when nobody says.
const TOKEN_FILE: &str = "./doorstep-data/admin.token";

/// A session, as it lies in its file. No `Debug`: it holds tokens.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// The server that it is of.
    pub server: String,
    /// The token for requests.
    pub access: String,
    /// The token for the next pair.
    pub refresh: String,
}

/// What is shown.
pub enum Credential {
    /// The operator's token.
    Token(String),
    /// A session, and the file that it lies in.
    Session(PathBuf, Session),
    /// Nothing: for a login.
    Nothing,
}

impl Credential {
    /// What the command line says, else the session for this server if there is one, else the token of the data folder here.
    pub fn of(args: &ServerArgs) -> anyhow::Result<Self> {
        if let Some(file) = &args.token_file {
            return token(file);
        }
        if let Some(file) = &args.session {
            let session =
                Session::read(file).with_context(|| format!("the session file {} cannot be read; log in first", file.display()))?;
            if session.server != args.server {
                bail!("the session in {} is of the server {}", file.display(), session.server);
            }
            return Ok(Self::Session(file.clone(), session));
        }
        let usual = usual_file().and_then(|file| Some((Session::read(&file).ok()?, file)));
        match usual.filter(|(session, _)| session.server == args.server) {
            Some((session, file)) => Ok(Self::Session(file, session)),
            None => token(Path::new(TOKEN_FILE)),
        }
    }

    /// The value of the header `authorization`.
    pub fn header(&self) -> String {
        match self {
            Self::Token(token) => format!("Bearer {token}"),
            Self::Session(_, session) => format!("Bearer {}", session.access),
            Self::Nothing => String::new(),
        }
    }
}

fn token(file: &Path) -> anyhow::Result<Credential> {
    let token = std::fs::read_to_string(file).with_context(|| {
        format!("the token file {} cannot be read; log in with `doorstep admin login`, or name the file with --token-file", file.display())
    })?;
    Ok(Credential::Token(token.trim().to_owned()))
}

/// The file of sessions when nobody says: in the user's folder for settings; none where the user has none.
fn usual_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let settings = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(settings.join("doorstep").join("session.json"))
}

/// The file that a login writes.
pub fn session_file(args: &ServerArgs) -> anyhow::Result<PathBuf> {
    args.session.clone().or_else(usual_file).context("there is no folder for the session; name a file with --session")
}

impl Session {
    fn read(file: &Path) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    }

    /// Writes the file anew; only its user can read it.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let failed = || format!("the session file {} cannot be written", file.display());
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(failed)?;
        }
        write_private(file, &serde_json::to_string(self)?).with_context(failed)
    }
}
