//! The document of an organisation. Merge: fields are registers, tags a register each, visits, amendments and notes are entries.

use crate::docs::write::DetailsWriter;
use crate::docs::{Document, Write};
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
            visits: doc.visits(),
            notes: doc.notes(),
            attachments: doc.attachments(),
            removed: root.is_removed(),
        }
    }
}
