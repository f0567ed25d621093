//! The three kinds of administrators, and the table of what each may do.

use std::fmt;
use std::str::FromStr;

use doorstep_core::model::{AccountId, Invalid};

/// What an administrator is: 系统管理员, 安全管理员, 审计员. None of them sees residents' data for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Streets, grids, imports, backups.
    #[n(1)]
    System,
    /// People, their rights and devices, accounts.
    #[n(2)]
    Security,
    /// Looks at what the others did.
    #[n(3)]
    Auditor,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Security, Self::Auditor];

    /// The code on the command line, in JSON and in the audit log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Security => "security",
            Self::Auditor => "auditor",
        }
    }

    /// The table: which kind may do what.
    pub const fn may(self, act: Act) -> bool {
        match act {
            Act::SeeDirectory | Act::SeeProposals | Act::Confirm => true,
            Act::ManageStreets | Act::Import | Act::BackUp => matches!(self, Self::System),
            Act::ManagePeople | Act::ManageAccounts => matches!(self, Self::Security),
            Act::SeeAccounts => matches!(self, Self::Security | Self::Auditor),
            Act::SeeAudit | Act::SeeQuarantine => matches!(self, Self::Auditor),
            Act::SeeRecords | Act::Erase => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Kind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|kind| kind.code() == text);
        found.ok_or_else(|| Invalid::new("kind", "is none of: system security auditor"))
    }
}

/// What the admin API can be asked to do, as far as rights tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// See streets, their grids and who works there.
    SeeDirectory,
    /// Add streets and grids, end a reconciliation.
    ManageStreets,
    /// Import files.
    Import,
    /// Make backups.
    BackUp,
    /// Add people, give and end rights, make enrolment codes.
    ManagePeople,
    /// See who has an account.
    SeeAccounts,
    /// Add and disable accounts.
    ManageAccounts,
    /// See what waits to be confirmed.
    SeeProposals,
    /// Confirm a sensitive act; whose is looked at apart.
    Confirm,
    /// Read and verify the audit log.
    SeeAudit,
    /// See what was refused, and why.
    SeeQuarantine,
    /// See places, households, residents, organisations, cases: what grid workers recorded. For the operator, until the console has roles.
    SeeRecords,
    /// Erase people, see what was erased, hold what is evidence, and make copies of what is held on somebody. For the operator, until the console has roles.
    Erase,
}

#[cfg(test)]
impl Act {
    const ALL: [Self; 13] = [
        Self::SeeDirectory,
        Self::ManageStreets,
        Self::Import,
        Self::BackUp,
        Self::ManagePeople,
        Self::SeeAccounts,
        Self::ManageAccounts,
        Self::SeeProposals,
        Self::Confirm,
        Self::SeeAudit,
        Self::SeeQuarantine,
        Self::SeeRecords,
        Self::Erase,
    ];
}

/// Who calls the admin API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Caller {
    /// Somebody who can read the data folder.
    #[n(0)]
    Operator,
    /// An account that logged in.
    #[n(1)]
    Account {
        /// Which.
        #[n(0)]
        id: AccountId,
        /// What it is.
        #[n(1)]
        kind: Kind,
    },
}

impl Caller {
    /// Whether this one may do that. The operator may do everything but confirm.
    pub const fn may(self, act: Act) -> bool {
        match self {
            Self::Operator => !matches!(act, Act::Confirm),
            Self::Account { kind, .. } => kind.may(act),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_rights_is_the_written_one() {
        let row = |kind: Kind| Act::ALL.map(|act| if kind.may(act) { 'x' } else { '.' }).iter().collect::<String>();
        // See directory, manage streets, import, back up, manage people, see accounts, manage accounts, see proposals, confirm, see audit,
        // see quarantine, see records, erase.
        assert_eq!(row(Kind::System), "xxxx...xx....");
        assert_eq!(row(Kind::Security), "x...xxxxx....");
        assert_eq!(row(Kind::Auditor), "x....x.xxxx..");
    }

    #[test]
    fn the_operator_confirms_nothing_and_may_do_all_else() {
        for act in Act::ALL {
            assert_eq!(Caller::Operator.may(act), act != Act::Confirm, "{act:?}");
        }
    }
}
