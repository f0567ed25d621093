//! Reading typed values out of a map of a document. What has another type than expected, or does not parse, reads as absent: an older or
//! newer app may have written it, and it stays where it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use automerge::iter::DocItem;
use automerge::{ObjId, ROOT, ReadDoc, ValueRef};

use crate::docs::layout::{self, Container, Path, Rule};
use crate::docs::{DocKind, Document, KeyId, Keyring, Scalar, Words};
use crate::model::{Attachment, Day, DocId, Millis, Personal, Point, Tag};

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
/// and made a third of what acceptance cost (measured). What is sealed is opened when it is asked for.
pub(crate) struct Fields {
    object: ObjId,
    values: Vec<(String, Scalar)>,
    kind: DocKind,
    doc: DocId,
    keys: Keyring,
    /// The entry that this is; `None` at the root.
    entry: Option<(Container, String)>,
}

impl Document {
    pub(crate) fn root(&self) -> Fields {
        self.fields(ROOT, None)
    }

    fn empty(&self, object: ObjId, entry: Option<(Container, String)>) -> Fields {
        Fields { object, values: Vec::new(), kind: self.kind(), doc: self.id(), keys: self.keys().clone(), entry }
    }

    fn fields(&self, object: ObjId, entry: Option<(Container, String)>) -> Fields {
        let scalar = |value| match value {
            ValueRef::Scalar(value) => Scalar::from_walk(value),
            ValueRef::Object(_) => None,
        };
        let values = self.doc.map_range(&object, ..).filter_map(|item| Some((item.key.into_owned(), scalar(item.value)?))).collect();
        Fields { values, ..self.empty(object, entry) }
    }

    /// The entries of a container by key, each with the id of the operation that made it. All in one walk: to go to each entry's map by its
    /// id costs a search.
    pub(crate) fn entries(&self, container: Container) -> Vec<(String, Fields)> {
        let Some(object) = self.container(container) else { return Vec::new() };
        let mut entries: Vec<(String, Fields)> = Vec::new();
        let mut places = BTreeMap::new();
        for found in self.doc.iter_at(&object, None) {
            let DocItem::Map(item) = found.item else { continue }; // documents of ours hold maps only
            match item.value {
                ValueRef::Object(_) if *found.obj == object => {
                    places.insert(item.id(), entries.len());
                    let key = item.key.to_string();
                    entries.push((key.clone(), self.empty(item.id(), Some((container, key)))));
                }
                ValueRef::Object(_) => {}
                ValueRef::Scalar(value) => {
                    let entry = places.get(&*found.obj).and_then(|place| entries.get_mut(*place));
                    if let (Some((_, fields)), Some(value)) = (entry, Scalar::from_walk(value)) {
                        fields.values.push((item.key.into_owned(), value));
                    }
                }
            }
        }
        entries
    }

    /// One entry of a container.
    pub(crate) fn entry(&self, container: Container, key: &str) -> Option<Fields> {
        match self.doc.get(self.container(container)?, key).ok()?? {
            (automerge::Value::Object(_), object) => Some(self.fields(object, Some((container, key.to_owned())))),
            (automerge::Value::Scalar(_), _) => None,
        }
    }

    /// The keys of a container of registers that are set to `true`.
    pub(crate) fn set_keys(&self, container: Container) -> Vec<String> {
        let Some(object) = self.container(container) else { return Vec::new() };
        let set = |(key, value)| (value == Scalar::Bool(true)).then_some(key);
        self.fields(object, None).values.into_iter().filter_map(set).collect()
    }

    /// All registers with the value that is shown, those that this version does not know included: root keys by name, `tags/独居` in containers.
    /// What is locked is left out.
    pub fn registers(&self) -> Vec<(String, Scalar)> {
        let of = |fields: Fields, before: String| fields.values.into_iter().map(move |(key, value)| (before.clone() + &key, value));
        let root = self.root();
        let clear = |(key, value): &(String, Scalar)| Some((key.clone(), root.opened(key, value)?.into_owned()));
        let mut registers: Vec<(String, Scalar)> = root.values.iter().filter_map(clear).collect();
        for container in self.kind().containers().iter().filter(|container| container.rule() == Rule::Registers) {
            if let Some(object) = self.container(*container) {
                registers.extend(of(self.fields(object, None), format!("{}/", container.key())));
            }
        }
        registers
    }

    /// Whether something personal in it does not open with the keys that are held here: it is to be shown as locked, never as empty.
    pub fn lock(&self) -> Lock {
        self.lock_with(Words::Read)
    }

    pub(crate) fn lock_with(&self, words: Words) -> Lock {
        if self.keys().is_erased() {
            return Lock::Erased;
        }
        let mut lock = self.root().lock();
        if words == Words::Read && lock != Lock::Locked {
            lock = self.all_entries().fold(lock, |lock, entry| worse(lock, entry.lock()));
        }
        lock
    }

    /// The fields of all entries.
    fn all_entries(&self) -> impl Iterator<Item = Fields> {
        let containers = self.kind().containers().iter().filter(|own| own.rule() == Rule::Entries);
        containers.flat_map(|own| self.entries(*own)).map(|(_, entry)| entry)
    }

    /// The places of all personal values, those that do not open included, each with its field.
    pub fn personal_places(&self) -> Vec<(Path, &'static str)> {
        let of = |fields: Fields| fields.values.iter().map(|(key, _)| fields.path(key)).collect::<Vec<_>>();
        let all = std::iter::once(self.root()).chain(self.all_entries()).flat_map(of);
        all.filter_map(|path| layout::personal_field(self.kind(), &path).map(|field| (path, field))).collect()
    }

    /// The keys with which what stands at a place can be read, or what stood there before: of a field of an entry, which is written once, the one that
    /// sealed it; of a register all that could have. Empty where nothing personal stands there that opens.
    pub fn openers_at(&self, path: &Path) -> Vec<KeyId> {
        let opens = |value: &Scalar| self.keys().lock(self.kind(), path, value) == Lock::Open;
        match path {
            Path::Root(key) => {
                let candidates = self.doc.get_all(ROOT, key.as_str()).unwrap_or_default();
                let mut values = candidates.iter().filter_map(|(value, _)| Scalar::from_automerge(value.as_scalar()?));
                if values.any(|value| opens(&value)) { self.keys().openers(self.kind(), path) } else { Vec::new() }
            }
            Path::Field(container, entry, field) => {
                let entry = self.entry(*container, entry);
                let value = entry.as_ref().and_then(|entry| entry.values.iter().find(|(own, _)| own == field));
                value.filter(|(_, value)| opens(value)).and_then(|(_, value)| Keyring::sealer(value)).into_iter().collect()
            }
            Path::Register(..) | Path::Entry(..) => Vec::new(),
        }
    }

    /// The personal texts that open, each with its place.
    pub fn personal_texts(&self) -> Vec<(Path, Personal<String>)> {
        let of = |fields: Fields| {
            let text = |(key, _): &(String, Scalar)| Some((fields.path(key), fields.personal(key)?));
            fields.values.iter().filter_map(text).collect::<Vec<_>>()
        };
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

impl Fields {
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

    /// A value, in clear; one that is sealed and does not open reads as absent, and [`Document::lock`] says so.
    pub(crate) fn scalar(&self, key: &str) -> Option<Cow<'_, Scalar>> {
        let (_, value) = self.values.iter().find(|(own, _)| own == key)?;
        self.opened(key, value)
    }

    fn opened<'a>(&self, key: &str, value: &'a Scalar) -> Option<Cow<'a, Scalar>> {
        match value {
            Scalar::Bytes(_) => self.keys.open(self.kind, self.doc, &self.path(key), value).ok().map(Cow::Owned),
            _ => Some(Cow::Borrowed(value)),
        }
    }

    fn path(&self, key: &str) -> Path {
        match &self.entry {
            None => Path::Root(key.to_owned()),
            Some((container, entry)) => Path::Field(*container, entry.clone(), key.to_owned()),
        }
    }

    /// How what is here can be read.
    pub(crate) fn lock(&self) -> Lock {
        let sealed = self.values.iter().filter(|(_, value)| matches!(value, Scalar::Bytes(_)));
        sealed.fold(Lock::Open, |lock, (key, value)| worse(lock, self.keys.lock(self.kind, &self.path(key), value)))
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.scalar(key)?.into_owned() {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn personal(&self, key: &str) -> Option<Personal<String>> {
        self.text(key).map(Personal::new)
    }

    /// Words that an entry cannot be without; none of them where they do not open, for the entry is there all the same.
    pub(crate) fn words(&self, key: &str) -> Option<Personal<String>> {
        let (_, value) = self.values.iter().find(|(own, _)| own == key)?;
        self.personal(key).or_else(|| (self.keys.lock(self.kind, &self.path(key), value) != Lock::Open).then(Personal::default))
    }

    /// A text that is parsed into a type.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    /// A text that is a code; one that this version does not know is kept. What is longer than any code is none.
    pub(crate) fn code<T>(&self, key: &str, read: impl Fn(&str) -> T) -> Option<T> {
        self.text(key).filter(|code| code.len() <= MOST_CODE_BYTES).map(|code| read(&code))
    }

    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        match *self.scalar(key)? {
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
        match *self.scalar(key)? {
            Scalar::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        match self.scalar(key)?.into_owned() {
            Scalar::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn id<T: for<'b> TryFrom<&'b [u8]>>(&self, key: &str) -> Option<T> {
        T::try_from(self.bytes(key)?.as_slice()).ok()
    }

    /// The texts under `name.0`, `name.1` and so on.
    pub(crate) fn numbered(&self, name: &str) -> Vec<String> {
        (0..).map_while(|index| self.text(&format!("{name}.{index}"))).collect()
    }
}
