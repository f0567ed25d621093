//! Erasing a person: the keys of the record are destroyed, every phone that holds it is told, and nothing can be written there any more. And redacting
//! what other records say of the person: the keys that open one value are cut, and the rest of the record stays as it is.
//!
//! Documents, changes, hashes, signatures and cursors stay as they are; what they held of the person opens with nothing any more. In this order: the
//! list of erasures is written, then the keys are destroyed, then the feed says so. A cut in between is made good by [`Hub::erase_again`], at
//! every start, and so is a backup that holds the keys still.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use doorstep_core::docs::layout::Path;
use doorstep_core::docs::{DocKind, Document, KeyId, Keyring, RecordKey};
use doorstep_core::model::{DeviceId, DocId, Invalid, Millis, Position, Receipts, StreetId};

use super::mentions::Mention;
use super::working::Working;
use super::{Hub, HubError, lock};
use crate::ledger::{Commit, Device, LedgerError};

/// How often an erasure is announced anew when the document moves on meanwhile.
const MOST_ROUNDS: usize = 8;

/// That a record was erased, or a value of it redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The street.
    pub street: StreetId,
    /// The record.
    pub doc: DocId,
    /// When.
    pub at: Millis,
    /// What of it; `None` for all.
    pub part: Option<Redaction>,
}

impl Erasure {
    /// Whether it is of this record.
    pub fn is_of(&self, street: StreetId, doc: DocId) -> bool {
        (self.street, self.doc) == (street, doc)
    }
}

/// What of a key was destroyed for the sake of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// The place of the value.
    pub path: Path,
    /// Its field.
    pub field: String,
    /// The key.
    pub key: KeyId,
}

/// The list of what was erased: outside of the ledger and of its backups, so that a restored ledger can be told.
pub trait ErasureList: Send + Sync {
    /// Notes an erasure, durably.
    ///
    /// # Errors
    /// When the disk refuses: nothing is erased then.
    fn note(&self, erasure: Erasure) -> std::io::Result<()>;

    /// All of them, the oldest first.
    fn all(&self) -> Vec<Erasure>;

    /// Those of one record.
    fn of(&self, street: StreetId, doc: DocId) -> Vec<Erasure>;
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

    fn of(&self, street: StreetId, doc: DocId) -> Vec<Erasure> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|erasure| erasure.is_of(street, doc)).cloned().collect()
    }
}

impl Hub {
    /// Erases the card of a resident or of a party. Gives the records that speak of the person, as far as ids and summaries say.
    ///
    /// # Errors
    /// [`HubError::NotFound`] where there is no such resident or party; [`HubError::Held`]; when the list or the ledger fail: it may be asked again.
    pub fn erase(&self, street: StreetId, doc: DocId) -> Result<Vec<Mention>, HubError> {
        let (_, mentions) = self.held_on(street, doc)?;
        self.is_not_held(street, doc)?;
        self.erase_for_good(street, doc)?;
        Ok(mentions)
    }

    /// Redacts a value of any record: nobody reads any more what stands or stood at this place. What is written there from then on can be read.
    ///
    /// # Errors
    /// [`HubError::NotFound`] where there is no personal value that can be read; [`HubError::Held`]; [`HubError::Invalid`] where the record has no room
    /// for another key; when the list or the ledger fail: it may be
    /// asked again.
    pub fn redact(&self, street: StreetId, doc: DocId, path: &Path) -> Result<(), HubError> {
        let (document, _) = self.document(street, doc)?;
        let field = document.personal_places().into_iter().find(|(place, _)| place == path).map(|(_, field)| field);
        let keys = document.openers_at(path);
        let Some(field) = field.filter(|_| !keys.is_empty()) else { return Err(HubError::NotFound { what: "personal value" }) };
        self.is_not_held(street, doc)?;
        if document.keys().is_full() {
            return Err(Invalid::new("path", "is of a record of which too much was redacted already: erase it").into());
        }
        for key in keys {
            let part = Redaction { path: path.clone(), field: field.to_owned(), key };
            self.note_erasure(Erasure { street, doc, at: self.now(), part: Some(part) })?;
        }
        self.destroy(street, doc)
    }

    fn is_not_held(&self, street: StreetId, doc: DocId) -> Result<(), HubError> {
        self.hold_of(street, doc)?.map_or(Ok(()), |hold| Err(HubError::Held { reason: hold.reason }))
    }

    /// Notes in the list that a record is erased, and erases it.
    pub(super) fn erase_for_good(&self, street: StreetId, doc: DocId) -> Result<(), HubError> {
        self.note_erasure(Erasure { street, doc, at: self.now(), part: None })?;
        self.destroy(street, doc)
    }

    fn note_erasure(&self, erasure: Erasure) -> Result<(), HubError> {
        self.erasures.note(erasure).map_err(|_| HubError::ErasureList)
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

    /// Erases and redacts once more what the list says and the ledger does not know: after a cut, or a restore. How many records there were.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn erase_again(&self) -> Result<usize, HubError> {
        let mut records: BTreeMap<(StreetId, DocId), Vec<Erasure>> = BTreeMap::new();
        for erasure in self.erasures.all() {
            records.entry((erasure.street, erasure.doc)).or_default().push(erasure);
        }
        let mut again = 0;
        for ((street, doc), erasures) in records {
            let (known, announced_at) = self.ledger.keys(street, doc)?;
            self.note_erased_at(street, announced_at);
            if announced_at.0 > 0 && left(&known, &erasures, &[]) == known {
                continue;
            }
            again += 1;
            self.destroy(street, doc)?;
        }
        Ok(again)
    }

    /// Brings the keys of a record in line with the list, for good, then says so in the feed, if the ledger has the document.
    fn destroy(&self, street: StreetId, doc: DocId) -> Result<(), HubError> {
        let _guard = self.locks.lock([doc]);
        let (known, _) = self.ledger.keys(street, doc)?;
        let places = self.load(street, doc)?.map(|loaded| loaded.document.personal_places());
        let mut left = left(&known, &self.erasures.of(street, doc), places.as_deref().unwrap_or_default());
        if places.is_some() && !left.is_erased() && !left.can_seal() {
            // What is written from now on.
            left = left.union(&Keyring::of(RecordKey::make(&mut *lock(&self.entropy))));
        }
        self.ledger.cut_keys(street, doc, &left)?;
        for _ in 0..MOST_ROUNDS {
            self.cache.remove(street, doc);
            let Some(loaded) = self.load(street, doc)? else { return Ok(()) };
            let working = Working::cut(&loaded, left.clone());
            let (write, as_loaded) = self.written(street, working)?;
            let commit = Commit { documents: vec![write], keys: vec![(doc, left.clone())], ..Commit::default() };
            match self.commit_documents(street, commit, vec![as_loaded]) {
                Err(HubError::Ledger(LedgerError::Conflict { .. })) => {}
                done => {
                    done?;
                    self.note_erased_at(street, self.ledger.keys(street, doc)?.1);
                    return Ok(());
                }
            }
        }
        Err(HubError::Busy)
    }

    /// The devices that have not yet said that they have read what an erasure is announced with: their phones may hold the keys still.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn unconfirmed(&self, erasure: &Erasure, devices: &[Device]) -> Result<Vec<DeviceId>, HubError> {
        let (_, announced_at) = self.ledger.keys(erasure.street, erasure.doc)?;
        let may_hold = |device: &&Device| device.ended.is_none() && device.enrolled_at <= erasure.at;
        let unread = |device: &&Device| device.read_to.unwrap_or_default() < announced_at;
        Ok(devices.iter().filter(may_hold).filter(unread).map(|device| device.id).collect())
    }

    fn note_erased_at(&self, street: StreetId, at: Position) {
        let mut erased_at = lock(&self.erased_at);
        let last = erased_at.entry(street).or_default();
        *last = at.max(*last);
    }
}

/// What these erasures leave of the keys of a record whose personal values stand at these places.
fn left(known: &Keyring, erasures: &[Erasure], places: &[(Path, &str)]) -> Keyring {
    erasures.iter().fold(known.clone(), |left, erasure| match &erasure.part {
        None => Keyring::erased(),
        Some(Redaction { path, field, key }) if !left.is_cut_at(*key, field, path) => {
            let of_field: Vec<Path> = places.iter().filter(|(_, of)| of == field).map(|(place, _)| place.clone()).collect();
            left.cut(*key, field, path, &of_field)
        }
        Some(_) => left,
    })
}
