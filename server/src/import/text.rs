//! Bytes of a file into text: UTF-8 or GB18030, found out from the bytes.

use encoding_rs::GB18030;
use std::borrow::Cow;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// The file's text, without a byte order mark; copied only from GB18030.
///
/// # Errors
/// The rule that the file breaks.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    if let Some(marked) = bytes.strip_prefix(UTF8_MARK) {
        return std::str::from_utf8(marked).map(Cow::Borrowed).map_err(|_| "begins as UTF-8 but is not; save it again as CSV UTF-8");
    }
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Err("is UTF-16; save it as CSV UTF-8");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !could_be_gb18030(text) => Ok(Cow::Borrowed(text)),
        Ok(text) => Ok(gb18030(bytes).filter(|other| holds_han(other)).unwrap_or(Cow::Borrowed(text))),
        Err(_) => gb18030(bytes).ok_or("is neither UTF-8 nor GB18030; save it as CSV UTF-8"),
    }
}

fn gb18030(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(match text.strip_prefix('\u{FEFF}') {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => text,
    })
}

/// Whether text that passes as UTF-8 may be GB18030 by accident: pairs of bytes such as those of `末` are letters of the Latin, Greek or
/// Arabic kind in UTF-8, while Chinese in UTF-8 has three bytes a character. So: letters of two bytes, and none of three.
fn could_be_gb18030(text: &str) -> bool {
    !text.is_ascii() && text.chars().all(|c| c < '\u{800}')
}

fn holds_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_found_out() {
        let text = "名称,网格\n3栋,第17网格\n";
        let (gb, ..) = GB18030.encode(text);
        let marked = [UTF8_MARK, text.as_bytes()].concat();
        for bytes in [text.as_bytes(), &gb, &marked] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
    }

    #[test]
    fn gb18030_that_passes_as_utf8_is_still_found_out() {
        let (gb, ..) = GB18030.encode("name,grid\n末,末\n");
        assert!(std::str::from_utf8(&gb).is_ok());
        assert_eq!(decode(&gb).unwrap(), "name,grid\n末,末\n");
    }

    #[test]
    fn what_is_no_text_says_how_to_save_it() {
        assert!(decode(b"\xFF\xFEn\0").unwrap_err().contains("UTF-16"));
        assert!(decode(b"\xFF\xFF\xFF").unwrap_err().contains("neither"));
        assert!(decode(b"\xEF\xBB\xBF\xC3\xFB").unwrap_err().contains("UTF-8"));
    }
}
