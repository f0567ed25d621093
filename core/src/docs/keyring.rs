//! The keys of a record, and what they seal: its personal fields and free text, each for itself.
//!
//! A record, which is a document, has a key of 32 bytes, drawn by whoever begins it, phone or server. From it comes a key for each field of the
//! [`layout`](super::layout) that is personal, so that a reader can be given some fields and not others. A sealed value is a byte string in the place
//! of the value:
//!
//! ```text
//! 1 byte     the algorithm: 3; what begins with 2 or 1 is of before, sealed at more length, and 1 under the field's key
//! 8 bytes    which key of the record: the beginning of its SHA-256
//! …          the value (text, number, bytes, yes or no), sealed as `cipher` says
//! field key  HMAC-SHA-256 of the name of the field (`contact`, `visits.findings`) under the record's key
//! value key  HMAC-SHA-256 of the path of the value under the field's key
//! place      the document's id and the path of the value (`contact`, `visits/<id>/findings`): a value opens only where it was put
//! ```
//!
//! So history, hashes and signatures stay when a key is destroyed, and what it sealed is gone: nobody has to rewrite what others hold. The same
//! value sealed again at its place gives the same bytes, so setting what is there already still writes nothing. A record has more than one
//! key where what it holds was written before it had one, or two phones gave it one each.
//!
//! A single value is redacted ([`Keyring::cut`]) by cutting the keys that open it: of such a key stay those of its other fields, and of this field
//! those of the values at all other places. What is written from then on is sealed under a key of its own, and no copy of the whole key brings the value
//! back. Nothing in the document changes, so nobody signs for another's words, and what stood at the place before is closed as well. (DESIGN.md has the rest resealed
//! in a change of its own: entries are written once, and a change leaves what was there in the history.)
//!
//! What is not hidden: which fields are set, how long they are, and tags, codes and ids; the tombstone of a field stands in clear.

mod clear;
mod codec;
mod held;

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::cipher::{self, KEY};
use crate::docs::layout::{self, Path};
use crate::docs::{DocKind, Lock, Scalar};
use crate::model::{DocId, Entropy};

use held::Held;

/// How a value was sealed: its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    /// As `cipher::former` says, under the key of the field. Read, and not written any more.
    FormerByField = 1,
    /// The same under the key of the value.
    FormerByValue = 2,
    /// As `cipher` says, under the key of the value.
    ByValue = 3,
}

impl Algorithm {
    fn of(byte: u8) -> Option<Self> {
        [Self::FormerByField, Self::FormerByValue, Self::ByValue].into_iter().find(|algorithm| *algorithm as u8 == byte)
    }
}

/// The bytes of a key's id.
const ID: usize = 8;
/// How many keys a record has at most: its own, and what phones gave it that did not know of each other.
pub const MOST_KEYS: usize = 8;
/// How many there are in a ring at most, those that were cut included,
pub const MOST_RING: usize = 32;
/// and with how many no further one is cut: a server that was set up again holds what its backup had, and what was cut of keys that came after.
const MOST_BEFORE_A_CUT: usize = MOST_RING / 2;

/// Which key of a record: it can only be the id of that key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub [u8; ID]);

/// The key of a record. Overwritten in memory when it is dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordKey(Zeroizing<[u8; KEY]>);

impl RecordKey {
    /// Draws the key of a new record.
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; KEY]);
        entropy.fill(&mut *key);
        Self(key)
    }

    /// The key from its bytes; `None` where there are more or fewer than 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(*bytes.first_chunk::<KEY>().filter(|_| bytes.len() == KEY)?)))
    }

    /// The bytes, for who wraps or keeps them.
    pub fn as_bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        let hash: [u8; 32] = Sha256::digest(*self.0).into();
        KeyId(*hash.first_chunk().unwrap_or(&[0; ID]))
    }

    fn field(&self, name: &str) -> Zeroizing<[u8; KEY]> {
        cipher::derive(&self.0, &[b"field ", name.as_bytes()])
    }
}

impl std::fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordKey(hidden)")
    }
}

/// The keys that somebody holds of a record, the last first to be written with; or that the record was erased. A clone shares them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Keyring {
    keys: Arc<[(KeyId, Held)]>,
    is_erased: bool,
}

/// Why a value cannot be sealed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Sealing {
    /// A personal field in clear.
    #[error("a personal field is not sealed")]
    Missing,
    /// It does not open with the record's keys.
    #[error("a personal field does not open with the keys of its record")]
    Broken,
}

impl Keyring {
    /// The ring of a record with one key.
    pub fn of(key: RecordKey) -> Self {
        Self { keys: Arc::new([(key.id(), Held::Whole(key))]), is_erased: false }
    }

    /// That of a record of which nothing is to be read any more.
    pub fn erased() -> Self {
        Self { keys: Arc::default(), is_erased: true }
    }

    /// Whether the record was erased.
    pub const fn is_erased(&self) -> bool {
        self.is_erased
    }

    /// Whether there is a key with which all fields can be written.
    pub fn can_seal(&self) -> bool {
        self.keys.iter().any(|(_, held)| matches!(held, Held::Whole(_)))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The whole keys.
    pub fn whole(&self) -> impl Iterator<Item = &RecordKey> {
        self.keys.iter().filter_map(|(_, held)| match held {
            Held::Whole(key) => Some(key),
            Held::Fields(..) => None,
        })
    }

    /// What is known once somebody has brought a ring who may neither erase nor cut. A whole key is anybody's to give; of one that was cut here, and perhaps
    /// before its record came back, what opens the values that are not lost.
    pub fn learn(&self, came: &Self) -> Self {
        let whole = came.keys.iter().filter(|(_, held)| matches!(held, Held::Whole(_))).cloned().collect();
        let learned = self.union(&Self { keys: whole, is_erased: false });
        let filled = |(id, held): &(KeyId, Held)| match came.keys.iter().find(|(other, _)| other == id) {
            Some((_, came)) if held.is_cut() => (*id, held.filled(came)),
            _ => (*id, held.clone()),
        };
        Self { keys: learned.keys.iter().map(filled).collect(), ..learned }
    }

    /// Both together; what was erased or cut stays so. More keys than a record may have are not taken.
    pub fn union(&self, other: &Self) -> Self {
        if self.is_erased || other.is_erased {
            return Self::erased();
        }
        let mut keys = self.keys.to_vec();
        for (id, held) in other.keys.iter() {
            let whole = keys.iter().filter(|(_, held)| matches!(held, Held::Whole(_))).count();
            let has_room = keys.len() < MOST_RING && (whole < MOST_KEYS || !matches!(held, Held::Whole(_)));
            match keys.iter_mut().find(|(own, _)| own == id) {
                Some((_, own)) => *own = own.union(held),
                None if has_room => keys.push((*id, held.clone())),
                None => {}
            }
        }
        Self { keys: keys.into(), is_erased: false }
    }

    /// Whether it opens all that `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        self.union(other) == *self
    }

    /// What is left of it for who may read only some personal fields of this kind.
    pub fn only(&self, kind: DocKind, may_read: impl Fn(&str) -> bool) -> Self {
        if layout::fields(kind).iter().filter(|field| field.is_personal).all(|field| may_read(field.name)) {
            return self.clone();
        }
        let keys = self.keys.iter().map(|(id, held)| (*id, held.only(kind, &may_read)));
        Self { keys: keys.filter(|(_, held)| !matches!(held, Held::Fields(_, fields) if fields.is_empty())).collect(), ..*self }
    }

    /// Which key sealed a value; `None` where it is in clear.
    pub fn sealer(bytes: &[u8]) -> Option<KeyId> {
        split(bytes).map(|(_, id, _)| id)
    }

    /// Whether there is no room for another key, should one be cut.
    pub fn is_full(&self) -> bool {
        self.keys.len() >= MOST_BEFORE_A_CUT
    }

    /// Which of the keys open a personal value at this place.
    pub fn openers(&self, kind: DocKind, path: &Path) -> Vec<KeyId> {
        let Some(name) = layout::personal_field(kind, path) else { return Vec::new() };
        self.keys.iter().filter(|(_, held)| held.opens(name, path)).map(|(id, _)| *id).collect()
    }

    /// What is left once a key, of whatever of it is held here, opens no value at this place any more. `name` is the field's, `places` are those of all its values. A
    /// key that is not here is cut as well: should it come, it does not open what it no longer may.
    pub fn cut(&self, key: KeyId, name: &str, at: &Path, places: &[Path]) -> Self {
        if self.is_erased {
            return self.clone();
        }
        let mut keys = self.keys.to_vec();
        let has_room = keys.len() < MOST_RING;
        match keys.iter_mut().find(|(own, _)| *own == key) {
            Some((_, held)) => *held = held.cut(name, at, places),
            None if has_room => keys.push((key, Held::Fields(key, BTreeMap::new()).cut(name, at, places))),
            None => {}
        }
        Self { keys: keys.into(), is_erased: false }
    }

    /// Whether this key was cut for the sake of this place.
    pub fn is_cut_at(&self, key: KeyId, name: &str, at: &Path) -> bool {
        self.keys.iter().any(|(own, held)| *own == key && held.has_lost(name, at))
    }

    /// Whether some of it was destroyed for good: all, or what opened some value.
    pub fn is_cut(&self) -> bool {
        self.is_erased || self.is_redacted()
    }

    /// Whether what opened some value was destroyed for good, and not all.
    pub fn is_redacted(&self) -> bool {
        self.keys.iter().any(|(_, held)| held.is_cut())
    }

    /// Seals a value for its place, if it is personal. `None` where there is no key for it.
    pub fn seal(&self, kind: DocKind, doc: DocId, path: &Path, value: &Scalar) -> Option<Scalar> {
        let Some(name) = layout::personal_field(kind, path).filter(|_| *value != Scalar::Null) else { return Some(value.clone()) };
        let (id, key) = self.keys.iter().rev().find_map(|(id, held)| Some((*id, held.value(name, path)?)))?;
        let sealed = cipher::seal(&key, &place(doc, path), &clear::encode(value))?;
        Some(Scalar::Bytes([&[Algorithm::ByValue as u8][..], &id.0, &sealed].concat()))
    }

    /// A value in clear: what is not personal, and what stands in clear from before, as it is.
    ///
    /// # Errors
    /// [`Sealing::Broken`] where it is sealed and does not open.
    pub fn open(&self, kind: DocKind, doc: DocId, path: &Path, value: &Scalar) -> Result<Scalar, Sealing> {
        match value {
            Scalar::Bytes(bytes) => self.open_bytes(kind, doc, path, bytes),
            clear => Ok(clear.clone()),
        }
    }

    /// The same of a value that is bytes.
    pub(crate) fn open_bytes(&self, kind: DocKind, doc: DocId, path: &Path, bytes: &[u8]) -> Result<Scalar, Sealing> {
        let Some(name) = layout::personal_field(kind, path) else { return Ok(Scalar::Bytes(bytes.to_vec())) };
        let Some((algorithm, id, sealed)) = split(bytes) else { return Ok(Scalar::Bytes(bytes.to_vec())) };
        let held = self.keys.iter().find(|(own, _)| *own == id).map(|(_, held)| held).ok_or(Sealing::Broken)?;
        let place = place(doc, path);
        let opened = match algorithm {
            Algorithm::FormerByField => held.field(name).and_then(|key| cipher::former::open(&key, &place, sealed)),
            Algorithm::FormerByValue => held.value(name, path).and_then(|key| cipher::former::open(&key, &place, sealed)),
            Algorithm::ByValue => held.value(name, path).and_then(|key| cipher::open(&key, &place, sealed)),
        };
        opened.and_then(|value| clear::decode(&value)).ok_or(Sealing::Broken)
    }

    /// Whether somebody who is asked to take this value may: a personal field must be sealed, and open with these keys.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, kind: DocKind, doc: DocId, path: &Path, value: &Scalar) -> Result<(), Sealing> {
        if layout::personal_field(kind, path).is_none() || *value == Scalar::Null {
            return Ok(());
        }
        match value {
            Scalar::Bytes(bytes) if split(bytes).is_some() => self.open(kind, doc, path, value).map(drop),
            _ => Err(Sealing::Missing),
        }
    }

    /// How a value of this place can be read.
    pub fn lock(&self, kind: DocKind, path: &Path, value: &Scalar) -> Lock {
        match value {
            Scalar::Bytes(bytes) => self.lock_bytes(kind, path, bytes),
            _ => Lock::Open,
        }
    }

    /// The same of a value that is bytes.
    pub(crate) fn lock_bytes(&self, kind: DocKind, path: &Path, bytes: &[u8]) -> Lock {
        let (Some(name), Some((algorithm, id, _))) = (layout::personal_field(kind, path), split(bytes)) else { return Lock::Open };
        let held = self.keys.iter().find(|(own, _)| *own == id).map(|(_, held)| held);
        let is_by_field = algorithm == Algorithm::FormerByField;
        match held {
            _ if self.is_erased => Lock::Erased,
            Some(held) if is_by_field && held.field(name).is_some() => Lock::Open,
            // With the key of its field went all that was sealed under that alone.
            Some(held) if is_by_field && held.is_cut_in(name) => Lock::Redacted,
            Some(held) if !is_by_field && held.opens(name, path) => Lock::Open,
            Some(held) if held.has_lost(name, path) => Lock::Redacted,
            _ => Lock::Locked,
        }
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = if self.is_erased { "erased".to_owned() } else { format!("{} keys", self.keys.len()) };
        write!(f, "Keyring({of})")
    }
}

fn split(bytes: &[u8]) -> Option<(Algorithm, KeyId, &[u8])> {
    let (algorithm, rest) = bytes.split_first()?;
    let algorithm = Algorithm::of(*algorithm)?;
    let (id, sealed) = rest.split_first_chunk::<ID>()?;
    let overhead = if algorithm == Algorithm::ByValue { cipher::OVERHEAD } else { cipher::former::OVERHEAD };
    (sealed.len() > overhead).then_some((algorithm, KeyId(*id), sealed))
}

fn place(doc: DocId, path: &Path) -> Vec<u8> {
    [doc.as_bytes().as_slice(), path.to_string().as_bytes()].concat()
}

#[cfg(test)]
mod tests;
