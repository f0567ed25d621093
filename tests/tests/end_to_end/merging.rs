//! What two people do to the same record without knowing of each other.

use doorstep_core::docs::DocKind;
use doorstep_core::field::SyncState;
use doorstep_core::model::{CaseDetails, CaseState, Category, EventKind, Personal, VisitSubject};
use doorstep_core::summary::Summary;
use doorstep_core::workflow::Effect;
use doorstep_tests::clocks::HandClock;
use doorstep_tests::phone::{Phone, contact, remark};
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street, TINY};

fn contact_on(phone: &Phone, household: doorstep_core::model::HouseholdId) -> String {
    phone.engine.household(household).unwrap().details.contact.unwrap().into_inner()
}

#[test]
fn disjoint_fields_of_one_household_both_survive() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let (one, two) = (street.worker_phone(&server, "one", 0), street.worker_phone(&server, "two", 0));
    let household = one.households()[0];
    one.engine.change_household(household, remark("有两只狗"), Vec::new()).unwrap();
    two.engine.change_household(household, contact("王秀英"), Vec::new()).unwrap();
    for phone in [&one, &two, &one] {
        phone.sync(&server.transport());
    }
    for phone in [&one, &two] {
        let merged = phone.engine.household(household).unwrap();
        assert_eq!(merged.details.remark, Some(Personal::new("有两只狗".to_owned())));
        assert_eq!(merged.details.contact, Some(Personal::new("王秀英".to_owned())));
        assert!(phone.engine.conflicts(DocKind::Household, household.into()).unwrap().is_empty());
        street.assert_same(&server.hub, Some(&[0]), phone);
    }
}

#[test]
fn the_same_field_keeps_both_values_with_who_and_when_and_one_default_everywhere() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let one = street.worker_phone(&server, "one", 0);
    let two = street.centre_phone(&server, "two");
    let household = one.households()[0];
    one.engine.change_household(household, contact("王秀英"), Vec::new()).unwrap();
    two.engine.change_household(household, contact("王秀英的女儿"), Vec::new()).unwrap();
    for phone in [&one, &two, &one] {
        phone.sync(&server.transport());
    }

    let shown = contact_on(&one, household);
    assert_eq!(shown, contact_on(&two, household));
    let (on_server, receipts) = server.hub.document(street.id(), household.into()).unwrap();
    let Summary::Household(row) = Summary::of(&on_server, &receipts) else { panic!("a household was to come") };
    assert_eq!(row.contact.unwrap().into_inner(), shown);
    assert!(row.conflicted);
    let writers = [(street.worker(0), "王秀英"), (street.built.centre, "王秀英的女儿")];
    for phone in [&one, &two] {
        let conflicts = phone.engine.conflicts(DocKind::Household, household.into()).unwrap();
        let [conflict] = &conflicts[..] else { panic!("one conflict was to come: {conflicts:?}") };
        assert_eq!(conflict.field, "contact");
        assert_eq!(conflict.values.len(), 2);
        assert_eq!(conflict.values.last().unwrap().value, shown.as_str().into());
        for (person, value) in writers {
            let kept = conflict.values.iter().find(|kept| kept.value == value.into()).expect("both values are kept");
            assert_eq!(kept.by, Some(person));
            assert!(kept.by_name.is_some() && kept.at.millis().0 > 0);
        }
    }
    street.assert_same(&server.hub, Some(&[0]), &one);
    street.assert_same(&server.hub, None, &two);

    // Whoever sets the field again, having seen both, settles it.
    two.engine.change_household(household, contact("王秀英(女儿接电话)"), Vec::new()).unwrap();
    for phone in [&two, &one] {
        phone.sync(&server.transport());
    }
    assert_eq!(contact_on(&one, household), "王秀英(女儿接电话)");
    assert!(one.engine.conflicts(DocKind::Household, household.into()).unwrap().is_empty());
}

/// A case that was captured in the morning and is on both phones.
struct LateCase {
    street: Street,
    server: Server,
    server_clock: HandClock,
    worker_clock: HandClock,
    centre_clock: HandClock,
    worker: Phone,
    centre: Phone,
    case: doorstep_core::model::CaseId,
}

fn captured_at_nine() -> LateCase {
    let [server_clock, worker_clock, centre_clock] = [(); 3].map(|()| HandClock::at_time(9, 0));
    let street = Street::build_at(TINY, server_clock.clone());
    let server = street.serve();
    let worker = street.phone_of(&server, "worker", street.worker(0), worker_clock.clone());
    let centre = street.phone_of(&server, "centre", street.built.centre, centre_clock.clone());
    let case = worker.engine.report_issue(None, CaseDetails::issue(Category::Facilities, "3栋门口路灯不亮")).unwrap();
    worker.sync(&server.transport());
    centre.sync(&server.transport());
    LateCase { street, server, server_clock, worker_clock, centre_clock, worker, centre, case }
}

#[test]
fn a_case_closed_at_ten_stays_closed_when_a_return_of_half_past_nine_arrives_at_three() {
    let LateCase { street, server, server_clock, worker_clock, centre_clock, worker, centre, case } = captured_at_nine();

    worker_clock.set_time(9, 30); // in a cellar
    let returned = worker.engine.add_event(case, EventKind::Returned, Some("地址写错了")).unwrap();
    assert_eq!(worker.engine.case(case).unwrap().view.state, Some(CaseState::Captured));
    for clock in [&server_clock, &centre_clock] {
        clock.set_time(10, 0);
    }
    let closed = centre.engine.add_event(case, EventKind::Closed, Some("路灯已修好")).unwrap();
    centre.sync(&server.transport());
    assert!(server.hub.late_events(street.id()).unwrap().is_empty());

    for clock in [&server_clock, &worker_clock, &centre_clock] {
        clock.set_time(15, 0);
    }
    worker.sync(&server.transport());
    centre.sync(&server.transport());

    for phone in [&worker, &centre] {
        let detail = phone.engine.case(case).unwrap();
        assert_eq!(detail.view.state, Some(CaseState::Closed));
        assert_eq!(detail.view.closed_at().unwrap().to_string(), "2026-11-24 10:00");
        assert_eq!(detail.sync, SyncState::Accepted);
        let late = detail.timeline.iter().find(|line| line.event == returned).expect("the return stays in the timeline");
        assert!(matches!(late.effect, Effect::Superseded(_)), "{:?}", late.effect);
        assert_eq!(late.at.to_string(), "2026-11-24 09:30");
        assert_eq!(late.accepted_at.unwrap().to_string(), "2026-11-24 15:00");
        assert_eq!(late.by, street.worker(0));
        let closing = detail.timeline.iter().find(|line| line.event == closed).unwrap();
        assert!(matches!(closing.effect, Effect::Applied { to: CaseState::Closed, .. }), "{:?}", closing.effect);
        assert!(phone.engine.open_cases(None).unwrap().is_empty());
    }
    let late = server.hub.late_events(street.id()).unwrap();
    assert_eq!(late.iter().map(|late| (late.case, late.event)).collect::<Vec<_>>(), [(case, returned)]);
    street.assert_same(&server.hub, Some(&[0]), &worker);
    street.assert_same(&server.hub, None, &centre);
}

#[test]
fn an_offline_return_that_arrives_in_time_moves_the_case() {
    let LateCase { street, server, worker, centre, case, .. } = captured_at_nine();
    centre.engine.add_event(case, EventKind::Registered, None).unwrap();
    centre.sync(&server.transport());
    worker.sync(&server.transport());
    worker.engine.add_event(case, EventKind::Returned, Some("地址写错了")).unwrap();
    worker.sync(&server.transport());
    centre.sync(&server.transport());
    assert_eq!(centre.engine.case(case).unwrap().view.state, Some(CaseState::Captured));
    assert!(server.hub.late_events(street.id()).unwrap().is_empty());
}

#[test]
fn visits_of_two_phones_to_the_same_door_are_both_there() {
    let street = Street::build(TINY);
    let server = street.serve();
    let (one, two) = (street.worker_phone(&server, "one", 0), street.worker_phone(&server, "two", 0));
    let door = one.households()[0];
    let visits = [one.visit(door, "上午没人"), two.visit(door, "下午见到了")];
    for phone in [&one, &two, &one] {
        phone.sync(&server.transport());
    }
    for phone in [&one, &two] {
        let mut on_phone: Vec<_> = phone.engine.visits(VisitSubject::Household(door)).unwrap().into_iter().map(|visit| visit.id).collect();
        on_phone.sort();
        let mut expected = visits.to_vec();
        expected.sort();
        assert_eq!(on_phone, expected);
    }
}
