//! Which records speak of a person: those that name the card by its id, and those in whose words the person's name or number stands.
//!
//! Costs a reading of all documents of the street: a person is seldom erased, and nothing that could be asked faster may be kept of what people
//! say of each other.

use doorstep_core::docs::layout::Path;
use doorstep_core::docs::{Case, DocKind, Document, Household};
use doorstep_core::model::{DocId, PartyId, Personal, Reporter, ResidentId, StreetId};

use super::{Hub, HubError};

/// The shortest text of a card that is looked for in others' words, in characters: a single one stands everywhere.
const LEAST_CHARACTERS: usize = 2;
/// The fields of a card by which a person is spoken of.
const NAMING: [&str; 3] = ["name", "phone", "id_number"];

/// A record that may still say something of somebody: for a clerk to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it is.
    pub kind: DocKind,
    /// Which.
    pub doc: DocId,
    /// Why it is named.
    pub why: Why,
}

/// How a record speaks of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The person is of this household.
    Member,
    /// The person reported this case.
    Reporter,
    /// The words at this place bear the name or a number.
    Words(Path),
}

impl Why {
    /// Its word, a promise to scripts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Reporter => "reporter",
            Self::Words(_) => "words",
        }
    }

    /// The place of the words.
    pub const fn path(&self) -> Option<&Path> {
        match self {
            Self::Words(path) => Some(path),
            Self::Member | Self::Reporter => None,
        }
    }
}

impl Hub {
    /// The records that speak of the person of a card.
    pub(super) fn mentions(&self, street: StreetId, card: &Document) -> Result<Vec<Mention>, HubError> {
        let own = card.personal_texts().into_iter();
        let named = own.filter(|(path, _)| NAMING.contains(&path.to_string().as_str())).map(|(_, text)| text);
        let named: Vec<Personal<String>> = named.filter(|text| text.reveal().chars().count() >= LEAST_CHARACTERS).collect();
        let mut found = Vec::new();
        for kind in DocKind::ALL {
            let mut docs = Vec::new();
            self.each_summary(street, kind, &mut |summary| docs.push(summary.id()))?;
            for doc in docs.into_iter().filter(|doc| *doc != card.id()) {
                let Some(loaded) = self.load(street, doc)? else { continue };
                let why = reasons(&loaded.document, card.id(), &named);
                found.extend(why.into_iter().map(|why| Mention { kind, doc, why }));
            }
        }
        Ok(found)
    }
}

fn reasons(document: &Document, card: DocId, named: &[Personal<String>]) -> Vec<Why> {
    let by_id = match document.kind() {
        DocKind::Household if Household::brief(document).members.contains(&ResidentId::from(card)) => Some(Why::Member),
        DocKind::Case if is_of(Case::brief(document).details.reporter, card) => Some(Why::Reporter),
        _ => None,
    };
    let bears = |text: &Personal<String>| named.iter().any(|named| text.reveal().contains(named.reveal().as_str()));
    let words = document.personal_texts().into_iter().filter(|(_, text)| bears(text)).map(|(path, _)| Why::Words(path));
    by_id.into_iter().chain(words).collect()
}

fn is_of(reporter: Option<Reporter>, card: DocId) -> bool {
    match reporter {
        Some(Reporter::Resident(id)) => id == ResidentId::from(card),
        Some(Reporter::Party(id)) => id == PartyId::from(card),
        None => false,
    }
}
