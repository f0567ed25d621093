//! Files as a document refers to them: by what they hold.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// How much of a file is read at a time: files come from cheap phones with little memory.
const PIECE: usize = 64 * 1024;

/// What a reference to a file says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMeasure {
    /// SHA-256 of all its bytes.
    pub sha256: [u8; 32],
    /// Its length in bytes.
    pub size: u64,
}

impl FileMeasure {
    /// Reads `file` to its end, 64 kB at a time, and hashes it: about a second for the largest file that is taken, on a cheap phone.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn of(mut file: impl Read) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(Self { sha256: hash.finalize().into(), size }),
                Ok(length) => {
                    hash.update(piece.get(..length).unwrap_or_default());
                    size += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_several_pieces_is_measured_whole() {
        let bytes = vec![7u8; PIECE * 2 + 1];
        let measure = FileMeasure::of(bytes.as_slice()).unwrap();
        assert_eq!(measure.size, bytes.len() as u64);
        assert_eq!(measure.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
    }

    #[test]
    fn an_empty_file_has_the_hash_of_nothing() {
        let measure = FileMeasure::of(io::empty()).unwrap();
        assert_eq!((measure.size, measure.sha256[..4].to_vec()), (0, vec![0xe3, 0xb0, 0xc4, 0x42]));
    }
}
