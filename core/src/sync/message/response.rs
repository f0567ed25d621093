//! What the server answers: what became of each group, and what changed behind the cursors.

use crate::docs::{DocKind, Keyring};
use crate::model::{CaseId, DocId, Grant, GrantId, GroupId, LedgerId, Millis, Position, Receipt, Receipts, Seal};
use crate::sync::text::text;
use crate::sync::{
    Bootstrap, Freshness, LateWork, List, MOST_CODE_BYTES, MOST_ENTRIES, MOST_ENTRY_CHANGES, MOST_GRANTS, MOST_GROUP_CHANGES, MOST_GROUPS,
    MOST_LATE, MOST_OFFERS, Offer, PROTOCOL_VERSION, Refusal,
};

/// What the server answers.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Response {
    /// The version that the server answers in.
    #[n(0)]
    pub protocol: u32,
    /// The server's clock.
    #[n(1)]
    pub now: Millis,
    /// The life of the street's ledger.
    #[n(2)]
    pub ledger: LedgerId,
    /// One verdict for each group of the push, in its order. Durable when this is sent.
    #[n(3)]
    pub verdicts: Option<List<Verdict, MOST_GROUPS>>,
    /// What changed, at most one part for each grant; absent when nothing did.
    #[n(4)]
    pub parts: Option<List<Part, MOST_GRANTS>>,
    /// Grants that the phone did not name.
    #[n(5)]
    pub entered: Option<List<Entered, MOST_GRANTS>>,
    /// Grants that have ended: their cursors are to be dropped, and the documents that no other grant covers.
    #[n(6)]
    pub left: Option<List<GrantId, MOST_GRANTS>>,
    /// Everything up to here is in a backup of the server; absent while there is none.
    #[n(8)]
    pub backed_up_to: Option<Position>,
    /// From a restored server: documents of which it lacks changes that the phone offered.
    #[n(9)]
    pub lacking: Option<List<Offer, MOST_OFFERS>>,
    /// The least version of the protocol that will be answered in full; a phone below it can still push.
    #[n(10)]
    pub least_protocol: Option<u32>,
    /// On a live connection: `true` when this answers no request, but says what became durable meanwhile.
    #[n(11)]
    pub pushed: Option<bool>,
    /// With verdicts: what was accepted lies at this position at the latest. Once [`Response::backed_up_to`] has come so far, it is in a backup.
    #[n(12)]
    pub accepted_by: Option<Position>,
    /// The late work that waits for a decision of this person, where it is other than what the phone says that it holds. The oldest first.
    #[n(13)]
    pub inbox: Option<List<LateWork, MOST_LATE>>,
    /// `true` when the device has ended: the phone sends what waits, in as many pushes as it takes, and then erases its store.
    #[n(14)]
    pub wipe: Option<bool>,
    /// The request did not count, nothing of it was looked at, and nothing else is said: the phone sends it again under this nonce, with a greater
    /// number.
    #[n(15)]
    pub challenge: Option<Freshness>,
    /// For how many hours without a further answer the phone may show what it holds of others; absent: for ever.
    #[n(16)]
    pub lease_hours: Option<u32>,
}

impl Response {
    /// One that says nothing yet but who answers, and when.
    pub const fn nothing(now: Millis, ledger: LedgerId) -> Self {
        Self {
            protocol: PROTOCOL_VERSION,
            now,
            ledger,
            verdicts: None,
            parts: None,
            entered: None,
            left: None,
            backed_up_to: None,
            lacking: None,
            least_protocol: None,
            pushed: None,
            accepted_by: None,
            inbox: None,
            wipe: None,
            challenge: None,
            lease_hours: None,
        }
    }
}

/// What became of a group. Final for its hashes.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Verdict {
    /// Accepted and durable.
    #[n(0)]
    #[cbor(map)]
    Accepted {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// When.
        #[n(1)]
        at: Millis,
        /// The receipt number of each change, in the order of the group.
        #[n(2)]
        numbers: List<u64, MOST_GROUP_CHANGES>,
        /// The case that claimed the same before.
        #[n(3)]
        duplicate_of: Option<CaseId>,
        /// The seal of each receipt, in the order of the group.
        #[n(4)]
        seals: List<Seal, MOST_GROUP_CHANGES>,
    },
    /// The group was accepted earlier with other changes (a command that a restored or cloned phone ran again); these come by the feed.
    #[n(1)]
    #[cbor(map)]
    AcceptedBefore {
        /// The group.
        #[n(0)]
        group: GroupId,
    },
    /// Refused as a whole.
    #[n(2)]
    #[cbor(map)]
    Refused {
        /// The group.
        #[n(0)]
        group: GroupId,
        /// Why: a code of the list in PROTOCOL.md.
        #[n(1)]
        #[cbor(decode_with = "text::<_, MOST_CODE_BYTES>")]
        code: String,
        /// For `sync.clock_ahead`: how far ahead, in milliseconds.
        #[n(2)]
        offset_ms: Option<i64>,
        /// For `sync.depends_on_refused`: the group that it builds on.
        #[n(3)]
        because_of: Option<GroupId>,
    },
}

impl Verdict {
    /// A refusal on the wire.
    pub fn refused(group: GroupId, refusal: &Refusal) -> Self {
        Self::Refused { group, code: refusal.code().to_owned(), offset_ms: refusal.offset_ms(), because_of: refusal.because_of() }
    }

    /// The group that it is about.
    pub const fn group(&self) -> GroupId {
        match self {
            Self::Accepted { group, .. } | Self::AcceptedBefore { group } | Self::Refused { group, .. } => *group,
        }
    }
}

/// What changed in one grant between two positions.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Part {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The cursor that this continues; a part that starts elsewhere than the phone's cursor is not applied.
    #[n(1)]
    pub from: Position,
    /// The cursor afterwards.
    #[n(2)]
    pub to: Position,
    /// The documents and records that changed, each once.
    #[n(3)]
    pub entries: List<Entry, MOST_ENTRIES>,
    /// Whether there is more behind `to`: ask again at once.
    #[n(4)]
    pub more: Option<bool>,
    /// In a part of a bootstrap: which one, where it goes on, how much is left.
    #[n(5)]
    pub bootstrap: Option<Bootstrap>,
    /// The keys of records of this part that the phone may have and has not, each once; of an erased record, that it was.
    #[n(6)]
    pub keys: Option<List<(DocId, Keyring), MOST_ENTRIES>>,
}

/// One document or record that changed.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Entry {
    /// The changes that the phone lacks, in the order of their receipts.
    #[n(0)]
    #[cbor(map)]
    Changes {
        /// The document.
        #[n(0)]
        doc: DocId,
        /// Its kind.
        #[n(1)]
        kind: DocKind,
        /// The changes, but for those of this request's own push.
        #[n(2)]
        changes: List<EntryChange, MOST_ENTRY_CHANGES>,
    },
    /// The whole document.
    #[n(1)]
    #[cbor(map)]
    Snapshot {
        /// The document.
        #[n(0)]
        doc: DocId,
        /// Its kind.
        #[n(1)]
        kind: DocKind,
        /// As automerge saves it, not compressed.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        bytes: Vec<u8>,
        /// The receipts of all its changes.
        #[n(3)]
        receipts: Receipts,
        /// Its summary, so that the phone need not load it.
        #[n(4)]
        #[cbor(with = "minicbor::bytes")]
        summary: Vec<u8>,
    },
    /// A record with one writer, whole.
    #[n(2)]
    #[cbor(map)]
    Record {
        /// The record.
        #[n(0)]
        id: DocId,
        /// What it is.
        #[n(1)]
        kind: RecordKind,
        /// The encoded record.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// The document is no longer in this grant's scope.
    #[n(3)]
    #[cbor(map)]
    Left {
        /// The document.
        #[n(0)]
        doc: DocId,
    },
}

impl Entry {
    /// The document or record.
    pub const fn id(&self) -> DocId {
        match self {
            Self::Changes { doc, .. } | Self::Snapshot { doc, .. } | Self::Left { doc } => *doc,
            Self::Record { id, .. } => *id,
        }
    }
}

/// The kinds of records that the server replaces whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum RecordKind {
    /// The directory of the street.
    #[n(1)]
    Directory,
}

/// An accepted change on its way to a phone.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct EntryChange {
    /// The change's bytes as its author made them.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Its receipt's number.
    #[n(1)]
    pub number: u64,
    /// Its receipt's time.
    #[n(2)]
    pub at: Millis,
    /// Its receipt's seal.
    #[n(3)]
    pub seal: Seal,
}

impl EntryChange {
    /// A change with its receipt.
    pub const fn new(bytes: Vec<u8>, receipt: Receipt) -> Self {
        let Receipt { number, at, seal } = receipt;
        Self { bytes, number, at, seal }
    }

    /// Its receipt.
    pub const fn receipt(&self) -> Receipt {
        Receipt { number: self.number, at: self.at, seal: self.seal }
    }
}

/// A grant that the phone did not name: its cursor starts at zero.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Entered {
    /// The grant.
    #[n(0)]
    pub grant: Grant,
}
