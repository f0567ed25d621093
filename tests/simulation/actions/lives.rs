//! Several lives of one store: copies that are put back, phones that are cloned, trees that are lost.

use doorstep_core::store::TreeLoss;

use crate::phone::Backup;
use crate::record::Fate;
use crate::world::{Event, Violation, World, ensure};

/// The most clones in a world: each works and syncs like any phone.
const MOST_CLONES: usize = 2;
/// The most syncs that a tree is set back.
const MOST_BACK: u64 = 24;
/// Of so many starts after a power cut, in thousandths, one finds its tree damaged.
const DAMAGED: u64 = 150;

impl World {
    /// A phone's store is copied, as the system's backup does it: in the midst of work.
    pub(super) fn back_up(&mut self, phone: usize) -> Result<(), Violation> {
        if let Some(backup) = self.copy_of(phone)? {
            self.say(|| format!("phone {phone} is backed up"));
            self.phones[phone].backup = Some(backup);
        }
        Ok(())
    }

    fn copy_of(&mut self, phone: usize) -> Result<Option<Backup>, Violation> {
        if self.phones[phone].engine().is_none() {
            return Ok(None);
        }
        let own = self.record.promises.iter().filter(|(_, promise)| promise.phone == phone);
        let fates = own.map(|(group, promise)| (*group, promise.fate.clone())).collect();
        let copied = self.phones[phone].copy(&mut self.dice, fates);
        copied.map(Some).map_err(|error| Violation { invariant: "a copy of a store opens", detail: format!("phone {phone}: {error:?}") })
    }

    /// A phone's store is set back to its copy: on the same phone, on one that has no mark, or with the mark of then.
    ///
    /// What it recorded since and had not delivered is lost with that. What the server has of it stays there, and comes back to the phone.
    pub(super) fn restore(&mut self, phone: usize) -> Result<(), Violation> {
        if self.phones[phone].engine().is_none() {
            return Ok(());
        }
        let Some(backup) = self.phones[phone].backup.take() else { return Ok(()) };
        self.record.count("stores set back");
        self.stop_phone(phone);
        let which = self.dice.below(4);
        let unseen = self.phones[phone].put_back(&backup, which, &mut self.dice);
        self.say(|| format!("phone {phone} is set back to its copy{}", if unseen { ", and cannot know it" } else { "" }));
        self.count_life(phone, unseen);
        for (group, promise) in self.record.promises.iter_mut().filter(|(_, promise)| promise.phone == phone) {
            promise.fate = backup.fates.get(group).cloned().unwrap_or(Fate::Forgotten);
        }
        Ok(())
    }

    /// A phone is cloned, with its mark or without, and both go on.
    pub(super) fn clone_phone(&mut self, phone: usize) -> Result<(), Violation> {
        if self.phones.iter().filter(|phone| phone.is_clone).count() >= MOST_CLONES {
            return Ok(());
        }
        let Some(backup) = self.copy_of(phone)? else { return Ok(()) };
        let with_mark = self.dice.chance(600);
        let clone = self.phones[phone].cloned(backup, with_mark, &self.time, &mut self.dice);
        let index = self.phones.len();
        self.phones.push(clone);
        self.record.count("phones cloned");
        self.say(|| format!("phone {index} is a clone of phone {phone}, {} its mark", if with_mark { "with" } else { "without" }));
        self.count_life(phone, with_mark);
        self.count_life(index, with_mark);
        self.post(1, Event::PhoneUp { phone: index });
        Ok(())
    }

    /// Notes that a phone's store has had more than one life, and whether no mark can tell.
    fn count_life(&mut self, phone: usize, unseen: bool) {
        self.phones[phone].has_other_lives = true;
        if unseen {
            let person = self.phones[phone].person;
            self.record.unseen_lives.insert(person);
        }
    }

    /// What befalls a tree in a power cut, sometimes.
    pub fn some_loss(&mut self) -> Option<TreeLoss> {
        if self.calm || !self.dice.chance(DAMAGED) {
            return None;
        }
        let syncs = 1 + self.dice.below(MOST_BACK) as usize;
        let unreadable = [TreeLoss::Unreadable, TreeLoss::UnreadableWithCheckpoint];
        self.dice.pick(&[TreeLoss::SetBack(syncs), TreeLoss::SetBack(1), TreeLoss::Gone, unreadable[0], unreadable[1]]).copied()
    }

    /// A number of an actor is never used for two changes of a document, but where no mark could tell two lives apart.
    pub fn check_numbers(&mut self, phone: usize, changes: &[doorstep_core::sync::PushedChange]) -> Result<(), Violation> {
        if self.record.unseen_lives.contains(&self.phones[phone].person) {
            return Ok(());
        }
        for pushed in changes {
            let parsed = doorstep_core::docs::Change::parse(&pushed.bytes);
            let change = parsed.map_err(|error| Violation { invariant: "a phone sends changes", detail: format!("{error:?}") })?;
            let hash = *self.record.numbers.entry((pushed.doc, change.actor(), change.number())).or_insert(change.hash());
            ensure(hash == change.hash(), "a number of an actor is used once", || {
                format!("phone {phone}, {:?}: {:?}, number {}", pushed.doc, change.actor(), change.number())
            })?;
        }
        Ok(())
    }
}
