//! How big things may be, and the scale that weighs a transaction.

use super::StoreError;
use super::sealed::SEAL_OVERHEAD;

/// Longest key in bytes. A table byte, two ids of 16 bytes and a hash of 32 fit, and sixteen of the longest stay far below the size at
/// which sled moves a page out of its log.
pub const MOST_KEY: usize = 96;

/// Longest value in bytes. sled keeps up to sixteen entries a page, counted and not weighed, and writes a page above 128 kB to a file of
/// its own which it never syncs: a power cut then leaves a store that does not open (measured). Sixteen times this is half of that.
pub const MOST_VALUE: usize = 4_096;

/// Longest row in bytes that a store takes on its disk: the longest value, sealed. Sixteen of them with their keys are still half of what sled
/// keeps in its log. Who writes values keeps to [`MOST_VALUE`], which every store takes, a sealed one too.
pub const MOST_ROW: usize = MOST_VALUE + SEAL_OVERHEAD;

/// A group of transactions is closed when it holds this many bytes. Larger groups gain nothing, and sled takes some ten times a batch in memory.
pub const MOST_BATCH: usize = 1 << 20;

/// Most bytes of keys and values in one transaction, which is a group of its own when it is over [`MOST_BATCH`]. Room for the largest
/// chunked value (8 MiB) and the rows beside it; sled takes about 130 MB of memory for it (measured: 228 MB for 20 MB).
pub const MOST_TRANSACTION: usize = 12 << 20;

/// Weighs what a transaction writes and remembers the first thing that was over a limit.
#[derive(Default)]
pub(super) struct Scale {
    bytes: usize,
    refused: Option<StoreError>,
}

impl Scale {
    /// Whether this write may go on. After a refusal nothing may: the transaction fails anyway.
    pub(super) fn admits(&mut self, key: &[u8], value: &[u8]) -> bool {
        if self.refused.is_some() {
            return false;
        }
        self.bytes += key.len() + value.len();
        self.refused = [("key", key.len(), MOST_KEY), ("value", value.len(), MOST_ROW), ("transaction", self.bytes, MOST_TRANSACTION)]
            .into_iter()
            .find(|(_, size, most)| size > most)
            .map(|(what, size, most)| StoreError::TooBig { what, size, most });
        self.refused.is_none()
    }

    /// The bytes of keys and values that were written, or why the transaction cannot be committed.
    pub(super) fn weigh(self) -> Result<usize, StoreError> {
        match self.refused {
            None => Ok(self.bytes),
            Some(error) => Err(error),
        }
    }
}
