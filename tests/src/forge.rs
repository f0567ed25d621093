//! Forged changes: what somebody sends who does not use our code.
//!
//! A [`Forger`] knows a document as its author sees it and gives honest parts: the frame of the next change, what stands under a key. A test
//! takes such parts, makes one of them wrong, and has the bytes ([`bytes_of`]) judged. What automerge's own types cannot say (columns that
//! claim more than they hold, numbers of actors that are not listed) is forged in the chunk itself: [`Chunk`].

use std::num::NonZeroU64;

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Automerge, ExpandedChange, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};
use doorstep_core::docs::layout::Container;
use doorstep_core::docs::{Actor, Document, hash_of};
use doorstep_core::model::{DeviceTag, Incarnation};

/// An actor out of one byte.
pub fn actor(byte: u8) -> Actor {
    Actor { device: DeviceTag([byte; 8]), incarnation: Incarnation([byte; 8]) }
}

/// The actor as automerge knows it.
pub fn actor_id(actor: Actor) -> ActorId {
    ActorId::from([actor.device.0, actor.incarnation.0].concat())
}

/// A document as automerge shows it to a certain author.
pub struct Forger {
    seen: Automerge,
    author: ActorId,
}

impl Forger {
    /// Looks at a document through the eyes of `author`.
    pub fn new(document: &Document, author: Actor) -> Self {
        Self { seen: Automerge::load(&document.save()).unwrap(), author: actor_id(author) }
    }

    /// The frame of the author's next change, honest in all that it says, without operations.
    pub fn frame(&self) -> ExpandedChange {
        let metas = self.seen.get_changes_meta(&[]);
        let own = metas.iter().filter(|meta| *meta.actor == self.author).max_by_key(|meta| meta.seq);
        let mut deps = self.seen.get_heads();
        deps.extend(own.map(|meta| meta.hash).filter(|hash| !deps.contains(hash)));
        deps.sort_unstable();
        ExpandedChange {
            operations: Vec::new(),
            actor_id: self.author.clone(),
            hash: None,
            seq: own.map_or(1, |meta| meta.seq + 1),
            start_op: NonZeroU64::new(self.next_counter()).unwrap(),
            time: 1_800_000_000_000 << 16,
            message: None,
            deps,
            extra_bytes: Vec::new(),
            author: None,
        }
    }

    /// The counter of the author's next operation.
    pub fn next_counter(&self) -> u64 {
        self.seen.get_changes_meta(&[]).iter().map(|meta| meta.max_op).max().unwrap_or(0) + 1
    }

    /// The id of the author's operation with this counter.
    pub fn own(&self, counter: u64) -> OpId {
        OpId::new(counter, &self.author)
    }

    /// What stands under a key of the root, the one shown last: what an honest write there would name.
    pub fn at_root(&self, key: &str) -> Vec<OpId> {
        self.at(&ROOT, key)
    }

    /// What stands under a key of a container.
    pub fn in_container(&self, container: Container, key: &str) -> Vec<OpId> {
        self.at(&self.object(&ROOT, container.key()), key)
    }

    /// What stands under a field of an entry.
    pub fn in_entry(&self, container: Container, entry: &str, field: &str) -> Vec<OpId> {
        self.at(&self.object(&self.object(&ROOT, container.key()), entry), field)
    }

    /// A container as an object to write into.
    pub fn container(&self, container: Container) -> ObjectId {
        ObjectId::Id(self.at_root(container.key()).pop().unwrap())
    }

    /// An entry as an object to write into.
    pub fn entry(&self, container: Container, entry: &str) -> ObjectId {
        ObjectId::Id(self.in_container(container, entry).pop().unwrap())
    }

    /// An honest put at the root.
    pub fn put(&self, key: &str, value: impl Into<ScalarValue>) -> Op {
        op(ObjectId::Root, key, OpType::Put(value.into()), self.at_root(key))
    }

    /// The author's next change with these operations.
    pub fn change(&self, operations: impl IntoIterator<Item = Op>) -> ExpandedChange {
        ExpandedChange { operations: operations.into_iter().collect(), ..self.frame() }
    }

    fn object(&self, parent: &ObjId, key: &str) -> ObjId {
        self.seen.get(parent, key).unwrap().unwrap().1
    }

    fn at(&self, object: &ObjId, key: &str) -> Vec<OpId> {
        let found = self.seen.get_all(object, key).unwrap();
        found
            .into_iter()
            .map(|(_, id)| match id {
                ObjId::Id(counter, actor, _) => OpId::new(counter, &actor),
                ObjId::Root => unreachable!("no operation makes the root"),
            })
            .collect()
    }
}

/// An operation under a key of a map.
pub fn op(obj: ObjectId, key: &str, action: OpType, pred: impl IntoIterator<Item = OpId>) -> Op {
    Op { action, obj, key: Key::Map(key.into()), pred: pred.into_iter().collect(), insert: false }
}

/// The creation of a map under a key.
pub fn make_map(obj: ObjectId, key: &str) -> Op {
    op(obj, key, OpType::Make(ObjType::Map), [])
}

/// A put where nothing stands.
pub fn put_new(obj: ObjectId, key: &str, value: impl Into<ScalarValue>) -> Op {
    op(obj, key, OpType::Put(value.into()), [])
}

/// The bytes of a change as automerge writes it.
pub fn bytes_of(change: ExpandedChange) -> Vec<u8> {
    automerge::Change::from(change).raw_bytes().to_vec()
}

/// Takes a real change apart.
pub fn expand(bytes: &[u8]) -> ExpandedChange {
    automerge::Change::from_bytes(bytes.to_vec()).unwrap().decode()
}

/// Puts the right checksum into the bytes of a chunk.
pub fn repair_checksum(bytes: &mut [u8]) {
    let hash = hash_of(bytes);
    bytes[4..8].copy_from_slice(&hash.0[..4]);
}

/// A change chunk, part by part as the format has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The type of the chunk: 1 is a change, 0 a document, 2 a compressed change.
    pub kind: u8,
    /// The hashes that it builds on.
    pub deps: Vec<[u8; 32]>,
    /// Who wrote it.
    pub actor: Vec<u8>,
    /// Sequence number.
    pub seq: u64,
    /// Counter of its first operation.
    pub start_op: u64,
    /// Time.
    pub time: i64,
    /// Message.
    pub message: Vec<u8>,
    /// The other actors that it names.
    pub others: Vec<Vec<u8>>,
    /// Specification and bytes of each column.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// What follows the columns.
    pub extra: Vec<u8>,
}

impl Chunk {
    /// Takes the bytes of an honest change apart.
    pub fn read(bytes: &[u8]) -> Self {
        let kind = bytes[8];
        let mut rest = &bytes[9..];
        let input = &mut rest;
        assert_eq!(unsigned(input) as usize, input.len());
        let deps = (0..unsigned(input)).map(|_| take(input, 32).try_into().unwrap()).collect();
        let actor = sized(input);
        let (seq, start_op, time) = (unsigned(input), unsigned(input), signed(input));
        let message = sized(input);
        let others = (0..unsigned(input)).map(|_| sized(input)).collect();
        let specs: Vec<(u64, u64)> = (0..unsigned(input)).map(|_| (unsigned(input), unsigned(input))).collect();
        let columns = specs.into_iter().map(|(spec, length)| (spec, take(input, length as usize))).collect();
        Self { kind, deps, actor, seq, start_op, time, message, others, columns, extra: input.to_vec() }
    }

    /// The bytes, with the right length and checksum.
    pub fn write(&self) -> Vec<u8> {
        let mut body = leb(self.deps.len() as u64);
        body.extend(self.deps.concat());
        put_sized(&mut body, &self.actor);
        body.extend(leb(self.seq));
        body.extend(leb(self.start_op));
        body.extend(signed_leb(self.time));
        put_sized(&mut body, &self.message);
        body.extend(leb(self.others.len() as u64));
        self.others.iter().for_each(|other| put_sized(&mut body, other));
        body.extend(leb(self.columns.len() as u64));
        for (spec, column) in &self.columns {
            body.extend(leb(*spec));
            body.extend(leb(column.len() as u64));
        }
        self.columns.iter().for_each(|(_, column)| body.extend(column));
        body.extend(&self.extra);
        chunk(self.kind, &body)
    }

    /// The column of a specification; made, in its place, if it is not there.
    pub fn column(&mut self, spec: u64) -> &mut Vec<u8> {
        let index = self.columns.iter().position(|(own, _)| *own >= spec).unwrap_or(self.columns.len());
        if self.columns.get(index).is_none_or(|(own, _)| *own != spec) {
            self.columns.insert(index, (spec, Vec::new()));
        }
        &mut self.columns[index].1
    }
}

/// A chunk of any type around a body, with the right checksum.
pub fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, kind];
    bytes.extend(leb(body.len() as u64));
    bytes.extend(body);
    repair_checksum(&mut bytes);
    bytes
}

/// Unsigned LEB128.
pub fn leb(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Signed LEB128.
pub fn signed_leb(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !(-64..64).contains(&value) {
        bytes.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8 & 0x7f);
    bytes
}

fn put_sized(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(leb(bytes.len() as u64));
    body.extend(bytes);
}

fn take(input: &mut &[u8], length: usize) -> Vec<u8> {
    let (taken, rest) = input.split_at(length);
    *input = rest;
    taken.to_vec()
}

fn sized(input: &mut &[u8]) -> Vec<u8> {
    let length = unsigned(input) as usize;
    take(input, length)
}

fn unsigned(input: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = take(input, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn signed(input: &mut &[u8]) -> i64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = take(input, 1)[0];
        value |= i64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            if byte & 0x40 != 0 && shift + 7 < 64 {
                value |= -1 << (shift + 7);
            }
            break;
        }
    }
    value
}
