//! Cases: whatever must be followed to its end.

use crate::model::{CaseId, EventId, Invalid, Millis, PartyId, PersonId, Personal, PlaceId, Point, ResidentId, coded};

coded! {
    /// What kind of case it is. Services, applications, leads and repairs come with their issues.
    CaseKind {
        /// 诉求: something a resident wants seen to.
        Issue = "issue",
    }
}

coded! {
    /// What an issue is about. The catalogue of matters takes over from this list.
    Category {
        /// 环境卫生
        Sanitation = "sanitation",
        /// 市政设施: lamps, pavements, manholes.
        Facilities = "facilities",
        /// 消防安全
        FireSafety = "fire-safety",
        /// 邻里纠纷
        Dispute = "dispute",
        /// 噪音
        Noise = "noise",
        /// 违章搭建
        IllegalBuilding = "illegal-building",
        /// 民生救助
        Welfare = "welfare",
        /// Anything else.
        Other = "other",
    }
}

coded! {
    /// How soon an issue wants to be seen to.
    Urgency {
        /// In its turn.
        Normal = "normal",
        /// Today.
        Urgent = "urgent",
        /// Now: somebody may come to harm.
        Emergency = "emergency",
    }
}

coded! {
    /// How an issue came in.
    Channel {
        /// A grid worker heard or saw it.
        Worker = "worker",
        /// At the hall's counter.
        Hall = "hall",
        /// By telephone.
        Telephone = "telephone",
        /// Seen on a patrol.
        Patrol = "patrol",
    }
}

/// Who reported an issue: by id, never by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Reporter {
    /// A registered resident.
    #[n(0)]
    Resident(#[n(0)] ResidentId),
    /// Somebody else.
    #[n(1)]
    Party(#[n(0)] PartyId),
}

/// What may exist only once: one service per person, item and period. A second case with the same key is accepted as a duplicate of the first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct ClaimKey(#[n(0)] String);

impl ClaimKey {
    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ClaimKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_/.".contains(&b);
        if text.is_empty() || text.len() > 80 || !text.bytes().all(plain) {
            return Err(Invalid::new("claim", "is not 1 to 80 letters, digits, -, _, / or ."));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What a worker fills in when a resident wants something seen to.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct CaseDetails {
    /// What it is about.
    #[n(0)]
    pub category: Category,
    /// Where: a place of the grid.
    #[n(1)]
    pub place: Option<PlaceId>,
    /// What is the matter, in the words of whoever reported it.
    #[n(2)]
    pub description: Personal<String>,
    /// Who reported it.
    #[n(3)]
    pub reporter: Option<Reporter>,
    /// How soon.
    #[n(4)]
    pub urgency: Urgency,
    /// How it came in.
    #[n(5)]
    pub channel: Channel,
    /// The case from which it was opened.
    #[n(6)]
    pub parent: Option<CaseId>,
    /// Where the phone was.
    #[n(7)]
    pub point: Option<Point>,
    /// What may exist only once.
    #[n(8)]
    pub claim: Option<ClaimKey>,
}

impl CaseDetails {
    /// The longest description, in characters: two full screens.
    pub const MOST_DESCRIPTION: usize = 2_000;

    /// An issue of `category` that a worker heard of, in its turn.
    pub fn issue(category: Category, description: impl Into<String>) -> Self {
        Self {
            category,
            place: None,
            description: Personal::new(description.into()),
            reporter: None,
            urgency: Urgency::Normal,
            channel: Channel::Worker,
            parent: None,
            point: None,
            claim: None,
        }
    }
}

coded! {
    /// What an event of a case says.
    EventKind {
        /// 采集: the case was recorded at the door.
        Captured = "captured",
        /// Somebody added a note.
        Noted = "noted",
        /// 受理: the centre took it up.
        Registered = "registered",
        /// 退回: the centre gave it back to the worker.
        Returned = "returned",
        /// 结案: it is done.
        Closed = "closed",
        /// A ruling of the server: the same was claimed before, by the case that the event names.
        DuplicateOf = "duplicate-of",
    }
}

coded! {
    /// Where a case stands: nothing but a fold of its events.
    CaseState {
        /// Recorded, not yet taken up.
        Captured = "captured",
        /// Taken up by the centre.
        Registered = "registered",
        /// Ended.
        Closed = "closed",
    }
}

/// One immutable step in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseEvent {
    /// The event.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub by: PersonId,
    /// When, by the device's clock.
    pub at: Millis,
    /// Words that go with it.
    pub text: Option<Personal<String>>,
    /// The other case that a duplicate names.
    pub other: Option<CaseId>,
}
