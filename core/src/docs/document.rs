//! A document: an automerge document that began with our genesis, and the only thing that touches automerge's writing and applying.

mod digest;
mod reload;
#[cfg(test)]
mod tests;
mod written;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, AutomergeError, ObjId, ObjType, ROOT, ReadDoc};

use crate::docs::genesis::{container_counter, genesis, genesis_hash, scalar_counter};
use crate::docs::graph::Graph;
use crate::docs::layout::{Container, FIXED_ROOT_KEYS, Path};
use crate::docs::wellformed::{self, Malformed, Operation};
use crate::docs::{Actor, Change, DocKind, GENESIS_ACTOR, Keyring, Scalar, Slot, Unparsable, Write};
use crate::model::{ChangeHash, DocId, Hlc};

pub use reload::Reloaded;
pub use written::{Object, Written};

/// Why a document could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes do not load, or automerge panicked over them.
    #[error("document {id} does not load")]
    Unloadable {
        /// The document.
        id: DocId,
    },
    /// The bytes are another document's, or do not begin with our genesis.
    #[error("document {id} does not begin with its genesis")]
    ForeignGenesis {
        /// The document.
        id: DocId,
    },
    /// A change was given to automerge and is not in the graph afterwards, or automerge panicked.
    #[error("a change does not apply to document {id}")]
    NotApplied {
        /// The document.
        id: DocId,
    },
    /// What was saved does not load to the same state again.
    #[error("document {id} does not survive saving")]
    NotReloadable {
        /// The document.
        id: DocId,
    },
    /// What was to be written is a change that nobody would take: a key or a value too long, a key that is fixed, a container at the root.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// What was to be written is a change that nobody would read: too long, too many operations.
    #[error(transparent)]
    Unparsable(#[from] Unparsable),
    /// A personal field was to be written, and there is no key here to seal it with.
    #[error("there is no key for what is personal in document {id}")]
    Locked {
        /// The document.
        id: DocId,
    },
    /// The kind has no such container.
    #[error("a {kind:?} has no {container:?}")]
    NoContainer {
        /// The kind.
        kind: DocKind,
        /// What it lacks.
        container: Container,
    },
}

impl DocumentError {
    /// The code in logs and problems.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unloadable { .. } => "document.unloadable",
            Self::ForeignGenesis { .. } => "document.foreign_genesis",
            Self::NotApplied { .. } => "document.not_applied",
            Self::NotReloadable { .. } => "document.not_reloadable",
            Self::Malformed(_) => "document.malformed_write",
            Self::Unparsable(_) => "document.unparsable_write",
            Self::Locked { .. } => "document.locked",
            Self::NoContainer { .. } => "document.no_container",
        }
    }
}

/// One document in memory. A loaded one takes 18 to 85 kB, so they are kept as bytes and loaded when needed.
#[derive(Debug, Clone)]
pub struct Document {
    id: DocId,
    kind: DocKind,
    pub(crate) doc: Automerge,
    pub(crate) graph: Arc<Graph>,
    keys: Keyring,
    /// Since it was loaded, replayed, or put through the reload check; of a new one perhaps everywhere.
    written: Written,
}

impl Document {
    /// A new document: its genesis and nothing else.
    ///
    /// # Errors
    /// [`DocumentError::Unloadable`] if automerge fails at it, which nothing from outside can cause.
    pub fn new(kind: DocKind, id: DocId) -> Result<Self, DocumentError> {
        let doc = genesis(kind, id).map_err(|_| DocumentError::Unloadable { id })?;
        Ok(Self::of(kind, id, doc, Written::Anywhere))
    }

    fn of(kind: DocKind, id: DocId, doc: Automerge, written: Written) -> Self {
        let graph = Arc::new(Graph::of(&doc));
        Self { id, kind, doc, graph, keys: Keyring::default(), written }
    }

    /// Changes that wait for others are none of the document's, but automerge would carry them along.
    fn read(bytes: &[u8]) -> Option<Automerge> {
        Automerge::load(bytes).ok().filter(|doc| doc.get_missing_deps(&[]).is_empty())
    }

    /// Loads what [`Document::save`] gave: 60 to 530 µs. The bytes are those of our own store or of the server: automerge expands what is
    /// compressed in them without a bound.
    ///
    /// # Errors
    /// When the bytes do not load, or are not a document that began with this genesis and still says so. Does not panic.
    pub fn load(kind: DocKind, id: DocId, bytes: &[u8]) -> Result<Self, DocumentError> {
        let loaded = catch_unwind(AssertUnwindSafe(|| Some(Self::of(kind, id, Self::read(bytes)?, Written::nowhere()))));
        let document = loaded.ok().flatten().ok_or(DocumentError::Unloadable { id })?;
        let foundation = catch_unwind(AssertUnwindSafe(|| document.contains(&genesis_hash(kind, id)) && document.stands_on_genesis()));
        if foundation.unwrap_or(false) { Ok(document) } else { Err(DocumentError::ForeignGenesis { id }) }
    }

    /// Whether what the genesis fixed is what is shown at the root, alone: id, kind and containers.
    fn stands_on_genesis(&self) -> bool {
        let containers = self.kind.containers();
        let mut fixed = 0;
        for item in self.doc.map_range(ROOT, ..) {
            let counter = match containers.iter().position(|container| container.key() == item.key) {
                Some(index) => container_counter(index),
                None => match FIXED_ROOT_KEYS.iter().position(|key| *key == item.key) {
                    Some(index) => scalar_counter(index),
                    None => continue,
                },
            };
            if item.conflict || item.id() != genesis_object(counter) {
                return false;
            }
            fixed += 1;
        }
        fixed == containers.len() + FIXED_ROOT_KEYS.len()
    }

    /// The document as bytes, not compressed: rows and messages are compressed as a whole.
    pub fn save(&self) -> Vec<u8> {
        self.doc.save_nocompress()
    }

    /// The document's id.
    pub const fn id(&self) -> DocId {
        self.id
    }

    /// What it is.
    pub const fn kind(&self) -> DocKind {
        self.kind
    }

    /// The changes that no other builds on, sorted.
    pub fn heads(&self) -> Vec<ChangeHash> {
        heads_of(&self.doc)
    }

    /// Whether the document holds a change.
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        self.graph.contains(&automerge::ChangeHash(hash.0))
    }

    /// The changes that are neither among `known` nor what those build on, each behind what it builds on; never the genesis. What is not in this
    /// document is not heeded. Costs a walk over the whole graph.
    ///
    /// # Errors
    /// [`DocumentError::Unloadable`] when automerge does not give them.
    pub fn changes_beyond(&self, known: &[ChangeHash]) -> Result<Vec<Change>, DocumentError> {
        let failed = DocumentError::Unloadable { id: self.id };
        let mut known: Vec<automerge::ChangeHash> =
            known.iter().map(|hash| automerge::ChangeHash(hash.0)).filter(|hash| self.graph.contains(hash)).collect();
        known.push(automerge::ChangeHash(genesis_hash(self.kind, self.id).0));
        let changes = catch_unwind(AssertUnwindSafe(|| self.doc.get_changes(&known))).map_err(|_| failed.clone())?;
        changes.iter().map(|change| Change::reread(change.raw_bytes()).map_err(|_| failed.clone())).collect()
    }

    /// Whether the actor of a change that is not here has given its number, or a later one, to another change that is. The two can never be in one
    /// document.
    pub fn is_forked_by(&self, change: &Change) -> bool {
        let change = change.automerge();
        let last = self.graph.last_of(change.actor_id());
        last.is_some_and(|(seq, _)| seq >= change.seq()) && !self.graph.contains(&change.hash())
    }

    /// How many changes it holds, the genesis included.
    pub fn change_count(&self) -> usize {
        self.graph.len()
    }

    /// Whether an actor has written here.
    pub fn knows(&self, actor: Actor) -> bool {
        self.graph.last_of(&actor.to_id()).is_some()
    }

    /// The keys of the record, as far as they are held here. What is read of the document is in clear as far as they open it.
    pub const fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The document with other keys.
    pub fn with_keys(self, keys: Keyring) -> Self {
        Self { keys, ..self }
    }

    /// Takes other keys.
    pub fn set_keyring(&mut self, keys: Keyring) {
        self.keys = keys;
    }

    /// What is to be written, with what is personal in it sealed.
    fn sealed(&self, writes: &[Write]) -> Result<Vec<Write>, DocumentError> {
        let seal =
            |path: &Path, value: &Scalar| self.keys.seal(self.kind, self.id, path, value).ok_or(DocumentError::Locked { id: self.id });
        let sealed = |write: &Write| {
            Ok(match write {
                Write::Set(Slot::Root(key), value) => Write::Set(Slot::Root(key.clone()), seal(&Path::Root(key.clone()), value)?),
                Write::Set(Slot::In(..), _) => write.clone(),
                Write::Add(container, key, fields) => {
                    let field = |(field, value): &(String, Scalar)| {
                        Ok((field.clone(), seal(&Path::Field(*container, key.clone(), field.clone()), value)?))
                    };
                    Write::Add(*container, key.clone(), fields.iter().map(field).collect::<Result<_, DocumentError>>()?)
                }
            })
        };
        writes.iter().map(sealed).collect()
    }

    /// Writes, as `actor` at the time `at`; what is personal is sealed with the document's keys. `None` when nothing had to be written: every value is there already. What comes out was put
    /// through [`wellformed::check`], so that nobody makes a change that the hub refuses for its form. Costs 70 µs.
    ///
    /// # Errors
    /// [`DocumentError::NoContainer`] when the kind lacks a container that is written to, [`DocumentError::Malformed`] and
    /// [`DocumentError::Unparsable`] when the change would be refused, [`DocumentError::NotApplied`] when automerge fails. The document is
    /// then as it was. [`DocumentError::Locked`] when there is no key for what is personal.
    pub fn edit(&mut self, actor: Actor, at: Hlc, writes: &[Write]) -> Result<Option<Change>, DocumentError> {
        let failed = || DocumentError::NotApplied { id: self.id };
        let writes = &self.sealed(writes)?;
        let slots: Vec<ObjId> = writes.iter().map(|write| self.object_of(write)).collect::<Result<_, _>>()?;
        let mut edited = self.clone();
        let written = catch_unwind(AssertUnwindSafe(|| edited.write(actor, at, writes, &slots)));
        let Some(change) = written.map_err(|_| failed())?.map_err(|_| failed())? else { return Ok(None) };
        let change = Change::parse(change.raw_bytes())?;
        wellformed::check(self, &change)?;
        edited.note(change.automerge());
        edited.written = Written::Anywhere;
        *self = edited;
        Ok(Some(change))
    }

    fn write(&mut self, actor: Actor, at: Hlc, writes: &[Write], slots: &[ObjId]) -> Result<Option<automerge::Change>, AutomergeError> {
        self.doc.set_actor(actor.to_id());
        let mut tx = self.doc.transaction();
        for (write, object) in writes.iter().zip(slots) {
            match write {
                Write::Set(Slot::Root(key) | Slot::In(_, key), value) => tx.put(object, key.as_str(), value.to_automerge())?,
                Write::Add(_, key, fields) => add_entry(&mut tx, object, key, fields)?,
            }
        }
        let (hash, _) = tx.commit_with(CommitOptions::default().with_time(at.as_change_time()));
        let Some(hash) = hash else { return Ok(None) };
        // automerge writes the change anew from its operations: what it gives must be what it committed.
        let change = self.doc.get_last_local_change().filter(|change| change.hash() == hash);
        change.map(Some).ok_or(AutomergeError::MissingHash(hash))
    }

    /// Applies changes that were found well-formed. Those that the document holds already change nothing.
    ///
    /// # Errors
    /// [`DocumentError::NotApplied`] when one is not in the graph afterwards, or automerge panicked; the document is then not to be used any
    /// more: apply to a copy.
    pub fn apply<'a>(&mut self, changes: impl IntoIterator<Item = &'a Change>) -> Result<(), DocumentError> {
        self.written = Written::Anywhere;
        self.take(changes.into_iter().map(|change| change.automerge().clone()).collect())
    }

    /// Applies the log behind a snapshot, or behind a genesis. Each of its changes was held against its bytes when it was accepted, so what comes
    /// out does not count as written.
    ///
    /// # Errors
    /// As of [`Document::apply`].
    pub fn replay(&mut self, log: &[Change]) -> Result<(), DocumentError> {
        self.take(log.iter().map(|change| change.automerge().clone()).collect())?;
        self.written = Written::nowhere();
        Ok(())
    }

    /// Applies a change of which [`wellformed::check`] gave the operations, and keeps count of where they write.
    ///
    /// # Errors
    /// As of [`Document::apply`].
    pub fn apply_checked(&mut self, change: &Change, operations: &[Operation]) -> Result<(), DocumentError> {
        self.written.add(operations.iter().map(|operation| Object::from(&operation.path)));
        self.take(vec![change.automerge().clone()])
    }

    fn take(&mut self, changes: Vec<automerge::Change>) -> Result<(), DocumentError> {
        let failed = DocumentError::NotApplied { id: self.id };
        catch_unwind(AssertUnwindSafe(|| self.doc.apply_changes(changes.iter().cloned())))
            .map_err(|_| failed.clone())?
            .map_err(|_| failed.clone())?;
        for change in &changes {
            if self.doc.get_change_meta_by_hash(&change.hash()).is_none() {
                return Err(failed);
            }
            self.note(change);
        }
        Ok(())
    }

    /// Where it was written since it was loaded, replayed, or put through the reload check.
    pub const fn written(&self) -> &Written {
        &self.written
    }

    /// SHA-256 over all values of the document and the operations that set them, the losing ones of conflicts included: equal for equal
    /// states, in whatever order the changes came. Replicas are compared by this and not by heads: forged operations can make replicas
    /// differ under equal heads.
    pub fn digest(&self) -> [u8; 32] {
        digest::of(&self.doc)
    }

    /// The object of a container, created by the genesis.
    pub(crate) fn container(&self, container: Container) -> Option<ObjId> {
        let index = self.kind.containers().iter().position(|own| *own == container)?;
        Some(genesis_object(container_counter(index)))
    }

    fn object_of(&self, write: &Write) -> Result<ObjId, DocumentError> {
        match write {
            Write::Set(Slot::Root(_), _) => Ok(ROOT),
            Write::Set(Slot::In(container, _), _) | Write::Add(container, _, _) => {
                self.container(*container).ok_or(DocumentError::NoContainer { kind: self.kind, container: *container })
            }
        }
    }

    fn note(&mut self, change: &automerge::Change) {
        Arc::make_mut(&mut self.graph).insert(change.hash(), change.actor_id(), change.seq(), change.max_op(), change.deps().to_vec());
    }
}

fn add_entry(
    tx: &mut automerge::transaction::Transaction<'_>,
    container: &ObjId,
    key: &str,
    fields: &[(String, crate::docs::Scalar)],
) -> Result<(), automerge::AutomergeError> {
    if tx.get(container, key)?.is_some() {
        return Ok(());
    }
    let entry = tx.put_object(container, key, ObjType::Map)?;
    fields.iter().try_for_each(|(field, value)| tx.put(&entry, field.as_str(), value.to_automerge()))
}

fn heads_of(doc: &Automerge) -> Vec<ChangeHash> {
    let mut heads: Vec<ChangeHash> = doc.get_heads().iter().map(|hash| ChangeHash(hash.0)).collect();
    heads.sort();
    heads
}

/// An operation of the genesis, or the object that it made.
fn genesis_object(counter: u64) -> ObjId {
    ObjId::Id(counter, automerge::ActorId::from(GENESIS_ACTOR), 0)
}
