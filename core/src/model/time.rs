//! Times: UTC in milliseconds, and calendar days of the district (UTC+08:00, no daylight saving since 1991).

use crate::model::Invalid;

/// Where the time comes from: the system's clock in a product, a virtual one in a simulation.
pub trait Clock: Send + Sync {
    /// The present time as this device believes it to be.
    fn now(&self) -> Millis;
}

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Millis(#[n(0)] pub i64);

impl Millis {
    /// This time moved by `millis`, held within the range of the type.
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this time; negative when it lies before.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The calendar day of the district on which this time falls.
    pub const fn day(self) -> Day {
        Day(self.0.saturating_add(EAST_8).div_euclid(DAY_MILLIS) as i32)
    }
}

impl std::fmt::Display for Millis {
    /// Local time of the district, to the minute: `2026-11-24 09:30`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let minutes = self.0.saturating_add(EAST_8).rem_euclid(DAY_MILLIS) / 60_000;
        write!(f, "{} {:02}:{:02}", self.day(), minutes / 60, minutes % 60)
    }
}

/// China Standard Time, in milliseconds east of Greenwich.
const EAST_8: i64 = 8 * 3_600_000;
const DAY_MILLIS: i64 = 24 * 3_600_000;

/// A calendar day, counted from 1970-01-01. Its text form is `2026-11-24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] pub i32);

impl Day {
    /// The day `days` later.
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The same day so many years later; of a leap day that is none then, the day before.
    pub fn plus_years(self, years: i32) -> Self {
        let later = self.to_civil().and_then(|date| date.checked_add(jiff::Span::new().try_years(years).ok()?).ok());
        let days = later.and_then(|date| Some(EPOCH.until(date).ok()?.get_days()));
        days.map_or(self.plus(years.saturating_mul(365)), Self)
    }

    /// When the day begins in the district.
    pub const fn begins_at(self) -> Millis {
        Millis(self.0 as i64 * DAY_MILLIS - EAST_8)
    }

    fn to_civil(self) -> Option<jiff::civil::Date> {
        EPOCH.checked_add(jiff::Span::new().try_days(i64::from(self.0)).ok()?).ok()
    }
}

const EPOCH: jiff::civil::Date = jiff::civil::date(1970, 1, 1);

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to_civil() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "day {}", self.0),
        }
    }
}

impl std::str::FromStr for Day {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("day", "is not a date such as 2026-11-24");
        let date: jiff::civil::Date = text.trim().parse().map_err(|_| wrong())?;
        let days = EPOCH.until((jiff::Unit::Day, date)).map_err(|_| wrong())?.get_days();
        Ok(Self(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_day_begins_at_midnight_of_the_district() {
        let midnight: Millis = Millis(1_795_449_600_000); // 2026-11-23T16:00:00Z
        assert_eq!(midnight.day().to_string(), "2026-11-24");
        assert_eq!(midnight.day().begins_at(), midnight);
        assert_eq!(midnight.plus(-1).day().to_string(), "2026-11-23");
        assert_eq!(midnight.plus(9 * 3_600_000 + 30 * 60_000).to_string(), "2026-11-24 09:30");
    }

    proptest! {
        #[test]
        fn a_day_is_read_back_from_its_text(days in -200_000..200_000) {
            prop_assert_eq!(Day(days).to_string().parse::<Day>().unwrap(), Day(days));
        }
    }
}
