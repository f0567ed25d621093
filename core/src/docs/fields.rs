//! Reading typed values out of a map of a document. What has another type than expected, or does not parse, reads as absent: an older or
//! newer app may have written it, and it stays where it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use automerge::iter::DocItem;
use automerge::{ObjId, ROOT, ReadDoc, ScalarValueRef, ValueRef};

use crate::docs::layout::{self, Container, Path, Rule};
use crate::docs::{Document, KeyId, Keyring, Scalar, Words};
use crate::model::{Attachment, Day, Millis, Personal, Point, Tag};

/// The longest code, in bytes: so that a summary with a few codes of a newer version stays within a row.
const MOST_CODE_BYTES: usize = 64;

/// Whether what is personal in a record can be read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Lock {
    /// All of it.
    #[default]
    #[n(0)]
    Open,
    /// Some of it is sealed and its key is not here: this person may not read it, or the key has not come yet.
    #[n(1)]
    Locked,
    /// Its key was destroyed: nobody reads it any more.
    #[n(2)]
    Erased,
    /// The key of some of it was destroyed, because a person who was erased is spoken of there; the rest is open.
    #[n(3)]
    Redacted,
}

impl Lock {
    /// Its word in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Locked => "locked",
            Self::Erased => "erased",
            Self::Redacted => "redacted",
        }
    }
}

/// What is to be said of two values together: that one may open elsewhere weighs more than that one opens nowhere.
fn worse(one: Lock, other: Lock) -> Lock {
    let weight = |lock| match lock {
        Lock::Open => 0,
        Lock::Redacted => 1,
        Lock::Locked => 2,
        Lock::Erased => 3,
    };
    if weight(other) > weight(one) { other } else { one }
}

/// The scalars of one map of a document, as they are shown. Read in one pass: asking automerge for one key after the other costs a search each,
/// and made a third of what acceptance cost (measured). Borrowed from the document: a summary looks at few of them. What is sealed is opened when it is
/// asked for.
pub(crate) struct Fields<'a> {
    document: &'a Document,
    object: ObjId,
    values: Vec<(Cow<'a, str>, ScalarValueRef<'a>)>,
    /// The entry that this is; `None` at the root.
    entry: Option<(Container, Cow<'a, str>)>,
}

impl Document {
    pub(crate) fn root(&self) -> Fields<'_> {
        self.fields(ROOT, None)
    }

    fn fields<'a>(&'a self, object: ObjId, entry: Option<(Container, Cow<'a, str>)>) -> Fields<'a> {
        let scalar = |value| match value {
            ValueRef::Scalar(value) => Some(value),
            ValueRef::Object(_) => None,
        };
        let values = self.doc.map_range(&object, ..).filter_map(|item| Some((item.key, scalar(item.value)?))).collect();
        Fields { document: self, object, values, entry }
    }

    /// The entries of a container by key, each with the id of the operation that made it. All in one walk: to go to each entry's map by its
    /// id costs a search.
    pub(crate) fn entries(&self, container: Container) -> Vec<(Cow<'_, str>, Fields<'_>)> {
        let Some(object) = self.container(container) else { return Vec::new() };
        let mut entries: Vec<(Cow<'_, str>, Fields<'_>)> = Vec::new();
        let mut places = BTreeMap::new();
        // The walk goes through one map after the other.
        let mut now: Option<(Arc<ObjId>, Option<usize>)> = None;
        for found in self.doc.iter_at(&object, None) {
            let DocItem::Map(item) = found.item else { continue }; // documents of ours hold maps only
            match item.value {
                ValueRef::Object(_) if *found.obj == object => {
                    let entry = item.id();
                    places.insert(entry.clone(), entries.len());
                    let fields = Fields { document: self, object: entry, values: Vec::new(), entry: Some((container, item.key.clone())) };
                    entries.push((item.key, fields));
                }
                ValueRef::Object(_) => {}
                ValueRef::Scalar(value) => {
                    let (_, place) = match now.take() {
                        Some(same) if Arc::ptr_eq(&same.0, &found.obj) => now.insert(same),
                        _ => now.insert((Arc::clone(&found.obj), places.get(&*found.obj).copied())),
                    };
                    if let Some((_, fields)) = place.and_then(|place| entries.get_mut(place)) {
                        fields.values.push((item.key, value));
                    }
                }
            }
        }
        entries
    }

    /// One entry of a container.
    pub(crate) fn entry(&self, container: Container, key: &str) -> Option<Fields<'_>> {
        match self.doc.get(self.container(container)?, key).ok()?? {
            (automerge::Value::Object(_), object) => Some(self.fields(object, Some((container, Cow::Owned(key.to_owned()))))),
            (automerge::Value::Scalar(_), _) => None,
        }
    }

    /// The keys of a container of registers that are set to `true`.
    pub(crate) fn set_keys(&self, container: Container) -> Vec<String> {
        let Some(object) = self.container(container) else { return Vec::new() };
        let set = |(key, value): (Cow<'_, str>, _)| (value == ScalarValueRef::Boolean(true)).then(|| key.into_owned());
        self.fields(object, None).values.into_iter().filter_map(set).collect()
    }

    /// All registers with the value that is shown, those that this version does not know included: root keys by name, `tags/独居` in containers.
    /// What is locked is left out.
    pub fn registers(&self) -> Vec<(String, Scalar)> {
        let root = self.root();
        let mut registers: Vec<(String, Scalar)> = root.keys().filter_map(|key| Some((key.to_owned(), root.scalar(key)?))).collect();
        for container in self.kind().containers().iter().filter(|container| container.rule() == Rule::Registers) {
            let values = self.container(*container).map(|object| self.fields(object, None).values).unwrap_or_default();
            let register = |(key, value)| Some((format!("{}/{key}", container.key()), Scalar::from_walk(value)?));
            registers.extend(values.into_iter().filter_map(register));
        }
        registers
    }

    /// Whether something personal in it does not open with the keys that are held here: it is to be shown as locked, never as empty.
    pub fn lock(&self) -> Lock {
        self.lock_with(&self.root(), Words::Read)
    }

    pub(crate) fn lock_with(&self, root: &Fields<'_>, words: Words) -> Lock {
        if self.keys().is_erased() {
            return Lock::Erased;
        }
        let mut lock = root.lock();
        if words == Words::Read && lock != Lock::Locked {
            lock = self.all_entries().fold(lock, |lock, entry| worse(lock, entry.lock()));
        }
        lock
    }

    /// The fields of all entries.
    fn all_entries(&self) -> impl Iterator<Item = Fields<'_>> {
        let containers = self.kind().containers().iter().filter(|own| own.rule() == Rule::Entries);
        containers.flat_map(|own| self.entries(*own)).map(|(_, entry)| entry)
    }

    /// The places of all personal values, those that do not open included, each with its field.
    pub fn personal_places(&self) -> Vec<(Path, &'static str)> {
        let of = |fields: Fields<'_>| fields.keys().map(|key| fields.path(key)).collect::<Vec<_>>();
        let all = std::iter::once(self.root()).chain(self.all_entries()).flat_map(of);
        all.filter_map(|path| layout::personal_field(self.kind(), &path).map(|field| (path, field))).collect()
    }

    /// The keys with which what stands at a place can be read, or what stood there before: of a field of an entry, which is written once, the one that
    /// sealed it; of a register all that could have. Empty where nothing personal stands there that opens.
    pub fn openers_at(&self, path: &Path) -> Vec<KeyId> {
        match path {
            Path::Root(key) => {
                let candidates = self.doc.get_all(ROOT, key.as_str()).unwrap_or_default();
                let mut values = candidates.iter().filter_map(|(value, _)| Scalar::from_automerge(value.as_scalar()?));
                let opens = values.any(|value| self.keys().lock(self.kind(), path, &value) == Lock::Open);
                if opens { self.keys().openers(self.kind(), path) } else { Vec::new() }
            }
            Path::Field(container, entry, field) => {
                let entry = self.entry(*container, entry);
                entry.filter(|entry| entry.lock_of(field) == Lock::Open).and_then(|entry| entry.sealer(field)).into_iter().collect()
            }
            Path::Register(..) | Path::Entry(..) => Vec::new(),
        }
    }

    /// The personal texts that open, each with its place.
    pub fn personal_texts(&self) -> Vec<(Path, Personal<String>)> {
        let of = |fields: Fields<'_>| fields.keys().filter_map(|key| Some((fields.path(key), fields.personal(key)?))).collect::<Vec<_>>();
        let all = std::iter::once(self.root()).chain(self.all_entries()).flat_map(of);
        all.filter(|(path, _)| layout::personal_field(self.kind(), path).is_some()).collect()
    }

    /// How the value at a root key can be read.
    pub(crate) fn lock_at(&self, path: &Path) -> Lock {
        let Path::Root(key) = path else { return Lock::Open };
        let value = self.doc.get(ROOT, key.as_str()).ok().flatten().and_then(|(value, _)| Scalar::from_automerge(value.as_scalar()?));
        value.map_or(Lock::Open, |value| self.keys().lock(self.kind(), path, &value))
    }

    /// The document's tags, sorted.
    pub fn tags(&self) -> Vec<Tag> {
        self.set_keys(Container::Tags).iter().filter_map(|tag| tag.parse().ok()).collect()
    }

    /// Whether the document was removed: a tombstone, its history stays.
    pub fn is_removed(&self) -> bool {
        self.root().is_removed()
    }

    /// The grids that the document says it belongs to: one, or several while a move is in conflict.
    pub fn grids(&self) -> Vec<crate::model::GridId> {
        let all = self.doc.get_all(ROOT, "grid").unwrap_or_default();
        let ids = all.into_iter().filter_map(|(value, _)| crate::model::GridId::try_from(value.as_bytes()?).ok());
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The grid that is shown: the deterministic winner.
    pub fn grid(&self) -> Option<crate::model::GridId> {
        self.root().grid()
    }

    /// The attachments, by when they were added.
    pub fn attachments(&self) -> Vec<Attachment> {
        self.attachments_with(Words::Read)
    }

    pub(crate) fn attachments_with(&self, words: Words) -> Vec<Attachment> {
        if words == Words::Skipped {
            return Vec::new();
        }
        let entries = self.entries(Container::Attachments);
        let mut found: Vec<Attachment> =
            entries.iter().filter_map(|(key, fields)| crate::docs::entry::read_attachment(key, fields)).collect();
        found.sort_by_key(|attachment| (attachment.at, attachment.sha256));
        found
    }
}

impl Fields<'_> {
    /// The id of the operation that made this map.
    pub(crate) const fn object(&self) -> &ObjId {
        &self.object
    }

    /// Of the root: the grid that is shown.
    pub(crate) fn grid(&self) -> Option<crate::model::GridId> {
        self.id("grid")
    }

    /// Of the root: whether the document was removed.
    pub(crate) fn is_removed(&self) -> bool {
        self.boolean("removed").unwrap_or(false)
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(key, _)| &**key)
    }

    fn shown(&self, key: &str) -> Option<&ScalarValueRef<'_>> {
        self.values.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// The bytes under a key, if what stands there may be sealed.
    fn sealed(&self, key: &str) -> Option<&[u8]> {
        match self.shown(key)? {
            ScalarValueRef::Bytes(bytes) if self.is_personal(key) => Some(bytes),
            _ => None,
        }
    }

    fn is_personal(&self, key: &str) -> bool {
        layout::personal_name(self.document.kind(), self.entry.as_ref().map(|(container, _)| *container), key).is_some()
    }

    fn path(&self, key: &str) -> Path {
        match &self.entry {
            None => Path::Root(key.to_owned()),
            Some((container, entry)) => Path::Field(*container, entry.to_string(), key.to_owned()),
        }
    }

    /// A value, in clear; one that is sealed and does not open reads as absent, and [`Document::lock`] says so.
    fn scalar(&self, key: &str) -> Option<Scalar> {
        match self.sealed(key) {
            Some(bytes) => self.document.keys().open_bytes(self.document.kind(), self.document.id(), &self.path(key), bytes).ok(),
            None => Scalar::from_walk(self.shown(key)?.clone()),
        }
    }

    fn lock_of(&self, key: &str) -> Lock {
        let lock = |bytes| self.document.keys().lock_bytes(self.document.kind(), &self.path(key), bytes);
        self.sealed(key).map_or(Lock::Open, lock)
    }

    fn sealer(&self, key: &str) -> Option<KeyId> {
        Keyring::sealer(self.sealed(key)?)
    }

    /// How what is here can be read.
    pub(crate) fn lock(&self) -> Lock {
        self.keys().fold(Lock::Open, |lock, key| worse(lock, self.lock_of(key)))
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.scalar(key)? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn personal(&self, key: &str) -> Option<Personal<String>> {
        self.text(key).map(Personal::new)
    }

    /// Words that an entry cannot be without; none of them where they do not open, for the entry is there all the same.
    pub(crate) fn words(&self, key: &str) -> Option<Personal<String>> {
        self.shown(key)?;
        self.personal(key).or_else(|| (self.lock_of(key) != Lock::Open).then(Personal::default))
    }

    /// A text that is parsed into a type.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    /// A text that is a code; one that this version does not know is kept. What is longer than any code is none.
    pub(crate) fn code<T>(&self, key: &str, read: impl Fn(&str) -> T) -> Option<T> {
        match self.shown(key)? {
            ScalarValueRef::Str(code) if code.len() <= MOST_CODE_BYTES => Some(read(code)),
            _ => None,
        }
    }

    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        match self.scalar(key)? {
            Scalar::Int(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn millis(&self, key: &str) -> Option<Millis> {
        self.integer(key).map(Millis)
    }

    pub(crate) fn day(&self, key: &str) -> Option<Day> {
        self.integer(key).and_then(|days| i32::try_from(days).ok()).map(Day)
    }

    pub(crate) fn point(&self, key: &str) -> Option<Point> {
        self.parsed(key)
    }

    pub(crate) fn boolean(&self, key: &str) -> Option<bool> {
        match self.shown(key)? {
            ScalarValueRef::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        match self.scalar(key)? {
            Scalar::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn id<T: for<'b> TryFrom<&'b [u8]>>(&self, key: &str) -> Option<T> {
        match self.shown(key)? {
            ScalarValueRef::Bytes(bytes) if !self.is_personal(key) => T::try_from(bytes).ok(),
            _ => T::try_from(self.bytes(key)?.as_slice()).ok(),
        }
    }

    /// The texts under `name.0`, `name.1` and so on.
    pub(crate) fn numbered(&self, name: &str) -> Vec<String> {
        (0..).map_while(|index| self.text(&format!("{name}.{index}"))).collect()
    }
}
