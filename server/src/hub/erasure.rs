//! Erasing a person: the keys of the record are destroyed, every phone that holds it is told, and nothing can be written there any more.
//!
//! Documents, changes, hashes, signatures and cursors stay as they are; what they held of the person opens with nothing any more. In this order: the
//! list of erasures is written, then the keys are destroyed, then the feed says so. A cut in between is made good by [`Hub::erase_again`], at
//! every start, and so is a backup that holds the keys still.

use std::sync::{Mutex, PoisonError};

use doorstep_core::docs::{Case, DocKind, Document, Household, Keyring};
use doorstep_core::model::{DocId, Millis, PartyId, Receipts, Reporter, ResidentId, StreetId};
use doorstep_core::summary::Summary;

use super::working::Working;
use super::{Hub, HubError};
use crate::ledger::{Commit, LedgerError};

/// How often an erasure is announced anew when the document moves on meanwhile.
const MOST_ROUNDS: usize = 8;

/// That a record was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// The street.
    pub street: StreetId,
    /// The record.
    pub doc: DocId,
    /// When.
    pub at: Millis,
}

/// The list of what was erased: outside of the ledger and of its backups, so that a restored ledger can be told.
pub trait ErasureList: Send + Sync {
    /// Notes an erasure, durably.
    ///
    /// # Errors
    /// When the disk refuses: nothing is erased then.
    fn note(&self, erasure: Erasure) -> std::io::Result<()>;

    /// All of them.
    fn all(&self) -> Vec<Erasure>;
}

/// A list that lasts as long as this value: for tests, and for servers that nobody restores.
#[derive(Debug, Default)]
pub struct MemoryErasures(Mutex<Vec<Erasure>>);

impl ErasureList for MemoryErasures {
    fn note(&self, erasure: Erasure) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(erasure);
        Ok(())
    }

    fn all(&self) -> Vec<Erasure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A record that may still say something of somebody who was erased: for a clerk to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it is.
    pub kind: DocKind,
    /// Which.
    pub doc: DocId,
    /// Why it is named: `member`, `reporter`, `name`.
    pub why: &'static str,
}

impl Hub {
    /// Erases the card of a resident or of a party. Gives the records that speak of the person, as far as ids and summaries say.
    ///
    /// # Errors
    /// [`HubError::NotFound`] where there is no such resident or party; [`HubError::Held`]; when the list or the ledger fail: it may be asked again.
    pub fn erase(&self, street: StreetId, doc: DocId) -> Result<Vec<Mention>, HubError> {
        let (_, mentions) = self.held_on(street, doc)?;
        if let Some(hold) = self.hold_of(street, doc)? {
            return Err(HubError::Held { reason: hold.reason });
        }
        self.erase_for_good(street, doc)?;
        Ok(mentions)
    }

    /// Notes in the list that a record is erased, and erases it.
    pub(super) fn erase_for_good(&self, street: StreetId, doc: DocId) -> Result<(), HubError> {
        self.erasures.note(Erasure { street, doc, at: self.now() }).map_err(|_| HubError::ErasureList)?;
        self.destroy(street, doc)
    }

    /// The card of a resident or of a party, and the records that speak of the person.
    ///
    /// # Errors
    /// [`HubError::NotFound`] where there is no such resident or party; or when the ledger fails.
    pub fn held_on(&self, street: StreetId, doc: DocId) -> Result<((Document, Receipts), Vec<Mention>), HubError> {
        let (document, receipts) = self.document(street, doc)?;
        if !matches!(document.kind(), DocKind::Resident | DocKind::Party) {
            return Err(HubError::NotFound { what: "resident or party" });
        }
        let mentions = self.mentions(street, &document)?;
        Ok(((document, receipts), mentions))
    }

    /// What was erased in a street, the oldest first.
    pub fn erased(&self, street: StreetId) -> Vec<Erasure> {
        self.erasures.all().into_iter().filter(|erasure| erasure.street == street).collect()
    }

    /// Erases once more what the list says and the ledger does not know: after a cut, or a restore. How many there were.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn erase_again(&self) -> Result<usize, HubError> {
        let mut again = 0;
        for Erasure { street, doc, .. } in self.erasures.all() {
            let (keys, announced_at) = self.ledger.keys(street, doc)?;
            if keys.is_erased() && announced_at.0 > 0 {
                continue;
            }
            again += 1;
            self.destroy(street, doc)?;
        }
        Ok(again)
    }

    /// Destroys the keys, then says so in the feed, if the ledger has the document.
    fn destroy(&self, street: StreetId, doc: DocId) -> Result<(), HubError> {
        let _guard = self.locks.lock([doc]);
        self.ledger.forget_keys(street, doc)?;
        for _ in 0..MOST_ROUNDS {
            self.cache.remove(street, doc);
            let Some(loaded) = self.load(street, doc)? else { return Ok(()) };
            let working = Working::erased(&loaded);
            let (write, as_loaded) = self.written(street, working)?;
            let commit = Commit { documents: vec![write], keys: vec![(doc, Keyring::erased())], ..Commit::default() };
            match self.commit_documents(street, commit, vec![as_loaded]) {
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => {}
                done => return done,
            }
        }
        Err(HubError::Busy)
    }

    /// Households that the person is of, cases that the person reported, and records whose line in a list bears the name.
    fn mentions(&self, street: StreetId, card: &Document) -> Result<Vec<Mention>, HubError> {
        let doc = card.id();
        let name = match card.kind() {
            DocKind::Resident => doorstep_core::docs::Resident::read(card).details.name,
            _ => doorstep_core::docs::Party::read(card).details.name,
        };
        let bears = |text: Option<&doorstep_core::model::Personal<String>>| match (&name, text) {
            (Some(name), Some(text)) => text.reveal().contains(name.reveal().as_str()),
            _ => false,
        };
        let mut found = Vec::new();
        let mut to_read = Vec::new();
        for kind in [DocKind::Household, DocKind::Case] {
            self.each_summary(street, kind, &mut |summary| {
                let text = match &summary {
                    Summary::Household(row) => row.contact.as_ref(),
                    Summary::Case(row) => row.excerpt.as_ref(),
                    _ => None,
                };
                if bears(text) {
                    found.push(Mention { kind, doc: summary.id(), why: "name" });
                } else if matches!(&summary, Summary::Case(_)) || matches!(&summary, Summary::Household(row) if row.members > 0) {
                    to_read.push((kind, summary.id()));
                }
            })?;
        }
        for (kind, id) in to_read {
            let Some(loaded) = self.load(street, id)? else { continue };
            let is_member = || Household::brief(&loaded.document).members.contains(&ResidentId::from(doc));
            let reporter = || Case::brief(&loaded.document).details.reporter;
            let is_reporter = || match reporter() {
                Some(Reporter::Resident(id)) => id == ResidentId::from(doc),
                Some(Reporter::Party(id)) => id == PartyId::from(doc),
                None => false,
            };
            match kind {
                DocKind::Household if is_member() => found.push(Mention { kind, doc: id, why: "member" }),
                DocKind::Case if is_reporter() => found.push(Mention { kind, doc: id, why: "reporter" }),
                _ => {}
            }
        }
        Ok(found)
    }
}
