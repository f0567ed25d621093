//! A household as two phones write it: every kind of operation that a change may hold, and what the document then says.

use std::collections::BTreeSet;

use automerge::{ObjId, ROOT, ReadDoc, Value};

use super::cast::{RECORD_KEY, actor, hlc, id, minutes, other_actor, ring};
use super::hex;
use crate::docs::layout::{Container, Path};
use crate::docs::{
    Actor, Change, DocKind, Document, Scalar, Slot, Write, amendment_write, attachment_write, household_writes, note_write, visit_writes,
};
use crate::model::{
    Amendment, AmendmentId, Attachment, AttachmentKind, DocId, GridId, HouseholdDetails, HouseholdId, Note, NoteId, PersonId, Personal,
    PlaceId, VisitDraft, VisitId, VisitSubject,
};

pub(super) fn household() -> DocId {
    id(0x40)
}

pub(super) fn grid() -> GridId {
    id(0x47)
}

pub(super) fn person() -> PersonId {
    id(0x50)
}

fn visit_id() -> VisitId {
    VisitId::from_bytes(*id::<DocId>(0x61).as_bytes())
}

/// What the first phone writes to begin the household.
pub(super) fn beginning() -> Vec<Write> {
    let details = HouseholdDetails {
        place: Some(PlaceId::from_bytes(*id::<DocId>(0x41).as_bytes())),
        door: Some("3-1-201".into()),
        contact: Some(Personal::new("张三".into())),
        phone: None,
        remark: None,
        notice: None,
    };
    let mut writes = vec![Write::set("grid", grid().as_bytes())];
    writes.extend(household_writes(&details));
    writes.push(Write::Set(Slot::In(Container::Tags, "独居".into()), true.into()));
    writes
}

/// What recording a visit of it writes.
pub(super) fn visit() -> Vec<Write> {
    let mut draft = VisitDraft::routine(VisitSubject::Household(HouseholdId::from(household())));
    draft.findings = Personal::new("灯坏了".into());
    draft.companions = vec!["社区民警".into()];
    draft.follow_up = Some(crate::model::Day(20_788));
    visit_writes(visit_id(), person(), minutes(5), &draft)
}

fn additions() -> Vec<Write> {
    let by = person();
    let note = Note { id: NoteId::from_bytes(*id::<DocId>(0x62).as_bytes()), by, at: minutes(6), text: Personal::new("有狗".into()) };
    let text = Personal::new("灯已修好".into());
    let amendment = Amendment { id: AmendmentId::from_bytes(*id::<DocId>(0x63).as_bytes()), visit: visit_id(), by, at: minutes(6), text };
    let photo = Attachment {
        sha256: [0x5a; 32],
        size: 1_048_576,
        kind: AttachmentKind::Photo,
        preview: None,
        visit: Some(visit_id()),
        by,
        at: minutes(6),
    };
    vec![note_write(&note), amendment_write(&amendment), attachment_write(&photo)]
}

/// A change with what it is for.
pub(super) struct Step {
    pub about: &'static str,
    pub change: Change,
}

/// The document, change after change.
pub(super) fn story() -> (Document, Vec<Step>) {
    let mut first = Document::new(DocKind::Household, household()).unwrap().with_keys(ring());
    let mut steps = Vec::new();
    let mut step = |document: &mut Document, about, actor: Actor, after, writes: &[Write]| {
        let change = document.edit(actor, hlc(after), writes).unwrap().unwrap();
        steps.push(Step { about, change: change.clone() });
        change
    };
    step(&mut first, "the first phone begins the household: scalars at the root, a tag", actor(), 0, &beginning());
    step(&mut first, "it records a visit: an entry, created whole", actor(), 5, &visit());
    step(&mut first, "a note, an amendment of the visit, a photo", actor(), 6, &additions());
    let mut second = first.clone();
    let door = |door: &str| [Write::set("door", door)];
    step(&mut first, "the first phone sets the door", actor(), 7, &door("3-1-202"));
    let other =
        step(&mut second, "another phone sets it too, without having seen that: both values stand", other_actor(), 8, &door("3-1-203"));
    first.apply([&other]).unwrap();
    let settled = [Write::set("door", "3-1-203")];
    step(&mut first, "the first phone saw both and sets the value that is shown: the other is deleted", actor(), 9, &settled);
    let removal = [Write::set("removed", true), Write::Set(Slot::In(Container::Tags, "独居".into()), false.into())];
    step(&mut first, "a tombstone, and the tag taken out", actor(), 10, &removal);
    (first, steps)
}

/// The file.
pub(super) fn vector() -> super::Vector {
    let (_, steps) = story();
    let mut document = Document::new(DocKind::Household, household()).unwrap().with_keys(ring());
    let mut text = format!(
        "# A household, change after change, and what each does to what the document says: lines that come, lines that go.\n\
         # A line `also` is a value that lost in a conflict.\n\
         # What is personal is sealed under the key, and opens to what stands behind `opens to`.\n\
         id: {}\nkind: household\nkey: {}\ngenesis: {}\n",
        hex(household().as_bytes()),
        hex(&RECORD_KEY),
        document.heads()[0],
    );
    let mut before = state(&document);
    text.push_str("state:\n");
    before.iter().for_each(|line| text.push_str(&format!("+ {line}\n")));
    for Step { about, change } in &steps {
        document.apply([change]).unwrap();
        let deps: Vec<String> = change.deps().map(|hash| hash.to_string()).collect();
        let actor = change.actor();
        text.push_str(&format!(
            "\nchange: {about}\nactor: {}{}\ntime: {}\ndeps: {}\nhash: {}\nbytes: {}\nstate:\n",
            hex(&actor.device.0),
            hex(&actor.incarnation.0),
            change.at().as_change_time(),
            deps.join(" "),
            change.hash(),
            hex(change.bytes()),
        ));
        let after = state(&document);
        before.difference(&after).for_each(|line| text.push_str(&format!("- {line}\n")));
        after.difference(&before).for_each(|line| text.push_str(&format!("+ {line}\n")));
        before = after;
    }
    ("documents", text)
}

/// All values of a document, a line each.
fn state(document: &Document) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    collect(document, &ROOT, "", &mut lines);
    lines
}

/// What a sealed value says.
fn opened(document: &Document, path: &str, key: &str, value: &automerge::ScalarValue) -> Option<String> {
    let path = match path.split('/').collect::<Vec<_>>()[..] {
        [""] => Path::Root(key.to_owned()),
        [container, entry, ""] => {
            let container = document.kind().containers().iter().find(|known| known.key() == container)?;
            Path::Field(*container, entry.to_owned(), key.to_owned())
        }
        _ => return None,
    };
    let value = Scalar::from_automerge(value)?;
    let opened = document.keys().open(document.kind(), document.id(), &path, &value).ok()?;
    (opened != value).then(|| match opened {
        Scalar::Text(text) => format!(" opens to {text:?}"),
        other => format!(" opens to {other:?}"),
    })
}

fn collect(document: &Document, object: &ObjId, path: &str, lines: &mut BTreeSet<String>) {
    let doc = &document.doc;
    for key in doc.keys(object) {
        let values = doc.get_all(object, key.as_str()).unwrap();
        for (index, (value, id)) in values.iter().rev().enumerate() {
            match value {
                Value::Object(_) => collect(document, id, &format!("{path}{key}/"), lines),
                Value::Scalar(value) => {
                    let opened = opened(document, path, &key, value).unwrap_or_default();
                    let value = match value.as_ref() {
                        automerge::ScalarValue::Bytes(bytes) => format!("h'{}'", hex(bytes)),
                        automerge::ScalarValue::Str(text) => format!("{:?}", text.as_str()),
                        other => other.to_string(),
                    };
                    lines.insert(format!("{path}{key} {} {value}{opened}", if index == 0 { "=" } else { "also" }));
                }
            }
        }
    }
}
