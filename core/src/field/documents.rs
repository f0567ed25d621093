//! Documents on the phone: the base that the server accepted, and the view with this phone's own unsent work on top.

use crate::docs::{Change, DocKind, Document, DocumentError};
use crate::field::FieldError;
use crate::field::engine::State;
use crate::field::keys::keyring;
use crate::field::outbox::Outbox;
use crate::field::tables;
use crate::model::{DocId, Receipts};
use crate::store::{Batch, Read};
use crate::summary::Summary;

/// What the server accepted of a document, as it is on disk.
#[derive(Debug, Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Base {
    #[n(0)]
    pub kind: DocKind,
    /// As automerge saves it, not compressed.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    #[n(2)]
    pub receipts: Receipts,
}

impl Base {
    pub(super) fn read(read: &dyn Read, doc: DocId) -> Result<Option<Self>, FieldError> {
        tables::get_long(read, &tables::base(doc))
    }

    pub(super) fn write(&self, batch: &mut Batch, read: &dyn Read, doc: DocId) -> Result<(), FieldError> {
        tables::put_long(batch, read, &tables::base(doc), self)
    }

    pub(super) fn load(&self, doc: DocId) -> Result<Document, FieldError> {
        Ok(Document::load(self.kind, doc, &self.bytes)?)
    }
}

/// A document as a screen shows it.
pub(super) struct View {
    pub document: Document,
    pub receipts: Receipts,
}

impl View {
    /// Base and waiting groups together, with the keys that are here; `None` when neither is here.
    pub(super) fn load(read: &dyn Read, state: &State, doc: DocId) -> Result<Option<Self>, FieldError> {
        let outbox = &state.outbox;
        let base = Base::read(read, doc)?;
        let mut changes = Vec::new();
        let mut kind = base.as_ref().map(|base| base.kind);
        for number in outbox.numbers_of(doc) {
            for change in Outbox::read(read, number)?.changes.into_iter().filter(|change| change.doc == doc) {
                kind = kind.or(Some(change.kind));
                changes.push(Change::parse(&change.bytes).map_err(|_| DocumentError::Unloadable { id: doc })?);
            }
        }
        let Some(kind) = kind else { return Ok(None) };
        let (mut document, receipts) = match base {
            Some(base) => (base.load(doc)?, base.receipts),
            None => (Document::new(kind, doc)?, Receipts::default()),
        };
        if !changes.is_empty() {
            document.apply(&changes)?;
        }
        let document = document.with_keys(keyring(read, &state.vault, doc)?);
        Ok(Some(Self { document, receipts }))
    }

    pub(super) fn summary(&self) -> Summary {
        Summary::of(&self.document, &self.receipts)
    }
}
