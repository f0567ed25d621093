//! Visits: a call on people or on a place. A visit is immutable; its author may append an amendment.

use crate::model::{AmendmentId, Day, HouseholdId, Millis, NoteId, OrganisationId, PersonId, Personal, PlaceId, Point, VisitId, coded};

coded! {
    /// Why a visit was made.
    Purpose {
        /// 日常走访: the regular call.
        Routine = "routine",
        /// 重点关爱: care for those who need it.
        Care = "care",
        /// 安全检查: fire, gas, building.
        Safety = "safety",
        /// 政策宣传: to tell people of something.
        Notice = "notice",
        /// 上门服务: to do something on behalf of a resident.
        Service = "service",
        /// 回访: to answer or to follow up.
        FollowUp = "follow-up",
        /// 巡查: a patrol of a place.
        Patrol = "patrol",
    }
}

coded! {
    /// How a visit went.
    Outcome {
        /// Somebody was met, or the patrol was done.
        Met = "met",
        /// Nobody was at home.
        NotAtHome = "not-at-home",
        /// The people did not want to be visited.
        Refused = "refused",
        /// The people live here no longer.
        MovedAway = "moved-away",
    }
}

/// Whom or what a visit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum VisitSubject {
    /// The people of a door.
    #[n(0)]
    Household(#[n(0)] HouseholdId),
    /// An organisation.
    #[n(1)]
    Organisation(#[n(0)] OrganisationId),
    /// A building, an alley, a yard: a patrol.
    #[n(2)]
    Place(#[n(0)] PlaceId),
}

/// What a worker fills in.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct VisitDraft {
    /// Whom or what the visit is of.
    #[n(0)]
    pub subject: VisitSubject,
    /// Why.
    #[n(1)]
    pub purpose: Purpose,
    /// How it went.
    #[n(2)]
    pub outcome: Outcome,
    /// What was found; may be empty.
    #[n(3)]
    pub findings: Personal<String>,
    /// Who came along, as names or offices; at most [`VisitDraft::MOST_COMPANIONS`].
    #[n(4)]
    pub companions: Vec<String>,
    /// When to come again.
    #[n(5)]
    pub follow_up: Option<Day>,
    /// Where the phone was.
    #[n(6)]
    pub point: Option<Point>,
    /// When it took place, by the phone's clock; the time of recording if absent.
    #[n(7)]
    pub at: Option<Millis>,
}

impl VisitDraft {
    /// The longest findings, in characters: two full screens.
    pub const MOST_FINDINGS: usize = 2_000;
    /// The most companions: a joint inspection has about ten.
    pub const MOST_COMPANIONS: usize = 16;

    /// A routine call that met somebody and found nothing to write down.
    pub fn routine(subject: VisitSubject) -> Self {
        Self {
            subject,
            purpose: Purpose::Routine,
            outcome: Outcome::Met,
            findings: Personal::default(),
            companions: Vec::new(),
            follow_up: None,
            point: None,
            at: None,
        }
    }
}

/// The longest words of a note, an amendment or an event, in characters: two full screens.
pub const MOST_WORDS: usize = 2_000;

/// A recorded visit, as a document holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The visit.
    pub id: VisitId,
    /// Who made it.
    pub by: PersonId,
    /// When it took place, by the phone's clock.
    pub at: Millis,
    /// Why.
    pub purpose: Purpose,
    /// How it went.
    pub outcome: Outcome,
    /// What was found.
    pub findings: Personal<String>,
    /// Who came along.
    pub companions: Vec<String>,
    /// When to come again.
    pub follow_up: Option<Day>,
    /// Where the phone was.
    pub point: Option<Point>,
    /// What its author added later, oldest first.
    pub amendments: Vec<Amendment>,
}

/// What the author of a visit added to it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// The amendment.
    pub id: AmendmentId,
    /// The visit that it belongs to.
    pub visit: VisitId,
    /// Who wrote it: the author of the visit.
    pub by: PersonId,
    /// When, by the phone's clock.
    pub at: Millis,
    /// What is to be added or corrected.
    pub text: Personal<String>,
}

/// A note beside the fields of a document: add-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The note.
    pub id: NoteId,
    /// Who wrote it.
    pub by: PersonId,
    /// When, by the device's clock.
    pub at: Millis,
    /// What it says.
    pub text: Personal<String>,
}
