//! The server speaks TLS by itself: phones that trust its authority sync and stay connected, and a renewed certificate is used without a
//! restart.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::Instant;

use doorstep_core::field::{HttpTransport, Transport, Watched, WebSocketTransport};
use doorstep_tests::phone::Phone;
use doorstep_tests::process::{Options, ServerProcess, doorstep};
use doorstep_tests::street::{SMALL, Street};
use doorstep_tests::watcher::{PATIENCE, Watcher};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Two files in a folder: what a server shows. The certificate of who signed it is what clients trust.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a certificate for 127.0.0.1, signed by an authority that is made for it; the authority's certificate.
    fn renew(&self) -> Vec<u8> {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = own.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        std::fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(self.path("certificate.pem"), certificate.pem()).unwrap();
        std::fs::write(self.path("authority.pem"), root.pem()).unwrap();
        root.pem().into_bytes()
    }

    fn serve(&self, data: &Path) -> ServerProcess {
        let flag = |flag: &str, name: &str| format!("--{flag}={}", self.path(name).display());
        let flags = vec![flag("tls-certificate-file", "certificate.pem"), flag("tls-key-file", "key.pem")];
        ServerProcess::start(data, &Options { flags, ..Options::default() })
    }
}

fn is_reached(url: &str, authority: &[u8]) -> bool {
    HttpTransport::with_authority(url, authority).unwrap().post("/v1/sync", b"").is_ok()
}

#[test]
fn the_phone_in_the_terminal_syncs_over_tls_with_an_authority_of_its_own_and_with_none_it_does_not() {
    let street = Street::build(SMALL);
    let [code] = street.codes([street.worker(0)]);
    let files = Files::new();
    files.renew();
    let server = files.serve(&street.data());
    let folder = street.phone_folder("terminal");
    let phone = |words: &[&str]| -> Output {
        let mut command = doorstep();
        command.args(["phone", "--json", "--store"]).arg(&folder).args(words).output().unwrap()
    };
    let authority = files.path("authority.pem").display().to_string();
    let enrol = ["enrol", "--server", &server.secure_url(), "--code", &code];
    assert!(!phone(&enrol).status.success(), "a certificate that nobody vouches for was trusted");
    let done = phone(&[&["--ca", &authority], &enrol[..]].concat());
    assert!(done.status.success(), "{done:?}");
    let synced = phone(&["--ca", &authority, "sync"]);
    let answer: serde_json::Value = serde_json::from_slice(&synced.stdout).unwrap();
    assert_eq!((synced.status.success(), answer["queue"]["pending"].as_u64()), (true, Some(0)), "{answer}");
    assert!(answer["received"].as_u64().unwrap() > 0, "{answer}");
    assert!(!phone(&["sync"]).status.success());
}

#[test]
fn a_phone_stays_connected_over_tls() {
    let street = Street::build(SMALL);
    let [one, other] = street.codes([street.worker(0), street.worker(0)]);
    let files = Files::new();
    let authority = files.renew();
    let server = files.serve(&street.data());
    let https = HttpTransport::with_authority(&server.secure_url(), &authority).unwrap();
    let [watching, recording] = [("watching", &one), ("recording", &other)].map(|(name, code)| {
        let phone = Phone::open_now(&street.phone_folder(name));
        phone.enrol_with(code, &https);
        Arc::new(phone)
    });
    let live = WebSocketTransport::with_authority(&server.secure_url(), &authority).unwrap();
    let watcher = Watcher::start_up_to_date(&watching, live);
    let door = recording.households()[0];
    let visit = recording.visit(door, "身体还好");
    recording.sync(&https);
    watcher.until_holds("the visit", || watching.has_visit(door, visit));
    let stranger = WebSocketTransport::new(&server.secure_url()).unwrap();
    let lost = Watcher::start(&recording, stranger);
    assert!(matches!(lost.next(), Watched::Lost { .. }), "a certificate that nobody vouches for was trusted");
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let street = Street::build(SMALL);
    let files = Files::new();
    let old = files.renew();
    let server = files.serve(&street.data());
    let url = server.secure_url();
    assert!(is_reached(&url, &old));
    let wait_until = |what: &str, holds: &dyn Fn() -> bool| {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < deadline, "{what}");
        }
    };
    let new = files.renew();
    wait_until("the new certificate is not used", &|| is_reached(&url, &new));
    assert!(!is_reached(&url, &old), "the old certificate is still used");

    // The key of another certificate, as where a renewal was cut in the middle.
    std::fs::write(files.path("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let is_logged = || server.errors().iter().any(|line| line.contains("the new certificate is not used"));
    wait_until("the broken pair was not noticed", &is_logged);
    assert!(is_reached(&url, &new), "a broken pair took the place of a good one");
}
