//! Which keys a document may have, and by which rule each merges.

use crate::docs::DocKind;

/// The longest key at the root or in a container, in bytes: the 64 of a hash in hex, a tag of 24 characters of three bytes, and room.
pub const MOST_KEY_BYTES: usize = 96;
/// The longest text or byte string in a document, in bytes: 2,000 characters of four bytes.
pub const MOST_VALUE_BYTES: usize = 8_192;

/// The root key that says which grid a document belongs to, and with that in which scopes it is.
pub const GRID_KEY: &str = "grid";
/// The root key of the tombstone.
pub const REMOVED_KEY: &str = "removed";

/// A map of a document that its genesis makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Container {
    /// Tag to `true` or `false`.
    Tags,
    /// Resident's id to `true` or `false`.
    Members,
    /// Visits by id.
    Visits,
    /// Amendments of visits by id.
    Amendments,
    /// Notes by id.
    Notes,
    /// Attachments by the SHA-256 of their bytes in hex.
    Attachments,
    /// Events of a case by id.
    Events,
}

/// How a container merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Key to scalar; each key a register.
    Registers,
    /// Key to a map of scalars, created once and whole by one change, never written again.
    Entries,
}

impl Container {
    /// Its key at the root.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Members => "members",
            Self::Visits => "visits",
            Self::Amendments => "amendments",
            Self::Notes => "notes",
            Self::Attachments => "attachments",
            Self::Events => "events",
        }
    }

    /// How it merges.
    pub const fn rule(self) -> Rule {
        match self {
            Self::Tags | Self::Members => Rule::Registers,
            Self::Visits | Self::Amendments | Self::Notes | Self::Attachments | Self::Events => Rule::Entries,
        }
    }
}

/// The root keys that the genesis writes and nobody may write again; `schema` is not among them: a later version raises it.
pub const FIXED_ROOT_KEYS: [&str; 2] = ["id", "kind"];

/// Whether a root key is a register: anything but what the genesis fixes and its containers. Keys that this version does not know are
/// allowed, so that a later schema can add them.
pub fn is_root_register(kind: DocKind, key: &str) -> bool {
    !FIXED_ROOT_KEYS.contains(&key) && !kind.containers().iter().any(|container| container.key() == key)
}

/// A field of a kind of document, as [`crate::policy`] and whoever seals it speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// A root key (`door`), a container (`visits`: that there are entries, and what of them is not about people), or a field of its entries
    /// (`visits.findings`).
    pub name: &'static str,
    /// Whether it says something of a person: names, numbers, addresses, free text.
    pub is_personal: bool,
}

const fn open(name: &'static str) -> Field {
    Field { name, is_personal: false }
}

const fn personal(name: &'static str) -> Field {
    Field { name, is_personal: true }
}

/// The fields of a kind that this version knows.
pub const fn fields(kind: DocKind) -> &'static [Field] {
    match kind {
        DocKind::Place => {
            const {
                &[
                    open("grid"),
                    open("removed"),
                    open("place_kind"),
                    open("name"),
                    open("address"),
                    open("community"),
                    open("parent"),
                    open("point"),
                    personal("access"),
                    open("property_company"),
                    open("developer"),
                    open("owners_committee"),
                    open("tags"),
                    open("visits"),
                    personal("visits.findings"),
                    personal("amendments.text"),
                    personal("notes.text"),
                    open("attachments"),
                ]
            }
        }
        DocKind::Household => {
            const {
                &[
                    open("grid"),
                    open("removed"),
                    open("place"),
                    open("door"),
                    personal("contact"),
                    personal("phone"),
                    personal("remark"),
                    open("notice"),
                    open("purpose"),
                    open("noticed_at"),
                    open("noticed_by"),
                    open("tags"),
                    open("members"),
                    open("visits"),
                    personal("visits.findings"),
                    personal("amendments.text"),
                    personal("notes.text"),
                    open("attachments"),
                ]
            }
        }
        DocKind::Resident => {
            const {
                &[
                    open("grid"),
                    open("removed"),
                    personal("name"),
                    open("household"),
                    personal("phone"),
                    personal("id_number"),
                    personal("born"),
                    personal("remark"),
                    open("guardian"),
                    open("tags"),
                    personal("notes.text"),
                ]
            }
        }
        DocKind::Organisation => {
            const {
                &[
                    open("grid"),
                    open("removed"),
                    open("name"),
                    open("credit_code"),
                    personal("contact"),
                    personal("phone"),
                    open("trade"),
                    open("place"),
                    open("address"),
                    open("tags"),
                    open("visits"),
                    personal("visits.findings"),
                    personal("amendments.text"),
                    personal("notes.text"),
                    open("attachments"),
                ]
            }
        }
        DocKind::Party => {
            const {
                &[
                    open("grid"),
                    open("removed"),
                    personal("name"),
                    personal("phone"),
                    personal("id_number"),
                    personal("address"),
                    personal("notes.text"),
                ]
            }
        }
        DocKind::Case => {
            const {
                &[
                    open("grid"),
                    open("removed"),
                    open("case_kind"),
                    open("category"),
                    personal("description"),
                    open("urgency"),
                    open("channel"),
                    open("place"),
                    personal("reporter"),
                    open("parent"),
                    open("point"),
                    open("claim"),
                    open("events"),
                    personal("events.text"),
                    open("attachments"),
                ]
            }
        }
    }
}

/// The personal field that a value of this place belongs to, by its name in [`fields`]; `None` for what may stand in clear. A visit's companions
/// are said in free words and go with its findings; a case's reporter is personal whichever of the two it is.
pub fn personal_field(kind: DocKind, path: &Path) -> Option<&'static str> {
    match path {
        Path::Root(key) => personal_name(kind, None, key),
        Path::Field(container, _, field) => personal_name(kind, Some(*container), field),
        Path::Register(..) | Path::Entry(..) => None,
    }
}

/// The same of a value at the root, or of a field of an entry of this container.
pub(crate) fn personal_name(kind: DocKind, container: Option<Container>, field: &str) -> Option<&'static str> {
    let known =
        |is_it: &dyn Fn(&str) -> bool| fields(kind).iter().find(|known| known.is_personal && is_it(known.name)).map(|known| known.name);
    match container {
        None if field == "reporter_resident" || field == "reporter_party" => known(&|name| name == "reporter"),
        None => known(&|name| name == field),
        Some(Container::Visits) if field.starts_with("companion.") => known(&|name| name == "visits.findings"),
        Some(container) => known(&|name| name.split_once('.') == Some((container.key(), field))),
    }
}

/// The names of the personal fields of all kinds.
pub fn personal_names() -> impl Iterator<Item = &'static str> {
    let all = DocKind::ALL.into_iter().flat_map(|kind| fields(kind).iter()).filter(|field| field.is_personal).map(|field| field.name);
    all.collect::<std::collections::BTreeSet<_>>().into_iter()
}

/// Where an operation writes, resolved by what created the objects on the way and not by what is visible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// A register at the root.
    Root(String),
    /// A register in a container.
    Register(Container, String),
    /// An entry of a container: the creation of its map.
    Entry(Container, String),
    /// A field of an entry, written by the change that creates the entry.
    Field(Container, String, String),
}

impl Path {
    /// The place of a value as it is written: a register at the root, or a field of an entry. `None` for anything else.
    pub fn of_value(text: &str) -> Option<Self> {
        const CONTAINERS: [Container; 7] = [
            Container::Tags,
            Container::Members,
            Container::Visits,
            Container::Amendments,
            Container::Notes,
            Container::Attachments,
            Container::Events,
        ];
        let words: Vec<&str> = text.split('/').collect();
        if text.contains(char::is_whitespace) {
            return None;
        }
        match words.as_slice() {
            [key] if !key.is_empty() => Some(Self::Root((*key).to_owned())),
            [container, entry, field] => {
                let container = CONTAINERS.into_iter().find(|known| known.key() == *container)?;
                Some(Self::Field(container, (*entry).to_owned(), (*field).to_owned()))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root(key) => f.write_str(key),
            Self::Register(container, key) | Self::Entry(container, key) => write!(f, "{}/{key}", container.key()),
            Self::Field(container, key, field) => write!(f, "{}/{key}/{field}", container.key()),
        }
    }
}
