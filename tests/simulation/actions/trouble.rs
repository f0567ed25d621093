//! What operators and bad luck do: rights that end and are given again, imports, clocks that are set, power that goes.

use doorstep_core::docs::{DocKind, Write, household_writes, organisation_writes, place_writes, resident_writes};
use doorstep_core::field::FieldError;
use doorstep_core::model::{
    CaseId, DocId, HouseholdDetails, OrganisationDetails, PlaceDetails, PlaceId, PlaceKind, ResidentDetails, Right, Role, Scope, StreetId,
};
use doorstep_core::store::StoreError;
use doorstep_core::sync::client::Input;
use doorstep_server::hub::{HubError, NewDocument, Term};
use doorstep_server::ledger::LedgerError;

use crate::record::Fate;
use crate::scenario::skew;
use crate::world::{Violation, World, ensure, random};

/// How many operations of its disk after it is armed the power goes, at most: a commit takes four.
const SOON: u64 = 24;

impl World {
    /// A right of a phone's person ends.
    pub(super) fn revoke(&mut self, phone: usize) -> Result<(), Violation> {
        let Some(scope) = self.some_scope(phone) else { return Ok(()) };
        let (street, person) = (self.phones[phone].street, self.phones[phone].person);
        let ended = self.server.hub().map(|hub| hub.revoke(street, person, scope));
        self.say(|| format!("the person of phone {phone} loses {scope:?}: {ended:?}"));
        self.after_operation(ended)
    }

    /// A right is given to a phone's person, perhaps once more.
    pub(super) fn grant(&mut self, phone: usize) -> Result<(), Violation> {
        let Some(scope) = self.some_scope(phone) else { return Ok(()) };
        let (street, person) = (self.phones[phone].street, self.phones[phone].person);
        let right = Right { role: self.some_role(scope), scope };
        let given = self.server.hub().map(|hub| hub.grant(street, person, &right, Term::OPEN).map(drop));
        self.say(|| format!("the person of phone {phone} gets {right:?}: {given:?}"));
        self.after_operation(given)
    }

    /// A grid goes to the person of a phone, and whoever answered for it does so no longer.
    pub(super) fn reassign(&mut self, phone: usize) -> Result<(), Violation> {
        let (street, person) = (self.phones[phone].street, self.phones[phone].person);
        let Some(grids) = self.server.hub().and_then(|hub| hub.directory(street).ok()).map(|directory| directory.grids) else {
            return Ok(());
        };
        let Some(grid) = self.dice.pick(&grids).map(|grid| grid.id) else { return Ok(()) };
        let given = self.server.hub().map(|hub| hub.reassign_grid(street, grid, person).map(drop));
        self.say(|| format!("the person of phone {phone} takes over {grid:?}: {given:?}"));
        self.after_operation(given)
    }

    /// Places that a phone knows go over to another grid, with all that belongs to them.
    pub(super) fn move_boundaries(&mut self, phone: usize) -> Result<(), Violation> {
        let street = self.phones[phone].street;
        let place = self.some::<PlaceId>(phone, DocKind::Place).ok().flatten();
        let grids = self.all_grids(phone).unwrap_or_default();
        let (Some(place), Some(grid)) = (place, self.dice.pick(&grids).copied()) else { return Ok(()) };
        let moved = self.server.hub().map(|hub| hub.move_places(street, &[place], grid).map(drop));
        self.say(|| format!("{place:?} goes over to {grid:?}: {moved:?}"));
        self.after_operation(moved)
    }

    /// Somebody who answers for a scope decides about late work of others.
    pub(super) fn decide(&mut self, phone: usize, adopts: bool) -> Result<(), Violation> {
        let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
        let waiting = match engine.inbox() {
            Err(FieldError::LeaseOver) => return Ok(()),
            Err(FieldError::Store(StoreError::Stopped)) => {
                self.look_after(phone);
                return Ok(());
            }
            waiting => waiting.map_err(|error| Violation { invariant: "an inbox can be read", detail: format!("{error:?}") })?,
        };
        let Some(group) = self.dice.pick(&waiting).map(|late| late.group) else { return Ok(()) };
        let decided = self.phones[phone].engine().map(|engine| engine.decide(group, adopts));
        self.say(|| format!("phone {phone} decides about late work {group:?}: {adopts}, {decided:?}"));
        if let Some(promise) = self.record.promises.get_mut(&group).filter(|promise| promise.phone == phone) {
            // Its own, of before it lost the right that it has again: with the decision it is settled here.
            promise.fate = match &decided {
                Some(Err(FieldError::Store(StoreError::Stopped))) => Fate::InDoubt,
                _ => Fate::LetGo,
            };
        }
        if !matches!(decided, Some(Err(FieldError::Store(StoreError::Stopped)))) {
            ensure(decided.is_none_or(|decided| decided.is_ok()), "late work that waits can be decided about", || {
                format!("phone {phone}")
            })?;
        }
        self.look_after(phone);
        Ok(())
    }

    fn some_role(&mut self, scope: Scope) -> Role {
        const HELPERS: [Role; 4] = [Role::Auxiliary, Role::RepairManager, Role::Crew, Role::ApprovalClerk];
        match scope {
            Scope::Street(_) => Role::CentreStaff,
            _ if self.dice.chance(600) => Role::GridWorker,
            _ => self.dice.pick(&HELPERS).cloned().unwrap_or(Role::Deputy),
        }
    }

    fn some_scope(&mut self, phone: usize) -> Option<Scope> {
        let street = self.phones[phone].street;
        if self.dice.chance(200)
            && let Ok(Some(case)) = self.some::<CaseId>(phone, DocKind::Case)
        {
            return Some(Scope::Case(case));
        }
        if self.phones[phone].plan.grids.is_empty() && self.dice.chance(500) {
            return Some(Scope::Street(street));
        }
        let grids = self.server.hub()?.directory(street).ok()?.grids;
        self.dice.pick(&grids).map(|grid| Scope::Grid(grid.id))
    }

    /// What is there before anybody begins to work.
    pub fn furnish(&mut self) {
        for street in self.server.streets.clone() {
            let most = if self.dice.chance(300) { 60 } else { 12 };
            let documents = self.documents_from_elsewhere(street, most);
            if let Some(hub) = self.server.hub() {
                hub.create_documents(street, &documents, &mut |_| {}).unwrap();
            }
        }
    }

    /// Documents come from elsewhere.
    pub(super) fn import(&mut self) -> Result<(), Violation> {
        let Some(street) = self.dice.pick(&self.server.streets).copied() else { return Ok(()) };
        let documents = self.documents_from_elsewhere(street, 4);
        let created = self.server.hub().map(|hub| hub.create_documents(street, &documents, &mut |_| {}).map(drop));
        self.after_operation(created)
    }

    fn documents_from_elsewhere(&mut self, street: StreetId, most: i64) -> Vec<NewDocument> {
        let Some(Ok(directory)) = self.server.hub().map(|hub| hub.directory(street)) else { return Vec::new() };
        let many = self.dice.between(1, most);
        let one = |number: i64| {
            let grid = self.dice.pick(&directory.grids)?.id;
            let name = Some(format!("进{number}"));
            let (kind, details) = match self.dice.below(6) {
                0 => (DocKind::Place, place_writes(&PlaceDetails { name, kind: Some(PlaceKind::Alley), ..Default::default() })),
                1 => (DocKind::Organisation, organisation_writes(&OrganisationDetails { name, ..Default::default() })),
                2 => (DocKind::Resident, resident_writes(&ResidentDetails { name: name.map(Into::into), ..Default::default() })),
                _ => (DocKind::Household, household_writes(&HouseholdDetails { door: name, ..Default::default() })),
            };
            let writes = std::iter::once(Write::set("grid", grid.as_bytes())).chain(details).collect();
            Some(NewDocument { id: DocId::from_bytes(random(&mut self.dice)), kind, writes })
        };
        (0..many).filter_map(one).collect()
    }

    pub(super) fn after_operation(&mut self, outcome: Option<Result<(), HubError>>) -> Result<(), Violation> {
        match outcome {
            None | Some(Ok(()) | Err(HubError::NotFound { .. })) => {
                self.tell_lines();
                Ok(())
            }
            Some(Err(HubError::Ledger(LedgerError::Store(StoreError::Stopped)))) => {
                self.stop_server();
                Ok(())
            }
            Some(Err(error)) => ensure(false, "an operator's command succeeds", || format!("{error:?}")),
        }
    }

    /// A phone is told to read everything again: what left its scopes meanwhile is told to nobody, and must be swept. The app does that also in
    /// the midst of a bootstrap.
    pub(super) fn read_again(&mut self, phone: usize) -> Result<(), Violation> {
        let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
        match engine.read_everything_again() {
            Ok(()) => self.say(|| format!("phone {phone} will read everything again")),
            Err(FieldError::Store(StoreError::Stopped)) => {}
            Err(error) => ensure(false, "a phone can read everything again", || format!("{error:?}"))?,
        }
        self.look_after(phone);
        Ok(())
    }

    /// A clock is set, rightly or wrongly; the system tells the app.
    pub(super) fn set_clock(&mut self, phone: usize) -> Result<(), Violation> {
        let skew = if self.dice.chance(300) { 0 } else { skew(&mut self.dice) };
        self.say(|| format!("phone {phone}'s clock is now {skew} ms ahead"));
        self.phones[phone].clock.set_skew(skew);
        self.drive(phone, Input::Tick)
    }

    pub(super) fn arm_phone(&mut self, phone: usize) {
        let operations = self.dice.below(SOON);
        self.say(|| format!("phone {phone} will lose power in {operations} operations"));
        self.phones[phone].store.cut_power_in(operations);
    }

    pub(super) fn arm_server(&mut self) {
        let operations = self.dice.below(SOON);
        self.say(|| format!("the server will lose power in {operations} operations"));
        self.server.store.cut_power_in(operations);
    }
}
