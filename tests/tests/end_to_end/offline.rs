//! Phones that record while there is no server, and are killed while they do.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use doorstep_core::docs::DocKind;
use doorstep_core::field::SyncState;
use doorstep_core::model::{CaseDetails, Category, HouseholdDetails, HouseholdId, OrganisationDetails, Personal, VisitId};
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
        assert_eq!(report.round_trips, 1);
        assert_eq!(report.exchanged.accepted, 8 + 3);
    }
    // The last to come has everybody's; so have the others after one more round trip each.
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

/// Runs the recorder on a phone's folder and kills it in the middle; what it had promised by then.
fn record_until_killed(folder: &Path, promised_at_least: usize) -> Vec<(HouseholdId, VisitId)> {
    let mut recorder = Command::new(env!("CARGO_BIN_EXE_recorder")).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(recorder.stdout.take().unwrap()).lines();
    let mut promised: Vec<String> = lines.by_ref().take(promised_at_least).map(Result::unwrap).collect();
    recorder.kill().unwrap(); // SIGKILL
    recorder.wait().unwrap();
    // What it had written to the pipe by then was promised too; its last line may be cut.
    promised.extend(lines.map_while(Result::ok));
    let visit = |line: &String| {
        let (door, visit) = line.split_once(' ')?;
        Some((door.parse().ok()?, visit.parse().ok()?))
    };
    promised.iter().filter_map(visit).collect()
}

#[test]
fn every_command_that_returned_is_there_after_the_phone_was_killed() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let folder = street.phone_folder("phone");
    drop(street.worker_phone(&server, "phone", 0));
    let mut promised = Vec::new();
    for round in 0..12 {
        promised.extend(record_until_killed(&folder, 5 + 7 * round));
        let phone = Phone::open_now(&folder);
        let lost: Vec<_> = promised.iter().filter(|(door, visit)| !phone.has_visit(*door, *visit)).collect();
        assert!(lost.is_empty(), "round {round}: {} of {} lost", lost.len(), promised.len());
        assert!(phone.engine.status().pending >= promised.len(), "the outbox holds less than was promised");
    }
    let phone = Phone::open_now(&folder);
    phone.sync(&server.transport());
    assert!(promised.iter().all(|(door, visit)| phone.has_visit(*door, *visit)));
    street.assert_same(&server.hub, Some(&[0]), &phone);
}
