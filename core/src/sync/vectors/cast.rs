//! Who and what appears in the vectors: fixed keys, ids and times.

use crate::docs::{Actor, Keyring, RecordKey};
use crate::model::{DeviceId, Entropy, Hlc, Incarnation, Millis};
use crate::sync::DeviceKey;
use crate::sync::arbitrary::Id;

/// 2026-11-24, half past nine in the morning in the district.
pub(super) const MORNING: Millis = Millis(1_795_483_800_000);

/// The seed of the key of the phone that speaks.
pub(super) const SEED: [u8; 32] = [9; 32];

/// Bytes of one value: so that an id can be told from the others at a glance.
pub(super) struct Same(pub u8);

impl Entropy for Same {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// The id that was made from random bytes of one value at [`MORNING`].
pub(super) fn id<T: From<Id>>(random: u8) -> T {
    Id(*crate::model::DocId::make(MORNING, &mut Same(random)).as_bytes()).into()
}

pub(super) fn key() -> DeviceKey {
    DeviceKey::from_seed(&SEED)
}

/// The key of every record of the vectors.
pub(super) const RECORD_KEY: [u8; 32] = [0x4b; 32];

pub(super) fn ring() -> Keyring {
    RecordKey::from_bytes(&RECORD_KEY).map(Keyring::of).unwrap()
}

/// The phone that speaks.
pub(super) fn device() -> DeviceId {
    id(0xd1)
}

pub(super) const INCARNATION: Incarnation = Incarnation([0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8]);

pub(super) fn actor() -> Actor {
    Actor { device: device().tag(), incarnation: INCARNATION }
}

/// Another worker's phone.
pub(super) fn other_actor() -> Actor {
    Actor { device: id::<DeviceId>(0xd2).tag(), incarnation: Incarnation([0xb1; 8]) }
}

pub(super) fn minutes(minutes: i64) -> Millis {
    MORNING.plus(minutes * 60_000)
}

pub(super) fn hlc(after: i64) -> Hlc {
    Hlc::new(minutes(after), 0)
}
