//! Values on the command line: codes, points, intervals.

use std::str::FromStr;

use doorstep_core::field::DueRule;
use doorstep_core::model::{Invalid, Personal, Point, Tag};

/// Reads one of the known codes of an enum, and lists them in the help.
macro_rules! one_of {
    ($of:ty) => {{
        use clap::builder::TypedValueParser as _;
        clap::builder::PossibleValuesParser::new(<$of>::KNOWN.iter().map(<$of>::code)).map(|code| <$of>::from_code(&code))
    }};
}
pub(super) use one_of;

/// Reads a value that is personal, so that no `Debug` of the command line shows it.
pub(super) fn personal<T: FromStr<Err = Invalid>>(text: &str) -> Result<Personal<T>, Invalid> {
    text.parse().map(Personal::new)
}

/// A point as it is typed: `31.2304,121.4737`, in WGS-84.
#[derive(Debug, Clone, Copy)]
pub struct PointArg(pub Point);

/// What a typed point is accurate to, in metres: somebody read it off a map.
const TYPED_ACCURACY: f64 = 50.0;

impl FromStr for PointArg {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("point", "is not latitude and longitude such as 31.2304,121.4737");
        let (lat, lon) = text.split_once([',', '，']).ok_or_else(wrong)?;
        let degrees = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        Point::from_degrees(degrees(lat)?, degrees(lon)?, TYPED_ACCURACY).map(Self)
    }
}

/// How often doors are visited: `90` days for all, `独居=7` for those with a tag.
#[derive(Debug, Clone)]
pub struct DaysArg(pub DueRule);

impl FromStr for DaysArg {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (tag, days) = match text.split_once('=') {
            Some((tag, days)) => (Some(tag.parse::<Tag>()?), days),
            None => (None, text),
        };
        let every_days =
            days.trim().parse().map_err(|_| Invalid::new("days", "is neither days such as 90 nor a tag and days such as 独居=7"))?;
        Ok(Self(DueRule { tag, every_days }))
    }
}

/// The intervals when none are given: every door once in three months, those who live alone once a week, those on benefits once a month.
pub(super) fn usual_rules() -> Vec<DueRule> {
    ["90", "独居=7", "低保=30"].iter().filter_map(|rule| rule.parse::<DaysArg>().ok()).map(|rule| rule.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_for_all_doors_or_for_a_tag() {
        assert_eq!(usual_rules().len(), 3);
        assert_eq!("独居=7".parse::<DaysArg>().unwrap().0, DueRule { tag: Some("独居".parse().unwrap()), every_days: 7 });
        assert!("often".parse::<DaysArg>().is_err());
        assert!("=7".parse::<DaysArg>().is_err());
    }

    #[test]
    fn a_point_is_latitude_and_longitude() {
        assert_eq!("31.5, 121.25".parse::<PointArg>().unwrap().0.lat_e7(), 315_000_000);
        assert!("31.5".parse::<PointArg>().is_err());
        assert!("131,21".parse::<PointArg>().is_err());
    }
}
