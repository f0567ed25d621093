//! Reading typed values out of a map of a document. What has another type than expected, or does not parse, reads as absent: an older or
//! newer app may have written it, and it stays where it is.

use automerge::{Automerge, ObjId, ROOT, ReadDoc};

use crate::docs::layout::{Container, Rule};
use crate::docs::{Document, Scalar};
use crate::model::{Attachment, Day, Millis, Personal, Point, Tag};

/// The longest code, in bytes: so that a summary with a few codes of a newer version stays within a row.
const MOST_CODE_BYTES: usize = 64;

/// One map of a document.
pub(crate) struct Fields<'a> {
    doc: &'a Automerge,
    object: ObjId,
}

impl Document {
    pub(crate) fn root(&self) -> Fields<'_> {
        Fields { doc: &self.doc, object: ROOT }
    }

    /// The entries of a container by key, each with the id of the operation that made it.
    pub(crate) fn entries(&self, container: Container) -> Vec<(String, Fields<'_>)> {
        let Some(object) = self.container(container) else { return Vec::new() };
        let keys: Vec<String> = self.doc.keys(&object).collect();
        keys.into_iter()
            .filter_map(|key| match self.doc.get(&object, key.as_str()) {
                Ok(Some((automerge::Value::Object(_), id))) => Some((key, Fields { doc: &self.doc, object: id })),
                _ => None,
            })
            .collect()
    }

    /// The keys of a container of registers that are set to `true`.
    pub(crate) fn set_keys(&self, container: Container) -> Vec<String> {
        let Some(object) = self.container(container) else { return Vec::new() };
        let fields = Fields { doc: &self.doc, object: object.clone() };
        self.doc.keys(&object).filter(|key| fields.boolean(key) == Some(true)).collect()
    }

    /// All registers with the value that is shown, those that this version does not know included: root keys by name, `tags/独居` in containers.
    pub fn registers(&self) -> Vec<(String, Scalar)> {
        let of = |fields: &Fields<'_>, before: &str| -> Vec<(String, Scalar)> {
            let keys: Vec<String> = self.doc.keys(&fields.object).collect();
            keys.into_iter().filter_map(|key| Some((format!("{before}{key}"), fields.scalar(&key)?))).collect()
        };
        let mut registers = of(&self.root(), "");
        for container in self.kind().containers().iter().filter(|container| container.rule() == Rule::Registers) {
            if let Some(object) = self.container(*container) {
                registers.extend(of(&Fields { doc: &self.doc, object }, &format!("{}/", container.key())));
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
        self.root().boolean("removed").unwrap_or(false)
    }

    /// The grids that the document says it belongs to: one, or several while a move is in conflict.
    pub fn grids(&self) -> Vec<crate::model::GridId> {
        let all = self.doc.get_all(ROOT, "grid").unwrap_or_default();
        let ids = all.into_iter().filter_map(|(value, _)| match value {
            automerge::Value::Scalar(value) => match Scalar::from_automerge(&value) {
                Some(Scalar::Bytes(bytes)) => crate::model::GridId::try_from(bytes.as_slice()).ok(),
                _ => None,
            },
            automerge::Value::Object(_) => None,
        });
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The grid that is shown: the deterministic winner.
    pub fn grid(&self) -> Option<crate::model::GridId> {
        self.root().id("grid")
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

impl Fields<'_> {
    /// The id of the operation that made this map.
    pub(crate) const fn object(&self) -> &ObjId {
        &self.object
    }

    pub(crate) fn scalar(&self, key: &str) -> Option<Scalar> {
        match self.doc.get(&self.object, key) {
            Ok(Some((automerge::Value::Scalar(value), _))) => Scalar::from_automerge(&value),
            _ => None,
        }
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

    /// A text that is parsed into a type.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    /// A text that is a code; one that this version does not know is kept. What is longer than any code is none.
    pub(crate) fn code<T>(&self, key: &str, read: impl Fn(&str) -> T) -> Option<T> {
        self.text(key).filter(|code| code.len() <= MOST_CODE_BYTES).map(|code| read(&code))
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
        match self.scalar(key)? {
            Scalar::Bool(value) => Some(value),
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
        T::try_from(self.bytes(key)?.as_slice()).ok()
    }

    /// The texts under `name.0`, `name.1` and so on.
    pub(crate) fn numbered(&self, name: &str) -> Vec<String> {
        (0..).map_while(|index| self.text(&format!("{name}.{index}"))).collect()
    }
}
