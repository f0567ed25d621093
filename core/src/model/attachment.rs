//! References to attachments. The bytes travel on their own; a document holds only what they are.

use crate::model::{Invalid, Millis, PersonId, VisitId, coded};

coded! {
    /// What an attachment is.
    AttachmentKind {
        /// A picture.
        Photo = "photo",
        /// A voice note.
        Audio = "audio",
        /// A moving picture.
        Video = "video",
        /// A scanned or written document.
        Document = "document",
    }
}

/// A file by its content. In a document it stands in the map `attachments` under the hash in hex: adding it twice is adding it once.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Attachment {
    /// SHA-256 of the file's bytes.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// Length in bytes.
    #[n(1)]
    pub size: u64,
    /// What it is.
    #[n(2)]
    pub kind: AttachmentKind,
    /// SHA-256 of a small preview, once there is one.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub preview: Option<[u8; 32]>,
    /// The visit on which it was made, if any.
    #[n(4)]
    pub visit: Option<VisitId>,
    /// Who added it.
    #[n(5)]
    pub by: PersonId,
    /// When it was added, by the device's clock.
    #[n(6)]
    pub at: Millis,
}

impl Attachment {
    /// The largest file, in bytes: a minute of video from a cheap phone.
    pub const MOST_BYTES: u64 = 200 * 1024 * 1024;

    /// Checks the claimed size.
    ///
    /// # Errors
    /// When it is zero or above [`Attachment::MOST_BYTES`].
    pub fn check_size(size: u64) -> Result<u64, Invalid> {
        match size {
            0 => Err(Invalid::new("size", "is zero")),
            size if size > Self::MOST_BYTES => Err(Invalid::new("size", "is more than 200 MB")),
            size => Ok(size),
        }
    }
}
