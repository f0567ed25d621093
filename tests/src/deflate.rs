//! Raw deflate, of whatever a test wants to have packed.

use std::io::{Read as _, Write as _};

use flate2::Compression;

/// Bytes as a deflate stream, as small as it gets.
pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).expect("a Vec takes all bytes");
    packer.finish().expect("a Vec takes all bytes")
}

/// What a deflate stream holds; `None` where it is none.
pub fn inflated(stream: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(stream).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
