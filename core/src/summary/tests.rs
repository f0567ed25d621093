//! A summary that is carried on says what one that is derived anew says.

use proptest::prelude::*;

use super::*;
use crate::docs::{Actor, Change, Document, Keyring, RecordKey, Write, household_writes, visit_writes, wellformed};
use crate::model::{DeviceTag, Hlc, HouseholdDetails, Incarnation, PersonId, Receipts, VisitDraft, VisitId, VisitSubject};

const ID: DocId = DocId::from_bytes([7; 16]);
const AUTHOR: PersonId = PersonId::from_bytes([1; 16]);

fn writes(number: u8, at: i64, outcome: &Outcome, follow_up: Option<i32>) -> Vec<Write> {
    let draft =
        VisitDraft { outcome: outcome.clone(), follow_up: follow_up.map(Day), ..VisitDraft::routine(VisitSubject::Household(ID.into())) };
    visit_writes(VisitId::from_bytes([number; 16]), AUTHOR, Millis(at), &draft)
}

fn household() -> Document {
    let mut doc = Document::new(DocKind::Household, ID).unwrap().with_keys(Keyring::of(RecordKey::from_bytes(&[5; 32]).unwrap()));
    let contact = Some(Personal::new("王建国".to_owned()));
    let details = HouseholdDetails { door: Some("3-2-501".into()), contact, ..HouseholdDetails::default() };
    edit(&mut doc, 0, &household_writes(&details));
    doc
}

fn edit(doc: &mut Document, number: u8, writes: &[Write]) -> Change {
    let actor = Actor { device: DeviceTag([1; 8]), incarnation: Incarnation([1; 8]) };
    doc.edit(actor, Hlc::new(Millis(1_764_000_000_000), u16::from(number)), writes).unwrap().unwrap()
}

/// The hub's copy, on which a change was accepted.
fn accepted(hub: &Document, change: &Change) -> Document {
    let operations = wellformed::check(hub, change).unwrap();
    let mut scratch = hub.clone();
    scratch.apply_checked(change, &operations).unwrap();
    scratch
}

proptest! {
    #[test]
    fn what_is_carried_on_over_visits_is_what_is_derived_anew(
        visits in proptest::collection::vec((0i64..6, any::<bool>(), proptest::option::of(0i32..3), any::<(bool, bool)>()), 1..12),
    ) {
        let mut phone = household();
        let mut hub = phone.saved_and_reloaded().unwrap().document;
        let mut summary = Summary::of(&hub, &Receipts::default());
        let mut moments = Vec::new();
        let mut stored = (hub.save(), Vec::new());
        for (number, (at, met, follow_up, (is_checked, is_forgotten))) in (1u8..).zip(visits) {
            let outcome = if met { Outcome::Met } else { Outcome::NotAtHome };
            let change = edit(&mut phone, number, &writes(number, at, &outcome, follow_up));
            hub = accepted(&hub, &change);
            stored.1.push(change);
            let anew = Summary::of(&hub, &Receipts::default());
            match summary.after(&hub) {
                Some(after) => prop_assert_eq!(&after, &anew),
                None => prop_assert!(moments.contains(&at) || !is_distinct(&moments), "only of visits at one moment it cannot be said which was the last"),
            }
            moments.push(at);
            // Some pushes bring several visits of a document, and the check comes at their end.
            if is_checked {
                let checked = hub.saved_and_reloaded().unwrap();
                (hub, summary) = (checked.document, anew);
                // Whoever comes next finds the document in the cache, or as snapshot, log and row.
                if is_forgotten {
                    let keys = hub.keys().clone();
                    summary = Summary::carried(&summary.to_row(&keys), &keys).unwrap();
                    hub = Document::load(DocKind::Household, ID, &stored.0).unwrap().with_keys(keys);
                    hub.replay(&stored.1).unwrap();
                    prop_assert_eq!(hub.save(), checked.bytes);
                }
            }
        }
    }
}

fn is_distinct(moments: &[i64]) -> bool {
    moments.iter().collect::<std::collections::BTreeSet<_>>().len() == moments.len()
}

#[test]
fn what_wrote_anything_but_visits_is_derived_anew() {
    let mut phone = household();
    let hub = phone.saved_and_reloaded().unwrap().document;
    let summary = Summary::of(&hub, &Receipts::default());
    let mut moving = phone.clone();
    let moved = edit(&mut moving, 1, &[Write::set("door", "3-2-502")]);
    assert_eq!(summary.after(&accepted(&hub, &moved)), None);
    assert_eq!(summary.after(&household()), None, "of what was edited here nobody kept count");

    let change = edit(&mut phone, 1, &writes(1, 5, &Outcome::Met, None));
    let visited = accepted(&hub, &change);
    assert!(summary.after(&visited).is_some());
    let door = edit(&mut phone, 2, &[Write::set("door", "3-2-502")]);
    assert_eq!(summary.after(&accepted(&visited, &door)), None, "and not forgotten for what came before");
}
