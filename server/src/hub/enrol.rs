//! Enrolment: a phone trades a one-time code and its public key for an identity.

use doorstep_core::model::{DeviceId, Invalid, Millis, PersonId, StreetId};
use doorstep_core::sync::{Encoding, EnrolRequest, EnrolResponse, Nonce, PROTOCOL_VERSION, SealingKey, Signed, open_frame, seal_frame};

use super::registrar::Registrar;
use super::{Hub, HubError, lock};
use crate::ledger::{Device, EnrolmentCode, LedgerError};

/// How long a code can be used, in milliseconds: a day, so that it can be handed over in the morning and used in the evening.
pub const CODE_LIFE: i64 = 24 * 3_600_000;
/// Letters and digits that are not taken for each other when read aloud or typed in a stairwell.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// 31^10 codes are about 50 bits: not to be guessed within a day at any rate that a server answers.
const CODE_LENGTH: usize = 10;
/// The longest name that a phone may give itself, in characters.
const MOST_LABEL: usize = 60;
/// How many device ids are tried: two with the same tag of eight random bytes never happen.
const MOST_TRIES: usize = 4;

impl Hub {
    /// Makes a code for a person: `K7QD-2M9XTA`.
    ///
    /// # Errors
    /// When the street or the person is not here, or the ledger fails.
    pub fn make_code(&self, street: StreetId, person: PersonId) -> Result<(String, Millis), HubError> {
        let directory = self.ledger.directory(street)?;
        directory.person(person).ok_or(HubError::NotFound { what: "person" })?;
        let mut random = [0; CODE_LENGTH];
        lock(&self.entropy).fill(&mut random);
        let code: String =
            random.iter().filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len())).map(|b| char::from(*b)).collect();
        let expires_at = self.now().plus(CODE_LIFE);
        self.ledger.add_code(&code, &EnrolmentCode { street, person, expires_at, used_by: None })?;
        let (first, rest) = code.split_at(4);
        Ok((format!("{first}-{rest}"), expires_at))
    }

    /// Serves an enrolment frame.
    ///
    /// # Errors
    /// [`HubError::Code`] for every code that does not count, whatever the reason; the others as for any request.
    pub fn enrol(&self, frame: &[u8]) -> Result<Vec<u8>, HubError> {
        let signed: Signed = open_frame(frame)?;
        let request: EnrolRequest = signed.open()?;
        if request.protocol == 0 || request.protocol > PROTOCOL_VERSION {
            return Err(HubError::Protocol { found: request.protocol });
        }
        request.key.verify_request(&signed)?;
        let label = Invalid::check_text("label", &request.label, MOST_LABEL)?;
        let code: String = request.code.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_uppercase()).take(64).collect();
        let now = self.now();
        let enrolment = self.ledger.code(&code)?.filter(|enrolment| now < enrolment.expires_at).ok_or(HubError::Code)?;
        let directory = self.ledger.directory(enrolment.street)?;
        let person = directory.person(enrolment.person).ok_or(HubError::Code)?;
        let sealing = Registrar::of(&self.street(enrolment.street)?).sealing().public();
        // A lost answer must lock nobody out: the same key with the same code gets the same identity again.
        if let Some(used_by) = enrolment.used_by {
            let device = self.ledger.device(used_by)?.filter(|device| device.key == request.key).ok_or(HubError::Code)?;
            return Ok(answer(&device, &person.name, now, sealing, self.nonces.nonce()));
        }
        for _ in 0..MOST_TRIES {
            let id = DeviceId::make(now, &mut *lock(&self.entropy));
            let device = Device {
                id,
                street: enrolment.street,
                person: enrolment.person,
                key: request.key,
                label: label.clone(),
                enrolled_at: now,
                last_contact: None,
                read_to: None,
                ended: None,
            };
            match self.ledger.enrol(&code, &device) {
                Ok(()) => {
                    self.movements.records(device.street);
                    return Ok(answer(&device, &person.name, now, sealing, self.nonces.nonce()));
                }
                Err(LedgerError::Conflict { what: "device" }) => {}
                Err(LedgerError::Conflict { .. }) => return Err(HubError::Code),
                Err(error) => return Err(error.into()),
            }
        }
        Err(HubError::Busy)
    }
}

fn answer(device: &Device, name: &str, now: Millis, sealing: SealingKey, nonce: Nonce) -> Vec<u8> {
    let response = EnrolResponse {
        protocol: PROTOCOL_VERSION,
        now,
        device: device.id,
        person: device.person,
        street: device.street,
        name: name.to_owned(),
        sealing,
        nonce,
    };
    seal_frame(&response, Encoding::Deflate)
}
