//! The reload check: a document is saved, loaded again, and the two are held against each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use automerge::{Automerge, ObjId, ROOT, ReadDoc};

use super::{Document, DocumentError, Object, Written, digest, heads_of};

/// A document as it was saved, and as it loads.
#[derive(Debug, Clone)]
pub struct Reloaded {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they load to, with the keys of the document that was saved. Who keeps this one has what everybody else will load.
    pub document: Document,
}

impl Document {
    /// Saves, loads again and compares heads, state and bytes: what passes here can be read by everybody. The state is compared in the maps
    /// that were written since the last such check, all of them where nobody kept count; the rest was compared when it was written. Costs two
    /// saves and a load, and the walk over those maps.
    ///
    /// # Errors
    /// [`DocumentError::NotReloadable`].
    pub fn saved_and_reloaded(&self) -> Result<Reloaded, DocumentError> {
        let reloaded = catch_unwind(AssertUnwindSafe(|| {
            let bytes = self.save();
            let again = Self::read(&bytes)?;
            let same = heads_of(&again) == self.heads() && self.is_same_as(&again) && again.save_nocompress() == bytes;
            let document = Self {
                id: self.id,
                kind: self.kind,
                doc: again,
                graph: Arc::clone(&self.graph),
                keys: self.keys.clone(),
                written: Written::nowhere(),
            };
            (same && document.stands_on_genesis()).then_some(Reloaded { bytes, document })
        }));
        reloaded.ok().flatten().ok_or(DocumentError::NotReloadable { id: self.id })
    }

    fn is_same_as(&self, again: &Automerge) -> bool {
        match &self.written {
            Written::Anywhere => digest::is_same(&self.doc, again),
            Written::In(objects) => {
                let mut objects = objects.iter().flat_map(|object| self.objects_of(object));
                objects.all(|object| digest::is_same_at(&self.doc, again, &object))
            }
        }
    }

    /// The maps that stand at a place; more than one only where a structural check was left out.
    fn objects_of(&self, object: &Object) -> Vec<ObjId> {
        match object {
            Object::Root => vec![ROOT],
            Object::Container(container) => self.container(*container).into_iter().collect(),
            Object::Entry(container, key) => {
                let all = self.container(*container).and_then(|object| self.doc.get_all(&object, key.as_str()).ok()).unwrap_or_default();
                all.into_iter().filter(|(value, _)| value.is_object()).map(|(_, id)| id).collect()
            }
        }
    }
}
