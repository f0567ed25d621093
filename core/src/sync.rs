//! The sync protocol, both sides, without a socket: messages, their bytes, signatures, and the state machines of phone and server.
//!
//! One round trip merges everything: the phone sends its cursors and its outbox, the server answers with verdicts and with what changed in
//! the phone's scopes since. The bytes are specified in `core/src/sync/PROTOCOL.md`, with vectors in `core/vectors/sync`; whoever has only
//! these can write a client.
//!
//! A state machine ([`client::Session`], [`server::Exchange`], those of [`live`]) is fed with inputs and the time, and answers with one ordered list of effects,
//! so that "durable, then acknowledged" is in the types. Who performs the effects (HTTP, a simulation) decides nothing.

pub mod client;
mod closed;
mod frame;
mod freshness;
mod hybrid;
mod limits;
mod list;
pub mod live;
mod mail;
mod merkle;
mod message;
mod refusal;
pub mod server;
mod signing;
mod strict;
mod text;
mod wrapped;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod vectors;

pub use frame::{Encoding, FrameError, open_frame, seal_frame};
pub use freshness::{Freshness, Nonce};
pub use hybrid::{SealingKey, SealingSecret, Unwrappable};
pub use limits::*;
pub use list::List;
pub use mail::Mail;
pub use merkle::{Leaf, merkle_root};
pub use message::{
    Bootstrap, Decision, EnrolRequest, EnrolResponse, Entered, Entry, EntryChange, Group, InboxDigest, LateWork, Offer, Part, Progress,
    Push, PushedChange, Reading, RecordKind, Relay, Request, Response, Resume, ResumeKey, Verdict,
};
pub use refusal::Refusal;
pub use signing::{DeviceKey, HashAlgorithm, PublicKey, Signature, SignatureError, Signed, push_message};
pub use wrapped::WrappedKeys;

/// The version of the protocol that this code speaks.
pub const PROTOCOL_VERSION: u32 = 1;
/// The least version that is answered in full. A phone below it can still push what waits, and hears what became of it.
pub const LEAST_PROTOCOL: u32 = 1;
