//! The first change of every document: fixed actor, time 0, the document's id and all its containers.
//!
//! Both ends compute it and never send it. Its bytes are kept as a test vector: an automerge that computes others must not be taken.

use std::num::NonZeroU64;

use automerge::legacy::{Key, ObjectId, Op, OpType, SortedVec};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, AutomergeError, ObjType, ROOT, ScalarValue};

use crate::docs::DocKind;
use crate::model::{ChangeHash, DocId};

/// The actor of every genesis. No device has this tag: the server gives none that begins so.
pub const GENESIS_ACTOR: [u8; 16] = *b"doorstep-genesis";

/// The shape of documents that a genesis speaks of; later versions raise the root key `schema` when they write.
pub const GENESIS_SCHEMA: i64 = 1;

/// The number of scalars that a genesis writes before its containers; operation counters start at 1.
const SCALARS: u64 = 3;

/// An automerge document that holds the genesis of this id and kind and nothing else.
///
/// # Errors
/// None that could be provoked from outside; automerge's own are passed on.
pub fn genesis(kind: DocKind, id: DocId) -> Result<Automerge, AutomergeError> {
    let mut doc = Automerge::new();
    doc.set_actor(automerge::ActorId::from(GENESIS_ACTOR));
    let mut tx = doc.transaction();
    tx.put(ROOT, "id", id.as_bytes().to_vec())?;
    tx.put(ROOT, "kind", kind.name())?;
    tx.put(ROOT, "schema", GENESIS_SCHEMA)?;
    for container in kind.containers() {
        tx.put_object(ROOT, container.key(), ObjType::Map)?;
    }
    tx.commit_with(CommitOptions::default().with_time(0));
    Ok(doc)
}

/// The hash of the genesis of this id and kind, from its operations alone: a tenth of the cost of making the document.
pub(crate) fn genesis_hash(kind: DocKind, id: DocId) -> ChangeHash {
    let scalars = [
        ("id", ScalarValue::Bytes(id.as_bytes().to_vec())),
        ("kind", ScalarValue::Str(kind.name().into())),
        ("schema", ScalarValue::Int(GENESIS_SCHEMA)),
    ];
    let scalars = scalars.into_iter().map(|(key, value)| (key, OpType::Put(value)));
    let containers = kind.containers().iter().map(|container| (container.key(), OpType::Make(ObjType::Map)));
    let operations = scalars.chain(containers).map(|(key, action)| Op {
        action,
        obj: ObjectId::Root,
        key: Key::Map(key.into()),
        pred: SortedVec::new(),
        insert: false,
    });
    let change = automerge::Change::from(automerge::ExpandedChange {
        operations: operations.collect(),
        actor_id: automerge::ActorId::from(GENESIS_ACTOR),
        hash: None,
        seq: 1,
        start_op: NonZeroU64::MIN,
        time: 0,
        message: None,
        deps: Vec::new(),
        extra_bytes: Vec::new(),
        author: None,
    });
    ChangeHash(change.hash().0)
}

/// The operation counter under which the genesis wrote the `index`th of its scalars, in the order of [`crate::docs::layout::FIXED_ROOT_KEYS`].
pub(crate) const fn scalar_counter(index: usize) -> u64 {
    1 + index as u64
}

/// The operation counter under which the genesis created the `index`th container of a kind.
pub(crate) const fn container_counter(index: usize) -> u64 {
    SCALARS + 1 + index as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_genesis_that_automerge_makes() {
        for kind in DocKind::ALL {
            for byte in [0, 7, 255] {
                let id = DocId::from_bytes([byte; 16]);
                let made: Vec<ChangeHash> = genesis(kind, id).unwrap().get_heads().iter().map(|hash| ChangeHash(hash.0)).collect();
                assert_eq!(made, [genesis_hash(kind, id)], "{kind:?}");
            }
        }
    }

    #[test]
    fn a_genesis_has_the_bytes_of_its_vector() {
        let id = DocId::from_bytes([7; 16]);
        let written: String = DocKind::ALL
            .iter()
            .map(|&kind| {
                let mut doc = genesis(kind, id).unwrap();
                let change = doc.set_actor(automerge::ActorId::from(GENESIS_ACTOR)).get_last_local_change().unwrap();
                let hex: String = change.raw_bytes().iter().map(|b| format!("{b:02x}")).collect();
                format!("{} {} {hex}\n", kind.name(), change.hash())
            })
            .collect();
        if std::env::var_os("WRITE_VECTORS").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/genesis.txt"), &written).unwrap();
        }
        assert_eq!(written, include_str!("../../vectors/genesis.txt"));
    }
}
