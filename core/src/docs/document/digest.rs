//! The digest of a document's state.
//!
//! It is asked for twice at each reload check, so it goes over the document in one pass: a look at each key, which makes automerge search,
//! takes ten times as long.

use automerge::iter::DocItem;
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

/// Hashes a document. Each part is preceded by its length or has a fixed one, so that no two documents hash the same bytes.
#[derive(Default)]
struct Digest(sha2::Sha256);

impl Digest {
    /// An object and all that is shown below it. What is hidden behind another object is not come by on the way, and is added to `hidden`.
    fn object(&mut self, doc: &Automerge, object: &ObjId, hidden: &mut Vec<ObjId>) {
        for found in doc.iter_at(object, None) {
            let DocItem::Map(item) = found.item else { continue }; // documents of ours hold maps only
            self.id(&found.obj);
            self.bytes(item.key.as_bytes());
            if !item.conflict {
                self.id(&item.id());
                self.value(&item.value.into_value());
                continue;
            }
            let shown = item.id();
            for (value, id) in doc.get_all(&*found.obj, &*item.key).unwrap_or_default() {
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
