//! The structural check of a change, before automerge applies it.
//!
//! automerge 0.12.0 checks neither `start_op`, nor `pred`, nor that a change builds on its author's previous one, and a forged operation can
//! set fields without showing in the diff, make a document unloadable, or make replicas with equal heads differ (measured). So what did not
//! come from the server is checked here, by hub and phone alike, on the change's own operations:
//!
//! - it is the next change of its actor, whose previous one it builds on; everything that it builds on is here;
//! - it does not leave more heads than the next honest change could name as what it builds on;
//! - its operations start exactly one above the greatest that it builds on, and stay below 2^24;
//! - each object is the root, a container of the genesis, or a map that this very change creates as an entry of a container;
//! - `pred` is exactly what the author saw under that key (for a delete, that minus the value shown);
//! - only puts of scalars, creations of entries, and automerge's own deletes of the losers of a conflict;
//! - an entry's key was absent for its author and is absent in the document as it is now;
//! - an id as a key is written as we write it, so that no second spelling of it creates a second entry.
//!
//! The result is the list of operations with their paths, resolved by what created the objects and not by what is visible: policy is asked
//! about these, never about a diff, which can be evaded.

mod malformed;

use std::collections::BTreeMap;

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ObjId, ObjType, ROOT, ReadDoc};

use crate::docs::chunk::MOST_DEPS;
use crate::docs::genesis::container_counter;
use crate::docs::layout::{Container, MOST_KEY_BYTES, MOST_VALUE_BYTES, Path, Rule, is_root_register};
use crate::docs::{Change, Document, GENESIS_ACTOR, Scalar};
use crate::model::{DocId, Tag};

pub use crate::docs::chunk::MOST_OP_COUNTER;
pub use malformed::Malformed;

/// The most changes that may stand side by side with nothing built on them. The next change names all of them, and perhaps its author's
/// previous one: that must stay readable (a change names at most 64), or whoever has many actors could close a document to everybody else.
pub const MOST_HEADS: usize = MOST_DEPS as usize - 1;

/// What an operation does, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Where it writes.
    pub path: Path,
    /// What it writes.
    pub action: Action,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Sets a scalar.
    Put(Scalar),
    /// Creates the map of an entry.
    CreateEntry,
    /// Takes the losers of a conflict away, when the value shown was set once more.
    SettleConflict,
}

/// Checks a change against the document that it is for, which does not hold it yet.
///
/// Costs about 20 µs for a visit. Does not change the document.
///
/// # Errors
/// The first rule that the change breaks.
pub fn check(doc: &Document, change: &Change) -> Result<Vec<Operation>, Malformed> {
    let inner = change.automerge();
    check_place(doc, inner)?;
    let mut checker = Checker { doc, deps: inner.deps(), written: BTreeMap::new(), entries: BTreeMap::new() };
    let start = inner.start_op().get();
    let expanded = inner.decode();
    let mut operations = Vec::new();
    for (index, op) in expanded.operations.iter().enumerate() {
        let id = OpId::new(start + index as u64, inner.actor_id());
        operations.push(checker.operation(index, id, op)?);
    }
    if operations.is_empty() {
        return Err(Malformed::Empty);
    }
    Ok(operations)
}

/// Its place in the graph: dependencies, sequence number, operation counters.
fn check_place(doc: &Document, change: &automerge::Change) -> Result<(), Malformed> {
    let missing = change.deps().iter().filter(|dep| !doc.graph.contains(dep)).count();
    if missing > 0 {
        return Err(Malformed::MissingDependencies { missing });
    }
    if change.deps().is_empty() {
        return Err(Malformed::NoGenesis);
    }
    let last = doc.graph.last_of(change.actor_id());
    let expected = last.map_or(1, |(seq, _)| seq + 1);
    if change.seq() != expected {
        return Err(Malformed::Sequence { expected, found: change.seq() });
    }
    if let Some((_, previous)) = last
        && !doc.graph.is_ancestor(&previous, change.deps())
    {
        return Err(Malformed::ForgotItself);
    }
    let expected = doc.graph.max_op(change.deps()) + 1;
    let found = change.start_op().get();
    if found != expected || found.saturating_add(change.len() as u64) > MOST_OP_COUNTER {
        return Err(Malformed::StartOp { expected, found });
    }
    if doc.doc.get_heads().iter().filter(|head| !change.deps().contains(head)).count() >= MOST_HEADS {
        return Err(Malformed::TooManyHeads);
    }
    Ok(())
}

/// The object of an operation.
enum Target {
    Root,
    Container(Container, ObjId),
    NewEntry(Container, String),
}

struct Checker<'a> {
    doc: &'a Document,
    deps: &'a [automerge::ChangeHash],
    /// Where this change wrote so far: object and key to the operations that stand there now, the last is the one shown.
    written: BTreeMap<(String, String), Vec<OpId>>,
    /// Entries that this change creates, by operation counter.
    entries: BTreeMap<u64, (Container, String)>,
}

impl Checker<'_> {
    fn operation(&mut self, index: usize, id: OpId, op: &Op) -> Result<Operation, Malformed> {
        let Key::Map(key) = &op.key else { return Err(Malformed::BadKey { index }) };
        if op.insert {
            return Err(Malformed::Forbidden { index });
        }
        if key.is_empty() || key.len() > MOST_KEY_BYTES || key.chars().any(char::is_control) {
            return Err(Malformed::BadKey { index });
        }
        let target = self.target(index, &id, &op.obj)?;
        let path = self.path(index, &target, key)?;
        let action = match (&op.action, &path) {
            (OpType::Put(value), Path::Root(_) | Path::Register(..) | Path::Field(..)) => Action::Put(check_value(index, value)?),
            (OpType::Make(ObjType::Map), Path::Entry(..)) => Action::CreateEntry,
            (OpType::Delete, Path::Root(_) | Path::Register(..)) => Action::SettleConflict,
            _ => return Err(Malformed::Forbidden { index }),
        };
        self.check_predecessors(index, &id, op, &target, key, &path)?;
        if let (Path::Entry(container, key), Action::CreateEntry) = (&path, &action) {
            self.entries.insert(id.counter(), (*container, key.clone()));
        }
        Ok(Operation { path, action })
    }

    fn target(&self, index: usize, id: &OpId, obj: &ObjectId) -> Result<Target, Malformed> {
        let foreign = Malformed::ForeignObject { index };
        let ObjectId::Id(obj) = obj else { return Ok(Target::Root) };
        if obj.actor().to_bytes() == GENESIS_ACTOR {
            let containers = self.doc.kind().containers();
            let (_, container) =
                containers.iter().enumerate().find(|(position, _)| container_counter(*position) == obj.counter()).ok_or(foreign.clone())?;
            let object = self.doc.container(*container).ok_or(foreign)?;
            return Ok(Target::Container(*container, object));
        }
        match self.entries.get(&obj.counter()) {
            Some((container, key)) if obj.actor() == id.actor() => Ok(Target::NewEntry(*container, key.clone())),
            _ => Err(foreign),
        }
    }

    fn path(&self, index: usize, target: &Target, key: &str) -> Result<Path, Malformed> {
        let key = key.to_owned();
        Ok(match target {
            Target::Root if is_root_register(self.doc.kind(), &key) => Path::Root(key),
            Target::Root => return Err(Malformed::BadKey { index }),
            Target::Container(container, _) if !is_key_of(*container, &key) => return Err(Malformed::BadKey { index }),
            Target::Container(container, _) => match container.rule() {
                Rule::Registers => Path::Register(*container, key),
                Rule::Entries => Path::Entry(*container, key),
            },
            Target::NewEntry(container, entry) => Path::Field(*container, entry.clone(), key),
        })
    }

    fn check_predecessors(&mut self, index: usize, id: &OpId, op: &Op, target: &Target, key: &str, path: &Path) -> Result<(), Malformed> {
        let slot = (format!("{}", SlotName(target)), key.to_owned());
        let mut seen: Vec<OpId> = match (self.written.get(&slot), target) {
            (Some(own), _) => own.clone(),
            (None, Target::NewEntry(..)) => Vec::new(),
            (None, Target::Root) => self.seen_by_author(&ROOT, key),
            (None, Target::Container(_, object)) => self.seen_by_author(object, key),
        };
        let absent = match (path, target) {
            (Path::Entry(..), Target::Container(_, object)) => {
                seen.is_empty() && self.doc.doc.get(object, key).is_ok_and(|now| now.is_none())
            }
            (Path::Field(..), _) => seen.is_empty(),
            _ => true,
        };
        if !absent {
            return Err(Malformed::AlreadyThere { path: path.clone() });
        }
        let mut left = vec![id.clone()];
        if op.action == OpType::Delete {
            left = seen.pop().into_iter().collect(); // the one that is shown stays
            if seen.is_empty() {
                return Err(Malformed::Forbidden { index });
            }
        }
        seen.sort();
        if !op.pred.iter().eq(&seen) {
            return Err(Malformed::Predecessors { index });
        }
        self.written.insert(slot, left);
        Ok(())
    }

    /// The operations visible under a key at what the author built on; the last is the one shown.
    fn seen_by_author(&self, object: &ObjId, key: &str) -> Vec<OpId> {
        let found = self.doc.doc.get_all_at(object, key, self.deps).unwrap_or_default();
        let ids = found.into_iter().map(|(_, id)| id);
        ids.filter_map(|id| match id {
            ObjId::Id(counter, actor, _) => Some(OpId::new(counter, &actor)),
            ObjId::Root => None,
        })
        .collect()
    }
}

struct SlotName<'a>(&'a Target);

impl std::fmt::Display for SlotName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Target::Root => Ok(()),
            Target::Container(container, _) => f.write_str(container.key()),
            Target::NewEntry(container, key) => write!(f, "{}/{key}", container.key()),
        }
    }
}

/// Whether a container has such keys: ids and hashes in the one spelling that we write. Another spelling of an id that is there would be
/// another key to automerge, and the same entry to whoever reads it.
fn is_key_of(container: Container, key: &str) -> bool {
    match container {
        Container::Tags => key.parse::<Tag>().map_or(true, |tag| tag.as_str() == key), // what is no tag to us reads as none
        Container::Attachments => key.len() == 64 && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        Container::Members | Container::Visits | Container::Amendments | Container::Notes | Container::Events => {
            key.parse::<DocId>().is_ok_and(|id| id.to_string() == key)
        }
    }
}

fn check_value(index: usize, value: &automerge::ScalarValue) -> Result<Scalar, Malformed> {
    let value = Scalar::from_automerge(value).ok_or(Malformed::BadValue { index })?;
    let size = match &value {
        Scalar::Text(text) => text.len(),
        Scalar::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    if size > MOST_VALUE_BYTES { Err(Malformed::BadValue { index }) } else { Ok(value) }
}
