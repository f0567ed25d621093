//! The bootstrap: how a grant of which nothing was read yet comes to a phone.
//!
//! Nobody waits for all of it: the server sends snapshots in an order of its own (what makes the phone usable first), each part says where
//! the next one goes on and how much is left, and the server keeps nothing between two parts. What lies behind the base, the newest position
//! when the bootstrap began, comes by the ordinary reading that follows.

use crate::model::Position;
use crate::sync::MOST_RESUME_KEY_BYTES;

/// A place in the server's order. Bytes that mean something to the server alone: a phone keeps them and gives them back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResumeKey {
    length: u8,
    bytes: [u8; MOST_RESUME_KEY_BYTES],
}

impl ResumeKey {
    /// A key of these bytes, if they are not too many.
    pub fn new(key: &[u8]) -> Option<Self> {
        let mut bytes = [0; MOST_RESUME_KEY_BYTES];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self { length: u8::try_from(key.len()).ok()?, bytes })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl std::fmt::Debug for ResumeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResumeKey({:02x?})", self.as_bytes())
    }
}

impl<C> minicbor::Encode<C> for ResumeKey {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.as_bytes())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for ResumeKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::new(d.bytes()?).ok_or_else(|| minicbor::decode::Error::message("a resume key is longer than the protocol allows").at(at))
    }
}

/// Where a bootstrap goes on, in a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Resume {
    /// The base of the bootstrap.
    #[n(0)]
    pub base: Position,
    /// The place in the order up to which everything is here.
    #[n(1)]
    pub key: ResumeKey,
}

/// What a part of a bootstrap says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Bootstrap {
    /// The newest position when the bootstrap began.
    #[n(0)]
    pub base: Position,
    /// The key of the request that this part continues; absent in the part that begins the bootstrap, or begins it anew.
    #[n(1)]
    pub after: Option<ResumeKey>,
    /// Where the next part goes on; absent when everything up to the base has been sent.
    #[n(2)]
    pub next: Option<ResumeKey>,
    /// How much there is and how much is left.
    #[n(3)]
    pub progress: Progress,
}

/// How far a bootstrap has come. The numbers are the server's estimate: documents move on while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Progress {
    /// How many documents there are.
    #[n(0)]
    pub documents: u64,
    /// About how many bytes they have, before compression.
    #[n(1)]
    pub bytes: u64,
    /// How many of the documents are still to come.
    #[n(2)]
    pub documents_left: u64,
    /// About how many of the bytes.
    #[n(3)]
    pub bytes_left: u64,
    /// Whether everything has been sent that makes the phone usable.
    #[n(4)]
    pub usable: bool,
}
