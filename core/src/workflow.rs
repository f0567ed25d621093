//! The workflow of cases: a total function that moves a case on by one event, and the fold of its events.
//!
//! The same code runs on the phone, so an honest phone is seldom refused, and on the server, which decides. The order of the fold is that
//! of the server's receipts: what was accepted never reorders, and what is not accepted yet comes last by hybrid time. An event that no
//! longer applies when it arrives stays visible as superseded. So a late phone or a wrong clock never rewrites a decided case.

mod case;

pub use case::{CaseView, Effect, Standing, Step, Superseded, TimelineEntry, advance, fold};
