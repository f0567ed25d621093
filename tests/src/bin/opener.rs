//! What an app does until its first screen stands: `opener FOLDER [KEY]`. Opens the phone's store and reads the lists of households, open cases and
//! organisations, in a process that has done nothing else. Prints the microseconds until the store was open and until the lists were read, and the
//! kilobytes that it took beyond what an empty process has.

use std::path::Path;
use std::time::Instant;

use doorstep_core::store::StoreKey;
use doorstep_tests::phone::Phone;

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn main() {
    let folder = std::env::args().nth(1).expect("the folder of a phone");
    let (before, begin) = (resident_kilobytes(), Instant::now());
    let phone = match std::env::args().nth(2) {
        Some(key) => Phone::open_sealed(Path::new(&folder), &StoreKey::try_from(key.as_bytes()).unwrap()),
        None => Phone::open_now(Path::new(&folder)),
    };
    let opened = begin.elapsed();
    let rows = (phone.engine.households(None).unwrap(), phone.engine.open_cases(None).unwrap(), phone.engine.organisations(None).unwrap());
    let read = begin.elapsed();
    let taken = resident_kilobytes() - before;
    println!("{} {} {taken} {}", opened.as_micros(), read.as_micros(), rows.0.len() + rows.1.len() + rows.2.len());
}
