//! Phones whose clocks are wrong: the server's time decides, and nobody is asked for anything.

use doorstep_core::model::{CaseDetails, Category, Clock as _, EventKind, HouseholdId, VisitId, VisitSubject};
use doorstep_server::system::SystemClock;
use doorstep_tests::clocks::{DAY, HOUR, MINUTE, WrongClock};
use doorstep_tests::phone::{Phone, contact, remark};
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street};

const YEAR: i64 = 365 * DAY;

/// A phone that is enrolled with a right clock, and somebody who sees what arrives.
struct Scene {
    clock: WrongClock,
    phone: Phone,
    /// The doors that it showed before its clock went wrong: one that jumps years ahead is beyond every lease.
    doors: Vec<HouseholdId>,
    colleague: Phone,
    street: Street,
    server: Server,
}

impl Scene {
    fn new() -> Self {
        let street = Street::build(SMALL);
        let server = street.serve();
        let clock = WrongClock::default();
        let phone = street.phone_of(&server, "phone", street.worker(0), clock.clone());
        let colleague = street.worker_phone(&server, "colleague", 0);
        let doors = phone.households();
        Self { clock, phone, doors, colleague, street, server }
    }

    /// A morning's work: visits, several edits of one household, an issue with a note.
    fn work(&self) -> Vec<(HouseholdId, VisitId)> {
        let doors = &self.doors;
        let engine = &self.phone.engine;
        engine.change_household(doors[0], remark("有两只狗"), Vec::new()).unwrap();
        engine.change_household(doors[0], contact("王秀英"), Vec::new()).unwrap();
        engine.change_household(doors[0], remark("有三只狗"), Vec::new()).unwrap();
        let case = engine.report_issue(None, CaseDetails::issue(Category::Noise, "夜里施工")).unwrap();
        engine.note_case(case, "已经劝过").unwrap();
        engine.add_event(case, EventKind::Closed, None).unwrap();
        doors.iter().take(5).map(|door| (*door, self.phone.visit(*door, "身体还好"))).collect()
    }

    /// Everything of a morning's work arrived in one go, in its order, at times that are about now.
    fn arrived(&self, visits: &[(HouseholdId, VisitId)]) {
        self.colleague.sync(&self.server.transport());
        for phone in [&self.phone, &self.colleague] {
            assert!(visits.iter().all(|(door, visit)| phone.has_visit(*door, *visit)));
            self.street.assert_same(&self.server.hub, Some(&[0]), phone);
            let household = phone.engine.household(visits[0].0).unwrap();
            assert_eq!(household.details.remark.unwrap().into_inner(), "有三只狗");
            assert_eq!(household.details.contact.unwrap().into_inner(), "王秀英");
        }
        assert!(self.phone.engine.refused().unwrap().is_empty());
    }

    /// The times of the visits, as the phone shows them, in milliseconds from now.
    fn visit_times(&self, visits: &[(HouseholdId, VisitId)]) -> Vec<i64> {
        let now = SystemClock.now();
        let time = |(door, id): &(HouseholdId, VisitId)| {
            let on_door = self.colleague.engine.visits(VisitSubject::Household(*door)).unwrap();
            on_door.iter().find(|visit| visit.id == *id).unwrap().at.since(now)
        };
        visits.iter().map(time).collect()
    }
}

#[test]
fn work_of_a_clock_that_jumped_years_ahead_is_mended_in_the_same_sync() {
    let scene = Scene::new();
    scene.clock.be_ahead_by(3 * YEAR);
    let visits = scene.work();
    let report = scene.phone.sync(&scene.server.transport());
    assert_eq!(report.round_trips, 2, "refused once, then accepted");
    scene.arrived(&visits);
    let times = scene.visit_times(&visits);
    assert!(times.iter().all(|time| time.abs() < MINUTE), "{times:?}");
    // From now on the phone knows, though its clock is as wrong as before.
    let later = scene.phone.visit(visits[0].0, "第二次");
    assert_eq!(scene.phone.sync(&scene.server.transport()).round_trips, 1);
    scene.arrived(&[(visits[0].0, later)]);
}

#[test]
fn work_of_a_clock_that_was_ahead_and_was_put_right_before_the_sync_is_mended_too() {
    let scene = Scene::new();
    scene.clock.be_ahead_by(3 * YEAR);
    let visits = scene.work();
    scene.clock.be_ahead_by(0);
    scene.phone.sync(&scene.server.transport());
    scene.arrived(&visits);
    let times = scene.visit_times(&visits);
    assert!(times.iter().all(|time| time.abs() < MINUTE), "{times:?}");
    let later = scene.phone.visit(visits[0].0, "第二次");
    assert_eq!(scene.phone.sync(&scene.server.transport()).round_trips, 1);
    scene.arrived(&[(visits[0].0, later)]);
}

#[test]
fn work_of_a_clock_that_was_ahead_only_for_a_while_is_mended_after_a_restart_too() {
    let Scene { clock, phone, colleague, street, server, .. } = Scene::new();
    let doors = phone.households();
    let first = phone.visit(doors[0], "钟准的时候");
    clock.be_ahead_by(10 * DAY);
    let second = phone.visit(doors[0], "钟快了十天");
    clock.be_ahead_by(0);
    let third = phone.visit(doors[0], "钟又准了");
    let folder = phone.folder.clone();
    drop(phone);
    let phone = Phone::open(&folder, clock.clone());
    let fourth = phone.visit(doors[0], "重启以后");
    phone.sync(&server.transport());
    colleague.sync(&server.transport());
    assert!([first, second, third, fourth].iter().all(|visit| colleague.has_visit(doors[0], *visit)));
    street.assert_same(&server.hub, Some(&[0]), &phone);
    let ahead = phone.engine.visits(VisitSubject::Household(doors[0])).unwrap();
    assert!(ahead.iter().all(|visit| visit.at.since(SystemClock.now()) < MINUTE), "{ahead:?}");
}

#[test]
fn work_of_a_clock_that_is_behind_is_accepted_as_it_is() {
    for behind in [HOUR, 3 * YEAR, 60 * YEAR] {
        let scene = Scene::new();
        scene.clock.be_ahead_by(-behind);
        let visits = scene.work();
        assert_eq!(scene.phone.sync(&scene.server.transport()).round_trips, 1);
        scene.arrived(&visits);
        // What is recorded after that has the server's time.
        let later = [(visits[1].0, scene.phone.visit(visits[1].0, "第二次"))];
        scene.phone.sync(&scene.server.transport());
        scene.arrived(&[visits[0], later[0]]);
        let times = scene.visit_times(&later);
        assert!(times.iter().all(|time| time.abs() < MINUTE), "{behind}: {times:?}");
    }
}

#[test]
fn a_clock_that_never_stands_still_ends_with_everything_sent() {
    let scene = Scene::new();
    let mut visits = Vec::new();
    for (step, ahead) in [2 * YEAR, -YEAR, 30 * DAY, 0, 40 * YEAR, -HOUR, 3 * HOUR, 90 * MINUTE].into_iter().enumerate() {
        scene.clock.be_ahead_by(ahead);
        visits.extend(scene.work());
        if step % 3 == 2 {
            scene.clock.be_ahead_by(ahead / 2);
            scene.phone.sync(&scene.server.transport());
        }
    }
    scene.phone.sync(&scene.server.transport());
    scene.arrived(&visits);
}
