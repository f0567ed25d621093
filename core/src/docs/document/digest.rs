//! The state of a document: its digest, and whether two documents are in the same one.
//!
//! Both go over a document in one pass: a look at each key, which makes automerge search, takes ten times as long.

use std::sync::Arc;

use automerge::iter::{DocItem, MapRangeItem};
use automerge::{Automerge, ObjId, ROOT, ReadDoc, ScalarValue, Value};
use sha2::Digest as _;

/// SHA-256 over all values and the operations that set them, the losing ones of conflicts included.
pub(super) fn of(doc: &Automerge) -> [u8; 32] {
    let mut digest = Digest::default();
    let mut objects = vec![ROOT];
    while let Some(object) = objects.pop() {
        digest.object(doc, &object, &mut objects);
    }
    digest.0.finalize().into()
}

/// Whether two documents are in the same state: what [`of`] hashes is held against each other, piece by piece.
pub(super) fn is_same(one: &Automerge, other: &Automerge) -> bool {
    let mut objects = vec![ROOT];
    while let Some(object) = objects.pop() {
        let mut others = items(other, &object);
        for (at, own) in items(one, &object) {
            let same = others.next().is_some_and(|(there, its)| there == at && is_same_item(&own, &its));
            if !same || own.conflict && !is_same_conflict(one, other, &at, &own, &mut objects) {
                return false;
            }
        }
        if others.next().is_some() {
            return false;
        }
    }
    true
}

/// Whether one map is in the same state in two documents, what stands in the maps below it aside.
pub(super) fn is_same_at(one: &Automerge, other: &Automerge, object: &ObjId) -> bool {
    let mut others = other.map_range(object, ..);
    let all = one.map_range(object, ..).all(|own| {
        let is_same = others.next().is_some_and(|its| is_same_item(&own, &its));
        is_same && (!own.conflict || is_same_conflict(one, other, object, &own, &mut Vec::new()))
    });
    all && others.next().is_none()
}

fn is_same_item(own: &MapRangeItem<'_>, its: &MapRangeItem<'_>) -> bool {
    its.key == own.key && its.conflict == own.conflict && its.id() == own.id() && its.value == own.value
}

/// Whether all values that stand under a key are the same. What is hidden behind the one that is shown is added to `hidden`.
fn is_same_conflict(one: &Automerge, other: &Automerge, at: &ObjId, item: &MapRangeItem<'_>, hidden: &mut Vec<ObjId>) -> bool {
    let values = one.get_all(at, &*item.key).unwrap_or_default();
    let is_same = other.get_all(at, &*item.key).is_ok_and(|others| others == values);
    let shown = item.id();
    hidden.extend(values.into_iter().filter(|(value, id)| value.is_object() && *id != shown).map(|(_, id)| id));
    is_same
}

/// All that is shown in an object and below it, with the object that it stands in. What is hidden behind another object is not come by.
fn items<'a>(doc: &'a Automerge, object: &ObjId) -> impl Iterator<Item = (Arc<ObjId>, MapRangeItem<'a>)> {
    doc.iter_at(object, None).filter_map(|found| match found.item {
        DocItem::Map(item) => Some((found.obj, item)),
        _ => None, // documents of ours hold maps only
    })
}

/// Hashes a document. Each part is preceded by its length or has a fixed one, so that no two documents hash the same bytes.
#[derive(Default)]
struct Digest(sha2::Sha256);

impl Digest {
    /// An object and all that is shown below it. What is hidden behind another object is added to `hidden`.
    fn object(&mut self, doc: &Automerge, object: &ObjId, hidden: &mut Vec<ObjId>) {
        for (at, item) in items(doc, object) {
            self.id(&at);
            self.bytes(item.key.as_bytes());
            if !item.conflict {
                self.id(&item.id());
                self.value(&item.value.into_value());
                continue;
            }
            let shown = item.id();
            for (value, id) in doc.get_all(&*at, &*item.key).unwrap_or_default() {
                self.id(&id);
                self.value(&value);
                if value.is_object() && id != shown {
                    hidden.push(id);
                }
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn id(&mut self, id: &ObjId) {
        match id {
            ObjId::Root => self.bytes(b""),
            ObjId::Id(counter, actor, _) => {
                self.bytes(actor.to_bytes());
                self.0.update(counter.to_be_bytes());
            }
        }
    }

    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Object(kind) => self.tagged(0, format!("{kind}").as_bytes()),
            Value::Scalar(value) => match value.as_ref() {
                ScalarValue::Null => self.tagged(1, b""),
                ScalarValue::Boolean(value) => self.tagged(2, &[u8::from(*value)]),
                ScalarValue::Int(value) => self.tagged(3, &value.to_be_bytes()),
                ScalarValue::Str(value) => self.tagged(4, value.as_bytes()),
                ScalarValue::Bytes(value) => self.tagged(5, value),
                foreign => self.tagged(6, format!("{foreign:?}").as_bytes()),
            },
        }
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.0.update([tag]);
        self.bytes(bytes);
    }
}
