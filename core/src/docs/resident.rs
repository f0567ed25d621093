//! The document of a resident: the card of one person. Merge: fields are registers, tags a register each, notes are entries.

use crate::docs::write::DetailsWriter;
use crate::docs::{Document, Lock, Words, Write};
use crate::model::{GridId, HouseholdId, Note, Personal, ResidentDetails, ResidentId, Tag};

/// A resident, read from the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// The resident.
    pub id: ResidentId,
    /// The grid that the card belongs to.
    pub grid: Option<GridId>,
    /// The fields.
    pub details: ResidentDetails,
    /// The tags.
    pub tags: Vec<Tag>,
    /// The notes, oldest first.
    pub notes: Vec<Note>,
    /// Whether the card was removed.
    pub removed: bool,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
}

/// What adding or changing a resident writes.
pub fn resident_writes(details: &ResidentDetails) -> Vec<Write> {
    let mut writer = DetailsWriter::default();
    writer.text("name", details.name.as_ref().map(|name| name.reveal().as_str()));
    writer.id("household", details.household.as_ref().map(HouseholdId::as_bytes));
    writer.text("phone", details.phone.as_ref().map(|phone| phone.reveal().as_str()));
    writer.text("id_number", details.id_number.as_ref().map(|number| number.reveal().as_str()));
    writer.integer("born", details.born.as_ref().map(|born| i64::from(born.reveal().0)));
    writer.text("remark", details.remark.as_ref().map(|remark| remark.reveal().as_str()));
    writer.id("guardian", details.guardian.as_ref().map(ResidentId::as_bytes));
    writer.finish()
}

impl Resident {
    /// Reads a resident.
    pub fn read(doc: &Document) -> Self {
        Self::read_with(doc, Words::Read)
    }

    /// Reads a resident without the words of its entries: what a summary needs.
    pub fn brief(doc: &Document) -> Self {
        Self::read_with(doc, Words::Skipped)
    }

    fn read_with(doc: &Document, words: Words) -> Self {
        let root = doc.root();
        Self {
            id: ResidentId::from(doc.id()),
            grid: root.grid(),
            details: ResidentDetails {
                name: root.personal("name"),
                household: root.id("household"),
                phone: root.parsed("phone").map(Personal::new),
                id_number: root.parsed("id_number").map(Personal::new),
                born: root.day("born").map(Personal::new),
                remark: root.personal("remark"),
                guardian: root.id("guardian"),
            },
            tags: doc.tags(),
            notes: doc.notes_with(words),
            removed: root.is_removed(),
            lock: doc.lock_with(&root, words),
        }
    }
}
