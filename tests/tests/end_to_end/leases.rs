//! The lease: a phone that never reaches the server shows nothing of what it holds after three days, and records all the same.

use doorstep_core::field::FieldError;
use doorstep_core::model::{HouseholdDetails, VisitSubject};
use doorstep_tests::clocks::{HOUR, HandClock, MINUTE};
use doorstep_tests::phone::Phone;
use doorstep_tests::street::{SMALL, Street};

fn is_over<T>(read: Result<T, FieldError>) -> bool {
    matches!(read, Err(FieldError::LeaseOver))
}

#[test]
fn after_three_days_without_an_answer_nothing_is_shown_and_recording_goes_on() {
    let clock = HandClock::at_time(9, 0);
    let street = Street::build_at(SMALL, clock.clone());
    let server = street.serve();
    let phone = street.phone_of(&server, "phone", street.worker(0), clock.clone());
    let door = phone.households()[0];
    clock.advance(71 * HOUR);
    phone.visit(door, "第三天");
    assert!(!phone.households().is_empty() && phone.visits_of(door) == 1);

    clock.advance(61 * MINUTE);
    let shows_nothing = |phone: &Phone| {
        let engine = &phone.engine;
        let lists = [is_over(engine.households(None)), is_over(engine.open_cases(None)), is_over(engine.residents(None))];
        let records = [is_over(engine.household(door)), is_over(engine.visits(VisitSubject::Household(door)))];
        lists == [true; 3] && records == [true; 2] && is_over(engine.search("张", 5)) && is_over(engine.inbox())
    };
    assert!(shows_nothing(&phone));
    // A clock that is set back, and a restart, gain nothing.
    phone.visit(door, "第四天");
    clock.advance(-10 * HOUR);
    assert!(shows_nothing(&phone));
    let folder = phone.folder.clone();
    drop(phone);
    let phone = Phone::open(&folder, clock.clone());
    assert!(shows_nothing(&phone));
    // A blank form, and what waits.
    let details = HouseholdDetails { door: Some("1单元909".into()), ..HouseholdDetails::default() };
    let found = phone.engine.add_household(None, details, Vec::new()).unwrap();
    let visit = phone.visit(found, "门锁着,邻居说搬走了");
    assert!(phone.has_visit(found, visit), "what was begun here is its author's");
    assert_eq!(phone.engine.waiting().len(), 4);
    assert!(phone.engine.refused().unwrap().is_empty());

    clock.advance(10 * HOUR);
    phone.sync(&server.transport());
    assert!(!shows_nothing(&phone));
    assert_eq!(phone.visits_of(door), 2);
    street.assert_same(&server.hub, Some(&[0]), &phone);
}

#[test]
fn the_district_says_for_how_long_and_every_answer_counts() {
    let clock = HandClock::at_time(9, 0);
    let street = Street::build_at(SMALL, clock.clone());
    let settings = doorstep_server::settings::Settings { lease_hours: 2, ..Default::default() };
    let server = street.serve_with(settings);
    let phone = street.phone_of(&server, "phone", street.worker(0), clock.clone());
    for _ in 0..3 {
        clock.advance(119 * MINUTE);
        assert!(!is_over(phone.engine.households(None)));
        phone.sync(&server.transport());
    }
    clock.advance(121 * MINUTE);
    assert!(is_over(phone.engine.households(None)));
}
