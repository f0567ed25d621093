//! Two people write at once, without seeing each other: what differs is kept and attributed, what does not touch stays.

use doorstep_core::docs::{Change, Document, Household, Scalar, Slot, Write, household_writes, wellformed};
use doorstep_core::model::{Hlc, HouseholdDetails, Millis};
use doorstep_tests::forge::actor;

use crate::scene::{CENTRE, NOON, STRANGER, Scene, WORKER, edit, member, tag};

/// Two replicas of a household on which nothing is in conflict.
fn replicas() -> (Document, Document) {
    let mut doc = Scene::household().doc;
    edit(&mut doc, STRANGER, 5, &[Write::set("remark", "settled")]);
    assert!(doc.conflicts().is_empty());
    (doc.clone(), doc)
}

/// Each takes what the other wrote, from its bytes and after judging it.
fn exchange(one: (&mut Document, &Change), other: (&mut Document, &Change)) {
    let changes = [one.1, other.1];
    for (doc, change) in [(one.0, changes[1]), (other.0, changes[0])] {
        let received = Change::parse(change.bytes()).unwrap();
        wellformed::check(doc, &received).unwrap();
        doc.apply([&received]).unwrap();
    }
}

#[test]
fn the_same_field_set_twice_shows_both_values_with_who_and_when_and_the_same_default_everywhere() {
    let (mut one, mut other) = replicas();
    let by_worker = edit(&mut one, WORKER, 10, &[Write::set("remark", "knock twice")]);
    let by_centre = edit(&mut other, CENTRE, 11, &[Write::set("remark", "ring the bell")]);
    exchange((&mut one, &by_worker), (&mut other, &by_centre));

    let conflicts = one.conflicts();
    assert_eq!(conflicts, other.conflicts());
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].field, "remark");
    let mut found: Vec<_> = conflicts[0].candidates.iter().map(|c| (c.value.clone(), c.actor.unwrap(), c.at, c.change)).collect();
    found.sort_by_key(|(_, _, at, _)| *at);
    let minute = |minute: i64| Hlc::new(Millis(NOON + 60_000 * minute), 0);
    assert_eq!(found[0], (Scalar::from("knock twice"), actor(WORKER), minute(10), by_worker.hash()));
    assert_eq!(found[1], (Scalar::from("ring the bell"), actor(CENTRE), minute(11), by_centre.hash()));

    let shown = |doc: &Document| Household::read(doc).details.remark.map(|remark| Scalar::from(remark.reveal().as_str()));
    assert_eq!(shown(&one), shown(&other));
    assert_eq!(shown(&one).as_ref(), conflicts[0].candidates.last().map(|shown| &shown.value));
    let reloaded = Document::load(one.kind(), one.id(), &one.saved_and_reloaded().unwrap().bytes).unwrap().with_keys(one.keys().clone());
    assert_eq!(reloaded.conflicts(), conflicts);
}

#[test]
fn different_fields_set_at_once_both_stand() {
    let (mut one, mut other) = replicas();
    let door = HouseholdDetails { door: Some("3-2-502".into()), ..HouseholdDetails::default() };
    let contact = HouseholdDetails { contact: Some(doorstep_core::model::Personal::new("Wang".into())), ..HouseholdDetails::default() };
    let by_worker = edit(&mut one, WORKER, 10, &household_writes(&door));
    let by_centre = edit(&mut other, CENTRE, 10, &household_writes(&contact));
    exchange((&mut one, &by_worker), (&mut other, &by_centre));
    for doc in [&one, &other] {
        let details = Household::read(doc).details;
        assert_eq!((details.door.as_deref(), details.contact.unwrap().reveal().as_str()), (Some("3-2-502"), "Wang"));
        assert!(doc.conflicts().is_empty());
    }
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn a_tag_taken_out_while_another_puts_it_in_is_a_conflict() {
    let (mut one, mut other) = replicas();
    let taken_out = edit(&mut one, WORKER, 10, &[tag("独居", false), member(0x77, false)]);
    let gone = edit(&mut other, CENTRE, 9, &[tag("独居", false)]);
    let put_in = edit(&mut other, CENTRE, 10, &[tag("独居", true), member(0x78, true)]);
    one.apply([&gone]).unwrap();
    exchange((&mut one, &taken_out), (&mut other, &put_in));
    let fields: Vec<String> = one.conflicts().into_iter().map(|conflict| conflict.field).collect();
    assert_eq!(fields, ["tags/独居"]);
    assert_eq!(one.conflicts(), other.conflicts());
    assert_eq!(Household::read(&one), Household::read(&other));
    assert_eq!(Household::read(&one).members.len(), 1, "one was taken out and another put in");
}

#[test]
fn a_conflict_ends_when_somebody_who_sees_it_writes() {
    let scene = Scene::household();
    let conflict = &scene.doc.conflicts()[0];
    for chosen in [conflict.candidates.first().unwrap(), conflict.candidates.last().unwrap()] {
        let mut doc = scene.doc.clone();
        let change = edit(&mut doc, STRANGER, 20, &[Write::Set(Slot::Root(conflict.field.clone()), chosen.value.clone())]);
        assert!(doc.conflicts().is_empty());
        let remark = Household::read(&doc).details.remark.unwrap();
        assert_eq!(Scalar::from(remark.reveal().as_str()), chosen.value);
        let received = Change::parse(change.bytes()).unwrap();
        let mut replica = scene.doc.clone();
        wellformed::check(&replica, &received).unwrap();
        replica.apply([&received]).unwrap();
        assert_eq!(replica.digest(), doc.digest());
    }
}

#[test]
fn entries_made_at_once_all_stand() {
    let (mut one, mut other) = replicas();
    let by_worker = edit(&mut one, WORKER, 10, &crate::scene::visit(50, WORKER));
    let by_centre = edit(&mut other, CENTRE, 10, &crate::scene::visit(51, CENTRE));
    exchange((&mut one, &by_worker), (&mut other, &by_centre));
    assert_eq!(one.visits().len(), 3);
    assert_eq!(one.visits(), other.visits());
    assert_eq!(one.digest(), other.digest());
}
