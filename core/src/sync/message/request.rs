//! What a phone sends in one exchange: who it is, how far it has read, what it recorded.

use crate::docs::DocKind;
use crate::model::{ChangeHash, DeviceId, DocId, GrantId, GroupId, Incarnation, LedgerId, Millis, Position};
use crate::sync::closed::arm;
use crate::sync::{
    Decision, EntryChange, Freshness, HashAlgorithm, InboxDigest, List, MOST_ENTRY_CHANGES, MOST_GRANTS, MOST_GROUP_CHANGES, MOST_GROUPS,
    MOST_LATE, MOST_OFFERS, Resume, Signature, WrappedKeys,
};

/// What a phone sends: who it is, how far it has read, what it recorded.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Request {
    /// The version of the protocol that the phone speaks.
    #[n(0)]
    pub protocol: u32,
    /// The device.
    #[n(1)]
    pub device: DeviceId,
    /// The life of its store.
    #[n(2)]
    pub incarnation: Incarnation,
    /// The phone's clock when it sent this.
    #[n(3)]
    pub sent_at: Millis,
    /// The life of the server's ledger in which the positions mean something; absent on first contact.
    #[n(4)]
    pub ledger: Option<LedgerId>,
    /// How far each grant has been read.
    #[n(5)]
    pub cursors: List<Reading, MOST_GRANTS>,
    /// What was recorded and is not acknowledged yet.
    #[n(6)]
    pub push: Option<Push>,
    /// To a restored server: the heads of the documents that the phone holds.
    #[n(7)]
    pub offers: Option<List<Offer, MOST_OFFERS>>,
    /// To a restored server: changes that it lacks, the phone's own and others'.
    #[n(8)]
    pub relays: Option<List<Relay, MOST_GROUPS>>,
    /// Which late work the phone holds; absent where that is none.
    #[n(9)]
    pub inbox: Option<InboxDigest>,
    /// What was decided about late work.
    #[n(10)]
    pub decisions: Option<List<Decision, MOST_LATE>>,
    /// `true` when this phone's person gives it up: everything that waited is in this push, and the device ends with it.
    #[n(11)]
    pub signs_out: Option<bool>,
    /// The keys of records that this request begins or gives back.
    #[n(12)]
    pub keys: Option<WrappedKeys>,
    /// What makes it count once; a request without it is answered with a challenge and nothing else.
    #[n(13)]
    pub fresh: Option<Freshness>,
}

/// A cursor within a request; the ledger stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Reading {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// How far the grant was read: parts go on from here.
    #[n(1)]
    pub position: Position,
    /// While a long reading is under way, the position up to which the phone had everything when it began: a document that was to come in a later
    /// part and moves on meanwhile must bring what lies between. Absent where that is `position`.
    #[n(2)]
    pub since: Option<Position>,
    /// While a bootstrap is under way (the position is 0 then), where it goes on.
    #[n(3)]
    pub resume: Option<Resume>,
}

impl Reading {
    /// A reading that is under way for no longer than this request.
    pub const fn at(grant: GrantId, position: Position) -> Self {
        Self { grant, position, since: None, resume: None }
    }

    /// Everything up to here is on the phone's disk. What claims to be behind the position counts as the position.
    pub fn complete_up_to(&self) -> Position {
        self.since.map_or(self.position, |since| since.min(self.position))
    }
}

/// A page of the outbox, under one signature.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Push {
    /// The groups, in the order of recording.
    #[n(0)]
    pub groups: List<Group, MOST_GROUPS>,
    /// How the Merkle tree over the changes is hashed.
    #[n(1)]
    #[cbor(decode_with = "arm")]
    pub hashes: HashAlgorithm,
    /// The device's signature over the root.
    #[n(2)]
    pub signature: Signature,
}

/// The changes of one command, accepted or refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Group {
    /// The group; the command keeps it when it is run again.
    #[n(0)]
    pub id: GroupId,
    /// Its changes, at most one a document.
    #[n(1)]
    pub changes: List<PushedChange, MOST_GROUP_CHANGES>,
}

/// A change on its way to the server.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PushedChange {
    /// The document.
    #[n(0)]
    pub doc: DocId,
    /// Its kind.
    #[n(1)]
    pub kind: DocKind,
    /// The change's bytes as the phone made them.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// What a phone holds of a document.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Offer {
    /// The document.
    #[n(0)]
    pub doc: DocId,
    /// Its kind.
    #[n(1)]
    pub kind: DocKind,
    /// The changes that no other builds on.
    #[n(2)]
    pub heads: List<ChangeHash, MOST_GROUP_CHANGES>,
}

/// Changes of a document that a restored server lacks, with the receipts that it gave before.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Relay {
    /// The document.
    #[n(0)]
    pub doc: DocId,
    /// Its kind.
    #[n(1)]
    pub kind: DocKind,
    /// The changes.
    #[n(2)]
    pub changes: List<EntryChange, MOST_ENTRY_CHANGES>,
}
