//! Ids: 16 bytes, a UUIDv7 made on the device, so that a record has its final id while there is no signal.

use crate::model::{Invalid, Millis};

/// Where random bytes come from: the system's in a product, a seed in a simulation.
pub trait Entropy: Send {
    /// Fills `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<T: Entropy + ?Sized> Entropy for Box<T> {
    fn fill(&mut self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Makes a new id: a UUIDv7 of `now` and ten random bytes.
            pub fn make(now: Millis, entropy: &mut (impl Entropy + ?Sized)) -> Self {
                Self(uuid_v7(now, entropy))
            }

            /// Takes an id from its bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id's bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                uuid::Uuid::try_parse(text.trim())
                    .map(|id| Self(id.into_bytes()))
                    .map_err(|_| Invalid::new(stringify!($name), "is not an id such as 0193a3c2-…"))
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = Invalid;

            fn try_from(bytes: &[u8]) -> Result<Self, Invalid> {
                bytes.try_into().map(Self).map_err(|_| Invalid::new(stringify!($name), "is not 16 bytes long"))
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self, e: &mut minicbor::Encoder<W>, _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::try_from(d.bytes()?).map_err(|_| minicbor::decode::Error::message("an id has 16 bytes"))
            }
        }
    )+ };
}

ids! {
    /// Any document or record: each typed document id turns into one.
    DocId,
    /// A place: an estate, a building, an alley or a yard.
    PlaceId,
    /// A household: a door and the people behind it.
    HouseholdId,
    /// A registered resident.
    ResidentId,
    /// An enterprise, shop, school or institution of a grid.
    OrganisationId,
    /// Somebody in a case who is no registered resident.
    PartyId,
    /// A case.
    CaseId,
    /// A visit.
    VisitId,
    /// An amendment of a visit by its author.
    AmendmentId,
    /// A note beside a document's fields.
    NoteId,
    /// An event of a case.
    EventId,
    /// A member of staff: a worker, an officer, somebody of a centre.
    PersonId,
    /// A phone, or the server itself, that signs and writes.
    DeviceId,
    /// A street.
    StreetId,
    /// A grid of a street.
    GridId,
    /// A centre of a street.
    CentreId,
    /// One person's right to a scope.
    GrantId,
    /// A command and the changes that it made, accepted or refused as a whole.
    GroupId,
    /// One life of a server's ledger of a street; a new one begins after a restore.
    LedgerId,
    /// An account of the console and the admin API.
    AccountId,
    /// What an account began by logging in: all tokens that came of it.
    SessionId,
    /// A sensitive act that one account proposed and another has to confirm.
    ProposalId,
}

impl PersonId {
    /// In whose name the server writes its rulings. No member of staff has this id: theirs are UUIDs of version 7.
    pub const SERVER: Self = Self(*b"doorstep-server.");
}

macro_rules! documents {
    ($($name:ident),+) => { $(
        impl From<$name> for DocId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }

        impl From<DocId> for $name {
            /// Reads an id as that of this kind of document; what kind a document has is said by its genesis, not by its id.
            fn from(id: DocId) -> Self {
                Self(id.0)
            }
        }
    )+ };
}

documents!(PlaceId, HouseholdId, ResidentId, OrganisationId, PartyId, CaseId, StreetId);

/// The eight bytes of a device that begin each actor of it: the random half of its id. The server gives no tag twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceTag(pub [u8; 8]);

impl DeviceId {
    /// The part of the id that begins the device's actors.
    pub fn tag(&self) -> DeviceTag {
        let [_, _, _, _, _, _, _, _, tag @ ..] = self.0;
        DeviceTag(tag)
    }
}

impl std::fmt::Display for DeviceTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// One life of a phone's store, in eight random bytes: the second half of an actor. Never used again once left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub [u8; 8]);

impl Incarnation {
    /// Begins a new life.
    pub fn make(entropy: &mut (impl Entropy + ?Sized)) -> Self {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        Self(bytes)
    }
}

macro_rules! eight_bytes {
    ($($name:ty),+) => { $(
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self, e: &mut minicbor::Encoder<W>, _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.bytes()?.try_into().map(Self).map_err(|_| minicbor::decode::Error::message("eight bytes are expected"))
            }
        }
    )+ };
}

eight_bytes!(DeviceTag, Incarnation, crate::model::Seal);

/// RFC 9562, section 5.7: 48 bits of milliseconds, then random bits around version and variant.
fn uuid_v7(now: Millis, entropy: &mut (impl Entropy + ?Sized)) -> [u8; 16] {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(now.0.max(0).unsigned_abs(), &random).into_uuid().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Counting(u8);
    impl Entropy for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_version_7_that_sorts_by_time() {
        let mut entropy = Counting(0);
        let earlier = CaseId::make(Millis(1_764_000_000_000), &mut entropy);
        let later = CaseId::make(Millis(1_764_000_000_001), &mut entropy);
        assert!(earlier < later);
        assert_eq!(uuid::Uuid::from_bytes(*earlier.as_bytes()).get_version_num(), 7);
    }

    proptest! {
        #[test]
        fn an_id_is_read_back_from_its_text_and_its_cbor(bytes: [u8; 16]) {
            let id = VisitId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<VisitId>().unwrap(), id);
            prop_assert_eq!(minicbor::decode::<VisitId>(&minicbor::to_vec(id).unwrap()).unwrap(), id);
        }
    }
}
