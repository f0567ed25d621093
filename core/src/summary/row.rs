//! The rows that hold summaries: what is personal in one is sealed as it is in the document.

use crate::docs::{Keyring, Lock, Scalar};
use crate::model::Personal;

use super::Summary;

/// What a row begins with: no number of a kind. Whoever changes what is derived takes the next number, so that nothing of before is carried on,
/// and has [`SealedSummary::from_row`] read rows of both.
const ROW: u8 = 16;

/// A summary as rows and snapshots hold it.
#[derive(minicbor::Encode, minicbor::Decode)]
struct Row {
    #[n(0)]
    format: u8,
    #[n(1)]
    summary: Summary,
    #[n(2)]
    sealed: Option<minicbor::bytes::ByteVec>,
}

impl Summary {
    /// The summary as rows and snapshots hold it: what is personal in it sealed with the record's keys.
    ///
    /// ```text
    /// [16, the summary without what is personal, that sealed or null]
    /// ```
    pub fn to_row(&self, keys: &Keyring) -> Vec<u8> {
        let mut open = self.clone();
        let (kind, doc) = (self.kind(), self.id());
        let sealed = open.personal().and_then(|(path, text)| {
            let text = Scalar::Text(text.take()?.into_inner());
            match keys.seal(kind, doc, &path, &text) {
                Some(Scalar::Bytes(sealed)) => Some(sealed),
                _ => None,
            }
        });
        minicbor::to_vec(Row { format: ROW, summary: open, sealed: sealed.map(Into::into) }).unwrap_or_default()
    }

    /// Reads a row, as far as these keys open it.
    ///
    /// # Errors
    /// When it does not decode.
    pub fn from_row(row: &[u8], keys: &Keyring) -> Result<Self, minicbor::decode::Error> {
        Ok(SealedSummary::from_row(row)?.open(keys))
    }

    /// The summary of a row, to be carried on with [`Summary::after`]; `None` where it is to be derived anew: the row is of before there were
    /// keys, does not decode, or is of a kind of which nothing is carried on.
    pub fn carried(row: &[u8], keys: &Keyring) -> Option<Self> {
        let mut head = minicbor::Decoder::new(row);
        let is_present = head.array().is_ok() && head.u8().is_ok_and(|format| format == ROW);
        let sealed = SealedSummary::from_row(row).ok().filter(|_| is_present)?;
        matches!(sealed.clear(), Self::Place(_) | Self::Household(_) | Self::Organisation(_)).then(|| sealed.open(keys))
    }
}

/// A summary as its row has it: what is personal in it is still sealed.
pub struct SealedSummary {
    clear: Summary,
    sealed: Option<Vec<u8>>,
}

impl SealedSummary {
    /// Reads a row; needs no keys.
    ///
    /// # Errors
    /// When it does not decode.
    pub fn from_row(row: &[u8]) -> Result<Self, minicbor::decode::Error> {
        // Rows of before there were keys are the summary alone, which begins with the number of its kind.
        let mut head = minicbor::Decoder::new(row);
        head.array()?;
        if head.u8()? != ROW {
            return Ok(Self { clear: minicbor::decode(row)?, sealed: None });
        }
        let Row { summary, sealed, .. } = minicbor::decode(row)?;
        Ok(Self { clear: summary, sealed: sealed.map(Into::into) })
    }

    /// What it says in clear.
    pub const fn clear(&self) -> &Summary {
        &self.clear
    }

    /// The whole summary, as far as these keys open it.
    pub fn open(self, keys: &Keyring) -> Summary {
        let Self { clear: mut summary, sealed } = self;
        let (kind, doc) = (summary.kind(), summary.id());
        let mut lock = if keys.is_erased() { Some(Lock::Erased) } else { None };
        if let Some((path, text)) = summary.personal()
            && let Some(sealed) = sealed
        {
            let sealed = Scalar::Bytes(sealed);
            match keys.open(kind, doc, &path, &sealed) {
                Ok(Scalar::Text(opened)) => *text = Some(Personal::new(opened)),
                // What opens to something else is of a later version.
                _ => drop(lock.get_or_insert(match keys.lock(kind, &path, &sealed) {
                    Lock::Open => Lock::Locked,
                    lock => lock,
                })),
            }
        }
        if let (Some(own), Some(lock)) = (summary.lock_mut(), lock) {
            *own = lock;
        }
        summary
    }
}
