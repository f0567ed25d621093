//! What is sealed opens where it was put, for whom it is meant, and nowhere else.

use proptest::prelude::*;

use super::*;
use crate::docs::layout::Container;

const DOC: DocId = DocId::from_bytes([3; 16]);

fn key(number: u8) -> RecordKey {
    RecordKey::from_bytes(&[number; 32]).unwrap()
}

fn ring(number: u8) -> Keyring {
    Keyring::of(key(number))
}

fn root(field: &str) -> Path {
    Path::Root(field.to_owned())
}

fn findings(visit: &str) -> Path {
    Path::Field(Container::Visits, visit.to_owned(), "findings".to_owned())
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::Int),
        any::<String>().prop_map(Scalar::Text),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Scalar::Bytes),
    ]
}

/// How many visits the record of these tests has.
const VISITS: usize = 4;

fn sealed_findings(visit: usize) -> (Path, Scalar) {
    let place = findings(&visit.to_string());
    let sealed = ring(1).seal(DocKind::Household, DOC, &place, &Scalar::from("灯坏了")).unwrap();
    (place, sealed)
}

fn cut_at(ring: &Keyring, visit: usize) -> Keyring {
    let places: Vec<Path> = (0..VISITS).map(|visit| findings(&visit.to_string())).collect();
    ring.cut(key(1).id(), "visits.findings", &findings(&visit.to_string()), &places)
}

/// What somebody may hold of the record's key: all of it, some fields, or what another redaction left.
fn copy_of_a_ring() -> impl Strategy<Value = Keyring> {
    prop_oneof![
        Just(ring(1)),
        Just(ring(1).union(&ring(2))),
        Just(ring(1).only(DocKind::Household, |field| field == "visits.findings")),
        (0..VISITS).prop_map(|visit| cut_at(&ring(1), visit)),
        (0..VISITS).prop_map(|visit| cut_at(&ring(1), visit).only(DocKind::Household, |field| field == "phone")),
    ]
}

proptest! {
    #[test]
    fn a_value_opens_at_its_place_with_its_key_alone(value in scalar(), own in 1u8.., other in 1u8..) {
        prop_assume!(own != other);
        let sealed = ring(own).seal(DocKind::Household, DOC, &root("contact"), &value).unwrap();
        let open = |keys: &Keyring, doc, path: &Path| keys.open(DocKind::Household, doc, path, &sealed);
        prop_assert_eq!(open(&ring(own), DOC, &root("contact")).unwrap(), value);
        prop_assert!(open(&ring(other), DOC, &root("contact")).is_err());
        prop_assert!(open(&ring(own), DOC, &root("remark")).is_err(), "another field");
        prop_assert!(open(&ring(own), DocId::from_bytes([4; 16]), &root("contact")).is_err(), "another record");
        prop_assert!(open(&Keyring::erased(), DOC, &root("contact")).is_err());
        prop_assert_eq!(Keyring::erased().lock(DocKind::Household, &root("contact"), &sealed), Lock::Erased);
    }

    #[test]
    fn rings_of_any_keys_are_read_as_they_were_written(numbers in proptest::collection::vec(any::<u8>(), 0..12), is_partial: bool) {
        let whole = numbers.iter().fold(Keyring::default(), |all, number| all.union(&ring(*number)));
        let held = if is_partial { whole.only(DocKind::Household, |field| field == "contact") } else { whole };
        let bytes = minicbor::to_vec(&held).unwrap();
        prop_assert_eq!(minicbor::decode::<Keyring>(&bytes).unwrap(), held);
    }

    #[test]
    fn what_was_cut_stays_closed_whatever_copies_come_and_in_whatever_order(
        copies in proptest::collection::vec(copy_of_a_ring(), 1..6), lost in 0..VISITS, order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let whole = ring(1);
        let cut = cut_at(&whole, lost);
        let joined = order.iter().filter_map(|at| copies.get(*at)).fold(cut.clone(), |all, copy| all.union(copy));
        let in_other_order = copies.iter().fold(Keyring::default(), |all, copy| all.union(copy)).union(&cut);
        for visit in 0..VISITS {
            let (place, sealed) = sealed_findings(visit);
            let is_lost_in = |ring: &Keyring| ring.lock(DocKind::Household, &place, &sealed) == Lock::Redacted;
            // Copies may have lost others.
            let is_lost = visit == lost || copies.iter().any(is_lost_in);
            for ring in [&joined, &in_other_order] {
                prop_assert_eq!(ring.open(DocKind::Household, DOC, &place, &sealed).is_err(), is_lost);
                prop_assert_eq!(is_lost_in(ring), is_lost);
            }
        }
        prop_assert!(!joined.whole().any(|known| *known == key(1)));
        prop_assert_eq!(minicbor::decode::<Keyring>(&minicbor::to_vec(&joined).unwrap()).unwrap(), joined);
    }

    #[test]
    fn bytes_of_any_kind_are_no_ring_or_one(bytes: Vec<u8>) {
        let _ = minicbor::decode::<Keyring>(&bytes);
    }

    #[test]
    fn a_union_does_not_depend_on_order_and_loses_no_key(one in any::<[u8; 3]>(), two in any::<[u8; 3]>()) {
        let of = |numbers: [u8; 3]| numbers.iter().fold(Keyring::default(), |all, number| all.union(&ring(*number)));
        let (there, back) = (of(one).union(&of(two)), of(two).union(&of(one)));
        prop_assert!(there.covers(&back) && back.covers(&there));
        prop_assert!(there.covers(&of(one)) && there.covers(&of(two)));
        prop_assert!(there.union(&Keyring::erased()).is_erased());
    }
}

#[test]
fn sealing_again_gives_the_same_and_what_is_not_personal_stays_in_clear() {
    let text = Scalar::from("灯坏了");
    let seal = |path: &Path| ring(1).seal(DocKind::Household, DOC, path, &text).unwrap();
    assert_eq!(seal(&findings("v")), seal(&findings("v")));
    assert_ne!(seal(&findings("v")), seal(&findings("w")));
    assert_eq!(seal(&root("door")), text);
    assert_eq!(ring(1).seal(DocKind::Household, DOC, &root("contact"), &Scalar::Null), Some(Scalar::Null), "a tombstone");
    assert_eq!(Keyring::default().seal(DocKind::Household, DOC, &root("contact"), &text), None);
    assert_eq!(Keyring::default().seal(DocKind::Household, DOC, &root("door"), &text), Some(text.clone()));
    let companion = Path::Field(Container::Visits, "v".to_owned(), "companion.0".to_owned());
    assert_ne!(seal(&companion), text);
}

#[test]
fn who_is_given_some_fields_reads_these_and_no_others() {
    let text = Scalar::from("13800000000");
    let whole = ring(1);
    let some = whole.only(DocKind::Household, |field| field == "phone");
    let sealed = |field: &str| whole.seal(DocKind::Household, DOC, &root(field), &text).unwrap();
    assert_eq!(some.open(DocKind::Household, DOC, &root("phone"), &sealed("phone")).unwrap(), text);
    assert!(some.open(DocKind::Household, DOC, &root("contact"), &sealed("contact")).is_err());
    assert_eq!(some.lock(DocKind::Household, &root("contact"), &sealed("contact")), Lock::Locked);
    assert_eq!(some.lock(DocKind::Household, &root("phone"), &sealed("phone")), Lock::Open);
    assert!(!some.can_seal() && whole.covers(&some) && !some.covers(&whole));
    assert!(whole.only(DocKind::Household, |_| false).is_empty());
    // The rest comes later: nothing that was there goes.
    assert_eq!(some.union(&whole), whole);
}

#[test]
fn a_value_that_is_redacted_takes_no_other_along_and_later_ones_are_sealed_anew() {
    let text = Scalar::from("13800000000");
    let phone = ring(1).seal(DocKind::Household, DOC, &root("phone"), &text).unwrap();
    let cut = cut_at(&ring(1), 1);
    assert!(!cut.can_seal() && cut.is_cut() && cut.is_cut_at(key(1).id(), "visits.findings", &findings("1")));
    assert_eq!(cut.open(DocKind::Household, DOC, &root("phone"), &phone).unwrap(), text, "another field");
    let later = ring(1).seal(DocKind::Household, DOC, &findings("later"), &text).unwrap();
    assert_eq!(cut.lock(DocKind::Household, &findings("later"), &later), Lock::Locked, "the field's key is gone");
    assert_eq!(cut.openers(DocKind::Household, &findings("1")), []);
    assert_eq!(cut.openers(DocKind::Household, &findings("0")), [key(1).id()]);

    let fresh = cut.union(&ring(2));
    let again = fresh.seal(DocKind::Household, DOC, &findings("1"), &text).unwrap();
    assert_eq!(fresh.open(DocKind::Household, DOC, &findings("1"), &again).unwrap(), text);
    assert_eq!(ring(2).open(DocKind::Household, DOC, &findings("1"), &again).unwrap(), text, "sealed with the new key");
    // Who may not read the field hears all the same that something was lost, so that no copy of the key opens it there.
    let seen = fresh.only(DocKind::Household, |field| field == "phone");
    assert!(seen.union(&ring(1)).open(DocKind::Household, DOC, &sealed_findings(1).0, &sealed_findings(1).1).is_err());
}

#[test]
fn a_ring_with_room_for_a_cut_is_read_again_also_where_a_backup_lacks_all_keys_that_were_cut_since() {
    let filled = |numbers: std::ops::Range<u8>, start: Keyring| {
        numbers.fold(start, |ring, number| ring.cut(key(number).id(), "findings", &findings("visit"), &[]))
    };
    let mut backup = ring(200);
    let mut next = 0;
    while !backup.is_full() {
        backup = filled(next..next + 1, backup);
        next += 1;
    }
    let restored = filled(100..100 + next + 1, backup);
    let bytes = minicbor::to_vec(&restored).unwrap();
    assert_eq!(minicbor::decode::<Keyring>(&bytes).unwrap(), restored);
    let beyond = filled(0..250, restored);
    assert_eq!(minicbor::decode::<Keyring>(&minicbor::to_vec(&beyond).unwrap()).unwrap(), beyond);
}

#[test]
fn a_key_that_is_not_here_is_cut_before_it_comes() {
    let cut = Keyring::default().cut(key(1).id(), "visits.findings", &findings("1"), &[]);
    let came = cut.union(&ring(1));
    let phone = ring(1).seal(DocKind::Household, DOC, &root("phone"), &Scalar::from("1")).unwrap();
    assert_eq!(came.lock(DocKind::Household, &root("phone"), &phone), Lock::Open);
    assert_eq!(came.lock(DocKind::Household, &sealed_findings(1).0, &sealed_findings(1).1), Lock::Redacted);
    assert!(came.is_cut() && ring(1).union(&cut).is_cut());
}

#[test]
fn who_may_not_cut_gives_whole_keys_and_what_is_missing_of_those_that_were_cut() {
    let (text, phone) = (Scalar::from("1"), root("phone"));
    let sealed = ring(1).seal(DocKind::Household, DOC, &phone, &text).unwrap();
    assert_eq!(ring(1).learn(&cut_at(&ring(1), 1)), ring(1), "cuts nothing");
    assert_eq!(ring(1).learn(&Keyring::erased()), ring(1), "erases nothing");
    assert_eq!(Keyring::default().learn(&cut_at(&ring(1), 1)), Keyring::default(), "nor gives parts of a key that nobody cut here");
    assert_eq!(ring(1).learn(&ring(2)), ring(1).union(&ring(2)));
    assert!(Keyring::erased().learn(&ring(1)).is_erased());
    // The key was cut where its record was not: on a server that was set up again from before there was one.
    let cut = Keyring::default().cut(key(1).id(), "visits.findings", &findings("1"), &[]);
    let learned = cut.learn(&cut_at(&ring(1), 2));
    assert_eq!(learned.open(DocKind::Household, DOC, &phone, &sealed), Ok(text));
    for (visit, lock) in [(0, Lock::Open), (1, Lock::Redacted), (2, Lock::Locked)] {
        let (place, sealed) = sealed_findings(visit);
        assert_eq!(learned.lock(DocKind::Household, &place, &sealed), lock, "{visit}");
    }
    let junk = Keyring::of(key(9)).cut(key(1).id(), "visits.findings", &findings("9"), &[findings("0")]);
    assert_eq!(learned.learn(&junk).lock(DocKind::Household, &sealed_findings(0).0, &sealed_findings(0).1), Lock::Open);
}

#[test]
fn personal_values_in_clear_or_under_a_key_that_is_not_known_are_found() {
    let check = |path: &Path, value: &Scalar| ring(1).check(DocKind::Household, DOC, path, value);
    assert_eq!(check(&root("contact"), &Scalar::from("张三")), Err(Sealing::Missing));
    assert_eq!(check(&root("contact"), &Scalar::Bytes(vec![1; 16])), Err(Sealing::Missing));
    assert_eq!(check(&root("contact"), &Scalar::Bytes(vec![1; 90])), Err(Sealing::Broken), "no value of ours, but of that shape");
    let strange = ring(2).seal(DocKind::Household, DOC, &root("contact"), &Scalar::from("张三")).unwrap();
    assert_eq!(check(&root("contact"), &strange), Err(Sealing::Broken));
    let moved = ring(1).seal(DocKind::Household, DOC, &root("remark"), &Scalar::from("张三")).unwrap();
    assert_eq!(check(&root("contact"), &moved), Err(Sealing::Broken));
    assert_eq!(check(&root("contact"), &Scalar::Null), Ok(()));
    assert_eq!(check(&root("door"), &Scalar::from("101")), Ok(()));
}

#[test]
fn the_longest_text_fits_a_value_when_it_is_sealed() {
    let longest = Scalar::Text("😀".repeat(crate::model::VisitDraft::MOST_FINDINGS));
    let sealed = ring(1).seal(DocKind::Household, DOC, &findings("v"), &longest).unwrap();
    assert!(matches!(sealed, Scalar::Bytes(bytes) if bytes.len() <= crate::docs::layout::MOST_VALUE_BYTES));
}

/// The bytes of this hexadecimal text.
fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn values_that_earlier_versions_sealed_are_read() {
    let contact = root("contact");
    for sealed in [
        "0172cd6e8422c407fb3eef5c1db67e6cada32f75980777a81100de3bbd470771b2ed4fca46dd82985963a7494c7f2bffcd633c376d8b39d8",
        "0272cd6e8422c407fb6d7f383134850234b91274f88a3a59c4f65bd5f753658b024a4a20df610cf06cc4026459e303c674d40dba7e443de4",
    ] {
        let sealed = Scalar::Bytes(hex(sealed));
        assert_eq!(ring(1).open(DocKind::Household, DOC, &contact, &sealed), Ok(Scalar::from("王芳")));
        assert_eq!(ring(1).lock(DocKind::Household, &contact, &sealed), Lock::Open);
        assert_eq!(ring(2).lock(DocKind::Household, &contact, &sealed), Lock::Locked);
        let cut = ring(1).cut(key(1).id(), "contact", &contact, &[]);
        assert_eq!(cut.lock(DocKind::Household, &contact, &sealed), Lock::Redacted);
        assert_eq!(cut.open(DocKind::Household, DOC, &contact, &sealed), Err(Sealing::Broken));
    }
}
