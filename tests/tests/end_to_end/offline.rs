//! Phones that record while there is no server. Those that are killed while they do are in `tests/kills`.

use doorstep_core::docs::DocKind;
use doorstep_core::field::SyncState;
use doorstep_core::model::{CaseDetails, Category, HouseholdDetails, OrganisationDetails, Personal};
use doorstep_core::sync::client::SyncFailure;
use doorstep_tests::phone::Phone;
use doorstep_tests::street::{SMALL, Street};

#[test]
fn what_phones_recorded_while_the_server_was_down_is_merged_with_one_round_trip_each() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let names = ["one", "two", "three"];
    let enrolled = names.map(|name| street.worker_phone(&server, name, 0));
    let centre = street.centre_phone(&server, "centre");
    let (address, transport) = (server.address(), server.transport());
    drop((enrolled, server)); // everything is off: the phones open their stores again, in the cellar

    let phones = names.map(|name| Phone::open_now(&street.phone_folder(name)));
    let doors = phones[0].households();
    let mut visits = Vec::new();
    let mut cases = Vec::new();
    for (number, phone) in phones.iter().enumerate() {
        visits.extend(doors.iter().take(8).map(|door| (*door, phone.visit(*door, &format!("手机{number}")))));
        cases.push(phone.engine.report_issue(None, CaseDetails::issue(Category::Facilities, format!("路灯不亮 {number}"))).unwrap());
        let details =
            HouseholdDetails { door: Some(format!("新{number}")), contact: Some(Personal::new("李芳".into())), ..Default::default() };
        phone.engine.add_household(None, details, Vec::new()).unwrap();
        let details = OrganisationDetails { name: Some(format!("小吃店{number}")), ..OrganisationDetails::default() };
        phone.engine.add_organisation(None, details, Vec::new()).unwrap();
        assert_eq!(phone.fail_to_sync(&transport), SyncFailure::Unreachable);
        assert_eq!(phone.engine.status().pending, 8 + 3);
        assert_eq!(phone.engine.sync_state(doors[0]), SyncState::Local);
    }

    let server = street.serve_at(address);
    for phone in &phones {
        let report = phone.sync(&transport);
        assert_eq!(report.round_trips, 2, "a server that was started anew asks for its new nonce once");
        assert_eq!(report.exchanged.accepted, 8 + 3);
    }
    // The last to come has everybody's; so have the others after one more round trip each.
    centre.sync(&transport);
    for phone in phones.iter().chain([&centre]) {
        assert_eq!(phone.sync(&transport).round_trips, 1);
    }
    for phone in phones.iter().chain([&centre]) {
        assert!(visits.iter().all(|(door, visit)| phone.has_visit(*door, *visit)));
        assert!(cases.iter().all(|case| phone.engine.case(*case).is_ok()));
    }
    for phone in &phones {
        assert_eq!(phone.engine.documents(DocKind::Household).unwrap().len(), doors.len() + 3);
        street.assert_same(&server.hub, Some(&[0]), phone);
    }
    street.assert_same(&server.hub, None, &centre);
}
