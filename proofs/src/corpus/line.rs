//! A line of computed numbers.

use std::fmt;
use std::iter;

/// Gradients that are added up in another order agree to this part of their size.
const TOLERANCE: f64 = 1e-12;

/// A number that was computed.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    /// The number.
    pub value: f64,
    /// The sum of the absolute values of its parts, if these may be added up in another order. If
    /// `None`, the bits must match.
    pub size: Option<f64>,
}

/// Numbers that were computed in one way.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name of the way.
    pub name: String,
    /// The numbers, in order.
    pub numbers: Vec<Computed>,
}

impl Computed {
    fn parse(word: &str) -> Option<Self> {
        let (value, size) = match word.split_once('~') {
            Some((value, size)) => (value, Some(size.parse().ok()?)),
            None => (word, None),
        };
        let value = match value {
            "nan" => f64::NAN,
            digits => f64::from_bits(u64::from_str_radix(digits, 16).ok()?),
        };
        Some(Self { value, size })
    }

    /// Whether `now` agrees with this number, which was computed earlier.
    pub fn is_met_by(self, now: f64) -> bool {
        let once = self.value;
        if once.to_bits() == now.to_bits() || once.is_nan() && now.is_nan() {
            return true;
        }
        match self.size {
            None => false,
            Some(size) if size.is_finite() => (once - now).abs() <= TOLERANCE * size,
            Some(_) => !once.is_finite() && !now.is_finite(),
        }
    }
}

impl Line {
    /// A line of numbers whose bits count.
    pub fn new(name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let numbers = values
            .into_iter()
            .map(|value| Computed { value, size: None });
        Self {
            name: name.to_string(),
            numbers: numbers.collect(),
        }
    }

    /// Reads a line in the format in which it is displayed. An empty line gives `None`.
    ///
    /// # Panics
    ///
    /// If a word is not a number.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_string();
        let number = |word| Computed::parse(word).unwrap_or_else(|| panic!("{word} in {line}"));
        Some(Self {
            name,
            numbers: words.map(number).collect(),
        })
    }

    /// The numbers alone.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.numbers.iter().map(|number| number.value)
    }

    /// The difference between this line and the same line computed now, if there is one.
    pub fn difference(&self, now: &Self) -> Option<String> {
        let Self { name, numbers } = self;
        if (name, numbers.len()) != (&now.name, now.numbers.len()) {
            let [once, now] = [self, now].map(|line| (&line.name, line.numbers.len()));
            return Some(format!("{now:?} instead of {once:?} numbers"));
        }
        let mut pairs = iter::zip(numbers, now.values()).enumerate();
        let (i, (once, now)) = pairs.find(|(_, (once, now))| !once.is_met_by(*now))?;
        let size = once
            .size
            .map(|size| format!(", a sum of parts of {size:?}"));
        Some(format!(
            "{name}[{i}] is {now:?} ({:016x}) instead of {:?} ({:016x}){}",
            now.to_bits(),
            once.value,
            once.value.to_bits(),
            size.unwrap_or_default()
        ))
    }
}

impl fmt::Display for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value.is_nan() {
            f.write_str("nan")?;
        } else {
            match self.value.to_bits() {
                0 => f.write_str("0")?,
                bits => write!(f, "{bits:016x}")?,
            }
        }
        match self.size {
            Some(0.0) => f.write_str("~0"),
            Some(size) => write!(f, "~{size:.1e}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.numbers
            .iter()
            .try_for_each(|number| write!(f, " {number}"))
    }
}
