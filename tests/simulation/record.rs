//! What the world remembers of itself: every command that a phone took, every verdict that the server gave. Invariants are judged by it.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_core::docs::{Actor, DocKind};
use doorstep_core::model::{AmendmentId, ChangeHash, DocId, EventId, GroupId, Incarnation, NoteId, PersonId, StreetId, VisitId};
use doorstep_core::workflow::TimelineEntry;

/// What a command added to a document: it can be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Visit(VisitId),
    Amendment(VisitId, AmendmentId),
    Note(NoteId),
    Event(EventId),
    Attachment([u8; 32]),
}

/// What became of a command, as far as its phone knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Waiting,
    Accepted,
    /// It lies among the refused.
    Refused(String),
    /// Its author was answering the refusal when the power went: it lies among the refused still, or the answer counts.
    InDoubt,
    /// Its author let it go, or sent it again as a new one.
    LetGo,
    /// Run again, it had nothing left to write.
    WithoutEffect,
    /// Its phone was set back to a copy that is older than it is. It is lost with that, unless the server has it or will yet get it.
    Forgotten,
}

/// A command that a phone took.
#[derive(Debug, Clone)]
pub struct Promise {
    pub phone: usize,
    pub doc: DocId,
    pub kind: DocKind,
    pub added: Option<Added>,
    /// Whether it may have nothing left to write when it is run again: a tag is put on, a door removed.
    pub may_vanish: bool,
    pub fate: Fate,
}

/// An accepted group: its street, and its changes.
pub type Acknowledged = (StreetId, Vec<(DocId, ChangeHash)>);

#[derive(Default)]
pub struct Record {
    pub promises: BTreeMap<GroupId, Promise>,
    pub acknowledged: BTreeMap<GroupId, Acknowledged>,
    /// What was acknowledged and then lost by a restore: it must be there again in the end.
    pub lost: BTreeMap<GroupId, Acknowledged>,
    /// Whether the server was ever set up again from a backup. From then on timelines can change as what it lost comes back, and rights that were
    /// given since the backup are unknown to it.
    pub restored: bool,
    /// For each phone the groups that it was told of as accepted.
    pub heard: BTreeMap<usize, BTreeSet<GroupId>>,
    /// For each phone whether the last answer made it run commands again.
    pub mended: BTreeMap<usize, bool>,
    /// For each phone the life in which it last spoke, unless it has had a reason to begin another since: a start, a verdict.
    pub speaking: BTreeMap<usize, Incarnation>,
    /// Whose phones lived lives that no mark can tell apart.
    pub unseen_lives: BTreeSet<PersonId>,
    /// What each number of each actor was used for.
    pub numbers: BTreeMap<(DocId, Actor, u64), ChangeHash>,
    /// Who was erased, in which street and when.
    pub erased: BTreeMap<DocId, (StreetId, i64)>,
    /// The timeline of each case, as the server had it last.
    pub timelines: BTreeMap<DocId, Vec<TimelineEntry>>,
    /// How much was done, for who wants to know whether a run did anything.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Record {
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}
