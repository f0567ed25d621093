//! The document of an organisation. Merge: fields are registers, tags a register each, visits, amendments and notes are entries.

use crate::docs::write::DetailsWriter;
use crate::docs::{Document, Lock, Words, Write};
use crate::model::{Attachment, GridId, Note, OrganisationDetails, OrganisationId, Personal, PlaceId, Tag, Visit};

/// An organisation, read from its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// The organisation.
    pub id: OrganisationId,
    /// The grid that it belongs to.
    pub grid: Option<GridId>,
    /// Its fields.
    pub details: OrganisationDetails,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The visits, the latest first.
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

/// What adding or changing an organisation writes.
pub fn organisation_writes(details: &OrganisationDetails) -> Vec<Write> {
    let mut writer = DetailsWriter::default();
    writer.text("name", details.name.as_deref());
    writer.text("credit_code", details.credit_code.as_deref());
    writer.text("contact", details.contact.as_ref().map(|contact| contact.reveal().as_str()));
    writer.text("phone", details.phone.as_ref().map(|phone| phone.reveal().as_str()));
    writer.text("trade", details.trade.as_deref());
    writer.id("place", details.place.as_ref().map(PlaceId::as_bytes));
    writer.text("address", details.address.as_deref());
    writer.finish()
}

impl Organisation {
    /// Reads an organisation.
    pub fn read(doc: &Document) -> Self {
        Self::read_with(doc, Words::Read)
    }

    /// Reads an organisation without the words of its entries: what a summary needs.
    pub fn brief(doc: &Document) -> Self {
        Self::read_with(doc, Words::Skipped)
    }

    fn read_with(doc: &Document, words: Words) -> Self {
        let root = doc.root();
        Self {
            id: OrganisationId::from(doc.id()),
            grid: root.grid(),
            details: OrganisationDetails {
                name: root.text("name"),
                credit_code: root.text("credit_code"),
                contact: root.personal("contact"),
                phone: root.parsed("phone").map(Personal::new),
                trade: root.text("trade"),
                place: root.id("place"),
                address: root.text("address"),
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
