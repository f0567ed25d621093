//! What is said of people is kept for a time and no longer, but for what is evidence.

use doorstep_core::docs::{DocKind, Lock};
use doorstep_core::model::{CaseDetails, CaseId, Category, EventKind, HouseholdId, ResidentDetails};
use doorstep_server::hub::{HubError, Retention};
use doorstep_tests::clocks::{DAY, HandClock};
use doorstep_tests::phone::Phone;
use doorstep_tests::street::{SMALL, Street};

const KEPT_DAYS: u32 = 30;

fn report(phone: &Phone, text: &str) -> CaseId {
    phone.engine.report_issue(None, CaseDetails::issue(Category::Noise, text)).unwrap()
}

#[test]
fn what_is_over_long_enough_is_erased_everywhere_and_what_is_open_or_held_is_not() {
    let clock = HandClock::at_time(9, 0);
    let street = Street::build_at(SMALL, clock.clone());
    let server = street.serve();
    let phone = street.phone_of(&server, "phone", street.worker(0), clock.clone());
    let (over, held, open) = (report(&phone, "楼道堆物已清"), report(&phone, "噪声已停"), report(&phone, "还在吵"));
    for case in [over, held] {
        phone.engine.add_event(case, EventKind::Closed, Some("已解决")).unwrap();
    }
    let place = phone.engine.places(None).unwrap()[0].row.id;
    phone.engine.remove_place(place).unwrap();
    let door: HouseholdId = phone.households()[0];
    phone.engine.remove_household(door).unwrap();
    phone.sync(&server.transport());
    server.hub.hold(street.id(), held.into(), "(2026)民初17号").unwrap();
    let retention = Retention::of([(DocKind::Case, KEPT_DAYS), (DocKind::Household, KEPT_DAYS), (DocKind::Place, KEPT_DAYS)]);

    clock.advance(i64::from(KEPT_DAYS) * DAY - DAY);
    assert_eq!(server.hub.retire(&retention).unwrap(), 0, "a day too early");
    clock.advance(2 * DAY);
    assert_eq!(server.hub.retire(&Retention::default()).unwrap(), 0, "without a time all is kept");
    assert_eq!(server.hub.retire(&retention).unwrap(), 3);
    assert_eq!(server.hub.retire(&retention).unwrap(), 0, "once");

    phone.sync(&server.transport());
    let lock = |case| phone.engine.case(case).unwrap().case.lock;
    assert_eq!((lock(over), lock(held), lock(open)), (Lock::Erased, Lock::Open, Lock::Open));
    assert_eq!(phone.engine.household(door).unwrap().lock, Lock::Erased);
    street.assert_same(&server.hub, Some(&[0]), &phone);

    server.hub.end_hold(street.id(), held.into()).unwrap();
    assert_eq!(server.hub.retire(&retention).unwrap(), 1);
    assert!(matches!(server.hub.end_hold(street.id(), held.into()), Err(HubError::NotFound { what: "hold" })));
}

#[test]
fn nobody_is_erased_who_is_evidence_and_the_reason_is_said() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phone = street.worker_phone(&server, "phone", 0);
    let details = ResidentDetails { name: Some("欧阳修远".to_owned().into()), ..ResidentDetails::default() };
    let resident = phone.engine.add_resident(None, details, Vec::new()).unwrap();
    phone.sync(&server.transport());
    server.hub.hold(street.id(), resident.into(), "信访复查").unwrap();
    assert_eq!(server.hub.holds(street.id()).unwrap()[0].1.reason, "信访复查");
    let refused = server.hub.erase(street.id(), resident.into());
    assert_eq!(refused, Err(HubError::Held { reason: "信访复查".to_owned() }));
    assert!(matches!(server.hub.hold(street.id(), resident.into(), "  "), Err(HubError::Invalid(_))));
    server.hub.end_hold(street.id(), resident.into()).unwrap();
    assert!(server.hub.erase(street.id(), resident.into()).is_ok());
}
