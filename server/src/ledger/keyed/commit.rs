//! The commit: conditions, positions, and every row that becomes durable with them.
//!
//! It has two halves. What needs no position is encoded on the caller's thread; then one plan runs in the order of commits, checks each
//! condition from what it reads there, takes positions and writes. A condition that fails gives the plan up, with everything before it.

use std::collections::BTreeSet;

use doorstep_core::docs::{DocKind, Keyring};
use doorstep_core::model::{ChangeHash, DeviceId, DocId, EventId, Grant, GroupId, Position, Receipt, Scope, StreetId};
use doorstep_core::store::chunks::{delete_chunked, put_chunked};
use doorstep_core::store::{Read, Store, Transaction, Vault, row, transact_with};

use super::compact;
use super::feed;
use super::inbox;
use super::keys;
use super::quarantine::PreparedRefusal;
use super::rows::{
    self, ChangeRow, ClaimRow, Counters, Departure, DeviceRow, GroupRow, Head, MOST_INLINE, ProofRow, SnapshotRow, Standing,
};
use super::street::PreparedDirectory;
use super::vault;
use crate::ledger::{ClaimWrite, Commit, DocumentWrite, LedgerError, Precedence};

const fn conflict(what: &'static str) -> LedgerError {
    LedgerError::Conflict { what }
}

/// See [`Ledger::commit`](crate::ledger::Ledger::commit).
pub(super) fn commit(store: &dyn Store, vault: &Vault, street: StreetId, commit: Commit) -> Result<Vec<Position>, LedgerError> {
    let prepared = Prepared::new(street, commit)?;
    let vault = vault.clone();
    transact_with(store, move |transaction| prepared.write(transaction, &vault))?
}

/// A commit with everything encoded that needs no position.
struct Prepared {
    street: StreetId,
    documents: Vec<PreparedDocument>,
    groups: Vec<(GroupId, Vec<u8>)>,
    claims: Vec<ClaimWrite>,
    rulings_due: Vec<DocId>,
    rulings_given: Vec<DocId>,
    refusals: Vec<PreparedRefusal>,
    inbox: Vec<(GroupId, Vec<u8>)>,
    keys: Vec<(DocId, Keyring)>,
    decided: Vec<GroupId>,
    proof: Option<Vec<u8>>,
    grants: Vec<Grant>,
    device: Option<DeviceId>,
    directory_version: Option<u64>,
    directory: Option<PreparedDirectory>,
}

impl Prepared {
    fn new(street: StreetId, commit: Commit) -> Result<Self, LedgerError> {
        let leaves = commit.proof.iter().flat_map(|proof| proof.leaves.iter().copied()).collect();
        let documents = commit.documents.into_iter().map(|write| PreparedDocument::new(write, &leaves)).collect::<Result<_, _>>()?;
        let groups = commit.groups.into_iter().map(|group| Ok((group.id, rows::sealed(keys::GROUP, &GroupRow::of(group))?)));
        let refusals = commit.quarantine.into_iter().map(|group| PreparedRefusal::new(street, group));
        Ok(Self {
            street,
            documents,
            groups: groups.collect::<Result<_, LedgerError>>()?,
            claims: commit.claims,
            rulings_due: commit.rulings_due,
            rulings_given: commit.rulings_given,
            refusals: refusals.collect::<Result<_, _>>()?,
            inbox: commit.inbox.into_iter().map(inbox::prepared).collect::<Result<_, _>>()?,
            keys: commit.keys,
            decided: commit.decided,
            proof: commit.proof.map(|proof| rows::sealed(keys::PROOF, &ProofRow::of(proof))).transpose()?,
            grants: commit.grants,
            device: commit.device,
            directory_version: commit.directory_version,
            directory: commit.directory.map(|directory| PreparedDirectory::new(street, &directory)).transpose()?,
        })
    }

    /// The plan. Returns the new version of each document.
    fn write(self, transaction: &mut dyn Transaction, vault: &Vault) -> Result<Vec<Position>, LedgerError> {
        let before = Counters::read(&*transaction, self.street)?;
        if self.directory_version.is_some_and(|version| version != before.directory_version) {
            return Err(conflict("directory"));
        }
        self.grants.iter().try_for_each(|grant| stands(&*transaction, self.street, grant))?;
        if let Some(device) = self.device {
            let row: Option<DeviceRow> = rows::get(&*transaction, keys::DEVICE, &keys::device(device))?;
            if row.is_none_or(|row| row.into_device(device).ended.is_some()) {
                return Err(conflict("device"));
            }
        }
        let mut counters = before;
        let first = Position(before.newest.0 + 1);
        let mut place = Place { street: self.street, first, counters: &mut counters };
        let versions = self.documents.into_iter().map(|write| write.write(transaction, &mut place)).collect::<Result<_, _>>()?;
        if let Some(directory) = self.directory {
            directory.write(transaction, self.street, &mut counters)?;
        }
        // Without a position there is nothing here that the signature could prove.
        if let Some(proof) = self.proof.filter(|_| counters.newest > before.newest) {
            put_chunked(transaction, &keys::at_position(keys::PROOF, self.street, first), &proof)?;
        }
        self.groups.into_iter().try_for_each(|(id, row)| write_group(transaction, self.street, id, &row))?;
        self.claims.iter().try_for_each(|claim| write_claim(transaction, self.street, claim))?;
        for case in self.rulings_due {
            transaction.put(keys::of_document(keys::RULING_DUE, self.street, case), row::seal(&[]));
        }
        for case in self.rulings_given {
            transaction.delete(keys::of_document(keys::RULING_DUE, self.street, case));
        }
        self.refusals.into_iter().try_for_each(|refusal| refusal.write(transaction, self.street))?;
        for (group, row) in self.inbox {
            put_chunked(transaction, &keys::inbox(self.street, group), &row)?;
        }
        for group in self.decided {
            let key = keys::inbox(self.street, group);
            if transaction.get(&key)?.is_none() {
                return Err(conflict("inbox"));
            }
            delete_chunked(transaction, &key)?;
        }
        for (doc, keys) in self.keys {
            vault::write(transaction, vault, self.street, doc, &keys, counters.newest)?;
        }
        if counters != before {
            counters.write(transaction, self.street)?;
        }
        Ok(versions)
    }
}

/// Whether a grant is as it was when policy read it.
fn stands(read: &dyn Read, street: StreetId, grant: &Grant) -> Result<(), LedgerError> {
    let present: Option<Grant> = rows::get(read, keys::GRANT, &keys::grant(street, grant.person, grant.id))?;
    if present.as_ref() == Some(grant) { Ok(()) } else { Err(conflict("grant")) }
}

fn write_group(transaction: &mut dyn Transaction, street: StreetId, id: GroupId, row: &[u8]) -> Result<(), LedgerError> {
    let key = keys::group(street, id);
    if transaction.get(&key)?.is_some() {
        return Err(conflict("group"));
    }
    Ok(put_chunked(transaction, &key, row)?)
}

fn write_claim(transaction: &mut dyn Transaction, street: StreetId, claim: &ClaimWrite) -> Result<(), LedgerError> {
    let mut row = ClaimRow::read(&*transaction, street, &claim.key)?;
    if row.case(&claim.key) != claim.expected {
        return Err(conflict("claim"));
    }
    let (key, rest) = keys::claim(street, &claim.key);
    row.put(rest, claim.case);
    rows::put(transaction, keys::CLAIM, key, &row)
}

/// Where in the street's log the commit stands.
struct Place<'a> {
    street: StreetId,
    /// The first position of the commit: its proof stands there.
    first: Position,
    counters: &'a mut Counters,
}

struct PreparedDocument {
    doc: DocId,
    kind: DocKind,
    expected: Option<Position>,
    changes: Vec<PreparedChange>,
    snapshot: Option<Vec<u8>>,
    scopes: Vec<Scope>,
    summary: Vec<u8>,
    is_announced: bool,
    late: Vec<EventId>,
    bytes: u32,
    precedence: Precedence,
    is_compact: bool,
}

struct PreparedChange {
    hash: ChangeHash,
    receipt: Receipt,
    bytes: Vec<u8>,
    /// Whether the signature of the commit covers it. What the server adds of its own is signed by nobody's phone.
    is_signed: bool,
}

impl PreparedDocument {
    fn new(write: DocumentWrite, leaves: &BTreeSet<(DocId, ChangeHash)>) -> Result<Self, LedgerError> {
        let doc = write.doc;
        let mut scopes = Vec::new();
        for scope in write.scopes {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let receipts = write.receipts;
        let snapshot = write.snapshot.map(|bytes| rows::sealed(keys::SNAPSHOT, &SnapshotRow { receipts, bytes }));
        let changes = write.changes.into_iter().map(|(hash, receipt, bytes)| {
            let is_signed = leaves.contains(&(doc, hash));
            PreparedChange { hash, receipt, bytes, is_signed }
        });
        Ok(Self {
            doc,
            kind: write.kind,
            expected: write.expected,
            changes: changes.collect(),
            snapshot: snapshot.transpose()?,
            scopes,
            summary: row::seal(&write.summary),
            is_announced: write.is_announced,
            late: write.late,
            bytes: write.bytes,
            precedence: write.precedence,
            is_compact: write.is_compact,
        })
    }

    fn write(self, transaction: &mut dyn Transaction, place: &mut Place<'_>) -> Result<Position, LedgerError> {
        let old = self.condition(&*transaction, place.street)?;
        let before = place.counters.newest;
        let taken = self.positions(old.as_ref());
        let version = match &old {
            Some(old) if taken == 0 => old.version,
            _ => place.counters.take(taken),
        };
        let mut head = self.head(old.as_ref(), version);
        if self.is_compact && old.is_none() && self.snapshot.is_some() {
            head.log_from = Some(version);
        } else {
            for (position, change) in (before.0 + 1..).map(Position).zip(&self.changes) {
                change.write(transaction, place, self.doc, position)?;
            }
        }
        if let Some(old) = old.as_ref().filter(|_| self.snapshot.is_some()) {
            head.log_from = compact::drop_log(transaction, place.street, self.doc, old)?;
        }
        if taken > 0 {
            self.move_in_feed(transaction, place.street, old.as_ref(), &mut head)?;
        }
        if let Some(snapshot) = &self.snapshot {
            put_chunked(transaction, &keys::of_document(keys::SNAPSHOT, place.street, self.doc), snapshot)?;
        }
        for event in &self.late {
            rows::put(transaction, keys::LATE, keys::late(place.street, version, *event), &self.doc)?;
        }
        rows::put(transaction, keys::HEAD, keys::of_document(keys::HEAD, place.street, self.doc), &head)?;
        transaction.put(keys::summary(place.street, self.kind, self.doc), self.summary);
        Ok(version)
    }

    /// The document as it is, if that is the version that acceptance read.
    fn condition(&self, read: &dyn Read, street: StreetId) -> Result<Option<Head>, LedgerError> {
        let head = Head::read(read, street, self.doc)?;
        let is_expected = head.as_ref().map(|head| head.version) == self.expected;
        let is_same_kind = head.as_ref().is_none_or(|head| head.kind == self.kind);
        if is_expected && is_same_kind { Ok(head) } else { Err(conflict("document")) }
    }

    /// One position for each change; without any, one for coming or going somewhere, or for other keys; none for what readers need not hear of.
    fn positions(&self, old: Option<&Head>) -> usize {
        let stays =
            old.is_some_and(|old| old.scopes.len() == self.scopes.len() && self.scopes.iter().all(|scope| old.entered(*scope).is_some()));
        self.changes.len().max(usize::from(!stays || self.is_announced))
    }

    fn head(&self, old: Option<&Head>, version: Position) -> Head {
        let standing = |scope: &Scope| {
            let entered = old.and_then(|old| old.entered(*scope)).unwrap_or(version);
            Standing { scope: *scope, entered }
        };
        Head {
            kind: self.kind,
            version,
            snapshot_at: if self.snapshot.is_some() { Some(version) } else { old.and_then(|old| old.snapshot_at) },
            scopes: self.scopes.iter().map(standing).collect(),
            left: old.map(|old| old.left.clone()).unwrap_or_default(),
            log_from: old.and_then(|old| old.log_from),
        }
    }

    /// Moves the document's row in each of its scopes to its new version, and notes in `head` where it left.
    fn move_in_feed(
        &self,
        transaction: &mut dyn Transaction,
        street: StreetId,
        old: Option<&Head>,
        head: &mut Head,
    ) -> Result<(), LedgerError> {
        let version = head.version;
        for Standing { scope, .. } in old.iter().flat_map(|old| &old.scopes) {
            transaction.delete(keys::feed(street, *scope, old.map_or(version, |old| old.version)));
            if !self.scopes.contains(scope) {
                rows::put(transaction, keys::FEED, keys::feed(street, *scope, version), &feed::left(self.doc))?;
                head.left.push(Departure { scope: *scope, at: version });
            }
        }
        // Back where it was before: the row that says that it left would be wrong now.
        for Departure { scope, at } in head.left.extract_if(.., |departure| self.scopes.contains(&departure.scope)) {
            transaction.delete(keys::feed(street, scope, at));
        }
        for Standing { scope, entered } in &head.scopes {
            let row = feed::standing(self.doc, self.kind, *entered, self.bytes, self.precedence);
            rows::put(transaction, keys::FEED, keys::feed(street, *scope, version), &row)?;
        }
        Ok(())
    }
}

impl PreparedChange {
    fn write(&self, transaction: &mut dyn Transaction, place: &Place<'_>, doc: DocId, position: Position) -> Result<(), LedgerError> {
        let is_large = self.bytes.len() > MOST_INLINE;
        if is_large {
            put_chunked(transaction, &keys::change(keys::LARGE_CHANGE, place.street, doc, position), &row::seal(&self.bytes))?;
        }
        let row = ChangeRow {
            hash: self.hash,
            number: self.receipt.number,
            at: self.receipt.at,
            bytes: (!is_large).then(|| self.bytes.clone()),
            proof: self.is_signed.then(|| position.0 - place.first.0),
            is_compacted: None,
            seal: self.receipt.seal,
        };
        rows::put(transaction, keys::LOG, keys::change(keys::LOG, place.street, doc, position), &row)
    }
}
