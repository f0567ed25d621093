//! One signature for a whole push: the root of a Merkle tree over its changes.
//!
//! The tree is that of RFC 6962 (section 2.1): a leaf is SHA-256 of a zero byte and the leaf's content, a node is SHA-256 of a one byte and
//! its children, a list is split at the largest power of two below its length. So a single change can be proven later with a path of
//! hashes, without the rest of the push.

use sha2::{Digest, Sha256};

use crate::model::{ChangeHash, DocId};

/// What is signed of a change: its name and the document that it was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The document.
    pub doc: DocId,
    /// The change.
    pub hash: ChangeHash,
}

/// The root over leaves in the order of groups and of changes within them. That of no leaves is SHA-256 of nothing.
pub fn merkle_root(leaves: &[Leaf]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::new().chain_update([0]).chain_update(leaf.doc.as_bytes()).chain_update(leaf.hash.0).finalize().into(),
        leaves => {
            let split = (leaves.len().next_power_of_two() / 2).max(1);
            let (left, right) = leaves.split_at(split);
            Sha256::new().chain_update([1]).chain_update(merkle_root(left)).chain_update(merkle_root(right)).finalize().into()
        }
    }
}

#[cfg(test)]
mod tests;
