//! The keys of a record, and what they seal: its personal fields and free text, each for itself.
//!
//! A record, which is a document, has a key of 32 bytes, drawn by whoever begins it, phone or server. From it comes a key for each field of the
//! [`layout`](super::layout) that is personal, so that a reader can be given some fields and not others. A sealed value is a byte string in the place
//! of the value:
//!
//! ```text
//! 1 byte     the algorithm: 1
//! 8 bytes    which key of the record: the beginning of its SHA-256
//! …          the value as CBOR (text, number, bytes, yes or no), sealed as `cipher` says
//! field key  HMAC-SHA-256 of the name of the field (`contact`, `visits.findings`) under the record's key
//! place      the document's id and the path of the value (`contact`, `visits/<id>/findings`): a value opens only where it was put
//! ```
//!
//! So history, hashes and signatures stay when a key is destroyed, and what it sealed is gone: nobody has to rewrite what others hold. The same
//! value sealed again at its place gives the same bytes, so setting what is there already still writes nothing. A record has more than one
//! key where what it holds was written before it had one, or two phones gave it one each.
//!
//! What is not hidden: which fields are set, how long they are, and tags, codes and ids; the tombstone of a field stands in clear.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::cipher::{self, KEY};
use crate::docs::layout::{self, Path};
use crate::docs::{DocKind, Scalar};
use crate::model::{DocId, Entropy};

/// The algorithm of a sealed value.
const ALGORITHM: u8 = 1;
/// The bytes of a key's id.
const ID: usize = 8;
/// How many bytes a sealed value is longer than its CBOR.
pub const SEAL_BYTES: usize = 1 + ID + cipher::OVERHEAD;
/// How many keys a record has at most: its own, and what phones gave it that did not know of each other.
pub const MOST_KEYS: usize = 8;

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

/// What somebody holds of one key of a record.
#[derive(Clone, PartialEq, Eq)]
enum Held {
    /// The key itself.
    Whole(RecordKey),
    /// Those of some fields.
    Fields(KeyId, Vec<(String, Zeroizing<[u8; KEY]>)>),
}

impl Held {
    fn id(&self) -> KeyId {
        match self {
            Self::Whole(key) => key.id(),
            Self::Fields(id, _) => *id,
        }
    }

    fn field(&self, name: &str) -> Option<Zeroizing<[u8; KEY]>> {
        match self {
            Self::Whole(key) => Some(key.field(name)),
            Self::Fields(_, fields) => fields.iter().find(|(own, _)| own == name).map(|(_, key)| key.clone()),
        }
    }

    /// What both open together; they are of one key.
    fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Whole(_), _) => self.clone(),
            (_, Self::Whole(_)) => other.clone(),
            (Self::Fields(id, own), Self::Fields(_, others)) => {
                let mut fields = own.clone();
                fields.extend(others.iter().filter(|(name, _)| !own.iter().any(|(known, _)| known == name)).cloned());
                Self::Fields(*id, fields)
            }
        }
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

    /// Both together; what was erased stays so. More keys than a record may have are not taken.
    pub fn union(&self, other: &Self) -> Self {
        if self.is_erased || other.is_erased {
            return Self::erased();
        }
        let mut keys = self.keys.to_vec();
        for (id, held) in other.keys.iter() {
            let has_room = keys.len() < MOST_KEYS;
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
        let personal = || layout::fields(kind).iter().filter(|field| field.is_personal);
        if personal().all(|field| may_read(field.name)) {
            return self.clone();
        }
        let some = |held: &Held| {
            let keys = personal().filter(|field| may_read(field.name));
            keys.filter_map(|field| Some((field.name.to_owned(), held.field(field.name)?))).collect::<Vec<_>>()
        };
        let keys = self.keys.iter().map(|(id, held)| (*id, Held::Fields(*id, some(held))));
        Self { keys: keys.filter(|(_, held)| !matches!(held, Held::Fields(_, fields) if fields.is_empty())).collect(), ..*self }
    }

    /// Seals a value for its place, if it is personal. `None` where there is no key for it.
    pub fn seal(&self, kind: DocKind, doc: DocId, path: &Path, value: &Scalar) -> Option<Scalar> {
        let Some(name) = layout::personal_field(kind, path).filter(|_| *value != Scalar::Null) else { return Some(value.clone()) };
        let (id, field) = self.keys.iter().rev().find_map(|(id, held)| Some((*id, held.field(name)?)))?;
        let sealed = cipher::seal(&field, &place(doc, path), &to_cbor(value))?;
        Some(Scalar::Bytes([&[ALGORITHM][..], &id.0, &sealed].concat()))
    }

    /// A value in clear: what is not personal, and what stands in clear from before, as it is.
    ///
    /// # Errors
    /// [`Sealing::Broken`] where it is sealed and does not open.
    pub fn open(&self, kind: DocKind, doc: DocId, path: &Path, value: &Scalar) -> Result<Scalar, Sealing> {
        let Scalar::Bytes(bytes) = value else { return Ok(value.clone()) };
        let Some(name) = layout::personal_field(kind, path) else { return Ok(value.clone()) };
        let Some((id, sealed)) = split(bytes) else { return Ok(value.clone()) };
        let held = self.keys.iter().find(|(own, _)| *own == id).map(|(_, held)| held).ok_or(Sealing::Broken)?;
        let field = held.field(name).ok_or(Sealing::Broken)?;
        let opened = cipher::open(&field, &place(doc, path), sealed).ok_or(Sealing::Broken)?;
        from_cbor(&opened).ok_or(Sealing::Broken)
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

    /// Whether a value of this place is sealed and does not open: it is to be shown as locked.
    pub fn is_locked(&self, kind: DocKind, path: &Path, value: &Scalar) -> bool {
        let Scalar::Bytes(bytes) = value else { return false };
        match (layout::personal_field(kind, path), split(bytes)) {
            (Some(name), Some((id, _))) => !self.keys.iter().any(|(own, held)| *own == id && held.field(name).is_some()),
            _ => false,
        }
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = if self.is_erased { "erased".to_owned() } else { format!("{} keys", self.keys.len()) };
        write!(f, "Keyring({of})")
    }
}

fn split(bytes: &[u8]) -> Option<(KeyId, &[u8])> {
    let (id, sealed) = bytes.strip_prefix(&[ALGORITHM])?.split_first_chunk::<ID>()?;
    (sealed.len() > cipher::OVERHEAD).then_some((KeyId(*id), sealed))
}

fn place(doc: DocId, path: &Path) -> Vec<u8> {
    [doc.as_bytes().as_slice(), path.to_string().as_bytes()].concat()
}

fn to_cbor(value: &Scalar) -> Zeroizing<Vec<u8>> {
    let bytes = match value {
        Scalar::Null => Ok(Vec::new()),
        Scalar::Bool(value) => minicbor::to_vec(value),
        Scalar::Int(value) => minicbor::to_vec(value),
        Scalar::Text(value) => minicbor::to_vec(value),
        Scalar::Bytes(value) => minicbor::to_vec(<&minicbor::bytes::ByteSlice>::from(value.as_slice())),
    };
    Zeroizing::new(bytes.unwrap_or_default())
}

fn from_cbor(bytes: &[u8]) -> Option<Scalar> {
    use minicbor::data::Type;
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = match decoder.datatype().ok()? {
        Type::Bool => Scalar::Bool(decoder.bool().ok()?),
        Type::String => Scalar::Text(decoder.str().ok()?.to_owned()),
        Type::Bytes => Scalar::Bytes(decoder.bytes().ok()?.to_vec()),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => Scalar::Int(decoder.i64().ok()?),
        _ => return None,
    };
    (decoder.position() == bytes.len()).then_some(value)
}

impl<C> minicbor::Encode<C> for Keyring {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        if self.is_erased {
            e.null()?;
            return Ok(());
        }
        e.array(self.keys.len() as u64)?;
        for (id, held) in self.keys.iter() {
            match held {
                Held::Whole(key) => drop(e.bytes(key.as_bytes())?),
                Held::Fields(_, fields) => {
                    e.array(2)?.bytes(&id.0)?.array(fields.len() as u64)?;
                    fields.iter().try_for_each(|(name, key)| e.array(2)?.str(name)?.bytes(&**key).map(drop))?;
                }
            }
        }
        Ok(())
    }
}

/// The most fields that a kind has, with room for those of later versions.
const MOST_FIELDS: u64 = 64;

impl<'b, C> minicbor::Decode<'b, C> for Keyring {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        use minicbor::data::Type;
        use minicbor::decode::Error;
        let bound = |length: Option<u64>, most: u64| match length {
            Some(length) if length <= most => Ok(length),
            _ => Err(Error::message("a ring has a definite number of keys and fields, and not that many")),
        };
        if d.datatype()? == Type::Null {
            d.null()?;
            return Ok(Self::erased());
        }
        let wrong = || Error::message("a key has 32 bytes, its id 8");
        let mut keys = Vec::new();
        for _ in 0..bound(d.array()?, MOST_KEYS as u64)? {
            let held = if d.datatype()? == Type::Bytes {
                Held::Whole(RecordKey::from_bytes(d.bytes()?).ok_or_else(wrong)?)
            } else {
                bound(d.array()?.filter(|length| *length == 2), 2)?;
                let id = KeyId(d.bytes()?.try_into().map_err(|_| wrong())?);
                let mut fields = Vec::new();
                for _ in 0..bound(d.array()?, MOST_FIELDS)? {
                    bound(d.array()?.filter(|length| *length == 2), 2)?;
                    let name = d.str()?.to_owned();
                    fields.push((name, Zeroizing::new(d.bytes()?.try_into().map_err(|_| wrong())?)));
                }
                Held::Fields(id, fields)
            };
            keys.push((held.id(), held));
        }
        Ok(Self { keys: keys.into(), is_erased: false })
    }
}

#[cfg(test)]
mod tests;
