//! The messages. Maps with integer keys, of which unknown ones are skipped; `PROTOCOL.md` says what each key means.
//!
//! A key is never given another meaning. A later version adds keys, which an older reader skips; an arm of an enum that a reader does not
//! know makes the whole message undecodable, never silently shorter, so a new arm is sent only to who speaks the version that brought it.

mod bootstrap;
mod enrol;
mod late;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use bootstrap::{Bootstrap, Progress, Resume, ResumeKey};
pub use enrol::{EnrolRequest, EnrolResponse};
pub use late::{Decision, InboxDigest, LateWork};
pub use request::{Group, Offer, Push, PushedChange, Reading, Relay, Request};
pub use response::{Entered, Entry, EntryChange, Part, RecordKind, Response, Verdict};
