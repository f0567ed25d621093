//! Plain types that everything else speaks of: ids, times, places on the earth, people, visits, cases.
//!
//! Nothing in here reads a clock, draws a random number, touches a disk or knows automerge. Text and bytes from outside are parsed
//! into these types at the edge ([`Invalid`] says which field broke which rule) and trusted from there on.
//! Enums that will grow have an `Unknown` arm that keeps the code it was given, so that a record written by a newer version
//! survives an edit by this one.

mod attachment;
mod case;
mod code;
mod directory;
mod geo;
mod hash;
mod hlc;
mod household;
mod id;
mod invalid;
mod organisation;
mod party;
mod person;
mod personal;
mod place;
mod receipt;
mod resident;
mod scope;
mod time;
mod visit;

pub use attachment::{Attachment, AttachmentKind};
pub use case::{CaseDetails, CaseEvent, CaseKind, CaseState, Category, Channel, ClaimKey, EventKind, Reporter, Urgency};
pub use code::Tag;
pub use directory::{Centre, Directory, Grid, Staff};
pub use geo::Point;
pub use hash::ChangeHash;
pub use hlc::{CLOCK_TOLERANCE, Hlc, HlcClock};
pub use household::{HouseholdDetails, Notice};
pub use id::{
    AccountId, AmendmentId, CaseId, CentreId, DeviceId, DeviceTag, DocId, Entropy, EventId, GrantId, GridId, GroupId, HouseholdId,
    Incarnation, LedgerId, NoteId, OrganisationId, PartyId, PersonId, PlaceId, ProposalId, ResidentId, SessionId, StreetId, VisitId,
};
pub use invalid::Invalid;
pub use organisation::OrganisationDetails;
pub use party::PartyDetails;
pub use person::{IdNumber, Phone, Role};
pub use personal::Personal;
pub use place::{PlaceDetails, PlaceKind};
pub use receipt::{Era, Receipt, Receipts, Seal};
pub use resident::ResidentDetails;
pub use scope::{Cursor, Grant, Position, Right, Scope};
pub use time::{Clock, Day, Millis};
pub use visit::{Amendment, MOST_WORDS, Note, Outcome, Purpose, Visit, VisitDraft, VisitSubject};

pub(crate) use code::coded;
