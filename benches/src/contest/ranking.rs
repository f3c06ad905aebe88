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

    fn fastest(&self, role: Role) -> f64 {
        let entries = self.entries.iter().filter(|entry| entry.role == role);
        entries.fold(f64::INFINITY, |least, entry| least.min(entry.seconds))
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yardstick = self.fastest(Role::HandWritten);
        let micrograd = self.fastest(Role::Micrograd);
        let time = format!("time per {}", self.unit);
        writeln!(f, "{}\n", self.title)?;
        write_row(f, ["", &time, "× hand-written", "× micrograd"])?;
        writeln!(f, "|---|---:|---:|---:|")?;
        for Entry { name, seconds, .. } in &self.entries {
            let time = readable(*seconds);
            let [by_hand, by_micrograd] =
                [yardstick, micrograd].map(|other| three_digits(seconds / other));
            write_row(f, [name, &time, &by_hand, &by_micrograd])?;
        }
        Ok(())
    }
}

/// Padded, so that the table can be read as it is.
fn write_row(f: &mut fmt::Formatter<'_>, cells: [&str; 4]) -> fmt::Result {
    let [name, time, by_hand, by_micrograd] = cells;
    writeln!(
        f,
        "| {name:34} | {time:>18} | {by_hand:>14} | {by_micrograd:>11} |"
    )
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
