//! A server process under attack: its memory has a bound, an honest phone works beside, and in the end nothing may be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use doorstep_core::docs::{DocKind, Document};
use doorstep_core::field::HttpTransport;
use doorstep_core::model::{HouseholdId, VisitId};
use doorstep_core::sync::Entry;
use doorstep_server::hub::Hub;
use doorstep_tests::handmade::Handmade;
use doorstep_tests::phone::Phone;
use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::street::{SMALL, Street};

/// The address space of the server. What inflates a bomb asks for 3 GB at once and is ended by it; what the process maps and never
/// touches (stacks and arenas of its threads) takes about half.
const MOST_ADDRESSES_KB: u64 = 2_000_000;
/// The memory that the server may really have held in the end. At rest it holds about 30 MB.
const MOST_MEMORY_KB: u64 = 300_000;

/// The siege. The attacker is an enrolled worker of the first grid, the honest phone one of the second.
pub struct Siege {
    pub attacker: Handmade,
    pub server: ServerProcess,
    pub street: Street,
    honest: Honest,
}

impl Siege {
    pub fn begin() -> Self {
        let street = Street::build(SMALL);
        let [attacker, honest] = street.codes([street.worker(0), street.worker(1)]);
        let server = ServerProcess::start(&street.data(), &Options { most_kilobytes: Some(MOST_ADDRESSES_KB), ..Options::default() });
        let attacker = Handmade::enrol(server.url(), &attacker);
        let phone = Phone::open_now(&street.phone_folder("honest"));
        phone.enrol_with(&honest, &server.transport());
        let honest = Honest::start(phone, server.transport());
        Self { attacker, server, street, honest }
    }

    /// The documents of a kind that the attacker may see, as the server gives them.
    pub fn documents(&self, kind: DocKind) -> Vec<Document> {
        let parts = self.attacker.ask(&self.attacker.request(None)).parts.unwrap().0;
        let entries = parts.into_iter().flat_map(|part| part.entries.0);
        let documents = entries.filter_map(|entry| match entry {
            Entry::Snapshot { doc, kind: its, bytes, .. } if its == kind => Some(Document::load(kind, doc, &bytes).unwrap()),
            _ => None,
        });
        documents.collect()
    }

    /// Ends it: the honest phone noticed nothing, the server never failed and stayed small, and holds all that the phone was told it holds.
    pub fn end(self, look: impl FnOnce(&Hub, &Street)) {
        let Self { server, street, honest, .. } = self;
        let (phone, visits) = honest.stop();
        assert!(!visits.is_empty(), "the honest phone never got through");
        assert_eq!(server.errors(), Vec::<String>::new());
        let peak = server.peak_kilobytes();
        println!("the server held {peak} kB at most; {} honest visits meanwhile", visits.len());
        assert!(peak < MOST_MEMORY_KB, "the server held {peak} kB");
        server.terminate();
        assert!(server.wait().success());
        street.behind_the_scenes(|hub| {
            street.assert_same(hub, Some(&[1]), &phone);
            assert!(visits.iter().all(|(door, visit)| phone.has_visit(*door, *visit)));
            look(hub, &street);
        });
    }
}

/// Somebody who visits door after door and syncs after each, and must always succeed.
struct Honest {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<(Phone, Vec<(HouseholdId, VisitId)>)>,
}

impl Honest {
    fn start(phone: Phone, transport: HttpTransport) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&enough);
        let thread = std::thread::spawn(move || {
            let doors = phone.households();
            let mut visits = Vec::new();
            for door in doors.iter().cycle() {
                visits.push((*door, phone.visit(*door, "身体还好")));
                phone.sync(&transport);
                if told.load(Ordering::SeqCst) {
                    break;
                }
            }
            (phone, visits)
        });
        Self { enough, thread }
    }

    fn stop(self) -> (Phone, Vec<(HouseholdId, VisitId)>) {
        self.enough.store(true, Ordering::SeqCst);
        self.thread.join().expect("the honest phone was disturbed")
    }
}
