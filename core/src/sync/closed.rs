//! Enums whose arms are closed: an arm that this version does not know is an error.
//!
//! minicbor takes such an arm for a reason to leave an optional field out, and reads on from the middle of it: the answer to a push would be
//! gone without a word. So the error becomes one of another kind before an optional field can see it.

use minicbor::decode::{Decode, Decoder, Error};

/// The error to pass on.
pub(super) fn closed(error: Error) -> Error {
    if !error.is_unknown_variant() {
        return error;
    }
    let closed = Error::message("an arm that this version does not know");
    match error.position() {
        Some(at) => closed.at(at),
        None => closed,
    }
}

/// Reads an enum that stands in a field of its own. For `#[cbor(decode_with = "arm")]`.
pub(super) fn arm<'b, C, T: Decode<'b, C>>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<T, Error> {
    T::decode(d, ctx).map_err(closed)
}
