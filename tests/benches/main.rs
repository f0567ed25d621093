//! The figures: how fast and how large Doorstep is on the machine at hand. They are measured and printed, never asserted.
//!
//! ```sh
//! tests/figures                     # all
//! tests/figures commit reconnect    # those subjects only
//! ```
//!
//! Every subject runs several rounds on fresh data and the table shows the least, the median and the greatest of them: on a shared machine the
//! spread says how far a figure can be trusted. Clients run on the same cores as the server, whatever they send was made and signed
//! before the clock starts.

mod acceptance;
mod bootstrap;
mod commit;
mod growth;
mod idle;
mod load;
mod opening;
mod reconnect;
mod table;
mod trust;

use table::Table;

/// A subject: its name on the command line, and what measures it.
type Subject = (&'static str, fn(&mut Table));

const SUBJECTS: [Subject; 8] = [
    ("commit", commit::measure),
    ("opening", opening::measure),
    ("acceptance", acceptance::measure),
    ("reconnect", reconnect::measure),
    ("bootstrap", bootstrap::measure),
    ("growth", growth::measure),
    ("idle", idle::measure),
    ("trust", trust::measure),
];

fn main() {
    // cargo adds flags of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let mut table = Table::default();
    for (name, measure) in SUBJECTS {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            eprintln!("measuring {name}");
            measure(&mut table);
        }
    }
    println!("{table}");
}
