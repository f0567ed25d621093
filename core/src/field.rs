//! The phone's engine: what the bindings expose and `doorstep phone` uses.
//!
//! Promise: a command that returned is on this phone's disk and will reach the server, or come back as a visible refusal; nothing is lost in
//! between. A command commits locally within milliseconds and never waits for a network; queries read summary rows, never all documents;
//! every listed record says whether it has arrived ([`SyncState`]).
//!
//! How it is kept: a document's *base* is what the server accepted. What this phone recorded since lies in the [outbox](self) as groups, each
//! with its command beside the changes that the command made. What a screen shows is base and outbox together. An answer of the server moves
//! groups from the outbox into the base; a refusal that needs no person makes the engine run the command again on the new base, any other
//! keeps the group among the refused, for its author to mend, resend or discard. A store that was restored, cloned or mended begins a new life
//! ([`LifeMark`]), and what was written under the old one twice is run again in the same way.
//!
//! A server that was set up again from a backup has lost what it acknowledged since. Before anything else the engine gives it back, its own work and
//! others' ([reconciliation](self)); what it recorded in documents that it does not hold any more it keeps until a backup of the server has it.
//!
//! What is personal in a document is sealed under the record's key (`keys`); screens see it in clear as far as this person may read, and else as
//! locked. The command in the outbox is in clear, under the seal of the store alone: so work that waits survives the loss of any key.
//!
//! Sending, retrying and backing off are decided by [`crate::sync::client::Session`]; a [`Transport`] carries the bytes. While an app is in
//! front, [`Engine::watch`] stays connected over a [`LiveTransport`] instead, and both sides hear of everything at once.

mod actions;
mod apply;
mod attachment;
#[cfg(feature = "seeded-bugs")]
mod bugs;
mod case;
mod command;
mod compose;
mod documents;
#[cfg(feature = "driver")]
mod drive;
mod due;
mod engine;
mod enrol;
mod error;
mod fork;
mod held;
mod household;
#[cfg(feature = "transport")]
mod http;
mod inbox;
mod invitation;
mod kept;
mod keys;
mod lease;
mod leaving;
mod life;
mod live;
mod mail;
mod mend;
mod notice;
mod organisation;
mod outbox;
mod part;
mod party;
mod place;
mod plan;
mod queries;
mod reconcile;
mod refused;
mod resident;
#[cfg(test)]
#[cfg(feature = "sled")]
mod sealed;
pub mod search;
mod status;
mod sync;
mod tables;
mod transport;
mod update;
#[cfg(test)]
mod vector;
mod visit;
mod waiting;

pub use attachment::FileMeasure;
#[cfg(feature = "seeded-bugs")]
pub use bugs::SeededBugs;
pub use case::{CaseDetail, ConflictValue, FieldConflict, TimelineLine};
pub use command::TagChange;
#[cfg(feature = "driver")]
pub use drive::{Driven, Patience};
pub use due::{DueDoor, DueRule};
pub use engine::Engine;
pub use enrol::Identity;
pub use error::FieldError;
#[cfg(feature = "transport")]
pub use http::HttpTransport;
pub use inbox::LateRecord;
pub use invitation::Invitation;
pub use life::{LifeMark, Mark, MarkFile, MemoryMark, NoMark};
#[cfg(feature = "transport")]
pub use live::WebSocketTransport;
pub use live::{Arrived, Bell, LiveConnection, LiveTransport, Waker, Watched, refused_upgrade};
pub use notice::{ChangeNotice, Subscription};
pub use queries::{Found, Listed};
pub use refused::RefusedRecord;
pub use status::{BootstrapStatus, Exchanged, Phase, SyncState, SyncStatus};
pub use sync::SyncReport;
pub use transport::{
    CONTENT_TYPE, ENROL_PATH, LIVE_PATH, MAIL_PATH, SYNC_PATH, Transport, TransportAnswer, TransportFault, frame_of, mail_taken,
};
pub use waiting::WaitingRecord;
