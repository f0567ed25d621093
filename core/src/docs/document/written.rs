//! Where a document was written since it was last held against its own bytes: what was not written needs no second look.

use std::collections::BTreeSet;

use crate::docs::layout::{Container, Path};

/// A map of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// The root.
    Root,
    /// A container.
    Container(Container),
    /// An entry of a container, by its key.
    Entry(Container, String),
}

impl From<&Path> for Object {
    /// The map in which an operation writes.
    fn from(path: &Path) -> Self {
        match path {
            Path::Root(_) => Self::Root,
            Path::Register(container, _) | Path::Entry(container, _) => Self::Container(*container),
            Path::Field(container, entry, _) => Self::Entry(*container, entry.clone()),
        }
    }
}

/// Where a document was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Perhaps everywhere: nobody kept count.
    Anywhere,
    /// In these maps and no others.
    In(BTreeSet<Object>),
}

impl Written {
    /// Nowhere.
    pub const fn nowhere() -> Self {
        Self::In(BTreeSet::new())
    }

    pub(super) fn add(&mut self, paths: impl Iterator<Item = Object>) {
        match self {
            Self::Anywhere => {}
            Self::In(objects) => objects.extend(paths),
        }
    }
}
