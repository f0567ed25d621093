//! The document of a case. Merge: fields are registers, events and attachments are entries; its state is no field but a fold of the events
//! by receipt ([`crate::workflow`]), so that a late phone or a wrong clock never rewrites what was decided.

use crate::docs::write::DetailsWriter;
use crate::docs::{Document, Lock, Stamped, Words, Write};
use crate::model::{
    Attachment, CaseDetails, CaseEvent, CaseId, CaseKind, Category, Channel, GridId, PartyId, Personal, PlaceId, Reporter, ResidentId,
    Urgency,
};

/// A case, read from its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The case.
    pub id: CaseId,
    /// What kind of case it is.
    pub kind: CaseKind,
    /// The grid that it belongs to.
    pub grid: Option<GridId>,
    /// Its fields.
    pub details: CaseDetails,
    /// Its events, in no particular order.
    pub events: Vec<Stamped<CaseEvent>>,
    /// What was photographed.
    pub attachments: Vec<Attachment>,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether what is personal in it can be read.
    pub lock: Lock,
}

/// What opening a case writes, beside its first event.
pub fn case_writes(kind: &CaseKind, details: &CaseDetails) -> Vec<Write> {
    let mut writer = DetailsWriter::default();
    writer.code("case_kind", Some(kind.code()));
    writer.code("category", Some(details.category.code()));
    writer.text("description", Some(details.description.reveal()));
    writer.code("urgency", Some(details.urgency.code()));
    writer.code("channel", Some(details.channel.code()));
    writer.id("place", details.place.as_ref().map(PlaceId::as_bytes));
    match &details.reporter {
        Some(Reporter::Resident(id)) => writer.id("reporter_resident", Some(id.as_bytes())),
        Some(Reporter::Party(id)) => writer.id("reporter_party", Some(id.as_bytes())),
        None => {}
    }
    writer.id("parent", details.parent.as_ref().map(CaseId::as_bytes));
    writer.text("point", details.point.map(|point| point.to_string()).as_deref());
    writer.text("claim", details.claim.as_ref().map(crate::model::ClaimKey::as_str));
    writer.finish()
}

impl Case {
    /// Reads a case.
    pub fn read(doc: &Document) -> Self {
        Self::read_with(doc, Words::Read)
    }

    /// Reads a case without the words of its entries: what a summary needs.
    pub fn brief(doc: &Document) -> Self {
        Self::read_with(doc, Words::Skipped)
    }

    fn read_with(doc: &Document, words: Words) -> Self {
        let root = doc.root();
        let resident = root.id::<ResidentId>("reporter_resident").map(Reporter::Resident);
        Self {
            id: CaseId::from(doc.id()),
            kind: root.code("case_kind", CaseKind::from_code).unwrap_or(CaseKind::Issue),
            grid: root.grid(),
            details: CaseDetails {
                category: root.code("category", Category::from_code).unwrap_or(Category::Other),
                place: root.id("place"),
                description: root.personal("description").unwrap_or(Personal::new(String::new())),
                reporter: resident.or_else(|| root.id::<PartyId>("reporter_party").map(Reporter::Party)),
                urgency: root.code("urgency", Urgency::from_code).unwrap_or(Urgency::Normal),
                channel: root.code("channel", Channel::from_code).unwrap_or(Channel::Worker),
                parent: root.id("parent"),
                point: root.point("point"),
                claim: root.parsed("claim"),
            },
            events: doc.events_with(words),
            attachments: doc.attachments_with(words),
            removed: root.is_removed(),
            lock: doc.lock_with(&root, words),
        }
    }
}
