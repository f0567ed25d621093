//! Values that the languages have types of their own for: identifiers, times, spans, calendar days.

use doorstep_core::model::{Day, Invalid, Millis};

use crate::error::DoorstepError;

/// The id of a record, a person, a grid: a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(pub(crate) [u8; 16]);

uniffi::custom_type!(Id, String, {
    try_lift: |text| Ok(Id(uuid::Uuid::try_parse(&text)?.into_bytes())),
    lower: |id| id.to_string(),
});

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

macro_rules! ids {
    ($($of:ident),+) => { $(
        impl From<doorstep_core::model::$of> for Id {
            fn from(id: doorstep_core::model::$of) -> Self {
                Self(*id.as_bytes())
            }
        }

        impl From<Id> for doorstep_core::model::$of {
            fn from(id: Id) -> Self {
                Self::from_bytes(id.0)
            }
        }
    )+ };
}

ids! { DocId, PlaceId, HouseholdId, ResidentId, OrganisationId, PartyId, CaseId, VisitId, AmendmentId, NoteId, EventId, PersonId, DeviceId,
StreetId, GridId, GroupId }

/// A time: milliseconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub(crate) i64);
uniffi::custom_newtype!(Timestamp, i64);

impl From<Millis> for Timestamp {
    fn from(at: Millis) -> Self {
        Self(at.0)
    }
}

impl From<Timestamp> for Millis {
    fn from(at: Timestamp) -> Self {
        Self(at.0)
    }
}

/// A span of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub(crate) i64);
uniffi::custom_newtype!(Span, i64);

impl From<Span> for std::time::Duration {
    fn from(span: Span) -> Self {
        Self::from_millis(span.0.max(0).unsigned_abs())
    }
}

/// A calendar day of the district, such as 2026-11-24.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay(pub(crate) String);
uniffi::custom_newtype!(CalendarDay, String);

impl From<Day> for CalendarDay {
    fn from(day: Day) -> Self {
        Self(day.to_string())
    }
}

impl CalendarDay {
    pub(crate) fn day(&self) -> Result<Day, Invalid> {
        self.0.parse()
    }
}

/// Where the phone was: WGS-84, as the system's location services give it.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct Point {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Within how many metres.
    pub accuracy_m: f64,
}

impl TryFrom<Point> for doorstep_core::model::Point {
    type Error = Invalid;

    fn try_from(point: Point) -> Result<Self, Invalid> {
        Self::from_degrees(point.latitude, point.longitude, point.accuracy_m)
    }
}

impl From<doorstep_core::model::Point> for Point {
    fn from(point: doorstep_core::model::Point) -> Self {
        Self {
            latitude: f64::from(point.lat_e7()) / 1e7,
            longitude: f64::from(point.lon_e7()) / 1e7,
            accuracy_m: f64::from(point.accuracy_m()),
        }
    }
}

/// `value` as a core type, or the error of the field that it stands in.
pub(crate) fn parsed<T: std::str::FromStr<Err = Invalid>>(value: Option<String>) -> Result<Option<T>, DoorstepError> {
    value.map(|text| text.parse()).transpose().map_err(DoorstepError::invalid)
}
