//! A street on this server, and the devices of those who work there.

use doorstep_core::model::{DeviceId, Era, LedgerId, Millis, PersonId, Position, StreetId};
use doorstep_core::sync::PublicKey;

/// A device that was enrolled.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// The device.
    pub id: DeviceId,
    /// Its street.
    pub street: StreetId,
    /// In whose name it writes.
    pub person: PersonId,
    /// Its public key.
    pub key: PublicKey,
    /// What it calls itself.
    pub label: String,
    /// When it was enrolled.
    pub enrolled_at: Millis,
    /// When it was heard of last, to the hour.
    pub last_contact: Option<Millis>,
    /// Up to where it has said that it has read all that it may; noted only where an erasure waits for it.
    pub read_to: Option<Position>,
    /// When and why it ended, if it has: what it sends is kept apart from then on, and it is sent nothing.
    pub ended: Option<Ended>,
}

/// The end of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Millis,
    /// Why.
    pub why: Ending,
}

/// That a record may not be erased, whoever asks for it: it is evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why: the case at court, the inspection.
    pub reason: String,
    /// Since when.
    pub since: Millis,
}

/// Why a device ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its person gave it up.
    SignedOut,
    /// It was taken from its person.
    Revoked,
    /// It is lost.
    Lost,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SignedOut, Self::Revoked, Self::Lost];

    /// The word for it, in rows, lists and commands.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SignedOut => "signed-out",
            Self::Revoked => "revoked",
            Self::Lost => "lost",
        }
    }
}

/// A one-time code that makes a phone somebody's device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentCode {
    /// The street.
    pub street: StreetId,
    /// The person.
    pub person: PersonId,
    /// Until when it can be used.
    pub expires_at: Millis,
    /// The device that used it.
    pub used_by: Option<DeviceId>,
}

/// A street that this server serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Street {
    /// The street.
    pub id: StreetId,
    /// Its name.
    pub name: String,
    /// The life of its ledger.
    pub ledger: LedgerId,
    /// What the seals of its receipts are made with.
    pub seal_key: SealKey,
    /// The numbers of receipts that this life of the ledger gives.
    pub era: Era,
    /// It was set up again from a backup, and not all phones have yet given back what it lost.
    pub is_reconciling: bool,
    /// Everything up to here is in a backup.
    pub backed_up_to: Option<Position>,
}

impl Street {
    /// A new one, of which nothing is known yet.
    pub const fn new(id: StreetId, name: String, ledger: LedgerId, seal_key: SealKey) -> Self {
        Self { id, name, ledger, seal_key, era: Era(0), is_reconciling: false, backed_up_to: None }
    }
}

/// The secret by which a street's server knows its receipts. Stays when the server is restored: it is in the backup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealKey(pub [u8; 32]);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

/// Without the label: people call their phones by their own names.
impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("id", &self.id).field("street", &self.street).field("person", &self.person).finish_non_exhaustive()
    }
}
