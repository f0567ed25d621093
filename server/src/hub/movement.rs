//! Movements: who is told that something became durable, so that nobody has to ask in vain.
//!
//! A notice is a hint and holds nothing: who gets one reads behind its own cursors, and what counts is what it finds there. Notices that come
//! before the last was taken are one. They are given after the commit has returned, so what they announce is durable. They are of this
//! process only; who must hear of another process's commits looks without a notice from time to time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use doorstep_core::model::{PersonId, Scope, StreetId};
use tokio::sync::Notify;

use super::lock;

/// What there is to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Documents of a scope of a street, and the street's records.
    Scope(StreetId, Scope),
    /// The rights of a person.
    Person(StreetId, PersonId),
}

impl Topic {
    const fn street(self) -> StreetId {
        match self {
            Self::Scope(street, _) | Self::Person(street, _) => street,
        }
    }
}

type Listeners = BTreeMap<u64, Arc<Notify>>;

#[derive(Default)]
struct Table {
    next: u64,
    of: BTreeMap<StreetId, BTreeMap<Topic, Listeners>>,
}

/// All who listen.
#[derive(Clone, Default)]
pub(super) struct Movements(Arc<Mutex<Table>>);

impl Movements {
    pub(super) fn listen(&self) -> Subscription {
        let table = &mut *lock(&self.0);
        table.next += 1;
        Subscription { movements: self.clone(), number: table.next, topics: Vec::new(), notify: Arc::new(Notify::new()) }
    }

    /// Something of these scopes has become durable.
    pub(super) fn documents<'a>(&self, street: StreetId, scopes: impl Iterator<Item = &'a Scope>) {
        let table = lock(&self.0);
        let Some(of) = table.of.get(&street) else { return };
        let told = scopes.filter_map(|scope| of.get(&Topic::Scope(street, *scope)));
        told.flat_map(BTreeMap::values).for_each(|listener| listener.notify_one());
    }

    /// The rights of a person have changed.
    pub(super) fn rights(&self, street: StreetId, person: PersonId) {
        let table = lock(&self.0);
        let told = table.of.get(&street).and_then(|of| of.get(&Topic::Person(street, person)));
        told.into_iter().flat_map(BTreeMap::values).for_each(|listener| listener.notify_one());
    }

    /// A record of the street, which everybody in it reads, has become durable.
    pub(super) fn records(&self, street: StreetId) {
        let table = lock(&self.0);
        let told = table.of.get(&street).into_iter().flat_map(BTreeMap::values);
        told.flat_map(BTreeMap::values).for_each(|listener| listener.notify_one());
    }
}

/// One listener; ends when it is dropped.
pub struct Subscription {
    movements: Movements,
    number: u64,
    topics: Vec<Topic>,
    notify: Arc<Notify>,
}

impl Subscription {
    /// Hears of these topics from now on, and of no others. Says whether they are others than before: then something of the new ones may have
    /// come before anybody listened, and must be looked for.
    pub fn follow(&mut self, topics: Vec<Topic>) -> bool {
        if self.topics == topics {
            return false;
        }
        let table = &mut *lock(&self.movements.0);
        self.leave(table);
        for topic in &topics {
            table.of.entry(topic.street()).or_default().entry(*topic).or_default().insert(self.number, Arc::clone(&self.notify));
        }
        self.topics = topics;
        true
    }

    /// Waits for a notice. One that came since the last call counts.
    pub async fn moved(&self) {
        self.notify.notified().await;
    }

    /// Gives the listener a notice of its own.
    pub fn look(&self) {
        self.notify.notify_one();
    }

    fn leave(&self, table: &mut Table) {
        for topic in &self.topics {
            let Some(of) = table.of.get_mut(&topic.street()) else { continue };
            if let Some(listeners) = of.get_mut(topic) {
                listeners.remove(&self.number);
                if listeners.is_empty() {
                    of.remove(topic);
                }
            }
            if of.is_empty() {
                table.of.remove(&topic.street());
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.leave(&mut lock(&self.movements.0));
    }
}
