//! What a reconnect costs, counted at the transport: what changed, not what exists.

use doorstep_core::model::VisitSubject;
use doorstep_server::demo::Size;
use doorstep_tests::clocks::{DAY, HandClock};
use doorstep_tests::counting::{Counting, Exchange};
use doorstep_tests::street::Street;

/// Twenty thousand documents in one street: 20 grids of 20 buildings with 49 doors each.
const LARGE: Size = Size { grids: 20, buildings: 20, doors: 49, organisations: 0 };

#[test]
fn a_reconnect_costs_what_changed_and_not_what_exists() {
    let clock = HandClock::at_time(9, 0);
    let street = Street::build_at(LARGE, clock.clone());
    assert!(street.built.documents >= 20_000, "{}", street.built.documents);
    let server = street.serve();
    let centre = street.phone_of(&server, "centre", street.built.centre, clock.clone());
    let transport = Counting::over(server.transport());
    centre.sync(&transport);
    transport.take();

    // Nothing new.
    centre.sync(&transport);
    let exchanges = transport.take();
    let [Exchange { sent, received }] = exchanges[..] else { panic!("one round trip: {exchanges:?}") };
    assert!(sent < 200 && received < 200, "{sent} and {received} bytes for nothing new");

    // Twenty changes made offline.
    let households = centre.households();
    for household in households.iter().step_by(97).take(20) {
        centre.visit(*household, "身体还好,药够吃两周");
    }
    centre.sync(&transport);
    let exchanges = transport.take();
    let [Exchange { sent, received }] = exchanges[..] else { panic!("one round trip: {exchanges:?}") };
    println!("20 offline changes: {sent} bytes there, {received} back");
    assert!(sent < 20_000 && received < 2_000, "{sent} and {received} bytes for 20 changes");

    // Nothing new again: what was pushed does not come back.
    centre.sync(&transport);
    let exchanges = transport.take();
    let [Exchange { sent, received }] = exchanges[..] else { panic!("one round trip: {exchanges:?}") };
    assert!(sent < 200 && received < 200, "{sent} and {received} bytes after a push");

    // A year away, in which others changed fifty documents.
    let worker = street.phone_of(&server, "worker", street.worker(3), clock.clone());
    let theirs = worker.households();
    for household in theirs.iter().take(50) {
        clock.advance(7 * DAY);
        worker.visit(*household, "家里有人,一切正常");
        worker.sync(&server.transport());
    }
    clock.advance(15 * DAY);
    centre.sync(&transport);
    let exchanges = transport.take();
    let [Exchange { sent, received }] = exchanges[..] else { panic!("one round trip: {exchanges:?}") };
    println!("a year away, 50 documents changed: {sent} bytes there, {received} back");
    assert!(sent < 200 && received < 100_000, "{sent} and {received} bytes after a year");
    for household in theirs.iter().take(50) {
        assert_eq!(centre.engine.visits(VisitSubject::Household(*household)).unwrap().len(), 1);
    }
}
