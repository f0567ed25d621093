//! Administrators at the command line, and what the audit log has of them: also after a backup, a restore and a forgery.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use doorstep_core::field::{ENROL_PATH, HttpTransport, Transport};
use doorstep_core::sync::DeviceKey;
use doorstep_server::system::SystemEntropy;
use doorstep_tests::handmade::enrolment;
use doorstep_tests::process::{Options, ServerProcess, doorstep};
use doorstep_tests::street::{Street, TINY};
use serde_json::Value;

const PASSWORD: &str = "correct horse battery";

/// A desk: the folder of the passwords and sessions of those who administer one server.
struct Desk {
    folder: tempfile::TempDir,
    url: String,
}

impl Desk {
    fn new(server: &ServerProcess) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), url: server.url().to_owned() };
        std::fs::write(desk.path("password"), format!("{PASSWORD}\n")).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = doorstep();
        command.arg("admin").args(words).args(["--json", "--server", &self.url]).env("XDG_CONFIG_HOME", self.path("settings"));
        command
    }

    /// As the operator, with the token of a data folder.
    fn operator(&self, data: &Path, words: &[&str]) -> Output {
        self.command(words).arg("--token-file").arg(data.join("admin.token")).output().unwrap()
    }

    /// With the session of an account.
    fn account(&self, name: &str, words: &[&str]) -> Output {
        self.command(words).arg("--session").arg(self.path(name)).output().unwrap()
    }

    /// Adds an account as the operator, and logs it in.
    fn hire(&self, data: &Path, name: &str, kind: &str) {
        let password = self.path("password").display().to_string();
        answer(&self.operator(data, &["account", "add", name, "--kind", kind, "--password-file", &password]));
        answer(&self.account(name, &["login", name, "--password-file", &password]));
    }
}

fn answer(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn acts(records: &Value) -> Vec<&str> {
    records.as_array().unwrap().iter().map(|record| record["what"].as_str().unwrap()).collect()
}

#[test]
fn administrators_work_at_the_command_line_in_their_own_names() {
    let street = Street::build(TINY);
    let data = street.data();
    let server = ServerProcess::start(&data, &Options::default());
    let desk = Desk::new(&server);
    for kind in ["system", "security", "auditor"] {
        desk.hire(&data, kind, kind);
    }
    assert_eq!(answer(&desk.account("system", &["street", "list"])).as_array().unwrap().len(), 1);
    let refused = desk.account("system", &["person", "add", "王建国"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("[account.not_allowed]"), "{refused:?}");
    assert_eq!(answer(&desk.account("security", &["person", "list"])).as_array().unwrap().len(), 2);

    // An access token that has ended is changed without a word, and the file has the next pair.
    let file = desk.path("system");
    let mut session: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    session["access"] = "0".repeat(64).into();
    std::fs::write(&file, session.to_string()).unwrap();
    let backup = desk.path("backup");
    let words = ["backup", backup.to_str().unwrap(), "--server", server.url(), "--session", file.to_str().unwrap()];
    assert!(doorstep().args(words).status().unwrap().success());
    let renewed: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert!(renewed["access"] != session["access"] && renewed["refresh"] != session["refresh"]);
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);

    let added =
        ["account", "add", "second", "--kind", "auditor", "--password-file", desk.path("password").to_str().unwrap()].map(str::to_owned);
    let added: Vec<&str> = added.iter().map(String::as_str).collect();
    let proposed = answer(&desk.account("security", &added));
    let id = proposed["proposal"]["id"].as_str().unwrap();
    assert!(!desk.account("security", &["proposal", "confirm", id]).status.success());
    answer(&desk.account("auditor", &["proposal", "confirm", id]));
    assert_eq!(answer(&desk.account("auditor", &["account", "list"])).as_array().unwrap().len(), 4);

    let listed = answer(&desk.account("auditor", &["audit", "list"]));
    let wanted = ["account-added", "login"].repeat(3);
    assert_eq!(acts(&listed)[..6], wanted);
    assert_eq!(acts(&listed)[6..], ["denied", "backup-begun", "proposed", "confirmed", "confirmed"]);
    assert_eq!(answer(&desk.account("auditor", &["audit", "list", "--since", "2999-01-01"])), Value::Array(vec![]));
    assert_eq!(answer(&desk.account("auditor", &["audit", "verify"]))["is_marked"], true);
    answer(&desk.account("auditor", &["logout"]));
    assert!(!desk.account("auditor", &["audit", "list"]).status.success());
    assert!(!server.errors().iter().any(|line| line.contains(PASSWORD)));
}

#[test]
fn the_audit_log_goes_into_the_backup_and_on_after_the_restore_and_a_forgery_is_found() {
    let street = Street::build(TINY);
    let data = street.data();
    let server = ServerProcess::start(&data, &Options::default());
    let desk = Desk::new(&server);
    desk.hire(&data, "system", "system");
    let backup = desk.path("backup");
    let words = ["backup", backup.to_str().unwrap(), "--server", server.url(), "--session", desk.path("system").to_str().unwrap()]
        .map(str::to_owned);
    assert!(doorstep().args(words).status().unwrap().success());
    server.terminate();
    assert!(server.wait().success());

    let verify = |folder: &Path| doorstep().args(["admin", "--json", "audit", "verify", "--data"]).arg(folder).output().unwrap();
    assert_eq!(answer(&verify(&backup))["records"], 3);
    let whole = answer(&verify(&data));
    assert_eq!((&whole["records"], &whole["is_marked"]), (&3.into(), &true.into()));

    let elsewhere = desk.path("elsewhere");
    assert!(doorstep().args(["restore", backup.to_str().unwrap(), "--data", elsewhere.to_str().unwrap()]).status().unwrap().success());
    let restored = ServerProcess::start(&elsewhere, &Options::default());
    let there = Desk { folder: tempfile::tempdir().unwrap(), url: restored.url().to_owned() };
    let log = answer(&there.operator(&elsewhere, &["audit", "list"]));
    assert_eq!(acts(&log), ["account-added", "login", "backup-begun", "restored"]);
    std::fs::copy(desk.path("system"), there.path("system")).unwrap();
    let session = std::fs::read_to_string(there.path("system")).unwrap().replace(&desk.url, &there.url);
    std::fs::write(there.path("system"), session).unwrap();
    assert!(!there.account("system", &["street", "list"]).status.success(), "a session of the backup goes on");

    // The last record of the first server is cut off, behind its back.
    let file = std::fs::read_dir(data.join("audit")).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&file, lines[..lines.len() - 1].iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let found = verify(&data);
    assert!(!found.status.success());
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((&found["broken"][0]["what"], &found["broken"][0]["after"]), (&"missing-end".into(), &2.into()));
}

#[test]
fn whoever_guesses_enrolment_codes_is_stopped_and_is_in_the_log() {
    let street = Street::build(TINY);
    let data = street.data();
    let [code] = street.codes([street.worker(0)]);
    let server = ServerProcess::start(&data, &Options::default());
    let transport = HttpTransport::new(server.url()).unwrap();
    let key = DeviceKey::make(&mut SystemEntropy);
    let guess = |code: &str| transport.post(ENROL_PATH, &enrolment(&key, code)).unwrap();
    for n in 0..30 {
        let answered = guess(&format!("AAAA-AAAA{n:02}"));
        assert_eq!((answered.status, answered.code.as_deref()), (403, Some("hub.enrolment_code")), "guess {n}");
    }
    for code in ["AAAA-AAAA99", &code] {
        let answered = guess(code);
        assert_eq!((answered.status, answered.code.as_deref()), (429, Some("account.too_many")));
    }
    let desk = Desk::new(&server);
    let log = answer(&desk.operator(&data, &["audit", "list"]));
    assert_eq!((acts(&log).len(), acts(&log).last()), (31, Some(&"locked")));
    assert!(!log.to_string().contains("AAAA"), "{log}");
}
