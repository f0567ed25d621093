//! A record of the audit log, and its JSON text.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use doorstep_core::model::{AccountId, DeviceId, DocId, GrantId, GridId, Millis, PersonId, ProposalId, SessionId, StreetId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::accounts::Caller;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 1 on without a gap.
    #[serde(rename = "n")]
    pub number: u64,
    /// When, by the server's clock.
    #[serde(with = "millis")]
    pub at: Millis,
    /// What was noted.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What is noted of an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who acted.
    pub who: Who,
    /// From which address, where there was one.
    pub from: Option<IpAddr>,
    /// What was done.
    pub what: What,
    /// On what: ids only.
    pub on: Vec<Subject>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Entry {
    /// An act that was done, without an address and on nothing.
    pub const fn by(who: Who, what: What) -> Self {
        Self { who, from: None, what, on: Vec::new(), outcome: Outcome::Ok }
    }

    /// From an address.
    #[must_use]
    pub fn from(self, address: IpAddr) -> Self {
        Self { from: Some(address), ..self }
    }

    /// On something as well.
    #[must_use]
    pub fn on(mut self, subject: impl Into<Subject>) -> Self {
        self.on.push(subject.into());
        self
    }

    /// It was refused, with this code.
    #[must_use]
    pub fn refused(self, code: &'static str) -> Self {
        Self { outcome: Outcome::Refused(Cow::Borrowed(code)), ..self }
    }
}

/// Implements the text form of an enum of codes that keeps what it does not know.
macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::read(&Cow::<'de, str>::deserialize(deserializer)?))
            }
        }
    };
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Whoever shows the token of the data folder.
    Operator,
    /// An account.
    Account(AccountId),
    /// A phone.
    Device(DeviceId),
    /// The server itself.
    Server,
    /// Somebody who has not shown who it is.
    Nobody,
    /// Of a later version.
    Unknown(String),
}

impl Who {
    fn read(text: &str) -> Self {
        let id = |kind: &str| text.strip_prefix(kind);
        match text {
            "operator" => Self::Operator,
            "server" => Self::Server,
            "nobody" => Self::Nobody,
            _ => {
                let account = id("account:").and_then(|id| id.parse().ok()).map(Self::Account);
                let device = || id("device:").and_then(|id| id.parse().ok()).map(Self::Device);
                account.or_else(device).unwrap_or_else(|| Self::Unknown(text.to_owned()))
            }
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Device(id) => write!(f, "device:{id}"),
            Self::Server => f.write_str("server"),
            Self::Nobody => f.write_str("nobody"),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

impl From<Caller> for Who {
    fn from(caller: Caller) -> Self {
        match caller {
            Caller::Operator => Self::Operator,
            Caller::Account { id, .. } => Self::Account(id),
        }
    }
}

as_text!(Who);

macro_rules! acts {
    ($($(#[$doc:meta])+ $name:ident $code:literal,)+) => {
        /// What was done. Codes are never renamed and never given again.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum What {
            $($(#[$doc])+ $name,)+
            /// Of a later version.
            Unknown(String),
        }

        impl What {
            fn read(code: &str) -> Self {
                match code {
                    $($code => Self::$name,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }

            /// The code.
            pub fn code(&self) -> &str {
                match self {
                    $(Self::$name => $code,)+
                    Self::Unknown(code) => code,
                }
            }
        }
    };
}

acts! {
    /// A login; refused where it failed.
    Login "login",
    /// A name or an address that failed too often has to wait.
    Locked "locked",
    /// A logout.
    Logout "logout",
    /// A refresh token came again after its minute, and its session was ended.
    RefreshReused "refresh-reused",
    /// Something was asked for that this account may not do.
    Denied "denied",
    /// An account was added.
    AccountAdded "account-added",
    /// An account got another password; refused where the present one was wrong.
    PasswordChanged "password-changed",
    /// An account was disabled.
    AccountDisabled "account-disabled",
    /// A sensitive act was proposed.
    Proposed "proposed",
    /// A sensitive act was confirmed, and so done.
    Confirmed "confirmed",
    /// A street was added.
    StreetAdded "street-added",
    /// Grids were added.
    GridsAdded "grids-added",
    /// A person was added.
    PersonAdded "person-added",
    /// A right was given.
    GrantGiven "grant-given",
    /// A right was ended.
    GrantEnded "grant-ended",
    /// A grid was given to another worker.
    GridReassigned "grid-reassigned",
    /// Places went over to another grid.
    BoundariesMoved "boundaries-moved",
    /// A person's card was erased.
    Erased "erased",
    /// A value that speaks of a person was redacted.
    Redacted "redacted",
    /// An enrolment code was made.
    CodeIssued "code-issued",
    /// A phone traded a code for an identity; refused where the code does not count.
    Enrolled "enrolled",
    /// A device was revoked, or noted as lost.
    DeviceEnded "device-ended",
    /// An import began.
    ImportBegun "import-begun",
    /// A backup began.
    BackupBegun "backup-begun",
    /// The server was set up again from a backup.
    Restored "restored",
    /// The wait for phones after a restore was ended.
    ReconciliationEnded "reconciliation-ended",
    /// A document was shown whole, with what it holds of people.
    Revealed "revealed",
    /// A record was put under a hold.
    HoldBegun "hold-begun",
    /// A hold was ended.
    HoldEnded "hold-ended",
    /// A copy of all that is held on a person was made.
    Exported "exported",
    /// The server found that the log before this record is not whole.
    GapFound "gap-found",
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

as_text!(What);

/// What an act was done on: a word for what it is, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(String);

macro_rules! subjects {
    ($($id:ident $word:literal),+) => { $(
        impl From<$id> for Subject {
            fn from(id: $id) -> Self {
                Self(format!(concat!($word, ":{}"), id))
            }
        }
    )+ };
}

subjects!(
    AccountId "account", SessionId "session", ProposalId "proposal", StreetId "street", GridId "grid", PersonId "person", GrantId "grant",
    DeviceId "device", DocId "document"
);

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It was refused, with this code.
    Refused(Cow<'static, str>),
}

impl Outcome {
    fn read(text: &str) -> Self {
        if text == "ok" { Self::Ok } else { Self::Refused(text.to_owned().into()) }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Refused(code) => f.write_str(code),
        }
    }
}

as_text!(Outcome);

mod millis {
    //! Times as numbers.
    use super::{Deserialize, Deserializer, Millis, Serializer};

    pub fn serialize<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
        i64::deserialize(deserializer).map(Millis)
    }
}
