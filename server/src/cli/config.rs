//! `doorstep config`: looks at the settings without starting anything.

use crate::cli::SettingsArgs;
use crate::telemetry::check_filter;
use std::io::Write;

/// What `doorstep config` takes.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Check the settings and print each with its value and where that came from
    Check {
        /// The settings.
        #[command(flatten)]
        settings: SettingsArgs,
    },
}

/// Prints the settings, or fails with the first that is wrong.
///
/// # Errors
/// When a setting is unknown or breaks a rule.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args::Check { settings } = args;
    let loaded = settings.read()?;
    check_filter(&loaded.settings.log)?;
    let mut out = std::io::stdout().lock();
    for (name, value, origin) in loaded.origins() {
        writeln!(out, "{name:<22} {value:<24} {origin}")?;
    }
    Ok(())
}
