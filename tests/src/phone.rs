//! A phone: an engine over a store on disk.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorstep_core::field::{Engine, FieldError, MarkFile, SyncReport, Transport};
use doorstep_core::model::{Clock, HouseholdDetails, HouseholdId, PersonId, Personal, StreetId, VisitDraft, VisitId, VisitSubject};
use doorstep_core::store::{SealedStore, SledOptions, SledStore, Store, StoreKey};
use doorstep_core::sync::client::SyncFailure;
use doorstep_server::hub::Hub;
use doorstep_server::system::{SystemClock, SystemEntropy};

/// A phone with its store in a folder. Dropping it closes the store.
pub struct Phone {
    /// The engine.
    pub engine: Engine,
    /// The folder of its store.
    pub folder: PathBuf,
    store: Arc<dyn Store>,
}

impl Phone {
    /// Opens the store of a phone, or makes one.
    pub fn open(folder: &Path, clock: impl Clock + 'static) -> Self {
        Self::open_with(folder, clock, SledOptions::default())
    }

    /// The same with a store of certain options.
    pub fn open_with(folder: &Path, clock: impl Clock + 'static, options: SledOptions) -> Self {
        Self::over(Arc::new(SledStore::open(folder, options).unwrap()), folder, clock)
    }

    /// The same with the machine's clock, under a seal.
    pub fn open_sealed(folder: &Path, key: &StoreKey) -> Self {
        let store = SledStore::open(folder, SledOptions::default()).unwrap();
        Self::over(Arc::new(SealedStore::open(store, key, Box::new(SystemEntropy)).unwrap()), folder, SystemClock)
    }

    fn over(store: Arc<dyn Store>, folder: &Path, clock: impl Clock + 'static) -> Self {
        let mark = MarkFile::at(folder.with_extension("life"));
        let engine = Engine::open(store.clone(), Arc::new(clock), Box::new(SystemEntropy), &mark).unwrap();
        Self { engine, folder: folder.to_owned(), store }
    }

    /// The same with the machine's clock.
    pub fn open_now(folder: &Path) -> Self {
        Self::open(folder, SystemClock)
    }

    /// Makes it somebody's device and reads everything that it may see.
    pub fn enrol(&self, hub: &Hub, street: StreetId, person: PersonId, transport: &dyn Transport) {
        let (code, _) = hub.make_code(street, person).unwrap();
        self.enrol_with(&code, transport);
    }

    /// The same with a code.
    pub fn enrol_with(&self, code: &str, transport: &dyn Transport) {
        self.engine.enrol(transport, "http://the-server", code, "a phone").unwrap();
        self.sync(transport);
    }

    /// Syncs, and everything must have been accepted.
    pub fn sync(&self, transport: &dyn Transport) -> SyncReport {
        let report = self.engine.sync(transport).unwrap();
        assert_eq!((report.pending, report.exchanged.refused), (0, 0), "something waits or was refused");
        report
    }

    /// Syncs, which must fail.
    pub fn fail_to_sync(&self, transport: &dyn Transport) -> SyncFailure {
        match self.engine.sync(transport) {
            Err(FieldError::Sync(failure)) => failure,
            other => panic!("a failure of the sync was to come: {other:?}"),
        }
    }

    /// Records a visit with findings.
    pub fn visit(&self, household: HouseholdId, findings: &str) -> VisitId {
        let mut draft = VisitDraft::routine(VisitSubject::Household(household));
        draft.findings = Personal::new(findings.to_owned());
        self.engine.record_visit(draft).unwrap()
    }

    /// The households on it, in the order of their ids.
    pub fn households(&self) -> Vec<HouseholdId> {
        self.engine.households(None).unwrap().into_iter().map(|listed| listed.row.id).collect()
    }

    /// How many visits of a household are on it.
    pub fn visits_of(&self, household: HouseholdId) -> usize {
        self.engine.visits(VisitSubject::Household(household)).unwrap().len()
    }

    /// How many rows its store has.
    pub fn row_count(&self) -> usize {
        self.store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap().len()
    }

    /// Whether some row of its store holds a text.
    pub fn holds(&self, text: &str) -> bool {
        let rows = self.store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap();
        rows.iter().any(|(_, value)| value.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    /// Whether a visit is on it.
    pub fn has_visit(&self, household: HouseholdId, visit: VisitId) -> bool {
        self.engine.visits(VisitSubject::Household(household)).unwrap().iter().any(|other| other.id == visit)
    }
}

/// Details that set the remark.
pub fn remark(text: &str) -> HouseholdDetails {
    HouseholdDetails { remark: Some(Personal::new(text.to_owned())), ..HouseholdDetails::default() }
}

/// Details that set the contact.
pub fn contact(name: &str) -> HouseholdDetails {
    HouseholdDetails { contact: Some(Personal::new(name.to_owned())), ..HouseholdDetails::default() }
}
