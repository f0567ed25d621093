//! The document of a place. Merge: fields are registers, tags a register each, patrols and notes are entries.

use crate::docs::write::DetailsWriter;
use crate::docs::{Document, Lock, Words, Write};
use crate::model::{Attachment, GridId, Note, PlaceDetails, PlaceId, PlaceKind, Tag, Visit};

/// A place, read from its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The place.
    pub id: PlaceId,
    /// The grid that it belongs to.
    pub grid: Option<GridId>,
    /// Its fields.
    pub details: PlaceDetails,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The patrols, the latest first.
    pub visits: Vec<Visit>,
    /// The notes, oldest first.
    pub notes: Vec<Note>,
    /// What was photographed here.
    pub attachments: Vec<Attachment>,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
}

/// What adding or changing a place writes.
pub fn place_writes(details: &PlaceDetails) -> Vec<Write> {
    let mut writer = DetailsWriter::default();
    writer.code("place_kind", details.kind.as_ref().map(PlaceKind::code));
    writer.text("name", details.name.as_deref());
    writer.text("address", details.address.as_deref());
    writer.text("community", details.community.as_deref());
    writer.id("parent", details.parent.as_ref().map(PlaceId::as_bytes));
    writer.text("point", details.point.map(|point| point.to_string()).as_deref());
    writer.text("access", details.access.as_ref().map(|access| access.reveal().as_str()));
    writer.text("property_company", details.property_company.as_deref());
    writer.text("developer", details.developer.as_deref());
    writer.text("owners_committee", details.owners_committee.as_deref());
    writer.finish()
}

impl Place {
    /// Reads a place.
    pub fn read(doc: &Document) -> Self {
        Self::read_with(doc, Words::Read)
    }

    /// Reads a place without the words of its entries: what a summary needs.
    pub fn brief(doc: &Document) -> Self {
        Self::read_with(doc, Words::Skipped)
    }

    fn read_with(doc: &Document, words: Words) -> Self {
        let root = doc.root();
        Self {
            id: PlaceId::from(doc.id()),
            grid: root.grid(),
            details: PlaceDetails {
                kind: root.code("place_kind", PlaceKind::from_code),
                name: root.text("name"),
                address: root.text("address"),
                community: root.text("community"),
                parent: root.id("parent"),
                point: root.point("point"),
                access: root.personal("access"),
                property_company: root.text("property_company"),
                developer: root.text("developer"),
                owners_committee: root.text("owners_committee"),
            },
            tags: doc.tags(),
            visits: doc.visits_with(words),
            notes: doc.notes_with(words),
            attachments: doc.attachments_with(words),
            removed: root.is_removed(),
            lock: doc.lock_with(&root, words),
        }
    }
}
