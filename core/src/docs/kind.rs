//! The kinds of documents.

use crate::docs::layout::Container;

/// What a document is. Said by its genesis and beside it on the wire and on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum DocKind {
    /// An estate, building, alley or yard.
    #[n(1)]
    Place,
    /// A door and the people behind it.
    #[n(2)]
    Household,
    /// The card of one person.
    #[n(3)]
    Resident,
    /// An enterprise, shop, school or institution.
    #[n(4)]
    Organisation,
    /// Who is contacted in a case and is no registered resident.
    #[n(5)]
    Party,
    /// A case.
    #[n(6)]
    Case,
}

impl DocKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Place, Self::Household, Self::Resident, Self::Organisation, Self::Party, Self::Case];

    /// The number on the wire and on disk.
    pub const fn number(self) -> u8 {
        match self {
            Self::Place => 1,
            Self::Household => 2,
            Self::Resident => 3,
            Self::Organisation => 4,
            Self::Party => 5,
            Self::Case => 6,
        }
    }

    /// Reads a number; `None` for a kind of a newer version.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The word for it, in documents and in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Household => "household",
            Self::Resident => "resident",
            Self::Organisation => "organisation",
            Self::Party => "party",
            Self::Case => "case",
        }
    }

    /// The containers that its genesis makes, in that order. Never changed: later schemas add flat root keys.
    pub const fn containers(self) -> &'static [Container] {
        use Container::{Amendments, Attachments, Events, Members, Notes, Tags, Visits};
        match self {
            Self::Place | Self::Organisation => &[Tags, Visits, Amendments, Notes, Attachments],
            Self::Household => &[Tags, Members, Visits, Amendments, Notes, Attachments],
            Self::Resident => &[Tags, Notes],
            Self::Party => &[Notes],
            Self::Case => &[Events, Attachments],
        }
    }
}
