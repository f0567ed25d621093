//! The files of the log: `2026-11-000000000017.log` is of November 2026 and begins with record 17. In the order of their names they are the
//! chain.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;
use std::str::FromStr;

use doorstep_core::model::Millis;

use super::AuditError;
use super::chain::{self, Link};

/// A month of the district, counted from year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(i64);

impl Month {
    /// The month in which a time falls; the earliest for one that has no date.
    pub fn of(at: Millis) -> Self {
        at.day().to_string().get(..7).and_then(|text| text.parse().ok()).unwrap_or(Self(0))
    }

    pub fn minus(self, months: u32) -> Self {
        Self(self.0 - i64::from(months))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl FromStr for Month {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (year, month) = text.split_once('-').ok_or(())?;
        let (year, month): (i64, i64) = (digits(year, 4)?, digits(month, 2)?);
        if (1..=12).contains(&month) { Ok(Self(year * 12 + month - 1)) } else { Err(()) }
    }
}

fn digits<T: FromStr>(text: &str, count: usize) -> Result<T, ()> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().map_err(|_| ()) } else { Err(()) }
}

/// The name of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    pub month: Month,
    /// The number of its first record.
    pub first: u64,
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:012}.log", self.month, self.first)
    }
}

impl FromStr for FileName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (month, first) = text.strip_suffix(".log").and_then(|text| text.rsplit_once('-')).ok_or(())?;
        Ok(Self { month: month.parse()?, first: digits(first, 12)? })
    }
}

/// The files of a log, in the order of the chain. Others in the folder are none of ours.
pub(super) fn all(folder: &Path) -> Result<Vec<FileName>, AuditError> {
    let failed = |error: io::Error| AuditError::io("listing the files", &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().to_str().and_then(|name| name.parse::<FileName>().ok()));
    }
    names.sort_unstable_by_key(|name| (name.first, name.month));
    Ok(names)
}

/// Where the chain begins when only files from a month on are kept; none if nothing goes.
pub(super) fn base_after(folder: &Path, oldest: Month) -> Result<Option<Link>, AuditError> {
    let names = all(folder)?;
    let Some(first_kept) = names.iter().position(|name| name.month >= oldest).filter(|at| *at > 0) else { return Ok(None) };
    let Some(name) = names.get(first_kept) else { return Ok(None) };
    let file = File::open(folder.join(name.to_string())).map_err(|error| AuditError::io("reading a file", &error))?;
    // A file whose head cannot be read cannot be the first: what was found broken is kept until its successor is old enough.
    chain::read_header(&mut BufReader::new(file))
}

/// Removes the files that lie wholly before the beginning of the chain.
pub(super) fn remove_before(folder: &Path, base: Link) -> Result<(), AuditError> {
    let names = all(folder)?;
    let old = names.iter().zip(names.iter().skip(1)).filter(|(_, next)| next.first <= base.number + 1).map(|(name, _)| name);
    for name in old {
        fs::remove_file(folder.join(name.to_string())).map_err(|error| AuditError::io("removing an old file", &error))?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_month_and_first_record_and_reads_back() {
        let name = FileName { month: Month::of(Millis(1_796_000_000_000)), first: 17 };
        assert_eq!(name.to_string(), "2026-11-000000000017.log");
        assert_eq!(name.to_string().parse(), Ok(name));
        for other in ["2026-11.log", "2026-13-000000000017.log", "2026-11-17.log", "head", "2026-11-000000000017.log.bak"] {
            assert!(other.parse::<FileName>().is_err(), "{other}");
        }
        assert_eq!(Month::of(Millis(1_796_000_000_000)).minus(11).to_string(), "2025-12");
    }

    #[test]
    fn a_month_ends_with_the_day_of_the_district() {
        // 2026-11-30 23:59 and 2026-12-01 00:00 in China.
        assert_eq!([1_796_054_399_999, 1_796_054_400_000].map(|at| Month::of(Millis(at)).to_string()), ["2026-11", "2026-12"]);
    }
}
