//! Data: a generated data set, and tools that prepare rows for training. The same seed gives the
//! same data on every platform.
//!
//! ```
//! use micrograd::data::{StandardScaler, batches, make_moons, train_test_split};
//!
//! let mut rng = micrograd::rng(0);
//! let rows = make_moons(100, 0.1, &mut rng);
//! let (train, test) = train_test_split(rows, 0.2, &mut rng);
//! assert_eq!((train.len(), test.len()), (80, 20));
//! for batch in batches(&train, 32, &mut rng) {
//!     // 32, 32 and 16 rows: for tape.backward(&batch), say
//!     assert!(batch.len() <= 32);
//! }
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};
use std::iter;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// Two interleaving half circles, as scikit-learn's `make_moons` makes them.
///
/// Each row is x, y and the label: -1 on the upper moon, (cos t, sin t), and +1 on the lower one,
/// (1 - cos t, ½ - sin t), for evenly spaced t from 0 to π. Half of the `n` points, rounded down,
/// lie on the upper moon. Both coordinates get normal noise with standard deviation `noise`, and
/// the rows are shuffled. For losses whose targets are 0 and 1, take (label + 1) / 2.
///
/// ```
/// use micrograd::data::make_moons;
///
/// let mut rng = micrograd::rng(0);
/// let rows = make_moons(100, 0.1, &mut rng);
/// assert_eq!(rows.iter().filter(|[_, _, label]| *label > 0.0).count(), 50);
/// ```
#[must_use]
pub fn make_moons(n: usize, noise: f64, rng: &mut (impl Rng + ?Sized)) -> Vec<[f64; 3]> {
    let upper = half_circle(n / 2).map(|(cos, sin)| [cos, sin, -1.0]);
    let lower = half_circle(n - n / 2).map(|(cos, sin)| [1.0 - cos, 0.5 - sin, 1.0]);
    let mut rows: Vec<_> = upper.chain(lower).collect();
    rows.shuffle(rng);
    for [x, y, _] in &mut rows {
        *x += noise * standard_normal(rng);
        *y += noise * standard_normal(rng);
    }
    rows
}

/// `n` points from (1, 0) to (-1, 0).
fn half_circle(n: usize) -> impl Iterator<Item = (f64, f64)> {
    let last = n.saturating_sub(1).max(1) as f64;
    (0..n).map(move |i| {
        let angle = PI * (i as f64 / last);
        (libm::cos(angle), libm::sin(angle))
    })
}

/// A sample of the standard normal distribution, by Box and Muller 1958.
///
/// Computed by `libm`, like all data here: the standard library uses the functions of the system,
/// whose last bits differ from one system to the next.
pub(crate) fn standard_normal(rng: &mut (impl Rng + ?Sized)) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - rng.random::<f64>())).sqrt();
    radius * libm::cos(TAU * rng.random::<f64>())
}

/// Splits the rows at random into a training and a test set. The test set gets the fraction
/// `test_fraction`, in [0, 1], of the rows, rounded up to a whole row as in scikit-learn.
///
/// # Panics
///
/// If `test_fraction` is not in [0, 1].
#[must_use]
#[track_caller]
pub fn train_test_split<Row>(
    mut rows: Vec<Row>,
    test_fraction: f64,
    rng: &mut (impl Rng + ?Sized),
) -> (Vec<Row>, Vec<Row>) {
    let test_rows = test_rows(rows.len(), test_fraction);
    rows.shuffle(rng);
    let train = rows.split_off(test_rows);
    (train, rows)
}

/// Splits the rows at random into a training and a test set, so that the classes have the same
/// shares in both, to within a row. The test set is as large as that of [`train_test_split`].
///
/// ```
/// use micrograd::data::stratified_split;
///
/// let rows: Vec<_> = (0..20).map(|i| [f64::from(i), f64::from(i % 4 == 0)]).collect();
/// let (train, test) = stratified_split(rows, |row| row[1] > 0.0, 0.2, &mut micrograd::rng(0));
/// assert_eq!((train.len(), test.len()), (16, 4));
/// assert_eq!(test.iter().filter(|row| row[1] > 0.0).count(), 1); // of 5 in 20
/// ```
///
/// # Panics
///
/// If `test_fraction` is not in [0, 1].
#[must_use]
#[track_caller]
pub fn stratified_split<Row, Class: Ord>(
    mut rows: Vec<Row>,
    class: impl Fn(&Row) -> Class,
    test_fraction: f64,
    rng: &mut (impl Rng + ?Sized),
) -> (Vec<Row>, Vec<Row>) {
    let (all, test_rows) = (rows.len(), test_rows(rows.len(), test_fraction));
    rows.shuffle(rng);
    let mut classes = BTreeMap::<Class, Vec<Row>>::new();
    for row in rows {
        classes.entry(class(&row)).or_default().push(row);
    }
    let sizes: Vec<_> = classes.values().map(Vec::len).collect();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (mut rows, share) in classes.into_values().zip(shares(&sizes, all, test_rows)) {
        train.extend(rows.split_off(share));
        test.extend(rows);
    }
    train.shuffle(rng);
    test.shuffle(rng);
    (train, test)
}

/// Each size times `part / all`, in whole numbers that add up to `part`: rounded down, but up where
/// the remainders are greatest.
fn shares(sizes: &[usize], all: usize, part: usize) -> Vec<usize> {
    let all = all.max(1);
    let mut shares: Vec<_> = sizes.iter().map(|size| size * part / all).collect();
    let mut by_remainder: Vec<_> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&i| Reverse(sizes[i] * part % all));
    let missing = part - shares.iter().sum::<usize>();
    for i in by_remainder.into_iter().take(missing) {
        shares[i] += 1;
    }
    shares
}

/// The size of a test set.
#[track_caller]
fn test_rows(rows: usize, test_fraction: f64) -> usize {
    assert!(
        (0.0..=1.0).contains(&test_fraction),
        "the test fraction must be in [0, 1], not {test_fraction}"
    );
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to the length"
    )]
    let test_rows = (test_fraction * rows as f64).ceil() as usize;
    test_rows
}

/// One epoch in mini-batches: every row once, in random order, `size` at a time; the last batch has
/// the rest.
///
/// # Panics
///
/// If `size` is 0.
#[track_caller]
pub fn batches<'rows, Row>(
    rows: &'rows [Row],
    size: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Batches<'rows, Row> {
    assert!(size > 0, "a batch needs at least one row");
    let mut rows: Vec<_> = rows.iter().collect();
    rows.shuffle(rng);
    Batches { rows, size }
}

/// The mini-batches of an epoch; made by [`batches`].
#[derive(Clone, Debug)]
pub struct Batches<'rows, Row> {
    /// The rows to come, the next ones at the end.
    rows: Vec<&'rows Row>,
    size: usize,
}

impl<'rows, Row> Iterator for Batches<'rows, Row> {
    type Item = Vec<&'rows Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rows.len().saturating_sub(self.size);
        let batch = self.rows.split_off(rest);
        (!batch.is_empty()).then_some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let batches = self.rows.len().div_ceil(self.size);
        (batches, Some(batches))
    }
}

impl<Row> ExactSizeIterator for Batches<'_, Row> {}

/// Shifts and scales each column to mean 0 and standard deviation 1, and remembers by how much, so
/// that new rows can be transformed alike.
///
/// As in scikit-learn, the standard deviation is that of the population, and a column that does not
/// vary beyond rounding is only shifted.
///
/// ```
/// use micrograd::data::StandardScaler;
///
/// let scaler = StandardScaler::fit(&[[1.0, 5.0], [3.0, 5.0]]);
/// assert_eq!(scaler.transform(&[3.0, 6.0]), [1.0, 1.0]);
/// assert_eq!(scaler.inverse_transform(&[1.0, 1.0]), [3.0, 6.0]);
///
/// // Rows with a label, which stays as it is.
/// let labelled = [[1.0, 5.0, -1.0], [3.0, 5.0, 1.0]];
/// let rows = labelled.map(|[x, y, label]| [&scaler.transform(&[x, y])[..], &[label]].concat());
/// assert_eq!(rows, [[-1.0, 0.0, -1.0], [1.0, 0.0, 1.0]]);
///
/// // In another program, from numbers that were kept.
/// let same = StandardScaler::new(scaler.mean(), scaler.scale());
/// assert_eq!(same, scaler);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StandardScaler {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl StandardScaler {
    /// The scaler with this mean and this scale for each column.
    ///
    /// # Panics
    ///
    /// If the numbers of means and scales differ.
    #[must_use]
    #[track_caller]
    pub fn new(mean: &[f64], scale: &[f64]) -> Self {
        assert!(
            mean.len() == scale.len(),
            "a scaler needs as many means as scales, not {} and {}",
            mean.len(),
            scale.len()
        );
        Self {
            mean: mean.to_vec(),
            scale: scale.to_vec(),
        }
    }

    /// Computes the mean and the standard deviation of each column. No rows give a scaler of no
    /// columns.
    ///
    /// # Panics
    ///
    /// If the rows differ in length.
    #[must_use]
    #[track_caller]
    pub fn fit(rows: &[impl AsRef<[f64]>]) -> Self {
        let columns = rows.first().map_or(0, |row| row.as_ref().len());
        for (i, row) in rows.iter().enumerate() {
            let numbers = row.as_ref().len();
            assert!(
                numbers == columns,
                "row {i} has length {numbers}, not {columns}"
            );
        }
        let count = rows.len() as f64;
        let (mean, scale) = (0..columns)
            .map(|i| {
                let column = || rows.iter().map(|row| row.as_ref()[i]);
                let mean = column().sum::<f64>() / count;
                let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                // The variance that rounding may leave if all numbers are equal: scikit-learn's
                // bound.
                let rounding =
                    count * f64::EPSILON * variance + (count * f64::EPSILON * mean).powi(2);
                let varies = variance > rounding || variance.is_nan();
                (mean, if varies { variance.sqrt() } else { 1.0 })
            })
            .unzip();
        Self { mean, scale }
    }

    /// The number subtracted from each column.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The number by which each column is then divided.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// The row, shifted and scaled.
    ///
    /// # Panics
    ///
    /// If its length differs from that of the fitted rows.
    #[must_use]
    #[track_caller]
    pub fn transform(&self, row: &[f64]) -> Vec<f64> {
        self.expect_columns(row);
        let columns = iter::zip(&self.mean, &self.scale);
        iter::zip(row, columns)
            .map(|(x, (mean, scale))| (x - mean) / scale)
            .collect()
    }

    /// The row that is transformed into this one.
    ///
    /// # Panics
    ///
    /// If its length differs from that of the fitted rows.
    #[must_use]
    #[track_caller]
    pub fn inverse_transform(&self, row: &[f64]) -> Vec<f64> {
        self.expect_columns(row);
        let columns = iter::zip(&self.mean, &self.scale);
        iter::zip(row, columns)
            .map(|(x, (mean, scale))| x * scale + mean)
            .collect()
    }

    #[track_caller]
    fn expect_columns(&self, row: &[f64]) {
        assert!(
            row.len() == self.mean.len(),
            "the row has length {}, not {}, the number of columns",
            row.len(),
            self.mean.len()
        );
    }
}
