//! Lives of a phone's store: folders that are put back, moved and cloned, with their mark and without.

use std::fs;
use std::path::Path;

use doorstep_core::model::{HouseholdDetails, HouseholdId, VisitId};
use doorstep_tests::phone::Phone;
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street};

/// Copies a store's folder, over what is there; its mark only if that is asked for.
fn copy(from: &Path, to: &Path, with_mark: bool) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name()), false),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
    if with_mark {
        fs::copy(from.with_extension("life"), to.with_extension("life")).unwrap();
    }
}

/// All visits are on both phones and on the server, nothing was refused, and all hold the same.
fn assert_arrived(street: &Street, server: &Server, phones: &[&Phone], visits: &[(HouseholdId, VisitId)]) {
    for phone in phones.iter().chain(phones) {
        phone.sync(&server.transport());
    }
    for phone in phones {
        assert!(visits.iter().all(|(door, visit)| phone.has_visit(*door, *visit)));
        assert_eq!(phone.engine.refused().unwrap(), Vec::new());
        street.assert_same(&server.hub, Some(&[0]), phone);
    }
}

#[test]
fn a_store_that_was_put_back_goes_on_with_what_the_server_has_of_it_and_with_what_it_records_before_it_knows() {
    for with_mark in [false, true] {
        let street = Street::build(SMALL);
        let server = street.serve();
        let phone = street.worker_phone(&server, "phone", 0);
        let (folder, backup) = (phone.folder.clone(), street.phone_folder("backup"));
        let door = phone.households()[0];
        let unsent = phone.visit(door, "备份之前,还没送出");
        drop(phone);
        copy(&folder, &backup, with_mark);

        let phone = Phone::open_now(&folder);
        let delivered = phone.visit(door, "备份之后,送到了");
        phone.sync(&server.transport());
        drop(phone);
        copy(&backup, &folder, with_mark);

        let phone = Phone::open_now(&folder);
        assert!(!phone.has_visit(door, delivered), "the copy is older");
        let since = phone.visit(door, "恢复之后");
        assert_arrived(&street, &server, &[&phone], &[(door, unsent), (door, delivered), (door, since)]);
    }
}

#[test]
fn two_phones_that_were_one_both_go_on_and_nothing_is_lost_or_double() {
    for with_mark in [false, true] {
        let street = Street::build(SMALL);
        let server = street.serve();
        let phone = street.worker_phone(&server, "phone", 0);
        let (folder, copied) = (phone.folder.clone(), street.phone_folder("clone"));
        let door = phone.households()[0];
        let both = phone.visit(door, "分身之前");
        drop(phone);
        copy(&folder, &copied, with_mark);

        let phones = [Phone::open_now(&folder), Phone::open_now(&copied)];
        let own = [phones[0].visit(door, "原来的手机"), phones[1].visit(door, "另一部手机")];
        assert_arrived(&street, &server, &[&phones[0], &phones[1]], &[(door, both), (door, own[0]), (door, own[1])]);
        let visits = phones[1].engine.visits(doorstep_core::model::VisitSubject::Household(door)).unwrap();
        assert_eq!(visits.iter().filter(|visit| [both, own[0], own[1]].contains(&visit.id)).count(), 3);
    }
}

#[test]
fn a_copy_that_brings_a_record_again_which_has_moved_away_since_does_not_keep_it() {
    // In one push it never was in the first grid, as far as the server can tell; in two it left.
    for pushes in [1, 2] {
        let street = Street::build(SMALL);
        let server = street.serve();
        let phone = street.worker_phone(&server, "phone", 0);
        let (folder, copied) = (phone.folder.clone(), street.phone_folder("clone"));
        let details = HouseholdDetails { door: Some("9单元901".to_owned()), ..HouseholdDetails::default() };
        let moved = phone.engine.add_household(Some(street.grid(0)), details, Vec::new()).unwrap();
        drop(phone);
        copy(&folder, &copied, true);

        let phone = Phone::open_now(&folder);
        if pushes == 2 {
            phone.sync(&server.transport());
        }
        phone.engine.move_household(moved, street.grid(1)).unwrap();
        phone.sync(&server.transport());
        let copy = Phone::open_now(&copied);
        copy.sync(&server.transport());
        for phone in [&phone, &copy] {
            assert!(!phone.households().contains(&moved), "{pushes}: a record of another grid stays");
            street.assert_same(&server.hub, Some(&[0]), phone);
        }
        let neighbour = street.worker_phone(&server, "neighbour", 1);
        assert!(neighbour.households().contains(&moved));
    }
}
