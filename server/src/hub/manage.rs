//! What an administrator does: streets, grids, people, documents that come from elsewhere, and the centre's lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorstep_core::docs::{DocKind, Document, Keyring, RecordKey, Write};
use doorstep_core::model::{
    CaseId, Centre, CentreId, Directory, DocId, EventId, Grid, GridId, Hlc, Invalid, LedgerId, Millis, PersonId, Right, Role, Scope, Staff,
    StreetId,
};
use doorstep_core::summary::{CaseSummary, Summary};

use super::registrar::Registrar;
use super::rights::Term;
use super::working::Working;
use super::{Hub, HubError, lock};
use crate::ledger::{Commit, LedgerError, QuarantinedGroup, SealKey, Street};

/// The longest name of a street, grid, centre or person, in characters.
const MOST_NAME: usize = 60;
/// How many documents of an import are committed together: about half of the megabyte that a batch may have.
const DOCUMENTS_AT_ONCE: usize = 200;
/// How many rows a list reads at a time.
const ROWS_AT_ONCE: usize = 1_024;
/// How often a change of the directory is tried when another came in between.
const MOST_ROUNDS: usize = 8;

/// A member of staff to be added.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The name.
    pub name: String,
    /// What the person is; decides what the person has a right to.
    pub role: Role,
    /// The grids that a worker answers for.
    pub grids: Vec<GridId>,
}

/// A document that comes from elsewhere, with a fixed id: one that is here already is left as it is, so an import can be run again.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Its id.
    pub id: DocId,
    /// What it is.
    pub kind: DocKind,
    /// What is written into it.
    pub writes: Vec<Write>,
}

/// An event that came too late, for the centre's list.
#[derive(Debug, Clone)]
pub struct LateEvent {
    /// The case.
    pub case: CaseId,
    /// The event.
    pub event: EventId,
}

impl Hub {
    /// Adds a street with its centres.
    ///
    /// # Errors
    /// When a name breaks a rule, or the ledger fails.
    pub fn add_street(&self, name: &str, centres: &[&str]) -> Result<Street, HubError> {
        let name = Invalid::check_text("name", name, MOST_NAME)?;
        if self.ledger.streets()?.iter().any(|street| street.name == name) {
            return Err(HubError::Exists { what: "street" });
        }
        let now = self.now();
        let street = {
            let entropy = &mut *lock(&self.entropy);
            let mut seal_key = SealKey([0; 32]);
            entropy.fill(&mut seal_key.0);
            Street::new(StreetId::make(now, entropy), name.clone(), LedgerId::make(now, entropy), seal_key)
        };
        let centres = centres
            .iter()
            .map(|name| {
                let name = Invalid::check_text("centre", name, MOST_NAME)?;
                Ok(Centre { id: CentreId::make(now, &mut *lock(&self.entropy)), name })
            })
            .collect::<Result<_, Invalid>>()?;
        let directory =
            Directory { schema: Directory::SCHEMA, version: 1, street: street.id, name, centres, grids: Vec::new(), staff: Vec::new() };
        self.ledger.add_street(&street, &directory)?;
        Ok(street)
    }

    /// Adds grids to a street; a name that is there already is an error.
    ///
    /// # Errors
    /// When a name breaks a rule or is taken, or the ledger fails.
    pub fn add_grids(&self, street: StreetId, names: &[(String, String)]) -> Result<Vec<GridId>, HubError> {
        let now = self.now();
        let mut added = Vec::new();
        for (name, community) in names {
            let name = Invalid::check_text("name", name, MOST_NAME)?;
            let community =
                if community.trim().is_empty() { String::new() } else { Invalid::check_text("community", community, MOST_NAME)? };
            added.push(Grid { id: GridId::make(now, &mut *lock(&self.entropy)), name, community });
        }
        let ids = added.iter().map(|grid| grid.id).collect();
        self.change_directory(street, |directory| {
            for grid in &added {
                if directory.grids.iter().any(|other| other.name == grid.name) {
                    return Err(HubError::Exists { what: "grid" });
                }
                directory.grids.push(grid.clone());
            }
            Ok(())
        })?;
        Ok(ids)
    }

    /// Adds a person, with the first grants of the role: to each grid that is named; without any, to the street where the role has to do with
    /// all of it. Whoever helps in single cases is granted those one by one.
    ///
    /// # Errors
    /// When the name breaks a rule, a grid is not here, or the ledger fails.
    pub fn add_person(&self, street: StreetId, person: &NewPerson) -> Result<PersonId, HubError> {
        let name = Invalid::check_text("name", &person.name, MOST_NAME)?;
        let now = self.now();
        let id = PersonId::make(now, &mut *lock(&self.entropy));
        self.change_directory(street, |directory| {
            if person.grids.iter().any(|grid| directory.grid(*grid).is_none()) {
                return Err(HubError::NotFound { what: "grid" });
            }
            directory.staff.push(Staff {
                id,
                name: name.clone(),
                role: person.role.clone(),
                grids: person.grids.clone(),
                devices: Vec::new(),
            });
            Ok(())
        })?;
        for scope in first_scopes(street, person) {
            self.grant(street, id, &Right { role: person.role.clone(), scope }, Term::OPEN)?;
        }
        Ok(id)
    }

    /// The streets of this server.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn streets(&self) -> Result<Vec<Street>, HubError> {
        Ok(self.ledger.streets()?)
    }

    /// The directory of a street.
    ///
    /// # Errors
    /// When there is no such street, or the ledger fails.
    pub fn directory(&self, street: StreetId) -> Result<Directory, HubError> {
        Ok(self.ledger.directory(street)?)
    }

    /// Writes documents in the server's name, and says how many were new. `progress` is told after each batch how many are done.
    ///
    /// # Errors
    /// When the ledger fails or a document does not take its writes; what was committed before stays, and running it again goes on.
    pub fn create_documents(
        &self,
        street: StreetId,
        documents: &[NewDocument],
        progress: &mut dyn FnMut(usize),
    ) -> Result<usize, HubError> {
        let of = self.street(street)?;
        let mut created = 0;
        for (index, batch) in documents.chunks(DOCUMENTS_AT_ONCE).enumerate() {
            let _guards = self.locks.lock(batch.iter().map(|document| document.id));
            let (mut writes, mut keys) = (Vec::new(), Vec::new());
            for document in batch {
                if self.ledger.document(street, document.id)?.is_none() {
                    let ring = Keyring::of(RecordKey::make(&mut *lock(&self.entropy)));
                    writes.push(self.write_new(&of, document, &ring)?);
                    keys.push((document.id, ring));
                }
            }
            created += writes.len();
            if !writes.is_empty() {
                let scopes: BTreeSet<Scope> = writes.iter().flat_map(|write| &write.scopes).copied().collect();
                self.ledger.commit(street, Commit { documents: writes, keys, ..Commit::default() })?;
                self.movements.documents(street, scopes.iter());
            }
            progress((index * DOCUMENTS_AT_ONCE + batch.len()).min(documents.len()));
        }
        Ok(created)
    }

    fn write_new(&self, street: &Street, new: &NewDocument, keys: &Keyring) -> Result<crate::ledger::DocumentWrite, HubError> {
        let now = self.now();
        let failed = |_| HubError::Document(doorstep_core::docs::DocumentError::NotReloadable { id: new.id });
        let mut working = Working::new(new.kind, new.id).map_err(failed)?;
        working.learn_keys(keys);
        if let Some(change) = Arc::make_mut(&mut working.document).edit(self.server_actor(street.ledger), Hlc::new(now, 0), &new.writes)? {
            working.take(&change, &Registrar::of(street), now);
        }
        let saved = working.reload_check().map_err(failed)?;
        let snapshot = Some(saved.bytes.clone());
        Ok(crate::ledger::DocumentWrite { snapshot, is_compact: true, ..working.into_write(street.id, saved, self.most_logged).0 })
    }

    /// The cases of a street, the latest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn cases(&self, street: StreetId) -> Result<Vec<CaseSummary>, HubError> {
        let mut cases = Vec::new();
        self.each_summary(street, DocKind::Case, &mut |summary| {
            if let Summary::Case(case) = summary {
                cases.push(case);
            }
        })?;
        cases.sort_by_key(|case| std::cmp::Reverse((case.opened_at, case.id)));
        Ok(cases)
    }

    /// Calls `visit` with the summary of each document of a kind, in the order of their ids.
    ///
    /// # Errors
    /// When the ledger fails or a summary does not decode.
    pub fn each_summary(&self, street: StreetId, kind: DocKind, visit: &mut dyn FnMut(Summary)) -> Result<(), HubError> {
        let mut after = None;
        loop {
            let rows = self.ledger.summaries(street, kind, after, ROWS_AT_ONCE)?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = Some(*last);
            for (doc, row) in &rows {
                visit(self.opened_summary(street, *doc, row)?);
            }
        }
    }

    /// A summary's row of the ledger, with what is personal in it.
    ///
    /// # Errors
    /// When the ledger fails or the row does not decode.
    pub fn opened_summary(&self, street: StreetId, doc: DocId, row: &[u8]) -> Result<Summary, HubError> {
        let (keys, _) = self.ledger.keys(street, doc)?;
        Ok(Summary::from_row(row, &keys).map_err(|_| LedgerError::Damaged { table: "summary" })?)
    }

    /// A document of a street, loaded.
    ///
    /// # Errors
    /// [`HubError::NotFound`], or when the ledger fails.
    pub fn document(&self, street: StreetId, doc: DocId) -> Result<(Document, doorstep_core::model::Receipts), HubError> {
        let loaded = self.load(street, doc)?.ok_or(HubError::NotFound { what: "document" })?;
        let loaded = Arc::unwrap_or_clone(loaded);
        Ok((Arc::unwrap_or_clone(loaded.document), loaded.receipts))
    }

    /// Events that came too late, the oldest first, at most a thousand.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn late_events(&self, street: StreetId) -> Result<Vec<LateEvent>, HubError> {
        let rows = self.ledger.late_events(street, ROWS_AT_ONCE)?;
        Ok(rows.into_iter().map(|(case, event, _)| LateEvent { case: CaseId::from(case), event }).collect())
    }

    /// Refused groups, the latest first, at most a thousand.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn quarantine(&self, street: StreetId) -> Result<Vec<QuarantinedGroup>, HubError> {
        Ok(self.ledger.quarantine(street, ROWS_AT_ONCE)?)
    }

    /// The server's clock.
    pub fn clock_now(&self) -> Millis {
        self.now()
    }

    /// Replaces the directory by a changed one, conditionally: when another change came in between, it reads again.
    pub(super) fn change_directory(
        &self,
        street: StreetId,
        change: impl Fn(&mut Directory) -> Result<(), HubError>,
    ) -> Result<(), HubError> {
        for _ in 0..MOST_ROUNDS {
            let mut directory = self.ledger.directory(street)?;
            let version = directory.version;
            change(&mut directory)?;
            directory.version += 1;
            let commit = Commit { directory_version: Some(version), directory: Some(directory), ..Commit::default() };
            match self.ledger.commit(street, commit) {
                Err(LedgerError::Conflict { .. }) => {}
                committed => {
                    committed?;
                    self.movements.records(street);
                    return Ok(());
                }
            }
        }
        Err(HubError::Busy)
    }
}

/// To what a new person has a right at once.
fn first_scopes(street: StreetId, person: &NewPerson) -> Vec<Scope> {
    match person.role {
        _ if !person.grids.is_empty() => person.grids.iter().map(|grid| Scope::Grid(*grid)).collect(),
        Role::CentreStaff | Role::EnforcementOfficer | Role::ApprovalClerk | Role::RepairManager | Role::DistrictManager => {
            vec![Scope::Street(street)]
        }
        Role::GridWorker
        | Role::Deputy
        | Role::Auxiliary
        | Role::Crew
        | Role::Finance
        | Role::Interviewer
        | Role::AssociationMember
        | Role::Volunteer
        | Role::SystemAdministrator
        | Role::SecurityAdministrator
        | Role::Auditor
        | Role::Unknown(_) => Vec::new(),
    }
}
