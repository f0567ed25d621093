//! Actors: who wrote a change, as automerge knows it.

use crate::model::{DeviceTag, Incarnation};

/// Eight bytes of a device and eight of the life of its store. A sequence number of an actor is never used for two changes, so a store
/// that was recovered, restored or cloned takes a new incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor {
    /// The device: says who signs for this actor.
    pub device: DeviceTag,
    /// The life of its store.
    pub incarnation: Incarnation,
}

impl Actor {
    /// Reads the actor of a change; `None` if it has not the 16 bytes of one of ours.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        let [device @ .., _, _, _, _, _, _, _, _] = bytes;
        let [_, _, _, _, _, _, _, _, incarnation @ ..] = bytes;
        Some(Self { device: DeviceTag(device), incarnation: Incarnation(incarnation) })
    }

    pub(crate) fn to_id(self) -> automerge::ActorId {
        let mut bytes = [0; 16];
        let (device, incarnation) = bytes.split_at_mut(8);
        device.copy_from_slice(&self.device.0);
        incarnation.copy_from_slice(&self.incarnation.0);
        automerge::ActorId::from(bytes)
    }
}
