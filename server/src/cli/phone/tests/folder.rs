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

/// [`ENROL`] with a key file.
fn enrol_with(key: &Path) -> [&str; 7] {
    let [a, b, c, d, e] = ENROL;
    [a, b, c, d, e, "--key-file", key.to_str().unwrap()]
}

#[test]
fn a_folder_that_is_enrolled_with_a_key_file_is_sealed_with_it() {
    let home = tempfile::tempdir().unwrap();
    let (folder, key, other) = (home.path().join("phone"), home.path().join("key"), home.path().join("other"));
    let status = |key: &Path| code(&folder, &["status", "--key-file", key.to_str().unwrap()]);
    assert_eq!(status(&key), "field.not_enrolled");
    assert!(!key.exists() && !folder.exists(), "nothing is made but for an enrolment");
    assert_eq!(code(&folder, &enrol_with(&key)), "sync.unreachable");
    let bytes = std::fs::read(&key).unwrap();
    assert_eq!(bytes.len(), 32);
    assert_eq!(code(&folder, &enrol_with(&key)), "sync.unreachable");
    assert_eq!(std::fs::read(&key).unwrap(), bytes, "the key stays");
    assert_eq!(status(&key), "field.not_enrolled");
    let error = run(&folder, &["status"]).unwrap_err();
    assert_eq!(error.code(), "store.key_needed");
    assert!(error.to_text(Lang::En).contains("--key-file"));
    assert_eq!(status(&other), "phone.file");
    assert!(!other.exists(), "a store that is there gets no new key");
    assert_eq!(code(&home.path().join("second"), &enrol_with(&other)), "sync.unreachable");
    let error = run(&folder, &["status", "--key-file", other.to_str().unwrap()]).unwrap_err();
    assert_eq!(error.code(), "store.wrong_key");
    assert!(error.to_text(Lang::Zh).contains("密钥不是这个文件夹的"));
}

#[test]
fn a_folder_in_clear_is_not_opened_with_a_key() {
    let home = tempfile::tempdir().unwrap();
    let (folder, key) = (home.path().join("phone"), home.path().join("key"));
    assert_eq!(code(&folder, &ENROL), "sync.unreachable");
    assert_eq!(code(&home.path().join("second"), &enrol_with(&key)), "sync.unreachable");
    // An enrolment that did not reach the server has left something there.
    assert_eq!(code(&folder, &enrol_with(&key)), "store.not_sealed");
    assert_eq!(code(&folder, &["status"]), "field.not_enrolled");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_or_that_is_no_key_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let (folder, key) = (home.path().join("phone"), home.path().join("key"));
    let close = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::write(&key, [7; 32]).unwrap();
    for mode in [0o604, 0o640, 0o660] {
        close(mode);
        let error = run(&folder, &enrol_with(&key)).unwrap_err();
        assert_eq!(error.code(), "phone.key_file_open");
        assert!(error.to_text(Lang::En).contains("chmod 600"));
    }
    close(0o600);
    for length in [0, 31, 33, 4_096] {
        std::fs::write(&key, vec![7; length]).unwrap();
        assert_eq!(code(&folder, &enrol_with(&key)), "phone.key_file_unfit");
    }
    assert!(!folder.exists(), "nothing is made with a key that is none");
    std::fs::write(&key, [7; 32]).unwrap();
    assert_eq!(code(&folder, &enrol_with(&key)), "sync.unreachable");
    let made = home.path().join("made");
    assert_eq!(code(&home.path().join("second"), &enrol_with(&made)), "sync.unreachable");
    assert_eq!(std::fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_error_in_json_has_a_code_and_a_message() {
    let home = tempfile::tempdir().unwrap();
    let error = run(&home.path().join("none"), &["cases", "--json"]).unwrap_err().to_json(Lang::Zh);
    assert_eq!(error["error"]["code"], "field.not_enrolled");
    assert!(error["error"]["message"].as_str().unwrap().contains("还没有注册"));
}
