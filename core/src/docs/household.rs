//! The document of a household. Merge: fields are registers, tags and members a register each, visits, amendments and notes are entries.

use crate::docs::fields::Fields;
use crate::docs::layout::Container;
use crate::docs::write::DetailsWriter;
use crate::docs::{Document, Lock, Words, Write};
use crate::model::{Attachment, GridId, HouseholdDetails, HouseholdId, Note, Notice, PlaceId, ResidentId, Tag, Visit};

/// A household, read from its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    /// The household.
    pub id: HouseholdId,
    /// The grid that it belongs to.
    pub grid: Option<GridId>,
    /// Its fields.
    pub details: HouseholdDetails,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Who lives here, by id.
    pub members: Vec<ResidentId>,
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

/// What adding or changing a household writes.
pub fn household_writes(details: &HouseholdDetails) -> Vec<Write> {
    let mut writer = DetailsWriter::default();
    writer.id("place", details.place.as_ref().map(PlaceId::as_bytes));
    writer.text("door", details.door.as_deref());
    writer.text("contact", details.contact.as_ref().map(|contact| contact.reveal().as_str()));
    writer.text("phone", details.phone.as_ref().map(|phone| phone.reveal().as_str()));
    writer.text("remark", details.remark.as_ref().map(|remark| remark.reveal().as_str()));
    let notice = details.notice.as_ref();
    writer.text("notice", notice.map(|notice| notice.version.as_str()));
    writer.text("purpose", notice.map(|notice| notice.purpose.as_str()));
    writer.integer("noticed_at", notice.map(|notice| notice.at.0));
    writer.id("noticed_by", notice.map(|notice| notice.by.as_bytes()));
    writer.finish()
}

/// The notice, if all of it is there.
fn notice(root: &Fields<'_>) -> Option<Notice> {
    Some(Notice {
        version: root.text("notice")?,
        purpose: root.text("purpose")?,
        at: root.millis("noticed_at")?,
        by: root.id("noticed_by")?,
    })
}

impl Household {
    /// Reads a household.
    pub fn read(doc: &Document) -> Self {
        Self::read_with(doc, Words::Read)
    }

    /// Reads a household without the words of its entries: what a summary needs.
    pub fn brief(doc: &Document) -> Self {
        Self::read_with(doc, Words::Skipped)
    }

    fn read_with(doc: &Document, words: Words) -> Self {
        let root = doc.root();
        Self {
            id: HouseholdId::from(doc.id()),
            grid: root.grid(),
            details: HouseholdDetails {
                place: root.id("place"),
                door: root.text("door"),
                contact: root.personal("contact"),
                phone: root.parsed("phone").map(crate::model::Personal::new),
                remark: root.personal("remark"),
                notice: notice(&root),
            },
            tags: doc.tags(),
            members: doc.set_keys(Container::Members).iter().filter_map(|key| key.parse().ok()).collect(),
            visits: doc.visits_with(words),
            notes: doc.notes_with(words),
            attachments: doc.attachments_with(words),
            removed: root.is_removed(),
            lock: doc.lock_with(&root, words),
        }
    }
}
