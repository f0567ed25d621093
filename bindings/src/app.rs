//! One opened phone: who it is, what is found on it, and the way to the objects by subject.

use std::sync::Arc;

use doorstep_core::field::{Engine, Invitation, LifeMark, MarkFile, NoMark};
use doorstep_core::model::Clock as CoreClock;
use doorstep_core::store::sealed::StoreKey;
use doorstep_core::store::{SealedStore, Store, StoreError};
use doorstep_core::text::Lang;

use crate::cases::Cases;
use crate::codes::RecordKind;
use crate::diagnostics::{Log, diagnostics};
use crate::error::DoorstepError;
use crate::households::Households;
use crate::organisations::Organisations;
use crate::parties::Parties;
use crate::places::Places;
use crate::platform::{AppClock, Clock, KeyProvider, SystemClock, SystemEntropy};
use crate::quarantine::Quarantine;
use crate::residents::Residents;
use crate::rows::SyncState;
use crate::shared::Shared;
use crate::sync::Syncer;
use crate::transport::{Connector, LiveTransport, Transport};
use crate::types::{Id, Timestamp};
use crate::visits::Visits;

/// A language of labels and sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Locale {
    /// Simplified Chinese.
    Zh,
    /// English.
    En,
}

impl From<Locale> for Lang {
    fn from(locale: Locale) -> Self {
        match locale {
            Locale::Zh => Self::Zh,
            Locale::En => Self::En,
        }
    }
}

/// How a phone is opened.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OpenOptions {
    /// The folder of the store; made if it is not there. One for each person on a shared phone. Nothing else may lie in it.
    pub folder: String,
    /// A file outside of what is backed up (Android's `noBackupFilesDir`, a folder that iOS does not back up): how a store that was restored
    /// or copied knows that it is not the one that wrote last. Beside the folder where nothing is said.
    #[uniffi(default = None)]
    pub mark_file: Option<String>,
    /// The language of labels and sentences; Chinese where nothing is said.
    #[uniffi(default = None)]
    pub locale: Option<Locale>,
    /// Certificates (PEM) that the server's must come from, instead of the web's, for the engine's own clients.
    #[uniffi(default = None)]
    pub authority: Option<Vec<u8>>,
}

/// What an app brings along; what is left out the engine does itself.
#[derive(uniffi::Object)]
pub struct Platform {
    keys: Option<Arc<dyn KeyProvider>>,
    transport: Option<Arc<dyn Transport>>,
    live: Option<Arc<dyn LiveTransport>>,
    clock: Option<Arc<dyn Clock>>,
}

#[uniffi::export]
impl Platform {
    /// Without a key provider the store is in clear: for trials only.
    #[uniffi::constructor(default(keys = None, transport = None, live = None, clock = None))]
    pub fn new(
        keys: Option<Arc<dyn KeyProvider>>,
        transport: Option<Arc<dyn Transport>>,
        live: Option<Arc<dyn LiveTransport>>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Arc<Self>, DoorstepError> {
        Ok(Arc::new(Self { keys, transport, live, clock }))
    }
}

/// Who this phone is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Identity {
    /// The device.
    pub device: Id,
    /// In whose name it writes.
    pub person: Id,
    /// The person's name.
    pub name: String,
    /// The street.
    pub street: Id,
    /// The server that gave the identity.
    pub server: String,
}

/// A grid.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Grid {
    /// The grid.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The community.
    pub community: String,
    /// Whether this person answers for it.
    pub is_mine: bool,
}

/// Somebody who works for the street.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Colleague {
    /// The person.
    pub id: Id,
    /// The name.
    pub name: String,
    /// The code of the role.
    pub role: String,
    /// The grids that the person answers for.
    pub grids: Vec<Id>,
}

/// In which field something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum FoundIn {
    /// A part of a name, as written.
    Name,
    /// The sound of a name, or its initials.
    Pinyin,
    /// A door number, building or address.
    Door,
    /// Free text or a tag.
    Text,
}

/// A search hit.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Found {
    /// What it is.
    pub kind: RecordKind,
    /// Which.
    pub id: Id,
    /// What it is called.
    pub label: String,
    /// In which field it was found.
    pub found_in: FoundIn,
    /// Whether some field has more than one value.
    pub conflicted: bool,
    /// Whether it has arrived.
    pub sync: SyncState,
}

/// One opened phone. Safe from any thread.
#[derive(uniffi::Object)]
pub struct FieldApp {
    pub(crate) shared: Arc<Shared>,
}

#[uniffi::export]
impl FieldApp {
    /// Opens the folder's store; some tens of milliseconds. One object for a folder at a time.
    #[uniffi::constructor]
    pub fn open(options: OpenOptions, platform: Arc<Platform>) -> Result<Arc<Self>, DoorstepError> {
        let lang = options.locale.map_or(Lang::Zh, Lang::from);
        let log = Arc::new(Log::default());
        let of = |error: StoreError| DoorstepError::of(&error.into(), lang);
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let store = sealed(open_store(&options.folder).map_err(of)?, platform.keys.as_deref(), lang)?;
            let clock: Arc<dyn CoreClock> = match &platform.clock {
                Some(clock) => Arc::new(AppClock { clock: Arc::clone(clock), log: Arc::clone(&log) }),
                None => Arc::new(SystemClock),
            };
            let mark = mark(&options);
            Engine::open(store, clock, Box::new(SystemEntropy), &*mark).map_err(|error| DoorstepError::of(&error, lang))
        }));
        let engine = opened.unwrap_or_else(|_| Err(DoorstepError::internal()))?;
        let connect = Connector { transport: platform.transport.clone(), live: platform.live.clone(), authority: options.authority };
        let shared = Shared::new(engine, lang, Box::new(connect), log, Some(options.folder.into()))?;
        Ok(Arc::new(Self { shared }))
    }

    /// Ends what runs and lets the store go; from then on everything answers `Closed`. What waits stays, and goes out after the next opening. The
    /// folder of a phone that was erased is removed.
    pub fn shut_down(&self) -> Result<(), DoorstepError> {
        self.shared.shut_down();
        Ok(())
    }

    /// Trades a one-time code for an identity: one round trip, which blocks. An answer that is lost costs nothing: ask again with the same code.
    pub fn enrol(&self, server: String, code: String, label: String) -> Result<Identity, DoorstepError> {
        let transport = self.shared.connect.transport(&server).map_err(DoorstepError::invalid)?;
        self.shared.with(|engine| engine.enrol(&*transport, &server, &code, &label).map(Identity::from))
    }

    /// The same with the text of the QR code that an administrator shows: it names server and code.
    pub fn enrol_with(&self, invitation: String, label: String) -> Result<Identity, DoorstepError> {
        let Invitation { server, code } = invitation.parse().map_err(DoorstepError::invalid)?;
        self.enrol(server, code, label)
    }

    /// Until when this phone shows what it holds without hearing from the server, by the server's clock; nothing where that is for ever. After it
    /// every reading is `LeaseOver`, and recording goes on.
    pub fn lease_until(&self) -> Result<Option<Timestamp>, DoorstepError> {
        self.shared.with(|engine| Ok(engine.lease_until().map(Timestamp::from)))
    }

    /// Who this phone is; nothing before it is enrolled.
    pub fn identity(&self) -> Result<Option<Identity>, DoorstepError> {
        self.shared.with(|engine| Ok(engine.identity().map(Identity::from)))
    }

    /// Whether everything was erased: shut down then.
    pub fn is_wiped(&self) -> Result<bool, DoorstepError> {
        self.shared.with(|engine| Ok(engine.is_wiped()))
    }

    /// The grids of the street, once the directory has come.
    pub fn grids(&self) -> Result<Vec<Grid>, DoorstepError> {
        self.shared.with(|engine| {
            let mine = engine.my_grids();
            let grids = engine.directory().map(|directory| directory.grids).unwrap_or_default();
            let grid = |grid: doorstep_core::model::Grid| Grid {
                is_mine: mine.contains(&grid.id),
                id: grid.id.into(),
                name: grid.name,
                community: grid.community,
            };
            Ok(grids.into_iter().map(grid).collect())
        })
    }

    /// Who works for the street, once the directory has come.
    pub fn colleagues(&self) -> Result<Vec<Colleague>, DoorstepError> {
        self.shared.with(|engine| {
            let staff = engine.directory().map(|directory| directory.staff).unwrap_or_default();
            let colleague = |staff: doorstep_core::model::Staff| Colleague {
                id: staff.id.into(),
                name: staff.name,
                role: staff.role.code().to_owned(),
                grids: staff.grids.into_iter().map(Id::from).collect(),
            };
            Ok(staff.into_iter().map(colleague).collect())
        })
    }

    /// Finds by name, pinyin, door and text. The first search builds the index.
    pub fn search(&self, query: String, limit: u32) -> Result<Vec<Found>, DoorstepError> {
        let lang = self.shared.lang;
        self.shared.with(|engine| {
            let found = engine.search(&query, usize::try_from(limit).unwrap_or(usize::MAX))?;
            Ok(found.into_iter().map(|found| crate::rows::found(found, lang)).collect())
        })
    }

    /// One JSON for whoever looks for a fault: versions, counts, the state of the queue, the last rounds. No personal data.
    pub fn diagnostics(&self) -> Result<String, DoorstepError> {
        self.shared.with(|engine| diagnostics(engine, &self.shared.log))
    }

    /// Buildings, alleys, yards, estates.
    pub fn places(&self) -> Result<Arc<Places>, DoorstepError> {
        Ok(Arc::new(Places { shared: Arc::clone(&self.shared) }))
    }

    /// Doors and the people behind them.
    pub fn households(&self) -> Result<Arc<Households>, DoorstepError> {
        Ok(Arc::new(Households { shared: Arc::clone(&self.shared) }))
    }

    /// Registered residents.
    pub fn residents(&self) -> Result<Arc<Residents>, DoorstepError> {
        Ok(Arc::new(Residents { shared: Arc::clone(&self.shared) }))
    }

    /// Enterprises, shops, schools and institutions.
    pub fn organisations(&self) -> Result<Arc<Organisations>, DoorstepError> {
        Ok(Arc::new(Organisations { shared: Arc::clone(&self.shared) }))
    }

    /// Who reports in a case and is no registered resident.
    pub fn parties(&self) -> Result<Arc<Parties>, DoorstepError> {
        Ok(Arc::new(Parties { shared: Arc::clone(&self.shared) }))
    }

    /// Visits, patrols, notes, files.
    pub fn visits(&self) -> Result<Arc<Visits>, DoorstepError> {
        Ok(Arc::new(Visits { shared: Arc::clone(&self.shared) }))
    }

    /// Cases.
    pub fn cases(&self) -> Result<Arc<Cases>, DoorstepError> {
        Ok(Arc::new(Cases { shared: Arc::clone(&self.shared) }))
    }

    /// Exchanging with the server.
    pub fn sync(&self) -> Result<Arc<Syncer>, DoorstepError> {
        Ok(Arc::new(Syncer { shared: Arc::clone(&self.shared) }))
    }

    /// What was refused, and late work of others.
    pub fn quarantine(&self) -> Result<Arc<Quarantine>, DoorstepError> {
        Ok(Arc::new(Quarantine { shared: Arc::clone(&self.shared) }))
    }
}

impl From<doorstep_core::field::Identity> for Identity {
    fn from(identity: doorstep_core::field::Identity) -> Self {
        let doorstep_core::field::Identity { device, person, street, name, server } = identity;
        Self { device: device.into(), person: person.into(), name, street: street.into(), server }
    }
}

#[cfg(feature = "sled")]
fn open_store(folder: &str) -> Result<Arc<dyn Store>, StoreError> {
    use doorstep_core::store::{SledOptions, SledStore};
    Ok(Arc::new(SledStore::open(std::path::Path::new(folder), SledOptions::default())?))
}

#[cfg(not(feature = "sled"))]
fn open_store(_: &str) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(doorstep_core::store::MemoryStore::new()))
}

/// The store under the app's key, where it has one.
fn sealed(store: Arc<dyn Store>, keys: Option<&dyn KeyProvider>, lang: Lang) -> Result<Arc<dyn Store>, DoorstepError> {
    let of = |error: StoreError| DoorstepError::of(&error.into(), lang);
    let Some(keys) = keys else {
        let is_sealed = doorstep_core::store::sealed::is_sealed(&*store).map_err(of)?;
        return if is_sealed { Err(of(StoreError::KeyNeeded)) } else { Ok(store) };
    };
    let bytes = keys.store_key().map_err(|error| DoorstepError::key_unavailable(&error.to_string()))?;
    let key = StoreKey::try_from(bytes.as_slice()).map_err(|invalid| DoorstepError::key_unavailable(&invalid.to_string()))?;
    Ok(Arc::new(SealedStore::open(store, &key, Box::new(SystemEntropy)).map_err(of)?))
}

/// Where the life of the store is marked. A folder that has no path has no mark, and every opening begins a life.
fn mark(options: &OpenOptions) -> Box<dyn LifeMark> {
    if let Some(file) = &options.mark_file {
        return Box::new(MarkFile::at(file));
    }
    match std::path::Path::new(&options.folder).canonicalize() {
        Ok(folder) => {
            let mut path = folder.into_os_string();
            path.push(".life");
            Box::new(MarkFile::at(path))
        }
        Err(_) => Box::new(NoMark),
    }
}
