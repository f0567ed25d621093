//! The types of single settings that the standard library does not have.

use doorstep_core::docs::DocKind;
use doorstep_core::model::Invalid;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::hub::Retention;

/// For how long a record is kept at the least, in days: a slip of the pen must not erase what was closed last week.
const LEAST_KEPT_DAYS: u32 = 30;

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

/// The word for nothing, in settings that need not be there.
const NONE: &str = "none";

/// A file that need not be there: `none`, or its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalFile(Option<PathBuf>);

impl OptionalFile {
    /// No file.
    pub const NONE: Self = Self(None);

    /// A file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(Some(path.into()))
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.0.as_deref()
    }
}

impl std::str::FromStr for OptionalFile {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "" => Err(Invalid::new("file", "is empty; the word for no file is none")),
            NONE => Ok(Self::NONE),
            path => Ok(Self::at(path)),
        }
    }
}

impl Serialize for OptionalFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.path() {
            Some(path) => path.serialize(serializer),
            None => serializer.serialize_str(NONE),
        }
    }
}

impl<'de> Deserialize<'de> for OptionalFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|invalid: Invalid| de::Error::custom(invalid.rule))
    }
}

/// Addresses and networks: `none`, or `10.0.0.7, 10.1.0.0/16`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// None.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether an address is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl std::fmt::Display for Networks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(if each.is_empty() { NONE.to_owned() } else { each.join(", ") }.as_str())
    }
}

impl std::str::FromStr for Networks {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("networks", "is neither none nor a list such as 10.0.0.7, 10.1.0.0/16");
        if text == NONE {
            return Ok(Self::none());
        }
        let one = |text: &str| {
            let text = text.trim();
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| wrong())
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|invalid: Invalid| de::Error::custom(invalid.rule))
    }
}

/// For how many days records are kept behind their end: `none`, or kinds with days such as `case=1095, party=365`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepDays(Retention);

impl KeepDays {
    /// Everything is kept for ever.
    pub fn for_ever() -> Self {
        Self(Retention::default())
    }

    /// The same as the hub takes it.
    pub const fn retention(&self) -> &Retention {
        &self.0
    }
}

impl std::fmt::Display for KeepDays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each: Vec<String> = self.0.kinds().map(|(kind, days)| format!("{}={days}", kind.name())).collect();
        f.write_str(if each.is_empty() { NONE.to_owned() } else { each.join(", ") }.as_str())
    }
}

impl std::str::FromStr for KeepDays {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong =
            || Invalid::new("keep_days", "is neither none nor a list of kinds with days, 30 at the least, such as case=1095, party=365");
        if text == NONE {
            return Ok(Self::for_ever());
        }
        let one = |text: &str| {
            let (name, days) = text.split_once('=')?;
            let kind = DocKind::ALL.into_iter().find(|kind| kind.name() == name.trim())?;
            Some((kind, days.trim().parse().ok().filter(|days| *days >= LEAST_KEPT_DAYS)?))
        };
        let kinds: Vec<(DocKind, u32)> = text.split(',').map(|part| one(part).ok_or_else(wrong)).collect::<Result<_, _>>()?;
        let is_named_once = |(number, (kind, _)): (usize, &(DocKind, u32))| kinds.iter().take(number).all(|(other, _)| other != kind);
        if kinds.iter().enumerate().all(is_named_once) { Ok(Self(Retention::of(kinds))) } else { Err(wrong()) }
    }
}

impl Serialize for KeepDays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeepDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|invalid: Invalid| de::Error::custom(invalid.rule))
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
