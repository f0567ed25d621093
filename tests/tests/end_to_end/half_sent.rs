//! Five hundred clients that begin a request and never go on: phones work beside them, and all of them are cut.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use doorstep_tests::phone::Phone;
use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::street::{Street, TINY};
use doorstep_tests::watcher::PATIENCE;

#[test]
fn five_hundred_half_sent_heads_hold_no_phone_up_and_are_cut() {
    let street = Street::build(TINY);
    let [code] = street.codes([street.worker(0)]);
    let server = ServerProcess::start(&street.data(), &Options { flags: vec!["--header-seconds=2".into()], ..Options::default() });
    let address = server.url().trim_start_matches("http://");
    let half = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"POST /v1/sync HTTP/1.1\r\nhost: ").unwrap();
        stream
    };
    let halves: Vec<TcpStream> = (0..500).map(half).collect();
    let phone = Phone::open_now(&street.phone_folder("honest"));
    phone.enrol_with(&code, &server.transport());
    phone.visit(phone.households()[0], "身体还好");
    phone.sync(&server.transport());
    for mut half in halves {
        match half.read(&mut [0; 64]) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("a half-sent head was not cut: {other:?}"),
        }
    }
    assert_eq!(server.errors(), Vec::<String>::new());
}
