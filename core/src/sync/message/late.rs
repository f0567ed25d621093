//! Late work: what somebody recorded who had lost the right to it before it arrived, on its way to whoever answers for the scope now.

use sha2::{Digest, Sha256};

use crate::docs::Keyring;
use crate::model::{DocId, GroupId, Millis, PersonId};
use crate::sync::{List, MOST_GROUP_CHANGES, PushedChange};

/// A group that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct LateWork {
    /// The group, as its author's phone named it.
    #[n(0)]
    pub group: GroupId,
    /// Who recorded it.
    #[n(1)]
    pub author: PersonId,
    /// When it arrived.
    #[n(2)]
    pub arrived_at: Millis,
    /// Its changes, as the author's phone made and signed them.
    #[n(3)]
    pub changes: List<PushedChange, MOST_GROUP_CHANGES>,
    /// The keys of what it is about, to read it with.
    #[n(4)]
    pub keys: Option<List<(DocId, Keyring), MOST_GROUP_CHANGES>>,
}

/// What somebody who answers for the scope says to late work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Decision {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// It is accepted in its author's name, with the author's own signature; else it stays in quarantine and is asked about no more.
    #[n(1)]
    pub adopts: bool,
}

/// Which late work a phone holds: the first eight bytes of the SHA-256 over the ids, in order. So a list is sent only where it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct InboxDigest(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 8]);

impl InboxDigest {
    /// Of these groups; `None` for none.
    pub fn of(groups: impl IntoIterator<Item = GroupId>) -> Option<Self> {
        let mut groups = groups.into_iter().peekable();
        groups.peek()?;
        let digest = groups.fold(Sha256::new(), |digest, group| digest.chain_update(group.as_bytes())).finalize();
        digest.first_chunk().copied().map(Self)
    }
}
