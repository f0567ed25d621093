//! The documents that are attacked, and how an attack is judged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::transaction::Transactable;
use automerge::{Automerge, ROOT, ReadDoc};
use doorstep_core::docs::layout::Container;
use doorstep_core::docs::wellformed::{self, Malformed};
use doorstep_core::docs::{
    Change, DocKind, Document, Scalar, Slot, Unparsable, Write, amendment_write, attachment_write, case_writes, event_write,
    household_writes, note_write, visit_writes,
};
use doorstep_core::model::{
    Amendment, AmendmentId, Attachment, AttachmentKind, CaseDetails, CaseEvent, CaseKind, Category, DocId, EventId, EventKind, Hlc,
    HouseholdDetails, HouseholdId, Millis, Note, NoteId, PersonId, Personal, VisitDraft, VisitId, VisitSubject,
};
use doorstep_tests::forge::{Forger, actor, actor_id};
use doorstep_tests::handmade::keyed;

pub const WORKER: u8 = 1;
pub const CENTRE: u8 = 2;
/// May write `note` (the register that the attacks begin with) and nothing else.
pub const MALLORY: u8 = 6;
/// Somebody who has not written yet.
pub const STRANGER: u8 = 9;

pub const NOON: i64 = 1_764_000_000_000;

/// Why an attack was refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    Unparsable(Unparsable),
    Malformed(Malformed),
}

/// A document with real content that Mallory attacks.
pub struct Scene {
    pub doc: Document,
}

pub fn id(byte: u8) -> [u8; 16] {
    [byte; 16]
}

pub fn key(byte: u8) -> String {
    EventId::from_bytes(id(byte)).to_string()
}

pub fn event(byte: u8, kind: EventKind, by: u8) -> Write {
    event_write(&CaseEvent {
        id: EventId::from_bytes(id(byte)),
        kind,
        by: PersonId::from_bytes(id(by)),
        at: Millis(NOON + i64::from(byte)),
        text: Some(Personal::new(format!("event {byte}"))),
        other: None,
    })
}

pub fn visit(byte: u8, by: u8) -> Vec<Write> {
    let mut draft = VisitDraft::routine(VisitSubject::Household(HouseholdId::from_bytes(id(0xdd))));
    draft.findings = Personal::new(format!("findings {byte}"));
    draft.companions = vec!["police".into(), "gas company".into()];
    visit_writes(VisitId::from_bytes(id(byte)), PersonId::from_bytes(id(by)), Millis(NOON + i64::from(byte)), &draft)
}

pub fn note(byte: u8, by: u8) -> Write {
    note_write(&Note {
        id: NoteId::from_bytes(id(byte)),
        by: PersonId::from_bytes(id(by)),
        at: Millis(NOON),
        text: Personal::new("the lift is out of order".into()),
    })
}

pub fn amendment(byte: u8, visit: u8, by: u8) -> Write {
    amendment_write(&Amendment {
        id: AmendmentId::from_bytes(id(byte)),
        visit: VisitId::from_bytes(id(visit)),
        by: PersonId::from_bytes(id(by)),
        at: Millis(NOON + 5),
        text: Personal::new("it was the third floor".into()),
    })
}

pub fn attachment(byte: u8, by: u8) -> Write {
    attachment_write(&Attachment {
        sha256: [byte; 32],
        size: 70_000,
        kind: AttachmentKind::from_code("photo"),
        preview: None,
        visit: None,
        by: PersonId::from_bytes(id(by)),
        at: Millis(NOON),
    })
}

pub fn tag(name: &str, set: bool) -> Write {
    Write::Set(Slot::In(Container::Tags, name.to_owned()), Scalar::Bool(set))
}

pub fn member(byte: u8, set: bool) -> Write {
    Write::Set(Slot::In(Container::Members, key(byte)), Scalar::Bool(set))
}

/// An honest write at noon and `minute` minutes.
pub fn edit(doc: &mut Document, who: u8, minute: i64, writes: &[Write]) -> Change {
    doc.edit(actor(who), Hlc::new(Millis(NOON + 60_000 * minute), 0), writes).unwrap().unwrap()
}

impl Scene {
    /// A case that was opened, registered, noted on, and whose remark two people set at once.
    pub fn case() -> Self {
        let mut doc = keyed(Document::new(DocKind::Case, DocId::from_bytes(id(0xca))).unwrap());
        let details = CaseDetails::issue(Category::Facilities, "the lamp at gate 3 is dark");
        let mut opening = case_writes(&CaseKind::Issue, &details);
        opening.extend([event(10, EventKind::Captured, WORKER), attachment(0xaa, WORKER), Write::set("status", "open")]);
        edit(&mut doc, WORKER, 0, &opening);
        Self::lived_in(doc, event(11, EventKind::Registered, CENTRE), event(12, EventKind::Noted, MALLORY))
    }

    /// A household with visits, tags, members, notes and an amendment, whose remark two people set at once.
    pub fn household() -> Self {
        let mut doc = keyed(Document::new(DocKind::Household, DocId::from_bytes(id(0xdd))).unwrap());
        let details = HouseholdDetails { door: Some("3-2-501".into()), ..HouseholdDetails::default() };
        let mut opening = household_writes(&details);
        opening.extend(visit(10, WORKER));
        opening.extend([tag("独居", true), member(0x77, true), Write::set("status", "open"), attachment(0xaa, WORKER)]);
        edit(&mut doc, WORKER, 0, &opening);
        Self::lived_in(doc, note(11, CENTRE), amendment(12, 10, WORKER))
    }

    fn lived_in(mut doc: Document, by_centre: Write, by_mallory: Write) -> Self {
        edit(&mut doc, CENTRE, 1, &[by_centre]);
        edit(&mut doc, MALLORY, 2, &[by_mallory, Write::set("note", "first")]);
        let mut elsewhere = doc.clone();
        edit(&mut doc, WORKER, 3, &[Write::set("remark", "of the worker")]);
        let concurrent = edit(&mut elsewhere, CENTRE, 4, &[Write::set("remark", "of the centre")]);
        doc.apply([&concurrent]).unwrap();
        Self { doc }
    }

    /// The document as Mallory sees it.
    pub fn mallory(&self) -> Forger {
        Forger::new(&self.doc, actor(MALLORY))
    }

    /// The document as somebody sees it who has not written yet.
    pub fn stranger(&self) -> Forger {
        Forger::new(&self.doc, actor(STRANGER))
    }

    /// Judges bytes as hub and phone do. Panics if they are accepted.
    pub fn fault(&self, bytes: &[u8]) -> Fault {
        match Change::parse(bytes) {
            Err(unparsable) => Fault::Unparsable(unparsable),
            Ok(change) => match wellformed::check(&self.doc, &change) {
                Err(malformed) => Fault::Malformed(malformed),
                Ok(operations) => panic!("accepted: {operations:?}"),
            },
        }
    }

    /// The bytes are taken: for the honest twin of an attack.
    pub fn takes(&self, bytes: &[u8]) {
        let change = Change::parse(bytes).unwrap();
        wellformed::check(&self.doc, &change).unwrap();
        let mut copy = self.doc.clone();
        copy.apply([&change]).unwrap();
        copy.saved_and_reloaded().unwrap();
    }

    /// The document saves, loads, and takes honest writes of everybody, which others take too.
    pub fn is_sound(&self) {
        self.doc.saved_and_reloaded().unwrap();
        let (mut doc, mut replica) = (self.doc.clone(), self.doc.clone());
        for who in [WORKER, CENTRE, MALLORY, STRANGER] {
            let change =
                edit(&mut doc, who, 60, &[Write::set("status", format!("seen by {who}").as_str()), Write::set("remark", "settled")]);
            let received = Change::parse(change.bytes()).unwrap();
            wellformed::check(&replica, &received).unwrap();
            replica.apply([&received]).unwrap();
        }
        assert_eq!(doc.heads(), replica.heads());
        assert_eq!(doc.digest(), replica.digest());
        replica.saved_and_reloaded().unwrap();
    }

    /// What automerge would make of the bytes if nobody looked at them before.
    pub fn harm(&self, bytes: &[u8]) -> Harm {
        let status = self.status_of(&Automerge::load(&self.doc.save()).unwrap());
        let attacked = catch_unwind(AssertUnwindSafe(|| {
            let mut doc = Automerge::load(&self.doc.save()).unwrap();
            let change = automerge::Change::from_bytes(bytes.to_vec()).ok()?;
            doc.apply_changes([change]).ok()?;
            Some(doc)
        }));
        let Ok(attacked) = attacked else { return Harm::Panics };
        let Some(mut doc) = attacked else { return Harm::None };
        let reloaded =
            catch_unwind(AssertUnwindSafe(|| Automerge::load(&doc.save()).is_ok_and(|again| again.get_heads() == doc.get_heads())));
        if !reloaded.unwrap_or(false) {
            return Harm::DoesNotReload;
        }
        let status_after = self.status_of(&doc);
        doc.set_actor(actor_id(actor(STRANGER)));
        let later = catch_unwind(AssertUnwindSafe(|| {
            let mut tx = doc.transaction();
            tx.put(ROOT, "status", "later").unwrap();
            tx.commit();
            doc.get_last_local_change().unwrap().hash();
            Automerge::load(&doc.save()).unwrap();
        }));
        match later {
            Err(_) => Harm::LaterWritesPanic,
            Ok(()) if status_after != status => Harm::StatusChanged,
            Ok(()) => Harm::None,
        }
    }

    fn status_of(&self, doc: &Automerge) -> String {
        format!("{:?}", doc.get(ROOT, "status").unwrap())
    }
}

/// What a change does to a document that takes it unseen.
#[derive(Debug, PartialEq, Eq)]
pub enum Harm {
    None,
    Panics,
    DoesNotReload,
    LaterWritesPanic,
    StatusChanged,
}

/// One test for each attack: what is forged on which scene, and the refusal that is expected.
macro_rules! attacks {
    ($($name:ident: $scene:ident, $forge:expr => $expected:pat),+ $(,)?) => { $(
        #[test]
        fn $name() {
            let scene = $crate::scene::Scene::$scene();
            let forge: fn(&$crate::scene::Scene) -> Vec<u8> = $forge;
            let fault = scene.fault(&forge(&scene));
            assert!(matches!(fault, $expected), "refused otherwise: {fault:?}");
            scene.is_sound();
        }
    )+ };
}
pub(crate) use attacks;
