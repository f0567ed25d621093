//! The types of single settings that the standard library does not have.

use doorstep_core::model::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::time::Duration;

/// A length of time in seconds, whole or not: `10`, `0.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(Duration);

impl Seconds {
    /// The longest limit that makes sense for a request: a day.
    const MOST: f64 = 86_400.0;

    /// Whole seconds.
    pub const fn whole(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// From a number of seconds.
    ///
    /// # Errors
    /// When it is not between a millisecond and a day.
    pub fn new(seconds: f64) -> Result<Self, Invalid> {
        match (0.001..=Self::MOST).contains(&seconds) {
            true => Ok(Self(Duration::from_millis((seconds * 1000.0).round() as u64))),
            false => Err(Invalid::new("seconds", "is not between 0.001 and 86400 seconds")),
        }
    }

    /// The length as the clock of the runtime takes it.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.as_secs_f64())
    }
}

impl std::str::FromStr for Seconds {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text.trim().parse().map_err(|_| Invalid::new("seconds", "is not a number of seconds such as 10 or 0.5"))?)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(|invalid| de::Error::custom(invalid.rule))
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line an event, for people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}
