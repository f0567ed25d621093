//! The command line `doorstep`: see `doorstep --help`, and the module `cli` of the library for what stands behind it.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorstep_server::cli::run()
}
