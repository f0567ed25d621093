//! Frames: a message with a version byte and an encoding byte in front.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::sync::{MOST_FRAME_BYTES, MOST_MESSAGE_BYTES, strict};

/// The first byte of every frame.
const FRAME_VERSION: u8 = 1;
/// Messages shorter than this are not compressed: deflate would make them longer.
const WORTH_COMPRESSING: usize = 256;
/// The middle way between speed and size; zstd and higher levels gave the same sizes on messages of ours (measured).
const DEFLATE_LEVEL: u32 = 6;

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
        Encoding::Deflate => deflate(body),
        #[cfg(feature = "zstd")]
        Encoding::Zstd => zstd::bulk::compress(body, 3).ok(),
    }
}

/// The body deflated; `None` where that is not shorter.
fn deflate(body: &[u8]) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(body.len());
    let status = Compress::new(Compression::new(DEFLATE_LEVEL), false).compress_vec(body, &mut packed, FlushCompress::Finish);
    (status.ok()? == Status::StreamEnd).then_some(packed)
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
    // One byte more than is allowed has room, so that what is too long is told from what is just long enough.
    const ROOM: usize = MOST_MESSAGE_BYTES + 1;
    let mut stream = Decompress::new(false);
    // As much as messages of ours come to; what comes to more is given more.
    let mut message = Vec::with_capacity(body.len().saturating_mul(4).min(ROOM));
    loop {
        let read = usize::try_from(stream.total_in()).map_err(|_| FrameError::Damaged)?;
        let rest = body.get(read..).ok_or(FrameError::Damaged)?;
        let status = stream.decompress_vec(rest, &mut message, FlushDecompress::None).map_err(|_| FrameError::Damaged)?;
        match status {
            _ if message.len() >= ROOM => return Err(FrameError::TooLong),
            Status::StreamEnd => return Ok(message),
            _ if message.len() < message.capacity() => return Err(FrameError::Damaged), // it ends before its end
            _ => message.reserve_exact(message.len().max(4_096).min(ROOM - message.len())),
        }
    }
}

/// Decodes a message that fills `body`: of the form that [`strict`] checks, and of the keys that `M` expects.
pub(super) fn decode<M: for<'b> minicbor::Decode<'b, ()>>(body: &[u8]) -> Result<M, FrameError> {
    strict::check(body).map_err(|at| FrameError::Undecodable { at })?;
    minicbor::decode(body).map_err(|error| FrameError::Undecodable { at: error.position().unwrap_or(0) })
}

#[cfg(test)]
mod tests;
