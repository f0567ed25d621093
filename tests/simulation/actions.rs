//! What people, operators and bad luck do in a storm.

mod cards;
mod erasure;
mod lives;
mod records;
mod restore;
mod trouble;

use doorstep_core::docs::DocKind;
use doorstep_core::field::{Engine, FieldError};
use doorstep_core::model::{DocId, GridId};
use doorstep_core::store::StoreError;
use doorstep_core::sync::client::Input;

use crate::record::{Added, Fate, Promise};
use crate::world::{Violation, World, ensure};

macro_rules! actions {
    ($($name:ident = $weight:literal),+ $(,)?) => {
        /// Something that somebody does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action { $($name),+ }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What it is called where things are counted.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// How often it is done, compared with others.
            pub const fn weight(self) -> u64 {
                match self { $(Self::$name => $weight),+ }
            }
        }
    };
}

actions! {
    AddPlace = 2, ChangePlace = 2, AddHousehold = 4, ChangeHousehold = 6, AddResident = 2, SetMember = 2, AddOrganisation = 1,
    ChangeOrganisation = 2, AddParty = 1, Tag = 3, Remove = 1, Settle = 9, Move = 2,
    Visit = 8, Amend = 3, Note = 2, Attach = 1, Issue = 4, Claim = 3, NoteCase = 3, Register = 3, Return = 3, Close = 3,
    Resend = 8, Discard = 1, Import = 1,
    Sync = 20, ReadAgain = 3, Revoke = 1, Grant = 2, Reassign = 1, Redraw = 1, Adopt = 3, TurnDown = 1, SetClock = 1, CutOff = 1, Reconnect = 2, CrashPhone = 1, RestartPhone = 1, CrashServer = 1,
    RestartServer = 1, BackUp = 3, Restore = 2, ClonePhone = 1, BackUpServer = 1, RestoreServer = 1,
    Erase = 2, Redact = 1, EndDevice = 1, Attack = 3,
}

/// What a command did, when it went well.
pub struct Done {
    pub kind: DocKind,
    pub doc: DocId,
    pub added: Option<Added>,
    pub may_vanish: bool,
}

impl Done {
    /// A change that nothing else can have made already: its text is its own.
    pub fn changed(kind: DocKind, doc: impl Into<DocId>) -> Self {
        Self { kind, doc: doc.into(), added: None, may_vanish: false }
    }

    /// A change that may have been made already.
    pub fn perhaps(kind: DocKind, doc: impl Into<DocId>) -> Self {
        Self { may_vanish: true, ..Self::changed(kind, doc) }
    }

    pub fn added(kind: DocKind, doc: impl Into<DocId>, added: Added) -> Self {
        Self { added: Some(added), ..Self::changed(kind, doc) }
    }
}

impl Action {
    /// Whether it asks a phone to record something; such are counted when they went well.
    const fn is_command(self) -> bool {
        !matches!(
            self,
            Self::Sync
                | Self::ReadAgain
                | Self::Import
                | Self::Revoke
                | Self::Grant
                | Self::Reassign
                | Self::Redraw
                | Self::Adopt
                | Self::TurnDown
                | Self::SetClock
                | Self::CutOff
                | Self::Reconnect
                | Self::CrashPhone
                | Self::RestartPhone
                | Self::CrashServer
                | Self::RestartServer
                | Self::BackUp
                | Self::Restore
                | Self::ClonePhone
                | Self::BackUpServer
                | Self::RestoreServer
                | Self::Discard
                | Self::Erase
                | Self::Redact
                | Self::EndDevice
                | Self::Attack
        )
    }
}

impl World {
    /// Somebody does something.
    pub fn act(&mut self) -> Result<(), Violation> {
        let index = self.dice.weighted(&self.scenario.weights);
        let Some(action) = Action::ALL.get(index).copied() else { return Ok(()) };
        let phone = self.dice.below(self.phones.len() as u64) as usize;
        self.trace.note(&[index as u8, phone as u8]);
        if !action.is_command() {
            self.record.count(action.name());
        }
        match action {
            Action::Sync => self.drive(phone, Input::Start),
            Action::ReadAgain => self.read_again(phone),
            Action::Import => self.import(),
            Action::Revoke => self.revoke(phone),
            Action::Grant => self.grant(phone),
            Action::Reassign => self.reassign(phone),
            Action::Redraw => self.move_boundaries(phone),
            Action::Adopt => self.decide(phone, true),
            Action::TurnDown => self.decide(phone, false),
            Action::SetClock => self.set_clock(phone),
            Action::CutOff => {
                self.say(|| format!("phone {phone} is cut off"));
                self.net.cut_off(phone);
                Ok(())
            }
            Action::Reconnect => {
                self.net.reconnect(phone);
                Ok(())
            }
            Action::CrashPhone => {
                self.arm_phone(phone);
                Ok(())
            }
            Action::RestartPhone => {
                if self.phones[phone].engine().is_some() {
                    self.stop_phone(phone);
                }
                Ok(())
            }
            Action::CrashServer => {
                self.arm_server();
                Ok(())
            }
            Action::RestartServer => {
                if self.server.hub().is_some() {
                    self.stop_server();
                }
                Ok(())
            }
            Action::BackUp => self.back_up(phone),
            Action::Restore => self.restore(phone),
            Action::ClonePhone => self.clone_phone(phone),
            Action::BackUpServer => self.back_up_server(),
            Action::RestoreServer => self.restore_server(),
            Action::Erase => self.erase(),
            Action::Redact => self.redact(),
            Action::EndDevice => self.end_device(phone),
            Action::Attack => self.attack(phone),
            Action::Resend | Action::Discard => self.answer_refusal(phone, action),
            action => self.record_something(phone, action),
        }
    }

    fn record_something(&mut self, phone: usize, action: Action) -> Result<(), Violation> {
        if self.phones[phone].engine().is_none() {
            return Ok(());
        }
        let done = match action {
            Action::AddPlace
            | Action::ChangePlace
            | Action::AddHousehold
            | Action::ChangeHousehold
            | Action::AddResident
            | Action::SetMember
            | Action::AddOrganisation
            | Action::ChangeOrganisation
            | Action::AddParty
            | Action::Tag
            | Action::Remove
            | Action::Settle
            | Action::Move => self.write_card(phone, action),
            _ => self.write_record(phone, action),
        };
        self.take_command(phone, action, done)
    }

    /// Remembers a command that a phone took, and checks that it can be seen.
    pub fn take_command(&mut self, phone: usize, action: Action, done: Result<Option<Done>, FieldError>) -> Result<(), Violation> {
        self.say(|| match &done {
            Ok(Some(done)) => format!("phone {phone} {action:?} {:?} {}", done.kind, crate::world::tail(done.doc.as_bytes())),
            Ok(None) => format!("phone {phone} {action:?}: nothing to do it with"),
            Err(error) => format!("phone {phone} {action:?}: {error}"),
        });
        match done {
            Ok(None) => Ok(()),
            Ok(Some(done)) => {
                self.record.count("commands");
                self.record.count(action.name());
                self.remember(phone, done)?;
                self.check_phone(phone)?;
                if self.phones[phone].stays_connected && !self.phones[phone].store.is_stopped() {
                    return self.drive_live(phone, doorstep_core::sync::live::phone::Input::Recorded);
                }
                self.look_after(phone);
                Ok(())
            }
            Err(FieldError::Store(StoreError::Stopped)) => {
                self.look_after(phone);
                Ok(())
            }
            Err(error) => ensure(is_to_be_expected(&error), "a command fails only for what a person can understand", || {
                format!("{action:?}: {error:?}")
            }),
        }
    }

    fn remember(&mut self, phone: usize, done: Done) -> Result<(), Violation> {
        let Some(engine) = self.phones[phone].engine() else { return Ok(()) };
        let new: Vec<_> = engine.waiting().into_iter().filter(|record| !self.record.promises.contains_key(&record.group)).collect();
        ensure(new.len() <= 1, "a command makes one group", || format!("phone {phone}: {new:?}"))?;
        let Some(new) = new.into_iter().next() else {
            return ensure(done.may_vanish, "a command that returned waits in the outbox", || format!("phone {phone}: {:?}", done.doc));
        };
        ensure(new.docs == [done.doc], "a command writes to its document", || format!("phone {phone}: {new:?}"))?;
        let promise =
            Promise { phone, doc: done.doc, kind: done.kind, added: done.added, may_vanish: done.may_vanish, fate: Fate::Waiting };
        self.record.promises.insert(new.group, promise);
        Ok(())
    }

    /// Takes over what a command left behind in whose middle the power went: it never returned, and may be there or not.
    pub fn adopt(&mut self, phone: usize) {
        let Some(engine) = self.phones[phone].engine() else { return };
        for record in engine.waiting() {
            let Some(doc) = record.docs.first().copied() else { continue };
            // Also when the lease is over: ids are not lent.
            let kind = DocKind::ALL.into_iter().find(|kind| engine.documents(*kind).is_ok_and(|documents| documents.contains(&doc)));
            let promise = Promise { phone, doc, kind: kind.unwrap_or(DocKind::Case), added: None, may_vanish: true, fate: Fate::Waiting };
            self.record.promises.entry(record.group).or_insert(promise);
        }
    }

    /// The engine of a phone that runs.
    pub fn engine(&self, phone: usize) -> Result<&Engine, FieldError> {
        self.phones[phone].engine().ok_or(FieldError::Store(StoreError::Stopped))
    }

    /// Some document of a kind on a phone.
    pub fn some<T: From<DocId>>(&mut self, phone: usize, kind: DocKind) -> Result<Option<T>, FieldError> {
        let documents: Vec<DocId> = self.engine(phone)?.documents(kind)?.into_iter().collect();
        Ok(self.dice.pick(&documents).copied().map(T::from))
    }

    /// One of the phone's own grids.
    pub fn some_grid(&mut self, phone: usize) -> Result<Option<GridId>, FieldError> {
        let mut grids = self.engine(phone)?.my_grids();
        if grids.is_empty() {
            // Somebody of the centre answers for none and may write to all.
            grids = self.all_grids(phone)?;
        }
        Ok(self.dice.pick(&grids).copied())
    }

    /// The grids of the phone's street, as far as it knows.
    pub fn all_grids(&self, phone: usize) -> Result<Vec<GridId>, FieldError> {
        let directory = self.engine(phone)?.directory();
        Ok(directory.map(|directory| directory.grids.iter().map(|grid| grid.id).collect()).unwrap_or_default())
    }

    /// A text that was never written before.
    pub fn text(&mut self) -> String {
        let length = if self.dice.chance(10) { 1_500 } else { 0 };
        format!("第{}条{}", self.dice.below(1 << 40), "长".repeat(length))
    }
}

/// Errors that a person can understand and that leave nothing behind.
fn is_to_be_expected(error: &FieldError) -> bool {
    use doorstep_core::policy::Denied;
    matches!(
        error,
        FieldError::NotFound { .. }
            | FieldError::Denied(Denied::NotInScope | Denied::NotForRole { .. } | Denied::NotOwn { .. })
            | FieldError::Superseded(_)
            | FieldError::NotTheAuthor
            | FieldError::Locked
            | FieldError::Erased
            | FieldError::LeaseOver
            | FieldError::HandedOver
    )
}
