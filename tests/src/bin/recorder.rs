//! A phone that records one visit after the other until it is killed: `recorder FOLDER`.
//!
//! It prints a visit's door and id as soon as the command has returned, and nothing before: what is on its output was promised.

use std::io::Write;
use std::path::Path;

use doorstep_tests::phone::Phone;

fn main() {
    let folder = std::env::args().nth(1).expect("the folder of an enrolled phone");
    let phone = Phone::open_now(Path::new(&folder));
    let doors = phone.households();
    let mut out = std::io::stdout().lock();
    for (number, door) in doors.iter().cycle().enumerate() {
        let visit = phone.visit(*door, &format!("第{number}次走访"));
        writeln!(out, "{door} {visit}").unwrap();
        out.flush().unwrap();
    }
}
