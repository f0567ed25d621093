//! A phone that records until it is killed: `recorder FOLDER [SERVER]`. With a server it syncs first, and again after every ten commands.
//!
//! It prints what was recorded as soon as the command has returned, and nothing before: what is on its output was promised. See
//! `doorstep_tests::recorder` for its lines. Its store makes checkpoints often, so that a kill meets them too.

use std::io::Write as _;
use std::path::Path;

use doorstep_core::field::HttpTransport;
use doorstep_core::model::{CaseDetails, Category};
use doorstep_core::store::SledOptions;
use doorstep_server::system::SystemClock;
use doorstep_tests::phone::Phone;
use doorstep_tests::recorder::Promise;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let folder = words.first().expect("the folder of an enrolled phone");
    let transport = words.get(1).map(|server| HttpTransport::new(server).unwrap());
    let phone = Phone::open_with(Path::new(folder), SystemClock, SledOptions { checkpoint_bytes: 32 << 10, ..SledOptions::default() });
    promise(Promise::Open);
    for (number, door) in phone.households().iter().cycle().enumerate() {
        if number % 10 == 0
            && let Some(transport) = &transport
            && phone.engine.sync(transport).is_ok()
        {
            promise(Promise::Synced);
        }
        promise(match number % 5 {
            4 => {
                let details = CaseDetails::issue(Category::Facilities, format!("路灯不亮 {number}"));
                Promise::Case(phone.engine.report_issue(None, details).unwrap())
            }
            _ => Promise::Visit(*door, phone.visit(*door, &format!("第{number}次走访"))),
        });
    }
}

fn promise(promise: Promise) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{promise}").unwrap();
    out.flush().unwrap();
}
