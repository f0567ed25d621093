//! Signatures: those of the device count, and no others.

use proptest::prelude::*;

use super::*;
use crate::model::{ChangeHash, DocId};

const DEVICE: DeviceId = DeviceId::from_bytes([1; 16]);

fn key() -> DeviceKey {
    DeviceKey::from_seed(&[9; 32])
}

fn leaf(n: u8) -> Leaf {
    Leaf { doc: DocId::from_bytes([n; 16]), hash: ChangeHash([n; 32]) }
}

/// RFC 8032, section 7.1, test 1: what we call Ed25519 is what everybody does.
#[test]
fn the_key_of_a_seed_is_that_of_rfc_8032() {
    let seed = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
        0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let public = DeviceKey::from_seed(&seed).public();
    assert_eq!((public.algorithm, &public.bytes[..4]), (1, &[0xd7, 0x5a, 0x98, 0x01][..]));
    assert_eq!(DeviceKey::from_seed(&seed).seed(), seed);
}

proptest! {
    #[test]
    fn a_request_with_any_bit_changed_is_refused(payload in proptest::collection::vec(any::<u8>(), 0..60), at: prop::sample::Index, bit in 0u8..8) {
        let signed = key().seal(payload);
        prop_assert_eq!(key().public().verify_request(&signed), Ok(()));
        let mut changed = signed.clone();
        let at = at.index(64 + changed.payload.len());
        match at.checked_sub(64) {
            Some(at) => changed.payload[at] ^= 1 << bit,
            None => changed.signature.bytes[at] ^= 1 << bit,
        }
        prop_assert_eq!(key().public().verify_request(&changed), Err(SignatureError::Wrong));
    }

    #[test]
    fn keys_and_signatures_of_random_bytes_are_refused_and_never_a_panic(key: [u8; 32], half: [u8; 32]) {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&half);
        bytes[32..].copy_from_slice(&key);
        let signed = Signed { payload: vec![1], signature: Signature { algorithm: ED25519, bytes } };
        prop_assert_eq!(PublicKey { algorithm: ED25519, bytes: key }.verify_request(&signed), Err(SignatureError::Wrong));
    }
}

#[test]
fn a_push_is_that_of_this_device_with_these_changes_in_this_order() {
    let leaves = [leaf(1), leaf(2), leaf(3)];
    let signature = key().sign_push(DEVICE, &leaves);
    let verify = |device, leaves: &[Leaf]| key().public().verify_push(device, leaves, &signature);
    assert_eq!(verify(DEVICE, &leaves), Ok(()));
    assert_eq!(verify(DeviceId::from_bytes([2; 16]), &leaves), Err(SignatureError::Wrong));
    assert_eq!(verify(DEVICE, &[leaf(1), leaf(3), leaf(2)]), Err(SignatureError::Wrong));
    assert_eq!(verify(DEVICE, &leaves[..2]), Err(SignatureError::Wrong));
    assert_eq!(verify(DEVICE, &[leaf(1), leaf(2), leaf(4)]), Err(SignatureError::Wrong));
    let other = Leaf { doc: DocId::from_bytes([9; 16]), ..leaf(3) };
    assert_eq!(verify(DEVICE, &[leaf(1), leaf(2), other]), Err(SignatureError::Wrong));
    assert_eq!(DeviceKey::from_seed(&[8; 32]).public().verify_push(DEVICE, &leaves, &signature), Err(SignatureError::Wrong));
}

#[test]
fn a_signature_for_one_purpose_does_not_serve_for_another() {
    let leaves = [leaf(1)];
    let push = key().sign_push(DEVICE, &leaves);
    let as_request = Signed { payload: push_message(DEVICE, &leaves), signature: push };
    assert_eq!(key().public().verify_request(&as_request), Err(SignatureError::Wrong));
    let request = key().seal(push_message(DEVICE, &leaves));
    assert_eq!(key().public().verify_push(DEVICE, &leaves, &request.signature), Err(SignatureError::Wrong));
}

#[test]
fn another_algorithm_is_named_and_not_guessed() {
    let signed = key().seal(vec![1, 2, 3]);
    let mut other = signed.clone();
    other.signature.algorithm = 2;
    assert_eq!(key().public().verify_request(&other), Err(SignatureError::Algorithm { found: 2 }));
    let public = PublicKey { algorithm: 7, ..key().public() };
    assert_eq!(public.verify_request(&signed), Err(SignatureError::Algorithm { found: 7 }));
}

/// A key of small order signs anything for anybody; strict verification does not take one.
#[test]
fn a_key_of_small_order_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let signed = Signed { payload: vec![1], signature: Signature { algorithm: ED25519, bytes } };
    assert_eq!(PublicKey { algorithm: ED25519, bytes: identity }.verify_request(&signed), Err(SignatureError::Wrong));
}

#[test]
fn the_codes_of_signature_errors_are_the_written_ones() {
    assert_eq!(SignatureError::Algorithm { found: 2 }.code(), "signature.algorithm");
    assert_eq!(SignatureError::Wrong.code(), "signature.wrong");
}

#[test]
fn debug_output_never_holds_the_key() {
    assert_eq!(format!("{:?}", key()), "DeviceKey(…)");
}
