//! A grant on the phone: how far it was read, and where its bootstrap stands.
//!
//! All of it is one row, written in the batch of the rows that it speaks of, so that a phone goes on where it was cut, whatever cut it. Each
//! reading from the start has a number of its own, its generation, which every document that it names is marked with: at its end, what bears
//! an older one was not named, and is swept.

use crate::model::{Grant, Position};
use crate::sync::{Part, Progress, Reading, Resume};

/// A grant with how far it was read, as [`Reading`] says it to the server.
#[derive(Debug, Clone, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct HeldGrant {
    #[n(0)]
    pub grant: Grant,
    #[n(1)]
    pub position: Position,
    #[n(2)]
    pub since: Option<Position>,
    #[n(3)]
    pub resume: Option<Resume>,
    /// How many readings from the start have begun.
    #[n(4)]
    #[cbor(default)]
    pub generation: u32,
    /// What the last bootstrap said of itself.
    #[n(5)]
    pub progress: Option<Progress>,
}

impl HeldGrant {
    /// One of which nothing has been read.
    pub fn unread(grant: Grant) -> Self {
        Self { grant, position: Position(0), since: None, resume: None, generation: 0, progress: None }
    }

    /// The same grant, to be read from the start.
    pub fn anew(&self) -> Self {
        Self { generation: self.generation, ..Self::unread(self.grant.clone()) }
    }

    pub const fn reading(&self) -> Reading {
        Reading { grant: self.grant.id, position: self.position, since: self.since, resume: self.resume }
    }

    /// Whether a part goes on where this stands, or begins a bootstrap anew.
    pub fn is_continued_by(&self, part: &Part) -> bool {
        let after = part.bootstrap.and_then(|bootstrap| Some(Resume { base: bootstrap.base, key: bootstrap.after? }));
        self.position == part.from && after.is_none_or(|after| self.resume == Some(after))
    }

    /// Whether a part is the first of a reading from the start. One in which nothing stands begins nothing: the answer had no room for it.
    pub fn is_begun_by(&self, part: &Part) -> bool {
        match part.bootstrap {
            Some(bootstrap) => bootstrap.after.is_none(),
            None => self.position == Position(0) && part.to > part.from,
        }
    }

    /// Takes over that a reading from the start begins.
    pub fn begin(&mut self) {
        *self = self.anew();
        self.generation = self.generation.saturating_add(1);
    }

    /// Whether a part ends a reading from the start: all that is in the scope was named.
    pub fn is_completed_by(&self, part: &Part) -> bool {
        self.reading().complete_up_to() == Position(0) && part.to > Position(0) && !is_cut(part)
    }

    /// Takes over that a part was read.
    pub fn advance(&mut self, part: &Part) {
        if let Some(bootstrap) = part.bootstrap {
            self.progress = Some(bootstrap.progress);
            self.resume = bootstrap.next.map(|key| Resume { base: bootstrap.base, key });
        }
        if self.resume.is_none() {
            self.since = is_cut(part).then(|| self.since.unwrap_or(self.position));
            self.position = part.to;
        }
    }

    /// Whether everything that stood in the scope when it was last read is here.
    pub fn is_complete(&self) -> bool {
        self.reading().complete_up_to() > Position(0)
    }

    /// Whether what makes the phone usable is here.
    pub fn is_usable(&self) -> bool {
        self.is_complete() || self.progress.is_some_and(|progress| progress.usable)
    }
}

fn is_cut(part: &Part) -> bool {
    part.more == Some(true) || part.bootstrap.is_some_and(|bootstrap| bootstrap.next.is_some())
}
