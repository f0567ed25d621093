//! The command line: one file a subcommand, each with its `Args` and a `run` that takes them.
//!
//! A new subcommand is a file in `cli/`, an arm of [`Command`] and a line in [`run`]. Failures leave as one line on standard error and
//! exit code 1; a command line that cannot be read leaves with 2, as clap has it.

pub mod admin;
pub mod backup;
pub mod config;
pub mod demo;
pub mod phone;
pub mod serve;
pub use doorstep_core::text;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Doorstep: what a district runs so that its grid workers can serve residents at their doorstep with no signal.
#[derive(Debug, Parser)]
#[command(name = "doorstep", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server until Ctrl-C
    Serve(serve::Args),
    /// Do what an operator does: streets, people, codes, imports, lists
    Admin(admin::Args),
    /// Build a street with made-up people, let phones work in it, and serve it
    Demo(demo::Args),
    /// A phone in the terminal: record with or without a network, and sync
    Phone(phone::Args),
    /// Copy everything into a folder, while the server runs
    Backup(backup::BackupArgs),
    /// Set a server up again from a backup
    Restore(backup::RestoreArgs),
    /// Read a backup or a data folder from end to end and say whether it is whole
    Check(backup::CheckArgs),
    /// Print who may write and read what, by role and kind of document
    Policy,
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Args),
}

/// The settings of a command that starts a server or looks at what it would do.
#[derive(Debug, Default, clap::Args)]
pub struct SettingsArgs {
    /// A TOML file with settings; `doorstep.example.toml` explains them
    #[arg(long, value_name = "FILE", env = "DOORSTEP_CONFIG")]
    pub config: Option<PathBuf>,
    /// The settings as flags.
    #[command(flatten)]
    pub flags: crate::settings::Flags,
}

impl SettingsArgs {
    /// Reads the settings from all layers.
    ///
    /// # Errors
    /// The first fault, with the setting and its layer.
    pub fn read(&self) -> Result<crate::settings::Loaded, crate::settings::SettingsError> {
        crate::settings::Loaded::read(self.config.as_deref(), &self.flags)
    }
}

/// Reads the command line of the process and does what it says.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Admin(args) => admin::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Phone(args) => return phone::run(args),
        Command::Backup(args) => backup::backup(args),
        Command::Restore(args) => backup::restore(args),
        Command::Check(args) => backup::check(args),
        Command::Policy => {
            print!("{}", doorstep_core::policy::as_text());
            Ok(())
        }
        Command::Config(args) => config::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("doorstep: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_and_flag_is_explained() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            for sub in command.get_subcommands() {
                assert!(sub.get_about().is_some(), "{}", sub.get_name());
                walk(sub);
            }
        }
        walk(&Cli::command());
    }
}
