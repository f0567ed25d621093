//! What is there before anything happens: streets, people and their enrolled phones.

use doorstep_core::field::FieldError;
use doorstep_core::model::{GridId, PersonId, Role, StreetId};
use doorstep_core::sync::client::SyncFailure;
use doorstep_server::hub::{Hub, NewPerson};

use crate::clock::Time;
use crate::dice::Dice;
use crate::phone::{Direct, Phone};
use crate::scenario::{PhonePlan, Scenario};
use crate::server::Server;

/// The grids of each street.
pub type Grids = Vec<Vec<GridId>>;

pub fn found_streets(server: &mut Server, scenario: &Scenario) -> Grids {
    let hub = server.hub().unwrap();
    let mut streets: Vec<StreetId> = Vec::new();
    let mut grids = Grids::new();
    for street in 0..scenario.streets {
        let id = hub.add_street(&format!("街道{street}"), &["综合协调中心"]).unwrap().id;
        let names: Vec<_> = (0..scenario.grids_per_street).map(|grid| (format!("第{grid}网格"), String::new())).collect();
        grids.push(hub.add_grids(id, &names).unwrap());
        streets.push(id);
    }
    server.streets = streets;
    grids
}

pub fn enrol(server: &Server, grids: &Grids, plan: &PhonePlan, phones: &[Phone], time: &Time, dice: &mut Dice) -> Phone {
    let hub = server.hub().unwrap();
    let street = server.streets[plan.street];
    let person = match plan.same_person_as {
        Some(other) => phones[other].person,
        None => {
            let role = if plan.grids.is_empty() { Role::CentreStaff } else { Role::GridWorker };
            let grids = plan.grids.iter().map(|grid| grids[plan.street][*grid]).collect();
            hub.add_person(street, &NewPerson { name: format!("员工{}", phones.len()), role, grids }).unwrap()
        }
    };
    enrolled(hub, plan, street, person, time, dice).unwrap()
}

/// Another phone of the same person, in the place of one that has erased itself.
pub fn replace(hub: &Hub, gone: &Phone, time: &Time, dice: &mut Dice) -> Result<Phone, FieldError> {
    let mut phone = enrolled(hub, &gone.plan, gone.street, gone.person, time, dice)?;
    phone.has_other_lives = gone.has_other_lives;
    Ok(phone)
}

fn enrolled(hub: &Hub, plan: &PhonePlan, street: StreetId, person: PersonId, time: &Time, dice: &mut Dice) -> Result<Phone, FieldError> {
    let made = hub.make_code(street, person);
    let (code, _) = made.map_err(|error| SyncFailure::Rejected { code: error.code().to_owned() })?;
    let mut phone = Phone::new(plan.clone(), street, person, time, dice);
    phone.start(None)?;
    if let Some(engine) = phone.engine() {
        engine.enrol(&Direct(hub), "https://doorstep.example", &code, "手机")?;
    }
    Ok(phone)
}
