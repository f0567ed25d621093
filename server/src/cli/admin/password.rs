//! Passwords come from the terminal, a file or standard input; never from a flag, which everybody on the machine can read.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Where a password comes from.
#[derive(Debug, clap::Args)]
pub struct PasswordArgs {
    /// A file whose first line is the password, `-` for standard input; asked for at the terminal if left out
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// The password of an account that is there.
    pub fn read(&self) -> anyhow::Result<String> {
        match &self.password_file {
            Some(file) if file == Path::new("-") => line_of_input(),
            Some(file) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
                Ok(text.lines().next().unwrap_or_default().to_owned())
            }
            None if std::io::stdin().is_terminal() => rpassword::prompt_password("密码 password: ").context("the terminal cannot be read"),
            None => line_of_input(),
        }
    }

    /// A new password; typed twice at the terminal.
    pub fn choose(&self) -> anyhow::Result<String> {
        let password = self.read()?;
        if self.password_file.is_none() && std::io::stdin().is_terminal() {
            let again = rpassword::prompt_password("再次输入 again: ").context("the terminal cannot be read")?;
            ensure!(password == again, "the two passwords are not the same");
        }
        Ok(password)
    }
}

fn line_of_input() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("standard input cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
