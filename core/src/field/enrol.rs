//! Enrolment: how this phone becomes somebody's device.

use crate::field::tables::{self, Setting};
use crate::field::transport::{ENROL_PATH, Transport, frame_of};
use crate::field::{Engine, FieldError};
use crate::model::{DeviceId, PersonId, StreetId};
use crate::store::Batch;
use crate::sync::client::SyncFailure;
use crate::sync::{
    DeviceKey, Encoding, EnrolRequest, EnrolResponse, Freshness, PROTOCOL_VERSION, SealingKey, Signed, open_frame, seal_frame,
};

/// Who this phone is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub device: DeviceId,
    /// In whose name it writes.
    pub person: PersonId,
    /// The street.
    pub street: StreetId,
    /// The person's name.
    pub name: String,
    /// The server that gave the identity.
    pub server: String,
}

/// What is on disk of it.
#[derive(Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct KeptIdentity {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub seed: [u8; 32],
    #[n(1)]
    pub server: String,
    /// Absent while the server has not answered: the same key asks again.
    #[n(2)]
    pub given: Option<Given>,
}

#[derive(Debug, Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Given {
    #[n(0)]
    pub device: DeviceId,
    #[n(1)]
    pub person: PersonId,
    #[n(2)]
    pub street: StreetId,
    #[n(3)]
    pub name: String,
    /// What keys of records are encrypted to; absent with identities of before there were such keys.
    #[n(4)]
    pub sealing: Option<SealingKey>,
}

impl KeptIdentity {
    pub(super) fn key(&self) -> DeviceKey {
        DeviceKey::from_seed(&self.seed)
    }
}

impl Engine {
    /// Trades a one-time code and this phone's key for an identity. One round trip. The key is on disk before it is sent, so an answer that is
    /// lost costs nothing: the same call gets the same identity.
    ///
    /// # Errors
    /// [`FieldError::AlreadyEnrolled`]; [`FieldError::Sync`] when the server was not reached or refused the code.
    pub fn enrol(&self, transport: &dyn Transport, server: &str, code: &str, label: &str) -> Result<Identity, FieldError> {
        let mut kept = self.key_to_enrol(server)?;
        let key = kept.key();
        let request =
            EnrolRequest { protocol: PROTOCOL_VERSION, code: code.trim().to_owned(), key: key.public(), label: label.trim().to_owned() };
        let signed: Signed = key.seal(tables::encode(&request));
        let answer = transport.post(ENROL_PATH, &seal_frame(&signed, Encoding::Deflate)).map_err(SyncFailure::from)?;
        let response: EnrolResponse = open_frame(&frame_of(answer)?).map_err(SyncFailure::from)?;
        kept.given = Some(Given {
            device: response.device,
            person: response.person,
            street: response.street,
            name: response.name,
            sealing: Some(response.sealing),
        });
        let mut state = self.state();
        let fresh = Freshness { nonce: response.nonce, number: 0 };
        self.keep_identity(&kept, Some(fresh))?;
        state.fresh = Some(fresh);
        state.offset_ms = response.now.since(self.clock.now());
        state.identity = Some(kept);
        drop(state);
        self.identity().ok_or(FieldError::NotEnrolled)
    }

    /// Who this phone is, once it is enrolled.
    pub fn identity(&self) -> Option<Identity> {
        let state = self.state();
        let kept = state.identity.as_ref()?;
        let given = kept.given.clone()?;
        Some(Identity { device: given.device, person: given.person, street: given.street, name: given.name, server: kept.server.clone() })
    }

    fn key_to_enrol(&self, server: &str) -> Result<KeptIdentity, FieldError> {
        let mut state = self.state();
        match &state.identity {
            Some(kept) if kept.given.is_some() => return Err(FieldError::AlreadyEnrolled),
            Some(kept) if kept.server == server => return Ok(kept.clone()),
            _ => {}
        }
        let seed = DeviceKey::make(&mut *state.entropy).seed();
        let kept = KeptIdentity { seed, server: server.to_owned(), given: None };
        self.keep_identity(&kept, None)?;
        state.identity = Some(kept.clone());
        Ok(kept)
    }

    fn keep_identity(&self, kept: &KeptIdentity, fresh: Option<Freshness>) -> Result<(), FieldError> {
        let mut batch = Batch::new();
        tables::put(&mut batch, tables::setting(Setting::Identity), kept);
        if let Some(fresh) = fresh {
            tables::put(&mut batch, tables::setting(Setting::Freshness), &fresh);
        }
        Ok(self.store.commit(batch)?)
    }
}
