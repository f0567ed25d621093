//! The stage: a street with a server, an honest phone of its first grid, and a hostile device of a worker of the same grid.

use std::collections::BTreeMap;

use doorstep_core::docs::{Change, DocKind, Document, Write};
use doorstep_core::model::{CaseDetails, CaseId, Category, Clock as _, DocId, HouseholdId, Role};
use doorstep_core::sync::Group;
use doorstep_server::hub::NewPerson;
use doorstep_server::system::SystemClock;
use doorstep_tests::forge::{Forger, bytes_of};
use doorstep_tests::handmade::{Handmade, group, pushed};
use doorstep_tests::phone::Phone;
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street};

/// Everything that an attack may use.
pub struct Stage {
    pub street: Street,
    pub server: Server,
    pub honest: Phone,
    /// The hostile device: of a deputy of the first grid.
    pub mallory: Handmade,
    /// A device of an auxiliary of the first grid.
    pub auxiliary: Handmade,
    /// A door of the grid, one of the other grid, and a case that the honest worker captured.
    pub door: DocId,
    pub elsewhere: DocId,
    pub case: DocId,
    /// What she had accepted.
    own: Group,
    rounds: usize,
}

impl Stage {
    pub fn set() -> Self {
        let street = Street::build(SMALL);
        let server = street.serve();
        let honest = street.worker_phone(&server, "honest", 0);
        let neighbour = street.worker_phone(&server, "neighbour", 1);
        let case = honest.engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();
        honest.sync(&server.transport());
        let device = |name: &str, role| {
            let person = NewPerson { name: name.into(), role, grids: vec![street.grid(0)] };
            let person = server.hub.add_person(street.id(), &person).unwrap();
            let (code, _) = server.hub.make_code(street.id(), person).unwrap();
            Handmade::enrol(&server.url(), &code)
        };
        let (mallory, auxiliary) = (device("坏人", Role::Deputy), device("协管员", Role::Auxiliary));
        let (door, elsewhere) = (honest.households()[0].into(), neighbour.households()[0].into());
        // She has written here before, so that there is something to fork and to replay.
        let mut document = server.hub.document(street.id(), door).unwrap().0;
        let change = mallory.edit(&mut document, &[Write::set("remark", "有狗")]);
        let own = group([pushed(door, DocKind::Household, change.bytes())]);
        assert_eq!(mallory.verdicts(vec![own.clone()]), ["accepted"]);
        Self { street, server, honest, mallory, auxiliary, door, elsewhere, case: case.into(), own, rounds: 0 }
    }

    /// What she had accepted, as she sent it.
    pub fn own_group(&self) -> Group {
        self.own.clone()
    }

    /// A document as the server has it.
    pub fn document(&self, doc: DocId) -> Document {
        self.server.hub.document(self.street.id(), doc).unwrap().0
    }

    /// The documents that attacks are about, each by its state.
    pub fn state(&self) -> BTreeMap<DocId, [u8; 32]> {
        [self.door, self.elsewhere, self.case].map(|doc| (doc, self.document(doc).digest())).into()
    }

    /// A document through the eyes of the hostile author.
    pub fn forger(&self, doc: DocId) -> Forger {
        Forger::new(&self.document(doc), self.mallory.actor())
    }

    /// What becomes of a forged change of a document.
    pub fn forged(&mut self, doc: DocId, change: automerge::ExpandedChange) -> String {
        let now = u64::try_from(SystemClock.now().0).unwrap() << 16;
        let bytes = bytes_of(automerge::ExpandedChange { time: i64::try_from(now).unwrap(), ..change });
        self.sent(doc, &bytes)
    }

    /// What becomes of any bytes as a change of a document.
    pub fn sent(&mut self, doc: DocId, bytes: &[u8]) -> String {
        let kind = self.document(doc).kind();
        self.judged(&[group([pushed(doc, kind, bytes)])])
    }

    /// What becomes of a change that is well-formed.
    pub fn changed(&mut self, doc: DocId, change: &Change) -> String {
        self.sent(doc, change.bytes())
    }

    /// The one verdict on groups, or what each was.
    pub fn judged(&mut self, groups: &[Group]) -> String {
        self.mallory.verdicts(groups.to_vec()).join(", ")
    }

    /// What an honest worker does meanwhile: it is accepted at once, and is what its phone and the server show.
    pub fn honest_work(&mut self) {
        self.rounds += 1;
        let door = HouseholdId::from(self.door);
        let visit = self.honest.visit(door, &format!("第{}次走访", self.rounds));
        self.honest.engine.note_case(CaseId::from(self.case), "照常跟进").unwrap();
        self.honest.sync(&self.server.transport());
        assert!(self.honest.has_visit(door, visit));
    }

    /// Every document of the street saves, loads and reads as before, and the honest phone holds what the server holds.
    pub fn everything_is_sound(&self) {
        for kind in DocKind::ALL {
            let mut ids = Vec::new();
            self.server.hub.each_summary(self.street.id(), kind, &mut |summary| ids.push(summary.id())).unwrap();
            for id in ids {
                let document = self.document(id);
                let again = Document::load(kind, id, &document.save()).unwrap();
                assert_eq!((again.heads(), again.digest()), (document.heads(), document.digest()));
            }
        }
        self.street.assert_same(&self.server.hub, Some(&[0]), &self.honest);
    }
}
