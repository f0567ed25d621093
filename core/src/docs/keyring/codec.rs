//! How a ring is written, and read from outside bytes.
//!
//! ```text
//! ring   null: erased; else a list of at most 32 keys
//! key    32 bytes: a whole one; [its id, [[name of a field, field]…]]: some fields
//! field  32 bytes: all its values; [[[spot, 32 bytes]…], [spot…]]: those at these places, and the places whose values nobody reads any more
//! ```

use std::collections::{BTreeMap, BTreeSet};

use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode, Encoder, encode};
use zeroize::Zeroizing;

use super::held::{FieldKey, Held, Secret, Spot};
use super::{KeyId, Keyring, MOST_RING, RecordKey};

/// The most fields that a key has, with room for those of later versions.
const MOST_FIELDS: u64 = 64;
/// The most places of a field that was cut: a record reaches its size limit with fewer values.
const MOST_SPOTS: u64 = 4_096;

impl<C> Encode<C> for Keyring {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        if self.is_erased {
            e.null()?;
            return Ok(());
        }
        e.array(self.keys.len() as u64)?;
        for (id, held) in self.keys.iter() {
            match held {
                Held::Whole(key) => drop(e.bytes(key.as_bytes())?),
                Held::Fields(_, fields) => {
                    e.array(2)?.bytes(&id.0)?.array(fields.len() as u64)?;
                    for (name, key) in fields {
                        e.array(2)?.str(name)?;
                        encode_field(e, key)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn encode_field<W: encode::Write>(e: &mut Encoder<W>, key: &FieldKey) -> Result<(), encode::Error<W::Error>> {
    match key {
        FieldKey::Whole(key) => drop(e.bytes(&**key)?),
        FieldKey::Cut { given, lost } => {
            e.array(2)?.array(given.len() as u64)?;
            given.iter().try_for_each(|(spot, key)| e.array(2)?.bytes(&spot.0)?.bytes(&**key).map(drop))?;
            e.array(lost.len() as u64)?;
            lost.iter().try_for_each(|spot| e.bytes(&spot.0).map(drop))?;
        }
    }
    Ok(())
}

impl<'b, C> Decode<'b, C> for Keyring {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        if d.datatype()? == Type::Null {
            d.null()?;
            return Ok(Self::erased());
        }
        let mut keys = Vec::new();
        for _ in 0..length(d, MOST_RING as u64)? {
            let held = if d.datatype()? == Type::Bytes {
                Held::Whole(RecordKey::from_bytes(d.bytes()?).ok_or_else(wrong)?)
            } else {
                pair(d)?;
                let id = KeyId(bytes(d)?);
                let mut fields = BTreeMap::new();
                for _ in 0..length(d, MOST_FIELDS)? {
                    pair(d)?;
                    let name = d.str()?.to_owned();
                    fields.insert(name, field(d)?);
                }
                Held::Fields(id, fields)
            };
            keys.push((held.id(), held));
        }
        Ok(Self { keys: keys.into(), is_erased: false })
    }
}

fn field(d: &mut Decoder<'_>) -> Result<FieldKey, Error> {
    if d.datatype()? == Type::Bytes {
        return Ok(FieldKey::Whole(secret(d)?));
    }
    pair(d)?;
    let (mut given, mut lost) = (BTreeMap::new(), BTreeSet::new());
    for _ in 0..length(d, MOST_SPOTS)? {
        pair(d)?;
        given.insert(Spot(bytes(d)?), secret(d)?);
    }
    for _ in 0..length(d, MOST_SPOTS)? {
        lost.insert(Spot(bytes(d)?));
    }
    if lost.is_empty() || lost.iter().any(|spot| given.contains_key(spot)) {
        return Err(Error::message("a field is cut because of some places, and those do not open"));
    }
    Ok(FieldKey::Cut { given, lost })
}

fn secret(d: &mut Decoder<'_>) -> Result<Secret, Error> {
    Ok(Zeroizing::new(bytes(d)?))
}

fn bytes<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], Error> {
    d.bytes()?.try_into().map_err(|_| wrong())
}

fn pair(d: &mut Decoder<'_>) -> Result<(), Error> {
    if d.array()? == Some(2) { Ok(()) } else { Err(Error::message("a part of a key is said by a pair")) }
}

fn length(d: &mut Decoder<'_>, most: u64) -> Result<u64, Error> {
    d.array()?
        .filter(|length| *length <= most)
        .ok_or_else(|| Error::message("a ring has a definite number of keys and fields, and not that many"))
}

fn wrong() -> Error {
    Error::message("a key has 32 bytes, its id 8, a spot 16")
}
