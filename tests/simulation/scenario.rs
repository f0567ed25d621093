//! What a seed chooses before anything happens: how large the world is, how bad the weather, what people do most.

use crate::actions::Action;
use crate::dice::Dice;
use crate::net::Weather;

/// A world's plan.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub streets: usize,
    pub grids_per_street: usize,
    /// For each phone: its street, and whether it belongs to the phone before it (a person with two phones).
    pub phones: Vec<PhonePlan>,
    /// How many actions the storm has.
    pub actions: usize,
    /// The longest pause between two actions, in milliseconds.
    pub longest_pause: i64,
    pub weather: Weather,
    pub weights: Vec<u64>,
    /// Whether retries in the calm are left to the phones' own timers.
    pub patient: bool,
}

#[derive(Debug, Clone)]
pub struct PhonePlan {
    pub street: usize,
    /// The numbers of its grids; empty for somebody of the centre.
    pub grids: Vec<usize>,
    /// The person is that of this earlier phone.
    pub same_person_as: Option<usize>,
    /// By how much its clock is wrong, in milliseconds.
    pub skew: i64,
}

/// Kinds of trouble, to be switched off one by one when a failing seed is to be made smaller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Off {
    pub net: bool,
    pub crashes: bool,
    pub clocks: bool,
    pub grants: bool,
    /// Copies that are put back, clones.
    pub lives: bool,
}

impl Off {
    /// From a list such as `net,crashes,clocks,grants,lives`.
    pub fn parse(list: &str) -> Self {
        let has = |name| list.split(',').any(|word| word.trim() == name);
        Self { net: has("net"), crashes: has("crashes"), clocks: has("clocks"), grants: has("grants"), lives: has("lives") }
    }
}

/// Every tenth world is of full size.
const FULL_SIZE: u64 = 10;
/// Every eighth world has no trouble at all: what fails there is easiest to understand.
const QUIET: u64 = 8;

impl Scenario {
    /// The plan of a seed.
    pub fn of(seed: u64, off: Off, dice: &mut Dice) -> Self {
        let full = seed.is_multiple_of(FULL_SIZE);
        let quiet = seed % QUIET == 1;
        let off = if quiet { Off { net: true, crashes: true, clocks: true, grants: true, lives: true } } else { off };
        let streets = if dice.chance(200) { 2 } else { 1 };
        let grids_per_street = dice.between(1, 4) as usize;
        let phones = if full { dice.between(6, 20) } else { dice.between(2, 5) } as usize;
        let mut scenario = Self {
            streets,
            grids_per_street,
            phones: Vec::new(),
            actions: if full { dice.between(300, 900) } else { dice.between(60, 220) } as usize,
            longest_pause: dice.spread(2_000, 600_000),
            weather: Weather::of(dice, off.net),
            weights: weights(dice, off),
            patient: dice.chance(500),
        };
        for index in 0..phones {
            let plan = scenario.phone(index, off, dice);
            scenario.phones.push(plan);
        }
        scenario
    }

    fn phone(&self, index: usize, off: Off, dice: &mut Dice) -> PhonePlan {
        let skew = if off.clocks { 0 } else { skew(dice) };
        if index > 1 && dice.chance(100) {
            let other = dice.below(index as u64) as usize;
            return PhonePlan { same_person_as: Some(other), skew, ..self.phones[other].clone() };
        }
        let street = dice.below(self.streets as u64) as usize;
        let centre = index == 1 && dice.chance(600);
        let grids = (0..self.grids_per_street).filter(|_| dice.chance(600)).collect::<Vec<_>>();
        let one = dice.below(self.grids_per_street as u64) as usize;
        let grids = match (centre, grids.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => vec![one],
            (false, false) => grids,
        };
        PhonePlan { street, grids, same_person_as: None, skew }
    }
}

/// How wrong a clock is: most by seconds, some by minutes or hours, a few by years.
pub fn skew(dice: &mut Dice) -> i64 {
    const YEAR: i64 = 365 * 86_400_000;
    let size = match dice.weighted(&[6, 4, 2, 1]) {
        0 => dice.between(0, 5_000),
        1 => dice.spread(5_000, 600_000),
        2 => dice.spread(600_000, 86_400_000),
        _ => dice.spread(86_400_000, 20 * YEAR),
    };
    if dice.chance(500) { size } else { -size }
}

/// What is done how often: each action has its usual weight, but no two worlds do everything alike. A world in which something is never
/// done finds what hides behind it.
fn weights(dice: &mut Dice, off: Off) -> Vec<u64> {
    Action::ALL
        .iter()
        .map(|action| {
            let swing = [0, 1, 2, 2, 3, 6][dice.below(6) as usize];
            let switched_off = match action {
                Action::CrashPhone | Action::CrashServer | Action::RestartPhone | Action::RestartServer => off.crashes,
                Action::RestoreServer => off.crashes,
                Action::SetClock => off.clocks,
                Action::Revoke | Action::Grant | Action::Reassign | Action::Redraw | Action::EndDevice => off.grants,
                Action::CutOff | Action::Reconnect => off.net,
                Action::BackUp | Action::Restore | Action::ClonePhone => off.lives,
                Action::Sync => return 20,
                _ => false,
            };
            if switched_off { 0 } else { action.weight() * swing }
        })
        .collect()
}
