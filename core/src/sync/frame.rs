//! Frames: a message with a version byte and an encoding byte in front.

use crate::sync::{MOST_FRAME_BYTES, MOST_MESSAGE_BYTES, strict};

/// The first byte of every frame.
const FRAME_VERSION: u8 = 1;
/// Messages shorter than this are not compressed: deflate would make them longer.
const WORTH_COMPRESSING: usize = 256;
/// The middle way between speed and size; zstd and higher levels gave the same sizes on messages of ours (measured).
const DEFLATE_LEVEL: u8 = 6;

/// How a message is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    None,
    /// Raw deflate (RFC 1951): the default.
    Deflate,
    /// Zstandard, behind a feature.
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Encoding {
    const fn byte(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Deflate => 1,
            #[cfg(feature = "zstd")]
            Self::Zstd => 2,
        }
    }
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nothing, or less than the two leading bytes.
    #[error("the frame is empty")]
    Empty,
    /// Longer than [`MOST_FRAME_BYTES`] or, inflated, than [`MOST_MESSAGE_BYTES`].
    #[error("the frame is longer than the protocol allows")]
    TooLong,
    /// A first byte of another version.
    #[error("frame version {found}; this side reads {FRAME_VERSION}")]
    Version {
        /// The byte that came.
        found: u8,
    },
    /// An encoding that this side does not read.
    #[error("encoding {found} is not read by this side")]
    Encoding {
        /// The byte that came.
        found: u8,
    },
    /// The compressed bytes are damaged.
    #[error("the frame does not inflate")]
    Damaged,
    /// What is inside is not the message that was expected.
    #[error("the message does not decode at byte {at}")]
    Undecodable {
        /// Where, as far as is known.
        at: usize,
    },
}

impl FrameError {
    /// The code in problems and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "frame.empty",
            Self::TooLong => "frame.too_long",
            Self::Version { .. } => "frame.version",
            Self::Encoding { .. } => "frame.encoding",
            Self::Damaged => "frame.damaged",
            Self::Undecodable { .. } => "frame.undecodable",
        }
    }
}

/// Packs a message: version byte, encoding byte, body. Short messages and those that do not shrink are left as they are.
pub fn seal_frame<M: minicbor::Encode<()>>(message: &M, encoding: Encoding) -> Vec<u8> {
    // Encoding into a Vec cannot fail: its error type has no values.
    let body = minicbor::to_vec(message).unwrap_or_default();
    let packed = if body.len() < WORTH_COMPRESSING { None } else { compress(&body, encoding).filter(|packed| packed.len() < body.len()) };
    let (encoding, body) = packed.map_or((Encoding::None, body), |packed| (encoding, packed));
    let mut frame = vec![FRAME_VERSION, encoding.byte()];
    frame.extend_from_slice(&body);
    frame
}

fn compress(body: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::None => None,
        Encoding::Deflate => Some(miniz_oxide::deflate::compress_to_vec(body, DEFLATE_LEVEL)),
        #[cfg(feature = "zstd")]
        Encoding::Zstd => zstd::bulk::compress(body, 3).ok(),
    }
}

/// Unpacks a message. Memory stays within [`MOST_MESSAGE_BYTES`], whatever the bytes claim.
///
/// # Errors
/// See [`FrameError`]. Never panics.
pub fn open_frame<M: for<'b> minicbor::Decode<'b, ()>>(frame: &[u8]) -> Result<M, FrameError> {
    if frame.len() > MOST_FRAME_BYTES {
        return Err(FrameError::TooLong);
    }
    let [version, encoding, body @ ..] = frame else { return Err(FrameError::Empty) };
    if *version != FRAME_VERSION {
        return Err(FrameError::Version { found: *version });
    }
    match encoding {
        0 => decode(body),
        1 => decode(&inflate(body)?),
        #[cfg(feature = "zstd")]
        2 => decode(&zstd::bulk::decompress(body, MOST_MESSAGE_BYTES).map_err(|_| FrameError::Damaged)?),
        found => Err(FrameError::Encoding { found: *found }),
    }
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, FrameError> {
    miniz_oxide::inflate::decompress_to_vec_with_limit(body, MOST_MESSAGE_BYTES).map_err(|error| match error.status {
        miniz_oxide::inflate::TINFLStatus::HasMoreOutput => FrameError::TooLong,
        _ => FrameError::Damaged,
    })
}

/// Decodes a message that fills `body`: of the form that [`strict`] checks, and of the keys that `M` expects.
pub(super) fn decode<M: for<'b> minicbor::Decode<'b, ()>>(body: &[u8]) -> Result<M, FrameError> {
    strict::check(body).map_err(|at| FrameError::Undecodable { at })?;
    minicbor::decode(body).map_err(|error| FrameError::Undecodable { at: error.position().unwrap_or(0) })
}

#[cfg(test)]
mod tests;
