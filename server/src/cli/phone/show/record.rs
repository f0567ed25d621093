//! Places, households, residents, organisations and parties: their fields and what stands beside.

use std::io::{self, Write};

use doorstep_core::docs::{DocKind, Lock};
use doorstep_core::model::{DocId, GridId, Personal, Phone as Number};
use serde::Serialize;
use serde_json::{Map, Value};

use super::part::{
    AttachmentView, ConflictView, NoteView, Reader, VisitView, write_attachments, write_conflicts, write_lock, write_notes, write_visits,
};
use crate::cli::phone::PhoneError;
use crate::cli::phone::mark::{Mark, Ref, lock_code, mask, tail};
use crate::cli::phone::page::{Show, one_line};
use crate::cli::phone::row::words;
use crate::cli::text::{Lang, Text};

/// A record: what all kinds have, and the fields of its kind.
#[derive(Debug, Serialize)]
pub(super) struct RecordView {
    id: String,
    short: String,
    kind: &'static str,
    grid: Option<Ref>,
    #[serde(flatten)]
    fields: Fields,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<MemberView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visits: Option<Vec<VisitView>>,
    notes: Vec<NoteView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<Vec<AttachmentView>>,
    conflicts: Vec<ConflictView>,
    removed: bool,
    #[serde(serialize_with = "lock_code")]
    lock: Lock,
    #[serde(flatten)]
    mark: Mark,
}

/// A resident of a household.
#[derive(Debug, Serialize)]
struct MemberView {
    id: String,
    short: String,
    name: Option<String>,
    phone: Option<String>,
}

/// The fields of a kind in their order: a value of JSON each, and the line that a person reads.
#[derive(Debug, Default)]
struct Fields(Vec<(&'static str, Value, Option<String>)>);

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map: Map<String, Value> = self.0.iter().map(|(name, value, _)| ((*name).to_owned(), value.clone())).collect();
        map.serialize(serializer)
    }
}

impl Fields {
    fn text(&mut self, name: &'static str, text: Option<String>) {
        self.0.push((name, text.clone().map_or(Value::Null, Value::String), text));
    }

    fn personal(&mut self, name: &'static str, text: Option<Personal<String>>) {
        self.text(name, text.map(Personal::into_inner));
    }

    fn number(&mut self, reader: &Reader<'_>, name: &'static str, number: Option<&str>) {
        self.text(name, number.map(|number| reader.number(number)));
    }

    fn reference(&mut self, name: &'static str, reference: Option<Ref>) {
        let value = reference.as_ref().map_or(Value::Null, |reference| serde_json::json!({ "id": reference.id, "name": reference.name }));
        self.0.push((name, value, reference.map(|reference| reference.word())));
    }
}

/// What is read from a document of any kind, before it is put together.
#[derive(Default)]
struct Parts {
    grid: Option<GridId>,
    fields: Fields,
    tags: Vec<String>,
    members: Option<Vec<MemberView>>,
    visits: Option<Vec<VisitView>>,
    notes: Vec<NoteView>,
    attachments: Option<Vec<AttachmentView>>,
    removed: bool,
    lock: Lock,
}

pub(super) fn read(reader: &Reader<'_>, kind: DocKind, id: DocId) -> Result<RecordView, PhoneError> {
    let parts = match kind {
        DocKind::Household => household(reader, id)?,
        DocKind::Resident => resident(reader, id)?,
        DocKind::Organisation => organisation(reader, id)?,
        DocKind::Party => party(reader, id)?,
        DocKind::Place | DocKind::Case => place(reader, id)?,
    };
    let engine = &reader.phone.engine;
    Ok(RecordView {
        id: id.to_string(),
        short: reader.index.short(id),
        kind: kind.name(),
        grid: reader.index.grid(parts.grid),
        fields: parts.fields,
        tags: parts.tags,
        members: parts.members,
        visits: parts.visits,
        notes: parts.notes,
        attachments: parts.attachments,
        conflicts: reader.conflicts(engine.conflicts(kind, id)?)?,
        removed: parts.removed,
        lock: parts.lock,
        mark: engine.sync_state(id).into(),
    })
}

fn place(reader: &Reader<'_>, id: DocId) -> Result<Parts, PhoneError> {
    let place = reader.phone.engine.place(id.into())?;
    let details = place.details;
    let mut fields = Fields::default();
    fields.text("name", details.name);
    fields.text("place_kind", details.kind.map(|kind| kind.code().to_owned()));
    fields.reference("parent", reader.index.place(details.parent));
    fields.text("address", details.address);
    fields.text("community", details.community);
    fields.text("point", details.point.map(|point| point.to_string()));
    fields.personal("access", details.access);
    fields.text("property_company", details.property_company);
    fields.text("developer", details.developer);
    fields.text("owners_committee", details.owners_committee);
    Ok(Parts {
        grid: place.grid,
        fields,
        tags: words(&place.tags),
        visits: Some(reader.visits(place.visits)),
        notes: reader.notes(place.notes),
        attachments: Some(reader.attachments(place.attachments)),
        removed: place.removed,
        lock: place.lock,
        ..Parts::default()
    })
}

fn household(reader: &Reader<'_>, id: DocId) -> Result<Parts, PhoneError> {
    let household = reader.phone.engine.household(id.into())?;
    let details = household.details;
    let mut fields = Fields::default();
    fields.reference("place", reader.index.place(details.place));
    fields.text("door", details.door);
    fields.personal("contact", details.contact);
    fields.number(reader, "phone", digits(&details.phone));
    fields.personal("remark", details.remark);
    if let Some(notice) = details.notice {
        fields.text("notice", Some(notice.version));
        fields.text("purpose", Some(notice.purpose));
        fields.text("noticed_at", Some(notice.at.to_string()));
        fields.reference("noticed_by", Some(reader.index.person(notice.by)));
    }
    let members = household.members.into_iter().map(|resident| member(reader, resident.into())).collect::<Result<_, _>>()?;
    Ok(Parts {
        grid: household.grid,
        fields,
        tags: words(&household.tags),
        members: Some(members),
        visits: Some(reader.visits(household.visits)),
        notes: reader.notes(household.notes),
        attachments: Some(reader.attachments(household.attachments)),
        removed: household.removed,
        lock: household.lock,
    })
}

/// A member of a household. The card may be in another grid, and so not on this phone; its number is masked in this list in any case.
fn member(reader: &Reader<'_>, id: DocId) -> Result<MemberView, PhoneError> {
    let card = match reader.phone.engine.resident(id.into()) {
        Ok(resident) => Some(resident.details),
        Err(doorstep_core::field::FieldError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(MemberView {
        id: id.to_string(),
        short: reader.index.short(id),
        phone: card.as_ref().and_then(|card| digits(&card.phone)).map(mask),
        name: card.and_then(|card| card.name).map(Personal::into_inner),
    })
}

fn resident(reader: &Reader<'_>, id: DocId) -> Result<Parts, PhoneError> {
    let resident = reader.phone.engine.resident(id.into())?;
    let details = resident.details;
    let mut fields = Fields::default();
    fields.personal("name", details.name);
    fields.reference("household", details.household.map(|household| reader.index.household(reader.phone, household)).transpose()?);
    fields.number(reader, "phone", digits(&details.phone));
    fields.number(reader, "id_number", details.id_number.as_ref().map(|number| number.reveal().as_str()));
    fields.text("born", details.born.map(|day| day.reveal().to_string()));
    fields.personal("remark", details.remark);
    let guardian = details.guardian.map(|guardian| reader.index.document(reader.phone, DocKind::Resident, guardian.into()));
    fields.reference("guardian", guardian.transpose()?);
    let notes = reader.notes(resident.notes);
    Ok(Parts {
        grid: resident.grid,
        fields,
        tags: words(&resident.tags),
        notes,
        removed: resident.removed,
        lock: resident.lock,
        ..Parts::default()
    })
}

fn organisation(reader: &Reader<'_>, id: DocId) -> Result<Parts, PhoneError> {
    let organisation = reader.phone.engine.organisation(id.into())?;
    let details = organisation.details;
    let mut fields = Fields::default();
    fields.text("name", details.name);
    fields.text("credit_code", details.credit_code);
    fields.personal("contact", details.contact);
    fields.number(reader, "phone", digits(&details.phone));
    fields.text("trade", details.trade);
    fields.reference("place", reader.index.place(details.place));
    fields.text("address", details.address);
    Ok(Parts {
        grid: organisation.grid,
        fields,
        tags: words(&organisation.tags),
        visits: Some(reader.visits(organisation.visits)),
        notes: reader.notes(organisation.notes),
        attachments: Some(reader.attachments(organisation.attachments)),
        removed: organisation.removed,
        lock: organisation.lock,
        ..Parts::default()
    })
}

fn party(reader: &Reader<'_>, id: DocId) -> Result<Parts, PhoneError> {
    let party = reader.phone.engine.party(id.into())?;
    let details = party.details;
    let mut fields = Fields::default();
    fields.personal("name", details.name);
    fields.number(reader, "phone", digits(&details.phone));
    fields.number(reader, "id_number", details.id_number.as_ref().map(|number| number.reveal().as_str()));
    fields.personal("address", details.address);
    Ok(Parts { grid: party.grid, fields, notes: reader.notes(party.notes), removed: party.removed, lock: party.lock, ..Parts::default() })
}

fn digits(number: &Option<Personal<Number>>) -> Option<&str> {
    number.as_ref().map(|number| number.reveal().as_str())
}

impl Show for RecordView {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}  {}  {}", lang.kind(self.kind), self.short, self.mark.word(lang))?;
        if let Some(code) = &self.mark.refusal {
            writeln!(out, "  {}", lang.line(Text::ColumnReason, &lang.refusal(code)))?;
        }
        if self.removed {
            writeln!(out, "  {}", lang.say(Text::Removed))?;
        }
        write_lock(self.lock, lang, out)?;
        let grid = self.grid.as_ref().map(Ref::word);
        let fields = std::iter::once(("grid", grid.as_deref())).chain(self.fields.0.iter().map(|(name, _, line)| (*name, line.as_deref())));
        for (name, line) in fields.filter_map(|(name, line)| Some((name, line.filter(|line| !line.is_empty())?))) {
            let line =
                if name == "place_kind" { lang.place_kind(&doorstep_core::model::PlaceKind::from_code(line)) } else { one_line(line) };
            writeln!(out, "  {}", lang.pair(&lang.field(name), &line))?;
        }
        if !self.tags.is_empty() {
            writeln!(out, "  {}", lang.line(Text::ColumnTags, &self.tags.join(" ")))?;
        }
        for member in self.members.iter().flatten() {
            let name = member.name.clone().unwrap_or_else(|| tail(&member.id));
            let phone = member.phone.as_ref().map(|phone| format!(" {phone}")).unwrap_or_default();
            writeln!(out, "  {}", lang.line(Text::FieldMember, &format!("{name}{phone} ({})", member.short)))?;
        }
        write_conflicts(&self.conflicts, lang, out)?;
        write_visits(self.visits.as_deref().unwrap_or_default(), lang, out)?;
        write_notes(&self.notes, lang, out)?;
        write_attachments(self.attachments.as_deref().unwrap_or_default(), lang, out)
    }
}
