//! How a phone becomes a device.

use crate::model::{DeviceId, Millis, PersonId, StreetId};
use crate::sync::text::text;
use crate::sync::{MOST_ENROLMENT_CODE_BYTES, MOST_LABEL_BYTES, MOST_NAME_BYTES, Nonce, PublicKey, SealingKey};

/// How a phone becomes a device: it trades a one-time code and its public key for an identity. Sent under the signature of that key.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct EnrolRequest {
    /// The version of the protocol.
    #[n(0)]
    pub protocol: u32,
    /// The one-time code.
    #[n(1)]
    #[cbor(decode_with = "text::<_, MOST_ENROLMENT_CODE_BYTES>")]
    pub code: String,
    /// The device's key.
    #[n(2)]
    pub key: PublicKey,
    /// What the phone calls itself, for the list of devices.
    #[n(3)]
    #[cbor(decode_with = "text::<_, MOST_LABEL_BYTES>")]
    pub label: String,
}

/// The identity that the server gave.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct EnrolResponse {
    /// The version of the protocol.
    #[n(0)]
    pub protocol: u32,
    /// The server's clock.
    #[n(1)]
    pub now: Millis,
    /// The device.
    #[n(2)]
    pub device: DeviceId,
    /// In whose name it writes.
    #[n(3)]
    pub person: PersonId,
    /// The street that the person works for.
    #[n(4)]
    pub street: StreetId,
    /// The person's name, for the first screen.
    #[n(5)]
    #[cbor(decode_with = "text::<_, MOST_NAME_BYTES>")]
    pub name: String,
    /// What keys of records are encrypted to.
    #[n(6)]
    pub sealing: SealingKey,
    /// Under which the first request is sent.
    #[n(7)]
    pub nonce: Nonce,
}
