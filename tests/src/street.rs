//! A street to test on: a server, a few grids with their workers, the centre, and phones with stores of their own in one temporary folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use doorstep_core::model::{Clock, GridId, PersonId, Right, Role, Scope, StreetId};
use doorstep_server::demo::{DemoStreet, Size, build, compare};
use doorstep_server::hub::Hub;
use doorstep_server::settings::Settings;
use doorstep_server::system::SystemClock;
use tempfile::TempDir;

use crate::phone::Phone;
use crate::server::{Server, hub};

/// What a grid worker's grant says.
pub fn worker_of(grid: GridId) -> Right {
    Right { role: Role::GridWorker, scope: Scope::Grid(grid) }
}

/// Two grids with two buildings of ten doors each.
pub const SMALL: Size = Size { grids: 2, buildings: 2, doors: 10, organisations: 1 };
/// One grid with a handful of doors.
pub const TINY: Size = Size { grids: 1, buildings: 1, doors: 4, organisations: 0 };

/// The street with its server's data folder; the server runs while somebody holds what [`Street::serve`] gave.
pub struct Street {
    /// Who and what is in it.
    pub built: DemoStreet,
    clock: Arc<dyn Clock>,
    // The last, so that stores are closed before their folders go.
    folder: TempDir,
}

impl Street {
    /// Builds a street; no server runs yet.
    pub fn build(size: Size) -> Self {
        Self::build_at(size, SystemClock)
    }

    /// The same with a clock for the server.
    pub fn build_at(size: Size, clock: impl Clock + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let (hub, _store) = hub(&folder.path().join("server"), Arc::clone(&clock));
        let built = build(&hub, size, &mut |_, _| {}).unwrap();
        Self { built, clock, folder }
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Starts the server in this process.
    pub fn serve(&self) -> Server {
        Server::start(&self.data(), Arc::clone(&self.clock))
    }

    /// Starts the server with settings of the test's.
    pub fn serve_with(&self, settings: Settings) -> Server {
        Server::start_with(SocketAddr::from(([127, 0, 0, 1], 0)), &self.data(), Arc::clone(&self.clock), settings)
    }

    /// Starts it again where it was before, so that phones need not be told.
    pub fn serve_at(&self, address: SocketAddr) -> Server {
        Server::start_at(address, &self.data(), Arc::clone(&self.clock))
    }

    /// The street's id.
    pub fn id(&self) -> StreetId {
        self.built.id
    }

    /// The grid of this number, from 0.
    pub fn grid(&self, number: usize) -> GridId {
        self.built.grids[number]
    }

    /// The worker of a grid.
    pub fn worker(&self, grid: usize) -> PersonId {
        self.built.workers[grid].0
    }

    /// One-time codes for people, made while no server runs.
    pub fn codes<const COUNT: usize>(&self, people: [PersonId; COUNT]) -> [String; COUNT] {
        self.behind_the_scenes(|hub| people.map(|person| hub.make_code(self.id(), person).unwrap().0))
    }

    /// Opens the hub while no server runs.
    pub fn behind_the_scenes<T>(&self, look: impl FnOnce(&Hub) -> T) -> T {
        let (hub, _store) = hub(&self.data(), Arc::clone(&self.clock));
        look(&hub)
    }

    /// A phone's folder.
    pub fn phone_folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A phone of the worker of a grid, enrolled and up to date, with the machine's clock.
    pub fn worker_phone(&self, server: &Server, name: &str, grid: usize) -> Phone {
        self.phone_of(server, name, self.worker(grid), SystemClock)
    }

    /// A phone of somebody of the centre, who sees the whole street.
    pub fn centre_phone(&self, server: &Server, name: &str) -> Phone {
        self.phone_of(server, name, self.built.centre, SystemClock)
    }

    /// A phone of anybody, with a clock of its own.
    pub fn phone_of(&self, server: &Server, name: &str, person: PersonId, clock: impl Clock + 'static) -> Phone {
        let phone = Phone::open(&self.phone_folder(name), clock);
        phone.enrol(&server.hub, self.id(), person, &server.transport());
        phone
    }

    /// Makes sure that a phone and the server hold the same documents of these grids (of the whole street if `None`), in the same state;
    /// says how many.
    pub fn assert_same(&self, hub: &Hub, grids: Option<&[usize]>, phone: &Phone) -> usize {
        let grids: Option<Vec<GridId>> = grids.map(|numbers| numbers.iter().map(|number| self.grid(*number)).collect());
        let (equal, differences) = compare(hub, self.id(), grids.as_deref(), &phone.engine).unwrap();
        assert!(differences.is_empty(), "{} of {} differ: {differences:?}", differences.len(), equal + differences.len());
        equal
    }
}
