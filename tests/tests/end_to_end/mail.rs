//! Mail: what one person recorded on a shared phone is carried by another's session, who can neither read it nor change it.

use doorstep_core::field::{CONTENT_TYPE, MAIL_PATH, Transport, TransportAnswer, mail_taken};
use doorstep_core::sync::client::SyncFailure;
use doorstep_server::ledger::Ending;
use doorstep_tests::server::Server;
use doorstep_tests::street::{SMALL, Street};

fn hand_in(server: &Server, mail: &[u8]) -> Result<(), SyncFailure> {
    mail_taken(server.transport().post(MAIL_PATH, mail).unwrap())
}

#[test]
fn what_was_carried_is_on_the_server_and_its_author_hears_of_it_once() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let author = street.worker_phone(&server, "author", 0);
    let doors = author.households();
    let visits: Vec<_> =
        (0..30).map(|number| (doors[number % 5], author.visit(doors[number % 5], &format!("楼道走访第{number}次")))).collect();
    let mails = author.engine.mail().unwrap();
    assert!(!mails.is_empty());
    for mail in &mails {
        assert!(!mail.windows(6).any(|window| window == "走访".as_bytes()), "nobody reads what they carry");
        // As often as anybody likes.
        assert_eq!([hand_in(&server, mail), hand_in(&server, mail)], [Ok(()), Ok(())]);
    }
    let on_server = |door| server.hub.document(street.id(), doorstep_core::model::DocId::from(door)).unwrap().0.visits();
    assert!(visits.iter().all(|(door, visit)| on_server(*door).iter().any(|other| other.id == *visit)));

    assert_eq!(author.engine.waiting().len(), 30, "nothing leaves the outbox before its author has the verdicts");
    assert_eq!(author.sync(&server.transport()).exchanged.accepted, 30);
    assert!(doors.iter().take(5).all(|door| author.visits_of(*door) == 6 && on_server(*door).len() == 6));
    street.assert_same(&server.hub, Some(&[0]), &author);
    assert!(author.engine.mail().unwrap().is_empty());
}

#[test]
fn what_was_changed_on_the_way_is_refused_and_what_a_revoked_device_sent_is_kept_apart() {
    let street = Street::build(SMALL);
    let server = street.serve();
    let author = street.worker_phone(&server, "author", 0);
    author.visit(author.households()[0], "走访");
    let mail = author.engine.mail().unwrap().remove(0);
    let mut changed = mail.clone();
    *changed.last_mut().unwrap() ^= 1;
    let unreadable = || Err(SyncFailure::Rejected { code: "hub.unreadable_mail".into() });
    assert_eq!(hand_in(&server, &changed), unreadable());

    let other = Street::build(SMALL);
    let elsewhere = other.serve();
    assert_eq!(hand_in(&elsewhere, &mail), unreadable(), "another server");

    server.hub.end_device(street.id(), author.engine.identity().unwrap().device, Ending::Lost).unwrap();
    assert_eq!(hand_in(&server, &mail), Ok(()));
    assert_eq!(server.hub.quarantine(street.id()).unwrap().len(), 1);
}

#[test]
fn an_answer_that_is_not_the_servers_takes_nothing() {
    let answer = |status, code: Option<&str>| TransportAnswer {
        status,
        content_type: CONTENT_TYPE.into(),
        code: code.map(str::to_owned),
        body: Vec::new(),
    };
    assert_eq!(mail_taken(answer(204, None)), Ok(()));
    assert_eq!(mail_taken(answer(200, None)), Err(SyncFailure::NotTheServer { status: 200 }), "a captive portal");
    assert_eq!(mail_taken(answer(503, Some("server.busy"))), Err(SyncFailure::NotReady { status: 503 }));
}
