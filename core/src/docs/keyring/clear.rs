//! A value as bytes, before it is sealed: what is sealed no packing makes shorter any more, so it is short before.
//!
//! ```text
//! the CBOR of text, number, bytes, yes or no
//! or, where a text is shorter so:   0xFF, which begins no CBOR   its UTF-16, the greater byte first: Chinese takes two bytes a character, not three
//! ```

use minicbor::data::Type;
use zeroize::Zeroizing;

use crate::docs::Scalar;

const UTF_16: u8 = 0xFF;

pub(super) fn encode(value: &Scalar) -> Zeroizing<Vec<u8>> {
    let bytes = match value {
        Scalar::Null => Ok(Vec::new()),
        Scalar::Bool(value) => minicbor::to_vec(value),
        Scalar::Int(value) => minicbor::to_vec(value),
        Scalar::Text(value) => minicbor::to_vec(value),
        Scalar::Bytes(value) => minicbor::to_vec(<&minicbor::bytes::ByteSlice>::from(value.as_slice())),
    };
    let cbor = Zeroizing::new(bytes.unwrap_or_default());
    match value {
        Scalar::Text(text) => utf_16(text, cbor.len()).unwrap_or(cbor),
        _ => cbor,
    }
}

/// A text in UTF-16, where that takes less than so many bytes.
fn utf_16(text: &str, less_than: usize) -> Option<Zeroizing<Vec<u8>>> {
    let length = 1 + 2 * text.encode_utf16().count();
    (length < less_than).then(|| {
        // Written once, so that no copy is left behind where it grew.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.push(UTF_16);
        text.encode_utf16().for_each(|unit| bytes.extend_from_slice(&unit.to_be_bytes()));
        bytes
    })
}

/// `None` for what [`encode`] does not make.
pub(super) fn decode(bytes: &[u8]) -> Option<Scalar> {
    if let Some(text) = bytes.strip_prefix(&[UTF_16]) {
        let (units, []) = text.as_chunks::<2>() else { return None };
        return char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit))).collect::<Result<_, _>>().ok().map(Scalar::Text);
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = match decoder.datatype().ok()? {
        Type::Bool => Scalar::Bool(decoder.bool().ok()?),
        Type::String => Scalar::Text(decoder.str().ok()?.to_owned()),
        Type::Bytes => Scalar::Bytes(decoder.bytes().ok()?.to_vec()),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => Scalar::Int(decoder.i64().ok()?),
        _ => return None,
    };
    (decoder.position() == bytes.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chinese_takes_two_bytes_a_character_and_latin_one() {
        assert_eq!(encode(&Scalar::from("灯坏了")).as_slice(), [0xFF, 0x70, 0x6F, 0x57, 0x4F, 0x4E, 0x86]);
        assert_eq!(encode(&Scalar::from("13800001234")).as_slice(), b"\x6B13800001234");
        // Where both are as long it is CBOR.
        assert_eq!(encode(&Scalar::from("é")).as_slice(), [0x62, 0xC3, 0xA9]);
    }

    #[test]
    fn bytes_that_are_no_value_are_none() {
        for bytes in
            [&[][..], &[0xFF, 0x70], &[0xFF, 0xD8, 0x00], &[0xFF, 0xDC, 0x00, 0xD8, 0x00], &[0x61], &[0x01, 0x01], &[0xF6], &[0x80]]
        {
            assert_eq!(decode(bytes), None, "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn a_text_comes_back_and_is_never_longer_than_as_cbor(text in ".{0,80}") {
            let bytes = encode(&Scalar::Text(text.clone()));
            prop_assert!(bytes.len() <= minicbor::to_vec(&text).unwrap().len());
            prop_assert_eq!(decode(&bytes), Some(Scalar::Text(text)));
        }

        #[test]
        fn bytes_of_any_kind_never_make_it_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
