//! Texts with a bound.

/// Reads a text of at most `MOST` bytes. For `#[cbor(decode_with = "text::<_, MOST_CODE_BYTES>")]`.
pub(super) fn text<C, const MOST: usize>(d: &mut minicbor::Decoder<'_>, _: &mut C) -> Result<String, minicbor::decode::Error> {
    let at = d.position();
    let text = d.str()?;
    if text.len() > MOST {
        return Err(minicbor::decode::Error::message("a text is longer than the protocol allows").at(at));
    }
    Ok(text.to_owned())
}
