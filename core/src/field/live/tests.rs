//! Watching over a connection of the test's, with a clock that moves only while the phone sleeps in it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::field::enrol::{Given, KeptIdentity};
use crate::field::tables::{self, Setting};
use crate::field::vector::{Counting, first_answer};
use crate::field::{NoMark, Phase, SyncState, TransportFault};
use crate::model::{Clock, DeviceId, GrantId, HouseholdId, PersonId, Position, StreetId, VisitDraft, VisitSubject};
use crate::store::{Batch, MemoryStore, Store};
use crate::sync::{Encoding, List, Part, Request, Signed, Verdict, client, open_frame, seal_frame};

#[derive(Default)]
struct Virtual(AtomicI64);

impl Clock for Virtual {
    fn now(&self) -> Millis {
        Millis(1_795_500_000_000 + self.0.load(Ordering::SeqCst))
    }
}

/// A server that accepts everything, and what it has to say.
#[derive(Clone, Default)]
struct Line {
    clock: Arc<Virtual>,
    inbox: Arc<Mutex<VecDeque<Arrived>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Line {
    fn says(&self, response: &Response) {
        self.inbox.lock().unwrap().push_back(Arrived::Message(seal_frame(response, Encoding::None)));
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl LiveTransport for Line {
    fn open(&self, _: &str) -> Result<Box<dyn LiveConnection>, SyncFailure> {
        self.inbox.lock().unwrap().clear();
        Ok(Box::new(self.clone()))
    }
}

impl LiveConnection for Line {
    fn send(&mut self, frame: &[u8]) -> Result<(), TransportFault> {
        let request: Request = open_frame::<Signed>(frame).unwrap().open().unwrap();
        let first = first_answer();
        let accepted = request.push.as_ref().map(|push| {
            let verdict = |group: &crate::sync::Group| Verdict::Accepted {
                group: group.id,
                at: self.clock.now(),
                numbers: List(vec![1; group.changes.0.len()]),
                duplicate_of: None,
                seals: List(vec![crate::model::Seal::default(); group.changes.0.len()]),
            };
            List(push.groups.0.iter().map(verdict).collect())
        });
        let answer = if request.ledger.is_some() { Response { parts: None, entered: None, ..first } } else { first };
        self.says(&Response { verdicts: accepted, ..answer });
        self.requests.lock().unwrap().push(request);
        Ok(())
    }

    fn receive(&mut self, patience: Duration) -> Result<Option<Arrived>, TransportFault> {
        let arrived = self.inbox.lock().unwrap().pop_front();
        if arrived.is_none() {
            self.clock.0.fetch_add(patience.as_millis() as i64, Ordering::SeqCst);
        }
        Ok(arrived)
    }

    fn waker(&self) -> Waker {
        Arc::new(|| {})
    }

    fn close(&mut self) {}
}

fn enrolled(clock: &Arc<Virtual>) -> Engine {
    let store = Arc::new(MemoryStore::new());
    let given = Given {
        device: DeviceId::from_bytes([1; 16]),
        person: PersonId::from_bytes([2; 16]),
        street: StreetId::from_bytes([3; 16]),
        name: "王建国".into(),
        sealing: None,
    };
    let identity = KeptIdentity { seed: [9; 32], server: "https://doorstep.example.cn".into(), given: Some(given) };
    let mut batch = Batch::new();
    tables::put(&mut batch, tables::setting(Setting::Identity), &identity);
    store.commit(batch).unwrap();
    Engine::open(store, clock.clone(), Box::new(Counting(0)), &NoMark).unwrap()
}

/// Watches; `then` is called with each thing that is told, and says whether to go on.
fn watch(engine: &Engine, line: &Line, mut then: impl FnMut(&Watched) -> bool) -> Vec<Watched> {
    let bell = Bell::new();
    let mut all = Vec::new();
    let mut told = |watched: &Watched| {
        all.push(watched.clone());
        if !then(watched) {
            bell.stop();
        }
    };
    engine.watch(line, &bell, &mut told).unwrap();
    all
}

fn door(engine: &Engine) -> HouseholdId {
    engine.households(None).unwrap()[0].row.id
}

/// A push of one empty part of the only grant.
fn push(engine: &Engine, from: u64, to: u64) -> Response {
    let grant: GrantId = *engine.state().grants.keys().next().unwrap();
    let part = Part { grant, from: Position(from), to: Position(to), entries: List::default(), more: None, bootstrap: None, keys: None };
    Response { parts: Some(List(vec![part])), entered: None, pushed: Some(true), ..first_answer() }
}

fn cursor(engine: &Engine) -> Position {
    engine.state().grants.values().next().unwrap().position
}

#[test]
fn a_line_on_which_nothing_comes_is_given_up_after_the_longest_silence() {
    let line = Line::default();
    let engine = enrolled(&line.clock);
    let mut phases = Vec::new();
    let all = watch(&engine, &line, |watched| {
        phases.push(engine.status().phase);
        !matches!(watched, Watched::Lost { .. })
    });
    assert!(
        matches!(all[..], [Watched::Connected, Watched::Exchanged { .. }, Watched::Lost { failure: SyncFailure::TimedOut, .. }]),
        "{all:?}"
    );
    assert_eq!(phases, [Phase::Syncing, Phase::Live, Phase::BackingOff]);
    assert_eq!(line.clock.0.load(Ordering::SeqCst), crate::sync::live::LONGEST_SILENCE);
}

#[test]
fn what_is_recorded_while_connected_is_sent_and_acknowledged() {
    let line = Line::default();
    let engine = enrolled(&line.clock);
    let mut exchanges = 0;
    let all = watch(&engine, &line, |watched| {
        if matches!(watched, Watched::Exchanged { .. }) {
            exchanges += 1;
            if exchanges == 1 {
                engine.record_visit(VisitDraft::routine(VisitSubject::Household(door(&engine)))).unwrap();
            }
        }
        exchanges < 2
    });
    let Some(Watched::Exchanged { exchanged, .. }) = all.last() else { panic!("{all:?}") };
    assert_eq!((exchanged.accepted, line.requests()), (1, 2));
    assert_eq!((engine.status().pending, engine.sync_state(door(&engine)), engine.status().phase), (0, SyncState::Accepted, Phase::Idle));
}

#[test]
fn a_push_that_goes_on_at_the_cursor_moves_it_and_one_that_does_not_is_asked_for() {
    let line = Line::default();
    let engine = enrolled(&line.clock);
    let mut pushes = 0;
    let all = watch(&engine, &line, |watched| {
        match (watched, pushes) {
            (Watched::Exchanged { .. }, 0) => line.says(&push(&engine, 9, 12)),
            (Watched::Pushed { .. }, 0) => {
                assert_eq!((cursor(&engine), line.requests()), (Position(12), 1));
                pushes = 1;
                line.says(&push(&engine, 20, 21));
            }
            (Watched::Pushed { .. }, _) => assert_eq!(cursor(&engine), Position(12)),
            _ => {}
        }
        !matches!((watched, pushes), (Watched::Exchanged { .. }, 1))
    });
    assert_eq!((all.len(), line.requests(), cursor(&engine)), (5, 2, Position(12)), "{all:?}");
}

#[test]
fn a_push_that_comes_while_another_exchange_is_under_way_is_left_to_its_answer() {
    let line = Line::default();
    let engine = enrolled(&line.clock);
    watch(&engine, &line, |watched| !matches!(watched, Watched::Exchanged { .. }));
    engine.record_visit(VisitDraft::routine(VisitSubject::Household(door(&engine)))).unwrap();
    engine.advance(client::Input::Start).unwrap();
    engine.compose().unwrap();
    assert_eq!(engine.take_pushed(push(&engine, 9, 12)), Ok(false));
    assert_eq!((cursor(&engine), engine.sync_state(door(&engine))), (Position(9), SyncState::Sending));
}

#[test]
fn a_push_with_verdicts_is_nothing_that_a_server_sends() {
    let line = Line::default();
    let engine = enrolled(&line.clock);
    let verdict = Verdict::AcceptedBefore { group: crate::model::GroupId::from_bytes([6; 16]) };
    let all = watch(&engine, &line, |watched| {
        if matches!(watched, Watched::Exchanged { .. }) {
            line.says(&Response { verdicts: Some(List(vec![verdict.clone()])), ..push(&engine, 9, 12) });
        }
        !matches!(watched, Watched::Lost { .. })
    });
    assert!(matches!(all.last(), Some(Watched::Lost { failure: SyncFailure::Unfit { .. }, .. })), "{all:?}");
    assert_eq!(cursor(&engine), Position(9));
}

#[test]
fn a_bell_that_was_rung_before_somebody_sleeps_keeps_him_awake() {
    let bell = Bell::new();
    bell.ring();
    bell.wait(Duration::from_secs(600));
    assert!(bell.take() && !bell.take());
    let (waking, woken) = std::sync::mpsc::channel();
    bell.wakes(Some(Arc::new(move || waking.send(()).unwrap())));
    bell.stop();
    assert!(woken.try_recv().is_ok() && bell.is_stopped());
}
