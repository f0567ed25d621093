//! The document of a party: who is contacted in a case and is no registered resident. Merge: fields are registers, notes are entries.

use crate::docs::write::DetailsWriter;
use crate::docs::{Document, Lock, Words, Write};
use crate::model::{GridId, Note, PartyDetails, PartyId, Personal};

/// A party, read from its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The party.
    pub id: PartyId,
    /// The grid whose worker took it in.
    pub grid: Option<GridId>,
    /// The fields.
    pub details: PartyDetails,
    /// The notes, oldest first.
    pub notes: Vec<Note>,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
}

/// What taking in or changing a party writes.
pub fn party_writes(details: &PartyDetails) -> Vec<Write> {
    let mut writer = DetailsWriter::default();
    writer.text("name", details.name.as_ref().map(|name| name.reveal().as_str()));
    writer.text("phone", details.phone.as_ref().map(|phone| phone.reveal().as_str()));
    writer.text("id_number", details.id_number.as_ref().map(|number| number.reveal().as_str()));
    writer.text("address", details.address.as_ref().map(|address| address.reveal().as_str()));
    writer.finish()
}

impl Party {
    /// Reads a party.
    pub fn read(doc: &Document) -> Self {
        Self::read_with(doc, Words::Read)
    }

    /// Reads a party without the words of its entries: what a summary needs.
    pub fn brief(doc: &Document) -> Self {
        Self::read_with(doc, Words::Skipped)
    }

    fn read_with(doc: &Document, words: Words) -> Self {
        let root = doc.root();
        Self {
            id: PartyId::from(doc.id()),
            grid: root.grid(),
            details: PartyDetails {
                name: root.personal("name"),
                phone: root.parsed("phone").map(Personal::new),
                id_number: root.parsed("id_number").map(Personal::new),
                address: root.personal("address"),
            },
            notes: doc.notes_with(words),
            removed: root.is_removed(),
            lock: doc.lock_with(&root, words),
        }
    }
}
