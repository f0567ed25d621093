//! Documents: what several people write at once, as automerge documents.
//!
//! Every document begins with the canonical [`genesis`] of its kind, which both ends compute alike and never send. Commands then only put
//! scalars and create maps; [`layout`] says which keys and containers a kind has and by which rule they merge. What is written is said as a
//! list of [`Write`]s, so that no operation is a surprise; what comes from outside is parsed alone and strictly by [`Change::parse`] and
//! judged by [`wellformed`] before it touches a document, because automerge trusts what it is given.
//!
//! | data | container | merge |
//! |---|---|---|
//! | descriptive fields | the root | register: concurrent values are all kept ([`Conflict`]), the default shown is the deterministic winner |
//! | tags, members | `tags`, `members` | a register per key: `true` is there, `false` is taken out; a concurrent edit shows as a conflict |
//! | visits, amendments, notes, attachments, events | a map of that name | an entry under its id, created once, never changed |
//! | state of a case | nowhere | a fold of its events by receipt: [`crate::workflow`] |
//! | removal | root key `removed` | tombstone; a concurrent edit shows as a conflict |
//!
//! What is personal is sealed, each value for itself, under a key of the record ([`Keyring`]): [`Document::edit`] seals, reading opens, and whoever
//! has not the key sees that there is something locked. A key that is destroyed takes all that it sealed with it, and no change, hash or signature; one that
//! is cut, the values of some places.
//!
//! Two phones that create the same container hide each other's entries (measured with automerge 0.12.0), so all containers are in the
//! genesis, and a later schema adds flat root keys, never containers.

mod actor;
mod change;
mod chunk;
mod conflict;
mod document;
mod entry;
mod fields;
mod genesis;
mod graph;
mod keyring;
mod kind;
pub mod layout;
pub mod wellformed;
mod write;

mod case;
mod household;
mod organisation;
mod party;
mod place;
mod resident;

pub use actor::Actor;
pub use case::Case;
pub use change::{Change, MOST_CHANGE_BYTES, Unparsable, hash_of};
pub use conflict::{Candidate, Conflict};
pub use document::{Document, DocumentError, Object, Reloaded, Written};
pub(crate) use entry::Words;
pub use entry::{AUTHOR_FIELD, Stamped, amendment_write, attachment_write, event_write, note_write, visit_writes};
pub use fields::Lock;
pub use genesis::{GENESIS_ACTOR, genesis};
pub use household::Household;
pub use keyring::{KeyId, Keyring, MOST_KEYS, RecordKey, Sealing};
pub use kind::DocKind;
pub use organisation::Organisation;
pub use party::Party;
pub use place::Place;
pub use resident::Resident;
pub use write::{Scalar, Slot, Write};

pub use case::case_writes;
pub use household::household_writes;
pub use organisation::organisation_writes;
pub use party::party_writes;
pub use place::place_writes;
pub use resident::resident_writes;
