//! Scopes, grants, positions and cursors: what a phone replicates, by what right, and how far it has read.

use crate::model::{CaseId, GrantId, GridId, LedgerId, Millis, PersonId, Role, StreetId};

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
    /// One case with the place that it is about: for who helps in it and answers for nothing else there.
    #[n(3)]
    Case(#[n(0)] CaseId),
}

/// One person's right to a scope, in a role. A scope that is lost and given again is a new grant, with a cursor that starts from zero; so is
/// one that is held in another role.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode)]
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
    /// As what: decides what may be done and seen there.
    #[n(5)]
    pub role: Role,
}

impl Grant {
    /// Whether the right holds at `now`, by the server's clock.
    pub fn holds(&self, now: Millis) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    /// Whether the right has begun at `now`, whatever became of it since.
    pub fn has_begun(&self, now: Millis) -> bool {
        self.from <= now
    }

    /// The right itself, without who and when.
    pub fn right(&self) -> Right {
        Right { role: self.role.clone(), scope: self.scope }
    }
}

/// What somebody may act as, and where: what [`crate::policy`] judges by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// As what.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

impl Scope {
    /// In which role grants of before there were roles were given: the street to its centres, a grid to its worker.
    const fn first_role(self) -> Role {
        match self {
            Self::Street(_) => Role::CentreStaff,
            Self::Grid(_) | Self::Assigned(_) | Self::Case(_) => Role::GridWorker,
        }
    }
}

/// By hand for the role alone, which grants of before there were roles do not say.
impl<'b, C> minicbor::Decode<'b, C> for Grant {
    fn decode(d: &mut minicbor::Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        #[derive(minicbor::Decode)]
        #[cbor(map)]
        struct Kept {
            #[n(0)]
            id: GrantId,
            #[n(1)]
            person: PersonId,
            #[n(2)]
            scope: Scope,
            #[n(3)]
            from: Millis,
            #[n(4)]
            until: Option<Millis>,
            #[n(5)]
            role: Option<Role>,
        }
        let Kept { id, person, scope, from, until, role } = Kept::decode(d, context)?;
        Ok(Self { id, person, scope, from, until, role: role.unwrap_or_else(|| scope.first_role()) })
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
