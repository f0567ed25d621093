//! The phone's folder: what is opened, what is made, what is left alone.

use std::path::Path;

use super::*;
use doorstep_core::store::{SledOptions, SledStore};

fn run(folder: &Path, words: &[&str]) -> Result<String, PhoneError> {
    let mut args = read(words);
    args.store = folder.to_owned();
    let mut out = Vec::new();
    perform_in(args, Arc::new(SystemClock), Box::new(SystemEntropy), &mut Page::new(&mut out, Lang::En, false))?;
    Ok(String::from_utf8(out).unwrap())
}

fn code(folder: &Path, words: &[&str]) -> &'static str {
    run(folder, words).map_or_else(|error| error.code(), |said| panic!("{words:?} was done: {said}"))
}

const ENROL: [&str; 5] = ["enrol", "--server", "http://127.0.0.1:9", "--code", "ABCD-EFGHJK"];

#[test]
fn a_phone_that_is_not_enrolled_says_how_and_makes_no_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("phone");
    let error = run(&folder, &[]).unwrap_err();
    assert_eq!(error.code(), "field.not_enrolled");
    assert!(error.to_text(Lang::En).contains("enrol --server URL --code CODE"));
    assert!(!folder.exists());
}

#[test]
fn an_enrolment_that_does_not_reach_the_server_can_be_repeated() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("phone");
    assert_eq!(code(&folder, &ENROL), "sync.unreachable");
    assert_eq!(code(&folder, &["status"]), "field.not_enrolled");
    assert_eq!(code(&folder, &ENROL), "sync.unreachable");
}

#[test]
fn a_server_address_that_is_none_is_said_so_and_the_folder_stays_usable() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("phone");
    assert_eq!(code(&folder, &["enrol", "--server", "ftp://x", "--code", "A"]), "field.invalid");
    assert_eq!(code(&folder, &ENROL), "sync.unreachable");
}

#[test]
fn a_folder_with_something_else_in_it_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("letter.txt"), "dear").unwrap();
    assert_eq!(code(home.path(), &["status"]), "phone.foreign_folder");
    assert_eq!(code(home.path(), &ENROL), "phone.foreign_folder");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_store_of_something_else_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let store = SledStore::open(home.path(), SledOptions::default()).unwrap();
    let mut batch = doorstep_core::store::Batch::new();
    batch.put(vec![9, 9], vec![1]);
    doorstep_core::store::Store::commit(&store, batch).unwrap();
    drop(store);
    assert_eq!(code(home.path(), &ENROL), "phone.foreign_folder");
    assert_eq!(code(home.path(), &["status"]), "phone.foreign_folder");
}

#[test]
fn a_store_in_use_by_another_process_says_so() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(code(home.path(), &ENROL), "sync.unreachable");
    let _other = SledStore::open(home.path(), SledOptions::default()).unwrap();
    let error = run(home.path(), &["status"]).unwrap_err();
    assert_eq!(error.code(), "store.in_use");
    assert!(error.to_text(Lang::Zh).contains("另一个程序"));
}

#[test]
fn a_store_that_a_newer_version_wrote_says_so_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(code(home.path(), &ENROL), "sync.unreachable");
    let store = SledStore::open(home.path(), SledOptions::default()).unwrap();
    let mut identity = Vec::new();
    doorstep_core::store::Read::scan_prefix(&store, &[1], &mut |key, _| {
        identity = key.to_vec();
        std::ops::ControlFlow::Break(())
    })
    .unwrap();
    let mut batch = doorstep_core::store::Batch::new();
    batch.put(identity, vec![250, 250, 1, 2, 3]);
    doorstep_core::store::Store::commit(&store, batch).unwrap();
    drop(store);
    let error = run(home.path(), &["status"]).unwrap_err();
    assert_eq!(error.code(), "store.unknown_format");
    assert!(error.to_text(Lang::Zh).contains("更新的版本"));
    assert!(error.to_text(Lang::En).contains("--store"));
}

#[test]
fn an_error_in_json_has_a_code_and_a_message() {
    let home = tempfile::tempdir().unwrap();
    let error = run(&home.path().join("none"), &["cases", "--json"]).unwrap_err().to_json(Lang::Zh);
    assert_eq!(error["error"]["code"], "field.not_enrolled");
    assert!(error["error"]["message"].as_str().unwrap().contains("还没有注册"));
}
