//! The ground gives way: stores that are deleted or damaged under a server and a phone, backups that are set up again elsewhere.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Output;

use doorstep_core::store::{SledOptions, SledStore};
use doorstep_tests::phone::Phone;
use doorstep_tests::process::{Options, ServerProcess, StartingServer, doorstep};
use doorstep_tests::street::{SMALL, Street};

fn tree(data: &Path) -> PathBuf {
    data.join("store").join("tree")
}

/// A street whose server holds the work of two phones of one grid, which are up to date. No server runs.
fn worked_in() -> (Street, Vec<Phone>) {
    let street = Street::build(SMALL);
    let server = street.serve();
    let phones: Vec<Phone> = ["one", "two"].map(|name| street.worker_phone(&server, name, 0)).into();
    for (number, door) in phones[0].households().into_iter().enumerate() {
        phones[number % 2].visit(door, "身体还好");
    }
    for phone in phones.iter().chain(&phones) {
        phone.sync(&server.transport());
    }
    drop(server);
    (street, phones)
}

fn assert_same(street: &Street, phones: &[Phone]) {
    street.behind_the_scenes(|hub| phones.iter().for_each(|phone| assert!(street.assert_same(hub, Some(&[0]), phone) > 20)));
}

#[test]
fn a_server_whose_tree_is_gone_or_cut_off_is_built_anew_with_all_that_it_acknowledged() {
    let (street, phones) = worked_in();
    let data = tree(&street.data()).join("db");
    let length = fs::metadata(&data).unwrap().len();
    for damage in 0..4 {
        match damage {
            0 => fs::remove_dir_all(tree(&street.data())).unwrap(),
            cut => OpenOptions::new().write(true).open(&data).unwrap().set_len(length * cut / 4).unwrap(),
        }
        let server = ServerProcess::start(&street.data(), &Options::default());
        let transport = server.transport();
        phones[0].visit(phones[0].households()[0], "重建之后");
        for phone in &phones {
            phone.sync(&transport);
        }
        // sled may complain of what it found, when it is opened; nobody else does.
        let errors: Vec<String> = server.errors().into_iter().filter(|line| !line.contains("sled")).collect();
        assert_eq!(errors, Vec::<String>::new());
        server.kill();
        assert_same(&street, &phones);
    }
}

#[test]
fn a_phone_whose_tree_is_gone_has_its_unsent_work_and_everything_else() {
    let (street, mut phones) = worked_in();
    let door = phones[0].households()[3];
    let unsent = phones[0].visit(door, "还没送出");
    let phone = phones.remove(0);
    let folder = phone.folder.clone();
    drop(phone);
    fs::remove_dir_all(folder.join("tree")).unwrap();
    let phone = Phone::open_now(&folder);
    assert!(phone.has_visit(door, unsent));
    assert_eq!(phone.engine.status().pending, 1);
    let server = street.serve();
    phone.sync(&server.transport());
    phones[0].sync(&server.transport());
    assert!(phones[0].has_visit(door, unsent));
    phones.push(phone);
    drop(server);
    assert_same(&street, &phones);
}

fn run(words: &[&str]) -> Output {
    doorstep().args(words).output().unwrap()
}

fn succeeds(words: &[&str]) {
    let output = run(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_made_while_serving_is_checked_and_set_up_again_elsewhere() {
    let (street, phones) = worked_in();
    let folder = tempfile::tempdir().unwrap();
    let (backup, elsewhere) = (folder.path().join("backup"), folder.path().join("elsewhere"));
    let server = ServerProcess::start(&street.data(), &Options::default());
    let token = street.data().join("admin.token");
    let door = phones[0].households()[5];
    let before = phones[0].visit(door, "备份之前");
    phones[0].sync(&server.transport());
    let asked = ["backup", text(&backup), "--server", server.url(), "--token-file", text(&token)];
    succeeds(&asked);
    assert!(!run(&asked).status.success(), "a backup over another one");
    server.terminate();
    assert!(server.wait().success());

    succeeds(&["check", text(&backup)]);
    succeeds(&["check", text(&street.data())]);
    succeeds(&["restore", text(&backup), "--data", text(&elsewhere)]);
    assert!(!run(&["restore", text(&backup), "--data", text(&elsewhere)]).status.success(), "a restore over a store");

    // The phones go on with the server that was set up again, on another life of the ledger.
    let server = ServerProcess::start(&elsewhere, &Options::default());
    let after = phones[1].visit(door, "恢复之后");
    for phone in phones.iter().chain(&phones) {
        phone.sync(&server.transport());
    }
    for phone in &phones {
        assert!(phone.has_visit(door, before) && phone.has_visit(door, after));
    }
    assert_eq!(server.errors(), Vec::<String>::new());
}

/// Serves a street, and has made a backup of it.
fn serve_and_back_up(street: &Street, backup: &Path) -> ServerProcess {
    let server = ServerProcess::start(&street.data(), &Options::default());
    succeeds(&["backup", text(backup), "--server", server.url(), "--token-file", text(&street.data().join("admin.token"))]);
    server
}

/// A backup of a street, of which a data folder holds what a restore leaves that is cut before its ledgers have new ids: a whole store, aside.
#[test]
fn what_a_restore_that_was_cut_left_is_never_served_and_the_next_one_begins_again() {
    let (street, phones) = worked_in();
    let folder = tempfile::tempdir().unwrap();
    let (backup, elsewhere) = (folder.path().join("backup"), folder.path().join("elsewhere"));
    let server = serve_and_back_up(&street, &backup);
    let (door, transport) = (phones[0].households()[5], server.transport());
    let after = phones[0].visit(door, "备份之后");
    phones[0].sync(&transport);
    server.kill();
    let aside = elsewhere.join("restoring");
    SledStore::restore(&backup, &aside).unwrap();
    drop(SledStore::open(&aside, SledOptions::default()).unwrap());
    let refused = StartingServer::begin(&elsewhere, &Options::default()).wait_until_it_ends();
    assert!(refused.iter().any(|line| line.contains("run `doorstep restore` again")), "{refused:?}");
    assert!(!elsewhere.join("store").exists(), "a new server was begun beside it");

    succeeds(&["restore", text(&backup), "--data", text(&elsewhere)]);
    assert!(!aside.exists());
    let server = ServerProcess::start(&elsewhere, &Options::default());
    for phone in &phones {
        phone.sync(&server.transport());
    }
    assert!(phones[1].has_visit(door, after), "the phones were not asked for what was lost");
}

#[test]
fn a_backup_that_is_not_whole_is_refused() {
    let (street, _phones) = worked_in();
    let folder = tempfile::tempdir().unwrap();
    let (backup, elsewhere) = (folder.path().join("backup"), folder.path().join("elsewhere"));
    let _server = serve_and_back_up(&street, &backup);
    let checkpoint = fs::read_dir(&backup)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "checkpoint"));
    let checkpoint = checkpoint.unwrap();
    let mut bytes = fs::read(&checkpoint).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&checkpoint, bytes).unwrap();
    for words in
        [vec!["check", text(&backup)], vec!["restore", text(&backup), "--data", text(&elsewhere)], vec!["check", text(folder.path())]]
    {
        let output = run(&words);
        assert!(!output.status.success(), "{words:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    }
    assert!(!elsewhere.join("store").exists());
}
