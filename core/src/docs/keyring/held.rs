//! What somebody holds of one key of a record: the key itself, or what opens some of its fields, and of a field that was cut only some places.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KeyId, RecordKey};
use crate::cipher::{self, KEY};
use crate::docs::DocKind;
use crate::docs::layout::{self, Path};

/// Bytes that open something.
pub(super) type Secret = Zeroizing<[u8; KEY]>;
/// The bytes of a spot.
pub(super) const SPOT: usize = 16;

/// A place of a document, said without its words: the beginning of the SHA-256 of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot(pub [u8; SPOT]);

impl Spot {
    pub(super) fn of(path: &Path) -> Self {
        let hash: [u8; 32] = Sha256::digest(path.to_string()).into();
        Self(*hash.first_chunk().unwrap_or(&[0; SPOT]))
    }
}

/// What opens the values of one field.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum FieldKey {
    /// All of them.
    Whole(Secret),
    /// The field's key was destroyed, because of the values at these places; those at some others open still.
    Cut { given: BTreeMap<Spot, Secret>, lost: BTreeSet<Spot> },
}

impl FieldKey {
    fn value(&self, path: &Path) -> Option<Secret> {
        match self {
            Self::Whole(field) => Some(value_key(field, path)),
            Self::Cut { given, .. } => given.get(&Spot::of(path)).cloned(),
        }
    }

    /// Both together. A cut stays, and what one of them lost nobody has.
    fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Whole(_), Self::Cut { .. }) => other.clone(),
            (_, Self::Whole(_)) => self.clone(),
            (Self::Cut { given, lost }, Self::Cut { given: others, lost: others_lost }) => {
                let lost: BTreeSet<Spot> = lost.union(others_lost).copied().collect();
                let both = given.iter().chain(others).filter(|(spot, _)| !lost.contains(spot));
                Self::Cut { given: both.map(|(spot, key)| (*spot, key.clone())).collect(), lost }
            }
        }
    }

    /// With what somebody gives who may not cut.
    fn filled(&self, came: &Self) -> Self {
        match (self, came) {
            (Self::Cut { given, lost }, Self::Cut { given: others, .. }) => {
                let both = others.iter().chain(given).filter(|(spot, _)| !lost.contains(spot));
                Self::Cut { given: both.map(|(spot, key)| (*spot, key.clone())).collect(), lost: lost.clone() }
            }
            _ => self.clone(),
        }
    }

    fn cut(&self, at: &Path, places: &[Path]) -> Self {
        let spot = Spot::of(at);
        let (mut given, mut lost) = match self {
            Self::Cut { given, lost } => (given.clone(), lost.clone()),
            Self::Whole(field) => {
                let keys = places.iter().map(|path| (Spot::of(path), value_key(field, path)));
                (keys.collect(), BTreeSet::new())
            }
        };
        given.remove(&spot);
        lost.insert(spot);
        Self::Cut { given, lost }
    }
}

/// What somebody holds of one key of a record.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// The key itself.
    Whole(RecordKey),
    /// Those of some fields.
    Fields(KeyId, BTreeMap<String, FieldKey>),
}

impl Held {
    pub(super) fn id(&self) -> KeyId {
        match self {
            Self::Whole(key) => key.id(),
            Self::Fields(id, _) => *id,
        }
    }

    /// The key of a field.
    pub(super) fn field(&self, name: &str) -> Option<Secret> {
        match self {
            Self::Whole(key) => Some(key.field(name)),
            Self::Fields(_, fields) => match fields.get(name) {
                Some(FieldKey::Whole(key)) => Some(key.clone()),
                Some(FieldKey::Cut { .. }) | None => None,
            },
        }
    }

    /// Whether the key of a field was destroyed.
    pub(super) fn is_cut_in(&self, name: &str) -> bool {
        matches!(self, Self::Fields(_, fields) if matches!(fields.get(name), Some(FieldKey::Cut { .. })))
    }

    /// What opens the value of a field at a place.
    pub(super) fn value(&self, name: &str, path: &Path) -> Option<Secret> {
        match self {
            Self::Whole(key) => Some(value_key(&key.field(name), path)),
            Self::Fields(_, fields) => fields.get(name)?.value(path),
        }
    }

    /// Whether the value of a field at a place opens with it.
    pub(super) fn opens(&self, name: &str, path: &Path) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Fields(_, fields) => match fields.get(name) {
                Some(FieldKey::Whole(_)) => true,
                Some(FieldKey::Cut { given, .. }) => given.contains_key(&Spot::of(path)),
                None => false,
            },
        }
    }

    /// Whether what opened the value of a field at a place was destroyed.
    pub(super) fn has_lost(&self, name: &str, path: &Path) -> bool {
        match self {
            Self::Fields(_, fields) => matches!(fields.get(name), Some(FieldKey::Cut { lost, .. }) if lost.contains(&Spot::of(path))),
            Self::Whole(_) => false,
        }
    }

    /// Whether something of it was destroyed.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self, Self::Fields(_, fields) if fields.values().any(|field| matches!(field, FieldKey::Cut { .. })))
    }

    /// What both open together; they are of one key. Of a key that was cut the whole does not come back.
    pub(super) fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Whole(_), Self::Whole(_)) => self.clone(),
            (Self::Whole(_), Self::Fields(..)) if !other.is_cut() => self.clone(),
            (Self::Fields(..), Self::Whole(_)) if !self.is_cut() => other.clone(),
            _ => {
                let mut fields = self.fields();
                for (name, key) in other.fields() {
                    let both = fields.get(&name).map_or_else(|| key.clone(), |own| own.union(&key));
                    fields.insert(name, both);
                }
                Self::Fields(self.id(), fields)
            }
        }
    }

    /// Of a key that was cut, with what somebody gives who may not cut: they may have what opens values that were never here.
    pub(super) fn filled(&self, came: &Self) -> Self {
        let (Self::Fields(id, own), Self::Fields(_, others)) = (self, came) else { return self.clone() };
        let mut fields = own.clone();
        for (name, key) in others {
            match (own.get(name), key) {
                (Some(own), _) => drop(fields.insert(name.clone(), own.filled(key))),
                (None, FieldKey::Whole(_)) => drop(fields.insert(name.clone(), key.clone())),
                (None, FieldKey::Cut { .. }) => {}
            }
        }
        Self::Fields(*id, fields)
    }

    /// What is left of it once a value is not to be read any more: the field's key goes, those of its values at these other places stay.
    pub(super) fn cut(&self, name: &str, at: &Path, places: &[Path]) -> Self {
        let mut fields = self.fields();
        let nothing = FieldKey::Cut { given: BTreeMap::new(), lost: BTreeSet::new() };
        let cut = fields.get(name).unwrap_or(&nothing).cut(at, places);
        fields.insert(name.to_owned(), cut);
        Self::Fields(self.id(), fields)
    }

    /// What is left for who may read some fields only; of the others no more than that values were lost.
    pub(super) fn only(&self, kind: DocKind, may_read: impl Fn(&str) -> bool) -> Self {
        let mut left = BTreeMap::new();
        let mut fields = self.fields();
        for field in layout::fields(kind).iter().filter(|field| field.is_personal) {
            match fields.remove(field.name) {
                Some(key) if may_read(field.name) => drop(left.insert(field.name.to_owned(), key)),
                Some(FieldKey::Cut { lost, .. }) => {
                    left.insert(field.name.to_owned(), FieldKey::Cut { given: BTreeMap::new(), lost });
                }
                _ => {}
            }
        }
        Self::Fields(self.id(), left)
    }

    /// Its fields, one by one. Of a whole key those of all kinds: it does not know of which kind its record is.
    fn fields(&self) -> BTreeMap<String, FieldKey> {
        match self {
            Self::Fields(_, fields) => fields.clone(),
            Self::Whole(key) => layout::personal_names().map(|name| (name.to_owned(), FieldKey::Whole(key.field(name)))).collect(),
        }
    }
}

fn value_key(field: &Secret, path: &Path) -> Secret {
    cipher::derive(field, &[b"value ", path.to_string().as_bytes()])
}
