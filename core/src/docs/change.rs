//! A change: the unit that is sent, accepted or refused. Its bytes are kept as its author made them.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::docs::chunk::{self, ChunkError};
use crate::docs::{Actor, GENESIS_ACTOR};
use crate::model::{ChangeHash, Hlc};

/// The longest change, in bytes: findings of 2,000 characters, companions and keys, four times over.
pub const MOST_CHANGE_BYTES: usize = 32 * 1024;

/// Why bytes are no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unparsable {
    /// More than [`MOST_CHANGE_BYTES`].
    #[error("a change of {size} bytes; at most {MOST_CHANGE_BYTES} are read")]
    TooLong {
        /// How many bytes came.
        size: usize,
    },
    /// The envelope is not that of an uncompressed change within bounds.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// automerge does not read it, or panicked over it.
    #[error("the change does not decode")]
    Undecodable,
    /// The checksum is not that of the bytes.
    #[error("the checksum is wrong")]
    Checksum,
    /// The same operations have other bytes when automerge writes them: in a document that is saved and loaded the change would have
    /// another hash, and the document would not load.
    #[error("the change is not written as automerge writes it")]
    NotCanonical,
    /// The actor has not the sixteen bytes of one of ours, or is that of the genesis.
    #[error("the actor is none of ours")]
    Actor,
    /// The time is negative.
    #[error("the time is no hybrid time")]
    Time,
}

/// The hash that bytes have if they are a change: SHA-256 of the chunk without its magic bytes and checksum. So that a signature over a push
/// can be checked before anything in it is parsed.
pub fn hash_of(bytes: &[u8]) -> ChangeHash {
    use sha2::Digest;
    const UNHASHED: usize = 8;
    ChangeHash(sha2::Sha256::digest(bytes.get(UNHASHED..).unwrap_or_default()).into())
}

/// A change that was parsed strictly and alone. Says nothing yet of whether it fits a document: see [`crate::docs::wellformed`].
#[derive(Debug, Clone)]
pub struct Change {
    inner: automerge::Change,
    actor: Actor,
    at: Hlc,
}

impl Change {
    /// Parses the bytes of one uncompressed change; they must be those that automerge writes for these operations. Costs 5 to 20 µs.
    ///
    /// # Errors
    /// See [`Unparsable`]. Never panics, never allocates by a length or a count that the bytes claim.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unparsable> {
        if bytes.len() > MOST_CHANGE_BYTES {
            return Err(Unparsable::TooLong { size: bytes.len() });
        }
        let checksum = chunk::check(bytes)?;
        if hash_of(bytes).0.first_chunk::<4>() != Some(&checksum) {
            return Err(Unparsable::Checksum);
        }
        let read = catch_unwind(AssertUnwindSafe(|| {
            let inner = automerge::Change::from_bytes(bytes.to_vec()).map_err(|_| Unparsable::Undecodable)?;
            let canonical = automerge::Change::from(inner.decode());
            if inner.raw_bytes() == bytes && canonical.raw_bytes() == bytes { Ok(inner) } else { Err(Unparsable::NotCanonical) }
        }));
        Self::from_automerge(read.map_err(|_| Unparsable::Undecodable)??)
    }

    /// Reads a change that was parsed and accepted before, from the own store: without looking once more whether it is written as automerge
    /// writes it, which costs half.
    ///
    /// # Errors
    /// See [`Unparsable`].
    pub fn reread(bytes: &[u8]) -> Result<Self, Unparsable> {
        let read = catch_unwind(AssertUnwindSafe(|| automerge::Change::from_bytes(bytes.to_vec()).map_err(|_| Unparsable::Undecodable)));
        Self::from_automerge(read.map_err(|_| Unparsable::Undecodable)??)
    }

    fn from_automerge(inner: automerge::Change) -> Result<Self, Unparsable> {
        let actor = inner.actor_id().to_bytes();
        let actor = Actor::from_bytes(actor).filter(|_| actor != GENESIS_ACTOR).ok_or(Unparsable::Actor)?;
        let at = Hlc::from_change_time(inner.timestamp()).ok_or(Unparsable::Time)?;
        Ok(Self { inner, actor, at })
    }

    /// The change's name.
    pub fn hash(&self) -> ChangeHash {
        ChangeHash(self.inner.hash().0)
    }

    /// The bytes as its author made them: these are stored, signed and forwarded.
    pub fn bytes(&self) -> &[u8] {
        self.inner.raw_bytes()
    }

    /// Its number among the changes of its actor in this document, from 1.
    pub fn number(&self) -> u64 {
        self.inner.seq()
    }

    /// Who wrote it.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// When it was written, by its author's clock.
    pub const fn at(&self) -> Hlc {
        self.at
    }

    /// The changes that it builds on.
    pub fn deps(&self) -> impl Iterator<Item = ChangeHash> {
        self.inner.deps().iter().map(|hash| ChangeHash(hash.0))
    }

    pub(crate) const fn automerge(&self) -> &automerge::Change {
        &self.inner
    }
}
