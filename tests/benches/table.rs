//! The table that the figures are printed as.

use std::fmt;
use std::time::Duration;

/// A figure: what it is of, and what each round came to.
struct Row {
    what: String,
    unit: &'static str,
    rounds: Vec<f64>,
}

/// All figures, in the order of measuring.
#[derive(Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Adds a figure with a value for each round.
    pub fn add(&mut self, what: impl Into<String>, unit: &'static str, rounds: impl IntoIterator<Item = f64>) {
        let mut row = Row { what: what.into(), unit, rounds: rounds.into_iter().collect() };
        row.rounds.sort_by(f64::total_cmp);
        eprintln!("  {row}");
        self.0.push(row);
    }

    /// Adds two figures: the median and the 99th percentile of many times, for each round.
    pub fn add_latencies(&mut self, what: &str, rounds: Vec<Vec<Duration>>) {
        let sorted: Vec<Vec<Duration>> = rounds
            .into_iter()
            .map(|mut times| {
                times.sort();
                times
            })
            .collect();
        for (name, per_mille) in [("p50", 500), ("p99", 990)] {
            let of = |times: &Vec<Duration>| millis(times[times.len() * per_mille / 1_000]);
            self.add(format!("{what}, {name}"), "ms", sorted.iter().map(of));
        }
    }
}

/// A time in milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |index: usize| self.rounds.get(index).copied().unwrap_or(f64::NAN);
        let [least, median, greatest] = [0, self.rounds.len() / 2, self.rounds.len().saturating_sub(1)].map(at).map(number);
        write!(f, "| {} | {least} | {median} | {greatest} | {} |", self.what, self.unit)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | least | median | greatest | unit |\n|---|--:|--:|--:|---|")?;
        self.0.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

/// Three digits that count, with thousands apart.
fn number(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 { 0 } else { 2 - (value.abs().max(1.0).log10() as usize).min(2) };
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let mut grouped = String::from(if value < 0.0 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    fraction.into_iter().for_each(|fraction| grouped.push_str(&format!(".{fraction}")));
    grouped
}
