//! The graph of a document's changes: what each builds on, and where each actor stands.
//!
//! automerge keeps it too, but asks a price for each question; the structural check asks several for every change.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, Automerge, ChangeHash};

#[derive(Debug, Clone)]
struct Node {
    deps: Vec<ChangeHash>,
    max_op: u64,
}

/// Changes by hash, and the last change of each actor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    nodes: BTreeMap<ChangeHash, Node>,
    actors: BTreeMap<ActorId, (u64, ChangeHash)>,
}

impl Graph {
    pub(crate) fn of(doc: &Automerge) -> Self {
        let mut graph = Self::default();
        for change in doc.get_changes_meta(&[]) {
            graph.insert(change.hash, &change.actor, change.seq, change.max_op, change.deps.clone());
        }
        graph
    }

    pub(crate) fn insert(&mut self, hash: ChangeHash, actor: &ActorId, seq: u64, max_op: u64, deps: Vec<ChangeHash>) {
        self.nodes.insert(hash, Node { deps, max_op });
        let last = self.actors.entry(actor.clone()).or_insert((seq, hash));
        if last.0 < seq {
            *last = (seq, hash);
        }
    }

    pub(crate) fn contains(&self, hash: &ChangeHash) -> bool {
        self.nodes.contains_key(hash)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Sequence number and hash of an actor's last change.
    pub(crate) fn last_of(&self, actor: &ActorId) -> Option<(u64, ChangeHash)> {
        self.actors.get(actor).copied()
    }

    /// The greatest operation counter among changes and all that they build on. Each accepted change starts one above its ancestors,
    /// so the greatest of the named ones is the greatest of all.
    pub(crate) fn max_op(&self, hashes: &[ChangeHash]) -> u64 {
        hashes.iter().filter_map(|hash| self.nodes.get(hash)).map(|node| node.max_op).max().unwrap_or(0)
    }

    /// Whether `ancestor` is among `hashes` or what they build on.
    pub(crate) fn is_ancestor(&self, ancestor: &ChangeHash, hashes: &[ChangeHash]) -> bool {
        let mut queue: Vec<ChangeHash> = hashes.to_vec();
        let mut seen: BTreeSet<ChangeHash> = queue.iter().copied().collect();
        while let Some(hash) = queue.pop() {
            if hash == *ancestor {
                return true;
            }
            let Some(node) = self.nodes.get(&hash) else { continue };
            queue.extend(node.deps.iter().filter(|dep| seen.insert(**dep)));
        }
        false
    }
}
