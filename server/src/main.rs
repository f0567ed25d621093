//! The command line `doorstep`: see `doorstep --help`, and the module `cli` of the library for what stands behind it.

use std::process::ExitCode;

/// A change makes and drops thousands of small pieces, on many threads.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    doorstep_server::cli::run()
}
