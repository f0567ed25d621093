//! Sensitive acts: proposed by one account, confirmed by one of another kind, within a day.

use doorstep_core::model::{AccountId, Millis, ProposalId};

use super::AccountError;
use super::kind::{Caller, Kind};
use super::rows::Account;

/// How long a proposal can be confirmed, in milliseconds: a day, so that who confirms need not be there at the same time.
pub(super) const PROPOSAL_LIFE: i64 = 24 * 3_600_000;

/// What none may do alone.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum SensitiveAct {
    /// An account of an administrator comes to be.
    #[n(0)]
    AddAccount(#[n(0)] Account),
}

impl SensitiveAct {
    /// The code in lists and in the audit log.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AddAccount(_) => "add-account",
        }
    }
}

/// A sensitive act that waits to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Proposal {
    /// Its id.
    #[n(0)]
    pub id: ProposalId,
    /// What is proposed.
    #[n(1)]
    pub act: SensitiveAct,
    /// By whom.
    #[n(2)]
    pub by: Caller,
    /// When.
    #[n(3)]
    pub at: Millis,
    /// From when on it counts no more.
    #[n(4)]
    pub until: Millis,
}

impl Proposal {
    /// A proposal that begins now.
    pub(super) const fn make(id: ProposalId, act: SensitiveAct, by: Caller, now: Millis) -> Self {
        Self { id, act, by, at: now, until: now.plus(PROPOSAL_LIFE) }
    }

    /// Whether this one may confirm it: an account, and of another kind than who proposed.
    pub(super) fn check_confirmed_by(&self, by: Caller) -> Result<(), AccountError> {
        match (self.by, by) {
            (_, Caller::Operator) => Err(AccountError::NotAllowed),
            (Caller::Account { kind: proposer, .. }, Caller::Account { kind, .. }) if proposer == kind => Err(AccountError::SameKind),
            (_, Caller::Account { .. }) => Ok(()),
        }
    }
}

/// What became of an account that was to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Done(AccountId),
    /// Another has to confirm it.
    Proposed(Proposal),
}

/// Whether it takes two to make an administrator: once there has been one of each kind. Disabled ones count, or disabling them all would
/// open the door again.
pub(super) fn takes_two(kinds: impl Iterator<Item = Kind> + Clone) -> bool {
    Kind::ALL.iter().all(|kind| kinds.clone().any(|other| other == *kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_two_once_there_has_been_one_of_each_kind() {
        use Kind::{Auditor, Security, System};
        assert!(!takes_two([].into_iter()));
        assert!(!takes_two([System, Security, System].into_iter()));
        assert!(takes_two([System, Security, Auditor].into_iter()));
    }
}
