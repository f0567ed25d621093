//! Conflicts: registers that several people set without seeing each other.

use automerge::{ObjId, ROOT, ReadDoc};

use crate::docs::layout::{Container, Path, Rule, is_root_register};
use crate::docs::{Actor, Document, Scalar};
use crate::model::{ChangeHash, Hlc};

/// One of the values that stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The value.
    pub value: Scalar,
    /// Whose actor set it; the directory says which person that is. `None` if the genesis did.
    pub actor: Option<Actor>,
    /// When, by that device's clock.
    pub at: Hlc,
    /// In which change.
    pub change: ChangeHash,
}

/// A register with more than one value. The last candidate is the one that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The register: `door`, `tags/独居`.
    pub field: String,
    /// All values, the one that is shown last. The order is the same on every replica.
    pub candidates: Vec<Candidate>,
}

impl Document {
    /// All conflicts of the document, by field. Costs a look at every register; empty for nearly all documents.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let registers = self.kind().containers().iter().filter(|container| container.rule() == Rule::Registers);
        let mut found = self.conflicts_in(&ROOT, None);
        for container in registers {
            if let Some(object) = self.container(*container) {
                found.extend(self.conflicts_in(&object, Some(*container)));
            }
        }
        found
    }

    fn conflicts_in(&self, object: &ObjId, container: Option<Container>) -> Vec<Conflict> {
        let contested = self.doc.map_range(object, ..).filter(|item| item.conflict).map(|item| item.key.into_owned());
        contested
            .filter(|key| container.is_some() || is_root_register(self.kind(), key))
            .filter_map(|key| {
                let values = self.doc.get_all(object, key.as_str()).ok()?;
                // Two who say the same are of one mind: that is no conflict.
                let ((first, _), others) = values.split_first()?;
                if others.iter().all(|(value, _)| value == first) {
                    return None;
                }
                let candidates = values.iter().filter_map(|(value, id)| self.candidate(container, &key, value, id)).collect();
                let field = container.map_or(key.clone(), |container| format!("{}/{key}", container.key()));
                Some(Conflict { field, candidates })
            })
            .collect()
    }

    /// One value; one that is locked shows as nothing.
    fn candidate(&self, container: Option<Container>, key: &str, value: &automerge::Value<'_>, id: &ObjId) -> Option<Candidate> {
        let automerge::Value::Scalar(value) = value else { return None };
        let (change, at) = self.written_in(id)?;
        let ObjId::Id(_, actor, _) = id else { return None };
        let path = container.map_or_else(|| Path::Root(key.to_owned()), |container| Path::Register(container, key.to_owned()));
        let value = self.keys().open(self.kind(), self.id(), &path, &Scalar::from_automerge(value)?).unwrap_or(Scalar::Null);
        Some(Candidate { value, actor: Actor::from_bytes(actor.to_bytes()), at, change })
    }

    /// The change that an operation belongs to, and its time.
    pub(crate) fn written_in(&self, id: &ObjId) -> Option<(ChangeHash, Hlc)> {
        let hash = self.doc.hash_for_opid(id)?;
        let at = self.doc.get_change_meta_by_hash(&hash)?.timestamp;
        Some((ChangeHash(hash.0), Hlc::from_change_time(at)?))
    }
}
