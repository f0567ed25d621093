//! Reading typed values out of a map of a document. What has another type than expected, or does not parse, reads as absent: an older or
//! newer app may have written it, and it stays where it is.

use std::collections::BTreeMap;

use automerge::iter::DocItem;
use automerge::{ObjId, ROOT, ReadDoc, ValueRef};

use crate::docs::layout::{Container, Rule};
use crate::docs::{Document, Scalar};
use crate::model::{Attachment, Day, Millis, Personal, Point, Tag};

/// The longest code, in bytes: so that a summary with a few codes of a newer version stays within a row.
const MOST_CODE_BYTES: usize = 64;

/// The scalars of one map of a document, as they are shown. Read in one pass: asking automerge for one key after the other costs a search each,
/// and made a third of what acceptance cost (measured).
pub(crate) struct Fields {
    object: ObjId,
    values: Vec<(String, Scalar)>,
}

impl Document {
    pub(crate) fn root(&self) -> Fields {
        self.fields(ROOT)
    }

    fn fields(&self, object: ObjId) -> Fields {
        let scalar = |value| match value {
            ValueRef::Scalar(value) => Scalar::from_walk(value),
            ValueRef::Object(_) => None,
        };
        let values = self.doc.map_range(&object, ..).filter_map(|item| Some((item.key.into_owned(), scalar(item.value)?))).collect();
        Fields { object, values }
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
                    entries.push((item.key.to_string(), Fields { object: item.id(), values: Vec::new() }));
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
            (automerge::Value::Object(_), object) => Some(self.fields(object)),
            (automerge::Value::Scalar(_), _) => None,
        }
    }

    /// The keys of a container of registers that are set to `true`.
    pub(crate) fn set_keys(&self, container: Container) -> Vec<String> {
        let Some(object) = self.container(container) else { return Vec::new() };
        let set = |(key, value)| (value == Scalar::Bool(true)).then_some(key);
        self.fields(object).values.into_iter().filter_map(set).collect()
    }

    /// All registers with the value that is shown, those that this version does not know included: root keys by name, `tags/独居` in containers.
    pub fn registers(&self) -> Vec<(String, Scalar)> {
        let of = |fields: Fields, before: String| fields.values.into_iter().map(move |(key, value)| (before.clone() + &key, value));
        let mut registers: Vec<(String, Scalar)> = of(self.root(), String::new()).collect();
        for container in self.kind().containers().iter().filter(|container| container.rule() == Rule::Registers) {
            if let Some(object) = self.container(*container) {
                registers.extend(of(self.fields(object), format!("{}/", container.key())));
            }
        }
        registers
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

    pub(crate) fn scalar(&self, key: &str) -> Option<&Scalar> {
        self.values.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    fn str(&self, key: &str) -> Option<&str> {
        match self.scalar(key)? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.str(key).map(str::to_owned)
    }

    pub(crate) fn personal(&self, key: &str) -> Option<Personal<String>> {
        self.text(key).map(Personal::new)
    }

    /// A text that is parsed into a type.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.str(key)?.parse().ok()
    }

    /// A text that is a code; one that this version does not know is kept. What is longer than any code is none.
    pub(crate) fn code<T>(&self, key: &str, read: impl Fn(&str) -> T) -> Option<T> {
        self.str(key).filter(|code| code.len() <= MOST_CODE_BYTES).map(read)
    }

    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        match self.scalar(key)? {
            Scalar::Int(value) => Some(*value),
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
        match self.scalar(key)? {
            Scalar::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        match self.scalar(key)? {
            Scalar::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn id<T: for<'b> TryFrom<&'b [u8]>>(&self, key: &str) -> Option<T> {
        T::try_from(self.bytes(key)?).ok()
    }

    /// The texts under `name.0`, `name.1` and so on.
    pub(crate) fn numbered(&self, name: &str) -> Vec<String> {
        (0..).map_while(|index| self.text(&format!("{name}.{index}"))).collect()
    }
}
