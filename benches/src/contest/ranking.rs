//! How the outcome of a contest is shown.

use std::fmt;

use super::Role;

/// The median of one contender, for one unit of the work.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) seconds: f64,
}

/// The medians of a contest; prints as a Markdown table.
#[derive(Debug)]
pub struct Ranking {
    title: String,
    unit: &'static str,
    entries: Vec<Entry>,
}

impl Ranking {
    pub(super) fn new(title: &str, unit: &'static str, entries: Vec<Entry>) -> Self {
        Self {
            title: title.to_owned(),
            unit,
            entries,
        }
    }

    /// What the contest has of the times that the others are compared with, by name.
    fn yardsticks(&self) -> Vec<(&'static str, f64)> {
        let roles = [
            ("hand-written", Role::HandWritten),
            ("micrograd", Role::Micrograd),
            ("tape", Role::Tape),
        ];
        let fastest = roles.map(|(name, role)| Some((name, self.fastest(role)?)));
        fastest.into_iter().flatten().collect()
    }

    fn fastest(&self, role: Role) -> Option<f64> {
        let entries = self.entries.iter().filter(|entry| entry.role == role);
        entries.map(|entry| entry.seconds).reduce(f64::min)
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yardsticks = self.yardsticks();
        let time = format!("time per {}", self.unit);
        writeln!(f, "{}\n", self.title)?;
        let heads = yardsticks.iter().map(|(name, _)| format!("× {name}"));
        write_row(f, "", &time, heads)?;
        writeln!(f, "|---|---:|{}", "---:|".repeat(yardsticks.len()))?;
        for Entry { name, seconds, .. } in &self.entries {
            let ratios = yardsticks
                .iter()
                .map(|(_, other)| three_digits(seconds / other));
            write_row(f, name, &readable(*seconds), ratios)?;
        }
        Ok(())
    }
}

/// Padded, so that the table can be read as it is.
fn write_row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    time: &str,
    ratios: impl Iterator<Item = String>,
) -> fmt::Result {
    write!(f, "| {name:34} | {time:>18} |")?;
    for ratio in ratios {
        write!(f, " {ratio:>14} |")?;
    }
    writeln!(f)
}

/// A time with its unit.
fn readable(seconds: f64) -> String {
    let (scale, unit) = match seconds {
        ..1e-6 => (1e9, "ns"),
        1e-6..1e-3 => (1e6, "µs"),
        _ => (1e3, "ms"),
    };
    format!("{} {unit}", three_digits(seconds * scale))
}

/// A number with about three digits, but never less than its integer part.
fn three_digits(number: f64) -> String {
    let decimals = match number {
        ..1.0 => 3,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}
