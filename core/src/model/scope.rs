//! Scopes, grants, positions and cursors: what a phone replicates, by what right, and how far it has read.

use crate::model::{GrantId, GridId, LedgerId, Millis, PersonId, StreetId};

/// The unit of replication and of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
pub enum Scope {
    /// Everything of a street: the centre.
    #[n(0)]
    Street(#[n(0)] StreetId),
    /// What one worker answers for.
    #[n(1)]
    Grid(#[n(0)] GridId),
    /// The work assigned to one person.
    #[n(2)]
    Assigned(#[n(0)] PersonId),
}

/// One person's right to a scope. A scope that is lost and given again is a new grant, with a cursor that starts from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Grant {
    /// The grant.
    #[n(0)]
    pub id: GrantId,
    /// To whom.
    #[n(1)]
    pub person: PersonId,
    /// To what.
    #[n(2)]
    pub scope: Scope,
    /// From when, by the server's clock.
    #[n(3)]
    pub from: Millis,
    /// Until when; open if absent.
    #[n(4)]
    pub until: Option<Millis>,
}

impl Grant {
    /// Whether the right holds at `now`, by the server's clock.
    pub fn holds(&self, now: Millis) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// A place in the feed of a street. The first entry has position 1; 0 is before everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Position(#[n(0)] pub u64);

/// How far a phone has read a grant, in one life of the server's ledger. It never expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Cursor {
    /// The life of the ledger in which `position` means something.
    #[n(0)]
    pub ledger: LedgerId,
    /// The grant that is read.
    #[n(1)]
    pub grant: GrantId,
    /// Everything up to here was received and is on disk.
    #[n(2)]
    pub position: Position,
}
