//! What a command writes, said explicitly.

use crate::docs::layout::Container;

/// The values that a document may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// Nothing: the tombstone of a field.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number: a time in milliseconds, money in fen, a count.
    Int(i64),
    /// Words.
    Text(String),
    /// Bytes: an id, a hash.
    Bytes(Vec<u8>),
}

impl Scalar {
    pub(crate) fn to_automerge(&self) -> automerge::ScalarValue {
        match self {
            Self::Null => automerge::ScalarValue::Null,
            Self::Bool(value) => automerge::ScalarValue::Boolean(*value),
            Self::Int(value) => automerge::ScalarValue::Int(*value),
            Self::Text(value) => automerge::ScalarValue::Str(value.as_str().into()),
            Self::Bytes(value) => automerge::ScalarValue::Bytes(value.clone()),
        }
    }

    /// Reads a value; `None` for the kinds that documents of ours do not hold (counters, timestamps, floats, unsigned).
    pub(crate) fn from_automerge(value: &automerge::ScalarValue) -> Option<Self> {
        Some(match value {
            automerge::ScalarValue::Null => Self::Null,
            automerge::ScalarValue::Boolean(value) => Self::Bool(*value),
            automerge::ScalarValue::Int(value) => Self::Int(*value),
            automerge::ScalarValue::Str(value) => Self::Text(value.to_string()),
            automerge::ScalarValue::Bytes(value) => Self::Bytes(value.clone()),
            _ => return None,
        })
    }

    /// The same of a value as automerge shows it in a walk over a map.
    pub(crate) fn from_walk(value: automerge::ScalarValueRef<'_>) -> Option<Self> {
        use automerge::ScalarValueRef as Value;
        Some(match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::Str(value) => Self::Text(value.into_owned()),
            Value::Bytes(value) => Self::Bytes(value.into_owned()),
            Value::Uint(_) | Value::F64(_) | Value::Counter(_) | Value::Timestamp(_) | Value::Unknown { .. } => return None,
        })
    }
}

impl From<&str> for Scalar {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&[u8; 16]> for Scalar {
    fn from(id: &[u8; 16]) -> Self {
        Self::Bytes(id.to_vec())
    }
}

/// A register of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// At the root.
    Root(String),
    /// In a container of registers.
    In(Container, String),
}

/// One thing that a command writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a register. Setting the value that is shown already writes nothing, but settles a conflict.
    Set(Slot, Scalar),
    /// Adds an entry. One that is there already is left as it is, so that a command can be run again.
    Add(Container, String, Vec<(String, Scalar)>),
}

impl Write {
    /// Sets a register at the root.
    pub fn set(key: &str, value: impl Into<Scalar>) -> Self {
        Self::Set(Slot::Root(key.to_owned()), value.into())
    }
}

/// Collects the fields of a record that are given; an empty text takes a field away.
#[derive(Default)]
pub(crate) struct DetailsWriter(Vec<Write>);

impl DetailsWriter {
    pub(crate) fn text(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some("") => self.0.push(Write::set(key, Scalar::Null)),
            Some(value) => self.0.push(Write::set(key, value)),
            None => {}
        }
    }

    pub(crate) fn code(&mut self, key: &str, value: Option<&str>) {
        self.text(key, value);
    }

    pub(crate) fn integer(&mut self, key: &str, value: Option<i64>) {
        self.0.extend(value.map(|value| Write::set(key, value)));
    }

    pub(crate) fn id(&mut self, key: &str, value: Option<&[u8; 16]>) {
        self.0.extend(value.map(|value| Write::set(key, value)));
    }

    pub(crate) fn finish(self) -> Vec<Write> {
        self.0
    }
}
