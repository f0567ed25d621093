//! A phone's store is damaged, with work in it that was not sent.

use doorstep_core::model::{HouseholdId, VisitId};
use doorstep_tests::phone::Phone;
use doorstep_tests::street::{SMALL, Street};

use super::file::{Harm, files};
use super::torture;

#[test]
fn a_phone_whose_store_rots_has_its_unsent_work_and_everything_else() {
    let (mut torture, rounds) = torture(10);
    let street = Street::build(SMALL);
    let server = street.serve();
    let folder = street.phone_folder("phone");
    let mut phone = street.worker_phone(&server, "phone", 0);
    let doors = phone.households();
    let mut visits: Vec<(HouseholdId, VisitId)> = Vec::new();
    for round in 0..rounds {
        visits.extend(doors.iter().take(1 + torture.below(8)).map(|door| (*door, phone.visit(*door, "还没送出"))));
        let pending = phone.engine.status().pending;
        drop(phone);
        let (tree, journal) = (folder.join("tree"), folder.join("journal"));
        let victim = match torture.below(3) {
            0 => vec![tree.join("db")],
            1 => files(&tree, "snap.", ""),
            _ => [files(&journal, "", ".segment"), files(&journal, "", ".checkpoint")].concat(),
        };
        if let Some(victim) = victim.get(torture.below(victim.len())) {
            let harm = Harm::ALL[torture.below(Harm::ALL.len())];
            println!("round {round}: {harm:?} of {}", victim.file_name().unwrap().display());
            harm.befall(victim, &mut torture);
        }
        phone = Phone::open_now(&folder);
        assert_eq!(phone.engine.status().pending, pending);
        assert!(visits.iter().all(|(door, visit)| phone.has_visit(*door, *visit)));
        if torture.one_in(3) {
            phone.sync(&server.transport());
            street.assert_same(&server.hub, Some(&[0]), &phone);
        }
    }
    phone.sync(&server.transport());
    street.assert_same(&server.hub, Some(&[0]), &phone);
}
